"""What a server is sent to start from, made of what the gallery keeps.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageChops

from app.storage.decoding.colours import profile_of
from app.storage.decoding.shown import PNG_LEVEL, Order, RefusedError, opened, save, shown, side_of
from app.storage.metadata.container import DamagedContainer, joined, write
from app.storage.metadata.jpeg import stripped

MOST_PNG_BYTES = 50_000_000  # that servers take of one picture
JPEG_QUALITY = 95


def picture(order: Order) -> dict[str, object]:
    """Write a picture upright, in 8 bits of sRGB, without metadata, in its own size.

    As a PNG, which loses nothing. What is a JPEG, and is not for a mask, keeps its pixels as they
    are packed, or is packed anew where they must be turned or have other colours: a PNG of it would
    be many times as large and no better. One that is too large as a PNG, and not see-through, is
    sent as a JPEG all the same.
    """
    path, form, target = (str(order[name]) for name in ('path', 'format', 'target'))
    is_jpeg = form == 'JPEG' and not order['as_png']
    if is_jpeg and (size := _kept_pixels(path, target)):
        return _told('image/jpeg', *size)
    plain, _ = shown(path, form, most_profile_bytes=0)
    is_clear = plain.mode == 'RGBA'
    if (is_jpeg and not is_clear) or not (_save_png(plain, target) or is_clear):
        save(plain, target, 'JPEG', quality=JPEG_QUALITY, subsampling=0)
        return _told('image/jpeg', *plain.size)
    return _told('image/png', *plain.size)


def mask(order: Order) -> dict[str, object]:
    """Write a kept mask as servers read one: a grey one, and one whose alpha says the same."""
    with opened(str(order['path']), 'PNG') as kept:
        grey = kept.convert('L')
    if [*grey.size] != order['size']:
        raise RefusedError('another size')
    keeps = ImageChops.invert(grey)
    if order['inverted']:
        grey, keeps = keeps, grey
    save(grey, str(order['grey']), 'PNG')
    save(Image.merge('RGBA', (grey, grey, grey, keeps)), str(order['dual']), 'PNG')
    return _told('image/png', *grey.size)


def _save_png(plain: Image.Image, target: str) -> bool:
    """Write a PNG; return whether it is none that servers find too large."""
    try:
        save(plain, target, 'PNG', compress_level=PNG_LEVEL)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        return False
    return Path(target).stat().st_size <= MOST_PNG_BYTES


def _kept_pixels(path: str, target: str) -> tuple[int, int] | None:
    """Copy a JPEG without metadata; None where it must be turned or have other colours."""
    with opened(path, 'JPEG') as found:
        if found.mode != 'RGB' or side_of(found, 'JPEG') > 1 or profile_of(found):
            return None
        found.load()
        size = found.size
    with Path(path).open('rb') as file, suppress(DamagedContainer):
        write(file, Path(target), joined(stripped(file)))
        return size
    return None


def _told(mime: str, width: int, height: int) -> dict[str, object]:
    return {'mime': mime, 'width': width, 'height': height}
