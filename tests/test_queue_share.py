"""A flood of prompts from one visitor leaves the queue open to the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.types import ASGIApp

from app.database.queue import LONGEST_SHARE
from tests.support.raw_requests import FORM, HOME, LOOPBACK, Answered, knock, open_door

FLOODER, NEIGHBOUR, PROXY = '192.168.1.20', '192.168.1.21', '10.0.0.2'
JSON = (b'accept', b'application/json')


async def submit(app: ASGIApp, peer: str, *headers: tuple[bytes, bytes]) -> Answered:
    body = b'prompt=a+cat&size=16x16'
    return await knock(app, 'POST', '/generations', HOME, FORM, *headers, peer=peer, body=body)


async def test_row_73_a_flood_is_stopped_and_nobody_else_feels_it(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data') as (app, _):
        flood = [(await submit(app, FLOODER)).status for _ in range(LONGEST_SHARE)]

        refused = await submit(app, FLOODER, JSON)
        other = await submit(app, NEIGHBOUR)
        here = await submit(app, LOOPBACK)

    assert set(flood) == {303}
    assert refused.status == 429
    assert refused.headers['retry-after'].isdigit()
    assert b'queue_full' in refused.body
    assert (other.status, here.status) == (303, 303)


@pytest.mark.parametrize('act', ['cancellation', 'claim'])
async def test_what_no_longer_waits_makes_room(tmp_path: Path, act: str) -> None:
    async with open_door(tmp_path / 'data') as (app, services):
        for _ in range(LONGEST_SHARE):
            await submit(app, FLOODER)
        if act == 'claim':
            newest = await services.library.generations.one(1)
            await services.library.generations.claim(newest.provider, 1.0, newest.id)
        else:
            await services.library.generations.cancel(1, 1.0)

        statuses = [(await submit(app, FLOODER)).status for _ in range(2)]

    assert statuses == [303, 429]


async def test_trying_again_counts_as_well(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data') as (app, services):
        await submit(app, FLOODER)
        await services.library.generations.cancel(1, 1.0)
        for _ in range(LONGEST_SHARE):
            await submit(app, FLOODER)

        theirs = await knock(app, 'POST', '/generations/1/retry', HOME, FORM, peer=FLOODER)
        ours = await knock(app, 'POST', '/generations/1/retry', HOME, FORM)

    assert (theirs.status, ours.status) == (429, 303)


async def test_behind_a_proxy_each_visitor_has_their_own_share(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data', EASEL_TRUSTED_PROXIES=PROXY) as (app, _):
        flooder = (b'x-forwarded-for', b'203.0.113.9')
        for _ in range(LONGEST_SHARE):
            await submit(app, PROXY, flooder)

        refused = await submit(app, PROXY, (b'x-forwarded-for', b'1.1.1.1, 203.0.113.9'))
        other = await submit(app, PROXY, (b'x-forwarded-for', b'203.0.113.10'))

    assert (refused.status, other.status) == (429, 303)


async def test_the_owner_has_no_share_on_any_machine(tmp_path: Path) -> None:
    secrets = {'EASEL_TOKEN': 'a-token-of-the-owner', 'EASEL_PASSWORD': 'open sesame'}
    async with open_door(tmp_path / 'data', **secrets) as (app, _):
        token = (b'authorization', b'Bearer a-token-of-the-owner')

        statuses = {(await submit(app, FLOODER, token)).status for _ in range(LONGEST_SHARE + 5)}

    assert statuses == {303}
