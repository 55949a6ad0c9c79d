"""Reads what a picture's file says of how it was made: for the decoder's child, where Pillow is.

Nothing is raised over what a file holds: if it cannot be read, it is a picture without settings.
"""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from PIL import Image

from app.storage.metadata.container import MOST_PACKET_BYTES, sidecar_of
from app.storage.metadata.foreign.texts import unread, xmp_root
from app.storage.metadata.jpeg import EXTENDED_XMP
from app.storage.metadata.label import NAMESPACE, RDF, Label
from app.storage.metadata.other_tools import Reader, Settings, foreign_settings, real, text, whole

EXTENSION_HEAD_BYTES = len(EXTENDED_XMP) + 32 + 8
EASEL = 'Easel'
READERS: dict[str, Reader] = {'str': text, 'int': whole, 'float': real}


def read_settings(path: str, form: str) -> Settings:
    """Read the fields of `Label`, `generator` and `size` in a picture and the `.xmp` beside it."""
    try:
        with warnings.catch_warnings(action='ignore'), Image.open(path, formats=[form]) as picture:
            own: Settings = {}
            for packet in _packets(picture, sidecar_of(Path(path))):
                own |= easel_settings(packet)
            sides = f'{picture.width}x{picture.height}'
            if own:
                own |= {'generator': EASEL, 'size': sides}
            # A JPEG with long texts has no prompt of its own when its sidecar is gone.
            found = own if 'prompt' in own else foreign_settings(picture) | own
            if found:
                found.setdefault('size', sides)
            return found
    except Exception:  # on hostile bytes Pillow and sd-parsers raise nearly everything
        return {}


def unread_places(path: str, form: str) -> str:
    """Name the places in a picture's file that may tell how it was made."""
    try:
        with warnings.catch_warnings(action='ignore'), Image.open(path, formats=[form]) as picture:
            if form == 'PNG':
                picture.load()  # for what comes behind the pixels
            return ', '.join(unread(picture))
    except Exception:  # on hostile bytes Pillow raises nearly everything
        return ''


def easel_settings(packet: bytes) -> Settings:
    """Read Easel's properties in an XMP packet, also one that another tool has rewritten."""
    root = xmp_root(packet)
    if root is None:
        return {}
    values, ours = dict[str, str](), f'{{{NAMESPACE}}}'
    for node in root.iter(f'{{{RDF}}}Description'):  # elements and attributes are the same to RDF
        for name, given in (*node.attrib.items(), *((one.tag, one.text or '') for one in node)):
            if name.startswith(ours):
                values[name.removeprefix(ours)] = given
    with contextlib.suppress(ValueError, RecursionError):
        exact = json.loads(values.get('exact', '{}'))
        values |= {name: value for name, value in exact.items() if isinstance(value, str)}
    found: Settings = {}
    for field in fields(Label):
        value = READERS[str(field.type).removesuffix(' | None')](values.get(field.name))
        if value is not None:
            found[field.name] = value
    return found


def _packets(picture: Image.Image, sidecar: Path) -> Iterator[bytes]:
    inside = picture.info.get('xmp', b'')
    if isinstance(inside, str):
        inside = inside.encode('utf-8', 'replace')
    if isinstance(inside, bytes) and inside:
        yield inside
        yield _extended(picture, inside)
    with contextlib.suppress(OSError), sidecar.open('rb') as opened:
        yield opened.read(MOST_PACKET_BYTES)


def _extended(picture: Image.Image, standard: bytes) -> bytes:
    """Join the extended part of a JPEG's XMP, as Easel wrote it once (XMP part 3, 1.1.3.1)."""
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
