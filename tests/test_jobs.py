"""Jobs that a response only promises, waited for whatever their states are called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models.request import GenerationRequest
from app.providers.response.json_text import Json
from tests.support.fakes import Asked, Reply, Upstream, upstream
from tests.support.provider_calls import B64, GONE, PNG, bodies, drawn, settings, times

AZURE = json.loads((Path(__file__).parent / 'data' / 'field' / 'upstream_answers.json').read_text())
DONE = {'status': 'succeeded', 'data': [{'b64_json': B64}]}
AT_ONCE = ('Retry-After', '0')


def said(tree: object, *headers: tuple[str, str], status: int = 200) -> Reply:
    return Reply(status=status, headers=(AT_ONCE, *headers), body=json.dumps(tree).encode())


def promising(server: Upstream, promise: Reply, *polls: Reply) -> None:
    later = times(*polls)
    server.otherwise = lambda asked: promise if asked.method == 'POST' else later(asked)


async def test_azures_job_is_waited_for_through_states_of_any_name(tmp_path: Path) -> None:
    async with upstream() as server:
        told = json.loads(json.dumps(AZURE['azure']).replace('{ORIGIN}', server.origin))
        place = ('Operation-Location', told['post']['headers']['Operation-Location'])
        later = times(*map(said, told['polls']))

        def answer(asked: Asked) -> Reply:
            if asked.method == 'POST':
                return said(told['post']['body'], place, status=202)
            return Reply(body=PNG) if asked.target == '/out.png' else later(asked)

        server.otherwise = answer
        result = await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    polls = [asked.target for asked in server.asked if 'operations' in asked.target]
    assert len(result.received) == 1
    assert polls == ['/openai/operations/images/j1?api-version=2023-06-01-preview'] * 3


@pytest.mark.parametrize(
    ('promise', 'polls'),
    [
        ({'id': 'j', 'status': 'Warming up'}, [{'status': 'Deep-Thinking'}, DONE]),
        ({'task_id': 'j'}, [{'data': {'taskStatus': 'NOT_YET'}}, {'data': {'status': 1}}, DONE]),
        ({'id': 'j', 'done': False}, [{'done': False}, {'done': True, **DONE}]),
        ({'request_id': 'j', 'status': {'state': 'queued'}}, [{'progress': '40%'}, DONE]),
        ({'task_id': 'j'}, [{'task_id': 'j', 'successFlag': 0}, DONE]),
        ({'task_id': 'j'}, [{'status': 'retrying_after_error'}, {'status': 'no_error'}, DONE]),
        ({'id': 'j'}, [{'done': False, 'finished': 1, 'waiting': 1}, DONE]),
        ([{'task_id': 'j'}], [[{'status': 'in line'}], DONE]),
        (
            {'status': 'success', 'data': {'task_id': 'j', 'status': 'pending'}},
            [{'status': 'ok', 'data': {'state': 'running'}}, DONE],
        ),
    ],
    ids=[
        *('made up', 'in a number', 'flags', 'within objects', 'untold', 'failures that are none'),
        *('counts beside a flag', 'in a list', 'beside that of the call'),
    ],
)
async def test_a_state_that_is_no_end_is_asked_again(
    promise: Json, polls: list[Json], tmp_path: Path
) -> None:
    async with upstream() as server:
        promising(server, said(promise), *map(said, polls))

        result = await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    assert len(result.received) == 1
    assert len(bodies(server)) == 1


async def test_an_unknown_state_goes_on_until_the_deadline(tmp_path: Path) -> None:
    async with upstream() as server:
        promising(server, said({'id': 'j', 'status': 'notRunning'}), said({'status': 'musing'}))
        with pytest.raises(ProviderError) as caught:
            await drawn(
                server,
                tmp_path,
                GenerationRequest(prompt='x'),
                told=settings(server, timeout_s=0.2),
            )

    assert caught.value.failure.kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize(
    ('end', 'kind'),
    [
        ({'id': 'j', 'status': 'Request Moderated'}, ErrorKind.MODERATION),
        ({'id': 'j', 'status': 'TASK_STATUS_FAILED', 'message': 'x'}, ErrorKind.UPSTREAM_ERROR),
        ({'id': 'j', 'status': 'Ready'}, ErrorKind.EMPTY),
        ({'id': 'j', 'status': 'completed_with_errors'}, ErrorKind.EMPTY),
        ({'id': 'j', 'status': 'internal_error'}, ErrorKind.UPSTREAM_ERROR),
        ({'id': 'j', 'status': 'Error: out of memory'}, ErrorKind.UPSTREAM_ERROR),
        ({'id': 'j', 'status': '失败'}, ErrorKind.UPSTREAM_ERROR),
        ({'done': False, 'faulted': True}, ErrorKind.UPSTREAM_ERROR),
    ],
)
async def test_an_end_without_a_picture_is_told_at_once(
    end: Json, kind: ErrorKind, tmp_path: Path
) -> None:
    async with upstream() as server:
        promising(server, said({'id': 'j', 'status': 'Pending'}), said(end))
        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    assert caught.value.failure.kind is kind


@pytest.mark.parametrize(
    'promise',
    [
        {'id': 'j', 'status': 'queued', 'links': {'self': '/j'}},
        {'id': 'j', 'status': 'queued', '_links': {'self': {'href': '/j'}}},
        {'id': 'j', 'status': 'processing', 'fetch_result': '/j'},
    ],
)
async def test_a_job_is_where_its_links_say_or_lead_to(promise: Json, tmp_path: Path) -> None:
    moved = said({'status': 'done'}, ('Location', '/result'), status=303)
    async with upstream({'GET /j': moved, 'GET /result': said(DONE)}) as server:
        server.otherwise = lambda asked: said(promise) if asked.method == 'POST' else GONE

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    assert len(answer.received) == 1


async def test_the_result_is_fetched_where_the_end_of_a_job_says(tmp_path: Path) -> None:
    status, result = said({'status': 'COMPLETED', 'response_url': '/j/result'}), said(DONE)
    async with upstream({'GET /j/status': status, 'GET /j/result': result}) as server:
        # by its own name inside a container, which nobody else knows
        place = {'request_id': 'j', 'status_url': 'http://worker:9000/j/status'}
        server.otherwise = lambda asked: said(place) if asked.method == 'POST' else GONE

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    assert len(answer.received) == 1


async def test_a_job_is_asked_for_below_the_path_that_a_proxy_added(tmp_path: Path) -> None:
    async with upstream({'GET /localai/jobs/j': said(DONE)}) as server:
        server.otherwise = lambda asked: (
            said({'poll_url': '/jobs/j'}, status=202) if asked.method == 'POST' else GONE
        )
        told = settings(server, '/localai/v1')

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='x'), told=told)

    assert len(answer.received) == 1
    assert [asked.target for asked in server.asked[1:]] == ['/jobs/j', '/localai/jobs/j']
