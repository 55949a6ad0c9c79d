"""`easel restore`: a whole backup comes back, and of anything else nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from app.cli.backup import backup
from app.cli.restore import restore
from app.database.sqlite.opening import migrations
from app.maintenance.archive import ArchiveWriter, line_of, may_hold
from app.maintenance.backup import back_up
from app.maintenance.restore import restore as unpack
from tests.support.kept_folder import (
    FIRST,
    PRIVATE,
    KeptFolder,
    at,
    files_of,
    go_on,
    kept_folder,
    members_of,
    rows_in,
)
from tests.support.servers import command
from tests.test_older_data import WRITTEN

pytestmark = pytest.mark.usefixtures('own_process')


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp('whole')

    async def made() -> bytes:
        async with kept_folder(folder / 'data') as kept:
            back_up(kept.data, folder / 'b.tar', go_on)
        return (folder / 'b.tar').read_bytes()

    return asyncio.run(made())


@pytest.fixture
def archive(whole: bytes, tmp_path: Path) -> Path:
    (tmp_path / 'b.tar').write_bytes(whole)
    return tmp_path / 'b.tar'


@pytest.mark.parametrize('name', ['easel.db', 'mine.txt', 'easel.lock'])
def test_a_folder_with_something_in_it_is_left_untouched(
    archive: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / 'new'
    new.mkdir()
    (new / name).write_bytes(b'mine')

    status = restore(at(new), str(archive))

    assert status == 1
    assert "isn't empty" in capsys.readouterr().err
    assert files_of(new) == {name: b'mine'}


def test_the_commands_take_a_file_and_the_data_folder(kept: KeptFolder, tmp_path: Path) -> None:
    archive, new = str(tmp_path / 'b.tar'), str(tmp_path / 'new')

    made = command('backup', archive, '--data', str(kept.data))
    restored = command('restore', archive, '--data', new)
    verified = command('verify', '--data', new)

    assert [one.returncode for one in (made, restored, verified)] == [0, 0, 0]
    assert restored.stderr.startswith(f'Restored to {new}.')
    assert (made.stdout, restored.stdout, verified.stdout) == ('', '', '')


def test_a_restoring_that_is_broken_off_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    class Ended(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > len(self.getvalue()) // 2:
                raise KeyboardInterrupt
            return super().read(size)

    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(KeyboardInterrupt):
        unpack(Ended(archive.read_bytes() + bytes(100_000)), tmp_path / 'new')

    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_empty_folder_and_one_that_a_kill_left_are_filled(archive: Path, tmp_path: Path) -> None:
    new = tmp_path / 'new'
    (new / '.restoring-abc').mkdir(parents=True)
    (new / '.restoring-abc' / 'easel.db').touch()

    status = restore(at(new), str(archive))

    assert status == 0
    assert sorted(path.name for path in new.iterdir() if path.name != 'images') == [
        *sorted(['easel.db', *PRIVATE])
    ]


def test_a_folder_that_is_a_mount_is_filled_in_place(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / 'new'
    (new / 'lost+found').mkdir(parents=True)
    inode = new.stat().st_ino
    monkeypatch.setattr(os.path, 'ismount', lambda path: path == new)

    status = restore(at(new), str(archive))

    assert status == 0
    assert new.stat().st_ino == inode
    assert (new / 'images' / FIRST).read_bytes() == b'first'


def heads_of(archive: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return tar.getmembers()


def write(archive: Path, heads: list[tarfile.TarInfo], content: dict[str, bytes]) -> None:
    with tarfile.open(archive, 'w') as tar:
        for head in heads:
            head.size = len(content[head.name]) if head.isreg() else 0
            tar.addfile(head, io.BytesIO(content[head.name]))


def with_another(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = ''
) -> Callable[[Path], None]:
    """Forge an archive, and its list with it."""

    def forge(archive: Path) -> None:
        head = tarfile.TarInfo(name)
        head.type, head.linkname = kind, link
        first, *others = heads_of(archive)
        heads, content = [first, head, *others], {name: b'evil'} | members_of(archive)
        lines = [
            line_of(one.name, hashlib.sha256(content[one.name]).hexdigest()) for one in heads[:-1]
        ]
        write(archive, heads, content | {heads[-1].name: b''.join(lines)})

    return forge


def with_a_picture_changed(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes().replace(b'second', b'SECOND'))


def with_a_picture_left_out(archive: Path) -> None:
    *others, _, sums = heads_of(archive)
    write(archive, [*others, sums], members_of(archive))


def without_its_list(archive: Path) -> None:
    write(archive, heads_of(archive)[:-1], members_of(archive))


def cut_in_a_picture(archive: Path) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: whole.index(b'second') + 3])


def cut_in_a_head(archive: Path) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: whole.index(b'second') - 100])


def without_anything(archive: Path) -> None:
    archive.write_bytes(b'')


def something_else(archive: Path) -> None:
    archive.write_bytes(os.urandom(5_000))


def compressed(archive: Path) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive, 'w:gz') as tar:
        tar.addfile(tarfile.TarInfo('easel.db'))
    assert archive.read_bytes() != whole


HARMS = {
    'a changed picture': with_a_picture_changed,
    'a picture left out': with_a_picture_left_out,
    'no list': without_its_list,
    'cut in a picture': cut_in_a_picture,
    'cut in a head': cut_in_a_head,
    'empty': without_anything,
    'no tar': something_else,
    'compressed': compressed,
    'the same twice': with_another('easel.db'),
    'a path above': with_another('images/../../evil.png'),
    'an absolute path': with_another(f'{tempfile.gettempdir()}/easel-evil.png'),
    'what no backup has': with_another('cache/evil.cache'),
    'a folder of another name': with_another('images'),
    'a link': with_another('images/evil.png', tarfile.SYMTYPE, '/etc/passwd'),
    'a hard link': with_another('images/evil.png', tarfile.LNKTYPE, 'easel.db'),
    'a device': with_another('images/evil.png', tarfile.CHRTYPE),
    'a pipe': with_another('images/evil.png', tarfile.FIFOTYPE),
    'a folder': with_another('images/evil.png', tarfile.DIRTYPE),
}


@pytest.mark.parametrize('harm', HARMS.values(), ids=HARMS.keys())
def test_a_damaged_or_forged_archive_restores_nothing(
    archive: Path, harm: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(archive)
    before = sorted(path.name for path in tmp_path.iterdir())

    status = restore(at(tmp_path / 'new'), str(archive))

    assert status == 1
    told = capsys.readouterr().err
    assert 'Nothing was restored' in told or "can't be restored" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    'path', ['images/', 'images//a', 'images/./a', 'a', '', 'thumbs/a', 'easel.lock', 'images/a\0b']
)
def test_no_other_path_belongs_in_a_backup(path: str) -> None:
    assert not may_hold(path)
    assert may_hold('images/2026/a: fox\\.png')


async def test_a_database_of_an_older_easel_is_restored_and_opens(tmp_path: Path) -> None:
    data = Path(shutil.copytree(WRITTEN, tmp_path / 'data'))

    made = backup(at(data), str(tmp_path / 'b.tar'))
    restored = restore(at(tmp_path / 'new'), str(tmp_path / 'b.tar'))

    assert (made, restored) == (0, 0)
    assert len(await rows_in(tmp_path / 'new')) == 3


def test_a_newer_database_is_neither_backed_up_nor_restored(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = tmp_path / 'newer'
    newer.mkdir()
    (newer / 'easel.db').write_bytes(members_of(archive)['easel.db'])
    with contextlib.closing(apsw.Connection(str(newer / 'easel.db'))) as connection:
        connection.pragma('user_version', len(migrations()) + 1)
    with (newer / 'easel.db').open('rb') as database, tempfile.TemporaryFile() as sums:
        writer = ArchiveWriter(sums)
        archive.write_bytes(b''.join([*writer.add('easel.db', database), *writer.end()]))

    made = backup(at(newer), str(tmp_path / 'n.tar'))
    restored = restore(at(tmp_path / 'new'), str(archive))

    assert (made, restored) == (1, 1)
    assert capsys.readouterr().err.count('written by a newer Easel') == 2
    assert not (tmp_path / 'new').exists()
