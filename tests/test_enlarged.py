"""A picture on a larger canvas: a version of the picture that it was made of."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.models import Image, TracedPicture
from app.recovery.labelled import read_labelled
from tests.support.edit_forms import text
from tests.support.fakes import picture
from tests.support.guests import Party, draw, party
from tests.support.labelled_pictures import labelled, source_of
from tests.test_guests_sources import asked_by
from tests.test_versions import Edits, rows_of

pytestmark = pytest.mark.asyncio(loop_scope='module')

LARGER = (96, 72)


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('enlarged') / 'data') as opened:
        yield opened


async def sent(house: Party, who: str, parent: object, content: bytes) -> Image:
    """Send a picture as one made of another."""
    files = (text('parent', str(parent)), ('picture', ('enlarged.png', content)))
    answer = await asked_by(house, who, *files, address='/sources')
    [made] = answer.json()['images']
    return await house.services.library.images.one(made['id'])


def larger(shade: int) -> bytes:
    return picture(*LARGER, (shade, 0, 0))


async def test_it_is_a_version_with_the_prompt_of_what_it_was_made_of(house: Party) -> None:
    first = house.made['owner']

    image = await sent(house, 'owner', first, larger(1))

    told = await house.request('owner', 'GET', f'/images/{image.id}.json')
    found = await house.request('owner', 'GET', '/gallery.json?q=is:edited')
    assert (image.prompt, image.parent_id, image.provider) == ('by the owner', first, 'imported')
    assert json.loads(told.body)['versions'] == [first, image.id]
    assert [one['id'] for one in json.loads(found.body)['images']] == [image.id]


async def test_the_tree_and_its_page_say_that_the_canvas_was_enlarged(house: Party) -> None:
    first = await draw(house.services, 'a boat', None)
    image = await sent(house, 'owner', first, larger(2))
    edits = Edits(house)
    edited = await edits.picture('a boat at sea', image.id)

    page, its_page = await edits.page(edited), await edits.page(image.id)

    assert list(rows_of(page)) == [first, image.id, edited]
    assert 'canvas enlarged</span>' in rows_of(page)[image.id]
    assert '96 × 72' in rows_of(page)[image.id]
    assert f'src="/files/{image.digest}.png"' in page.partition('before-after')[2]
    assert 'canvas enlarged' in its_page.partition('<dl>')[2].partition('</dl>')[0]
    assert 'compare-slider' not in its_page.partition('<main')[2]
    assert not re.search(r'href="/\?from=[^"]*provider=', its_page)


async def test_one_of_the_same_size_is_no_larger_canvas(house: Party) -> None:
    first = await draw(house.services, 'a cart', None)

    image = await sent(house, 'owner', first, picture(64, 48, (3, 0, 0)))

    row = rows_of(await Edits(house).page(first))[image.id]
    assert 'same prompt' in row
    assert 'imported' in row


async def test_its_file_tells_what_it_was_made_of(house: Party) -> None:
    first = await draw(house.services, 'a mill', None)
    image = await sent(house, 'owner', first, larger(4))
    source = await house.services.library.images.one(first)

    path = house.services.store.original(image.file)
    found = await read_labelled(house.services.store, path)

    assert found
    assert found.told().sources == (TracedPicture(first, source.digest),)
    assert found.label.image_id == image.id
    assert 'a-mill' in image.file


async def test_a_picture_without_a_prompt_hands_its_name_on(house: Party) -> None:
    first = await sent(house, 'owner', '', larger(5))

    image = await sent(house, 'owner', first.id, picture(96, 96, (5, 0, 0)))

    assert (first.sources, first.title) == ((), 'enlarged')
    assert (image.prompt, image.title) == ('', first.title)


async def test_a_guest_names_what_they_may_see_alone_and_their_own_of_two_alike(
    house: Party,
) -> None:
    owners = await draw(house.services, 'a twin', None)
    kept = await house.services.library.images.one(owners)
    own = await sent(house, 'maker', '', house.services.store.original(kept.file).read_bytes())

    hidden = await sent(house, 'maker', owners, larger(6))
    image = await sent(house, 'maker', own.id, larger(7))

    assert own.digest == kept.digest
    assert (hidden.sources, hidden.prompt) == ((), '')
    assert (image.sources, image.prompt, image.guest) == ((own.id,), own.prompt, own.guest)


@pytest.mark.parametrize('parent', ['', '999', '0', 'x', '9' * 30, '9' * 19])
async def test_what_is_no_picture_is_no_parent(house: Party, parent: str) -> None:
    image = await sent(
        house, 'owner', parent, picture(13, 9, (8, len(parent), ord(parent[:1] or ' ')))
    )

    assert image.sources == ()


async def test_an_easel_picture_keeps_what_its_file_tells(
    house: Party, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp('own')
    content = labelled(source_of('PNG with alpha', folder)).path.read_bytes()

    image = await sent(house, 'owner', house.made['owner'], content)

    assert house.made['owner'] not in image.sources
    assert image.prompt != 'by the owner'
