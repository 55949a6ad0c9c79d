"""Lays a picture out anew: with the label inside or beside it, or its pixels alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from app.storage.metadata import container, gif, jpeg, png, webp
from app.storage.metadata.container import DamagedContainer, Piece, Written
from app.storage.metadata.label import Label, xmp_packet
from app.storage.metadata.mime import mime_of

HEAD_BYTES = 64
LAYOUTS = {'image/png': png.layout, 'image/jpeg': jpeg.layout, 'image/webp': webp.layout}
STRIPPED = {
    'image/png': png.stripped,
    'image/jpeg': jpeg.stripped,
    'image/webp': webp.stripped,
    'image/gif': gif.stripped,
}


def embed(source: Path, target: Path, label: Label) -> Written:
    """Copy a picture with the label inside; what has no room inside goes beside the copy.

    Raise DamagedContainer at no whole picture of a format we keep; then nothing was written.
    """
    packet = xmp_packet(label)
    with source.open('rb') as opened:
        mime = mime_of(opened.read(HEAD_BYTES))
        if mime is None:
            raise DamagedContainer('no picture')
        pieces = (
            LAYOUTS[mime](opened, label) if mime in LAYOUTS else [range(container.size_of(opened))]
        )
        written = container.write(opened, target, container.joined(pieces))
        if mime in LAYOUTS and (mime != 'image/jpeg' or len(packet) <= jpeg.MOST_XMP_BYTES):
            return written
        try:
            sidecar = container.write(opened, container.sidecar_of(target), [packet])
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return replace(written, sidecar=sidecar.path)


def stripped(opened: BinaryIO, mime: str) -> list[Piece]:
    """Lay a picture out without texts, EXIF, XMP, comments, small previews and what follows it.

    Raise DamagedContainer where there is no way through, and at AVIF, which cannot be stripped.
    """
    if mime not in STRIPPED:
        raise DamagedContainer('no way to take its texts out')
    return container.joined(STRIPPED[mime](opened))
