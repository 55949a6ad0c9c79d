"""Every recorded answer of a real server, replayed over sockets against the real provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from app.errors import ProviderError
from app.models import GenerationResult
from app.providers.core.base import Run
from app.storage.store import Store
from tests.support.fakes import KEY, Upstream, arriving_in, asking, refused_port, storing, upstream
from tests.support.labelled_pictures import label_of
from tests.support.recordings import (
    CASES,
    Case,
    Fields,
    Outcome,
    answered,
    ask_of,
    differences,
    expected,
    fields_of,
)

pytestmark = pytest.mark.asyncio(loop_scope='module')

SECRET_HEADERS = {'authorization', 'cookie', 'g4f-api-key', 'api-key', 'x-api-key'}


async def replay(case: Case, store: Store) -> Outcome:
    """Send the case's ask to sockets that answer as it says, and keep what comes."""
    async with upstream() as origin, upstream() as cdn:
        said = case.at(origin, cdn)
        for server in (origin, cdn):
            server.otherwise = lambda asked: answered(said, asked)
        try:
            answer = await exchange(said, origin, cdn, store)
        except ProviderError as error:
            return Outcome((), (error.failure,), origin, cdn, tuple(arriving_in(store.data)))
        kept, failures = [], list(answer.item_errors)
        for received in answer.received:
            try:
                kept.append(await store.keep(received, label_of('a cat', 1_795_000_000)))
            except ProviderError as error:
                failures.append(error.failure)
        left = tuple(arriving_in(store.data))
        return Outcome(tuple(kept), tuple(failures), origin, cdn, left)


async def exchange(said: Fields, origin: Upstream, cdn: Upstream, store: Store) -> GenerationResult:
    transport = fields_of(said.get('transport')).get('kind')
    timeout_s = 0.3 if transport == 'hang' else 10
    with ExitStack() as stack:
        base = origin.origin
        if transport == 'refused':
            base = f'http://127.0.0.1:{stack.enter_context(refused_port())}'
        root = '' if said.get('request_path') == '/images/generations' else '/v1'
        async with asking(f'{base}{root}', named=(cdn.origin,), timeout_s=timeout_s) as provider:
            return await provider.generate(ask_of(said), Run(store.new_temp_file))


@dataclass(frozen=True, slots=True)
class Replays:
    """Each case replayed once, for all that is asked about it."""

    store: Store
    done: dict[str, Outcome]

    async def of(self, case: Case) -> Outcome:
        if case.name not in self.done:
            self.done[case.name] = await replay(case, self.store)
        return self.done[case.name]


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def replays(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Replays]:
    async with storing(tmp_path_factory.mktemp('cases')) as store:
        yield Replays(store, {})


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
async def test_an_answer_means_what_the_recording_says(case: Case, replays: Replays) -> None:
    rights = expected(json.loads(case.text))

    outcome = await replays.of(case)

    wrong = [differences(outcome, right) for right in rights]
    assert [] in wrong, wrong


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
async def test_the_key_goes_to_the_providers_origin_alone(case: Case, replays: Replays) -> None:
    outcome = await replays.of(case)

    assert all(asked.headers['authorization'] == f'Bearer {KEY}' for asked in outcome.origin.asked)
    assert not any(SECRET_HEADERS & set(asked.headers) for asked in outcome.cdn.asked)
    assert not any(asked.method == 'POST' for asked in outcome.cdn.asked)


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
async def test_an_answer_leaves_nothing_in_the_arriving_folder(
    case: Case, replays: Replays
) -> None:
    outcome = await replays.of(case)

    assert outcome.left == ()
