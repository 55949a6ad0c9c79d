"""Reads when a picture was made, of what cameras and programs wrote: for the decoder's child."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from PIL import ExifTags, Image

from app.storage.metadata.foreign.texts import xmp_root
from app.storage.metadata.label import MADE_AT

XMP_NAMES = ('DateTimeOriginal', 'DateCreated', 'CreateDate')
MOST_NODES = 2_000
# Source: Exif 2.32, 4.6.5 (F): `2026:11:18 11:06:40`, and its offset in a tag of its own.
_EXIF = re.compile(r'(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)')
_TAGS = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)


def when_made(path: str, form: str) -> dict[str, str]:
    """Return the first date that a picture's file tells, as one setting more; or nothing."""
    with (
        contextlib.suppress(Exception),  # on hostile bytes Pillow raises nearly everything
        warnings.catch_warnings(action='ignore'),
        Image.open(path, formats=[form]) as picture,
    ):
        for told in _dates(picture):
            with contextlib.suppress(ValueError):
                return {MADE_AT: datetime.fromisoformat(told.strip()).isoformat()}
    return {}


def _dates(picture: Image.Image) -> Iterator[str]:
    exif = picture.getexif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for date, offset in _TAGS:
        yield _iso(inner.get(date), inner.get(offset))
    packet = picture.info.get('xmp', b'')
    root = xmp_root(packet.encode('utf-8', 'replace') if isinstance(packet, str) else packet)
    told = dict[str, str]()
    for node in islice(root.iter(), MOST_NODES) if root is not None else ():
        for name, text in (*node.attrib.items(), (node.tag, node.text or '')):
            told.setdefault(name.rpartition('}')[2], text)
    yield from (told.get(name, '') for name in XMP_NAMES)
    yield _iso(exif.get(ExifTags.Base.DateTime), inner.get(ExifTags.Base.OffsetTime))


def _iso(date: object, offset: object) -> str:
    found = _EXIF.fullmatch(str(date).strip('\0 '))
    zone = str(offset or '').strip('\0 ')
    return f'{found[1]}-{found[2]}-{found[3]}T{found[4]}{zone}' if found else ''
