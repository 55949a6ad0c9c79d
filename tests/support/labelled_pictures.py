"""Pictures of every kind of container, and the label that goes into them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageCms

from app.storage.metadata.container import Written
from app.storage.metadata.copies import embed
from app.storage.metadata.label import Label
from app.storage.metadata.other_tools import Settings
from app.storage.metadata.read import read_settings

FORMATS = {'.png': 'PNG', '.jpg': 'JPEG', '.webp': 'WEBP', '.gif': 'GIF', '.avif': 'AVIF'}
ORIENTATION, ARTIST, TAKEN, USER_COMMENT = 0x0112, 0x013B, 0x9003, 0x9286
EXIF_DIRECTORY = 0x8769
LABEL = Label(
    prompt='a red fox, at night',
    provider='pollinations',
    created_at=1_795_000_000.25,
    generation_id=17,
    position=2,
    negative_prompt='blurry, text',
    revised_prompt='A red fox walks through the night',
    seed=1234567890123,
    steps=28,
    guidance=7.5,
    sampler='Euler a',
    quality='high',
    width=64,
    height=48,
    asked_size='512x384',
    model='flux',
    source_url='https://images.test/a?b=1&c=2',
    sources=f'12:{"a" * 64} 15:{"b" * 64}',
    mask='c' * 64,
    strength=0.6,
    paste_back=1,
    changed_outside_mask=0.125,
    laid_back_from=f'16:{"d" * 64}',
)
BARE = Label(prompt='a fox', provider='p', created_at=1.0, generation_id=1, position=0)


def saved(form: str, mode: str = 'RGB', **how: object) -> bytes:
    """Save a picture with something to see in it, 64 by 48."""
    file = io.BytesIO()
    shade = Image.radial_gradient('L').resize((64, 48))
    image = Image.merge('RGB', (shade, shade.rotate(90), shade.rotate(20))).convert(mode)
    if mode == 'RGBA':
        image.putalpha(shade.rotate(45))
    image.save(file, form, **how)
    return file.getvalue()


def animated(form: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.new('RGB', (64, 48), (shade, 90, 200)) for shade in (0, 120, 240)]
    frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=80)
    return file.getvalue()


def exif(order: str = '>') -> bytes:
    """Give EXIF as a camera or an editor writes it: tags in both directories."""
    tags = Image.Exif()
    tags.endian = order
    tags[ORIENTATION] = 6
    tags[ARTIST] = 'Somebody'
    tags.get_ifd(EXIF_DIRECTORY)[TAKEN] = '2026:11:18 11:06:40'
    return tags.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()


PICTURES: dict[str, tuple[str, Callable[[], bytes]]] = {
    'PNG': ('.png', lambda: saved('PNG')),
    'PNG with a profile': ('.png', lambda: saved('PNG', icc_profile=profile(), exif=exif())),
    'PNG with alpha': ('.png', lambda: saved('PNG', 'RGBA')),
    'animated PNG': ('.png', lambda: animated('PNG')),
    'JPEG': ('.jpg', lambda: saved('JPEG')),
    'JPEG with EXIF': ('.jpg', lambda: saved('JPEG', exif=exif())),
    'JPEG with EXIF, low byte first': ('.jpg', lambda: saved('JPEG', exif=exif('<'))),
    'JPEG with a profile': ('.jpg', lambda: saved('JPEG', icc_profile=profile())),
    'progressive JPEG': ('.jpg', lambda: saved('JPEG', progressive=True, exif=exif())),
    'grey JPEG': ('.jpg', lambda: saved('JPEG', 'L')),
    'lossy WebP': ('.webp', lambda: saved('WEBP')),
    'lossless WebP': ('.webp', lambda: saved('WEBP', lossless=True)),
    'lossy WebP with alpha': ('.webp', lambda: saved('WEBP', 'RGBA')),
    'lossless WebP with alpha': ('.webp', lambda: saved('WEBP', 'RGBA', lossless=True)),
    'WebP with EXIF and a profile': (
        '.webp', lambda: saved('WEBP', exif=exif(), icc_profile=profile())
    ),
    'animated WebP': ('.webp', lambda: animated('WEBP')),
    'GIF': ('.gif', lambda: saved('GIF')),
    'animated GIF': ('.gif', lambda: animated('GIF')),
    'AVIF': ('.avif', lambda: saved('AVIF')),
    'AVIF with alpha, EXIF, XMP and a profile': (
        '.avif',
        lambda: saved('AVIF', 'RGBA', exif=exif(), icc_profile=profile(), xmp=b'<x:xmpmeta>fox'),
    ),
}  # fmt: skip


def source_of(name: str, folder: Path) -> Path:
    """Write one of the pictures to a file."""
    extension, make = PICTURES[name]
    path = folder / f'source{extension}'
    path.write_bytes(make())
    return path


def labelled(source: Path, label: Label = LABEL) -> Written:
    """Write a picture with its label beside the one without."""
    return embed(source, source.with_stem('labelled'), label)


def read(path: Path) -> Settings:
    return read_settings(str(path), FORMATS[path.suffix])


def with_prompt(prompt: str, negative: str | None = None) -> Label:
    return replace(LABEL, prompt=prompt, negative_prompt=negative)


def frames_of(path: Path) -> list[tuple[object, ...]]:
    """Decode every frame whole, with what is shown of it."""
    found: list[tuple[object, ...]] = []
    with Image.open(path) as image:
        for number in range(getattr(image, 'n_frames', 1)):
            image.seek(number)
            image.load()
            shown = image.info.get('duration'), image.info.get('icc_profile')
            found.append((image.mode, image.size, image.tobytes(), *shown))
    return found


def label_of(prompt: str, created_at: float) -> Label:
    """A label with nothing that is not needed."""
    return Label(prompt=prompt, provider='p', created_at=created_at, generation_id=1, position=0)
