"""Is the provider's address right, and its key: asked by the list of models alone."""

from __future__ import annotations

import json

import pytest

from app.errors import ErrorKind
from app.providers.discovery.connection_test import Key, check_up
from tests.support.fakes import KEY, NOT_FOUND, Asked, Ending, Reply, refused_port, upstream
from tests.support.local_servers import LIST, PAGE, locked, models

A_LIST = Reply(body=json.dumps(models('gpt-4o', 'flux')).encode())


def only_with_the_key(asked: Asked) -> Reply:
    return A_LIST if asked.headers.get('authorization') == f'Bearer {KEY}' else locked()


@pytest.mark.parametrize('path', ['/v1', '/v1/', '/v1?api-version=2'])
async def test_a_right_address_lists_its_models_in_any_spelling(path: str) -> None:
    async with upstream() as fake:
        fake.otherwise = lambda asked: A_LIST if asked.target.startswith(LIST) else NOT_FOUND

        checkup = await check_up(fake.origin + path, None)

    assert checkup.models == ('flux', 'gpt-4o')
    assert (checkup.failure, checkup.better_url, checkup.key) == (None, '', Key.NOT_NEEDED)
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

        checkup = await check_up(fake.origin + given, None)

    assert checkup.better_url == fake.origin + right
    assert checkup.failure is not None
    assert checkup.failure.kind is ErrorKind.ENDPOINT_NOT_FOUND


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
        (Reply(status=None), ErrorKind.UNREACHABLE),
        (Reply(status=None, ending=Ending.RESETS), ErrorKind.UNREACHABLE),
    ],
)
async def test_what_speaks_against_a_picture_is_told(reply: Reply, kind: ErrorKind) -> None:
    async with upstream() as fake:
        fake.otherwise = lambda _: reply

        checkup = await check_up(f'{fake.origin}/v1', None)

    assert checkup.failure is not None
    assert checkup.failure.kind is kind
    assert checkup.better_url == ''


async def test_an_api_without_a_list_may_still_draw() -> None:
    async with upstream() as fake:
        fake.otherwise = lambda _: Reply(status=404, body=b'{"detail": "Not Found"}')

        checkup = await check_up(f'{fake.origin}/v1', None)

    assert (checkup.failure, checkup.lists, checkup.models) == (None, False, ())


async def test_nobody_there_is_told_as_refused() -> None:
    with refused_port() as port:
        checkup = await check_up(f'http://127.0.0.1:{port}/v1', None)

    assert checkup.refused


@pytest.mark.parametrize(
    ('key', 'seen'),
    [(KEY, Key.ACCEPTED), ('sk-another', Key.REFUSED), (None, Key.MISSING)],
)
async def test_a_key_is_accepted_refused_or_missing(key: str | None, seen: Key) -> None:
    async with upstream() as fake:
        fake.otherwise = only_with_the_key

        checkup = await check_up(f'{fake.origin}/v1', key)

    assert checkup.key is seen


async def test_a_list_for_anybody_proves_no_key() -> None:
    async with upstream({f'GET {LIST}': A_LIST}) as fake:
        checkup = await check_up(f'{fake.origin}/v1', KEY)

    assert checkup.key is Key.NOT_PROVED
    assert checkup.failure is None


async def test_a_locked_api_at_another_path_is_told_with_both() -> None:
    async with upstream({f'GET {LIST}': locked()}) as fake:
        checkup = await check_up(fake.origin, None)

    assert checkup.better_url == f'{fake.origin}/v1'
    assert checkup.key is Key.MISSING


async def test_a_redirect_does_not_take_the_key_along() -> None:
    async with upstream() as other, upstream() as fake:
        away = Reply(status=307, headers=(('Location', f'{other.origin}{LIST}'),))
        fake.otherwise = lambda _: away

        await check_up(f'{fake.origin}/v1', KEY)

    assert other.asked == []
