"""Whole pictures as browsers show them, which are refused, and how one is written.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from PIL import Image

from app.storage.decoding.colours import MOST_PROFILE_BYTES, profile_of, shown_colours, turned
from app.storage.metadata.jpeg import shown_side

Order = dict[str, object]

MOST_PIXELS = 40_000_000
MOST_FRAMES = 200
PNG_LEVEL = 2  # 6 takes four times as long, for a fifth less
SIDEWAYS = 5  # from this side on, width and height change places
MORE_NAMES = {'JPEG': 'MPO'}  # of a JPEG with another picture behind it, as phones write them


class RefusedError(Exception):
    """The picture is not one we keep; the text says why."""


def shown(
    path: str, form: str, most_profile_bytes: int = MOST_PROFILE_BYTES
) -> tuple[Image.Image, bytes]:
    """Decode a picture, turned as browsers turn it; with its profile as `shown_colours` does."""
    with opened(path, form) as picture:
        side, profile = side_of(picture, form), profile_of(picture)
        picture.load()
        plain, profile = shown_colours(picture, profile, most_profile_bytes)
    return turned(plain, side), profile


@contextlib.contextmanager
def opened(path: str, form: str) -> Iterator[Image.Image]:
    """Open a picture at its first frame, not decoded yet; raise RefusedError."""
    with Image.open(path, formats=[form]) as picture:
        if picture.format not in (form, MORE_NAMES.get(form)):
            raise RefusedError(f'really {picture.format}')
        if picture.width * picture.height > MOST_PIXELS:
            raise RefusedError('over 40 megapixels')
        if getattr(picture, 'is_animated', False):
            with contextlib.suppress(EOFError):
                picture.seek(MOST_FRAMES)
                raise RefusedError('over 200 frames')
            picture.seek(0)
        yield picture


def shown_size(path: str, form: str) -> tuple[int, int]:
    """Return the size that a picture is shown in, which is not decoded for it."""
    with opened(path, form) as picture:
        width, height = picture.size
        return (height, width) if side_of(picture, form) >= SIDEWAYS else (width, height)


def side_of(picture: Image.Image, form: str) -> int:
    """Return which side is up, before the pixels are read: what comes behind them turns none."""
    return shown_side(form, picture.info.get('exif', b''))


def save(plain: Image.Image, target: str, form: str, **how: object) -> None:
    plain.info = {}  # else Pillow writes down what the file said that it came from
    with open(target, 'wb') as file:  # noqa: PTH123 (Pillow would ask for the right to read it)
        plain.save(file, form, **how)
