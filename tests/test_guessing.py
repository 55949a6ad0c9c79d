"""Guessing passwords: slowed by address and for everybody, and the owner is never kept out."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.access.sessions import STRANGER
from app.access.sharing import BLOCK, COST, ROUNDS, Source, hashed_password, new_password
from app.access.visitors import WINDOW_S, Throttle
from app.web.context import (
    EVERYBODYS_PASSWORDS_A_MINUTE,
    PASSWORDS_A_MINUTE,
    TOKENS_A_MINUTE,
    Services,
)
from tests.support.guests import JSON, LAN, PASSWORD, cookie_in, sign_in
from tests.support.raw_requests import FORM, HOME, LOOPBACK, knock, open_door


@pytest_asyncio.fixture
async def locked(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    async with open_door(tmp_path / 'data', EASEL_PASSWORD=PASSWORD) as opened:
        yield opened


async def guess(app: ASGIApp, peer: str) -> int:
    return (await sign_in(app, 'a guess', peer=peer)).status


async def test_cve_2022_29241_a_thousand_guesses_are_ten(locked: tuple[ASGIApp, Services]) -> None:
    app, _ = locked

    statuses = Counter([await guess(app, LAN) for _ in range(1_000)])

    assert statuses == {401: PASSWORDS_A_MINUTE, 429: 1_000 - PASSWORDS_A_MINUTE}


async def test_row_76_fifty_guesses_at_once_are_ten(locked: tuple[ASGIApp, Services]) -> None:
    app, _ = locked

    statuses = Counter(await asyncio.gather(*(guess(app, LAN) for _ in range(50))))

    assert statuses == {401: PASSWORDS_A_MINUTE, 429: 50 - PASSWORDS_A_MINUTE}


async def test_row_76_a_network_of_ipv6_is_one_guesser(locked: tuple[ASGIApp, Services]) -> None:
    app, _ = locked
    peers = [f'2001:db8:0:1::{number:x}' for number in range(1, 101)]

    statuses = Counter([await guess(app, peer) for peer in peers])

    assert statuses == {401: PASSWORDS_A_MINUTE, 429: 100 - PASSWORDS_A_MINUTE}


async def test_row_76_the_right_password_from_elsewhere_still_opens(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, _ = locked
    for _ in range(100):
        await guess(app, LAN)

    other = await sign_in(app, PASSWORD, peer='192.168.1.21')
    guesser = await sign_in(app, PASSWORD, peer=LAN)

    assert (other.status, guesser.status) == (303, 429)


async def test_row_76_a_crowd_is_slowed_and_keeps_the_owner_out_nowhere(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, _ = locked
    await sign_in(app, PASSWORD, peer='192.168.1.5')
    crowd = [f'10.0.0.{number}' for number in range(2 * EVERYBODYS_PASSWORDS_A_MINUTE)]

    first, second = [Counter([await guess(app, peer) for peer in crowd]) for _ in range(2)]

    assert (first, second) == ({401: len(crowd)}, {429: len(crowd)})
    for peer in (LOOPBACK, '192.168.1.5', 'fd00::7'):  # here, known, never seen
        assert (await sign_in(app, PASSWORD, peer=peer)).status == 303


async def test_where_the_password_was_given_before_no_neighbour_keeps_the_owner_out(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked
    device = services.sessions.device_cookie()
    name = services.sessions.device_name_on('http')
    for _ in range(100):
        await guess(app, LAN)

    async def with_device(cookie: str, password: str = PASSWORD) -> int:
        header = (b'cookie', f'{name}={cookie}'.encode())
        return (
            await sign_in(app, password, header, (b'origin', b'http://localhost'), peer=LAN)
        ).status

    forged, own = await with_device(f'{device[:-1]}!'), await with_device(device)
    guesses = Counter([await with_device(device, 'a guess') for _ in range(20)])

    assert (forged, own) == (429, 303)
    assert guesses == {401: PASSWORDS_A_MINUTE, 429: 20 - PASSWORDS_A_MINUTE}


async def test_who_signs_in_is_known_by_this_browser_from_then_on(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked

    answer = await sign_in(app, PASSWORD)

    _, device = answer.cookies
    header = {'cookie': device.partition(';')[0]}
    assert services.sessions.device_in(header, 'http')
    assert services.sessions.who(header) == STRANGER
    assert '; HttpOnly;' in device
    assert 'SameSite=strict' in device


async def test_a_crowd_that_guesses_at_once_has_one_password_hashed_at_a_time(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked
    await sign_in(app, PASSWORD, peer='192.168.1.5')

    async with services.guess_turn:
        stranger = asyncio.create_task(sign_in(app, PASSWORD, peer='10.0.0.1'))
        known = await sign_in(app, PASSWORD, peer='192.168.1.5')
        waits = not stranger.done()

    assert (known.status, waits, (await stranger).status) == (303, True, 303)


async def test_a_refused_guess_says_how_long_to_wait(locked: tuple[ASGIApp, Services]) -> None:
    app, _ = locked
    for _ in range(PASSWORDS_A_MINUTE):
        await guess(app, LAN)

    page = await sign_in(app, PASSWORD, peer=LAN)
    told = await sign_in(app, PASSWORD, JSON, peer=LAN)

    assert 0 < int(page.headers['retry-after']) <= WINDOW_S
    assert b'Too many attempts' in page.body
    assert b'too_many_guesses' in told.body
    assert 'set-cookie' not in page.headers


async def test_a_wrong_password_is_logged_with_its_address(
    locked: tuple[ASGIApp, Services], caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = locked

    with caplog.at_level(logging.WARNING):
        for _ in range(PASSWORDS_A_MINUTE + 1):
            await guess(app, LAN)

    assert f'{LAN}: a wrong password' in caplog.messages
    assert f'{LAN}: too many wrong passwords' in caplog.messages
    assert 'a guess' not in caplog.text


async def test_cve_2024_12534_an_overlong_password_is_refused_before_it_is_hashed(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked

    long = await sign_in(app, 'x' * 1_001, peer=LAN)
    huge = await knock(
        app, 'POST', '/session', HOME, FORM, (b'content-length', b'10000000'), peer=LAN
    )

    assert (long.status, huge.status) == (422, 413)
    assert huge.read_bytes == 0
    assert services.password_throttle.take(LAN) == 0


async def test_a_wrong_token_is_slowed_and_then_the_right_one_from_there_too(
    tmp_path: Path,
) -> None:
    token = 'a-token-of-some-length'
    wrong, right = ((b'authorization', f'Bearer {one}'.encode()) for one in ('guess', token))
    async with open_door(tmp_path / 'data', EASEL_PASSWORD=PASSWORD, EASEL_TOKEN=token) as (app, _):

        async def status(header: tuple[bytes, bytes], peer: str = LAN) -> int:
            return (await knock(app, 'GET', '/gallery.json', HOME, header, peer=peer)).status

        before = await status(right)
        guesses = Counter([await status(wrong) for _ in range(TOKENS_A_MINUTE + 5)])
        there, elsewhere = await status(right), await status(right, '192.168.1.21')

    assert guesses == {401: TOKENS_A_MINUTE, 429: 5}
    assert (before, there, elsewhere) == (200, 429, 200)


def test_a_chosen_password_is_hashed_and_only_it_matches() -> None:
    password = hashed_password('open sesame 12')
    wrong = ('', 'Open Sesame 12', 'open sesame 123', '\udcff', 'é')

    assert password.matches('open sesame 12')
    assert [one for one in wrong if password.matches(one)] == []
    assert 'sesame' not in password.kept
    assert hashed_password('open sesame 12') != password


def test_a_guess_at_a_chosen_password_costs_16_mb() -> None:
    assert COST * BLOCK * 128 == 16 * 1024**2
    assert ROUNDS == 5


async def test_a_made_password_has_over_64_bits_and_can_be_read_out() -> None:
    passwords = {new_password().kept for _ in range(200)}

    assert len(passwords) == 200
    assert all(len(one.replace('-', '')) == 16 for one in passwords)
    assert not set('il10o') & set(''.join(passwords))
    assert new_password().source is Source.MADE


async def test_the_minute_slides() -> None:
    now = [0.0]
    throttle = Throttle(2, 3, clock=lambda: now[0])

    waits = []
    for moment, who in ((0, 'a'), (10, 'a'), (20, 'a'), (30, 'b'), (40, 'c'), (61, 'c'), (62, 'a')):
        now[0] = float(moment)
        waits.append(throttle.take(who))

    assert waits == [0, 0, 40, 0, 0, 39, 8]


async def test_a_session_says_who_one_is(locked: tuple[ASGIApp, Services]) -> None:
    app, _ = locked
    cookie = cookie_in(await sign_in(app, PASSWORD))

    stranger = await knock(app, 'GET', '/session', HOME)
    owner = await knock(app, 'GET', '/session', HOME, JSON, cookie)

    assert stranger.status == 401
    assert b'name="password"' in stranger.body
    assert b'"role":"owner"' in owner.body
