"""The pictures of a folder that is brought in, and what in it is passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.config import DATABASE
from app.storage.inventory import NOT_PICTURES, OF_THE_SYSTEM
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import IMAGES

SUFFIXES = {f'.{one}' for one in MIME_EXTENSIONS.values()} | {'.jpeg', '.jpe', '.jfif', '.apng'}
THUMBNAILS = ('thumbs', 'thumbnails', '__macosx')
# AUTOMATIC1111's sheets of pictures that are there one by one too.
GRIDS, GRID_FILE = ('grids', 'txt2img-grids', 'img2img-grids', 'extras-grids'), 'grid-'


class Passed(StrEnum):
    """Why something in a folder is passed over."""

    LINKS = 'links, which Easel does not follow'
    HIDDEN = 'hidden'
    THUMBNAILS = 'folders of thumbnails'
    GRIDS = 'grids'
    OTHERS = 'files that are not pictures'


@dataclass(slots=True)
class SourceFolder:
    """A folder with pictures of any program; of Easel's own data, the folder of its pictures."""

    path: Path
    refuse: Callable[[Path, OSError], None]  # is told what cannot be listed
    passed: Counter[Passed] = field(default_factory=Counter)

    def pictures(self) -> Iterator[Path]:
        """Yield the files that are named as pictures, in the order of their paths."""
        self.passed.clear()
        is_easels = (self.path / DATABASE).is_file() and (self.path / IMAGES).is_dir()
        yield from self._below(self.path / IMAGES if is_easels else self.path)

    def _below(self, folder: Path) -> Iterator[Path]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.refuse(folder, error)
            return
        for entry in found:
            is_folder = entry.is_dir(follow_symlinks=False)
            passed = _passed(entry, is_folder=is_folder)
            if passed:
                self.passed[passed] += 1
            elif is_folder:
                yield from self._below(Path(entry))
            elif not entry.name.endswith(NOT_PICTURES):
                yield Path(entry)


def _passed(entry: os.DirEntry[str], *, is_folder: bool) -> Passed | None:
    name = entry.name.lower()
    if entry.is_symlink():
        return Passed.LINKS
    if name.startswith(OF_THE_SYSTEM):
        return Passed.HIDDEN
    if is_folder:
        kinds = {Passed.THUMBNAILS: THUMBNAILS, Passed.GRIDS: GRIDS}
        return next((kind for kind, names in kinds.items() if name in names), None)
    if name.startswith(GRID_FILE) and Path(name).suffix in SUFFIXES:
        return Passed.GRIDS
    is_other = Path(name).suffix not in SUFFIXES and not name.endswith(NOT_PICTURES)
    return Passed.OTHERS if is_other or not entry.is_file(follow_symlinks=False) else None
