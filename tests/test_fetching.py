"""A picture that was made and could not be fetched: fetched again, and nothing asked anew."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.models import Generation, Status
from app.models.request import GenerationRequest
from app.net.urls import origin_of
from tests.support.fakes import Reply, Upstream, picture, upstream
from tests.support.guests import JSON, Party, party

FETCHED = Reply(body=picture())
SIGNED = '/b.png?signature=canary-Zq7-plumage'


@dataclass(frozen=True, slots=True)
class Studio:
    """An Easel, its one server, and another machine on which that server puts its pictures."""

    party: Party
    server: Upstream
    storage: Upstream

    async def drawn(self, *urls: str, guest: int | None = None) -> Generation:
        """Draw pictures that the server names by these addresses."""
        rows = [{'url': url, 'revised_prompt': 'an otter', 'seed': 7} for url in urls]
        body = json.dumps({'data': rows}).encode()
        self.server.replies['POST /v1/images/generations'] = Reply(body=body)
        request = GenerationRequest(prompt='an otter', n=min(len(urls), 3))
        worker, rows_of = self.party.services.worker, self.party.services.library.generations
        done = await worker.draw_now(request)
        if guest is not None:
            statement = 'update generations set guest = :guest where id = :id'
            await self.party.services.library.database.run(statement, guest=guest, id=done.id)
        return await rows_of.one(done.id)

    async def fetch(self, generation: Generation, who: str = 'owner', **fields: str) -> int:
        path = f'/generations/{generation.id}/fetching'
        return (await self.party.request(who, 'POST', path, JSON, **fields)).status

    async def now(self, generation: Generation) -> Generation:
        return await self.party.services.library.generations.one(generation.id)

    async def tile(self, generation: Generation, who: str = 'owner') -> str:
        answer = await self.party.request(who, 'GET', f'/generations/{generation.id}')
        return answer.body.decode()

    @property
    def asked(self) -> int:
        """How often the server was asked for pictures."""
        return sum(asked.method == 'POST' for asked in self.server.asked)


@asynccontextmanager
async def studio(folder: Path) -> AsyncIterator[Studio]:
    async with upstream() as server, upstream() as storage:
        server.otherwise = lambda _: Reply(status=403)  # which is not tried again at once
        keys = {'EASEL_API_URL': f'{server.origin}/v1', 'EASEL_API_KEY': 'sk-abcdefgh12345678'}
        async with party(folder / 'data', **keys) as opened:
            yield Studio(opened, server, storage)


async def test_a_picture_that_comes_later_is_kept_and_nothing_is_asked_anew(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        failed = await it.drawn('/a.png')
        it.server.replies['GET /a.png'] = FETCHED

        before, tile, status = failed.status, await it.tile(failed), await it.fetch(failed)

        done = await it.now(failed)
        assert (before, done.status, it.asked) == (Status.FAILED, Status.DONE, 1)
        assert 'Download again' in tile
        assert status == 303
        [image] = done.images
        assert (image.position, image.revised_prompt, image.seed) == (0, 'an otter', 7)
        assert (done.error, done.finished_at) == (None, failed.finished_at)


async def test_each_of_several_is_fetched_to_a_place_of_its_own(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        it.server.replies['GET /a.png'] = FETCHED
        partly = await it.drawn('/a.png', '/b.png', '/c.png')
        it.server.replies['GET /c.png'] = FETCHED

        await it.fetch(partly)
        once = await it.now(partly)
        it.server.replies['GET /b.png'] = FETCHED
        await it.fetch(partly)

        twice = await it.now(partly)
        assert [(len(one.images), len(one.item_errors)) for one in (partly, once, twice)] == [
            (1, 2),
            (2, 1),
            (3, 0),
        ]
        assert [image.position for image in twice.images] == [0, 1, 2]


async def test_the_owner_trusts_a_private_address_for_this_server_alone(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        it.storage.replies['GET /a.png'] = FETCHED
        blocked = await it.drawn(f'{it.storage.origin}/a.png')
        words = f"Trust {it.storage.origin} for this server's pictures"

        owners, again = await it.tile(blocked), await it.fetch(blocked)
        still, calls = await it.now(blocked), len(it.storage.asked)
        elsewhere = await it.fetch(blocked, trust='http://10.0.0.1:9000')
        trusted = await it.fetch(blocked, trust=it.storage.origin)

        done = await it.now(blocked)
        memory = it.party.services.providers.memory
        assert words in owners
        assert 'Download again' not in owners
        assert 'a private address' in owners
        assert (again, still.status, calls, elsewhere, trusted) == (303, Status.FAILED, 0, 422, 303)
        assert (done.status, it.asked) == (Status.DONE, 1)
        assert 'authorization' not in it.storage.asked[0].headers
        assert memory.trusted(f'{it.server.origin}/v1') == {origin_of(it.storage.origin)}
        assert memory.trusted('http://other.test/v1') == frozenset()


async def test_a_guest_may_fetch_again_but_trusts_no_address(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        mine = await it.drawn(f'{it.storage.origin}/a.png', guest=it.party.ids['maker'])

        tile = await it.tile(mine, 'maker')
        refused = await it.fetch(mine, 'maker', trust=it.storage.origin)
        fetched = await it.fetch(mine, 'maker')

        assert ('Download again' in tile, 'Trust http' in tile) == (True, False)
        assert (refused, fetched) == (403, 303)
        assert it.storage.asked == []


async def test_where_nothing_can_be_fetched_it_says_so(tmp_path: Path) -> None:
    async with studio(tmp_path) as it:
        it.server.replies['GET /a.png'] = FETCHED
        done = await it.drawn('/a.png')

        assert await it.fetch(done) == 409
        assert 'Download again' not in await it.tile(done)


async def test_an_addresss_query_is_kept_for_fetching_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with studio(tmp_path) as it:
        failed = await it.drawn(SIGNED, guest=it.party.ids['maker'])

        shown = [
            (await it.party.request(who, 'GET', f'/generations/{failed.id}{end}')).body.decode()
            for who in ('owner', 'maker')
            for end in ('', '.json')
        ]
        it.server.replies[f'GET {SIGNED}'] = FETCHED
        await it.fetch(failed)

        guests = await it.party.request('maker', 'GET', f'/generations/{failed.id}.json')
        assert (await it.now(failed)).status is Status.DONE
        logged = [one.getMessage() for one in caplog.records if one.name.startswith('app.')]
        assert 'canary' not in ''.join([*shown, *logged, guests.body.decode()])
        assert str(it.server.port) not in ''.join([*shown[2:], guests.body.decode()])


async def test_a_hundred_pictures_instead_of_one_are_kept_to_the_most_and_counted(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as it:
        it.server.otherwise = lambda _: FETCHED
        many = await it.drawn(*(f'/{number}.png' for number in range(100)))

        answer = await it.party.request('owner', 'GET', f'/generations/{many.id}', JSON)

        [error] = json.loads(answer.body)['item_errors']
        assert (many.status, len(many.images), error['kind']) == (Status.DONE, 10, 'surplus')
        assert '90' in error['message']
        assert sum(asked.target.endswith('.png') for asked in it.server.asked) == 10
