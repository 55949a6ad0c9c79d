"""Pictures without rows at the start: attached or offered back, and their ids stay theirs."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.database import Library
from app.database.gallery.filters import Filter
from app.generation.changes import Changes
from app.models import Generation, Image, PictureIds, Status
from app.recovery.folder import FolderWatch
from app.recovery.pictures import PictureRecovery
from app.storage.arriving import hold
from app.storage.metadata.copies import embed
from app.storage.metadata.ids import ids_told
from app.storage.metadata.label import Label
from app.storage.store import Store
from tests.rebuilding import DAY, OURS, write
from tests.support.fakes import received_in, storing
from tests.support.labelled_pictures import FORMATS, saved
from tests.support.rows import pictured, running, submitted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / 'images' / DAY
    folder.mkdir(parents=True)
    return folder


def label_for(generation: Generation, **changes: object) -> Label:
    label = replace(OURS, generation_id=generation.id, prompt=generation.request.prompt)
    return replace(label, **changes)  # type: ignore[arg-type]


async def killed(folder: Path, *, waiting: bool = False) -> Generation:
    """Leave a database as a kill does: one generation runs, or waits."""
    library = await Library.open(folder.parents[3] / 'easel.db')
    generation = await (submitted if waiting else running)(library)
    await library.close()
    return generation


@dataclass
class Started:
    """What a start finds in a data folder."""

    library: Library
    store: Store
    recovery: PictureRecovery


@asynccontextmanager
async def started(data: Path) -> AsyncIterator[Started]:
    async with storing(data) as store:
        library = await Library.open(data / 'easel.db')
        recovery = PictureRecovery(library, store, Changes())
        try:
            await recovery.begin()
            yield Started(library, store, recovery)
        finally:
            await recovery.close()
            await library.close()


async def everything(shop: Started) -> tuple[Image, ...]:
    return await shop.library.images.page(Filter(), None, 99)


async def brought_back(recovery: PictureRecovery) -> None:
    recovery.bring_back()
    assert recovery.notice
    assert recovery._task
    await recovery._task


@pytest.mark.parametrize('waiting', [False, True], ids=['running', 'its row lost with the journal'])
async def test_a_picture_whole_at_a_kill_is_its_generations_and_not_asked_again(
    waiting: bool, folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder, waiting=waiting)
    write(folder / 'a.png', label_for(generation))

    async with started(tmp_path) as shop:
        found = await shop.library.generations.one(generation.id)

    assert found.status is Status.DONE
    assert [(one.id, one.position, one.name) for one in found.images] == [(5, 0, 'a.png')]
    assert found.finished_at == OURS.created_at
    assert shop.recovery.notice is None


async def test_a_picture_of_another_prompt_is_not_the_generations(
    folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder)
    write(folder / 'a.png', label_for(generation, prompt='another'))

    async with started(tmp_path) as shop:
        found = await shop.library.generations.one(generation.id)

    assert (found.status, found.images) == (Status.RUNNING, ())
    assert shop.recovery.notice


async def test_without_a_database_pictures_are_offered_back_and_their_ids_stay_theirs(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / 'a.png', OURS)
    write(folder / 'b.png', replace(OURS, image_id=6, position=1), shade=90)

    async with started(tmp_path) as shop:
        offered = shop.recovery.notice
        asked = await submitted(shop.library)
        image_id = await shop.library.images.reserve()
        before = await everything(shop)
        await brought_back(shop.recovery)
        after = await everything(shop)

    assert offered
    assert "aren't in the gallery: 2" in str(offered)
    assert 'easel rebuild' in offered.cure
    assert 'easel restore' in offered.cure
    assert (asked.id, image_id) == (OURS.generation_id + 1, 7)
    assert before == ()
    assert [(one.id, one.generation_id) for one in after] == [(6, 3), (5, 3)]
    assert shop.recovery.notice is None


async def test_one_that_cannot_be_read_is_told_and_costs_no_other(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / 'a.png', OURS)
    cut = write(folder / 'b.png', replace(OURS, image_id=6, position=1))
    cut.write_bytes(cut.read_bytes()[:-40])

    async with started(tmp_path) as shop:
        await brought_back(shop.recovery)
        after = await everything(shop)

    assert [one.id for one in after] == [5]
    assert shop.recovery.notice
    assert "couldn't be restored: 1" in str(shop.recovery.notice)
    assert 'easel rebuild' in shop.recovery.notice.cure
    assert cut.exists()


async def test_what_is_not_easels_and_copies_are_not_told(folder: Path, tmp_path: Path) -> None:
    write(folder / 'a.png', OURS)
    async with started(tmp_path) as shop:
        await brought_back(shop.recovery)
    shutil.copy(folder / 'a.png', folder / 'b.png')
    (folder / 'holiday.png').write_bytes(saved('PNG'))
    (folder / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n')

    async with started(tmp_path) as shop:
        pass

    assert shop.recovery.notice is None


async def test_older_folders_are_believed_behind_two_that_are_whole(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    for day in ('2026/11/23', '2026/11/24'):
        image = await pictured(library)
        path = tmp_path / 'images' / day / 'a.png'
        path.parent.mkdir(parents=True)
        path.touch()
        file = path.relative_to(tmp_path / 'images').as_posix()
        await library.database.run(
            'update images set file = :file where id = :id', file=file, id=image.id
        )
    await library.close()
    older = tmp_path / 'images' / DAY
    older.mkdir(parents=True)
    write(older / 'a.png', OURS)

    async with started(tmp_path) as shop:
        pass

    assert shop.recovery.notice is None


async def held(tmp_path: Path, generation_id: int, position: int = 0) -> Path:
    """Leave a picture as a kill does that comes before it is in its place."""
    async with storing(tmp_path) as store:
        received = received_in(store, saved('PNG'))
        return hold(store.arriving, received, generation_id, position).path


async def test_a_picture_that_had_come_whole_is_kept_and_its_generation_done(
    folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder)
    path = await held(tmp_path, generation.id, position=1)

    async with started(tmp_path) as shop:
        found = await shop.library.generations.one(generation.id)
        [image] = found.images
        told = ids_told(shop.store.original(image.file))

    assert (found.status, found.provider, image.position) == (Status.DONE, 'g4f', 1)
    assert (image.id, image.generation_id) == (told.image, told.generation)
    assert not path.exists()


async def test_a_picture_that_was_in_its_place_already_is_not_kept_twice(
    folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder)
    path = await held(tmp_path, generation.id)
    write(folder / f'110640-a-cat-1b2c3d4e{path.stem[-4:]}.png', label_for(generation))

    async with started(tmp_path) as shop:
        found = await shop.library.generations.one(generation.id)

    assert (found.status, len(found.images)) == (Status.DONE, 1)
    assert not path.exists()


async def test_what_came_for_a_cancelled_generation_goes_and_of_an_unknown_one_stays(
    folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder)
    library = await Library.open(tmp_path / 'easel.db')
    await library.generations.cancel(generation.id, 9.0)
    await library.close()
    cancelled, unknown = await held(tmp_path, generation.id), await held(tmp_path, 99)

    async with started(tmp_path) as shop:
        found = await everything(shop)

    assert found == ()
    assert (cancelled.exists(), unknown.exists()) == (False, True)


@pytest.mark.parametrize('suffix', FORMATS)
def test_the_ids_of_every_format_are_read_without_a_decoder(suffix: str, tmp_path: Path) -> None:
    source, target = tmp_path / 'source', tmp_path / f'a{suffix}'
    source.write_bytes(saved(FORMATS[suffix]))
    embed(source, target, replace(OURS, prompt='<easel:image_id>99< \\ <easel:image_id>'))

    told = ids_told(target)

    assert told == PictureIds(image=5, generation=3)


@pytest.mark.parametrize(
    'content', [b'', b'\x89PNG\r\n\x1a\n', b'RIFF\0\0\0\0WEBP', b'\xff\xd8\xff']
)
def test_a_damaged_file_tells_no_ids(content: bytes, tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(content)

    assert ids_told(tmp_path / 'a.png') == PictureIds()
    assert ids_told(tmp_path / 'none.png') == PictureIds()


async def test_a_folder_that_cannot_even_be_looked_at_is_away(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        library = await Library.open(tmp_path / 'easel.db')
        await pictured(library)
        await library.database.run('update images set file = :file', file='n' * 300)
        watch = FolderWatch(library, store, lambda: None)

        await watch.begin()
        await library.close()

    assert watch.away
