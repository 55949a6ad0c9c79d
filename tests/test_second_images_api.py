"""The second images API (OpenRouter, NanoGPT): found by itself, and asked in its own words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.models.request import GenerationRequest, Size
from app.net.client import HttpClient
from app.providers.core.base import Dialect, ProviderState
from app.providers.core.capabilities import CapabilityStore
from app.providers.core.parameters import NAMES, ModelParameters, Parameter
from app.providers.dialects.openrouter import fields_of
from app.providers.dialects.parameters import parameters_in
from app.providers.dialects.sizes import nearest_ratio
from app.providers.provider import ApiProvider
from app.providers.response.json_text import Json, loads
from app.web.views.limits import Limits
from tests.support.fakes import NOT_FOUND, Asked, Reply, Upstream, upstream
from tests.support.provider_calls import drawn, settings
from tests.support.raw_requests import HOME, knock, open_door
from tests.support.second_images_api import (
    FLUX,
    GEMINI,
    LISTED,
    NANO,
    ROOT,
    SEEDREAM,
    SecondImagesServer,
    answer,
)

CAT = GenerationRequest(prompt='a cat', model=SEEDREAM)
TAKEN = parameters_in({'data': [{'id': m, 'supported_parameters': p} for m, p in LISTED.items()]})


def posts(server: Upstream) -> list[str]:
    return [one.target.removeprefix(ROOT) for one in server.asked if one.method == 'POST']


async def test_it_is_found_behind_a_404_and_then_asked_at_once(tmp_path: Path) -> None:
    memory, it = CapabilityStore(), SecondImagesServer()
    async with upstream() as server:
        server.otherwise = it
        told = settings(server, ROOT)
        first = await drawn(server, tmp_path / 'one', replace(CAT, n=3), memory, told)
        await drawn(server, tmp_path / 'two', CAT, memory, told)

        learned = memory.of(told.base_url, SEEDREAM)

    assert posts(server) == ['/images/generations', '/images', '/images']
    assert (learned.dialect, it.refused) == (Dialect.OPENROUTER, [])
    assert it.bodies[0] == {'model': SEEDREAM, 'prompt': 'a cat', 'n': 3}
    assert [str(one.cost) for one in first.received] == [
        '0.0166666667 USD', '0.0166666667 USD', '0.0166666666 USD',
    ]  # fmt: skip


async def test_the_root_is_found_too_where_only_the_host_was_given(tmp_path: Path) -> None:
    memory = CapabilityStore()
    async with upstream() as server:
        server.otherwise = SecondImagesServer()

        told = settings(server, '/v1')
        await drawn(server, tmp_path, CAT, memory, told)

    assert memory.of(told.base_url, SEEDREAM).base_url == f'{server.origin}{ROOT}'


async def test_a_dialect_that_the_owner_chose_is_asked_without_a_detour(tmp_path: Path) -> None:
    it = SecondImagesServer()
    request = GenerationRequest(
        prompt='a cat', model=FLUX, size=Size(1536, 1024), seed=1001, quality='high', steps=20
    )
    async with upstream() as server:
        server.otherwise = it

        told = settings(server, ROOT, dialect=Dialect.OPENROUTER)
        result = await drawn(server, tmp_path, request, told=told)

    assert posts(server) == ['/images']
    assert it.bodies == [{'model': FLUX, 'prompt': 'a cat', 'size': '1536x1024', 'quality': 'high'}]
    assert result.dropped == ('seed', 'steps')


async def test_a_charged_call_is_not_made_again_elsewhere(tmp_path: Path) -> None:
    async with upstream() as server:
        it = SecondImagesServer()

        def empty(asked: Asked) -> Reply:
            paid = asked.target == f'{ROOT}/images'
            return answer({'data': [], 'usage': {'cost': 1}}) if paid else it(asked)

        server.otherwise = empty
        with pytest.raises(Exception, match='empty'):
            await drawn(server, tmp_path, CAT, told=settings(server, ROOT))

    assert posts(server) == ['/images/generations', '/images']


@pytest.mark.parametrize(
    ('model', 'size', 'sent'),
    [
        (SEEDREAM, Size(1024, 1024), {'aspect_ratio': '1:1', 'resolution': '1K'}),
        (SEEDREAM, Size(1536, 1024), {'aspect_ratio': '3:2', 'resolution': '1K'}),
        (SEEDREAM, Size(1920, 1080), {'aspect_ratio': '16:9', 'resolution': '2K'}),
        (SEEDREAM, Size(3840, 2160), {'aspect_ratio': '16:9', 'resolution': '4K'}),
        (SEEDREAM, Size(16, 16384), {'aspect_ratio': '9:19.5', 'resolution': '4K'}),
        (FLUX, Size(1000, 1000), {'size': '1000x1000'}),
        (NANO, Size(1600, 1000), {'resolution': '1536x1024'}),
        (NANO, Size(512, 512), {'resolution': '1024x1024'}),
    ],
)
def test_a_size_is_asked_for_in_what_the_model_takes(
    model: str, size: Size, sent: dict[str, object]
) -> None:
    assert fields_of(GenerationRequest(prompt='a', size=size), TAKEN[model]) == sent


def test_of_a_model_that_is_not_listed_the_plain_fields_are_sent() -> None:
    request = GenerationRequest(prompt='a', size=Size(64, 64), n=2, seed=1, steps=9, quality='hd')

    sent = fields_of(request, None)

    assert sent == {'size': '64x64', 'n': 2, 'seed': 1, 'quality': 'hd'}


def test_a_count_is_cut_to_what_the_model_takes() -> None:
    assert fields_of(GenerationRequest(prompt='a', n=9), TAKEN[SEEDREAM]) == {'n': 4}
    assert fields_of(GenerationRequest(prompt='a', n=9), TAKEN[FLUX]) == {}


@pytest.mark.parametrize(
    'ratio', ['auto', ':', '1:0', '0:1', '-1:1', 'x:y', '1e999:1', 'nan:1', '1']
)
def test_a_ratio_that_is_none_is_never_chosen(ratio: str) -> None:
    assert nearest_ratio(Size(64, 64), [ratio]) is None
    assert nearest_ratio(Size(64, 64), [ratio, '9:16']) == '9:16'


@pytest.mark.parametrize(
    'told',
    [
        *('[]', '7', '"x"', '{"type": "enum"}', '{"values": {}}', '{"values": [[], null]}'),
        *('{"min": NaN, "max": 1e400}', '{"min": "1", "max": true}', '{"min": 9, "max": 1}'),
        f'{{"values": ["{"x" * 500}", "\\u0007", ""]}}',
    ],
)
def test_a_hostile_range_is_no_range(told: str) -> None:
    row = f'{{"id": "m", "supported_parameters": {{"n": {told}}}}}'

    tree = loads(f'{{"data": [{row}, 7, {{"id": 7}}]}}')

    assert parameters_in(tree) == {'m': ModelParameters({'n': Parameter()})}


def test_a_list_is_read_with_its_ranges_in_other_words() -> None:
    told: Json = {'size': {'enum': ['auto']}, 'n': {'minimum': 1, 'maximum': 2}}
    row: Json = {'id': 'm', 'supported_parameters': told}
    fields = {'size': Parameter(('auto',)), 'n': Parameter(least=1, most=2)}

    read = [parameters_in([row]), parameters_in({'models': [row]})]

    assert read == [{'m': ModelParameters(fields)}] * 2


def test_a_listed_size_that_no_picture_has_is_never_asked_for() -> None:
    taken = ModelParameters({'size': Parameter(('0x0', '999999999999x1', '1024x1024'))})

    sent = fields_of(GenerationRequest(prompt='a', size=Size(2048, 64)), taken)

    assert sent == {'size': '1024x1024'}


async def test_the_list_tells_models_and_what_each_takes() -> None:
    async with upstream() as server:
        server.otherwise = SecondImagesServer()
        http_client = HttpClient()

        status = await ApiProvider(settings(server, ROOT), http_client).list_models()
        await http_client.close()

    assert status.models == (SEEDREAM, FLUX, NANO, GEMINI)
    assert status.drawing == 3
    assert status.parameters[SEEDREAM].of('n') == Parameter(least=1, most=4)
    assert status.parameters[SEEDREAM].of('steps') is None


async def test_a_server_without_such_a_list_is_asked_for_it_once() -> None:
    async with upstream() as server:
        server.replies['GET /v1/models'] = answer({'data': [{'id': 'flux'}]})
        server.otherwise = lambda _: NOT_FOUND
        http_client = HttpClient()
        provider = ApiProvider(settings(server), http_client)

        statuses = [await provider.list_models() for _ in range(2)]
        await http_client.close()

    assert [one.state for one in statuses] == [ProviderState.LIST] * 2
    assert [one.target for one in server.asked].count('/v1/images/models') == 1


async def test_the_form_goes_by_what_the_model_takes(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = SecondImagesServer()
        keys = {'EASEL_API_URL': f'{server.origin}{ROOT}', 'EASEL_API_MODEL': NANO}
        async with open_door(tmp_path / 'data', **keys) as (app, services):
            await services.providers.environment.ask_again()

            page = (await knock(app, 'GET', '/', HOME)).body.decode()
            told = (await knock(app, 'GET', f'/limits.json?model={SEEDREAM}', HOME)).body
            unknown = (await knock(app, 'GET', '/limits.json?model=x', HOME)).body

    assert re.search(r'name="steps"[^>]* type="number" step="any" min="1" max="50"', page)
    assert re.search(r'data-field="steps">\(1–50\)</small>', page)
    assert re.search(r'data-field="sampler">\(not supported\)<', page)
    assert re.search(r'data-field="size" hidden></small>', page)
    assert 'js/model-limits' in page
    limits = json.loads(told)
    assert limits['n'] == {'values': [], 'least': '1', 'most': '4'}
    assert (limits['steps'], json.loads(unknown)) == (None, {})


async def test_without_such_a_list_the_form_is_as_it_was(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data') as (app, _):
        page = (await knock(app, 'GET', '/', HOME)).body.decode()

    assert 'model-limits' not in page
    assert 'type="number"' not in page
    assert set(re.findall(r'class="quiet limit"[^>]*>', page)) == {
        f'class="quiet limit" data-field="{name}" hidden>' for name in NAMES
    }


def test_a_range_of_counts_turns_the_higher_ones_off() -> None:
    limits = Limits(TAKEN[SEEDREAM])

    assert [number for number in range(1, 11) if limits.of('n').allows(number)] == [1, 2, 3, 4]
    assert [number for number in range(1, 11) if Limits(TAKEN[FLUX]).of('n').allows(number)] == [1]
    assert all(Limits().of('n').allows(number) for number in range(1, 11))


def test_a_field_that_is_told_to_be_off_is_not_taken() -> None:
    limit: Json = {'type': 'range', 'min': 1, 'max': 4}
    fields: Json = {'n': limit, 'seed': False, 'quality': None}

    taken = parameters_in({'data': [{'id': 'm', 'supported_parameters': fields}]})

    assert [*taken['m'].fields] == ['n']


async def test_a_list_that_names_models_alone_shows_the_api_too(tmp_path: Path) -> None:
    it = SecondImagesServer()

    def bare(asked: Asked) -> Reply:
        is_list = asked.target == f'{ROOT}/images/models'
        return answer({'data': [{'id': FLUX}]}) if is_list else it(asked)

    async with upstream() as server:
        server.otherwise = bare
        request = GenerationRequest(prompt='a cat', model=FLUX, size=Size(64, 64))
        await drawn(server, tmp_path, request, told=settings(server, ROOT))

    assert it.bodies == [{'model': FLUX, 'prompt': 'a cat', 'size': '64x64'}]
