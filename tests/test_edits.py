"""Edits: what arrives at each server, in its own words, and that none is paid for twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError, Reason
from app.models.request import GenerationRequest, Size
from app.providers.core.base import Dialect
from app.providers.core.capabilities import Capabilities, CapabilityStore, Use
from tests.support.edit_input import COLOURS, intended
from tests.support.edit_servers import EditServer
from tests.support.edits import MASKED, PROMPT, edited
from tests.support.form_servers import FORM_SERVERS, LiteLlm, NanoGpt, OpenAi, StableDiffusionCpp
from tests.support.json_edit_servers import JSON_SERVERS, Chat, LocalXai, OpenRouter, Xai
from tests.support.named_edit_servers import NAMED_SERVERS, SINGLE_SERVERS, SingleFal
from tests.support.odd_edit_servers import ChatWithCheckpoints, Curt, Moved, Picky, WordsAlone
from tests.support.own_edit_servers import (
    OWN_SERVERS,
    Automatic,
    G4f,
    KoboldCpp,
    LocalAi,
    LocalTogether,
    NewApi,
    OpenWebUi,
)

pytestmark = pytest.mark.asyncio(loop_scope='module')

Kind = Callable[[], EditServer]
SERVERS: tuple[Kind, ...] = (*FORM_SERVERS, *JSON_SERVERS, *OWN_SERVERS, *NAMED_SERVERS)


@pytest.mark.parametrize(
    ('kind', 'count'), [*product(SERVERS, (1, 3)), *product(SINGLE_SERVERS, (1,))]
)
async def test_each_server_starts_from_the_pictures_in_their_order_and_is_paid_once(
    kind: Kind, count: int, tmp_path: Path
) -> None:
    server, memory = kind(), CapabilityStore()

    result = await edited(server, tmp_path, count, memory=memory)

    assert len(result.received) == server.drawings == 1
    assert len(server.posts) <= 2
    assert server.colours == COLOURS[:count]
    assert server.edited is None
    before = len(server.posts)
    await edited(server, tmp_path, count, memory=memory)
    assert len(server.posts) == before + 1


@pytest.mark.parametrize('kind', [*SERVERS, *SINGLE_SERVERS])
async def test_each_server_gets_the_mask_that_is_meant_or_it_is_said(
    kind: Kind, tmp_path: Path
) -> None:
    server, memory = kind(), CapabilityStore()

    result = await edited(server, tmp_path, 1, MASKED, memory)

    assert len(result.received) == server.drawings == 1
    assert len(server.posts) <= 2
    found = server.edited.tobytes() if server.edited else b''
    assert found == (intended().tobytes() if server.takes_mask else b'')
    assert ('mask' in result.dropped) != (server.takes_mask or server.ignores_mask)
    before = len(server.posts)
    await edited(server, tmp_path, 1, MASKED, memory)
    assert len(server.posts) == before + 1


@pytest.mark.parametrize('kind', [G4f, NewApi, WordsAlone])
@pytest.mark.parametrize('request_', [PROMPT, MASKED], ids=['plain', 'masked'])
async def test_a_server_that_cannot_start_from_pictures_is_never_paid(
    kind: Kind, request_: GenerationRequest, tmp_path: Path
) -> None:
    server = kind()

    with pytest.raises(ProviderError) as caught:
        await edited(server, tmp_path, 2, request_)

    failure = caught.value.failure
    assert (failure.kind, failure.reason) == (ErrorKind.ENDPOINT_NOT_FOUND, Reason.CANNOT_EDIT)
    assert server.drawings == 0
    assert {*server.posts} <= {'/v1/images/edits', '/v1/images'}


@pytest.mark.parametrize(
    ('kind', 'count', 'request_', 'most'), [(Xai, 4, PROMPT, '3'), (LocalAi, 2, MASKED, '1')]
)
async def test_more_pictures_than_a_server_takes_are_refused_before_it_is_asked(
    kind: Kind, count: int, request_: GenerationRequest, most: str, tmp_path: Path
) -> None:
    server = kind()

    with pytest.raises(ProviderError) as caught:
        await edited(server, tmp_path, count, request_)

    failure = caught.value.failure
    assert (failure.reason, failure.value) == (Reason.TOO_MANY_SOURCES, most)
    assert server.posts == []


@pytest.mark.parametrize(
    ('request_', 'path'), [(PROMPT, '/api/v1/images'), (MASKED, '/api/v1/images/edits')]
)
async def test_a_mask_goes_first_to_where_masks_are_taken(
    request_: GenerationRequest, path: str, tmp_path: Path
) -> None:
    server = NanoGpt()

    result = await edited(server, tmp_path, 1, request_)

    assert server.posts == [path]
    assert server.drawings == 1
    assert result.dropped == ()


FULL = replace(PROMPT, seed=7, steps=9, strength='0.4', size=Size(64, 32), sampler='Euler a')


@pytest.mark.parametrize(
    ('kind', 'dropped', 'fields'),
    [
        (OpenAi, {'seed', 'steps', 'strength', 'sampler'}, {'size': '64x32'}),
        (StableDiffusionCpp, {'seed', 'steps', 'strength', 'sampler'}, {'size': '64x32'}),
        (
            Automatic,
            set(),
            {'denoising_strength': 0.4, 'seed': 7, 'steps': 9, 'width': 64, 'height': 32},
        ),
        (Chat, {'steps', 'strength', 'sampler'}, {'seed': 7}),
        (LocalXai, {'seed', 'steps', 'strength', 'sampler'}, {'aspect_ratio': '2:1'}),
        (LocalTogether, {'strength', 'sampler'}, {'width': 64, 'height': 32, 'steps': 9}),
        (OpenWebUi, {'seed', 'steps', 'strength', 'sampler'}, {'size': '64x32'}),
    ],
)
async def test_what_a_way_has_no_field_for_is_said(
    kind: Kind, dropped: set[str], fields: dict[str, object], tmp_path: Path
) -> None:
    server = kind()

    result = await edited(server, tmp_path, 1, FULL)

    assert server.drawings == 1
    assert set(result.dropped) == dropped
    assert fields.items() <= server.fields.items()


async def test_a_square_that_is_drawn_of_any_picture_is_said(tmp_path: Path) -> None:
    result = await edited(LocalAi(), tmp_path, 1, MASKED)

    assert result.dropped == ('size',)


async def test_a_way_that_was_learned_and_is_gone_is_forgotten(tmp_path: Path) -> None:
    server, memory = OpenAi(), CapabilityStore()
    await memory.learn(server.base_url, 'flux', Capabilities(way='references'), Use.EDITS)

    await edited(server, tmp_path, memory=memory)

    assert server.posts == ['/v1/images', '/v1/images/edits']
    assert memory.of(server.base_url, 'flux', Use.EDITS).way == 'openai'
    assert memory.of(server.base_url, 'flux') == Capabilities()


async def test_what_edits_refuse_is_still_sent_with_words_alone(tmp_path: Path) -> None:
    server, memory = OpenAi(), CapabilityStore()

    await edited(server, tmp_path, 1, replace(PROMPT, quality='hd'), memory)

    assert memory.of(server.base_url, 'flux', Use.EDITS).refused == ('quality',)
    assert memory.of(server.base_url, 'flux').refused == ()
    assert 'edit_refused' in memory.known_of(server.base_url)['flux']


@pytest.mark.parametrize(
    ('dialect', 'kind'),
    [
        (Dialect.CHAT, Chat),
        (Dialect.OPENROUTER, OpenRouter),
        (Dialect.SDAPI, Automatic),
        (Dialect.OPENAI, OpenAi),
    ],
)
async def test_an_api_type_that_was_chosen_is_kept_to(
    dialect: Dialect, kind: Kind, tmp_path: Path
) -> None:
    server = kind()

    await edited(server, tmp_path, dialect=dialect)

    assert (len(server.posts), server.drawings) == (1, 1)


async def test_a_chosen_images_api_without_edits_is_not_left_for_another(tmp_path: Path) -> None:
    server = Chat()

    with pytest.raises(ProviderError) as caught:
        await edited(server, tmp_path, dialect=Dialect.OPENAI)

    assert caught.value.failure.reason == Reason.CANNOT_EDIT
    assert server.posts == ['/v1/images/edits']


@pytest.mark.parametrize(
    ('request_', 'path'), [(PROMPT, '/v1/chat/completions'), (MASKED, '/sdapi/v1/img2img')]
)
async def test_of_two_ways_that_are_left_a_mask_takes_the_one_that_takes_it(
    request_: GenerationRequest, path: str, tmp_path: Path
) -> None:
    server = ChatWithCheckpoints()

    await edited(server, tmp_path, 1, request_)

    assert server.posts == ['/v1/images/edits', path]
    assert server.drawings == 1


async def test_a_server_that_has_edits_and_refuses_this_one_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as caught:
        await edited(Picky(), tmp_path)

    failure = caught.value.failure
    assert failure.kind is ErrorKind.UNSUPPORTED_PARAM
    assert 'no such thing here' in failure.words


async def test_where_a_server_was_before_is_forgotten_with_the_way_that_it_had(
    tmp_path: Path,
) -> None:
    server, memory = Moved(), CapabilityStore()
    before = Capabilities(way='form', base_url='http://images.test/old/v1')
    await memory.learn(server.base_url, 'flux', before, Use.EDITS)

    await edited(server, tmp_path, memory=memory)

    learned = memory.of(server.base_url, 'flux', Use.EDITS)
    assert (learned.way, learned.base_url) == ('xai', '')


async def test_how_pictures_are_handed_over_is_learned_for_edits_too(tmp_path: Path) -> None:
    server, memory = LiteLlm(), CapabilityStore()
    learned = Capabilities(response_format='b64_json', refused=('response_format=absent',))
    await memory.learn(server.base_url, 'flux', learned)

    await edited(server, tmp_path, memory=memory)

    assert server.fields['response_format'] == 'b64_json'


async def test_a_chosen_images_api_is_kept_to_although_its_server_has_another(
    tmp_path: Path,
) -> None:
    server = KoboldCpp()

    with pytest.raises(ProviderError):
        await edited(server, tmp_path, dialect=Dialect.OPENAI)

    assert server.posts == ['/v1/images/edits']


async def test_a_field_for_one_picture_is_sent_no_list(tmp_path: Path) -> None:
    server = SingleFal()

    with pytest.raises(ProviderError):
        await edited(server, tmp_path, 3)

    assert (server.posts.count(server.path), server.drawings) == (1, 0)


@pytest.mark.parametrize(('count', 'posts'), [(1, 3), (3, 3), (4, 2)])
async def test_a_way_for_fewer_pictures_or_other_names_leads_to_the_next_one(
    count: int, posts: int, tmp_path: Path
) -> None:
    server = Curt()

    await edited(server, tmp_path, count)

    assert (len(server.posts), server.drawings) == (posts, 1)
    assert server.colours == COLOURS[:count]
