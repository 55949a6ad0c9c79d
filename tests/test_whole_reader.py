"""Any bytes at all through the whole reader: spool, parse, items, files; over no network."""

from __future__ import annotations

import asyncio
import json
import random
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ErrorKind, Failure, ProviderError
from app.models import Received
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, Run
from app.providers.transport.caller import Caller
from app.providers.transport.collect import ImageCollector
from app.storage.files import TempFile
from tests.support.provider_calls import B64, PNG
from tests.support.recordings import CASES, body_of

URL = 'http://reader.test/v1/images/generations'
SENT = {'model': 'flux', 'prompt': 'a cat', 'size': '512x512', 'quality': 'hd'}
BODIES = sorted({body_of(json.loads(case.text)['body']) for case in CASES})
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 400, 404, 422, 429, 500, 503])
LONG = B64.rstrip('=') * 60
PIECES = (
    *(b'{"data":[', b'{"b64_json":"', b'{"url":"', b'"}', b']}', b'[', b']', b',', b'"', b'\\'),
    *(b'data: ', b'\n\n', b'\r\n', b'\r', b'event: error\n', b': kept\n\n', b'[DONE]'),
    *(b'{"error":', b'{"message":"no"}', b'null', b'NaN', b'1e999', b'\xef\xbb\xbf', b'\xff\xfe'),
    *(b'"\\ud83d"', b'\\u0000', b'9' * 4_301, b'[' * 3_000, b'{"a":' * 2_000, b'PK\x03\x04'),
    *(B64.encode(), LONG.encode(), b'data:image/png;base64,', b'![a](', b')', PNG, b'GIF89a'),
)


class Told(httpx.AsyncBaseTransport):
    """Gives one answer in blocks, and has no pictures at any address."""

    def __init__(self, status: int, blocks: list[bytes]) -> None:
        self._status = status
        self._blocks = blocks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == 'GET':
            return httpx.Response(404)
        return httpx.Response(self._status, stream=_Blocks(self._blocks))


class _Blocks(httpx.AsyncByteStream):
    def __init__(self, blocks: list[bytes]) -> None:
        self._blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self._blocks:
            yield block


class NoFetcher:
    """Finds no picture anywhere."""

    async def fetch(self, text: str, incoming: Callable[[], TempFile]) -> tuple[Received, str]:
        raise ProviderError(Failure(kind=ErrorKind.BLOCKED_URL, url=text[:80]))


@dataclass(frozen=True, slots=True)
class Came:
    """What an answer came to, without the chance in it."""

    digests: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


async def read(status: int, blocks: list[bytes], folder: Path) -> Came:
    http_client = HttpClient(transport=Told(status, blocks))
    told = ProviderSettings(name='t', base_url='http://reader.test/v1', model='m', timeout_s=30)
    caller = Caller(told, http_client)
    run = Run(lambda: TempFile(folder))
    try:
        response = await caller.post(URL, SENT, run)
        answer = await ImageCollector(caller, NoFetcher()).collect(response, run)  # type: ignore[arg-type]
        if answer is None:
            raise caller.refused(response, SENT)
    except ProviderError as error:
        return Came(failures=(without_marks(error.failure),))
    finally:
        await http_client.close()
    digests = tuple(received.digest for received in answer.received)
    for received in answer.received:
        received.path.unlink()
    return Came(digests, tuple(map(without_marks, answer.item_errors)))


def without_marks(failure: Failure) -> Failure:
    words = re.sub('picture-[0-9a-f]{16}', 'picture', failure.words)
    url = re.sub('picture-[0-9a-f]{16}', 'picture', failure.url or '')
    return Failure(kind=failure.kind, words=words, reason=failure.reason, url=url)


def cut(answer: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(answer), *(place % (len(answer) + 1) for place in places)})
    return [answer[start:end] for start, end in pairwise(edges)]


@pytest.fixture(scope='module')
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def mutated(body: bytes, seed: int) -> bytes:
    """Spoil a body in one of the ways that a broken server may."""
    chance = random.Random(seed)
    at = chance.randrange(len(body) + 1)
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: body[:at],
        lambda: body[at:],
        lambda: body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
        lambda: body[:at] + chance.choice(PIECES) + body[at:],
        lambda: body + body,
        lambda: b'\xef\xbb\xbf' + body,
        lambda: body.decode('utf-8', 'replace').encode('utf-16'),
        lambda: body.replace(b'{', b'{"data":null,"error":[{}],'),
        lambda: body.replace(b'"data"', b'"' + chance.choice(PIECES).hex().encode() + b'"'),
        lambda: body.replace(b'":', b'":[', 1),
    )
    return chance.choice(ways)()


@settings(deadline=None, max_examples=150)
@given(
    pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=14),
    status=STATUSES,
    places=st.lists(st.integers(0, 100_000), max_size=12),
)
def test_any_bytes_come_to_pictures_or_a_failure_however_they_are_cut(
    folder: Path, pieces: list[bytes], status: int, places: list[int]
) -> None:
    answer = b''.join(pieces)

    in_pieces = asyncio.run(read(status, cut(answer, places), folder))

    assert in_pieces == asyncio.run(read(status, [answer], folder))
    assert list(folder.iterdir()) == []


@settings(deadline=None, max_examples=150)
@given(
    body=st.sampled_from(BODIES),
    seed=st.integers(0, 1_000_000),
    status=STATUSES,
    places=st.lists(st.integers(0, 100_000), max_size=8),
)
def test_a_spoilt_recording_comes_to_pictures_or_a_failure_however_it_is_cut(
    folder: Path, body: bytes, seed: int, status: int, places: list[int]
) -> None:
    answer = mutated(body, seed)

    in_pieces = asyncio.run(read(status, cut(answer, places), folder))

    assert in_pieces == asyncio.run(read(status, [answer], folder))
    assert list(folder.iterdir()) == []


def test_a_small_answer_that_is_cut_anywhere_is_never_a_picture_nor_a_page(folder: Path) -> None:
    answer = json.dumps({'created': 1, 'data': [{'b64_json': B64}]}).encode()

    cuts = [asyncio.run(read(200, [answer[:end]], folder)) for end in range(len(answer))]

    kinds = {failure.kind for came in cuts for failure in came.failures}
    assert kinds == {ErrorKind.EMPTY, ErrorKind.TRUNCATED}
    assert not [came for came in cuts if came.digests]


@pytest.mark.parametrize('depth', [900, 3_000, 100_000])
@pytest.mark.parametrize('status', [200, 400])
def test_a_tree_of_any_depth_is_a_failure_like_any_other(
    depth: int, status: int, folder: Path
) -> None:
    answers = [b'[' * depth + b']' * depth, b'{"error":' * depth + b'"x"' + b'}' * depth]

    came = [asyncio.run(read(status, [answer], folder)) for answer in answers]

    assert all(one.failures and not one.digests for one in came)
