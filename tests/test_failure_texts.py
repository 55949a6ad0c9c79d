"""Answers without a picture, over real sockets: of which kind, in whose words, asked how often."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.messages import describe
from app.messages.kinds import AFTER_SENDING
from app.models.request import GenerationRequest, Size
from app.providers.response.json_text import Json
from tests.support.fakes import KEY, NOT_FOUND, Asked, Ending, Reply, arriving_in, upstream
from tests.support.provider_calls import B64, bodies, drawn, settings

NO_LUCK: Json = {'message': 'no luck'}
FULL = GenerationRequest(prompt='a cat', size=Size(64, 64), seed=3)
CHUNKED = (('Transfer-Encoding', 'chunked'),)
APOLOGY = '申し訳ありませんが生成できません'
PROVIDERS = sorted((Path(__file__).resolve().parent.parent / 'app/providers').rglob('*.py'))
STREAM = (('Content-Type', 'text/event-stream'),)


def said(status: int, body: Json | bytes, **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = tuple((name.replace('_', '-'), value) for name, value in headers.items())
    return Reply(status=status, body=content, headers=named)


def event(fields: Json, name: str = '') -> bytes:
    head = f'event: {name}\n' if name else ''
    return f'{head}data: {json.dumps(fields)}\n\n'.encode()


def delta(content: str) -> bytes:
    return event({'choices': [{'delta': {'content': content}}]})


async def failed(reply: Reply, folder: Path) -> Failure:
    """Draw from a server that answers every call so; it must have been one call."""
    async with upstream() as server:
        server.otherwise = lambda asked: reply if asked.method == 'POST' else NOT_FOUND
        told = settings(server, timeout_s=5)
        with pytest.raises(ProviderError) as caught:
            await drawn(server, folder, FULL, told=told)

    assert len(bodies(server)) == 1
    assert arriving_in(folder) == []
    return caught.value.failure


@pytest.mark.parametrize(
    'tree',
    [
        {'error': 'no luck'},
        {'error': NO_LUCK},
        {'error': [NO_LUCK]},
        {'errors': ['no luck']},
        {'errors': [NO_LUCK], 'data': None},
        {'success': False, 'message': 'no luck'},
        {'error_code': 17, 'message': 'no luck'},
        {'detail': 'no luck'},
        {'status': 'failed', 'message': 'no luck'},
        {'status': 'error', 'message': 'no luck'},
        {'object': 'error', 'message': 'no luck'},
        {'code': 1001, 'msg': 'no luck', 'data': None},
        {'code': 'InvalidParameter', 'message': 'no luck'},
        {'data': [{'error': NO_LUCK}]},
        {'choices': [{'error': NO_LUCK, 'message': {'content': ''}}]},
        {'base_resp': {'status_code': 1004, 'status_msg': 'no luck'}, 'success': False},
        {'error': {'message': '{"error": {"message": "no luck"}}'}},
    ],
    ids=str,
)
async def test_an_error_at_200_is_one_in_its_own_words(tree: Json, tmp_path: Path) -> None:
    failure = await failed(said(200, tree), tmp_path)

    assert (failure.kind, failure.words) == (ErrorKind.UPSTREAM_ERROR, 'no luck')


@pytest.mark.parametrize(
    ('reply', 'kind'),
    [
        (said(200, {'error': {'code': 429, 'message': 'slow'}}), ErrorKind.RATE_LIMITED),
        (said(200, {'error': {'code': '401', 'message': 'no'}}), ErrorKind.AUTH),
        (said(200, {'error': {'code': 'moderation_blocked'}}), ErrorKind.MODERATION),
        (said(200, {'error': {'type': 'invalid_request_error'}}), ErrorKind.INVALID_REQUEST),
        (said(200, {'data': [{'error': {'code': 'SensitiveContent'}}]}), ErrorKind.MODERATION),
        (said(200, {'code': 0, 'errors': [], 'error': None, 'data': []}), ErrorKind.EMPTY),
        (said(500, {'error': {'code': 'content_policy_violation'}}), ErrorKind.MODERATION),
        (said(400, {'error': {'code': 'billing_hard_limit_reached'}}), ErrorKind.QUOTA),
        (said(403, {'error': {'message': '用户额度不足'}}), ErrorKind.QUOTA),
        (said(503, {'error': {'code': 'model_not_found'}}), ErrorKind.MODEL_NOT_FOUND),
        (said(421, {'detail': 'this server has another one'}), ErrorKind.MODEL_NOT_FOUND),
        (said(400, {'error': {'message': 'API key not valid.'}}), ErrorKind.AUTH),
        (said(503, {'detail': {'msg': 'Server is busy'}}), ErrorKind.NOT_READY),
        (said(503, b'', Retry_After='7'), ErrorKind.NOT_READY),
        (said(503, b'<html><title>503 Unavailable</title></html>'), ErrorKind.UPSTREAM_ERROR),
        (said(403, b'<html><script>var token</script></html>'), ErrorKind.FORBIDDEN),
        (said(502, b'invalid response: the size is unknown'), ErrorKind.UPSTREAM_ERROR),
        (said(502, b'<html>invalid size and seed</html>'), ErrorKind.UPSTREAM_ERROR),
        (said(503, b'unsupported size'), ErrorKind.UPSTREAM_ERROR),
        (said(500, b'/v1/chat/completions went away'), ErrorKind.UPSTREAM_ERROR),
        (said(500, b'retry: later'), ErrorKind.UPSTREAM_ERROR),
        (said(429, b'\x8b\x05', Content_Encoding='br'), ErrorKind.RATE_LIMITED),
        (said(200, b'\x8b\x05', Content_Encoding='br'), ErrorKind.NOT_JSON),
        (said(200, b'Sorry, come back later'), ErrorKind.NOT_JSON),
        (said(202, b''), ErrorKind.PENDING),
        (said(307, b'', Location='http://['), ErrorKind.REDIRECT),
        (said(308, b''), ErrorKind.REDIRECT),
        (said(301, b'', Location='/v1/elsewhere'), ErrorKind.REDIRECT),
        (Reply(body=b'zz\r\n', headers=CHUNKED), ErrorKind.TRUNCATED),
        (
            Reply(status=401, body=b'{"error":{"message":"bad', ending=Ending.CLOSES_EARLY),
            ErrorKind.AUTH,
        ),
    ],
    ids=lambda value: f'{value.status} {value.body[:40]!r}' if isinstance(value, Reply) else value,
)
async def test_a_refusal_is_of_its_kind_and_asked_once(
    reply: Reply, kind: ErrorKind, tmp_path: Path
) -> None:
    failure = await failed(reply, tmp_path)

    assert failure.kind is kind


@pytest.mark.parametrize(
    ('message', 'kind', 'words'),
    [
        ({'content': "I can't draw that."}, ErrorKind.EMPTY, "I can't draw that."),
        (
            {'content': '申し訳ありませんが生成できません'},
            ErrorKind.EMPTY,
            '申し訳ありませんが生成できません',
        ),
        ({'content': 'Unfortunately-not-possible'}, ErrorKind.EMPTY, 'Unfortunately-not-possible'),
        ({'content': [{'type': 'text', 'text': 'no, sorry'}]}, ErrorKind.EMPTY, 'no, sorry'),
        ({'content': None, 'refusal': 'I will not.'}, ErrorKind.MODERATION, 'I will not.'),
    ],
    ids=['words', 'without blanks', 'as base64', 'parts', 'refusal'],
)
async def test_what_a_model_says_in_the_place_of_a_picture_is_told(
    message: Json, kind: ErrorKind, words: str, tmp_path: Path
) -> None:
    failure = await failed(said(200, {'choices': [{'message': message}]}), tmp_path)

    assert (failure.kind, failure.words) == (kind, words)


@pytest.mark.parametrize('reason', ['content_filter', 'SAFETY', 'IMAGE_SAFETY', 'CONTENT_FILTERED'])
async def test_a_model_that_stopped_for_safety_refused(reason: str, tmp_path: Path) -> None:
    tree: Json = {'choices': [{'native_finish_reason': reason, 'message': {'content': ''}}]}

    failure = await failed(said(200, tree), tmp_path)

    assert failure.kind is ErrorKind.MODERATION


@pytest.mark.parametrize(
    'tree',
    [
        {'id': 'p1', 'status': 'starting', 'urls': {'get': 'https://elsewhere.test/p1'}},
        {'code': 200, 'data': [{'status': 'submitted', 'task_id': 'p1'}]},
        {'output': {'task_id': 'p1', 'task_status': 'PENDING'}, 'request_id': 'r'},
        {'id': 'p1', 'polling_url': 'https://elsewhere.test/p1'},
    ],
    ids=['replicate', 'apimart', 'dashscope', 'bfl'],
)
async def test_a_promise_names_its_job_however_deep(tree: Json, tmp_path: Path) -> None:
    failure = await failed(said(200, tree), tmp_path)

    assert (failure.kind, failure.job_id) == (ErrorKind.PENDING, 'p1')


@pytest.mark.parametrize(
    ('pieces', 'kind', 'words'),
    [
        ([event(NO_LUCK, 'error')], ErrorKind.UPSTREAM_ERROR, 'no luck'),
        ([b'event: error\ndata: no luck\n\n'], ErrorKind.UPSTREAM_ERROR, 'no luck'),
        ([event({'error': NO_LUCK}), event({'done': True})], ErrorKind.UPSTREAM_ERROR, 'no luck'),
        ([delta('I can '), delta('not')], ErrorKind.EMPTY, 'I can not'),
        ([event({'b64_json': B64}, 'image_generation.partial_image')], ErrorKind.TRUNCATED, ''),
        ([event({'type': 'x'}), b'data: {"b64_json":"iVBO'], ErrorKind.TRUNCATED, ''),
        ([b'{"completed":1}\n{"image":"iVBO'], ErrorKind.TRUNCATED, ''),
    ],
    ids=['named', 'text', 'then more', 'words', 'typed preview', 'cut event', 'cut line'],
)
async def test_a_stream_without_a_picture_says_what_it_came_to(
    pieces: Iterable[bytes], kind: ErrorKind, words: str, tmp_path: Path
) -> None:
    failure = await failed(Reply(body=b''.join(pieces)), tmp_path)

    assert (failure.kind, failure.words) == (kind, words)


async def test_an_error_ends_a_stream_that_stays_open(tmp_path: Path) -> None:
    body = event({'type': 'error', 'error': NO_LUCK})

    failure = await failed(Reply(headers=STREAM, body=body, ending=Ending.HANGS), tmp_path)

    assert (failure.kind, failure.words) == (ErrorKind.UPSTREAM_ERROR, 'no luck')


@pytest.mark.parametrize(
    'body',
    [
        f'data: {{"image":"{B64}"}}\r\rdata: [DONE]\r\r',
        f': a comment\n\r\nevent: x\r\ndata:{{"image":"{B64}"}}\n\r\ndata: [DONE]\n\n',
        f'\ufeffdata: {{"image":\ndata: "{B64}"}}\n\ndata: [DONE]\n\n',
        (delta('![a](data:image/png;base64,') + delta(f'{B64})')).decode() + 'data: [DONE]\n\n',
        (delta(f'![a](data:image/png;base64,{B64[:60]}') + delta(f'{B64[60:]})')).decode()
        + 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    ],
    ids=['cr', 'mixed ends', 'bom', 'word by word', 'to its last word'],
)
async def test_events_are_read_and_left_by_the_whole_grammar(body: str, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(headers=STREAM, body=body.encode(), ending=Ending.HANGS)
        told = settings(server, timeout_s=5)

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'), told=told)

    assert len(answer.received) == 1


@pytest.mark.parametrize('key', [KEY, 'plain words as a key', '0a1b2c3d' * 4])
async def test_a_key_of_any_shape_is_never_repeated(key: str, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        echo = asked.headers['authorization'].removeprefix('Bearer ')
        return said(401, {'error': f'the key {echo} is wrong, C:\\Users\\ann\\x at 10.0.0.1:80'})

    async with upstream() as server:
        server.otherwise = answer
        with pytest.raises(ProviderError) as caught:
            await drawn(
                server, tmp_path, GenerationRequest(prompt='a'), told=settings(server, key=key)
            )

    assert caught.value.failure.words == 'the key … is wrong, … at 10.0.0.1:80'


@pytest.mark.parametrize('reason', AFTER_SENDING)
def test_a_server_that_closed_after_the_request_is_not_said_to_be_free(reason: str) -> None:
    asked = describe(Failure(kind=ErrorKind.UNREACHABLE, reason=reason), str)
    refused = describe(Failure(kind=ErrorKind.UNREACHABLE, reason='connection refused'), str)

    assert 'may have generated' in asked.hint
    assert 'Nothing was charged' in refused.hint


def test_a_compressed_answer_may_have_been_charged_and_is_no_web_page() -> None:
    told = describe(Failure(kind=ErrorKind.NOT_JSON, reason=Reason.COMPRESSED_ANSWER), str)

    assert 'may have generated and charged' in told.hint


def reasons_in(path: Path) -> Iterator[str]:
    """Yield the reasons that a module writes out where it makes a failure."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        makes_failure = any('ErrorKind.' in ast.unparse(one) for one in node.args)
        given = [*(node.args if makes_failure else []), named.get('reason')]
        for one in given:
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                yield one.value


def test_every_reason_that_is_written_out_has_its_sentence() -> None:
    found = {reason for path in PROVIDERS for reason in reasons_in(path)}

    assert 'an empty body' in found
    assert found - set(Reason) == set()
