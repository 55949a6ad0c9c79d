"""What a picture's file says of how it was made: for the decoder child, where Pillow is.

Nothing of Easel's server is imported, and nothing here raises over what a file holds: a picture
without readable settings is a picture without settings.
"""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as Xml

from PIL import Image

from app.storage.metadata.found import Found, Settings, real, text, whole
from app.storage.metadata.jpeg import EXTENDED_XMP
from app.storage.metadata.label import NAMESPACE, RDF, Label
from app.storage.metadata.other_tools import foreign_settings

MOST_XMP_BYTES = 4 * 1024 * 1024
EXTENSION_HEAD_BYTES = len(EXTENDED_XMP) + 32 + 8
EASEL = 'Easel'
READERS: dict[str, Callable[[object], Iterator[Found]]] = {
    'str': text,
    'str | None': text,
    'int': whole,
    'int | None': whole,
    'float': real,
    'float | None': real,
}


def read_settings(path: str, form: str) -> Settings:
    """Read the settings out of a picture, or out of the `.xmp` beside it.

    Easel's own label has every field of `Label`; what others wrote has `prompt`,
    `negative_prompt`, `seed`, `steps`, `guidance`, `sampler`, `model`, as far as it is there. Both
    have `generator` and `size`. Empty where nothing was found.

    Args:
        path: The picture.
        form: Pillow's name of its format.
    """
    try:
        with (
            warnings.catch_warnings(action='ignore'),
            Image.open(path, formats=[form]) as picture,
        ):
            return _read(picture, Path(f'{path}.xmp'))
    except Exception:  # on hostile bytes Pillow and sd-parsers raise nearly everything
        return {}


def easel_settings(packet: bytes) -> Settings:
    """Read our own properties out of an XMP packet, also one that another tool has rewritten."""
    if len(packet) > MOST_XMP_BYTES or b'<!DOCTYPE' in packet:
        return {}
    try:
        plain = packet.decode('utf-8-sig').strip('\0 \t\r\n')
        root = Xml.fromstring(plain)  # noqa: S314 (no DOCTYPE, so no entities)
    except (ValueError, Xml.ParseError):
        return {}
    said = dict(_properties(root))
    with contextlib.suppress(ValueError, RecursionError):
        exact = json.loads(said.get('exact', '{}'))
        said |= {name: value for name, value in exact.items() if isinstance(value, str)}
    found: Settings = {}
    for field in fields(Label):
        if field.name in said:
            for value in READERS[str(field.type)](said[field.name]):
                found[field.name] = value
    return found


def _read(picture: Image.Image, sidecar: Path) -> Settings:
    found: Settings = {}
    for packet in _packets(picture, sidecar):
        found |= easel_settings(packet)
    if found:
        found['generator'] = EASEL
    else:
        found = foreign_settings(picture)
    if found:
        found.setdefault('size', f'{picture.width}x{picture.height}')
    return found


def _packets(picture: Image.Image, sidecar: Path) -> Iterator[bytes]:
    inside = picture.info.get('xmp', b'')
    if isinstance(inside, str):
        inside = inside.encode('utf-8', 'replace')
    if isinstance(inside, bytes) and inside:
        yield inside
        yield _extended(picture, inside)
    with contextlib.suppress(OSError), sidecar.open('rb') as opened:
        yield opened.read(MOST_XMP_BYTES)


def _extended(picture: Image.Image, standard: bytes) -> bytes:
    """Put the extended part of a JPEG's XMP together, by the name that the standard part gives."""
    named = re.search(rb'HasExtendedXMP(?:>|=")([0-9A-F]{32})', standard)
    if not named:
        return b''
    parts: dict[int, bytes] = {}
    head = EXTENDED_XMP + named[1]
    for name, content in getattr(picture, 'applist', ()):
        if name == 'APP1' and content.startswith(head) and len(content) > EXTENSION_HEAD_BYTES:
            start = int.from_bytes(content[EXTENSION_HEAD_BYTES - 4 : EXTENSION_HEAD_BYTES])
            parts[start] = content[EXTENSION_HEAD_BYTES:]
    return b''.join(parts[start] for start in sorted(parts))


def _properties(root: Xml.Element) -> Iterator[tuple[str, str]]:
    """Find our properties, as elements or as attributes: both are the same to RDF."""
    ours = f'{{{NAMESPACE}}}'
    for description in root.iter(f'{{{RDF}}}Description'):
        for name, value in description.attrib.items():
            if name.startswith(ours):
                yield name.removeprefix(ours), value
        for child in description:
            if child.tag.startswith(ours):
                yield child.tag.removeprefix(ours), child.text or ''
