"""What the composer suggests and begins with: models, earlier prompts, seeds, what is set."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from app.models.request import GenerationRequest
from app.providers.settings import Secrets
from app.web.pages.suggestions import MOST_MODELS
from app.web.receiving.form_page import OF_A_LONG_LIST
from app.web.views.provider_form import NEW
from tests.support.fakes import Reply, upstream
from tests.support.guests import JSON, Party, party
from tests.support.local_servers import models
from tests.support.raw_requests import Answered

pytestmark = pytest.mark.asyncio(loop_scope='module')

FEW = ('flux', 'sdxl-turbo')
MANY = tuple(f'vendor-{number % 37}/Image-{number}' for number in range(1_900))
FRAGMENT = (b'x-fragment', b'true')


def list_of(*names: str) -> dict[str, Reply]:
    return {'GET /v1/models': Reply(body=json.dumps(models(*names)).encode())}


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    """Two servers, the environment's known by its address; the owner has asked for pictures."""
    data: Path = tmp_path_factory.mktemp('suggestions') / 'data'
    async with (
        upstream(list_of(*FEW)) as few,
        upstream(list_of(*MANY)) as many,
        party(data, EASEL_API_URL=f'{few.origin}/v1') as opened,
    ):
        services = opened.services
        row = replace(NEW, name='studio', base_url=f'{many.origin}/v1')
        await services.provider_settings.add(row, Secrets())
        for one in services.providers.all():
            await one.ask_again()
        for prompt, seed in (('a hut', 5), ('a fox', None), ('a hut', None)):
            await ask(opened, prompt, seed)
        yield opened


async def ask(guests: Party, prompt: str, seed: int | None) -> int:
    request = GenerationRequest(prompt=prompt, model='sdxl-turbo', seed=seed, steps=30)
    rows = guests.services.library.generations
    sent = await rows.submit(request, provider='fake', submission=None, now=1.0)
    return sent.generation.id


async def found(guests: Party, query: str, who: str = 'owner') -> dict[str, object]:
    answer = await guests.request(who, 'GET', f'/models.json?q={query}')
    return cast('dict[str, object]', json.loads(answer.body))


def fields_of(page: Answered) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page.body.decode()))


async def test_models_are_found_by_parts_of_their_names_at_every_server(guests: Party) -> None:
    both, one = await found(guests, ''), await found(guests, 'IMAGE+vendor-7%2F')

    names = [model['name'] for model in cast('list[dict[str, str]]', one['models'])]
    assert both['total'] == len(FEW) + len(MANY)
    assert both['recent'] == ['sdxl-turbo']
    assert len(cast('list[object]', both['models'])) <= MOST_MODELS
    assert names == [name for name in MANY if 'vendor-7/' in name][:MOST_MODELS]
    assert one['recent'] == []


async def test_models_are_grouped_by_server_the_recent_ones_first(guests: Party) -> None:
    few = guests.services.providers.environment.name

    page = (await guests.request('owner', 'GET', '/models', FRAGMENT)).body.decode()

    groups = re.findall(r'role="presentation">(?:<bdi>)?([^<]+)', page)
    assert groups == ['Recent', few, 'studio']
    assert page.count('role="option"') == 1 + len(FEW) + MOST_MODELS // 2
    assert f'{len(MANY) - MOST_MODELS // 2:,} more: type part of' in page


async def test_a_guest_is_told_no_address_and_nothing_of_what_others_asked_for(
    guests: Party,
) -> None:
    address = guests.services.providers.environment.name.encode()

    fragment = await guests.request('maker', 'GET', '/models', FRAGMENT)
    told = await found(guests, '', 'maker')
    prompts = await guests.request('maker', 'GET', '/prompts.json')
    form = await guests.request('maker', 'GET', '/')

    servers = {model['server'] for model in cast('list[dict[str, str]]', told['models'])}
    assert address not in fragment.body
    assert address not in form.body
    assert b'name="provider" value="studio"' in form.body
    assert servers == {'server', 'studio'}
    assert told['recent'] == []
    assert json.loads(prompts.body) == {'prompts': ['by the maker']}
    assert (await guests.request('looker', 'GET', '/prompts', JSON)).status == 403


async def test_earlier_prompts_are_ones_own_each_once_the_newest_first(guests: Party) -> None:
    told = await guests.request('owner', 'GET', '/prompts.json')
    page = await guests.request('owner', 'GET', '/prompts')

    assert json.loads(told.body) == {'prompts': ['a hut', 'a fox', 'by the owner']}
    assert re.search(rb'href="/\?from=\d+&amp;bring=prompt">a fox</a>', page.body)


async def test_a_page_with_thousands_of_models_lists_few_of_them(guests: Party) -> None:
    page = await guests.request('owner', 'GET', '/')

    listed = re.search(rb'<datalist id="models">(.*?)</datalist>', page.body, re.DOTALL)
    assert listed
    assert listed[1].count(b'<option') == len(FEW) + OF_A_LONG_LIST


async def test_a_rolled_seed_is_known_before_it_is_sent(guests: Party) -> None:
    number = await ask(guests, 'a hut', None)

    first, second = [
        fields_of(await guests.request('owner', 'GET', f'/?from={number}&seed=roll'))['seed']
        for _ in range(2)
    ]

    assert first.isdigit()
    assert first != second


async def test_what_a_picture_set_is_counted_and_shown(guests: Party) -> None:
    number = await ask(guests, 'a hut', None)

    page = await guests.request('owner', 'GET', f'/?from={number}')
    later = await guests.request('owner', 'GET', '/')

    assert b'<details class="more" open>' in page.body
    assert b'<b data-count> \xc2\xb7 1</b>' in page.body
    assert b'<details class="more">' in later.body
    assert b'<b data-count> \xc2\xb7 1</b>' in later.body


async def test_settings_are_reset_without_scripts_and_the_prompt_stays(guests: Party) -> None:
    await ask(guests, 'a hut', 5)

    page = await guests.request('owner', 'GET', '/?bring=prompt&prompt=kept&steps=30&seed=5')

    assert b'kept</textarea>' in page.body
    assert not any(fields_of(page).get(name) for name in ('seed', 'steps', 'model'))


@pytest.mark.parametrize('name', ['prompt', 'seed', 'size', 'n', 'steps', 'guidance', 'sampler'])
async def test_every_wrong_field_names_its_sentence_and_is_gone_to(
    guests: Party, name: str
) -> None:
    fields = {'prompt': 'x', name: '' if name == 'prompt' else 'y\x00' * 100}

    page = (await guests.request('owner', 'POST', '/generations', **fields)).body.decode()

    pointing = f'aria-describedby="wrong-{name}" aria-invalid="true" autofocus'
    assert re.search(rf'name="{name}(_other)?"[^>]*{pointing}', page)
    assert re.search(rf'<p class="wrong" id="wrong-{name}">[^<]+</p>', page)
    assert page.count('aria-invalid') == 1
    assert ('class="more" open' in page) == (name in ('steps', 'guidance', 'sampler'))
