"""What a browser, and a cache on the way, may keep of what it was shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.guests import JSON, Party, party
from tests.support.raw_requests import HOME, knock, open_door

PAGES = ('/', '/gallery', '/gallery.json', '/settings.json', '/generations', '/nowhere', '/health')


async def caching(opened: Party, path: str, who: str = 'owner') -> str:
    return (await opened.request(who, 'GET', path)).headers['cache-control']


@pytest.mark.parametrize('environment', [{}, {'EASEL_PASSWORD': 'off'}], ids=['none', 'off'])
async def test_without_a_password_pages_and_json_are_asked_for_again(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with open_door(tmp_path / 'data', **environment) as (app, _):
        answers = [await knock(app, 'GET', path, HOME, JSON) for path in PAGES]

    assert {answer.headers['cache-control'] for answer in answers} == {'private, no-cache'}


async def test_a_part_of_a_page_is_not_taken_for_the_page(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data') as (app, _):
        part = (b'x-fragment', b'true')
        answers = [await knock(app, 'GET', '/gallery', HOME, *more) for more in ((), (part,))]

    assert ['X-Fragment' in answer.headers['vary'] for answer in answers] == [True, True]


async def test_with_a_password_nothing_is_kept_but_what_never_changes(tmp_path: Path) -> None:
    async with party(tmp_path / 'data') as opened:
        shown = {await caching(opened, path) for path in PAGES}
        refused = await caching(opened, '/', who='')
        image = await opened.services.library.images.one(opened.made['owner'])
        file = await caching(opened, f'/files/{image.digest}.{image.extension}')
        style = await caching(opened, opened.services.renderer.static.address('easel.css'))

    assert (shown, refused) == ({'no-store'}, 'no-store')
    assert file == 'private, max-age=31536000, immutable'
    assert style == 'public, max-age=31536000, immutable'
