"""Opening the database: damaged ones are left as they are, upgrades are all or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from app.database import FUNCTIONS, Library
from app.database.files import total_of
from app.database.gallery.filters import Filter
from app.database.recovery import highest_ids_in
from app.database.sqlite.connection import select
from app.database.sqlite.opening import migrations, refusal
from app.errors import StorageFailed
from tests.support.rows import pictured, submitted


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database as a crash leaves it: one generation in the file, another in the journal."""
    path = tmp_path / 'crashed' / 'easel.db'
    path.parent.mkdir()
    library = await Library.open(tmp_path / 'easel.db')
    await submitted(library, 'in the file')
    await library.close()
    library = await Library.open(tmp_path / 'easel.db')
    await submitted(library, 'in the journal')
    for name in ('easel.db', 'easel.db-wal'):
        (path.parent / name).write_bytes((tmp_path / name).read_bytes())
    await library.close()
    return path


def no_database(path: Path) -> None:
    path.write_bytes(b'no database at all' * 100)


def a_header_alone(path: Path) -> None:
    path.write_bytes(b'SQLite format 3\0' + b'x' * 500)


def malformed_schema(path: Path) -> None:
    journal = path.with_name('easel.db-wal')
    for file in (path, journal):
        file.write_bytes(file.read_bytes().replace(b'CREATE TABLE guests', b'CREATE TABLX guests'))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])
    path.with_name('easel.db-wal').write_bytes(b'')


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b'')


@pytest.mark.parametrize(
    'spoil', [no_database, a_header_alone, malformed_schema, cut_short, removed, emptied]
)
async def test_a_damaged_database_names_the_ways_back_and_is_left_as_it_is(
    spoil: Callable[[Path], None], path: Path
) -> None:
    spoil(path)
    before = contents(path)

    with pytest.raises(StorageFailed, match=r'easel restore FILE\.tar.*easel rebuild') as caught:
        await Library.open(path)

    assert str(path) in str(caught.value)
    assert contents(path) == before


@pytest.fixture
def no_shared_memory() -> Iterator[None]:
    apsw.set_default_vfs('unix-none')  # as SQLite meets it on some disks of a network
    yield
    apsw.set_default_vfs('unix')


@pytest.mark.usefixtures('no_shared_memory')
@pytest.mark.skipif(sys.platform == 'win32', reason='has one way to open files')
async def test_a_disk_without_shared_memory_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=r'no shared memory.*local disk'):
        await Library.open(tmp_path / 'easel.db')


class SharedMemoryFails(apsw.IOError):
    extendedresult = apsw.SQLITE_IOERR_SHMMAP


def test_shared_memory_that_fails_is_told_as_the_disks_fault(tmp_path: Path) -> None:
    assert 'no shared memory' in str(refusal(tmp_path / 'easel.db', SharedMemoryFails()))


@pytest.mark.skipif(sys.platform in ('win32', 'darwin'), reason='file names are text there')
async def test_a_folder_whose_name_the_locale_cannot_read_holds_a_database(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b'\xd0\x81-\xff %41?#') / 'easel.db'
    path.parent.mkdir()
    older_database(tmp_path / 'older.db', 1)
    (tmp_path / 'older.db').rename(path)

    library = await Library.open(path)
    await pictured(library)
    await library.close()

    assert total_of(path)[0] == 1
    assert highest_ids_in(path).image == 1
    assert len(list(path.parent.glob('easel-before-*.db'))) == 1


async def test_damage_that_is_met_later_names_the_ways_back(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    for _ in range(3):
        await pictured(library, 'cat ' * 50_000)
    await library.close()
    content = (tmp_path / 'easel.db').read_bytes()
    half = len(content) // 2  # the schema is in the first
    (tmp_path / 'easel.db').write_bytes(content[:half] + b'\xff' * (len(content) - half))

    library = await Library.open(tmp_path / 'easel.db')
    with pytest.raises(StorageFailed, match=r'easel restore FILE\.tar.*easel rebuild') as caught:
        await library.generations.page(None, 10)
    await library.close()

    assert caught.value.retryable


def contents(path: Path) -> dict[str, bytes]:
    names = ('easel.db', 'easel.db-wal')
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.name in names}


def older_database(path: Path, version: int, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    for name, function in FUNCTIONS.items():
        connection.create_scalar_function(name, function)
    for step in migrations()[:version]:
        connection.execute(step.read_text('utf-8'))
    for statement in statements:
        connection.execute(statement)
    connection.pragma('user_version', version)
    connection.close()


def version_of(path: Path) -> int:
    connection = apsw.Connection(str(path))
    version = int(connection.pragma('user_version'))
    connection.close()
    return version


async def test_an_upgrade_indexes_every_prompt_anew_and_drops_seeds_that_were_none(
    tmp_path: Path,
) -> None:
    generation = """
        insert into generations (status, prompt, asked_provider, provider, seed, created_at)
        values ('done', 'แมวสีส้ม 🦊', 'a', 'a', 9, 1)
    """
    image = """
        insert into images (generation_id, position, digest, file, mime, width, height, size_bytes,
          mean_colour, provider, seed, created_at)
        values (1, 0, 'd', 'f', 'image/png', 8, 8, 9, '#000000', 'a', -1, 1)
    """
    older_database(tmp_path / 'easel.db', 9, generation, image)

    library = await Library.open(tmp_path / 'easel.db')
    found = [await library.images.page(Filter(words=q), None, 9) for q in ('สีส้ม', '🦊', 'fox')]
    request = (await library.generations.one(1)).request
    await library.close()

    assert [len(images) for images in found] == [1, 1, 0]
    assert (found[0][0].seed, request.seed) == (None, 9)


async def test_an_upgrade_puts_the_trash_apart_in_the_index(tmp_path: Path) -> None:
    generation = """
        insert into generations (status, prompt, asked_provider, provider, created_at)
        values ('done', 'cat', 'a', 'a', 1)
    """
    images = """
        insert into images (generation_id, position, digest, file, mime, width, height, size_bytes,
          mean_colour, provider, created_at, sort_key)
        values (1, 0, 'd', 'f', 'image/png', 8, 8, 9, '#000000', 'a', 1, 1000000),
          (1, 1, 'e', 'g', 'image/png', 8, 8, 9, '#000000', 'a', 2, 2000000)
    """
    deletion = 'update images set deleted_at = 3 where id = 1'
    older_database(tmp_path / 'easel.db', 12, generation, images, deletion)

    library = await Library.open(tmp_path / 'easel.db')
    shown, trash = [
        await library.images.page(Filter(words='cat', deleted=deleted), None, 9)
        for deleted in (False, True)
    ]
    await library.close()

    assert [[image.id for image in images] for images in (shown, trash)] == [[2], [1]]


async def test_an_upgrade_that_fails_at_its_last_step_leaves_the_old_version(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'easel.db'
    older_database(path, 1, 'create table guests (x)')  # which a later step makes

    for _ in range(2):
        with pytest.raises(StorageFailed, match='guests'):
            await Library.open(path)

    connection = apsw.Connection(str(path))
    tables = connection.execute("select name from sqlite_schema where type = 'table'").get
    connection.close()
    assert version_of(path) == 1
    assert 'reserved' not in tables
    assert copies(tmp_path) == [f'easel-before-{len(migrations())}.db']


async def test_the_copy_before_an_upgrade_is_of_the_old_version_and_is_never_replaced(
    tmp_path: Path,
) -> None:
    path, version = tmp_path / 'easel.db', len(migrations())
    for prompt in ('first', 'second'):  # the older Easel was used again in between
        path.unlink(missing_ok=True)
        older_database(path, version - 1)
        add_generation(path, prompt)
        (tmp_path / f'easel-before-{version}.part').write_bytes(b'a copy that a kill cut')
        await (await Library.open(path)).close()

    names = [f'easel-before-{version}-2.db', f'easel-before-{version}.db']
    assert copies(tmp_path) == names
    assert [prompts(tmp_path / name) for name in names] == [['second'], ['first']]
    assert [version_of(tmp_path / name) for name in names] == [version - 1] * 2
    assert version_of(path) == version


def add_generation(path: Path, prompt: str) -> None:
    connection = apsw.Connection(str(path))
    row = (prompt, 'done', 'g4f', 'g4f', 1.0)
    connection.execute(
        """
        insert into generations (prompt, status, asked_provider, provider, created_at)
        values (?, ?, ?, ?, ?)
        """,
        row,
    )
    connection.close()


def prompts(path: Path) -> list[str]:
    connection = apsw.Connection(str(path))
    found = [str(row[0]) for row in connection.execute('select prompt from generations')]
    connection.close()
    return found


def copies(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob('easel-before-*'))


async def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    found = await library.database.read(lambda db: select(db, 'pragma journal_mode'))
    await library.close()

    assert found == [{'journal_mode': 'wal'}]
    assert copies(tmp_path) == []
