"""A link to one picture: what it shows, to whom, for how long, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from app.access.guests import TOKEN_BYTES, hash_of
from app.database.links import ShownRow
from app.web.context import LINKS_A_MINUTE
from tests.support.guests import JSON, LAN, Party, draw, party, path_of
from tests.support.labelled_pictures import animated
from tests.support.raw_requests import HOME, Answered, knock

TOLD = (b'by the owner', b'parameters', b'xmpmeta', b'UNICODE', 'by the'.encode('utf-16-be'))


@pytest_asyncio.fixture
async def guests(tmp_path: Path) -> AsyncIterator[Party]:
    async with party(tmp_path / 'data') as opened:
        yield opened


async def link(guests: Party, **fields: str) -> str:
    number = guests.made['owner']
    answer = await guests.request('owner', 'POST', f'/images/{number}/link', JSON, **fields)
    return path_of(json.loads(answer.body)['url'])


async def look(guests: Party, path: str, peer: str = LAN) -> Answered:
    return await knock(guests.app, 'GET', path, HOME, peer=peer)


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'WEBP', 'GIF', 'AVIF'])
async def test_row_80_a_stranger_sees_the_picture_and_nothing_that_is_written_in_it(
    tmp_path: Path, form: str
) -> None:
    async with party(tmp_path / 'data', form) as guests:
        path = await link(guests)
        page = await look(guests, path)
        shown = page.body.decode().split('<img src="')[1].split('"')[0]
        answer = await look(guests, shown)
        image = await guests.services.library.images.one(guests.made['owner'])
        original = guests.services.store.original(image.file).read_bytes()

    assert (page.status, answer.status) == (200, 200)
    assert [words for words in TOLD if words in page.body + answer.body] == []
    assert answer.headers['content-length'] == str(len(answer.body))
    with Image.open(BytesIO(answer.body)) as bare, Image.open(BytesIO(original)) as whole:
        assert bare.tobytes() == whole.tobytes()


async def test_an_animated_avif_is_not_shown_since_its_texts_can_not_be_taken_out(
    tmp_path: Path,
) -> None:
    async with party(tmp_path / 'data') as guests:
        number = await draw(guests.services, 'a fox', None, content=animated('AVIF'))

        answer = await guests.request('owner', 'POST', f'/images/{number}/link', JSON)
        kept = await guests.services.library.shown.all()

    assert answer.status == 409
    assert b"can't be removed from a file of this format" in answer.body
    assert kept == ()


async def test_row_80_the_page_has_no_form_no_script_no_cookie_and_leaves_no_trace(
    guests: Party,
) -> None:
    path = await link(guests)

    page = await look(guests, path)

    assert page.headers['referrer-policy'] == 'no-referrer'
    assert 'noindex' in page.headers['x-robots-tag']
    assert page.headers['cache-control'] == 'no-store'
    assert 'set-cookie' not in page.headers
    assert not any(tag in page.body for tag in (b'<form', b'<script', b'<input', b'<button'))


@pytest.mark.parametrize(('fields', 'told'), [({}, False), ({'tells_prompt': 'on'}, True)])
async def test_the_prompt_is_told_only_if_the_owner_says_so(
    guests: Party, fields: dict[str, str], *, told: bool
) -> None:
    page = await look(guests, await link(guests, **fields))

    assert (b'by the owner' in page.body) is told


async def test_row_80_unknown_expired_revoked_and_deleted_links_are_all_alike(
    guests: Party,
) -> None:
    number = guests.made['owner']
    revoked, deleted = await link(guests), await link(guests)
    await guests.services.library.shown.add(
        ShownRow(image_id=number, token_hash=hash_of('old'), tells_prompt=True,
                 created_at=1.0, expires_at=time.time() - 1)
    )  # fmt: skip
    await guests.request('owner', 'POST', '/share/pictures/1/revocation')
    await guests.request('owner', 'POST', f'/images/{number}/deletion')

    paths = ['/shared/unknown', '/shared/old', revoked, deleted]
    pages = [await look(guests, path) for path in paths]
    files = [await look(guests, f'{path}/picture.png') for path in paths]

    assert {page.status for page in [*pages, *files]} == {404}
    assert len({page.body for page in [*pages, *files]}) == 1
    assert len({tuple(sorted(page.headers.items())) for page in [*pages, *files]}) == 1


async def test_a_link_comes_back_with_its_picture_from_the_trash(guests: Party) -> None:
    number, path = guests.made['owner'], await link(guests)
    await guests.request('owner', 'POST', f'/images/{number}/deletion')
    await guests.request('owner', 'POST', f'/images/{number}/restoration')

    page = await look(guests, path)

    assert page.status == 200


@pytest.mark.parametrize('behind', ['/', '/picture.jpg', '/../gallery', '/picture.png/x', '/1'])
async def test_row_79_a_link_opens_nothing_beside_its_picture(guests: Party, behind: str) -> None:
    path = await link(guests)

    answer = await look(guests, path + behind)
    gallery = await look(guests, '/gallery')

    assert answer.status in (401, 404)
    assert gallery.status == 401


async def test_row_80_a_token_is_long_and_only_its_hash_is_kept(guests: Party) -> None:
    path = await link(guests)
    token = path.rpartition('/')[2]

    kept = b''.join(file.read_bytes() for file in guests.services.config.data.glob('easel.db*'))

    assert TOKEN_BYTES * 8 >= 128
    assert token.encode() not in kept
    assert hash_of(token).encode() in kept


async def test_row_80_knocking_with_links_has_a_limit_of_its_own(guests: Party) -> None:
    path = await link(guests)
    peer = '192.168.1.98'
    statuses = [(await look(guests, '/shared/guess', peer)).status for _ in range(LINKS_A_MINUTE)]

    late = await look(guests, path, peer)
    other = await look(guests, path, peer='192.168.1.99')

    assert set(statuses) == {404}
    assert late.status == 429
    assert late.headers['retry-after'].isdigit()
    assert other.status == 200


async def test_a_file_that_is_gone_is_a_link_that_leads_nowhere(guests: Party) -> None:
    path = await link(guests)
    image = await guests.services.library.images.one(guests.made['owner'])
    guests.services.store.original(image.file).unlink()

    page = await look(guests, path)

    assert page.status == 404


async def test_below_a_sub_path_every_address_of_a_link_begins_with_it(tmp_path: Path) -> None:
    async with party(tmp_path / 'data', EASEL_ROOT_PATH='/easel', EASEL_HOST='0.0.0.0') as guests:
        path = await link(guests)
        page = await look(guests, path)
        sharing = await guests.request('owner', 'GET', '/share')

    assert path.startswith('/easel/shared/')
    assert f'<img src="{path}/picture.png"'.encode() in page.body
    assert b'/easel/"><bdi>http://' in sharing.body
