"""The walk over the folder of pictures, and what is found of each file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Library
from app.models import KeptFile
from app.storage.inventory import (
    Condition,
    DamagedFile,
    examine,
    files_below,
    is_picture,
    open_kept,
)
from tests.support.rows import pictured

CONTENT = b'the bytes of a picture'
KEPT = KeptFile(1, 'a.png', len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_the_newest_day_comes_first_and_what_is_no_picture_s_own_is_left_out(
    tmp_path: Path,
) -> None:
    names = ['2025/12/31/a.png', '2026/01/02/b.png', '2026/01/02/c.gif', '2026/01/02/c.gif.xmp']
    names += ['2026/01/02/d.part', '2026/01/02/@eaDir/b.png', '2026/.trash/e.png', 'notes.txt']
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = list(files_below(tmp_path, refuse=print))

    named = [path.relative_to(tmp_path).as_posix() for path in found]
    assert named == ['notes.txt', '2026/01/02/c.gif', '2026/01/02/b.png', '2025/12/31/a.png']
    assert [path.name for path in found if is_picture(path)] == ['c.gif', 'b.png', 'a.png']


def test_a_folder_that_cannot_be_listed_is_told_and_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / 'a.png').touch()
    (tmp_path / 'loop').symlink_to(tmp_path)
    refused = list[OSError]()

    found = list(files_below(tmp_path, refused.append))
    nothing = list(files_below(tmp_path / 'away', refused.append))

    assert [path.name for path in found] == ['loop', 'a.png']
    assert not is_picture(found[0])
    assert nothing == []
    assert [Path(error.filename).name for error in refused] == ['away']


def whole(_: Path) -> None:
    pass


def cut(path: Path) -> None:
    path.write_bytes(CONTENT[:-1])


def flipped(path: Path) -> None:
    path.write_bytes(CONTENT.replace(b'b', b'c'))


def longer(path: Path) -> None:
    path.write_bytes(CONTENT + b'x')


def removed(path: Path) -> None:
    path.unlink()


def linked(path: Path) -> None:
    path.rename(path.with_name('b.png'))
    path.symlink_to('b.png')


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ('spoil', 'condition'),
    [
        (whole, Condition.WHOLE),
        (cut, Condition.CUT),
        (flipped, Condition.ROTTEN),
        (longer, Condition.ROTTEN),
        (removed, Condition.MISSING),
        (linked, Condition.MISSING),
        (a_folder, Condition.MISSING),
    ],
)
def test_a_file_is_compared_with_its_row(
    spoil: Callable[[Path], None], condition: Condition, tmp_path: Path
) -> None:
    path = tmp_path / 'a.png'
    path.write_bytes(CONTENT)
    spoil(path)

    found = examine(tmp_path, path, KEPT)

    assert found.condition is condition
    is_there = condition is not Condition.MISSING
    assert found.changed_ns == (path.stat().st_ctime_ns if is_there else 0)


def test_a_file_is_opened_as_far_as_its_size_and_earlier_checks_tell(tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    path.write_bytes(CONTENT)
    found_damaged = replace(KEPT, damaged_ns=path.stat().st_ctime_ns)

    os.close(open_kept(tmp_path, path, KEPT))
    with pytest.raises(DamagedFile):
        open_kept(tmp_path, path, found_damaged)
    path.unlink()
    path.write_bytes(CONTENT)  # put back from a backup
    os.utime(path, ns=(1, 1))
    os.close(open_kept(tmp_path, path, found_damaged))
    with pytest.raises(DamagedFile):
        open_kept(tmp_path, path, replace(KEPT, size_bytes=1))
    with pytest.raises(FileNotFoundError):
        open_kept(tmp_path, tmp_path / 'b.png', KEPT)


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no such limit')
def test_a_file_is_not_called_missing_where_the_system_has_no_more(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))

    try:
        with pytest.raises(OSError, match='open files'):
            examine(tmp_path, tmp_path / 'a.png', KEPT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_rows_tell_their_files_and_which_they_do_not_know(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    images = [await pictured(library) for _ in range(3)]

    first = await library.files.after(0, 2)
    rest = await library.files.after(first[-1].id, 2)
    unknown = await library.files.unknown([images[0].file, 'x.png', '\udcff.png'])
    await library.close()

    assert [one.id for one in (*first, *rest)] == [image.id for image in images]
    assert rest[0].file == images[2].file
    assert unknown == ['x.png', '\udcff.png']


async def test_a_damaged_file_is_marked_counted_and_whole_again(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    image, other = await pictured(library), await pictured(library)

    await library.files.mark(image.id, 7)
    [marked] = await library.files.of(image.digest)
    counted = await library.files.damaged()
    await library.files.mark(image.id, None)
    left = await library.files.damaged()
    found = [await library.files.one(number) for number in (other.id, other.id + 1)]
    await library.close()

    assert marked
    assert (marked.damaged_ns, counted, left) == (7, 1, 0)
    assert [one and one.file for one in found] == [other.file, None]
