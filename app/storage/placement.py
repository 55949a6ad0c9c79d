"""Names pictures, and puts them in place so that a crash leaves a whole one or none."""

from __future__ import annotations

import contextlib
import re
import time
import unicodedata
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.models import Received
from app.storage.files import sync, sync_folder
from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.temp_file import storage_failed

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

RESCUED = 'rescued'
LONGEST_NAME_BYTES = 60


def key_of(prompt: str, digest: str, extension: str, now: float) -> str:
    """Return a unique, readable path for a picture: `2026/11/18/110640-a-fox-1b2c3d4e5f60.png`."""
    plain = unicodedata.normalize('NFC', prompt).casefold()
    words = re.sub(r'[^\w]+', '-', plain, flags=re.UNICODE)
    words = words.encode('utf-8', 'ignore')[:LONGEST_NAME_BYTES].decode('utf-8', 'ignore')
    clock = time.localtime(now)
    unique = f'{digest[:8]}{uuid.uuid4().hex[:4]}'
    name = '-'.join(part for part in (time.strftime('%H%M%S', clock), words.strip('-_')) if part)
    return f'{time.strftime("%Y/%m/%d", clock)}/{name}-{unique}.{extension}'


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
            sync(written.sidecar)
            written.sidecar.replace(sidecar_of(original))
        sync(written.path)
        written.path.replace(original)
        for folder in {original.parent, *(folder.parent for folder in new)}:
            sync_folder(folder)
    except OSError as error:
        raise storage_failed(error) from error


def unlabelled(received: Received) -> Written:
    """Return a picture as it came, to be put in place without a label.

    Raises:
        StorageFailed: It cannot be read.
    """
    try:
        digest = received.digest
    except OSError as error:
        raise storage_failed(error) from error
    return Written(path=received.path, digest=digest, size_bytes=received.size_bytes)


def set_aside(data: Path, received: Received, mime: str, label: Label) -> str:
    """Put a picture that could not be checked below `rescued`, as it came, its label beside it.

    The folder is laid out as that of the pictures is: what is moved there is found by
    `easel rebuild`.

    Returns:
        Where it is, below the data folder.

    Raises:
        StorageFailed: The disk refused.
    """
    written = replace(unlabelled(received), sidecar=_write_sidecar(received, label))
    key = key_of(label.prompt, written.digest, MIME_EXTENSIONS[mime], label.created_at)
    put_in_place({}, written, data / RESCUED / key)
    return f'{RESCUED}/{key}'


def _write_sidecar(received: Received, label: Label) -> Path | None:
    """Write the label beside the bytes; return None where that fails, for they are kept anyway."""
    from app.storage.metadata.label import xmp_packet

    sidecar = sidecar_of(received.path)
    try:
        sidecar.write_bytes(xmp_packet(label))
    except OSError as error:
        log.warning('a picture is set aside without its label: %s', error.strerror)
        return None
    return sidecar
