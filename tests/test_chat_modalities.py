"""What a chat is asked for: pictures alone of a model that only draws, else text as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.models.request import GenerationRequest
from app.providers.core.base import Dialect
from app.providers.core.capabilities import CapabilityStore
from app.providers.dialects.parameters import only_draws
from app.providers.response.json_text import Json
from tests.support.fakes import NOT_FOUND, Asked, Reply, upstream
from tests.support.provider_calls import bodies, drawn, settings
from tests.support.second_images_api import FLUX, GEMINI, ROOT, SecondImagesServer


@pytest.mark.parametrize(('model', 'asked_for'), [(FLUX, ['image']), (GEMINI, ['image', 'text'])])
async def test_the_list_says_what_to_ask_for(
    model: str, asked_for: list[str], tmp_path: Path
) -> None:
    it, request = SecondImagesServer(), GenerationRequest(prompt='a cat', model=model)
    async with upstream() as server:
        server.otherwise = it
        told = settings(server, ROOT, dialect=Dialect.CHAT)

        result = await drawn(server, tmp_path, request, told=told)

        sent = bodies(server)
    assert [body['modalities'] for body in sent] == [asked_for]
    assert [str(one.cost) for one in result.received] == ['0.05 USD 1300 tokens']


async def test_without_a_list_a_refusal_says_it_once(tmp_path: Path) -> None:
    it, memory = SecondImagesServer(), CapabilityStore()
    request = GenerationRequest(prompt='a cat', model=FLUX)

    def unlisted(asked: Asked) -> Reply:
        return NOT_FOUND if asked.method == 'GET' else it(asked)

    async with upstream() as server:
        server.otherwise = unlisted
        told = settings(server, ROOT, dialect=Dialect.CHAT)
        for folder in ('one', 'two'):
            result = await drawn(server, tmp_path / folder, request, memory, told)

        sent = [body['modalities'] for body in bodies(server)]
    assert sent == [['image', 'text'], ['image'], ['image']]
    assert result.dropped == ()


async def test_a_model_in_both_apis_is_asked_in_the_one_that_lists_it(tmp_path: Path) -> None:
    it, memory = SecondImagesServer(), CapabilityStore()
    async with upstream() as server:
        server.otherwise = it
        for model in (FLUX, GEMINI):
            request = GenerationRequest(prompt='a cat', model=model)
            await drawn(server, tmp_path / model, request, memory, settings(server, ROOT))

        learned = [memory.of(f'{server.origin}{ROOT}', one).dialect for one in (FLUX, GEMINI)]
    assert learned == [Dialect.OPENROUTER, Dialect.CHAT]


@pytest.mark.parametrize(
    ('row', 'only'),
    [
        ({'architecture': {'output_modalities': ['image']}}, True),
        ({'output_modalities': ['image']}, True),
        ({'output_modalities': ['text', 'image']}, False),
        ({'output_modalities': 'image'}, False),
        ({'architecture': None}, False),
        ({}, False),
    ],
)
def test_only_a_list_without_text_says_that_a_model_only_draws(
    row: dict[str, Json], only: bool
) -> None:
    assert only_draws({'data': [7, {'id': 'm', **row}]}, 'm') is only
