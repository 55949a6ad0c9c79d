"""The page of the trash, and what the gallery offers for acts where no script runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from app.web.context import Services
from tests.support.raw_requests import FORM, HOME, Answered, knock, open_door
from tests.support.rows import pictured

DAY_S = 24 * 3600.0
ORIGIN = (b'origin', b'http://localhost')


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    async with open_door(tmp_path / 'data') as opened:
        yield opened


async def post(app: ASGIApp, path: str, *pairs: tuple[str, str]) -> Answered:
    return await knock(app, 'POST', path, HOME, FORM, ORIGIN, body=urlencode(pairs).encode())


def words_of(answered: Answered) -> str:
    return ' '.join(answered.body.decode().split())


async def test_favourites_of_the_trash_are_counted_apart(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    images = [await pictured(services.library) for _ in range(3)]
    await services.library.images.set_favourite(images[0].id, favourite=True)
    for image in images:
        await services.library.images.set_deleted(image.id, time.time())

    page = words_of(await knock(app, 'GET', '/gallery?deleted=1', HOME))

    assert '3 pictures · 1 kB' in page
    assert 'Delete 2 pictures for good?' in page
    assert 'Also 1 favourite, 1 kB' in page
    assert '>Delete 2 for good</span>' in page
    for act in ('Restore', 'Delete for good'):  # each button is heard with its picture
        assert page.count(f'aria-label="{act}: {images[0].title}"') == 3


async def test_what_is_deleted_by_itself_has_its_days_counted(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    for days in (0, 1, 28):
        image = await pictured(services.library)
        await services.library.images.set_deleted(image.id, time.time() - days * DAY_S)

    before = words_of(await knock(app, 'GET', '/gallery?deleted=1', HOME))
    switched = await post(app, '/settings/trash', ('empties_itself', '1'), ('back', 'settings'))
    after = words_of(await knock(app, 'GET', '/gallery?deleted=1', HOME))
    settings = words_of(await knock(app, 'GET', '/settings/keeping', HOME))

    assert 'left' not in before
    assert switched.headers['location'] == '/settings/keeping#trash'
    assert 'Deleted today · 30 days left' in after
    assert '· 2 days left' in after
    assert 'Deleted yesterday · 29 days left' in after
    assert 'Pictures are deleted for good after 30 days; favourites stay.' in settings


async def test_the_album_is_asked_for_where_the_form_names_none(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    album = await services.albums.add('cats')
    image = await pictured(services.library)
    chosen = (('act', 'add'), ('image', str(image.id)))

    asked = words_of(await post(app, '/images/selection?ask=album', *chosen))
    added = await post(app, '/images/selection', *chosen, ('album', str(album.id)))

    assert f'<input type="hidden" name="image" value="{image.id}">' in asked
    assert f'<option value="{album.id}">cats</option>' in asked
    assert added.status == 303
    assert (await services.library.images.one(image.id)).albums == (album.id,)


async def test_all_that_match_are_counted_when_asked_for(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    for prompt in ('a cat', 'a cat', 'a dog'):
        await pictured(services.library, prompt)

    told = await knock(app, 'GET', '/gallery/total.json?q=cat', HOME)

    assert told.body == b'{"total":2}'
