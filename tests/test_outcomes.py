"""How a generation ends, and what can be done then."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.servers import Easel


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


def test_a_failure_keeps_the_providers_words_and_offers_a_way_on(
    easel: Easel, client: httpx.Client
) -> None:
    generation = easel.draw(prompt='too much', model='fail-429')

    page = client.get('/').text
    error = generation['error']

    assert isinstance(error, dict)
    assert (error['kind'], error['retry_after_s']) == ('rate_limited', 20)
    tile = page.split(f'id="generation-{generation["id"]}"')[1].split('</live-generation>')[0]
    assert 'too many requests' in tile
    assert 'Retry' in tile
    assert f'/?from={generation["id"]}' in tile


@pytest.mark.parametrize(
    ('model', 'kind'),
    [
        ('fail-400', 'moderation'),
        ('fail-401', 'auth'),
        ('fail-403', 'forbidden'),
        ('fail-404', 'model_not_found'),
        ('fail-422', 'invalid_request'),
        ('fail-500', 'upstream_error'),
        ('fail-502', 'upstream_error'),
        ('fail-html', 'not_json'),
        ('fail-json', 'truncated'),
        ('fail-empty', 'empty'),
        ('fail-not-an-image', 'not_an_image'),
        ('fail-lost', 'image_fetch_failed'),
    ],
)
def test_every_failure_has_its_own_kind_and_sentence(easel: Easel, model: str, kind: str) -> None:
    generation = easel.draw(prompt='x', model=model)

    error = generation['error']

    assert isinstance(error, dict)
    assert error['kind'] == kind
    assert error['message']
    assert error['hint']


def test_retry_is_the_same_generation_and_only_after_an_end(
    easel: Easel, client: httpx.Client
) -> None:
    failed = easel.draw(prompt='again', model='fail-500')
    done = easel.draw(prompt='fine', size='32x32')

    again = client.post(f'/generations/{failed["id"]}/retry')
    refused = client.post(f'/generations/{done["id"]}/retry')

    assert again.headers['location'] == f'/#generation-{failed["id"]}'
    assert easel.wait(int(str(failed['id'])))['attempt'] == 2
    assert refused.status_code == 409


def test_cancelling_closes_a_running_call_and_spares_a_final_one(
    easel: Easel, client: httpx.Client
) -> None:
    running = easel.submit(prompt='slow', model='slow-60')
    done = easel.draw(prompt='fine', size='32x32')
    easel.wait(running, 'running')

    client.post(f'/generations/{running}/cancellation')
    client.post(f'/generations/{done["id"]}/cancellation')

    assert easel.generation(running)['status'] == 'cancelled'
    assert easel.generation(int(str(done['id'])))['status'] == 'done'
    assert list((easel.data / 'arriving').iterdir()) == []


def test_make_more_like_this_brings_every_setting_but_the_seed(
    easel: Easel, client: httpx.Client
) -> None:
    generation = easel.draw(prompt='with all', size='48x32', seed='99', quality='high')

    page = client.get(f'/?from={generation["id"]}').text

    assert 'with all</textarea>' in page
    assert 'value="99"' not in page
    assert 'value="48x32"' in page
    assert 'value="high"' in page
