"""Writes the label into a copy of a picture, or beside the copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.storage.metadata import jpeg, png, webp
from app.storage.metadata.container import (
    DamagedContainer,
    Span,
    Written,
    joined,
    sidecar_of,
    size_of,
    write,
)
from app.storage.metadata.label import Label, xmp_packet
from app.storage.metadata.mime import mime_of

HEAD_BYTES = 64
LAYOUTS = {'image/png': png.layout, 'image/jpeg': jpeg.layout, 'image/webp': webp.layout}


def embed(source: Path, target: Path, label: Label) -> Written:
    """Copy a picture with the label inside; what has no room inside goes beside the copy.

    Args:
        source: The picture; its first bytes say what it is.
        target: Another path; whole afterwards, or not there.
        label: What to write.

    Raises:
        DamagedContainer: It is no whole picture of a format we keep; nothing was written.
        OSError: The disk refused; nothing was written.
    """
    packet = xmp_packet(label)
    with source.open('rb') as opened:
        mime = mime_of(opened.read(HEAD_BYTES))
        if mime is None:
            raise DamagedContainer('no picture')
        is_whole = mime in LAYOUTS and (mime != 'image/jpeg' or jpeg.fits(packet))
        pieces = LAYOUTS[mime](opened, label) if mime in LAYOUTS else [Span(0, size_of(opened))]
        written = write(opened, target, list(joined(pieces)))
        if is_whole:
            return written
        try:
            sidecar = write(opened, sidecar_of(target), [packet])
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return replace(written, sidecar=sidecar.path)
