"""Prompts that a server would read as more than words: told, or refused before it is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import InvalidRequest
from app.generation.request import parse_request
from tests.support.default_setup import first_start, page, post
from tests.support.fakes import Reply, asking, upstream
from tests.support.local_servers import models

DESCRIPTION = 'GET /.well-known/localai.json'
LIST = 'GET /v1/models'
LIMITS = 'GET /v1/images/models'  # of the second images API, once a while
LOCALAI = {
    LIST: Reply(body=json.dumps(models('sd-1.5')).encode()),
    DESCRIPTION: Reply(body=b'{"version": "v3.1", "endpoints": {"models": "/v1/models"}}'),
}


async def test_localai_is_known_by_its_own_description_and_asked_for_it_once() -> None:
    async with upstream(LOCALAI) as fake, asking(f'{fake.origin}/v1') as provider:
        listings = [await provider.list_models() for _ in range(2)]

    assert [listing.bars_split for listing in listings] == [True, True]
    asked = [f'{one.method} {one.target}' for one in fake.asked]
    assert asked == [LIST, DESCRIPTION, LIMITS, LIST]


@pytest.mark.parametrize(
    'said', [Reply(status=404), Reply(body=b'{"version": "1"}'), Reply(status=None)]
)
async def test_whoever_lists_as_barely_is_not_taken_for_localai(said: Reply) -> None:
    async with (
        upstream({**LOCALAI, DESCRIPTION: said}) as fake,
        asking(f'{fake.origin}/v1') as provider,
    ):
        listing = await provider.list_models()

    assert listing.models == ('sd-1.5',)
    assert not listing.bars_split


async def test_whoever_says_more_of_its_models_is_not_asked() -> None:
    owned = Reply(body=json.dumps(models('flux', owned_by='me')).encode())
    async with upstream({**LOCALAI, LIST: owned}) as fake, asking(f'{fake.origin}/v1') as provider:
        listing = await provider.list_models()

    assert not listing.bars_split
    assert [f'{one.method} {one.target}' for one in fake.asked] == [LIST, LIMITS]


async def test_the_form_tells_what_a_bar_does_on_localai_and_only_there(tmp_path: Path) -> None:
    async with upstream(LOCALAI) as fake, first_start(tmp_path, {}) as (app, services):
        before = await page(app, '/')
        await post(app, '/settings/providers', base_url=f'{fake.origin}/v1', name='studio')
        await services.providers.all()[0].ask_again()

        after = await page(app, '/')

    warning = (
        'studio is a LocalAI server: it treats whatever follows a | in the prompt as a '
        'negative prompt'
    )
    assert 'LocalAI' not in before
    assert warning in after


@pytest.mark.parametrize('tag', ['<sd_cpp_extra_args>', '<SD_CPP_EXTRA_ARGS>'])
def test_the_tag_of_sd_server_is_refused_with_its_reason(tag: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request({'prompt': f'a fox {tag}{{"steps": 1}}</sd_cpp_extra_args>'})

    assert 'sd-server would read <sd_cpp_extra_args>' in str(caught.value.fields['prompt'])


def test_the_tag_s_name_alone_is_only_words() -> None:
    request = parse_request({'prompt': 'a poster about sd_cpp_extra_args | in blue'})

    assert request.prompt == 'a poster about sd_cpp_extra_args | in blue'
