"""What pictures cost, as their servers say it: read, divided, kept, summed, and never guessed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from app.cost import Cost, read_cost, told_cost, total
from app.database import Library
from app.database.gallery.filters import Filter
from app.generation.outcome_writer import growing_pauses
from app.models import Call, Generation, Status
from app.models.request import GenerationRequest
from app.providers.core.base import Dialect
from app.providers.response.costs import cost_of
from app.providers.response.json_text import Json, loads
from tests.rebuilding import rebuilt
from tests.support.fakes import Asked, Ending, Reply, Upstream, upstream
from tests.support.guests import JSON, Party, party
from tests.support.provider_calls import B64, PNG, drawn, settings

TWO = {'data': [{'b64_json': B64}, {'b64_json': B64}]}
PAID = {'usage': {'cost': 0.05, 'total_tokens': 4161}}
DIGITS = '9' * 1000


@pytest.mark.parametrize(
    ('headers', 'tree', 'told'),
    [
        ({}, {'usage': {'cost': 0.0387}}, '0.0387 USD'),
        ({}, {'usage': {'cost': 0, 'total_tokens': 7}}, '0 USD 7 tokens'),
        ({}, {'usage': {'cost_in_usd_ticks': 400_000_000}}, '0.04 USD'),
        ({}, {'cost_in_usd_ticks': 1}, '0.0000000001 USD'),
        ({}, {'usage': {'input_tokens': 20, 'output_tokens': 4160}}, '4180 tokens'),
        ({}, {'usage': {'prompt_tokens': 20, 'completion_tokens': 5}}, '25 tokens'),
        ({}, [{'data': []}, {'usage': {'cost': 0.1}}, {'usage': {'cost': 0.2}}], '0.3 USD'),
        (
            {'x-litellm-response-cost': '0.00026400000000000003'},
            {'usage': {'total_tokens': 9}},
            '0.00026400000000000003 USD 9 tokens',
        ),
        ({'x-litellm-response-cost': '0.01, 0.01'}, {}, '0.01 USD'),
        (
            {},
            {'usage': {'cost_in_usd_ticks': '400000000', 'total_tokens': 7.0}},
            '0.04 USD 7 tokens',
        ),
        ({}, {'usageMetadata': {'totalTokenCount': 1300}}, '1300 tokens'),
        ({}, {'cost': 0.02, 'paymentSource': 'USD'}, '0.02 USD'),
        ({}, {'cost': 4, 'input_mp': 1}, ''),  # in credits, as BFL counts
        ({}, {'usage': {'cost': 0.04, 'currency': 'EUR'}}, ''),
        ({}, {'usage': {'cost': '1_0'}}, ''),
        ({}, {'usage': {'cost': '٠.٤'}}, ''),
        ({}, {'usage': {'total_tokens': 0}}, ''),
        ({}, {'usage': None}, ''),
        ({}, None, ''),
    ],
)
def test_a_cost_is_what_the_server_says(headers: dict[str, str], tree: Json, told: str) -> None:
    assert str(cost_of(headers, tree) or '') == told


@pytest.mark.parametrize(
    'value',
    [
        *('NaN', 'Infinity', '1e400', '-1', '-0.04', DIGITS, f'0.{DIGITS}', '[1]', '{}', 'true'),
        *('null', '1e9', '""', '"cheap"', f'"{DIGITS}"', '"-1"', '"NaN"', '"\\u0000"'),
    ],
)
def test_a_value_that_is_no_price_never_hurts(value: str) -> None:
    usage = '"cost": {0}, "cost_in_usd_ticks": {0}, "total_tokens": {0}, "input_tokens": {0}'

    tree = loads('{"usage": {' + usage.format(value) + '}}')
    told = cost_of({'x-litellm-response-cost': value.strip('"')}, tree)

    assert told is None or 0 <= (told.amount or 0) <= 1_000_000
    assert told is None or read_cost(str(told)) == told


@pytest.mark.parametrize('amount', ['0.1', '0', '0.00026400000000000003', '1000000', '1E-10'])
def test_the_pictures_of_one_answer_cost_what_it_cost(amount: str) -> None:
    cost = told_cost(Decimal(amount), 4160)
    assert cost

    shares = cost.shares(7)

    assert total(one.amount for one in shares if one.amount is not None) == Decimal(amount)
    assert sum(one.tokens or 0 for one in shares) == 4160
    assert [read_cost(str(one)) for one in shares] == list(shares)


@pytest.mark.parametrize(
    'text', ['', ' ', '1', '1 usd', '-1 USD', '1e9 USD', f'{DIGITS} USD', '٣ tokens']
)
def test_a_text_that_is_no_cost_is_none(text: str) -> None:
    assert read_cost(text) is None


def event(kind: str, **fields: object) -> bytes:
    return f'event: {kind}\ndata: {json.dumps({"type": kind, **fields})}\n\n'.encode()


async def test_a_stream_tells_its_cost_with_the_picture(tmp_path: Path) -> None:
    stream = event('image_generation.partial_image', b64_json=B64, partial_image_index=0)
    stream += event('image_generation.completed', b64_json=B64, **PAID)
    async with upstream() as server:
        server.otherwise = lambda _: Reply(
            headers=(('content-type', 'text/event-stream'),), body=stream
        )

        result = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert [str(one.cost) for one in result.received] == ['0.05 USD 4161 tokens']


async def test_a_job_that_repeats_its_cost_has_cost_it_once(tmp_path: Path) -> None:
    tried: list[Call] = []
    replies = [
        {'id': 'j1', 'status': 'queued', **PAID},
        {'id': 'j1', 'status': 'running', **PAID},
        {'id': 'j1', 'status': 'succeeded', 'result': TWO, **PAID},
    ]
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=json.dumps(replies.pop(0)).encode())

        result = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'), tried=tried)

    assert [str(one.cost) for one in tried if one.cost] == ['0.05 USD 4161 tokens']
    assert [str(one.cost) for one in result.received] == [
        '0.025 USD 2081 tokens',
        '0.025 USD 2080 tokens',
    ]


async def generated(opened: Party, guest: int | None = None) -> Generation:
    worker, rows = opened.services.worker, opened.services.library.generations
    queued = await worker.submit(GenerationRequest(prompt='an otter', n=2), guest=guest)
    claimed = await rows.claim('', 1_795_000_000.0, queued.generation.id)
    assert claimed
    await worker.run_generation(claimed, islice(growing_pauses(), 1))
    return await rows.one(claimed.id)


def answering(server: Upstream, fields: Mapping[str, object], status: int = 200) -> None:
    body = json.dumps({**fields, **PAID}).encode()
    server.replies['POST /v1/images/generations'] = Reply(status=status, body=body)


def hanging(arrived: asyncio.Event) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        if asked.target == '/slow.png':
            arrived.set()
        return Reply(status=None, ending=Ending.HANGS)

    return answer


async def spent(opened: Party, who: str = 'owner') -> list[tuple[object, object]]:
    answer = await opened.request(who, 'GET', '/settings.json', JSON)
    rows = json.loads(answer.body).get('spending', [])
    return [(row['guest'], row['cost']['amount']) for row in rows]


async def test_a_cost_is_kept_shown_summed_and_stays_when_the_picture_goes(tmp_path: Path) -> None:
    async with upstream() as server:
        keys = {'EASEL_API_URL': f'{server.origin}/v1'}
        async with party(tmp_path / 'data', **keys) as opened:
            answering(server, TWO)
            image = (await generated(opened)).images[0]
            await opened.services.library.images.set_deleted(image.id, 1.0)

            told = json.loads(
                (await opened.request('owner', 'GET', f'/images/{image.id}', JSON)).body
            )
            page = (await opened.request('owner', 'GET', f'/images/{image.id}')).body.decode()
            settings = (await opened.request('owner', 'GET', '/settings')).body.decode()
            sums = await spent(opened)

    assert told['cost'] == {'amount': '0.025', 'currency': 'USD', 'tokens': 2081}
    assert '0.025 USD · tokens: 2081' in page
    assert '0.05 USD · tokens: 4161' in settings
    assert sums == [(None, '0.05')]


async def test_a_guest_knows_only_what_they_spent(tmp_path: Path) -> None:
    async with upstream() as server:
        keys = {'EASEL_API_URL': f'{server.origin}/v1'}
        async with party(tmp_path / 'data', **keys) as opened:
            answering(server, TWO)
            owners = (await generated(opened)).images[0]
            theirs = (await generated(opened, opened.ids['both'])).images[0]

            seen = [
                json.loads((await opened.request('both', 'GET', f'/images/{one.id}', JSON)).body)
                for one in (owners, theirs)
            ]
            page = (await opened.request('both', 'GET', f'/images/{owners.id}')).body.decode()
            sums = await spent(opened), await spent(opened, 'both'), await spent(opened, 'looker')

    assert [one['cost'] and one['cost']['amount'] for one in seen] == [None, '0.025']
    assert 'USD' not in page
    assert sums == ([(None, '0.05'), (3, '0.05')], [(3, '0.05')], [])


async def test_what_failed_or_was_cancelled_is_spent_all_the_same(tmp_path: Path) -> None:
    async with upstream() as server:
        keys = {'EASEL_API_URL': f'{server.origin}/v1'}
        async with party(tmp_path / 'data', **keys) as opened:
            answering(server, {'error': {'message': 'content policy'}}, 400)
            failed = await generated(opened)
            answering(server, {'data': [{'url': '/slow.png'}]})
            arrived = asyncio.Event()
            server.otherwise = hanging(arrived)
            running = asyncio.create_task(generated(opened))
            await arrived.wait()
            running.cancel()
            await asyncio.wait([running])

            calls = await opened.services.library.generations.calls_of(failed.id + 1)
            sums = await spent(opened)

    assert failed.status is Status.FAILED
    assert [str(one.cost) for one in calls] == ['0.05 USD 4161 tokens']
    assert sums == [(None, '0.1')]


async def test_a_picture_that_is_fetched_later_has_its_cost_and_is_not_paid_twice(
    tmp_path: Path,
) -> None:
    async with upstream() as server:
        keys = {'EASEL_API_URL': f'{server.origin}/v1'}
        async with party(tmp_path / 'data', **keys) as opened:
            server.otherwise = lambda _: Reply(status=403)
            answering(server, {'data': [{'url': '/a.png'}, {'b64_json': B64}]})
            lost = await generated(opened)
            server.replies['GET /a.png'] = Reply(body=PNG)

            done = await opened.services.worker.fetch(lost.id)
            sums = await spent(opened)

    assert [str(one.cost) for one in done.images] == [
        '0.025 USD 2080 tokens',
        '0.025 USD 2081 tokens',
    ]
    assert sums == [(None, '0.05')]


async def test_a_rebuild_brings_costs_back_from_the_files(tmp_path: Path) -> None:
    async with upstream() as server:
        keys = {'EASEL_API_URL': f'{server.origin}/v1'}
        async with party(tmp_path / 'data', **keys) as opened:
            answering(server, TWO)
            await generated(opened)

    status = await asyncio.to_thread(rebuilt, tmp_path / 'data')

    library = await Library.open(tmp_path / 'data' / 'easel.db')
    costs = [one.cost for one in await library.images.page(Filter(), None, 9) if one.cost]
    spending = await library.spending.all()
    await library.close()
    assert status == 0
    assert costs == [Cost(Decimal('0.025'), 'USD', 2080), Cost(Decimal('0.025'), 'USD', 2081)]
    assert [str(one.cost) for one in spending] == ['0.05 USD 4161 tokens']


async def test_a_picture_that_an_answer_shows_twice_has_all_of_its_cost(tmp_path: Path) -> None:
    uri = f'data:image/png;base64,{B64}'
    message = {'content': f'![a]({uri})', 'images': [{'image_url': {'url': uri}}]}
    chat = {'choices': [{'message': message}], **PAID}
    async with upstream() as server:
        server.replies['POST /v1/chat/completions'] = Reply(body=json.dumps(chat).encode())
        told = settings(server, dialect=Dialect.CHAT)

        result = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'), told=told)

    assert [str(one.cost) for one in result.received] == ['0.05 USD 4161 tokens']
