"""What a response without a picture comes to, where its status alone does not say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ErrorKind
from app.providers.response.errors import refusal
from app.providers.response.json_text import Json
from app.providers.response.parser import ApiResponse
from app.providers.response.stream import ResponseStream
from app.storage.files import TempFile


def answered(status: int, tree: Json, text: str = '') -> ApiResponse:
    return ApiResponse(status, {}, text, tree, ResponseStream(lambda: TempFile(Path())))


@pytest.mark.parametrize(
    ('status', 'tree', 'kind'),
    [
        (200, {'choices': [{'finish_reason': 'stop'}]}, ErrorKind.EMPTY),
        (200, {'choices': [{'finish_reason': 'SAFETY'}]}, ErrorKind.MODERATION),
        (200, {'error': 'no luck'}, ErrorKind.UPSTREAM_ERROR),
        (200, {'error': {'type': 'invalid_request_error'}}, ErrorKind.INVALID_REQUEST),
        (200, {'task_id': 'a1'}, ErrorKind.PENDING),
        (300, {}, ErrorKind.REDIRECT),
        (400, {'error': 'no luck'}, ErrorKind.INVALID_REQUEST),
        (409, {'error': 'cancelled'}, ErrorKind.CANCELLED),
        (400, {'error': 'cancelled'}, ErrorKind.INVALID_REQUEST),
        (500, {'error': {'message': 'flagged'}}, ErrorKind.UPSTREAM_ERROR),
        (500, {'error': {'code': 'invalid_request'}}, ErrorKind.UPSTREAM_ERROR),
    ],
)
def test_a_response_without_a_picture_is_of_a_kind(
    status: int, tree: Json, kind: ErrorKind
) -> None:
    failure = refusal(answered(status, tree), where='a.test', sent=())

    assert failure.kind is kind


def test_a_sampler_that_is_not_there_is_a_field_that_can_be_left_out() -> None:
    response = answered(404, {'detail': 'Sampler not found'})

    failure = refusal(response, where='a.test', sent=('sampler_name',))

    assert (failure.kind, failure.param) == (ErrorKind.UNSUPPORTED_PARAM, 'sampler_name')


@pytest.mark.parametrize(('status', 'job'), [(202, 'a1'), (500, None)])
def test_a_job_is_named_where_it_goes_on(status: int, job: str | None) -> None:
    failure = refusal(answered(status, {'task_id': 'a1'}), where='a.test', sent=())

    assert failure.job_id == job


@pytest.mark.parametrize(
    ('text', 'kind'),
    [
        ('sorry\nthe token is wrong', ErrorKind.AUTH),
        ('<html><p>sorry<script>var token</script></html>', ErrorKind.FORBIDDEN),
    ],
    ids=['text', 'page'],
)
def test_all_of_a_text_counts_and_of_a_page_what_is_seen(text: str, kind: ErrorKind) -> None:
    failure = refusal(answered(403, None, text), where='a.test', sent=())

    assert failure.kind is kind
