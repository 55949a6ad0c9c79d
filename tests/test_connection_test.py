"""Is the provider's address right, and its key: asked by the list of models alone."""

from __future__ import annotations

import json

import pytest

from app.errors import ErrorKind, Reason
from app.net.client import HttpClient
from app.providers.core.base import KeyState, ProviderSettings, ProviderState
from app.providers.discovery.connection_test import check_connection
from app.providers.monitor import MonitoredProvider
from app.providers.provider import ApiProvider
from tests.support.fakes import KEY, NOT_FOUND, Asked, Ending, Reply, refused_port, upstream
from tests.support.local_servers import LIST, PAGE, locked, models

A_LIST = Reply(body=json.dumps(models('gpt-4o', 'flux')).encode())


def bearer(key: str | None) -> dict[str, str]:
    return {'Authorization': f'Bearer {key}'} if key else {}


def only_with_the_key(asked: Asked) -> Reply:
    return A_LIST if asked.headers.get('authorization') == f'Bearer {KEY}' else locked()


@pytest.mark.parametrize('path', ['/v1', '/v1/', '/v1?api-version=2'])
async def test_a_right_address_lists_its_models_in_any_spelling(path: str) -> None:
    async with upstream() as fake:
        fake.otherwise = lambda asked: A_LIST if asked.target.startswith(LIST) else NOT_FOUND

        status = await check_connection(fake.origin + path, {})

    assert status.models == ('flux', 'gpt-4o')
    assert (status.failure, status.better_url, status.key) == (None, '', KeyState.NOT_NEEDED)
    assert len(fake.asked) == 1


@pytest.mark.parametrize('otherwise', [NOT_FOUND, PAGE, Reply(status=405), Reply(status=501)])
@pytest.mark.parametrize(
    ('given', 'right'),
    [
        ('', '/v1'),
        ('/v1', ''),
        ('/v1', '/v3'),
        ('', '/api/v1'),
        ('/v1', '/engines/v1'),
        ('/api/v1?x=1', '/v1?x=1'),
        ('', '/sdapi/v1'),
    ],
)
async def test_a_wrong_path_is_told_with_the_right_one(
    given: str, right: str, otherwise: Reply
) -> None:
    path, _, query = right.partition('?')
    name = 'sd-models' if 'sdapi' in path else 'models'
    target = f'GET {path}/{name}' + (f'?{query}' if query else '')
    async with upstream({target: A_LIST}) as fake:
        fake.otherwise = lambda _: otherwise

        status = await check_connection(fake.origin + given, {})

    assert status.better_url == fake.origin + right
    assert status.failure is not None
    assert status.failure.kind is ErrorKind.ENDPOINT_NOT_FOUND


@pytest.mark.parametrize(
    ('reply', 'kind'),
    [
        (PAGE, ErrorKind.NOT_JSON),
        (Reply(status=404, body=b'<html>no such page'), ErrorKind.NOT_JSON),
        (Reply(body=b'{"error": "Unexpected endpoint"}'), ErrorKind.NOT_JSON),
        (Reply(body=b'[' * 500_000), ErrorKind.NOT_JSON),
        (Reply(status=302, headers=(('Location', '/login'),)), ErrorKind.REDIRECT),
        (Reply(status=503, body=b'{}'), ErrorKind.NOT_READY),
        (Reply(status=500, body=b'{}'), ErrorKind.UPSTREAM_ERROR),
        (locked(), ErrorKind.AUTH),
        (locked(status=403), ErrorKind.AUTH),
        (Reply(status=400, body=b'{"error": {"type": "no_db_connection"}}'), ErrorKind.AUTH),
        (Reply(status=None), ErrorKind.UNREACHABLE),
        (Reply(status=None, ending=Ending.RESETS), ErrorKind.UNREACHABLE),
    ],
)
async def test_what_speaks_against_a_picture_is_told(reply: Reply, kind: ErrorKind) -> None:
    async with upstream() as fake:
        fake.otherwise = lambda _: reply

        status = await check_connection(f'{fake.origin}/v1', {})

    assert status.failure is not None
    assert status.failure.kind is kind
    assert status.better_url == ''


async def test_a_list_that_fails_without_a_key_says_that_none_was_sent() -> None:
    async with upstream() as fake:
        fake.otherwise = lambda _: Reply(status=500, body=b'Internal Server Error')

        statuses = [
            await check_connection(f'{fake.origin}/v1', secrets)
            for secrets in ({}, {'Authorization': 'Bearer k'})
        ]

    assert [status.reason for status in statuses] == [Reason.NO_KEY_WAS_SENT, 'HTTP 500']


async def test_a_flag_counts_as_drawing_whatever_the_name_is() -> None:
    rows = b'{"data": [{"id": "sketch", "type": "image"}, {"id": "llama"}]}'
    async with upstream({'GET /v1/models': Reply(body=rows)}) as fake:
        status = await check_connection(f'{fake.origin}/v1', {})

    assert (status.models, status.drawing) == (('sketch', 'llama'), 1)


async def test_an_api_without_a_list_may_still_draw() -> None:
    async with upstream() as fake:
        fake.otherwise = lambda _: Reply(status=404, body=b'{"detail": "Not Found"}')

        status = await check_connection(f'{fake.origin}/v1', {})

    assert (status.failure, status.lists, status.models) == (None, False, ())


async def test_nobody_there_is_told_as_refused() -> None:
    with refused_port() as port:
        status = await check_connection(f'http://127.0.0.1:{port}/v1', {})

    assert status.refused


@pytest.mark.parametrize(
    ('key', 'seen'),
    [(KEY, KeyState.ACCEPTED), ('sk-another', KeyState.REFUSED), (None, KeyState.MISSING)],
)
async def test_a_key_is_accepted_refused_or_missing(key: str | None, seen: KeyState) -> None:
    async with upstream() as fake:
        fake.otherwise = only_with_the_key

        status = await check_connection(f'{fake.origin}/v1', bearer(key))

    assert status.key is seen


async def test_a_list_for_anybody_proves_no_key() -> None:
    async with upstream({f'GET {LIST}': A_LIST}) as fake:
        status = await check_connection(f'{fake.origin}/v1', bearer(KEY))

    assert status.key is KeyState.NOT_PROVED
    assert status.failure is None


async def test_a_locked_api_at_another_path_is_told_with_both() -> None:
    async with upstream({f'GET {LIST}': locked()}) as fake:
        status = await check_connection(fake.origin, {})

    assert status.better_url == f'{fake.origin}/v1'
    assert status.key is KeyState.MISSING


async def test_a_redirect_does_not_take_the_key_along() -> None:
    async with upstream() as other, upstream() as fake:
        away = Reply(status=307, headers=(('Location', f'{other.origin}{LIST}'),))
        fake.otherwise = lambda _: away

        await check_connection(f'{fake.origin}/v1', bearer(KEY))

    assert other.asked == []


@pytest.mark.parametrize(('key', 'asked'), [(None, 1), (KEY, 2)], ids=['no key', 'a key to prove'])
async def test_a_test_asks_once_and_once_more_without_a_key(key: str | None, asked: int) -> None:
    async with upstream({f'GET {LIST}': A_LIST}) as fake:
        base_url = f'{fake.origin}/v1'
        settings = ProviderSettings(name='s', base_url=base_url, model='', timeout_s=5, key=key)
        http_client = HttpClient([base_url])
        monitored = MonitoredProvider(settings, lambda: ApiProvider(settings, http_client))

        await monitored.test()
        await http_client.close()

    assert monitored.test_status is not None
    assert monitored.test_status.state is ProviderState.LIST
    assert monitored.test_status.models == ('flux', 'gpt-4o')
    assert [one.target for one in fake.asked].count(LIST) == asked
