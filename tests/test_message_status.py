"""What a response says of itself in its text."""

from __future__ import annotations

import pytest

from app.providers.response.json_text import Json
from app.providers.response.messages import (
    failed_in_success,
    poll_address_of,
    status_within,
    task_of,
)


@pytest.mark.parametrize(
    ('tree', 'failed'),
    [
        ({'error': False}, False),
        ({'error': True}, True),
        ({'code': 'x', 'data': [1]}, False),
        ({'code': False}, True),
        ({'code': 'x'}, True),
        ({'errors': ['x'], 'data': [1]}, False),
        ({'ok': False}, True),
        ({'type': 'error'}, True),
        ({'data': [{'error': 'x'}, {}]}, False),
        ({'data': [{'error': 'x'}, {'error': 'y'}]}, True),
    ],
)
def test_a_success_is_none_where_it_says_so_of_all(tree: Json, failed: bool) -> None:
    assert failed_in_success(tree) is failed


@pytest.mark.parametrize(
    ('tree', 'status'),
    [
        ({'error': {'code': 429}}, 429),
        ({'error': {'code': '429'}}, 429),
        ({'status': 400}, 400),
        ({'code': 599}, 599),
        ({'code': 399}, None),
        ({'code': 600}, None),
        ({'code': '0429'}, None),
        (None, None),
    ],
)
def test_a_status_within_is_one_of_a_failure(tree: Json, status: int | None) -> None:
    assert status_within(tree) == status


@pytest.mark.parametrize(
    ('tree', 'task'),
    [
        ({'task_id': 7}, '7'),
        ({'task_id': True}, None),
        ({'task_id': 0}, None),
        ({'data': [{'task_id': 'a1'}]}, 'a1'),
        ({'data': [{'task_id': 'a1'}, {'task_id': 'a2'}]}, None),
        ({'id': 'x', 'status': 'In-Progress'}, 'x'),
        ({'id': 'x', 'status': 7, 'state': 'queued'}, 'x'),
        ({'id': 'x', 'status': 'succeeded'}, None),
    ],
)
def test_a_promise_names_its_one_task(tree: Json, task: str | None) -> None:
    assert task_of(tree) == task


def test_a_promise_says_where_to_ask() -> None:
    assert poll_address_of({'output': {'urls': {'get': ' /jobs/1 '}}}) == '/jobs/1'
    assert poll_address_of({'output': {'urls': {'get': ' '}}}) is None
