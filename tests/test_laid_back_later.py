"""The original laid back over a picture afterwards, by whoever may change it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image as Pixels

from app.database.sqlite.mapping import failure_fields
from app.errors import Conflict, ErrorKind, Failure, NotFound, StorageFailed
from app.generation.keeper import NOT_LAID_BACK
from app.generation.laying_back import lay_back_over
from app.models import Image, Outcome, Status
from app.models.request import GenerationRequest
from app.web.context import Services
from tests.support.fakes import arriving_in, picture, received_in
from tests.support.guests import JSON, Party, draw, party
from tests.support.labelled_pictures import label_of
from tests.test_decoder import saved
from tests.test_sent_files import SIZE, half_blue, left_half

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

MASK = 'a' * 64
NOT_SAVED = 'laid back over a picture, which is saved as it came.'
RED, BLUE = (200, 30, 40), (20, 30, 240)
ALL_BLUE = picture(*SIZE, BLUE)


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('later') / 'data') as opened:
        yield opened


async def edited(
    services: Services, guest: int | None = None, mask: str = MASK, content: bytes = ALL_BLUE
) -> Image:
    """Write an edit of a red picture whose left half may change: all of it came blue."""
    library, store = services.library, services.store
    drawn = await draw(services, 'a source', guest, content=picture(*SIZE, RED))
    source = (await library.generations.one(drawn)).images[0].id
    store.mask(MASK).parent.mkdir(parents=True, exist_ok=True)
    store.mask(MASK).write_bytes(saved(left_half(*SIZE)))
    asked = GenerationRequest(prompt='an edit', sources=(source,), mask=mask or None)
    sent = await library.generations.submit(
        asked, provider='fake', submission=None, now=1.0, guest=guest
    )
    claimed = await library.generations.claim('fake', 2.0, sent.generation.id)
    assert claimed
    received = received_in(store, content)
    kept = await store.keep(received, label_of('an edit', 1.0))
    outcome = Outcome(status=Status.DONE, provider='fake', model='flux', kept=(kept,))
    await library.generations.finish(claimed, outcome, 3.0)
    return (await library.generations.one(claimed.id)).images[0]


async def lay_back(services: Services, image: Image) -> Image:
    library, store = services.library, services.store
    return await lay_back_over(image, library, store, services.editing.protection)


async def test_a_guest_lays_the_original_back_over_their_own_once(guests: Party) -> None:
    services = guests.services
    image = await edited(services, guests.ids['maker'])
    path = f'/images/{image.id}/laying-back'

    first = await guests.request('maker', 'POST', path)
    again = await guests.request('maker', 'POST', path, JSON)

    made = await services.library.images.laid_back_over(image.id)
    assert made
    assert (first.status, first.headers['location']) == (303, f'/images/{made.id}')
    assert json.loads(again.body)['id'] == made.id
    assert (made.laid_back_from, made.changed_outside_mask, made.position) == (image.id, 0, 1)
    assert (made.guest, made.generation_id, made.mime) == (image.guest, image.generation_id,
                                                          'image/png')  # fmt: skip
    with Pixels.open(services.store.original(made.file)) as found:
        assert [found.getpixel((x, 0)) for x in (0, 3, 5, 7)] == [BLUE, BLUE, RED, RED]
    assert arriving_in(services.config.data) == []


async def test_tiles_tell_what_was_laid_back_and_have_the_room_of_what_an_edit_starts_from(
    guests: Party,
) -> None:
    library = guests.services.library
    image = await edited(guests.services)
    made = await lay_back(guests.services, image)
    waiting = GenerationRequest(prompt='waits', sources=image.sources)
    sent = (
        await library.generations.submit(waiting, provider='fake', submission=None, now=9.0)
    ).generation

    page = (await guests.request('owner', 'GET', '/')).body.decode()
    await library.generations.cancel(sent.id, 10.0)

    tiles = [page.partition(f'/images/{one.id}"')[2] for one in (image, made)]
    told = ['· original laid back' in tile.partition('</figure>')[0] for tile in tiles]
    assert told == [False, True]
    assert 'class="hung working" style="--w:{};--h:{}"'.format(*SIZE) in page


async def test_two_presses_at_once_and_one_on_what_came_give_the_same(guests: Party) -> None:
    image = await edited(guests.services)

    first, second = await asyncio.gather(*(lay_back(guests.services, image) for _ in range(2)))
    third = await lay_back(guests.services, first)

    assert first.id == second.id == third.id != image.id


async def test_nothing_is_made_where_nothing_would_be_laid_back(guests: Party) -> None:
    services = guests.services
    image = await edited(services, content=half_blue())

    answer = await guests.request('owner', 'POST', f'/images/{image.id}/laying-back')

    assert (answer.status, answer.headers['location']) == (303, f'/images/{image.id}')
    assert await services.library.images.laid_back_over(image.id) is None
    assert arriving_in(services.config.data) == []


async def trash_it(services: Services, image: Image) -> None:
    await services.library.images.set_deleted(image.id, 5.0)


async def trash_source(services: Services, image: Image) -> None:
    await services.library.images.set_deleted(image.sources[0], 5.0)


async def lose_source(services: Services, image: Image) -> None:
    source = await services.library.images.one(image.sources[0])
    services.store.original(source.file).unlink()


async def lose_mask(services: Services, _: Image) -> None:
    services.store.mask(MASK).unlink()


async def destroy_source(services: Services, image: Image) -> None:
    sql = 'delete from images where id = :id'
    await services.library.database.run(sql, id=image.sources[0])


HINDERED: dict[str, tuple[Callable[[Services, Image], Awaitable[None]], str]] = {
    'in the trash': (trash_it, 'This picture is in the trash'),
    'its source in the trash': (trash_source, 'which this started from, is in the trash'),
    'its source destroyed': (destroy_source, 'was deleted'),
    'no file': (lose_source, "is missing or can't be read"),
    'no mask file': (lose_mask, "is missing or can't be read"),
}


@pytest.mark.parametrize('name', HINDERED)
async def test_where_it_can_not_be_the_sentence_says_why(guests: Party, name: str) -> None:
    hinder, sentence = HINDERED[name]
    image = await edited(guests.services)
    await hinder(guests.services, image)

    with pytest.raises(Conflict, match=sentence):
        await lay_back(guests.services, await guests.services.library.images.one(image.id))

    assert await guests.services.library.images.laid_back_over(image.id) is None
    assert arriving_in(guests.services.config.data) == []


async def test_a_picture_without_a_mask_has_nothing_to_lay_back(guests: Party) -> None:
    image = await edited(guests.services, mask='')

    with pytest.raises(Conflict, match='without a mask'):
        await lay_back(guests.services, image)


async def test_a_disk_that_takes_no_picture_leaves_nothing_of_it(guests: Party) -> None:
    services = guests.services
    image = await edited(services)
    arriving = services.store.arriving
    shutil.rmtree(arriving)
    arriving.write_text('in the way')

    with pytest.raises(StorageFailed):
        await lay_back(services, image)
    arriving.unlink()
    made = await lay_back(services, image)

    assert made.laid_back_from == image.id


async def test_one_destroyed_meanwhile_leaves_no_file(guests: Party) -> None:
    services = guests.services
    image = await edited(services)
    await services.library.database.run('delete from images where id = :id', id=image.id)
    before = files_of(services)

    with pytest.raises(NotFound):
        await lay_back(services, image)

    assert files_of(services) == before


def files_of(services: Services) -> set[Path]:
    return {path for path in services.store.images.rglob('*') if path.is_file()}


async def test_one_that_is_laid_back_counts_for_no_answer(guests: Party) -> None:
    services = guests.services
    image = await edited(services)
    made = await lay_back(services, image)
    lost = (Failure(kind=ErrorKind.EMPTY), NOT_LAID_BACK)
    items = json.dumps([failure_fields(one) for one in lost])
    await services.library.database.run(
        'update generations set n = 2, item_errors = :items where id = :id',
        items=items,
        id=image.generation_id,
    )

    page = await guests.request('owner', 'GET', f'/generations/{image.generation_id}')
    shown = await guests.request('owner', 'GET', f'/images/{made.id}')

    assert b'1 of 2 pictures arrived.' in page.body
    assert NOT_SAVED in page.body.decode()
    assert b'Position' not in shown.body
