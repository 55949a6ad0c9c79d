"""What a response says of itself in its text."""

from __future__ import annotations

import pytest

from app.providers.response.job_states import JobState
from app.providers.response.json_text import Json
from app.providers.response.messages import (
    failed_in_success,
    poll_address_of,
    state_of,
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
        ({'id': 'x', 'status': 'notRunning'}, 'x'),
        ({'id': 'x', 'status': 1}, None),
    ],
)
def test_a_promise_names_its_one_task(tree: Json, task: str | None) -> None:
    assert task_of(tree) == task


def test_a_promise_says_where_to_ask() -> None:
    assert poll_address_of({'output': {'urls': {'get': ' /jobs/1 '}}}) == '/jobs/1'
    assert poll_address_of({'output': {'urls': {'get': ' '}}}) is None


@pytest.mark.parametrize(
    ('tree', 'state'),
    [
        ({'status': 'notRunning'}, JobState.GOES_ON),
        ({'status': 'NotStarted'}, JobState.GOES_ON),
        ({'status': 'In Queue'}, JobState.GOES_ON),
        ({'status': 'dreaming'}, JobState.GOES_ON),
        ({'status': 'partially_failed_retrying'}, JobState.GOES_ON),
        ({'status': 'TASK_STATUS_QUEUED'}, JobState.GOES_ON),
        ({'data': {'task_status': 'TASK_STATUS_SUCCEED'}}, JobState.SUCCEEDED),
        ({'state': 'JOB_STATE_SUCCEEDED'}, JobState.SUCCEEDED),
        ({'status': 'Ready'}, JobState.SUCCEEDED),
        ({'status': 'COMPLETE'}, JobState.SUCCEEDED),
        ({'output': {'taskStatus': 'Succeeded'}}, JobState.SUCCEEDED),
        ({'status': {'state': 'completed', 'progress': 1}}, JobState.SUCCEEDED),
        ({'status': {'code': 'IN-PROGRESS'}}, JobState.GOES_ON),
        ({'status': 'Request Moderated'}, JobState.FAILED),
        ({'status': 'Content Moderated'}, JobState.FAILED),
        ({'status': 'Task not found'}, JobState.FAILED),
        ({'status': 'TIMED_OUT'}, JobState.FAILED),
        ({'task': {'jobState': 'Canceled'}}, JobState.FAILED),
        ({'done': False, 'finished': 0}, JobState.GOES_ON),
        ({'done': True}, JobState.SUCCEEDED),
        ({'status': 2}, JobState.NUMBERED),
        ({'status': 200}, JobState.UNTOLD),
        ({'progress': '40%'}, JobState.GOES_ON),
        ({'progress': 0.4}, JobState.GOES_ON),
        ({'progress': 100}, JobState.UNTOLD),
        ({'progress': '9' * 5_000}, JobState.UNTOLD),
        ({'id': 'x'}, JobState.UNTOLD),
    ],
)
def test_a_state_that_is_not_known_as_an_end_is_none(tree: Json, state: JobState) -> None:
    assert state_of(tree) is state
