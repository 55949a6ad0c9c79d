"""What an edit starts from, made by Pillow: pictures of one colour each, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from app.storage.edit_input import EditInput, SentMask, SentPicture

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = ((200, 30, 40), (20, 160, 60), (30, 60, 210), (240, 200, 10))
SIZE = (24, 16)
BOX = (2, 3, 11, 13)  # what may change


def intended() -> Image.Image:
    """Give the mask as it is meant: white may change."""
    mask = Image.new('L', SIZE, 0)
    mask.paste(255, BOX)
    return mask


def edit_input(folder: Path, count: int = 1, *, masked: bool = False) -> EditInput:
    """Make the files as they are made for sending."""
    folder.mkdir(exist_ok=True)
    sources = [_sent(Image.new('RGB', SIZE, colour), folder) for colour in COLOURS[:count]]
    if not masked:
        return EditInput(sources=tuple(sources))
    grey = intended()
    alpha = grey.point(lambda value: 255 - value)
    dual = Image.merge('RGBA', (grey, grey, grey, alpha))
    mask = SentMask(grey=_sent(grey, folder), dual=_sent(dual, folder))
    return EditInput(sources=tuple(sources), mask=mask)


def large(folder: Path, size_bytes: int, number: int = 0) -> SentPicture:
    """Make what is as large as a picture, and is none; the disk hardly holds anything of it."""
    folder.mkdir(exist_ok=True)
    path = folder / f'large-{number}.png'
    with path.open('wb') as file:
        file.truncate(size_bytes)
    return SentPicture(path=path, mime='image/png', width=9, height=9, size_bytes=size_bytes)


def colours_of(pictures: Sequence[Image.Image]) -> tuple[Colour, ...]:
    """Read the colour of each picture, which has one only."""
    found = []
    for picture in pictures:
        pixel = picture.convert('RGB').getpixel((5, 5))
        assert isinstance(pixel, tuple)
        found.append((int(pixel[0]), int(pixel[1]), int(pixel[2])))
    return tuple(found)


def _sent(picture: Image.Image, folder: Path) -> SentPicture:
    path = folder / f'{len([*folder.iterdir()])}.png'
    picture.save(path)
    width, height = picture.size
    return SentPicture(
        path=path, mime='image/png', width=width, height=height, size_bytes=path.stat().st_size
    )
