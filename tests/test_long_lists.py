"""Lists of thousands of models: kept whole, and read with turns for others."""

from __future__ import annotations

import json

import pytest

from app.net.client import HttpClient
from app.providers.discovery.connection_test import check_connection
from app.providers.provider import ApiProvider
from app.providers.response.json_text import MOST_ROW_LETTERS, MOST_ROWS, TooManyValues, loads_rows
from tests.support.fakes import Reply, upstream
from tests.support.provider_calls import settings

NAMES = tuple(f'vendor/flux-{number}' for number in range(5_000))
ROWS = [
    {'id': name, 'object': 'model', 'description': f'{{"[, {name}' * 9, 'pricing': {'image': '0'}}
    for name in NAMES
]


async def test_a_list_of_five_thousand_models_is_kept_as_five_thousand() -> None:
    body = json.dumps({'object': 'list', 'data': ROWS}).encode()
    async with upstream({'GET /v1/models': Reply(body=body)}) as server:
        http_client = HttpClient()
        listed = await ApiProvider(settings(server), http_client).list_models()
        tested = await check_connection(f'{server.origin}/v1', {})
        await http_client.close()

    assert listed.models == tested.models == NAMES
    assert listed.drawing == tested.drawing == len(NAMES)


@pytest.mark.parametrize(
    'tree', [{'object': 'list', 'data': ROWS[:500]}, ROWS[:500], {'models': ROWS[:500]}]
)
async def test_a_long_list_is_what_it_is_when_it_is_read_at_once(tree: object) -> None:
    assert await loads_rows(json.dumps(tree, indent=1)) == tree


async def test_half_a_sign_in_a_long_list_is_none() -> None:
    rows = await loads_rows(json.dumps([{'id': 'half \ud800'}, *ROWS[:500]]))

    assert isinstance(rows, list)
    assert rows[0] == {'id': 'half \ufffd'}


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        ('[' + '0,' * (MOST_ROWS + 1) + '"' + 'x' * 65_536 + '"]', TooManyValues),
        ('[["' + 'x' * 2 * MOST_ROW_LETTERS + '"]' + ' ' * 65_536 + ']', ValueError),
        ('[{"id": "x"}, ' * 9_000, ValueError),
        ('[' * 70_000, ValueError),
    ],
    ids=['rows', 'a long row', 'cut', 'deep'],
)
async def test_a_hostile_list_is_refused(text: str, error: type[ValueError]) -> None:
    with pytest.raises(error):
        await loads_rows(text)
