"""The data folder from one start to the next: new, without its database, or to be thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.database import Library
from app.generation.changes import Changes
from app.maintenance.background import Background
from app.recovery.folder import FolderWatch
from app.recovery.service import Recovery
from app.recovery.volume import is_thrown_away
from tests.rebuilding import DAY, OURS, write
from tests.support.fakes import storing
from tests.support.rows import submitted


@dataclass
class Folder:
    """A data folder without pictures."""

    data: Path

    async def start(self, *, asks: bool = False) -> FolderWatch:
        async with storing(self.data) as store:
            library = await Library.open(self.data / 'easel.db')
            watch = FolderWatch(library, store, lambda: None)
            await watch.begin()
            if asks:
                await submitted(library)
            await library.close()
        return watch


async def test_a_new_folder_is_new_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    starts = [await folder.start(), await folder.start(), await folder.start(asks=True)]

    assert [watch.is_new for watch in starts] == [True, False, False]
    assert [watch.lost for watch in starts] == [None] * 3


async def test_a_database_that_is_gone_is_told_at_the_next_start_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await folder.start(asks=True)
    (tmp_path / 'easel.db').unlink()

    lost, after = await folder.start(), await folder.start()

    assert lost.lost
    assert 'easel restore' in lost.lost.cure
    assert 'easel rebuild' in lost.lost.cure
    assert after.lost is None


async def test_a_lost_database_is_not_told_beside_pictures_that_can_come_back(
    tmp_path: Path,
) -> None:
    await Folder(tmp_path).start(asks=True)
    (tmp_path / 'easel.db').unlink()
    day = tmp_path / 'images' / DAY
    day.mkdir(parents=True)
    write(day / 'a.png', OURS)

    async with storing(tmp_path) as store:
        library = await Library.open(tmp_path / 'easel.db')
        recovery = Recovery(library, store, Changes(), Background())
        await recovery.begin()
        before = recovery.notices
        recovery.pictures.bring_back()
        assert recovery.pictures._task
        await recovery.pictures._task
        await library.close()

    assert [notice.link for notice in before] == ['/images/recovery']
    assert recovery.folder.lost
    assert recovery.notices == ()


async def test_a_database_of_an_older_easel_or_of_a_backup_is_not_lost(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await folder.start(asks=True)
    (tmp_path / '.easel').unlink()

    restored = await folder.start()

    assert (restored.is_new, restored.lost) == (False, None)
    assert (tmp_path / '.easel').read_text().startswith('Easel keeps its data')


@pytest.mark.parametrize(
    ('mounts', 'thrown_away'),
    [
        ('1 0 0:50 / / rw - overlay overlay rw', True),
        (f'2 1 8:1 /var/lib/docker/volumes/{"a1" * 32}/_data /data rw - ext4 /dev/sda1 rw', True),
        ('2 1 8:1 /var/lib/docker/volumes/easel-data/_data /data rw - ext4 /dev/sda1 rw', False),
        ('2 1 8:1 /home/anna/my\\040pictures /data rw - ext4 /dev/sda1 rw', False),
        ('2 1 8:1 /x /database rw - ext4 /dev/sda1 rw', True),
        ('nonsense', False),
    ],
)
def test_a_container_s_folder_is_thrown_away_without_a_volume_that_has_a_name(
    mounts: str, thrown_away: bool, tmp_path: Path
) -> None:
    (tmp_path / 'mountinfo').write_text(f'{mounts}\n')

    assert is_thrown_away(Path('/data'), tmp_path / 'mountinfo') is thrown_away
    assert not is_thrown_away(Path('/data'), tmp_path / 'none')
