"""`rebuild` in the place of another database, and over pictures with thumbnails from before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from PIL import Image as Picture

from app.database import Library
from app.models import PictureIds
from app.storage.decoding.decoder import Decoded, Decoder
from app.storage.metadata.copies import embed
from app.storage.metadata.label import Label
from tests.rebuilding import DAY, OURS, rebuilt, write
from tests.support.labelled_pictures import saved
from tests.support.rows import submitted
from tests.test_rebuild_faults import read_with


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder of one day, with one whole picture of Easel's in it."""
    folder = tmp_path / 'images' / DAY
    folder.mkdir(parents=True)
    write(folder / 'm.png', OURS)
    return folder


def test_what_a_killed_rebuild_left_is_used_or_removed(images: Path, tmp_path: Path) -> None:
    rebuilt(tmp_path)
    before = (tmp_path / 'easel.db').read_bytes()
    (tmp_path / 'before-rebuild-1').mkdir()
    (tmp_path / 'before-rebuild-1' / 'easel.db').hardlink_to(tmp_path / 'easel.db')
    (tmp_path / 'easel-rebuilt.db').write_bytes(b'half a database')

    status = rebuilt(tmp_path)

    assert status == 0
    assert [path.name for path in tmp_path.glob('before-rebuild-*')] == ['before-rebuild-1']
    assert (tmp_path / 'before-rebuild-1' / 'easel.db').read_bytes() == before
    assert not list(tmp_path.glob('easel-rebuilt*'))


async def with_journal(data: Path) -> tuple[int, int]:
    """Make the database that a crash leaves: its last two rows are in the journal alone."""
    library = await Library.open(data / 'used.db')
    await library.recovery.raise_ids(PictureIds(image=8, generation=8))
    sent, image_id = await submitted(library, 'in the journal'), await library.images.reserve()
    for name in ('used.db', 'used.db-wal'):
        (data / name.replace('used', 'easel')).write_bytes((data / name).read_bytes())
    await library.close()
    return sent.id, image_id


def test_the_old_database_is_kept_with_its_journal_and_its_ids_are_not_given_again(
    images: Path, tmp_path: Path
) -> None:
    async def next_ids() -> tuple[int, int]:
        library = await Library.open(tmp_path / 'easel.db')
        sent, image_id = await submitted(library), await library.images.reserve()
        await library.close()
        return sent.id, image_id

    given = asyncio.run(with_journal(tmp_path))

    status = rebuilt(tmp_path)

    old = apsw.Connection(str(tmp_path / 'before-rebuild-1' / 'easel.db'))
    prompts = old.execute('select prompt from generations order by id desc limit 1').get
    old.close()
    assert status == 0
    assert prompts == 'in the journal'
    assert given == (9, 9)
    assert asyncio.run(next_ids()) == (10, 10)


class Counting(Decoder):
    """A decoder that knows what it decoded."""

    def __init__(self) -> None:
        super().__init__({})
        self.decoded: list[str] = []

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], label: Label | None = None
    ) -> Decoded:
        self.decoded.append(path.suffix)
        return await super().decode(path, mime, thumbs, label)


@pytest.mark.parametrize('size', [(8, 6), (700, 1100)])
def test_a_picture_whose_thumbnails_are_there_is_not_decoded_again(
    size: tuple[int, int], images: Path, tmp_path: Path
) -> None:
    write(images / 'm.png', OURS, size=size)
    first, second = Counting(), Counting()

    [before] = read_with(tmp_path, first).found
    [after] = read_with(tmp_path, second).found

    assert (before.kept.width, before.kept.height) == size
    assert replace(after.kept, mean_colour=before.kept.mean_colour) == before.kept
    assert (first.decoded, second.decoded) == (['.png'], ['.webp'])


def test_a_turned_picture_keeps_its_sides(images: Path, tmp_path: Path) -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6
    (images / 'source.jpg').write_bytes(saved('JPEG', exif=exif))
    embed(images / 'source.jpg', images / 'm.png', OURS)
    (images / 'source.jpg').unlink()
    decoder = Counting()

    [before] = read_with(tmp_path, Decoder({})).found
    [after] = read_with(tmp_path, decoder).found

    assert (after.kept.width, after.kept.height) == (48, 64)
    assert replace(after.kept, mean_colour=before.kept.mean_colour) == before.kept
    assert decoder.decoded == ['.webp']
