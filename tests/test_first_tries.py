"""What is asked after a first refusal, over real sockets: another value, a model of the list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError
from app.models.request import GenerationRequest, Size
from app.net.client import HttpClient
from app.providers.core.base import Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.provider import ApiProvider
from app.providers.response.json_text import Json
from tests.support.fakes import Asked, Reply, storing, upstream
from tests.support.provider_calls import B64, ONE, bodies, drawn, settings
from tests.support.raw_requests import HOME, knock, open_door
from tests.support.rows import failed, running, submitted

FIELD = json.loads(
    (Path(__file__).parent / 'data/field/upstream_answers.json').read_text(encoding='utf-8')
)
ROOT = '/sdapi/v1'
REFUSED = ErrorKind.UNSUPPORTED_PARAM
DRAWN = Reply(body=json.dumps({'images': [B64]}).encode())
FAULT = Reply(status=500, body=b'{"error": {"message": "Request execution failed"}}')


def said(status: int, body: Json) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())


def choosy(name: str, refuses: Callable[[dict[str, Json]], bool]) -> Callable[[Asked], Reply]:
    """A server that refuses as the field report `name` says."""
    refusal = said(FIELD[name]['status'], FIELD[name]['body'])

    def answer(asked: Asked) -> Reply:
        if asked.method == 'GET':
            return Reply(status=404)
        return refusal if refuses(json.loads(asked.body)) else DRAWN

    return answer


async def test_a_refused_sampler_is_no_refusal_of_another(tmp_path: Path) -> None:
    memory = CapabilityStore()
    async with upstream() as server:
        server.otherwise = choosy(
            'sampler', lambda body: body.get('sampler_name') not in (None, 'DPM++ 2M', 'Euler a')
        )
        for sampler in [*FIELD['sampler']['asks'], FIELD['sampler']['asks'][0]]:
            request = GenerationRequest(prompt='a fox', sampler=sampler)
            await drawn(server, tmp_path / 'a', request, memory, settings(server, ROOT))

    sent = [body.get('sampler_name') for body in bodies(server)]
    assert sent == ['DPM++ 2M Karras', None, 'Euler a', None]
    assert memory.of(f'{server.origin}{ROOT}', 'flux').refused == ('sampler_name=DPM++_2M_Karras',)


async def test_both_sides_of_a_refused_size_change_and_the_picture_says_so(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = choosy('half_a_size', lambda body: int(str(body['width'])) > 1024)

        request = GenerationRequest(prompt='a fox', size=Size.parse(FIELD['half_a_size']['ask']))
        result = await drawn(server, tmp_path, request, told=settings(server, ROOT))

    assert [(body['width'], body['height']) for body in bodies(server)] == [
        (1536, 768),
        (1024, 512),
    ]
    assert result.dropped == ('size',)


async def test_a_size_that_a_500_names_is_left_to_the_person(tmp_path: Path) -> None:
    words = 'height and width have to be divisible by 8 but are 204 and 500'
    async with upstream() as server:
        server.otherwise = lambda _: said(500, {'error': {'message': words}})

        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='a', size=Size(204, 500)))

    assert caught.value.failure.offers[:2] == ('208x504', '200x496')
    assert len(bodies(server)) == 1


async def test_a_gateway_that_fails_of_a_stream_is_asked_without_one_from_then_on(
    tmp_path: Path,
) -> None:
    memory = CapabilityStore()
    async with upstream() as server:
        server.otherwise = lambda asked: FAULT if b'"stream"' in asked.body else ONE
        told = settings(server, previews=True)
        for _ in range(2):
            await drawn(server, tmp_path, GenerationRequest(prompt='a'), memory, told)

    assert ['stream' in body for body in bodies(server)] == [True, False, False]
    assert memory.of(f'{server.origin}/v1', 'flux').refused == ('stream', 'partial_images')


async def test_a_server_that_fails_anyway_is_not_asked_a_third_time(tmp_path: Path) -> None:
    memory = CapabilityStore()
    async with upstream() as server:
        server.otherwise = lambda _: FAULT

        told = settings(server, previews=True)
        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, GenerationRequest(prompt='a'), memory, told)

    assert len(bodies(server)) == 2
    assert memory.of(f'{server.origin}/v1', 'flux').refused == ()


def listing(*names: str, refusal: Reply = FAULT) -> Callable[[Asked], Reply]:
    """A server that lists models and draws with one of them only."""
    rows = said(200, {'data': [{'id': name} for name in names]})

    def answer(asked: Asked) -> Reply:
        if asked.method == 'GET':
            return rows
        return ONE if json.loads(asked.body).get('model') in names else refusal

    return answer


@pytest.mark.parametrize(
    ('listed', 'model', 'default'),
    [
        (('sdxl', 'flux'), 'flux', 'flux'),
        (('sdxl', 'llama'), 'flux', ''),
        (('flux:latest',), 'flux', 'flux'),
        ((), 'flux', 'flux'),
    ],
)
async def test_a_default_model_is_sent_where_it_is_listed_or_nothing_is(
    listed: tuple[str, ...], model: str, default: str
) -> None:
    http_client = HttpClient()
    async with upstream() as server:
        server.otherwise = listing(*listed)

        found = await ApiProvider(settings(server, model=model), http_client).default_model()
        await http_client.close()

    assert found == default


@pytest.mark.parametrize(
    'refusal',
    [
        FAULT,
        said(400, {'error': {'message': 'Invalid model name passed in model=None.'}}),
        said(422, {'detail': [{'loc': ['body', 'model'], 'msg': 'Field required'}]}),
    ],
    ids=['g4f', 'LiteLLM', 'FastAPI'],
)
async def test_a_server_that_wants_a_model_gets_the_first_of_its_list_that_draws(
    refusal: Reply, tmp_path: Path
) -> None:
    http_client = HttpClient()
    async with upstream() as server, storing(tmp_path) as store:
        server.otherwise = listing('llama', 'sdxl', refusal=refusal)
        provider = ApiProvider(settings(server, model=''), http_client)
        request, run = GenerationRequest(prompt='a'), Run(store.new_temp_file)

        first = await provider.generate(request, run)
        await provider.generate(request, run)
        await http_client.close()

    assert first.model == 'sdxl'
    assert [body.get('model') for body in bodies(server)] == [None, 'sdxl', 'sdxl']


async def test_a_model_that_was_named_is_never_exchanged(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = listing('llama', 'sdxl')

        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='a', model='sdxk'))

    assert len(bodies(server)) == 1
    assert caught.value.failure.kind is ErrorKind.UPSTREAM_ERROR
    assert caught.value.failure.offers == ('sdxl',)


@pytest.mark.parametrize(
    ('failure', 'link', 'filled'),
    [
        (Failure(kind=REFUSED, param='width', value='204x500', offers=('208x504',)), 'size=208x504',
         'value="208x504"'),
        (Failure(kind=ErrorKind.MODEL_NOT_FOUND, offers=('sd xl',)), 'model=sd+xl',
         'value="sd xl"'),
        (Failure(kind=REFUSED, param='batch_size', value='4', offers=('2',)), 'n=2',
         '<option selected>2'),
    ],
    ids=['size', 'model', 'count'],
)  # fmt: skip
async def test_what_may_be_taken_instead_is_one_press_away(
    failure: Failure, link: str, filled: str, tmp_path: Path
) -> None:
    async with open_door(tmp_path) as (app, services):
        claimed = await running(services.library)
        await services.library.generations.finish(claimed, failed(failure), 3.0)
        address = f'/?from={claimed.id}&bring=all&{link}'

        shown = (await knock(app, 'GET', '/', HOME)).body.decode()
        form = (await knock(app, 'GET', address, HOME)).body.decode()

    assert f'href="{address.replace("&", "&amp;")}"' in shown
    assert filled in form
    assert 'a cat</textarea>' in ''.join(form.split('\n'))


async def test_a_cancelled_one_that_was_sent_says_that_the_server_may_go_on(tmp_path: Path) -> None:
    async with open_door(tmp_path) as (app, services):
        begun, waiting = await running(services.library), await submitted(services.library)
        pages = []
        for one in (begun, waiting):
            await services.library.generations.cancel(one.id, 3.0)
            pages.append((await knock(app, 'GET', f'/generations/{one.id}', HOME)).body.decode())

    assert ['may still be generating' in page for page in pages] == [True, False]
