"""The demo's work with pixels; it runs in threads and is imported only when something is drawn."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, sqrt
from typing import BinaryIO

from PIL import Image, ImageChops, ImageFilter

from app.demo.painter.brush import veil
from app.demo.painter.scene import coarse, draw
from app.demo.recolour import colours_for, colours_of, is_wished, recoloured
from app.demo.request import IGNORES_MASK, MOST_PIXELS, SIDES, DrawRequest, RequestError
from app.demo.uploads import Uploads

_COMPRESSION = 3  # of 9: twice as quick as 6 for a tenth more bytes
_SMALL = (256, 256)  # a picture of which only colours are taken
_MOST_DRAWN = 4_000_000  # pixels of an edit where no size is asked for; each takes 20 bytes
# Of a picture that is sent: each takes 4 bytes, of a WebP 16, and few of a JPEG, for which the
# decoder makes it smaller. So an edit takes no more than 150 MB.
_MOST_PIXELS = {'JPEG': MOST_PIXELS, 'PNG': 24_000_000, 'WEBP': 6_000_000}
_STRIP_PIXELS = 250_000


def draw_stages(spec: DrawRequest, index: int) -> list[bytes]:
    """Return one picture as PNG files: the early states that were asked for, then the picture."""
    return _stages(spec, draw(spec.prompt, spec.seed + index, *spec.size_or_default))


def edit_stages(spec: DrawRequest, uploads: Uploads, index: int) -> list[bytes]:
    """Change the first picture: what its mask, or its own holes, say may change, else all of it."""
    return _stages(spec, _edited(spec, uploads, index))


def _edited(spec: DrawRequest, uploads: Uploads, index: int) -> Image.Image:
    first, *others = uploads.sources
    base, hole = _base_and_hole(spec, first, uploads.mask)
    seed = spec.seed + index
    lenders = [Image.merge('RGB', _bands(one, 'image', _SMALL)[:3]) for one in others]
    colours = colours_of(lenders) if lenders else []
    recolours = is_wished(spec.model, spec.prompt, has_palette=bool(others))
    drawn = base if recolours else draw(spec.prompt, seed, *base.size)
    if recolours or colours:
        drawn = recoloured(drawn, colours or colours_for(spec.prompt, seed))
    is_kept = hole and spec.model != IGNORES_MASK
    rest = base if is_kept else drawn if recolours else _in_the_light_of(drawn, base)
    picture = Image.composite(drawn, rest, hole) if hole else rest
    return Image.blend(base, picture, spec.strength) if spec.strength < 1 else picture


def _base_and_hole(
    spec: DrawRequest, image: BinaryIO, mask: BinaryIO | None
) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture at its new size, and where it may change, softened only within that."""
    own_size = _opened(image, 'image').size
    size = spec.size or _fitting(*own_size)
    alpha = [_mask(mask, own_size, size)] if mask else []
    bands = _bands(image, 'image', size)
    base, alpha = Image.merge('RGB', bands[:3]), alpha or bands[3:]
    if not alpha:
        return base, None
    hole = ImageChops.invert(alpha[0])
    soft = hole.filter(ImageFilter.BoxBlur(max(size) * 0.004))
    return base, ImageChops.darker(hole, soft) if hole.getbbox() else None


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Return the size of an edit where none is asked for: the picture's own, if it is not large."""
    scale = min(1.0, SIDES[-1] / max(width, height), sqrt(_MOST_DRAWN / (width * height)))
    return max(SIDES[0], round(width * scale)), max(SIDES[0], round(height * scale))


def _mask(mask: BinaryIO, own_size: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Return the alpha of a mask at a size; its refusals are worded as OpenAI's."""
    cover = _opened(mask, 'mask')
    wrong = '' if cover.has_transparency_data else 'mask image missing alpha channel'
    if cover.size != own_size:
        wrong = 'mask size does not match image size'
    if wrong:
        message = f'Invalid mask image format - {wrong}'
        raise RequestError(message, 'mask', 'invalid_mask_image_format')
    return _bands(mask, 'mask', size)[3]


def _bands(file: BinaryIO, param: str, size: tuple[int, int]) -> list[Image.Image]:
    """Read the middle of a picture as red, green and blue of a size, with alpha where it has some.

    A JPEG is not decoded larger than that needs.
    """
    picture = _opened(file, param)
    scale = max(size[0] / picture.width, size[1] / picture.height)
    with _refusing(param):
        picture.draft(None, (ceil(picture.width * scale), ceil(picture.height * scale)))
        picture.load()
    picture = _reduced(picture, min(picture.width // size[0], picture.height // size[1]) or 1)
    scale = max(size[0] / picture.width, size[1] / picture.height)
    width, height = min(picture.width, size[0] / scale), min(picture.height, size[1] / scale)
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    box = (left, top, left + width, top + height)
    return [band.resize(size, Image.Resampling.BICUBIC, box) for band in picture.split()]


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """Return a picture in colours, so many times smaller.

    In strips: Pillow would copy all of one with alpha, and forget the colours where that is 0.
    """
    mode = 'RGBA' if picture.has_transparency_data else 'RGB'
    width, height = picture.size
    small = Image.new(mode, (ceil(width / factor), ceil(height / factor)))
    rows = factor * max(1, _STRIP_PIXELS // (width * factor))
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(height, top + rows))).convert(mode)
        bands = [band.reduce(factor) for band in strip.split()]
        small.paste(Image.merge(mode, bands), (0, top // factor))
    return small


def _in_the_light_of(sketch: Image.Image, base: Image.Image) -> Image.Image:
    """Return a whole picture in the light of a sketch, whose land fades in."""
    lit = Image.blend(base, ImageChops.soft_light(base, sketch), 0.85)
    land = veil(base.size, lambda at: 0.6 * max(0.0, at - 0.45) / 0.55)
    return Image.composite(sketch, lit, land)


def _stages(spec: DrawRequest, picture: Image.Image) -> list[bytes]:
    partials = spec.partials if spec.streams else 0
    early = [coarse(picture, (number + 1) / (partials + 1)) for number in range(partials)]
    files = []
    for stage in (*early, picture):
        file = io.BytesIO()
        stage.save(file, 'PNG', compress_level=_COMPRESSION)
        files.append(file.getvalue())
    return files


def _opened(file: BinaryIO, param: str) -> Image.Image:
    """Open a picture, not decoded yet."""
    file.seek(0)
    with _refusing(param):
        picture = Image.open(file, formats=tuple(_MOST_PIXELS))
    most = _MOST_PIXELS.get(picture.format or '', MOST_PIXELS)  # a phone's JPEG is an MPO
    if picture.width * picture.height > most:
        message = f"'{param}' must have at most {most} pixels."
        raise RequestError(message, param, 'image_too_large')
    return picture


@contextmanager
def _refusing(param: str) -> Iterator[None]:
    """Refuse a picture that Pillow cannot read."""
    try:
        yield
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        message = f"'{param}' is not a picture that can be read."
        raise RequestError(message, param, 'invalid_image') from error
