"""Tells by the first bytes what a file is."""

from __future__ import annotations

MIME_EXTENSIONS = {
    'image/png': 'png',
    'image/jpeg': 'jpg',
    'image/webp': 'webp',
    'image/gif': 'gif',
    'image/avif': 'avif',
}


def mime_of(head: bytes) -> str | None:
    """Tell a picture we keep by its first bytes; None if it is anything else."""
    if head.startswith(b'\x89PNG\r\n\x1a\n'):
        return 'image/png'
    if head.startswith(b'\xff\xd8\xff'):
        return 'image/jpeg'
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return 'image/webp'
    if head[:6] in (b'GIF87a', b'GIF89a'):
        return 'image/gif'
    if head[4:8] == b'ftyp' and head[8:12] in (b'avif', b'avis'):
        return 'image/avif'
    return None


def is_binary(head: bytes) -> bool:
    """Whether a file's first bytes are no text; UTF-16 that says so is text."""
    if head[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return False
    return b'\0' in head or head.startswith((b'PK\x03\x04', b'%PDF', b'\xff', b'\x1a\x45'))


def what_is(head: bytes) -> str:
    """Name what came instead of a picture, in a word for the sentence."""
    text = head.lstrip(b'\xef\xbb\xbf \t\r\n').lower()
    if not text:
        return 'empty'
    if text.startswith(b'<?xml') and b'<svg' in text:
        return 'svg'
    for name, starts in _OTHERS.items():
        if text.startswith(starts):
            return name
    if head[4:8] == b'ftyp':
        return 'video'
    return 'unknown'


_OTHERS: dict[str, tuple[bytes, ...]] = {
    'html': (b'<!doctype html', b'<html'),
    'svg': (b'<svg',),
    'xml': (b'<?xml', b'<'),
    'json': (b'{', b'['),
    'pdf': (b'%pdf',),
    'zip': (b'pk\x03\x04',),
    'video': (b'\x1aE\xdf\xa3'.lower(),),
    'audio': (b'id3', b'oggs', b'riff', b'\xff\xfb'),
}
