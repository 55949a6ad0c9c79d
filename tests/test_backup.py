"""`easel backup`: everything that is kept in one file, while everything goes on."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import apsw
import pytest

from app.cli.backup import backup
from app.cli.restore import restore
from app.errors import StorageFailed
from app.maintenance.backup import Backup, back_up
from tests.support.kept_folder import (
    FIRST,
    PRIVATE,
    SECOND,
    TRASHED,
    KeptFolder,
    at,
    files_of,
    go_on,
    keep,
    keep_mask,
    members_of,
    rows_in,
)

pytestmark = pytest.mark.usefixtures('own_process')


async def test_everything_comes_back_and_for_this_user_alone(
    kept: KeptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.data / 'rescued').mkdir()
    (kept.data / 'rescued' / 'd.png').write_bytes(b'rescued')
    mask = await keep_mask(kept, b'a mask')
    for name in ('thumbs', 'cache'):
        (kept.data / name).mkdir()
        (kept.data / name / 'made-again').touch()
    os.utime(kept.file(FIRST), (77.0, 77.0))
    archive, new = tmp_path / 'b.tar', tmp_path / 'new'

    made = backup(at(kept.data), str(archive))
    restored = restore(at(new), str(archive))

    found = files_of(new)
    assert (made, restored) == (0, 0)
    assert found.pop('easel.db')
    assert found == {
        **{name: text.encode() for name, text in PRIVATE.items()},
        f'images/{FIRST}': b'first',
        f'images/{SECOND}': b'second',
        f'images/{SECOND}.xmp': b'a label',
        f'images/{TRASHED}': b'trashed',
        'rescued/d.png': b'rescued',
        mask.relative_to(kept.data).as_posix(): b'a mask',
    }
    assert await rows_in(new) == [(FIRST, None), (SECOND, None), (TRASHED, 4.0)]
    assert (new / 'images' / FIRST).stat().st_mtime == 77.0
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (archive, *new.rglob('*'))}
    assert modes == {0o600, 0o700}
    assert not any(name.startswith('.') for name in files_of(tmp_path))
    assert capsys.readouterr().out == ''


async def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(
    kept: KeptFolder, tmp_path: Path
) -> None:
    blocks = Backup(kept.data, go_on).blocks(tmp_path / 'copy.part')
    (tmp_path / 'kept.tar').touch()

    with (tmp_path / 'b.tar').open('wb') as output:
        output.write(next(blocks))
        await keep(kept.library, kept.data, '2026/01/03/late.png', b'late')
        for block in blocks:
            output.write(block)

    assert restore(at(tmp_path / 'new'), str(tmp_path / 'b.tar')) == 0
    assert not any('late' in name for name in files_of(tmp_path / 'new'))


async def test_the_copy_of_the_database_does_not_start_over_at_a_change(
    kept: KeptFolder, tmp_path: Path
) -> None:
    other = apsw.Connection(str(kept.data / 'easel.db'))
    other.execute('create table filler (text)')
    other.execute(
        'insert into filler select hex(randomblob(600)) from json_each(?)', (str([0] * 2_000),)
    )
    steps = 0

    def change() -> None:
        nonlocal steps
        steps += 1
        other.execute('insert into filler values (1)')

    back_up(kept.data, tmp_path / 'b.tar', change)

    other.close()
    assert 3 < steps < 20


async def test_a_picture_that_is_not_whole_is_named_and_kept_as_it_is(
    kept: KeptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.file(FIRST).write_bytes(b'firs')
    kept.file(TRASHED).unlink()
    archive = tmp_path / 'b.tar'

    made = backup(at(kept.data), str(archive))
    told = capsys.readouterr().err
    restored = restore(at(tmp_path / 'new'), str(archive))

    assert (made, restored) == (1, 1)
    assert told.count('is damaged or missing') == 2
    assert members_of(archive)[f'images/{FIRST}'] == b'firs'
    assert capsys.readouterr().out == f'cut\timages/{FIRST}\nmissing\timages/{TRASHED}\n'


async def test_a_failed_backup_leaves_nothing_and_the_one_before_it(
    kept: KeptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'backups'
    folder.mkdir()
    (folder / 'b.tar').write_bytes(b'the one before')

    def fail() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageFailed, match=r"can't be written to .*: No space left"):
        back_up(kept.data, folder / 'b.tar', fail)

    assert files_of(folder) == {'b.tar': b'the one before'}
    assert backup(at(kept.data), str(tmp_path / 'away' / 'b.tar')) == 1
    assert 'No such file' in capsys.readouterr().err


async def test_a_backup_without_the_keys_of_servers_is_none(
    kept: KeptFolder, tmp_path: Path
) -> None:
    (kept.data / 'keys.json').unlink()
    (kept.data / 'keys.json').mkdir()

    with pytest.raises(StorageFailed, match=r"keys.json can't be read"):
        back_up(kept.data, tmp_path / 'b.tar', go_on)

    assert not any('b.tar' in name for name in files_of(tmp_path))


async def test_a_backup_that_would_fill_the_disk_is_not_begun(
    kept: KeptFolder, tmp_path: Path
) -> None:
    await kept.library.database.run('update images set size_bytes = 1 << 60 where id = 1')

    with pytest.raises(StorageFailed, match=r'needs about \d+ MB, but .* has only \d+ MB free'):
        back_up(kept.data, tmp_path / 'b.tar', go_on)

    assert not any('b.tar' in name for name in files_of(tmp_path))


@pytest.mark.parametrize('target', ['images/b.tar', 'images/2026/b.tar', 'rescued/b.tar', '.'])
async def test_a_backup_never_goes_among_the_pictures_or_over_a_folder(
    kept: KeptFolder, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.data / 'rescued').mkdir()
    before = sorted(files_of(kept.data))

    status = backup(at(kept.data), str(kept.data / target))

    assert status == 1
    assert 'is a folder' in (told := capsys.readouterr().err) or 'pictures folder' in told
    assert sorted(files_of(kept.data)) == before


async def test_a_damaged_database_is_told_and_not_backed_up(
    kept: KeptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await kept.library.close()
    with (kept.data / 'easel.db').open('r+b') as database:
        database.seek(3 * 4096)
        database.write(b'\xff' * 4096)

    status = backup(at(kept.data), str(tmp_path / 'b.tar'))

    assert status == 1
    assert 'easel restore' in capsys.readouterr().err
    assert not (tmp_path / 'b.tar').exists()
