"""Where a picture goes on the disk: its name, its place, and the way there that no crash breaks."""

from __future__ import annotations

import contextlib
import os
import re
import time
import unicodedata
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.models import Received
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.temp_file import storage_failed

if TYPE_CHECKING:
    from app.storage.metadata import Label, Written

log = logger(__name__)

RESCUED = 'rescued'
LONGEST_NAME_BYTES = 60


def key_of(prompt: str, digest: str, extension: str, now: float) -> str:
    """Name a file so that a person can read it, and no two are the same."""
    plain = unicodedata.normalize('NFC', prompt).casefold()
    words = re.sub(r'[^\w]+', '-', plain, flags=re.UNICODE)
    words = words.encode('utf-8', 'ignore')[:LONGEST_NAME_BYTES].decode('utf-8', 'ignore')
    clock = time.localtime(now)
    unique = f'{digest[:8]}{uuid.uuid4().hex[:4]}'
    name = '-'.join(part for part in (time.strftime('%H%M%S', clock), words.strip('-_')) if part)
    return f'{time.strftime("%Y/%m/%d", clock)}/{name}-{unique}.{extension}'


def beside(picture: Path) -> Path:
    """Name the label beside a picture."""
    from app.storage.metadata import sidecar_of

    return sidecar_of(picture)


def put_in_place(thumbs: dict[Path, Path], written: Written, original: Path) -> None:
    """Sync, rename, sync the folder; in this order a crash leaves the whole picture or none.

    Thumbnails are only moved: they are made again when they are gone.
    """
    try:
        for made, thumb in thumbs.items():
            thumb.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                made.replace(thumb)
        new = [folder for folder in (original.parent, *original.parents) if not folder.exists()]
        original.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if written.sidecar:
            _sync(written.sidecar, os.O_RDWR)
            written.sidecar.replace(beside(original))
        _sync(written.path, os.O_RDWR)
        written.path.replace(original)
        for folder in {original.parent, *(folder.parent for folder in new)}:
            if os.name != 'nt':  # Windows can't sync a folder, and needn't
                _sync(folder, os.O_RDONLY)
    except OSError as error:
        raise storage_failed(error) from error


def set_aside(data: Path, received: Received, mime: str, label: Label) -> str:
    """Put a picture that could not be checked below `rescued`, as it came, its label beside it.

    The folder is laid out as that of the pictures is: what is moved there is found by
    `easel rebuild`.

    Returns:
        Where it is, below the data folder.

    Raises:
        StorageFailed: The disk refused.
    """
    from app.storage.metadata import Written

    try:
        written = Written(
            path=received.path,
            digest=received.digest,
            size_bytes=received.size_bytes,
            sidecar=_described(received, label),
        )
    except OSError as error:
        raise storage_failed(error) from error
    key = key_of(label.prompt, written.digest, MIME_EXTENSIONS[mime], label.created_at)
    put_in_place({}, written, data / RESCUED / key)
    return f'{RESCUED}/{key}'


def _described(received: Received, label: Label) -> Path | None:
    """Write the label beside the bytes, which are not left behind for the want of it."""
    from app.storage.metadata.label import xmp_packet

    sidecar = beside(received.path)
    try:
        sidecar.write_bytes(xmp_packet(label))
    except OSError as error:
        log.warning('a picture is set aside without its label: %s', error.strerror)
        return None
    return sidecar


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
