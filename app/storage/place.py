"""Where a kept picture goes, and how it gets there whole."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.models import Received
from app.storage.files import move, remove, sync, sync_folder, writing
from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.mime import MIME_EXTENSIONS

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

LONGEST_NAME_BYTES = 60


def file_key(label: Label, mime: str, digest: str, received: Received) -> str:
    """Return a unique, readable path for a picture: `2026/11/18/110640-a-fox-1b2c3d4e5f60.png`.

    The same picture that is kept once more, after a failure, has the same.
    """
    words = words_of(label.prompt)
    if not _can_be_named(words):
        words = words.encode('ascii', 'ignore').decode().strip('-_')
    clock = time.localtime(label.created_at)
    unique = f'{digest[:8]}{mark_of(received)}'
    name = '-'.join(part for part in (time.strftime('%H%M%S', clock), words) if part)
    return f'{time.strftime("%Y/%m/%d", clock)}/{name}-{unique}.{MIME_EXTENSIONS[mime]}'


def words_of(prompt: str) -> str:
    """Return the first words of a prompt, as far as every system takes them in a name."""
    plain = unicodedata.normalize('NFC', prompt).casefold()
    words = re.sub(r'[^\w]+', '-', plain, flags=re.UNICODE)
    words = words.encode('utf-8', 'ignore')[:LONGEST_NAME_BYTES].decode('utf-8', 'ignore')
    return words.strip('-_')


def mark_of(received: Received) -> str:
    """Return the end of the name that a picture gets, by which it is known again."""
    return received.path.stem[-4:]


def _can_be_named(text: str) -> bool:
    """Whether this system can write a file of this name: one for ASCII alone cannot."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def put_thumbs_in_place(thumbs: dict[Path, Path], original: Path) -> None:
    """Move the thumbnails of a picture that is in its place; raise the OSError."""
    for made, thumb in thumbs.items():
        thumb.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        move(made, thumb)
    if not original.exists():  # deleted for good meanwhile, so no thumbnail stays
        remove(*thumbs.values())


def put_in_place(thumbs: dict[Path, Path], written: Written, original: Path) -> None:
    """Sync, move, sync the folder: a crash leaves all or nothing; thumbs are only moved."""
    for made, thumb in thumbs.items():
        try:
            thumb.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            move(made, thumb)
        except OSError as error:  # it is made again when it is asked for
            log.warning('a thumbnail is left for later: %s', error.strerror)
    with writing():
        new = [folder for folder in (original.parent, *original.parents) if not folder.exists()]
        original.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if written.sidecar:
            sync(written.sidecar)
            move(written.sidecar, sidecar_of(original))
        sync(written.path)
        move(written.path, original)
        for folder in {original.parent, *(folder.parent for folder in new)}:
            sync_folder(folder)
