"""Writes a file of the data folder that is for this user alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put a whole new file, mode 0600, in the place of the old one, which a crash leaves whole too.

    Raises:
        OSError: The disk refused; the old file is as it was.
    """
    folder = path.parent
    handle, name = tempfile.mkstemp(prefix=f'.{path.stem}-', dir=folder)  # mode 0600
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == 'nt':  # folders can't be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
