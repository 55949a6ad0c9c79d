"""A gallery as a folder of pages that open from disk."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from app.cli.export import Wanted, export
from app.config import DATABASE
from app.database import Library
from app.gallery.albums import Albums
from tests.support.kept_folder import FIRST, SECOND, at, files_of, kept_folder

ALL = Wanted()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with kept_folder(tmp_path / 'data') as folder:
            album = await Albums(folder.library.albums).add('My foxes')
            await folder.library.albums.put(album.id, [2], 5.0)
            await folder.library.database.write(
                lambda db: db.execute("update generations set sources = '[1]' where id = 2")
            )

    asyncio.run(fill())
    return tmp_path / 'data'


def names_in(folder: Path) -> set[str]:
    return {name for name in files_of(folder) if not name.startswith('thumbs/')}


def change(data: Path, *trashed: int) -> None:
    async def trash() -> None:
        library = await Library.open(data / DATABASE)
        for number in trashed:
            await library.images.set_deleted(number, 6.0)
        await library.close()

    asyncio.run(trash())


def test_a_folder_holds_pages_pictures_labels_and_a_list(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'web'

    status = export(at(data), folder, ALL)

    page = (folder / 'index.html').read_text(encoding='utf-8')
    told = json.loads((folder / 'prompts.json').read_text(encoding='utf-8'))
    files = [one['file'] for one in told]
    assert (status, capsys.readouterr().out) == (0, f'2 pictures are in {folder}/index.html\n')
    assert names_in(folder) == {
        *('.easel-export', 'easel.css', 'index.html', 'prompts.json', f'{files[0]}.xmp'),
        *files,
    }
    assert [(folder / file).read_bytes() for file in files] == [b'second', b'first']
    assert all(file in page for file in files)
    assert [(one['parent_id'], one['sources']) for one in told] == [(1, [1]), (None, [])]
    assert '<a href="#picture-1">1</a>' in page
    assert '<script' not in page
    assert re.findall(r'(?:src|href)="(?:[a-z]+:|/)[^"]*"', page) == []


def test_an_earlier_export_is_brought_up_to_date(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'web'
    export(at(data), folder, ALL)
    (folder / 'mine.txt').touch()
    (folder / 'page-2.html').touch()
    [first] = (folder / 'pictures').glob('*-1.png')
    changed_ns = first.stat().st_ctime_ns
    change(data, 2)

    status = export(at(data), folder, ALL)

    assert status == 0
    assert names_in(folder) == {
        *('.easel-export', 'easel.css', 'index.html', 'prompts.json', 'mine.txt'),
        f'pictures/{first.name}',
    }
    assert first.stat().st_ctime_ns == changed_ns


@pytest.mark.parametrize('place', ['other', 'data', 'data/images/web', '.'])
def test_a_folder_of_somebody_else_stays_as_it_is(
    place: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other/letter.txt').write_text('dear reader')
    before = files_of(tmp_path)

    status = export(at(data), tmp_path / place, ALL)

    assert status == 1
    assert 'Choose another folder' in capsys.readouterr().err
    assert files_of(tmp_path) == before


def test_what_is_missing_or_damaged_is_named_and_left_out(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / 'images' / FIRST).unlink()
    (data / 'images' / SECOND).write_bytes(b'sec0nd')

    status = export(at(data), tmp_path / 'web', ALL)

    said = capsys.readouterr()
    assert status == 1
    assert said.err == (
        f'{SECOND} is damaged and was left out.\n{FIRST} is missing and was left out.\n'
    )
    assert json.loads((tmp_path / 'web/prompts.json').read_text()) == []


@pytest.mark.parametrize(
    ('wanted', 'ids'),
    [(Wanted(album='my FOXES'), [2]), (Wanted(search='cat'), [2, 1]), (Wanted(search='zebra'), [])],
    ids=['album', 'search', 'nothing'],
)
def test_an_album_or_a_search_is_exported_alone(
    wanted: Wanted, ids: list[int], data: Path, tmp_path: Path
) -> None:
    status = export(at(data), tmp_path / 'web', wanted)

    told = json.loads((tmp_path / 'web/prompts.json').read_text(encoding='utf-8'))
    assert (status, [one['id'] for one in told]) == (0, ids)


def test_an_album_that_there_is_none_of_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = export(at(data), tmp_path / 'web', Wanted(album='Cats'))

    assert status == 1
    assert 'no album called “Cats”' in capsys.readouterr().err


def test_pages_are_joined_by_links(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('app.cli.export.PAGE', 1)

    export(at(data), tmp_path / 'web', ALL)

    first = (tmp_path / 'web/index.html').read_text(encoding='utf-8')
    second = (tmp_path / 'web/page-2.html').read_text(encoding='utf-8')
    assert 'rel="next" href="page-2.html"' in first
    assert 'rel="prev"' not in first
    assert 'rel="prev" href="index.html"' in second
    assert 'rel="next"' not in second
