"""The quiet check of every file, and the watch over a folder that may not be mounted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.database import Library
from app.database.gallery.filters import Filter
from app.generation.changes import Changes
from app.maintenance.background import Background
from app.models import Image
from app.recovery.folder import FolderWatch
from app.recovery.service import Recovery
from app.recovery.wholeness import PROGRESS, WholenessCheck
from app.storage.store import Store
from tests.support.fakes import sha256, storing
from tests.support.rows import pictured

CONTENT = bytes(70)  # as many as the rows of these tests say


class EndOfTest(Exception):
    """Enough was seen."""


async def no_rest(_: float) -> None:
    """Begin at once."""


@dataclass
class Home:
    """A data folder with three pictures, as a start sees it."""

    library: Library
    store: Store
    images: list[Image]
    background: Background = field(default_factory=Background)
    told: list[str] = field(default_factory=list)

    async def recovery(self) -> Recovery:
        recovery = Recovery(self.library, self.store, Changes(), self.background)
        await recovery.begin()
        return recovery

    async def checked(self) -> WholenessCheck:
        recovery = await self.recovery()
        check = WholenessCheck(
            self.library,
            self.store,
            self.background,
            recovery.folder,
            lambda: self.told.append('announced'),
            no_rest,
        )
        await check.run()
        return check

    def path(self, at: int) -> Path:
        return self.store.original(self.images[at].file)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with storing(tmp_path) as store:
        library = await Library.open(tmp_path / 'easel.db')
        images = [await pictured(library) for _ in range(3)]
        for image in images:
            path = store.original(image.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENT)
        digest = sha256(CONTENT)
        await library.database.run('update images set digest = :digest', digest=digest)
        yield Home(library, store, images)
        await library.close()


async def test_whole_pictures_are_nothing_to_notice_and_the_next_check_begins_anew(
    home: Home,
) -> None:
    await home.library.files.set_state(PROGRESS, home.images[0].id)

    check = await home.checked()

    assert check.notice is None
    assert await home.library.files.state(PROGRESS) == 0
    assert home.told == ['announced']


async def test_damaged_and_missing_files_are_counted_and_marked(home: Home) -> None:
    home.path(0).write_bytes(b'y' + CONTENT[1:])
    home.path(1).write_bytes(CONTENT[1:])
    home.path(2).unlink()

    check = await home.checked()

    marked = [await home.library.files.one(image.id) for image in home.images]
    times = [home.path(at).stat().st_ctime_ns for at in (0, 1)]
    assert str(check.notice) == 'Pictures with a damaged file: 2; with a missing file: 1.'
    assert check.notice
    assert 'easel verify' in check.notice.cure
    assert [one and one.damaged_ns for one in marked] == [*times, None]


async def test_what_was_found_damaged_is_told_from_the_start_and_no_more_once_it_is_whole(
    home: Home,
) -> None:
    home.path(0).write_bytes(CONTENT[1:])
    await home.checked()
    home.path(0).write_bytes(CONTENT)

    before = (await home.recovery()).wholeness.notice
    after = (await home.checked()).notice

    assert before
    assert after is None


async def test_a_check_goes_on_where_the_last_one_was_ended(home: Home) -> None:
    home.path(0).write_bytes(CONTENT[1:])
    await home.library.files.set_state(PROGRESS, home.images[0].id)

    check = await home.checked()

    assert check.notice is None


async def test_a_check_that_is_ended_stays_where_it_was(home: Home) -> None:
    await home.library.files.set_state(PROGRESS, home.images[0].id)
    home.background.end()

    await home.checked()

    assert await home.library.files.state(PROGRESS) == home.images[0].id


async def test_a_damaged_database_is_found_by_the_check_and_names_the_ways_back(home: Home) -> None:
    for _ in range(3):
        await pictured(home.library, 'cat ' * 50_000)
    path = home.store.data / 'easel.db'

    check = await home.checked()
    whole = check.notice
    await home.library.close()
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + b'\xff' * (len(content) - half))
    await check._check_database()

    assert whole
    assert whole.places == {'damaged': 0, 'missing': 3}
    assert check.notice
    assert 'easel restore' in str(check.notice)
    assert 'easel rebuild' in str(check.notice)


async def test_pictures_that_are_not_mounted_are_told_until_they_are_back(home: Home) -> None:
    recovery = await home.recovery()
    images = home.store.images
    images.rename(images.with_name('unmounted'))
    images.mkdir()

    away = await home.recovery()
    check = await home.checked()
    images.rmdir()
    images.with_name('unmounted').rename(images)
    back = await home.recovery()

    assert [recovery.notices, back.notices] == [(), ()]
    assert [str(one) for one in away.notices] == [
        'The data folder has no pictures: `images` is empty or not mounted.'
    ]
    assert check.notice is None
    assert len(await home.library.images.page(Filter(), None, 9)) == 3


async def test_one_picture_that_is_there_is_enough(home: Home) -> None:
    home.path(0).unlink()
    home.path(2).unlink()

    recovery = await home.recovery()

    assert recovery.folder.away is None


async def test_the_watch_tells_when_pictures_go_and_come(home: Home) -> None:
    images, parked, seen = home.store.images, home.store.data / 'unmounted', list[bool]()
    moves = [(images, parked), (parked, parked), (parked, images)]

    async def take_turns(_: float) -> None:
        seen.append(bool(watch.away))
        if not moves:
            raise EndOfTest
        source, target = moves.pop(0)
        source.rename(target)

    watch = FolderWatch(home.library, home.store, lambda: home.told.append('told'), take_turns)
    await watch.begin()

    with pytest.raises(EndOfTest):
        await watch.run()

    assert seen == [False, True, True, False]
    assert home.told == ['told', 'told']
