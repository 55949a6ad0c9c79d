"""Pictures without rows at the start: attached or offered back, and their ids stay theirs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Library
from app.database.images import Filter
from app.recovery.pictures import PictureRecovery
from app.models import Generation, Image, PictureIds, Status
from app.storage.metadata.copies import embed
from app.storage.metadata.ids import ids_told
from app.storage.metadata.label import Label
from tests.rebuilding import DAY, OURS, write
from tests.support.fakes import FakeProvider
from tests.support.labelled_pictures import FORMATS, saved
from tests.support.rows import pictured, running, submitted
from tests.support.worker_setup import Shop, shop_in


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


async def everything(shop: Shop) -> tuple[Image, ...]:
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
    provider = FakeProvider()

    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        found = await shop.library.generations.one(generation.id)
        await shop.rest()

    assert found.status is Status.DONE
    assert [(one.id, one.position, one.name) for one in found.images] == [(5, 0, 'a.png')]
    assert found.finished_at == OURS.created_at
    assert shop.worker.recovery.notice is None
    assert provider.asks == []


async def test_a_picture_of_another_prompt_is_not_the_generations(
    folder: Path, tmp_path: Path
) -> None:
    generation = await killed(folder)
    write(folder / 'a.png', label_for(generation, prompt='another'))

    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()
        found = await shop.library.generations.one(generation.id)

    assert (found.status, found.images) == (Status.INTERRUPTED, ())
    assert shop.worker.recovery.notice


async def test_without_a_database_pictures_are_offered_back_and_their_ids_stay_theirs(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / 'a.png', OURS)
    write(folder / 'b.png', replace(OURS, image_id=6, position=1), shade=90)

    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()
        offered = shop.worker.recovery.notice
        asked, image_id = await shop.request(), await shop.library.images.reserve()
        before = await everything(shop)
        await brought_back(shop.worker.recovery)
        after = await everything(shop)

    assert offered
    assert 'does not know: 2' in str(offered)
    assert 'easel rebuild' in offered.cure
    assert 'easel restore' in offered.cure
    assert (asked.id, image_id) == (OURS.generation_id + 1, 7)
    assert before == ()
    assert [(one.id, one.generation_id) for one in after] == [(6, 3), (5, 3)]
    assert shop.worker.recovery.notice is None


async def test_one_that_cannot_be_read_is_told_and_costs_no_other(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / 'a.png', OURS)
    cut = write(folder / 'b.png', replace(OURS, image_id=6, position=1))
    cut.write_bytes(cut.read_bytes()[:-40])

    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()
        await brought_back(shop.worker.recovery)
        after = await everything(shop)

    assert [one.id for one in after] == [5]
    assert shop.worker.recovery.notice
    assert 'could not be brought back: 1' in str(shop.worker.recovery.notice)
    assert 'easel rebuild' in shop.worker.recovery.notice.cure
    assert cut.exists()


async def test_what_is_not_easels_and_copies_are_not_told(folder: Path, tmp_path: Path) -> None:
    write(folder / 'a.png', OURS)
    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()
        await brought_back(shop.worker.recovery)
    shutil.copy(folder / 'a.png', folder / 'b.png')
    (folder / 'holiday.png').write_bytes(saved('PNG'))
    (folder / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n')

    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()

    assert shop.worker.recovery.notice is None


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

    async with shop_in(tmp_path, FakeProvider()) as shop:
        await shop.worker.start()

    assert shop.worker.recovery.notice is None


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
