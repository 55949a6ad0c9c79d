"""What an answer without a picture means, and what of it may be shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ErrorKind
from app.providers.response.errors import LONGEST_WAIT_S, refusal, retry_after_s
from app.providers.response.json_text import Json
from app.providers.response.messages import LONGEST_WORDS, failed_in_success, scrub, words_of
from app.providers.response.parser import ApiResponse
from app.providers.response.refused import refused_param
from app.providers.response.stream import ResponseStream
from app.storage.files import TempFile

SENT = ('model', 'prompt', 'n', 'size', 'seed', 'response_format', 'quality')
AT_ONCE_S = 0.3


@pytest.mark.parametrize(
    ('tree', 'words'),
    [
        ({'error': {'message': 'No such model'}}, 'No such model'),
        ({'error': {'message': '{"error":{"message":"inner words"}}'}}, 'inner words'),
        ({'error': {'message': '{broken'}}, '{broken'),
        ({'error': 'plain words'}, 'plain words'),
        ({'detail': 'Not Found'}, 'Not Found'),
        ({'detail': [{'loc': ['body', 'n'], 'msg': 'not a number'}]}, 'n: not a number'),
        ({'detail': {'message': 'nested'}}, 'nested'),
        ({'errors': [{'message': 'in a list'}]}, 'in a list'),
        ({'message': 'short', 'msg': 'the longer one'}, 'the longer one'),
        ({'title': 'Bad Request'}, 'Bad Request'),
        ({'error': [{'message': 'the first'}]}, 'the first'),
        ({'error': {'errors': [{'message': 'deeper'}]}}, 'deeper'),
        ({'detail': {'error': {'message': 'deeper'}}}, 'deeper'),
        ({'message': {'message': 'deeper'}}, 'deeper'),
        ({'errors': ['one', 'two']}, 'one'),
        ({'data': ['c29tZSBvdGhlcg==']}, ''),
        ({'error': 'Short', 'errors': 'the longest of all'}, 'the longest of all'),
        ([{'message': 'a bare list'}], 'a bare list'),
        ('a bare text', 'a bare text'),
        ({}, ''),
        ({'error': {}}, ''),
        ({'error': {'message': None}}, ''),
        ({'error': {'message': 'a\n  b\tc'}}, 'a b c'),
    ],
)
def test_a_refusal_is_told_in_the_providers_own_words(tree: Json, words: str) -> None:
    assert scrub(words_of(tree, '')) == words


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('<html><head><title>502 Bad Gateway</title></head>', '502 Bad Gateway'),
        ('<p>Sorry, <b>closed</b></p>', 'Sorry, closed'),
        ('\n\nInternal Server Error\nmore', 'Internal Server Error'),
        ('<title>a &amp; b &#39;c&#39;</title>', "a & b 'c'"),
        ('<style>p { color: red }</style >\n<script>go()</script><h1>Broken</h1>', 'Broken'),
        ('', ''),
    ],
)
def test_a_page_is_told_by_its_title_or_first_line(text: str, words: str) -> None:
    assert ' '.join(words_of(None, text).split()) == words


@pytest.mark.parametrize(
    ('text', 'secret'),
    [
        ('key sk-abcdefghijklmnop is wrong', 'abcdefghijklmnop'),
        ('Incorrect API key provided: sk-proj-Ab1_-xyz0123456', 'xyz0123456'),
        ('got Bearer abc.def.ghi', 'abc.def'),
        ('got bearer   abcdef', 'abcdef'),
        ('hf_abcdefghijkl', 'abcdefghijkl'),
        ('r8_abcdefghijkl', 'abcdefghijkl'),
        ('gsk_abcdefghijkl', 'abcdefghijkl'),
        ('xai-abcdefghijkl', 'abcdefghijkl'),
        ('bad data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==', 'iVBOR'),
        ('bad ' + 'iVBORw0KGgo' * 20, 'iVBOR'),
        ('no file /home/anna/models/flux.safetensors', 'anna'),
        ("open('/home/ann/.cache/huggingface/token')", 'huggingface'),
        ('/usr/lib/python3/dist-packages/x.py line 3', 'dist-packages'),
        ('in /tmp/abc123/out.png', 'abc123'),
        ('in file:///home/anna/x', 'anna'),
        ('No such file:/Users/anna/x', 'anna'),
        ('at /weights/big/flux.safetensors', 'weights'),
        (r'C:\Users\anna\x.png is gone', 'anna'),
        (r'\\server\share\anna is gone', 'anna'),
        ('the key 0a1b2c3d4e5f60718293a4b5c6d7e8f9 is wrong', '0a1b2c3d'),
        ('got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk', 'eyJzdWI'),
        ('got AIzaSyA1234567890abcdefghijklmnopqrstu', 'SyA12345'),
        ('got Basic YW5uOnNlY3JldA==', 'YW5uOnNl'),
        ('https://a.test/x?api_key=abcdefgh12345', 'abcdefgh'),
        ("{'api-key': 'abcdefgh12345'}", 'abcdefgh'),
        ('see picture-0123456789abcdef-0', '0123456789abcdef'),
        ('x' * 10 + ' ' + 'word ' * 1_000, 'word ' * 110),
    ],
)
def test_secrets_pictures_and_paths_are_scrubbed(text: str, secret: str) -> None:
    shown = scrub(text)

    assert secret not in shown
    assert len(shown) <= LONGEST_WORDS


@pytest.mark.parametrize(
    'text',
    [
        'The size 512x512 is not supported; use 1024x1024.',
        'POST /v1/images/generations: task-based models only',
        'see https://docs.test/usr/errors#a',
        'Модель не найдена',
        '10.0.0.1:7860 refused it, [::1]:7860 too',
        'Incorrect API key provided',
        'Basic authentication is needed',
        'max_tokens: 12, try again in 2s',
    ],
)
def test_harmless_words_are_left_alone(text: str) -> None:
    assert scrub(text) == text


@given(st.text())
def test_any_text_can_be_scrubbed(text: str) -> None:
    assert len(scrub(text)) <= LONGEST_WORDS


@pytest.mark.parametrize(
    'text',
    [
        '<' * 50_000,
        '<style' * 15_000,
        '<title' * 15_000,
        '<title>' * 7_000,
        'data:a' * 30_000,
        'Bearer' * 30_000,
    ],
    ids=['tags', 'styles', 'titles', 'open titles', 'data', 'bearer'],
)
def test_a_hostile_page_is_read_at_once(text: str) -> None:
    began = time.process_time()

    words_of(None, text)

    assert time.process_time() - began < AT_ONCE_S


@pytest.mark.parametrize(
    ('headers', 'seconds'),
    [
        ({}, None),
        ({'retry-after': '7'}, 7),
        ({'retry-after': ' 7 '}, 7),
        ({'retry-after': '1.5'}, 1.5),
        ({'retry-after': '-3'}, 0),
        ({'retry-after': '0'}, 0),
        ({'retry-after': '999999'}, LONGEST_WAIT_S),
        ({'retry-after-ms': '1500'}, 1.5),
        ({'retry-after-ms': '1500', 'retry-after': '9'}, 1.5),
        ({'retry-after-ms': 'soon', 'retry-after': '9'}, 9),
        ({'retry-after': 'soon'}, None),
        ({'retry-after': ''}, None),
        ({'retry-after': 'nan'}, None),
        ({'retry-after': 'inf'}, None),
        ({'retry-after-ms': 'nan'}, None),
        ({'retry-after': 'Wed, 99 Foo 2026 99:99:99 GMT'}, None),
        ({'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT'}, 0),
    ],
)
def test_retry_after_is_seconds_from_now(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    headers = {'retry-after': formatdate(time.time() + 60, usegmt=True)}

    seconds = retry_after_s(headers)

    assert seconds is not None
    assert 50 < seconds <= 61


@given(st.text(), st.text())
def test_any_retry_after_is_within_an_hour_or_none(plain: str, with_ms: str) -> None:
    seconds = retry_after_s({'retry-after': plain, 'retry-after-ms': with_ms})

    assert seconds is None or 0 <= seconds <= LONGEST_WAIT_S


@pytest.mark.parametrize(
    ('tree', 'text', 'param'),
    [
        ({'error': {'param': 'size', 'message': 'bad'}}, 'bad', 'size'),
        ({'detail': [{'loc': ['body', 'n'], 'msg': 'bad'}]}, 'bad', 'n'),
        (None, "Unknown parameter: 'response_format'.", 'response_format'),
        (None, 'Unhandled parameter: quality', 'quality'),
        (None, 'Setting `seed` is not supported', 'seed'),
        (None, 'Argument not supported: n', 'n'),
        (None, 'Unsupported response format: None', 'response_format'),
        (None, "Unknown parameter: 'style'.", 'style'),
        ({'error': {'param': 'prompt'}}, 'bad', None),
        ({'error': {'param': 'model'}}, 'bad', None),
        ({'error': {'param': None}}, 'bad', None),
        (None, 'The size of the queue is 7', None),
    ],
)
def test_a_refused_field_is_named_though_not_what_must_be_sent(
    tree: Json, text: str, param: str | None
) -> None:
    assert refused_param(tree, text, SENT) == param


@pytest.mark.parametrize(
    ('text', 'sent'),
    [
        ('Your request was invalid: the safety of this size is not known', ()),
        ('invalid image data: resized', ('size',)),
    ],
    ids=['not sent', 'within resized'],
)
def test_a_word_that_holds_a_fields_name_is_no_refused_field(
    text: str, sent: tuple[str, ...]
) -> None:
    assert refused_param(None, text, sent) is None


@pytest.mark.parametrize(
    ('status', 'tree', 'kind'),
    [
        (400, {'error': {'code': 'moderation_blocked', 'message': 'no'}}, ErrorKind.MODERATION),
        (400, {'error': {'message': 'bad', 'param': 'size'}}, ErrorKind.UNSUPPORTED_PARAM),
        (400, {'error': {'message': 'flagged', 'param': 'size'}}, ErrorKind.MODERATION),
        (400, {'error': {'message': 'bad'}}, ErrorKind.INVALID_REQUEST),
        (401, {'error': {'message': 'no'}}, ErrorKind.AUTH),
        (402, {'error': {'message': 'pay'}}, ErrorKind.QUOTA),
        (403, {'error': {'message': 'Invalid API key'}}, ErrorKind.AUTH),
        (403, {'error': {'message': 'no'}}, ErrorKind.FORBIDDEN),
        (404, {'error': {'message': 'Model not found: x'}}, ErrorKind.MODEL_NOT_FOUND),
        (404, {'detail': 'Not Found'}, ErrorKind.ENDPOINT_NOT_FOUND),
        (405, {'detail': 'Method Not Allowed'}, ErrorKind.ENDPOINT_NOT_FOUND),
        (413, {}, ErrorKind.TOO_LARGE),
        (429, {'error': {'message': 'slow down'}}, ErrorKind.RATE_LIMITED),
        (429, {'error': {'code': 'insufficient_quota'}}, ErrorKind.QUOTA),
        (500, {}, ErrorKind.UPSTREAM_ERROR),
        (500, {'error': {'message': 'flagged'}}, ErrorKind.UPSTREAM_ERROR),
        (502, {}, ErrorKind.UPSTREAM_ERROR),
        (503, {'detail': 'model loading'}, ErrorKind.NOT_READY),
        (504, {}, ErrorKind.GATEWAY_TIMEOUT),
        (522, {}, ErrorKind.GATEWAY_TIMEOUT),
        (200, {'error': 'no luck'}, ErrorKind.UPSTREAM_ERROR),
        (202, {'id': 'x'}, ErrorKind.PENDING),
        (302, {}, ErrorKind.REDIRECT),
    ],
)
def test_a_refusal_has_its_kind(status: int, tree: Json, kind: ErrorKind) -> None:
    response = ApiResponse(status, {}, '', tree, ResponseStream(lambda: TempFile(Path())))

    failure = refusal(response, where='a.test', sent=SENT)

    assert (failure.kind, failure.http_status, failure.where) == (kind, status, 'a.test')


@pytest.mark.parametrize(
    ('tree', 'failed'),
    [
        ({'error': None}, False),
        ({'errors': []}, False),
        ({'code': 0}, False),
        ({'code': '200'}, False),
        ({'success': True}, False),
        ([], False),
        ({'error': 'x'}, True),
        ({'success': False}, True),
        ({'code': 1001}, True),
        ({'error_code': 5}, True),
        ({'status': 'failed'}, True),
        ({'detail': 'no'}, True),
    ],
)
def test_a_success_can_say_itself_that_it_is_none(tree: Json, failed: bool) -> None:
    assert failed_in_success(tree) == failed
