"""Tells by the first bytes what a file is."""

from __future__ import annotations

import re

PNG = 'image/png'
MIME_EXTENSIONS = {
    PNG: 'png',
    'image/jpeg': 'jpg',
    'image/webp': 'webp',
    'image/gif': 'gif',
    'image/avif': 'avif',
}
_PICTURE = re.compile(
    rb'(?P<png>\x89PNG\r\n\x1a\n)|(?P<jpeg>\xff\xd8\xff)|(?P<webp>RIFF.{4}WEBP)'
    rb'|(?P<gif>GIF8[79]a)|(?P<avif>.{4}ftyp(?:avi[fs]|(?:mif1|miaf|msf1)(?:.{4}){1,10}?avi[fs]))',
    re.DOTALL,
)


def mime_of(head: bytes) -> str | None:
    """Recognise a picture we keep by its first bytes; return None for anything else."""
    found = _PICTURE.match(head)
    return f'image/{found.lastgroup}' if found else None


def is_binary(head: bytes) -> bool:
    """Check whether a file's first bytes are no text; UTF-16 with its mark is text."""
    if head[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return False
    return b'\0' in head or head.startswith((b'PK\x03\x04', b'%PDF', b'\xff', b'\x1a\x45'))


def what_is(head: bytes) -> str:
    """Name what came instead of a picture, in a word of `Reason`."""
    text = head.lstrip(b'\xef\xbb\xbf \t\r\n').lower()
    if not text:
        return 'empty'
    if text.startswith(b'<?xml') and b'<svg' in text:
        return 'svg'
    other = 'video' if head[4:8] == b'ftyp' else 'unknown'
    other = 'HEIC' if head[4:11] in (b'ftyphei', b'ftyphev', b'ftypmif') else other
    return next((name for name, starts in _OTHERS.items() if text.startswith(starts)), other)


_OTHERS: dict[str, tuple[bytes, ...]] = {
    'html': (b'<!doctype html', b'<html'),
    'svg': (b'<svg',),
    'xml': (b'<?xml', b'<'),
    'json': (b'{', b'['),
    'pdf': (b'%pdf',),
    'zip': (b'pk\x03\x04',),
    'video': (b'\x1aE\xdf\xa3'.lower(),),
    'JPEG 2000': (b'\0\0\0\x0cjp  ', b'\xff\x4f\xff\x51'),
    'JPEG XL': (b'\0\0\0\x0cjxl ', b'\xff\n'),
    'TIFF': (b'ii*\0', b'mm\0*'),
    'audio': (b'id3', b'oggs', b'riff', b'\xff\xfb'),
}
