"""Waiting over real sockets: for a job that was promised, for a server that asks to wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Run
from app.providers.provider import ApiProvider
from app.providers.response.json_text import Json
from tests.support.fakes import Asked, Reply, Upstream, arriving_in, storing, upstream
from tests.support.provider_calls import ONE, bodies, drawn, settings, times

BUSY = Reply(status=429, headers=(('Retry-After', '60'),))
JOB = '/v1/tasks/j1'


def said(status: int, tree: Json, **headers: str) -> Reply:
    named = tuple((name.replace('_', '-'), value) for name, value in headers.items())
    return Reply(status=status, body=json.dumps(tree).encode(), headers=named)


def promising(promise: Reply, *looks: Reply) -> Callable[[Asked], Reply]:
    """A server that promises, and answers each look with the next of these."""
    answers = times(*looks)
    return lambda asked: promise if asked.method == 'POST' else answers(asked)


@pytest.mark.parametrize(
    'promise',
    [
        said(200, {'task_id': 'j1', 'task_status': 'PENDING'}),
        said(200, {'data': [{'status': 'submitted', 'task_id': 'j1'}]}),
        said(201, {'id': 'j1', 'status': 'starting', 'urls': {'get': JOB}}),
        said(202, {'id': 'j1', 'polling_url': JOB}),
        Reply(status=202, headers=(('Operation-Location', JOB),)),
    ],
    ids=['task', 'nested', 'replicate', 'address', 'header'],
)
async def test_a_promise_is_kept_through_looks_that_fail(promise: Reply, tmp_path: Path) -> None:
    under_way = said(200, {'status': 'In Progress'})
    async with upstream() as server:
        server.otherwise = promising(promise, Reply(status=502), under_way, ONE)

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert len(answer.received) == 1
    assert [asked.target for asked in server.asked[1:]] == [JOB] * 3


async def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    ended = said(
        200, {'id': 'j1', 'status': 'failed', 'error': {'code': 'content_policy_violation'}}
    )
    async with upstream() as server:
        server.otherwise = promising(said(200, {'task_id': 'j1'}), ended)

        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert caught.value.failure.kind is ErrorKind.MODERATION
    assert len(bodies(server)) == 1


async def test_a_job_elsewhere_is_not_asked_for(tmp_path: Path) -> None:
    async with upstream() as elsewhere, upstream() as server:
        promise = said(202, {'id': 'j1', 'poll_url': f'{elsewhere.origin}/j1'})
        server.otherwise = lambda _: promise

        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    failure = caught.value.failure
    assert (failure.kind, failure.job_id) == (ErrorKind.PENDING, 'j1')
    assert elsewhere.asked == []


async def cancelled(server: Upstream, folder: Path, seen: asyncio.Event, **more: object) -> None:
    """Draw until something is seen on the other side, then cancel."""
    http_client = HttpClient()
    async with storing(folder) as store:
        provider = ApiProvider(settings(server, **more), http_client)  # type: ignore[arg-type]
        task = asyncio.create_task(
            provider.generate(GenerationRequest(prompt='a cat'), Run(store.new_temp_file))
        )
        await seen.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await http_client.close()
    assert task.cancelled()


async def test_a_cancelled_job_of_stable_diffusion_cpp_is_cancelled_there(tmp_path: Path) -> None:
    url = '/sdcpp/v1/jobs/j1'
    looked = asyncio.Event()

    def answer(asked: Asked) -> Reply:
        if asked.method == 'POST':
            return said(202, {'id': 'j1', 'poll_url': url})
        looked.set()
        return said(200, {'status': 'running'})

    async with upstream() as server:
        server.otherwise = answer

        await cancelled(server, tmp_path, looked)

    assert server.asked[-1].target == f'{url}/cancel'


async def test_a_wait_ends_at_once_when_it_is_cancelled(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: BUSY

        async with asyncio.timeout(10):
            await cancelled(server, tmp_path, server.left, waits=True)

    assert len(server.asked) == 1
    assert arriving_in(tmp_path) == []
