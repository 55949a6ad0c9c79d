"""Opens a file below a folder without following a link that somebody put in its way."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = getattr(os, 'O_DIRECTORY', 0) | getattr(os, 'O_NOFOLLOW', 0)
_FILE = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)


def open_beneath(root: Path, path: Path) -> int:
    """Open a file to read, every folder from the root down by its own handle.

    Raises:
        OSError: It is not there, or a link stands in the place of it or of a folder above it.
        ValueError: It is not below the root.
    """
    parts = path.relative_to(root).parts
    if os.open not in os.supports_dir_fd:
        return _open_checked(root, parts)
    folder = os.open(root, os.O_RDONLY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], os.O_RDONLY | _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _open_checked(root: Path, parts: tuple[str, ...]) -> int:
    """Do nearly as well where folders have no handles (Windows)."""
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise OSError(f'{part} is a link')
    return os.open(path, os.O_RDONLY | _FILE)
