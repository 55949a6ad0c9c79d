"""Bringing in folders of other programs, and of another Easel."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, PngImagePlugin

from app.cli.importing import import_folder
from app.config import DATABASE
from app.database import Library
from app.database.gallery.filters import Filter
from app.database.recovery import Attached, Recovery, ToldImage
from app.errors import N_, StorageFailed
from app.gallery.folder_import import FolderImport, ImportReport
from app.gallery.importing import Importer, Taken, TakenPicture, examine
from app.gallery.sources import Passed, SourceFolder
from app.models import Image as KeptImage
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.copies import embed
from app.storage.metadata.ids import ids_told
from app.storage.store import Store
from tests.support.fakes import received_in, storing
from tests.support.kept_folder import at
from tests.support.labelled_pictures import LABEL, saved

PARAMETERS = (
    'a red fox\nNegative prompt: rain\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, '
    'Size: 512x512, Model: sdxl, Version: v1.10.1'
)
TAKEN = {0x8769: {0x9003: '2019:05:04 10:11:12', 0x9011: '+02:00'}}
YEAR_2001_S = 1_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder as people have them."""
    folder = tmp_path / 'from'
    (folder / '2024-03').mkdir(parents=True)
    info, exif = PngImagePlugin.PngInfo(), Image.Exif()
    info.add_text('parameters', PARAMETERS)
    exif.update(TAKEN)
    (folder / '00001-42.png').write_bytes(saved('PNG', pnginfo=info))
    (folder / '2024-03/HOLIDAY.JPG').write_bytes(saved('JPEG', exif=exif))
    (folder / '2024-03/copy.jpeg').write_bytes(saved('JPEG', exif=exif))
    (folder / '2024-03/small.gif').write_bytes(saved('GIF'))
    os.utime(folder / '2024-03/small.gif', (YEAR_2001_S, YEAR_2001_S))
    (folder / 'cut.png').write_bytes(saved('PNG')[:60])
    return folder


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with storing(tmp_path / 'kept') as store:
        yield store


@pytest_asyncio.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    library = await Library.open(tmp_path / DATABASE)
    yield library
    await library.close()


def gallery(data: Path) -> tuple[KeptImage, ...]:
    async def read() -> tuple[KeptImage, ...]:
        library = await Library.open(data / DATABASE)
        try:
            return await library.images.page(Filter(), None, 100)
        finally:
            await library.close()

    return asyncio.run(read())


def files_in(data: Path) -> list[Path]:
    return [path for path in (data / 'images').rglob('*') if path.suffix not in ('', '.xmp')]


def test_pictures_come_as_they_were_with_settings_and_dates_and_only_once(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / 'data'

    status = import_folder(at(data), source, '')
    first = capsys.readouterr()
    again = import_folder(at(data), source, ' Old  pictures ')
    second = capsys.readouterr()

    [fox, holiday, small] = gallery(data)
    assert fox.albums == holiday.albums == small.albums == (1,)
    assert (status, again) == (1, 1)
    assert f"{source}/cut.png can't be read: " in first.err
    assert '3 pictures are new' in first.out
    assert '1 were there before' in first.out
    assert '0 pictures are new' in second.out
    assert (fox.prompt, fox.negative_prompt, fox.seed) == ('a red fox', 'rain', 42)
    assert (fox.provider, fox.model) == ('imported from AUTOMATIC1111', 'sdxl')
    assert (holiday.provider, holiday.created_at) == ('imported', 1_556_957_472.0)
    assert small.created_at == YEAR_2001_S
    assert (data / 'images' / fox.file).read_bytes() == (source / '00001-42.png').read_bytes()
    assert len(files_in(data)) == 3
    assert list((data / 'arriving').iterdir()) == []


def test_what_is_no_picture_of_its_own_is_passed_over(source: Path) -> None:
    (source / 'thumbnails').mkdir()
    (source / 'thumbnails/a.png').touch()
    (source / 'txt2img-grids').mkdir()
    (source / '.hidden.png').touch()
    (source / 'grid-0001.png').touch()
    (source / 'notes.txt').touch()
    (source / 'cut.png.xmp').touch()
    (source / 'link.png').symlink_to(source / 'cut.png')
    folder = SourceFolder(source, lambda path, error: None)

    names = [path.name for path in folder.pictures()]

    assert names == ['00001-42.png', 'HOLIDAY.JPG', 'copy.jpeg', 'small.gif', 'cut.png']
    assert folder.passed == {
        Passed.THUMBNAILS: 1,
        Passed.GRIDS: 2,
        Passed.HIDDEN: 1,
        Passed.OTHERS: 1,
        Passed.LINKS: 1,
    }


def test_of_a_data_folder_only_the_pictures_come(source: Path) -> None:
    (source / DATABASE).touch()
    (source / 'images').mkdir()
    (source / 'images/a.webp').touch()

    found = list(SourceFolder(source, lambda path, error: None).pictures())

    assert found == [source / 'images/a.webp']


@pytest.mark.parametrize('place', ['.', 'images', '..'])
def test_a_data_folder_is_not_brought_into_itself(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / 'data'
    (data / 'images').mkdir(parents=True)

    status = import_folder(at(data), data / place, '')

    assert status == 1
    assert 'Choose another folder' in capsys.readouterr().err


class Broken(Recovery):
    """Rows of which none can be written."""

    async def attach(self, told: Sequence[ToldImage]) -> list[Attached]:
        raise StorageFailed(N_('Picture not found.'))


async def kept(store: Store, library: Library, *contents: bytes) -> list[TakenPicture]:
    examined = [
        await examine(store, received_in(store, content), 'fox.png', 3.0) for content in contents
    ]
    return await Importer(library, store).keep(examined)


async def test_an_import_that_ended_between_file_and_row_is_taken_up_again(
    store: Store, library: Library
) -> None:
    whole = library.recovery
    library.recovery = Broken(library.database)
    with pytest.raises(StorageFailed):
        await kept(store, library, saved('PNG'))
    left = files_in(store.data)

    library.recovery = whole
    [taken] = await kept(store, library, saved('PNG'))

    assert taken.taken is Taken.NEW
    assert files_in(store.data) == left
    assert ids_told(left[0]).image == taken.image_id


async def test_an_import_ends_where_nothing_more_can_be_kept(
    store: Store, library: Library, source: Path
) -> None:
    library.recovery = Broken(library.database)
    report = ImportReport(lambda name, reason: None)
    folder = SourceFolder(source, lambda path, error: None)

    async def no_album(image_ids: Sequence[int]) -> None:
        pass

    with pytest.raises(StorageFailed):
        await FolderImport(Importer(library, store), [store, store], report, no_album).run(
            folder.pictures()
        )

    assert report.counts[Taken.NEW] == 0
    assert list(store.arriving.iterdir()) == []


async def test_a_picture_of_another_easel_keeps_its_ids_where_these_are_free(
    store: Store, library: Library, tmp_path: Path
) -> None:
    contents = []
    for number, prompt in enumerate(('a red fox', 'a blue fox')):
        (tmp_path / 'plain.png').write_bytes(saved('PNG'))
        label = replace(LABEL, prompt=prompt, image_id=23)
        embed(tmp_path / 'plain.png', tmp_path / f'{number}.png', label)
        contents.append((tmp_path / f'{number}.png').read_bytes())

    first, second = await kept(store, library, *contents)

    moved = await library.images.one(second.image_id)
    assert first.image_id == 23
    assert moved.id > 23
    assert moved.provider == LABEL.provider
    told = ids_told(store.original(moved.file))
    assert sidecar_of(store.original(moved.file)).exists()
    assert (told.image, told.generation) == (moved.id, moved.generation_id)


async def test_what_was_brought_in_was_not_asked_for_here(store: Store, library: Library) -> None:
    await kept(store, library, saved('PNG'))

    assert await library.images.page(Filter(), None, 10)
    assert await library.generations.recent(10) == ()
    assert await library.generations.page(None, 10) == ()
    assert await library.generations.last_asked() is None
