"""What an edit starts from, made by Pillow: pictures of one colour each, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image

from app.storage.edit_input import EditInput, SentMask, SentPicture
from tests.support.picture_checks import png

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
    """Write the files as they are made for sending."""
    folder.mkdir(exist_ok=True)
    sources = tuple(_sent(content, folder) for content in _colours()[:count])
    if not masked:
        return EditInput(sources=sources)
    grey, dual = (_sent(content, folder) for content in _masks())
    return EditInput(sources=sources, mask=SentMask(grey=grey, dual=dual))


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


@cache
def _colours() -> list[bytes]:
    return [png(Image.new('RGB', SIZE, colour)) for colour in COLOURS]


@cache
def _masks() -> list[bytes]:
    grey = intended()
    alpha = grey.point(lambda value: 255 - value)
    return [png(grey), png(Image.merge('RGBA', (grey, grey, grey, alpha)))]


def _sent(content: bytes, folder: Path) -> SentPicture:
    path = folder / f'{len([*folder.iterdir()])}.png'
    path.write_bytes(content)
    width, height = SIZE
    return SentPicture(
        path=path, mime='image/png', width=width, height=height, size_bytes=len(content)
    )
