"""Finds the texts in a picture's file, wherever tools and programs put them."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from itertools import islice
from xml.etree import ElementTree as Xml

from PIL import ExifTags, Image

MOST_PACKET_BYTES = 4 * 1024 * 1024
USER_COMMENT, DESCRIPTION, XMP = 'EXIF UserComment', 'EXIF ImageDescription', 'XMP'
# ComfyUI writes its two texts into EXIF that means something else, with their names before them.
COMFYUIS_TAGS = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.ImageDescription)
COMFYUIS_NAMES = ('prompt', 'workflow')
XP_TAGS = {ExifTags.Base.XPComment: 'EXIF XPComment', ExifTags.Base.XPTitle: 'EXIF XPTitle'}
CODINGS = {b'UNICODE\0': 'utf-16', b'ASCII\0\0\0': 'utf-8', b'JIS\0\0\0\0\0': 'iso2022_jp'}
XMP_TEXTS = ('description', 'UserComment', 'ImageDescription', 'parameters', 'prompt')
# Of PNG, WebP and GIF, what tells nothing of how a picture was made.
PLAIN_NAMES = re.compile(
    r'(?i)software|author|copyright|creation.time|date:|thumb|title$|source$|url|raw profile|xml:'
    r'|xmp$|exif(:|$)|srgb|dpi|gamma|signature|warning|disclaimer|loop|interlace|fooocus_scheme'
)
C2PA = 'C2PA'
UNREADABLE = (
    *(ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError),
    struct.error,
)
MOST_NAMES, LONGEST_NAME = 8, 40


def texts_of(picture: Image.Image) -> Iterator[tuple[str, str]]:
    """Yield names of places and the texts in them, those of PNG's chunks under their own names."""
    for name, value in picture.info.items():
        if isinstance(name, str) and isinstance(value, str) and not name.startswith('XML:'):
            yield name, value
    comment = picture.info.get('comment')
    if isinstance(comment, bytes):
        yield 'comment', comment.decode('utf-8', 'replace')
    with contextlib.suppress(*UNREADABLE):  # then the other texts still count
        yield from list(_exif_texts(picture.info.get('exif', b'')))
    packet = picture.info.get('xmp', picture.info.get('XML:com.adobe.xmp', b''))
    yield from xmp_texts(packet.encode('utf-8', 'replace') if isinstance(packet, str) else packet)


def unread(picture: Image.Image) -> list[str]:
    """Name the places of texts that may tell how a picture was made."""
    names = [name for name, text in texts_of(picture) if text.strip('\0 \t\r\n')]
    segments = getattr(picture, 'applist', ()), getattr(picture, 'private_chunks', ())
    if any(b'c2pa' in one[1] for many in segments for one in many if one[0] in (b'caBX', 'APP11')):
        names.append(C2PA)
    told = (name for name in dict.fromkeys(names) if not PLAIN_NAMES.match(name))
    return [name[:LONGEST_NAME] for name in islice(told, MOST_NAMES)]


def xmp_root(packet: bytes) -> Xml.Element | None:
    """Parse an XMP packet, None where it is none."""
    if len(packet) > MOST_PACKET_BYTES or b'<!DOCTYPE' in packet:
        return None
    try:
        plain = packet.decode('utf-8-sig').strip('\0 \t\r\n')
        return Xml.fromstring(plain)  # noqa: S314 (no DOCTYPE, so no entities)
    except (ValueError, Xml.ParseError):
        return None


def xmp_texts(packet: bytes) -> Iterator[tuple[str, str]]:
    """Yield the descriptions in XMP: as elements, their alternatives, or attributes."""
    root = xmp_root(packet)
    for node in () if root is None else root.iter():
        for name, text in node.attrib.items():
            if _local(name) in XMP_TEXTS:
                yield f'{XMP} {_local(name)}', text
        if _local(node.tag) in XMP_TEXTS:
            parts = (part.strip() for part in node.itertext())
            yield f'{XMP} {_local(node.tag)}', next(filter(None, parts), '')


def _local(name: str) -> str:
    return name.rpartition('}')[2]


def _exif_texts(block: bytes) -> Iterator[tuple[str, str]]:
    exif = Image.Exif()
    exif.load(block)
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if isinstance(comment, bytes):
        comment = _decoded(comment)
    if isinstance(comment, str):
        yield USER_COMMENT, comment
    for tag in COMFYUIS_TAGS:
        name, _, value = str(exif.get(tag, '')).partition(':')
        if name.lower() in COMFYUIS_NAMES:
            yield name.lower(), value
    description = exif.get(ExifTags.Base.ImageDescription)
    if isinstance(description, str) and not description.lower().startswith(COMFYUIS_NAMES):
        yield DESCRIPTION, description
    for tag, name in XP_TAGS.items():
        written = exif.get(tag)
        if isinstance(written, bytes):
            yield name, written.decode('utf-16-le', 'replace').strip('\0')


def _decoded(comment: bytes) -> str:
    """Decode a UserComment by the mark of eight bytes before it, which some tools leave out."""
    mark, content = comment[:8], comment[8:]
    coding = CODINGS.get(mark, 'utf-8')
    if mark not in CODINGS and mark.strip(b'\0'):
        content = comment
    if coding == 'utf-16':
        is_plain = content.isascii() and b'\0' not in content  # marked wrongly
        # without a mark of order, plain letters' zeros tell it
        is_little = content[1::2].count(0) > content[::2].count(0)
        coding = 'utf-8' if is_plain else 'utf-16-le' if is_little else 'utf-16-be'
        if content[:2] in (b'\xff\xfe', b'\xfe\xff') and not is_plain:
            coding = 'utf-16-le' if content[:2] == b'\xff\xfe' else 'utf-16-be'
    if coding == 'iso2022_jp' and b'\x1b' not in content:
        coding = 'shift_jis'
    return content.decode(coding, 'replace').strip('\0\ufeff')
