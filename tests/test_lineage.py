"""Where pictures came from, told by their files: it outlives the database and the folder."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.importing import import_folder
from app.database import Library
from app.database.gallery.filters import Filter
from app.database.recovery import ToldImage
from app.models import Generation, Image, PictureIds, Status, TracedPicture
from app.models.request import GenerationRequest
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.label import Label, xmp_packet
from tests.rebuilding import DAY, OURS, rebuilt, rows, write
from tests.support.fakes import FakeProvider, picture
from tests.support.kept_folder import at
from tests.support.many_pictures import many
from tests.support.rows import kept
from tests.support.worker_setup import shop_in

MASK = 'e' * 64


def named(path: Path, image_id: int) -> str:
    return str(TracedPicture(image_id, hashlib.sha256(path.read_bytes()).hexdigest()))


def edit_of(label: Label, *sources: str, **own: object) -> Label:
    number = (label.image_id or 0) + 1
    edited = replace(label, image_id=number, generation_id=number, sources=' '.join(sources))
    return replace(edited, prompt='make it red', **own)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture, what was edited of it, and that with the original laid back.

    By their names they come in the opposite order.
    """
    images = tmp_path / 'there/images' / DAY
    images.mkdir(parents=True)
    first = write(images / 'c.png', OURS)
    label = edit_of(
        OURS,
        *(named(first, 5), f'3:{"9" * 64}'),
        mask=MASK,
        strength=0.6,
        paste_back=1,
        changed_outside_mask=0.125,
    )
    answer = write(images / 'b.png', label, shade=90)
    laid_back = replace(label, image_id=7, position=1, changed_outside_mask=0.0)
    laid_back = replace(laid_back, laid_back_from=named(answer, 6))
    write(images / 'a.png', laid_back, shade=120)
    return tmp_path / 'there'


def lineage(image: Image) -> tuple[object, ...]:
    return image.id, image.sources, image.laid_back_from, image.changed_outside_mask


def gallery(data: Path, query: str = '') -> dict[str, Image]:
    async def read() -> tuple[Image, ...]:
        library = await Library.open(data / 'easel.db')
        try:
            return await library.images.page(Filter(words=query), None, 100)
        finally:
            await library.close()

    return {image.name: image for image in asyncio.run(read())}


def test_rebuild_brings_back_what_pictures_came_from(folder: Path) -> None:
    status = rebuilt(folder)

    found = rows(folder)
    asked = found['b.png']
    assert status == 0
    assert lineage(found['c.png']) == (5, (), None, None)
    assert lineage(asked) == (6, (5, 3), None, 0.125)
    assert lineage(found['a.png']) == (7, (5, 3), 6, 0.0)
    assert asked.generation_id == found['a.png'].generation_id
    assert asked.mask == MASK
    assert gallery(folder, 'is:edited').keys() == {'a.png', 'b.png'}


def test_what_was_brought_in_keeps_its_ids_with_what_came_of_it(tmp_path: Path) -> None:
    images = tmp_path / 'images' / DAY
    images.mkdir(parents=True)
    write(images / 'a.png', replace(OURS, prompt='ours', image_id=2, generation_id=2))
    source = write(images / 'c.png', replace(OURS, image_id=2, generation_id=2), shade=90)
    packet = xmp_packet(replace(OURS, image_id=13, generation_id=10))
    sidecar_of(source).write_bytes(packet)
    label = replace(OURS, image_id=3, generation_id=3, prompt='red', sources=named(source, 2))
    write(images / 'b.png', label, shade=120)

    rebuilt(tmp_path)

    found = rows(tmp_path)
    assert {name: image.id for name, image in found.items()} == {
        'a.png': 2,
        'b.png': 3,
        'c.png': 13,
    }
    assert found['b.png'].sources == (13,)


def test_another_easel_s_pictures_come_from_each_other_and_from_none_of_ours(
    folder: Path, tmp_path: Path
) -> None:
    ours = tmp_path / 'here'
    ours.mkdir()
    asyncio.run(fill(ours, 9))

    status = import_folder(at(ours), folder, '')

    theirs = [image for image in gallery(ours).values() if image.id > 9]
    first, answer, laid_back = sorted(theirs, key=lambda one: (len(one.sources), one.position))
    assert status == 0
    assert first.sources == ()
    assert answer.sources[0] == first.id
    assert answer.sources[1] not in {3, *(image.id for image in gallery(ours).values())}
    assert laid_back.sources == answer.sources
    assert laid_back.laid_back_from == answer.id


async def test_a_picture_s_file_tells_what_it_started_from(tmp_path: Path) -> None:
    provider = FakeProvider(pictures=[picture()])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        [source] = (await shop.until(await shop.request())).images
        asked = GenerationRequest(prompt='make it red', sources=(source.id,), strength='0.60')
        [edited] = (await shop.until((await shop.worker.submit(asked)).generation)).images
        settings = await shop.store.settings_in(shop.store.original(edited.file))

    assert edited.parent_id == source.id
    assert settings['sources'] == f'{source.id}:{source.digest}'
    assert settings['strength'] == 0.6


async def fill(data: Path, count: int) -> None:
    """Write pictures, the third of which is gone."""
    library = await Library.open(data / 'easel.db')
    await many(library, count)
    await library.database.write(lambda db: db.execute('delete from images where id = 3'))
    await library.close()


def told(digest: str, image: int, *sources: TracedPicture) -> ToldImage:
    generation = Generation(
        id=image,
        status=Status.DONE,
        attempt=1,
        request=GenerationRequest(prompt='make it red'),
        provider='g4f',
        model='flux',
        created_at=5.0,
    )
    return ToldImage(generation, replace(kept(digest), id=image, created_at=5.0), 0, sources)


async def attached(library: Library, one: ToldImage) -> Image:
    [found] = await library.recovery.attach([one])
    return await library.images.one(found.image_id)


@pytest.mark.parametrize('told_id', [0, 4, 5, 1 << 48])
async def test_what_others_came_from_may_come_after_them(library: Library, told_id: int) -> None:
    await many(library, 5)
    source = TracedPicture(told_id, 'source')

    before = await attached(library, told('one', 20, source))
    own = await attached(library, told('source', 4))
    after = await attached(library, told('other', 21, source))

    assert before.sources == after.sources == (own.id,)
    assert own.id > 5


@pytest.mark.parametrize('digest', ['source', ''])
async def test_a_picture_that_is_gone_is_never_taken_for_another(
    library: Library, digest: str
) -> None:
    await many(library, 5)
    await library.recovery.raise_ids(PictureIds(30, 30))

    edited = await attached(library, told('one', 20, TracedPicture(7, digest)))
    moved = await attached(library, told('another', 7))
    stranger = await attached(library, told('two', 21, TracedPicture(5, 'not our fifth')))
    next_id = await library.images.reserve()

    assert edited.sources == (7,)
    assert (moved.id == 7) is (digest == '')
    assert {*stranger.sources}.isdisjoint({1, 2, 3, 4, 5, 7, 20, 21, moved.id, next_id})


async def test_two_folders_may_have_asked_for_the_same_under_one_id(library: Library) -> None:
    one = await attached(library, told('one', 20, TracedPicture(7, 'a cat')))
    other = await attached(library, told('two', 20, TracedPicture(7, 'a dog')))

    assert one.generation_id != other.generation_id
    assert one.sources != other.sources
