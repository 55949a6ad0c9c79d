"""Responses whose heads break HTTP's grammar, read as far as their bodies can be told."""

from __future__ import annotations

import gettext
import gzip
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError, Reason
from app.messages import describe
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.net.heads import Responses
from tests.support.fakes import Reply, upstream
from tests.support.provider_calls import ONE, drawn

FIELD = Path(__file__).parent / 'data' / 'field'
BODY = ONE.body
LENGTH = f'Content-Length: {len(BODY)}'.encode()
CLOSE = b'Connection: close'
CHUNKED = b'%x\r\n%b\r\n0\r\n\r\n' % (len(BODY), BODY)
OK = b'HTTP/1.1 200 OK'


def answer(*lines: bytes, body: bytes = BODY, end: bytes = b'\r\n') -> bytes:
    return end.join((*lines, b'', b'')) + body


ODD = {
    'the length twice': answer(OK, LENGTH, LENGTH),
    'the length twice in one line': answer(OK, LENGTH + b', %d' % len(BODY)),
    'two lengths, the first right': answer(OK, LENGTH, b'Content-Length: 9999'),
    'a length that is none': answer(OK, b'Content-Length: all of it'),
    'a length that counts letters': answer(OK, b'Content-Length: %d' % (len(BODY) - 9)),
    'a length that is too great': answer(OK, b'Content-Length: %d' % (len(BODY) + 9)),
    'a length of nothing': answer(OK, b'Content-Length: 0'),
    'chunked named twice': answer(
        OK, b'Transfer-Encoding: chunked', b'Transfer-Encoding: chunked', body=CHUNKED
    ),
    'chunked twice': answer(
        OK,
        b'Transfer-Encoding: chunked, chunked',
        body=b'%x\r\n%b\r\n0\r\n\r\n' % (len(CHUNKED), CHUNKED),
    ),
    'chunked and a length': answer(OK, b'Transfer-Encoding: chunked', LENGTH, body=CHUNKED),
    'said to be chunked': answer(OK, b'Transfer-Encoding: chunked'),
    'said to be chunked, with a length': answer(OK, b'Transfer-Encoding: chunked', LENGTH),
    'identity': answer(OK, b'Transfer-Encoding: identity', LENGTH),
    'chunks of bare line feeds': answer(
        OK,
        b'Transfer-Encoding: Chunked',
        body=b'%x \n%b\n%x;a=b\n%b\n0\n\n' % (9, BODY[:9], len(BODY) - 9, BODY[9:]),
        end=b'\n',
    ),
    'chunks without an end': answer(OK, b'Transfer-Encoding: chunked', body=CHUNKED[:-5]),
    'a blank before the colon': answer(OK, b'Transfer-Encoding : chunked', body=CHUNKED),
    'a blank before the name': answer(OK, b'Server: x', b' ' + LENGTH),
    'a blank in the name of the length': answer(OK, LENGTH.replace(b'-', b' ')),
    'a first line that is a continuation': answer(OK, b' x', LENGTH),
    'a header over two lines': answer(OK, b'X-Note: a', b'\tb', LENGTH),
    'no colon': answer(OK, b'X-Note', LENGTH),
    'no name': answer(OK, b': x', LENGTH),
    'a name in Cyrillic': answer(OK, 'Модель: флюкс'.encode(), LENGTH),
    'a value in Cyrillic': answer(OK, 'X-Model: флюкс'.encode(), LENGTH),
    'signs of control': answer(OK, b'X-Model: a\x00b\x07', LENGTH),
    'line feeds alone': answer(OK, LENGTH, end=b'\n'),
    'two carriage returns': answer(OK, LENGTH, end=b'\r\r\n'),
    'no reason': answer(b'HTTP/1.1 200', LENGTH),
    'no blank before the reason': answer(b'HTTP/1.1 200OK', LENGTH),
    'two blanks in the first line': answer(b'HTTP/1.1  200  OK', LENGTH),
    'small letters': answer(b'http/1.1 200 ok', LENGTH),
    'no version': answer(b'HTTP 200 OK', LENGTH),
    'HTTP/2 in the text of HTTP/1': answer(b'HTTP/2 200', LENGTH),
    'HTTP/1.0 without a length': answer(b'HTTP/1.0 200 OK'),
    'signs of control in the reason': answer(OK + b'\x1b[0m', LENGTH),
    'blank lines before the head': b'\r\n\r\n' + answer(OK, LENGTH),
    'a byte order mark': b'\xef\xbb\xbf' + answer(OK, LENGTH),
    'an odd interim answer': answer(b'HTTP/1.1 100', b'a b: c', body=b'') + answer(OK, LENGTH),
    'a blank in the blank line': answer(OK, LENGTH, b' ')[: -len(BODY) - 2] + BODY,
    'no blank line': answer(OK, LENGTH, body=b'')[:-2] + BODY,
    'carriage returns alone': answer(OK, LENGTH, end=b'\r'),
    'two first lines': answer(OK, OK, LENGTH),
    'a coding that is none': answer(OK, b'Content-Encoding: UTF-8', LENGTH),
    'said to be compressed': answer(OK, b'Content-Encoding: gzip', LENGTH),
    'compressed by its transfer': answer(OK, b'Transfer-Encoding: gzip', body=gzip.compress(BODY)),
    'a body alone': BODY,
    **{path.stem: path.read_bytes() for path in FIELD.glob('head_*.http')},
}


async def ask(content: bytes, folder: Path, *more: bytes) -> GenerationResult:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=None, rest=(content, *more))
        return await drawn(server, folder, GenerationRequest(prompt='x'))


@pytest.mark.parametrize('content', ODD.values(), ids=ODD.keys())
async def test_a_picture_that_was_paid_for_survives_an_odd_head(
    content: bytes, tmp_path: Path
) -> None:
    result = await ask(content, tmp_path)

    assert len(result.received) == 1


@pytest.mark.parametrize('content', ODD.values(), ids=ODD.keys())
def test_how_a_response_is_cut_into_pieces_changes_nothing(content: bytes) -> None:
    whole, pieces = Responses(), Responses()

    at_once = whole.feed(content) + whole.feed(b'')
    one_by_one = b''.join(pieces.feed(content[at : at + 1]) for at in range(len(content)))
    one_by_one += pieces.feed(b'')

    assert one_by_one.count(BODY) == at_once.count(BODY)


@pytest.mark.parametrize(
    'content',
    [
        b'SSH-2.0-OpenSSH_9.2\r\n\r\n',
        answer(b'HTTP/1.1 OK', LENGTH),
        answer(b'250 welcome'),
        answer(OK, b'Transfer-Encoding: chunked', body=b'5\r\n{"dat\r\nzz\r\n'),
        answer(OK, b'Content-Length: 999', body=BODY[:-2]),
    ],
    ids=['another protocol', 'no status', 'mail', 'broken chunks', 'a broken body'],
)
async def test_what_cannot_be_read_may_have_been_charged(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(content, tmp_path)

    text = describe(caught.value.failure, gettext.NullTranslations().gettext)
    assert caught.value.failure.kind is ErrorKind.TRUNCATED
    assert 'charged' in text.hint
    assert 'Nothing was charged' not in text.hint
    assert 'reached' not in text.message


async def test_an_answer_that_breaks_the_rules_is_no_unreachable_server(tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(b'220 mail.test ESMTP\r\n\r\n', tmp_path)

    assert caught.value.failure.reason == Reason.NOT_BY_THE_RULES_OF_HTTP


async def test_what_comes_beyond_the_length_of_a_long_body_is_read_too(tmp_path: Path) -> None:
    whole = b'{"a": "%b", ' % (b'x y ' * 20_000) + BODY[1:]
    head = answer(OK, b'Content-Length: %d' % (len(whole) - 9), body=whole[:100])

    result = await ask(head, tmp_path, whole[100:])

    assert len(result.received) == 1


def test_a_clean_response_passes_as_it_came() -> None:
    responses, content = Responses(), answer(OK, LENGTH)

    passed = responses.feed(content[:20]) + responses.feed(content[20:])

    assert passed == content
    assert not responses.is_over


@pytest.mark.parametrize(
    'head',
    [
        b'HTTP' + b' ' * 30_000 + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 1' + b' ' * 30_000 + b'b\r\n\r\n',
        b'HTTP/1.1 200 OK\r\na b: c' + b'\r' * 30_000 + b'd\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;' + b'\r' * 60_000,
    ],
    ids=['blanks', 'blanks in a length', 'line ends', 'line ends of a chunk'],
)
def test_a_head_of_blanks_is_read_once(head: bytes) -> None:  # hours, were each read from each
    assert Responses().feed(head)


def test_nothing_behind_a_mended_response_is_taken_for_another() -> None:
    responses = Responses()

    passed = responses.feed(answer(OK, b'a b: c', LENGTH) + b'\r\n')

    assert passed.endswith(BODY)
    assert b'\r\nConnection: close\r\n' in passed
    assert responses.is_over


@pytest.mark.parametrize(
    ('lines', 'ends_by_silence'),
    [
        ((b'Content-Length: all of it',), True),
        ((b'Content-Length: 9',), True),
        ((b'Transfer-Encoding: chunked', b'a b: c'), True),
        ((b'a b: c',), False),
    ],
    ids=['no length', 'too short a length', 'no chunks', 'none told'],
)
def test_a_length_that_is_wrong_keeps_nobody_waiting(
    lines: tuple[bytes, ...], ends_by_silence: bool
) -> None:
    responses = Responses()

    passed = responses.feed(answer(OK, *lines))

    assert passed.endswith(BODY)
    assert responses.is_guessed is ends_by_silence
