"""The album that is chosen for what is drawn next."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from app.database.recovery import ToldImage
from app.models.request import GenerationRequest
from tests.support.album_owner import JSON, Owner
from tests.support.raw_requests import open_door
from tests.support.rows import drawn, kept

pytestmark = pytest.mark.asyncio(loop_scope='module')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Owner]:
    async with open_door(tmp_path_factory.mktemp('albums') / 'data') as (app, services):
        yield Owner(app, services)


async def test_what_is_drawn_goes_into_the_album_that_was_chosen(owner: Owner) -> None:
    rows, album = owner.services.library.generations, await owner.add(name='drawn next')
    await owner.post('/generations', prompt='a heron', album=str(album))
    page = await owner.get('/')
    [waiting] = await rows.recent(1)
    claimed = await rows.claim('', 2.0, waiting.id)
    assert claimed

    await rows.finish(claimed, drawn(kept(), kept()), 3.0)

    assert f'<option value="{album}" selected>drawn next</option>'.encode() in page.body
    assert [image.albums for image in (await rows.one(waiting.id)).images] == [(album,)] * 2


async def test_an_address_chooses_the_album_for_what_is_drawn_next(owner: Owner) -> None:
    album = await owner.add(name='by its address')

    page, own = await owner.get(f'/?album={album}'), await owner.get(f'/gallery?album={album}')

    assert f'<option value="{album}" selected>by its address</option>'.encode() in page.body
    assert f'href="/?album={album}"'.encode() in own.body


async def test_what_arrived_before_a_kill_goes_into_the_album_at_the_next_start(
    owner: Owner,
) -> None:
    library, album = owner.services.library, await owner.add(name='arrives late')
    request = GenerationRequest(prompt='a heron', album=album)
    sent = await library.generations.submit(request, provider='g4f', submission=None, now=1.0)
    told = replace(sent.generation, request=GenerationRequest(prompt='a heron'), model=None)
    await library.recovery.end(told.id)

    await library.recovery.attach([ToldImage(told, kept('late'), 0)])

    [image] = (await library.generations.one(told.id)).images
    assert image.albums == (album,)


async def test_a_picture_is_kept_where_its_album_is_gone_meanwhile(owner: Owner) -> None:
    rows, album = owner.services.library.generations, await owner.add(name='gone meanwhile')
    request = GenerationRequest(prompt='a heron', album=album)
    sent = await rows.submit(request, provider='fake', submission=None, now=1.0)
    claimed = await rows.claim('fake', 2.0, sent.generation.id)
    assert claimed
    await owner.services.albums.delete(album)

    await rows.finish(claimed, drawn(kept()), 3.0)

    [image] = (await rows.one(claimed.id)).images
    refused = await owner.post('/generations', JSON, prompt='a heron', album=str(album))
    assert image.albums == ()
    assert list(json.loads(refused.body)['error']['fields']) == ['album']
