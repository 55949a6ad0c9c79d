"""Thumbnails that are answered without a question: for whom, for how long, and as what."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Scope

from app.access.visitors import Visitor
from app.database.gallery.filters import Filter
from app.web.security.guard import CROWDED, Guard
from app.web.security.headers import Answer
from app.web.security.thumbnails import MOST_BYTES, Thumbnail, Thumbnails
from tests.support.guests import LAN, PASSWORD, Party, cookie_in, draw, party, sign_in
from tests.support.raw_requests import HOME, Answered, scope_of

pytestmark = pytest.mark.asyncio(loop_scope='module')

OWNER = Visitor('127.0.0.1', 'http', owner=True)


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('hand') / 'data') as opened:
        yield opened


def at_once(
    house: Party, who: str, path: str, *more: tuple[bytes, bytes], **given: object
) -> Answer | None:
    """Ask for what is answered at once."""
    assert isinstance(house.app, Guard)
    headers = (*house.headers.get(who, ()), HOME, *more)
    scope: Scope = {**scope_of('GET', path, headers, LAN, None), **given}
    return house.app.answer_now(scope)


async def drawn(house: Party, who: str) -> tuple[str, int]:
    """Draw a picture for somebody; give its thumbnail's address, and its id."""
    number = await draw(house.services, f'another by {who}', house.ids.get(who))
    image = await house.services.library.images.one(number)
    return f'/thumbs/{image.digest}-480.webp', number


def read(answer: Answer) -> Answered:
    """Read an answer as HTTP writes it."""
    pairs = [line.split(': ', 1) for line in answer.head.decode().split('\r\n') if line]
    status = int(answer.first_line.split()[1])
    return Answered(status, {name.lower(): value for name, value in pairs}, body=answer.body)


async def test_the_second_answer_is_the_first_one_and_comes_at_once(house: Party) -> None:
    path, _ = await drawn(house, 'owner')

    before = at_once(house, 'owner', path)
    asked = await house.request('owner', 'GET', path)
    again = at_once(house, 'owner', path)

    assert before is None
    assert again
    assert read(again) == Answered(200, asked.headers, body=asked.body)
    assert again.first_line == b'HTTP/1.1 200 OK\r\n'


async def test_who_has_it_is_told_that_it_is_the_same(house: Party) -> None:
    path, _ = await drawn(house, 'owner')
    asked = await house.request('owner', 'GET', path)

    again = at_once(house, 'owner', path, (b'if-none-match', asked.headers['etag'].encode()))

    assert again
    assert (again.first_line, again.body) == (b'HTTP/1.1 304 Not Modified\r\n', b'')
    assert 'content-length' not in read(again).headers


async def test_what_is_at_hand_for_one_is_not_for_another(house: Party) -> None:
    path, _ = await drawn(house, 'owner')
    await house.request('owner', 'GET', path)

    refused = {who: await house.request(who, 'GET', path) for who in ('maker', '')}

    assert {who: at_once(house, who, path) for who in ('maker', '', 'looker')} == {
        'maker': None,
        '': None,
        'looker': None,
    }
    assert [answer.status for answer in refused.values()] == [404, 401]


async def test_one_that_was_trashed_is_at_hand_for_nobody(house: Party) -> None:
    path, number = await drawn(house, 'maker')
    for who in ('owner', 'maker', 'looker'):
        await house.request(who, 'GET', path)
        assert at_once(house, who, path)

    await house.request('owner', 'POST', f'/images/{number}/deletion')

    assert not any(at_once(house, who, path) for who in ('owner', 'maker', 'looker'))
    assert (await house.request('looker', 'GET', path)).status == 404
    assert (await house.request('owner', 'GET', path)).status == 200
    assert at_once(house, 'owner', path)  # in the trash, which is the owner's
    assert at_once(house, 'looker', path) is None


async def test_one_that_is_destroyed_is_at_hand_for_nobody(house: Party) -> None:
    path, number = await drawn(house, 'both')
    await house.request('owner', 'GET', path)

    await house.services.library.database.run('delete from images where id = :id', id=number)

    assert at_once(house, 'owner', path) is None
    assert (await house.request('owner', 'GET', path)).status == 404


async def test_a_change_of_an_album_forgets_who_was_allowed(house: Party) -> None:
    path, number = await drawn(house, 'both')
    database = house.services.library.database
    await database.run("insert into albums (id, name, created_at) values (1, 'a', 1)")
    for statement in (
        'insert into album_images select 1, sort_key, id, 1 from images where id = :id',
        'delete from album_images where image = :id',
    ):
        await house.request('looker', 'GET', path)
        assert at_once(house, 'looker', path)

        await database.run(statement, id=number)

        assert at_once(house, 'looker', path) is None


async def test_a_new_picture_forgets_nothing(house: Party) -> None:
    path, _ = await drawn(house, 'owner')
    await house.request('owner', 'GET', path)

    await drawn(house, 'owner')

    assert at_once(house, 'owner', path)


async def test_a_revoked_link_opens_nothing_that_was_at_hand(house: Party) -> None:
    path, _ = await drawn(house, 'owner')
    token = await house.services.guests.invite('late', makes=False, sees_all=True, for_s=None)
    house.headers['late'] = (cookie_in(await house.request('', 'POST', f'/join/{token}')),)
    late = house.services.guests.by_token(token)
    await house.request('late', 'GET', path)
    assert late
    assert late.id
    assert at_once(house, 'late', path)

    await house.services.guests.revoke(late.id)

    assert at_once(house, 'late', path) is None
    assert (await house.request('late', 'GET', path)).status == 401


async def test_who_signed_out_has_nothing_at_hand(house: Party) -> None:
    path, _ = await drawn(house, 'owner')
    house.headers['again'] = (cookie_in(await sign_in(house.app, PASSWORD)),)
    await house.request('again', 'GET', path)
    assert at_once(house, 'again', path)

    await house.request('again', 'POST', '/session/deletion')

    assert at_once(house, 'again', path) is None


@pytest.mark.parametrize(
    ('more', 'given'),
    [
        ([(b'host', b'evil.test')], {}),
        ([(b'authorization', b'Bearer wrong')], {}),
        ([(b'content-length', b'1')], {}),
        ([(b'transfer-encoding', b'chunked')], {}),
        ([(b'content-length', b'0'), (b'content-length', b'0')], {}),
        ([], {'method': 'HEAD'}),
        ([], {'method': 'POST'}),
        ([], {'raw_path': b'http://evil.test/'}),
    ],
)
async def test_all_that_is_unusual_goes_the_usual_way(
    house: Party, more: list[tuple[bytes, bytes]], given: dict[str, object]
) -> None:
    path, _ = await drawn(house, 'owner')
    await house.request('owner', 'GET', path)

    assert at_once(house, 'owner', path, *more, **given) is None


async def test_a_guest_on_a_connection_too_many_goes_the_usual_way(house: Party) -> None:
    path, _ = await drawn(house, 'maker')
    for who in ('maker', 'owner'):
        await house.request(who, 'GET', path)
    crowded = {'state': {CROWDED: True}}

    assert at_once(house, 'maker', path, **crowded) is None
    assert at_once(house, 'owner', path, **crowded)


async def test_what_was_asked_before_a_change_is_not_remembered_after_it() -> None:
    version = 1
    thumbnails = Thumbnails(lambda: version, lambda _: Filter())
    thumbnails.keep('/a', Thumbnail.of({'etag': '"a"'}, b'a'))

    version = 2
    thumbnails.allow('/a', OWNER, pictures_version=1)
    early = thumbnails.answer('/a', OWNER, {})
    thumbnails.allow('/a', OWNER, pictures_version=2)

    assert early is None
    assert thumbnails.answer('/a', OWNER, {})


async def test_those_that_nobody_asks_for_make_room() -> None:
    thumbnails = Thumbnails(lambda: 0, lambda _: Filter())
    body = bytes(100_000)
    for number in range(MOST_BYTES // len(body)):
        thumbnails.keep(f'/{number}', Thumbnail.of({'etag': '"a"'}, body))
    thumbnails.allow('/0', OWNER, 0)
    thumbnails.answer('/0', OWNER, {})

    thumbnails.keep('/more', Thumbnail.of({'etag': '"a"'}, body))

    assert '/0' in thumbnails
    assert '/1' not in thumbnails
    assert '/more' in thumbnails
