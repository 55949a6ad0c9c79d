"""A data folder with pictures whose rows and files agree, for verifying and backing up."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.config import DATABASE, Config
from app.database import Library
from app.database.recovery import ToldImage
from app.models import Generation, Status
from app.models.request import GenerationRequest
from app.storage.store import mask_file
from tests.support.default_setup import config_of
from tests.support.rows import drawn, kept, running

FIRST, SECOND, TRASHED = '2025/12/31/a.png', '2026/01/02/b.gif', '2026/01/02/c.png'
PRIVATE = {
    'signed-out.json': '[]',
    'keys.json': '{}',
    'secret': 'one',
    'token': 'two',
    '.env': 'EASEL_LOG=info',
}


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A data folder, and its open database."""

    data: Path
    library: Library

    def file(self, name: str) -> Path:
        return self.data / 'images' / name


async def keep_mask(kept: KeptFolder, content: bytes) -> Path:
    """Write a mask, and the row of a generation that has it; return its file."""
    digest = hashlib.sha256(content).hexdigest()
    path = kept.data / mask_file(digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    request = GenerationRequest(prompt='a fox', sources=(1,), mask=digest)
    await kept.library.generations.submit(request, provider='p', submission=None, now=1.0)
    return path


async def bring(folder: KeptFolder, file: str, content: bytes, request: GenerationRequest) -> None:
    """Write a picture as if it had been brought in from elsewhere."""
    generation = Generation(
        id=0,
        status=Status.DONE,
        attempt=1,
        request=request,
        provider='elsewhere',
        model=None,
        created_at=5.0,
        dismissed_at=5.0,
    )
    folder.file(file).parent.mkdir(exist_ok=True)
    folder.file(file).write_bytes(content)
    picture = kept(hashlib.sha256(content).hexdigest())
    picture = replace(picture, file=file, size_bytes=len(content))
    await folder.library.recovery.attach([ToldImage(generation, picture, 0)])


async def keep(library: Library, data: Path, file: str, content: bytes) -> int:
    """Write a picture's file and its row; return its id."""
    path = data / 'images' / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    picture = kept(hashlib.sha256(content).hexdigest())
    outcome = drawn(replace(picture, file=file, size_bytes=len(content)))
    generation = await running(library)
    await library.generations.finish(generation, outcome, 3.0)
    return (await library.generations.one(generation.id)).images[0].id


@asynccontextmanager
async def kept_folder(data: Path) -> AsyncIterator[KeptFolder]:
    """Make a folder with three pictures, one with a label beside it, one in the trash."""
    (data / 'images').mkdir(parents=True)
    library = await Library.open(data / DATABASE)
    await keep(library, data, FIRST, b'first')
    await keep(library, data, SECOND, b'second')
    (data / 'images' / f'{SECOND}.xmp').write_text('a label')
    trashed = await keep(library, data, TRASHED, b'trashed')
    await library.images.set_deleted(trashed, 4.0)
    for name, text in PRIVATE.items():
        (data / name).write_text(text)
    yield KeptFolder(data, library)
    await library.close()


def at(data: Path) -> Config:
    return replace(config_of(data), data=data)


def go_on() -> None:
    pass


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def members_of(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        opened = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        return {name: content.read() for name, content in opened.items() if content}


async def rows_in(data: Path) -> list[tuple[str, float | None]]:
    library = await Library.open(data / 'easel.db')
    try:
        return [
            (one.file, one.deleted_at) for one in [await library.images.one(i) for i in (1, 2, 3)]
        ]
    finally:
        await library.close()
