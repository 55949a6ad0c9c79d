"""Letting others in and out again: sharing, the password, guests' links."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.access.sharing import SharingSettings, Source, hashed_password
from app.config import SHARING, config_from
from app.database.links import GuestRow
from app.env import ConfigError
from app.errors import StorageFailed
from app.web.context import Services
from tests.support.guests import JSON, LAN, PASSWORD, Party, cookie_in, party, sign_in
from tests.support.raw_requests import FORM, HOME, Answered, knock, open_door

NEW = 'a longer password'
ACTS = {
    'sharing': ('/share', b'sharing=on'),
    'a password': ('/settings/password', b'new=a+longer+password'),
}


@pytest_asyncio.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    """An Easel that nobody has set a password for."""
    async with open_door(tmp_path / 'data') as opened:
        yield opened


@pytest_asyncio.fixture
async def guests(tmp_path: Path) -> AsyncIterator[Party]:
    async with party(tmp_path / 'data') as opened:
        yield opened


async def post(app: ASGIApp, path: str, body: bytes, *headers: tuple[bytes, bytes]) -> Answered:
    return await knock(
        app, 'POST', path, HOME, FORM, (b'origin', b'http://localhost'), *headers, body=body
    )


async def test_sharing_makes_a_password_and_keeps_in_who_asked_for_it(
    fresh: tuple[ASGIApp, Services],
) -> None:
    app, services = fresh

    answer = await post(app, '/share', b'sharing=on')
    stranger = await knock(app, 'GET', '/gallery', HOME, peer=LAN)
    page = await knock(app, 'GET', '/share', HOME, cookie_in(answer))

    password = services.sharing.password
    assert password
    assert password.source is Source.MADE
    assert (answer.status, stranger.status, page.status) == (303, 401, 200)
    assert password.kept.encode() in page.body
    assert b'private Easel at localhost.' in stranger.body


async def test_a_link_has_a_qr_code_only_while_others_can_reach_it(guests: Party) -> None:
    closed = await guests.request('owner', 'POST', '/share/guests', name='Kim', makes='on')
    await guests.services.sharing.share()
    opened = await guests.request('owner', 'POST', '/share/guests', name='Lu', makes='on')

    assert [b'class="code"' in page.body for page in (closed, opened)] == [False, True]


async def test_row_86_the_password_is_for_this_user_alone_and_lasts(
    fresh: tuple[ASGIApp, Services],
) -> None:
    app, services = fresh
    await post(app, '/share', b'sharing=on')

    again = SharingSettings(services.config)
    again.load()

    assert again.password == services.sharing.password
    assert again.is_shared
    assert (services.config.data / SHARING).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(('path', 'body'), ACTS.values(), ids=ACTS.keys())
async def test_cve_2026_45675_of_fifty_who_set_a_first_password_one_wins(
    fresh: tuple[ASGIApp, Services], path: str, body: bytes
) -> None:
    app, services = fresh

    answers = await asyncio.gather(*(post(app, path, body) for _ in range(50)))

    statuses = Counter(answer.status for answer in answers)
    assert statuses[303] == 1
    assert set(statuses) <= {303, 401, 409}  # who comes later is asked for the new one
    assert sum('set-cookie' in answer.headers for answer in answers) == 1
    assert services.sessions.needed


async def test_row_78_a_changed_password_ends_every_other_session(
    fresh: tuple[ASGIApp, Services],
) -> None:
    app, _ = fresh
    first = cookie_in(await post(app, '/settings/password', b'new=the+first+password'))

    body = b'current=the+first+password&new=a+longer+password'
    changed = await post(app, '/settings/password', body, first)
    old = await knock(app, 'GET', '/gallery', HOME, first)
    new = await knock(app, 'GET', '/gallery', HOME, cookie_in(changed))

    assert (changed.status, old.status, new.status) == (303, 401, 200)
    assert (await sign_in(app, 'the first password')).status == 401
    assert (await sign_in(app, NEW)).status == 303


@pytest.mark.parametrize(
    ('body', 'field'),
    [
        (b'current=wrong&new=a+longer+password', 'current'),
        (b'current=' + b'x' * 1_001 + b'&new=a+longer+password', 'current'),
        (b'new=a+longer+password', 'current'),
        (b'current=the+first+password&new=7letter', 'new'),
        (b'current=the+first+password&new=' + b'x' * 1_001, 'new'),
    ],
)
async def test_a_password_is_changed_only_by_who_knows_it(
    fresh: tuple[ASGIApp, Services], body: bytes, field: str
) -> None:
    app, services = fresh
    cookie = cookie_in(await post(app, '/settings/password', b'new=the+first+password'))
    before = services.sharing.password

    answer = await post(app, '/settings/password', body, cookie)
    told = await post(app, '/settings/password', body, cookie, JSON)

    assert (answer.status, told.status) == (422, 422)
    assert f'id="wrong-{field}"'.encode() in answer.body
    assert list(json.loads(told.body)['error']['fields']) == [field]
    assert services.sharing.password == before


async def test_a_stored_password_that_is_shorter_than_one_may_be_now_still_opens(
    tmp_path: Path,
) -> None:
    kept = hashed_password('short').kept
    text = json.dumps({'shared': True, 'password': {'chosen': kept}})
    (tmp_path / SHARING).write_text(text)

    async with open_door(tmp_path) as (app, _):
        assert (await sign_in(app, 'short')).status == 303


async def test_the_operators_password_is_not_changed_here(guests: Party) -> None:
    answer = await guests.request('owner', 'POST', '/settings/password', current=PASSWORD, new=NEW)

    assert answer.status == 409
    assert (await sign_in(guests.app, PASSWORD)).status == 303


async def test_row_78_a_revoked_link_ends_its_sessions_and_nobody_elses(guests: Party) -> None:
    await guests.request('owner', 'POST', f'/share/guests/{guests.ids["maker"]}/revocation')

    statuses = [
        (await guests.request(who, 'GET', '/gallery')).status for who in ('maker', 'looker')
    ]
    joining = await guests.request('', 'GET', f'/join/{guests.tokens["maker"]}')

    assert statuses == [401, 200]
    assert joining.status == 404


async def test_a_link_ends_with_its_day(guests: Party) -> None:
    row = await guests.services.library.guests.add(
        GuestRow(name='old', token_hash='x', makes=True, sees_all=True, created_at=1.0,
                 expires_at=time.time() - 1)
    )  # fmt: skip
    await guests.services.guests.load()

    assert guests.services.guests.one(row.id or 0) is None
    assert not guests.services.guests.is_valid(row)


async def test_a_preview_of_a_link_uses_nothing_up(guests: Party) -> None:
    path = f'/join/{guests.tokens["maker"]}'

    looks = [await guests.request('', 'GET', path) for _ in range(3)]
    joined = await guests.request('', 'POST', path)

    assert {look.status for look in looks} == {200}
    assert not any('set-cookie' in look.headers for look in looks)
    assert joined.status == 303
    assert 'HttpOnly' in joined.headers['set-cookie']


async def test_an_owner_who_opens_a_guests_link_stays_the_owner(guests: Party) -> None:
    joined = await guests.request('owner', 'POST', f'/join/{guests.tokens["maker"]}')

    assert joined.status == 303
    assert 'set-cookie' not in joined.headers


async def test_who_signs_out_is_a_stranger(guests: Party) -> None:
    answer = await guests.request('maker', 'POST', '/session/deletion')

    assert answer.headers['location'] == '/session'
    assert 'Max-Age=0' in answer.headers['set-cookie']
    assert (await guests.request('maker', 'GET', '/gallery')).status == 401  # by a copy
    assert (await guests.request('both', 'GET', '/gallery')).status == 200


@pytest.mark.parametrize(
    ('fields', 'status'),
    [
        ({'name': 'Mira', 'makes': 'on'}, 201),
        ({'name': 'Mira', 'sees_all': 'on', 'lifetime': 'ever'}, 201),
        ({'name': 'Mira'}, 422),
        ({'name': ' ', 'makes': 'on'}, 422),
        ({'name': 'x' * 61, 'makes': 'on'}, 422),
        ({'name': 'a\x00b', 'makes': 'on'}, 422),
        ({'name': 'Mira', 'makes': 'on', 'lifetime': 'century'}, 422),
    ],
)
async def test_a_guests_link_has_a_name_and_opens_something(
    guests: Party, fields: dict[str, str], status: int
) -> None:
    answer = await guests.request('owner', 'POST', '/share/guests', JSON, **fields)

    assert answer.status == status
    assert (b'/join/' in answer.body) is (status == 201)


async def test_without_a_password_nobody_is_a_guest(fresh: tuple[ASGIApp, Services]) -> None:
    app, _ = fresh

    answer = await post(app, '/share/guests', b'name=Mira&makes=on')

    assert answer.status == 409


async def test_a_share_page_for_programs_names_no_password(guests: Party) -> None:
    answer = await guests.request('owner', 'GET', '/share.json')

    told = json.loads(answer.body)
    assert told['password'] == 'environment'
    assert [guest['name'] for guest in told['guests']] == ['both', 'looker', 'maker']
    assert PASSWORD.encode() not in answer.body


@pytest.mark.parametrize('text', ['', '{', '[]', '{"password": 1}', '{"password": {"x": "y"}}'])
async def test_a_damaged_file_is_told_and_not_thrown_away(tmp_path: Path, text: str) -> None:
    (tmp_path / SHARING).write_text(text)
    sharing = SharingSettings(config_from({}, data=str(tmp_path)))

    with pytest.raises(StorageFailed):
        sharing.load()

    assert (tmp_path / SHARING).read_text() == text


@pytest.mark.parametrize(
    ('environment', 'share', 'source'),
    [
        ({}, True, Source.MADE),
        ({'EASEL_PASSWORD': PASSWORD}, True, Source.ENVIRONMENT),
        ({'EASEL_PASSWORD': 'off'}, True, None),
        ({}, False, None),
        ({'EASEL_HOST': '0.0.0.0'}, True, Source.MADE),
    ],
)
async def test_row_74_who_lets_the_network_in_has_a_password_or_says_off(
    tmp_path: Path, environment: dict[str, str], source: Source | None, *, share: bool
) -> None:
    config = config_from(environment, data=str(tmp_path), share=share)
    sharing = SharingSettings(config)

    sharing.load()

    assert (sharing.password.source if sharing.password else None) is source
    assert any('EASEL_PASSWORD=off' in one for one in config.warnings) is (
        environment.get('EASEL_PASSWORD') == 'off'
    )


async def test_row_74_a_host_of_the_network_without_a_password_is_refused() -> None:
    with pytest.raises(ConfigError, match='--share'):
        config_from({'EASEL_HOST': '0.0.0.0'})
