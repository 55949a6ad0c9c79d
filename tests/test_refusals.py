"""What a refusal is about: a field, a value, the key or the model; and the hint that follows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, Reason
from app.messages import describe
from app.providers.core.base import ProviderSettings, ProviderState, ProviderStatus
from app.providers.hints import explained, lacks_model
from app.providers.response.errors import refusal
from app.providers.response.json_text import Json
from app.providers.response.parser import ApiResponse
from app.providers.response.refused import with_refused_value
from app.providers.response.stream import ResponseStream
from app.storage.files import TempFile

SENT: Mapping[str, object] = {
    'model': 'flux',
    'prompt': 'a cat',
    'n': 6,
    'size': '1536x768',
    'quality': 'hd',
    'num_inference_steps': 28,
    'guidance_scale': 7.5,
    'seed': 123_456,
    'stream': True,
}
QUOTA, UNSUPPORTED = ErrorKind.QUOTA, ErrorKind.UNSUPPORTED_PARAM
KEYED = ProviderSettings(name='t', base_url='http://a.test/v1', timeout_s=5, model='flux', key='k')
LISTED = ProviderStatus(
    state=ProviderState.LIST, models=('sdxl', 'flux-dev', 'qwen-image', 'gpt-4'), drawing=3
)


def refused(status: int, said: Json, location: str = '', model: str = 'flux') -> Failure:
    text, tree = (said, None) if isinstance(said, str) else ('', said)
    headers, stream = {'location': location}, ResponseStream(lambda: TempFile(Path()))
    response = ApiResponse(status, headers, text, tree, stream)
    failure = refusal(response, where='a.test', sent=SENT)
    return explained(failure, KEYED, model, LISTED)


def hint(failure: Failure) -> str:
    return describe(failure, str).hint


@pytest.mark.parametrize(
    ('status', 'said'),
    [
        (400, {'error': {'message': 'No connected db.', 'type': 'no_db_connection'}}),
        (400, {'error': {'message': 'API key not valid. Please pass a valid API key.'}}),
        (400, {'error': {'message': 'Malformed API Key passed in.'}}),
        (400, {'error': {'message': 'Authentication Error, Virtual Key expected.'}}),
        (400, {'message': 'Invalid access token'}),
        (400, {'status': 'failure', 'message': 'x-portkey-api-key is missing'}),
        (400, {'error': {'message': '无效的令牌'}}),
        (400, 'Bad Request: missing Authorization header'),
        (422, {'detail': 'Invalid token'}),
        (422, {'detail': [{'loc': ['header', 'authorization'], 'msg': 'Field required'}]}),
        (401, '<html><title>Sign in</title></html>'),
        (403, '<html><title>Sign in - Acme</title></html>'),
        (403, {'error': {'message': 'User not found.', 'code': 401}}),
        (404, {'error': 'API key not found'}),
        (500, {'error': {'message': 'Invalid API key'}}),
        (200, {'success': False, 'message': 'Unauthorized'}),
        (200, {'error': {'message': 'Incorrect API key provided'}}),
        (200, {'code': 1004, 'msg': 'login fail: carry the API secret key'}),
        (200, {'base_resp': {'status_code': 2049, 'status_msg': 'invalid api key'}}),
        (400, {'errors': [{'message': 'Missing X-Auth-Key, X-Auth-Email or Authorization'}]}),
        (400, {'message': 'Either x-portkey-config or x-portkey-provider header is required'}),
        (403, {'title': 'Forbidden', 'detail': 'Authorization failed'}),
        (498, {'error': 'Token expired'}),
    ],
    ids=str,
)
def test_a_wrong_key_is_told_however_it_is_said(status: int, said: Json) -> None:
    assert refused(status, said).kind is ErrorKind.AUTH


@pytest.mark.parametrize(
    ('status', 'said', 'kind'),
    [
        (200, {'base_resp': {'status_code': 1008, 'status_msg': 'x'}}, ErrorKind.UPSTREAM_ERROR),
        (200, {'base_resp': {'status_msg': 'insufficient balance', 'status_code': 8}}, QUOTA),
        (400, {'error': {'type': 'budget_exceeded', 'message': 'ExceededBudget'}}, QUOTA),
        (400, {'code': 'Arrearage', 'message': 'Access denied'}, QUOTA),
        (403, {'message': 'Sorry, your account balance is insufficient'}, QUOTA),
        (403, {'error': 'You have exhausted your monthly included credits'}, QUOTA),
        (429, {'error': {'message': 'Budget has been exceeded!'}}, QUOTA),
        (401, {'error': {'message': 'key not allowed to access model'}}, ErrorKind.FORBIDDEN),
        (403, {'error': '该令牌无权访问模型 flux'}, ErrorKind.FORBIDDEN),
        (410, {'error': 'This model has been retired'}, ErrorKind.MODEL_NOT_FOUND),
        (404, {'detail': 'Checkpoint flux not found'}, ErrorKind.MODEL_NOT_FOUND),
        (400, {'error': 'The model does not support image generation'}, ErrorKind.MODEL_NOT_FOUND),
        (503, {'error': '当前分组下对于模型 flux 无可用渠道'}, ErrorKind.MODEL_NOT_FOUND),
        (400, {'error': 'This model: quality is deprecated, not supported'}, UNSUPPORTED),
        (409, {'error': 'Server is busy'}, ErrorKind.NOT_READY),
        (503, {'detail': 'queue is full'}, ErrorKind.NOT_READY),
        (529, {'error': {'message': 'Overloaded'}}, ErrorKind.NOT_READY),
        (400, {'error': '内容违规'}, ErrorKind.MODERATION),
        (400, {'error': 'prompt contains banned words'}, ErrorKind.MODERATION),
        (500, {'detail': 'NSFW content detected.'}, ErrorKind.MODERATION),
    ],
    ids=str,
)
def test_a_refusal_is_told_by_its_words(status: int, said: Json, kind: ErrorKind) -> None:
    assert refused(status, said).kind is kind


@pytest.mark.parametrize(
    ('status', 'said'),
    [
        (500, {'error': 'MissingAuthError: Missing "_U" cookie'}),
        (500, {'error': "Error code: 401 - {'error': 'Incorrect API key provided'}"}),
        (500, {'error': 'litellm.APIConnectionError: Missing OPENAI_API_KEY'}),
        (424, {'error': 'upstream provider returned 401'}),
    ],
)
def test_a_gateways_own_account_is_no_key_of_the_visitors(status: int, said: Json) -> None:
    assert refused(status, said).reason == Reason.MODEL_NEEDS_AN_ACCOUNT


def test_a_proxy_that_asks_who_is_no_server_that_refuses_a_key() -> None:
    failure = refused(407, '')

    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, Reason.PROXY_ASKS_WHO)


@pytest.mark.parametrize('status', [502, 503, 521, 530])
def test_a_gateway_that_reached_nothing_says_nothing_of_the_model(status: int) -> None:
    assert refused(status, '').offers == ()


@pytest.mark.parametrize(
    ('said', 'param', 'value'),
    [
        ('Invalid batch size: 6', 'n', '6'),
        ('Streaming is not supported for this model', 'stream', ''),
        ('Max 4 images per request', 'n', '6'),
        ('`n` must be 1', 'n', '6'),
        ('Only 1 image can be generated at a time with this model', 'n', ''),
        ('Invalid image_size', 'size', '1536x768'),
        ('max resolution is 1MP', 'size', '1536x768'),
        ('total pixels must not exceed 1048576', 'size', '1536x768'),
        ('the size is not match the allowed size ["1024*1024"]', 'size', '1536x768'),
        ('Bad value for quality (hd): allowed values [low, high]', 'quality', 'hd'),
        ("'/num_steps' must be <= 20", 'num_inference_steps', '28'),
    ],
)
def test_a_field_is_known_by_any_of_its_names(said: str, param: str, value: str) -> None:
    failure = refused(400, {'error': said})

    assert (failure.param, failure.value) == (param, value)


def test_a_bound_is_no_value_to_choose() -> None:
    assert 'between' not in hint(refused(400, {'error': 'seed must be between 0 and 99'}))


@pytest.mark.parametrize(
    ('status', 'said', 'offers'),
    [
        (400, {'error': 'width must be at most 1024'}, '1024x512'),
        (500, {'error': 'height and width have to be divisible by 64'}, None),
        (500, {'error': 'height and width have to be divisible by 40'}, '1520x760, 1560x800'),
        (400, {'error': 'Invalid aspect ratio'}, None),
        (400, {'error': "The size '1536x768' is not supported. Use 1024x1024"}, '1024x1024'),
    ],
    ids=str,
)
def test_a_refused_size_has_the_nearest_ones_as_its_hint(
    status: int, said: Json, offers: str | None
) -> None:
    failure = refused(status, said)

    assert (failure.kind, failure.value) == (ErrorKind.UNSUPPORTED_PARAM, '1536x768')
    assert 'Choose another size' in hint(failure)
    assert offers is None or offers.split(', ')[0] in hint(failure)


@pytest.mark.parametrize(
    ('status', 'said', 'words'),
    [
        (400, {'error': 'You must provide n=1 for this model.'}, 'fewer pictures at once: 1'),
        (400, {'error': 'at most 2 images per request'}, 'fewer pictures at once: 2'),
        (422, {'detail': [{'loc': ['body', 'n'], 'msg': 'too many'}]}, 'fewer pictures'),
        (400, {'error': 'steps must be between 1 and 12'}, 'such as 12'),
        (400, {'error': "quality 'hd' is not available. Allowed: low, high"}, 'such as low, high'),
        (400, {'error': 'Invalid guidance_scale: must be <= 5'}, 'such as 5'),
        (400, {'error': 'quality is not supported'}, 'or clear that'),
        (400, {'error': {'code': 'string_above_max_length'}}, 'Shorten the prompt'),
        (422, {'detail': [{'loc': ['body', 'prompt'], 'msg': 'at most 9 characters'}]}, 'Shorten'),
        (400, {'error': 'The prompt exceeds the maximum of 77 tokens'}, 'Shorten the prompt'),
        (413, '', 'Shorten the prompt or choose a smaller size'),
        (500, {'error': 'CUDA out of memory'}, 'Choose a smaller size'),
        (400, {'error': 'The model `flux` does not exist'}, 'such as flux-dev, sdxl, qwen-image'),
        (404, {'detail': 'No endpoints found for flux.'}, 'such as flux-dev'),
        (400, {'error': 'flux is not a valid model ID'}, 'such as flux-dev'),
        (401, {'error': 'MissingAuthError: Add a "api_key"'}, 'another model, such as sdxl'),
        (500, {'error': 'Request execution failed'}, 'another model, such as flux-dev'),
    ],
    ids=str,
)
def test_a_hint_follows_the_reason(status: int, said: Json, words: str) -> None:
    assert words in hint(refused(status, said))


@pytest.mark.parametrize(
    ('code', 'value'),
    [('unknown_parameter', ''), ('unsupported_value', 'hd'), ('invalid_parameter_value', 'hd')],
)
def test_the_code_of_a_refusal_tells_the_field_from_the_value(code: str, value: str) -> None:
    said: Json = {'error': {'message': 'Not good.', 'param': 'quality', 'code': code}}

    assert refused(400, said).value == value


def test_a_shape_in_other_words_is_no_size_to_choose() -> None:
    failure = Failure(
        kind=ErrorKind.UNSUPPORTED_PARAM, param='aspect_ratio', words='one of 1:1, 2:3'
    )

    told = with_refused_value(failure, '', {'aspect_ratio': '9:16'})

    assert (told.value, told.offers, hint(told)) == ('9:16', (), 'Choose another size.')


def test_a_model_that_a_list_lacks_is_named_where_a_server_only_fails() -> None:
    failure = refused(500, {'error': 'Request execution failed'}, model='flix')
    listed = refused(500, {'error': 'Request execution failed'}, model='sdxl')

    assert "list doesn't have the model “flix”" in describe(failure, str).message
    assert failure.kind is listed.kind is ErrorKind.UPSTREAM_ERROR
    assert (listed.value, listed.offers) == ('', ())


@pytest.mark.parametrize(
    ('kind', 'status', 'words', 'took_s', 'lacks_it'),
    [
        (ErrorKind.UPSTREAM_ERROR, 500, 'Request execution failed', 0.1, True),
        (ErrorKind.UPSTREAM_ERROR, 500, 'Request execution failed', 9, False),
        (ErrorKind.UPSTREAM_ERROR, 502, 'bad gateway', 0.1, False),
        (ErrorKind.MODEL_NOT_FOUND, 404, '', 9, True),
        (ErrorKind.INVALID_REQUEST, 422, 'model: Field required', 0.1, True),
        (ErrorKind.INVALID_REQUEST, 400, 'no', 0.1, False),
    ],
)
def test_what_a_request_without_a_model_may_have_failed_of_before_any_work(
    kind: ErrorKind, status: int, words: str, took_s: float, lacks_it: bool
) -> None:
    failure = Failure(kind=kind, http_status=status, words=words)

    assert lacks_model(failure, took_s) is lacks_it


def test_a_redirect_to_a_sign_in_page_asks_for_a_key() -> None:
    assert 'key or header' in hint(refused(302, '', location='https://sso.acme.test/login'))
    assert 'key or header' not in hint(refused(302, '', location='/v1/elsewhere'))


@pytest.mark.parametrize(('key', 'is_said'), [(None, True), ('k', False)])
def test_a_bare_fault_without_a_key_says_that_none_was_sent(key: str | None, is_said: bool) -> None:
    settings = ProviderSettings(name='t', base_url='http://a.test', timeout_s=5, model='', key=key)
    fault = Failure(kind=ErrorKind.UPSTREAM_ERROR, http_status=500, words='Internal Server Error')

    failure = explained(fault, settings, None, None)

    assert ('If it needs a key' in hint(failure)) is is_said


def test_a_page_that_wants_a_sign_in_is_told_from_any_other() -> None:
    pages = [
        explained(Failure(kind=ErrorKind.NOT_JSON, words=title), KEYED, None, None)
        for title in ('Sign in to Acme', 'New API')
    ]

    assert ['key or header' in hint(page) for page in pages] == [True, False]
