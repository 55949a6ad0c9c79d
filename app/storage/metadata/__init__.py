"""The prompt inside the file: what is true of a picture, written where other tools look for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.storage.metadata import jpeg, png, webp
from app.storage.metadata.container import DamagedContainer, Span, Written, size_of, write
from app.storage.metadata.label import Label, xmp_packet
from app.storage.metadata.mime import mime_of

__all__ = ['DamagedContainer', 'Label', 'Written', 'embed', 'sidecar_of']

HEAD_BYTES = 64
WRITERS = {'image/png': png.embed, 'image/jpeg': jpeg.embed, 'image/webp': webp.embed}


def embed(source: Path, target: Path, label: Label) -> Written:
    """Copy a picture with the label inside, or byte for byte with the label beside it.

    Args:
        source: The picture; its first bytes say what it is.
        target: Another path; whole afterwards, or not there.
        label: What is true of it.

    Raises:
        DamagedContainer: It is no whole picture of a format we keep; nothing was written.
        OSError: The disk refused.
    """
    with source.open('rb') as opened:
        mime = mime_of(opened.read(HEAD_BYTES))
    if mime is None:
        raise DamagedContainer('no picture')
    if mime in WRITERS:
        return WRITERS[mime](source, target, label)
    return _embed_beside(source, target, label)


def sidecar_of(picture: Path) -> Path:
    """Name the label beside a picture: `fox.gif.xmp`, as darktable and digiKam do."""
    return picture.with_name(f'{picture.name}.xmp')


def _embed_beside(source: Path, target: Path, label: Label) -> Written:
    sidecar = sidecar_of(target)
    with source.open('rb') as opened:
        write(opened, sidecar, [xmp_packet(label)])
        try:
            written = write(opened, target, [Span(0, size_of(opened))])
        except BaseException:
            sidecar.unlink(missing_ok=True)
            raise
    return replace(written, sidecar=sidecar)
