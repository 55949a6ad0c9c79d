"""`easel verify`: each file that is not as its row says, while a server has the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from app.cli.verify import verify
from app.maintenance.verification import find_faults
from app.models.request import GenerationRequest
from tests.support.kept_folder import FIRST, SECOND, TRASHED, KeptFolder, at, bring, keep_mask
from tests.support.rows import running


async def test_a_whole_folder_says_nothing(
    kept: KeptFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.data / 'rescued').mkdir()
    (kept.data / 'rescued' / 'd.png').touch()
    (kept.data / 'images' / 'notes.txt').touch()

    status = verify(at(kept.data))

    assert (status, *capsys.readouterr()) == (0, '', '')


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().swapcase())


@pytest.mark.parametrize(('harm', 'kind'), [(removed, 'missing'), (changed, 'rotten')])
async def test_a_mask_that_is_not_whole_is_named(
    kept: KeptFolder, harm: Callable[[Path], None], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = await keep_mask(kept, b'a mask')
    whole = verify(at(kept.data))
    harm(mask)

    status = verify(at(kept.data))

    told = f'{kind}\t{mask.relative_to(kept.data).as_posix()}\n'
    assert (whole, status, capsys.readouterr().out) == (0, 1, told)


async def test_a_mask_that_did_not_come_with_a_picture_is_no_fault(kept: KeptFolder) -> None:
    request = GenerationRequest(prompt='a fox', sources=(1,), mask='0' * 64)

    await bring(kept, '2026/01/03/brought.png', b'brought', request)

    assert verify(at(kept.data)) == 0


@pytest.mark.parametrize('file', [FIRST, SECOND, TRASHED])
@pytest.mark.parametrize(
    ('harm', 'kind'), [(removed, 'missing'), (cut, 'cut'), (changed, 'rotten')]
)
async def test_a_picture_that_is_not_whole_is_named(
    kept: KeptFolder,
    harm: Callable[[Path], None],
    kind: str,
    file: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(kept.file(file))

    status = verify(at(kept.data))

    assert (status, capsys.readouterr().out) == (1, f'{kind}\timages/{file}\n')
    assert await kept.library.files.damaged() == (kind != 'missing')


async def test_a_picture_without_a_row_is_a_stranger_and_no_failure(
    kept: KeptFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.file('a\tb\n.png').write_bytes(b'mine')

    status = verify(at(kept.data))

    assert (status, capsys.readouterr().out) == (0, 'stranger\timages/a\\tb\\n.png\n')


async def test_a_picture_that_may_still_get_its_row_is_no_stranger(
    kept: KeptFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    await running(kept.library)
    for name, written_at in {'old.png': 1.0, 'new.png': 5.0}.items():  # it began at 2.0
        kept.file(name).touch()
        os.utime(kept.file(name), (written_at, written_at))

    verify(at(kept.data))

    assert capsys.readouterr().out == 'stranger\timages/old.png\n'


async def test_a_picture_that_is_deleted_for_good_meanwhile_is_no_fault(kept: KeptFolder) -> None:
    other = apsw.Connection(str(kept.data / 'easel.db'))

    def delete(checked: int, _: int) -> None:
        if checked == 1:
            other.execute('delete from images where id = 2')
            kept.file(SECOND).unlink()

    found = list(find_faults(kept.data, delete))

    other.close()
    assert found == []


async def test_without_a_database_it_is_told_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = verify(at(tmp_path / 'data'))

    assert status == 1
    assert "easel.db can't be opened" in capsys.readouterr().err
    assert not (tmp_path / 'data').exists()
