"""Opens files below a folder without following links, and writes and syncs private ones."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_FOLDER = getattr(os, 'O_DIRECTORY', 0) | getattr(os, 'O_NOFOLLOW', 0)
_FILE = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)


def open_beneath(root: Path, path: Path) -> int:
    """Open a file to read, every folder from the root down by its own handle.

    Raise OSError at a link in the place of a part, and ValueError at a path not below the root.
    """
    parts = path.relative_to(root).parts
    if os.open not in os.supports_dir_fd:  # Windows: with a gap between check and use
        path = root
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise OSError(f'{part} is a link')
        return os.open(path, os.O_RDONLY | _FILE)
    folder = os.open(root, os.O_RDONLY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], os.O_RDONLY | _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Replace a file by a whole new one, mode 0600; a failure leaves the old one as it was."""
    handle, name = tempfile.mkstemp(prefix=f'.{path.stem}-', dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync(path: Path, flags: int = os.O_RDWR) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    if os.name != 'nt':  # folders cannot be opened there
        sync(folder, os.O_RDONLY)
