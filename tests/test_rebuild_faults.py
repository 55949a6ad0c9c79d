"""`rebuild` over files that can not be read: they are named, and cost no other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Picture

from app.cli.rebuild import Reading, read_all
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.label import NAMESPACE
from app.storage.store import Store
from tests.rebuilding import DAY, OURS, rebuilt, rows, write, write_saying


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder of one day, with one whole picture of Easel's in it."""
    folder = tmp_path / 'images' / DAY
    folder.mkdir(parents=True)
    write(folder / 'm.png', OURS)
    return folder


def read_with(data: Path, decoder: Decoder) -> Reading:
    async def read() -> Reading:
        store = Store(data, decoder)
        store.prepare()
        try:
            return await read_all(store)
        finally:
            await decoder.close()

    return asyncio.run(read())


def emptied(folder: Path) -> None:
    (folder / 'broken.png').write_bytes(b'')


def cut(folder: Path) -> None:
    whole = write(folder / 'broken.png', replace(OURS, image_id=6)).read_bytes()
    (folder / 'broken.png').write_bytes(whole[:-30])


def linked(folder: Path) -> None:
    (folder / 'broken.png').symlink_to(folder / 'm.png')


def linked_folder(folder: Path) -> None:
    (folder / 'broken.png').symlink_to(folder)


def linked_to_nothing(folder: Path) -> None:
    (folder / 'broken.png').symlink_to(folder / 'nowhere.png')


def damaged_label(folder: Path) -> None:
    write_saying(folder / 'broken.png', {'prompt': 'x'})
    sidecar_of(folder / 'broken.png').write_text(f'<e:prompt xmlns:e="{NAMESPACE}">cut')


@pytest.mark.parametrize(
    'spoil', [emptied, cut, linked, linked_folder, linked_to_nothing, damaged_label]
)
def test_what_can_not_be_read_is_named_and_costs_no_other(
    spoil: Callable[[Path], None], images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(images)

    status = rebuilt(tmp_path)

    assert status == 1
    assert f"{DAY}/broken.png can't be read: " in capsys.readouterr().err
    assert list(rows(tmp_path)) == ['m.png']


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no such names')
def test_a_name_that_is_not_utf_8_is_told_on_one_line(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.rename(  # noqa: PTH104 (a name in bytes)
        write(images / 'n.png', replace(OURS, image_id=6)), os.fsencode(images) + b'/a\n\xff.png'
    )

    status = rebuilt(tmp_path)

    assert status == 1
    assert f"{DAY}/a\\n\\udcff.png can't be read: " in capsys.readouterr().err
    assert list(rows(tmp_path)) == ['m.png']


@pytest.mark.skipif(
    not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='needs a user who is not root'
)
@pytest.mark.parametrize('mode', [0o000, 0o400])
def test_a_folder_without_permission_is_named(
    mode: int, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = images / 'closed'
    closed.mkdir()
    write(closed / 'n.png', replace(OURS, image_id=6))
    closed.chmod(mode)

    status = rebuilt(tmp_path)

    closed.chmod(0o700)
    assert status == 1
    assert 'closed' in capsys.readouterr().err
    assert list(rows(tmp_path)) == ['m.png']


def test_what_is_not_easel_s_is_left_alone(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / 'folder.png').mkdir()
    (images / 'notes.txt').write_text('not a picture')
    Picture.new('RGB', (8, 8)).save(images / 'holiday.jpg')

    status = rebuilt(tmp_path)

    assert status == 0
    assert '2 files have no Easel settings' in capsys.readouterr().out
    assert list(rows(tmp_path)) == ['m.png']


class Vanishing(Decoder):
    """A decoder before whose eyes a file is deleted."""

    async def read(self, path: Path, mime: str) -> dict[str, str | int | float]:
        settings = await super().read(path, mime)
        if path.name == 'a.png':
            await asyncio.to_thread(path.unlink)
        return settings


class Babbling(Decoder):
    """A decoder whose answer about one picture makes no sense."""

    async def read(self, path: Path, mime: str) -> dict[str, str | int | float]:
        if path.name == 'a.png':
            raise ValueError('Separator is not found')
        return await super().read(path, mime)


class Silent(Decoder):
    """A decoder that fails at the settings of one picture, and says nothing of it."""

    async def read(self, path: Path, mime: str) -> dict[str, str | int | float]:
        return {} if path.name == 'a.png' else await super().read(path, mime)


@pytest.mark.parametrize('kind', [Vanishing, Babbling, Silent])
def test_a_picture_whose_reading_fails_costs_no_other(
    kind: type[Decoder], images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(images / 'a.png', replace(OURS, image_id=4, position=1))

    reading = read_with(tmp_path, kind({}))

    assert [found.kept.file for found in reading.found] == [f'{DAY}/m.png']
    assert reading.unreadable == 1
    assert f"{DAY}/a.png can't be read: " in capsys.readouterr().err


@pytest.mark.parametrize('in_the_way', ['unreadable pictures', 'no pictures', 'a folder'])
def test_a_rebuild_that_fails_leaves_the_old_database(
    in_the_way: str, images: Path, tmp_path: Path
) -> None:
    rebuilt(tmp_path)
    before = (tmp_path / 'easel.db').read_bytes()
    if in_the_way == 'a folder':
        (tmp_path / 'easel-rebuilt.db').mkdir()
    elif in_the_way == 'no pictures':  # a disk of their own that is not mounted
        (images / 'm.png').unlink()
    else:
        (images / 'm.png').write_bytes(b'')

    status = rebuilt(tmp_path)

    assert status == 1
    assert (tmp_path / 'easel.db').read_bytes() == before
    assert not (tmp_path / 'before-rebuild-1').exists()


def test_nothing_of_an_earlier_rebuild_or_of_the_old_journal_is_in_the_new_database(
    images: Path, tmp_path: Path
) -> None:
    (tmp_path / 'easel-rebuilt.db').write_bytes(b'half a database')
    (tmp_path / 'easel.db').write_bytes(b'not a database')
    (tmp_path / 'easel.db-wal').write_bytes(b'old')

    status = rebuilt(tmp_path)

    assert status == 0
    assert list(rows(tmp_path)) == ['m.png']
    assert (tmp_path / 'before-rebuild-1' / 'easel.db-wal').read_bytes() == b'old'
    assert not list(tmp_path.glob('easel-rebuilt*'))
