"""Reading an answer as it streams: the skeleton, the pictures, and what is left on the disk."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ErrorKind, ProviderError, StorageFailed
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.response import stream as limits
from app.providers.response.stream import LONG_STRING_BYTES, ResponseStream
from app.storage.files import TempFile
from tests.support.fakes import Reply, arriving_in, asking, picture, sha256, storing, upstream

FRAGMENTS = (
    *(b'"', b'\\', b'\\"', b'\\u002', b'\\/', b'{"b64_json":"', b'data:image/png;base64,', b'='),
    *(b'A' * LONG_STRING_BYTES, b'QUJD' * 1_100, b'-_' * 2_100, b'==', b'\n \xff\xd8\xff'),
    *(b'\x89PNG\r\n\x1a\n', b'\xef\xbb\xbf', 'слова '.encode() * 400),
)
SIZES = {'short': 300, 'long': 9_000}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one answer, without the chance in it."""

    skeleton: str = ''
    digests: tuple[str, ...] = ()
    raw: str | None = None
    damaged: int = 0
    error: str | None = None


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('arriving')


def see(blocks: list[bytes], folder: Path) -> Seen:
    stream = ResponseStream(lambda: TempFile(folder))
    try:
        for block in blocks:
            stream.feed(block)
        skeleton = stream.finish()
        return Seen(
            skeleton=re.sub('picture-[0-9a-f]{16}-', 'picture-', skeleton),
            digests=tuple(received.digest for received in stream.pictures.values()),
            raw=stream.raw.digest if stream.raw else None,
            damaged=len(stream.bad),
        )
    except (ProviderError, StorageFailed) as error:
        return Seen(error=error.kind)
    finally:
        stream.discard()


def cut(answer: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(answer), *(place % (len(answer) + 1) for place in places)})
    return [answer[start:end] for start, end in pairwise(edges)]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def unicode_escaped(content: bytes) -> str:
    return b64(content).replace('+', '\\u002b').replace('/', '\\u002F')


def in_lines(content: bytes, end: str) -> str:
    return end.join(re.findall('.{1,76}', b64(content)))


SPELLINGS: dict[str, Callable[[bytes], str]] = {
    'plain': b64,
    'url-safe': lambda content: base64.urlsafe_b64encode(content).decode(),
    'unpadded': lambda content: b64(content).rstrip('='),
    'url-safe unpadded': lambda content: base64.urlsafe_b64encode(content).decode().rstrip('='),
    'lines': lambda content: in_lines(content, '\\n'),
    'windows lines': lambda content: in_lines(content, '\\r\\n'),
    'blanks around': lambda content: f'  {b64(content)}\\n',
    'escaped slashes': lambda content: b64(content).replace('/', '\\/'),
    'unicode escapes': unicode_escaped,
    'escaped padding': lambda content: b64(content).replace('=', '\\u003d'),
    'data URI': lambda content: f'data:image/png;base64,{b64(content)}',
    'data URI with parameters': lambda content: f'data:image/png;name=a;base64,{b64(content)}',
    'data URI in capitals': lambda content: f'DATA:IMAGE/PNG;BASE64,{b64(content)}',
    'data URI in escapes': lambda content: 'data:image\\/png;base64,' + unicode_escaped(content),
    'data URI url-safe': lambda content: (
        'data:image/png;base64,' + base64.urlsafe_b64encode(content).decode().rstrip('=')
    ),
    'data URI in lines': lambda content: 'data:image/png;base64,' + in_lines(content, '\\n'),
    'data URI in percent': lambda content: 'data:image/png;base64,' + quote(b64(content), safe=''),
    'data URI padded in percent': lambda content: (
        'data:image/png;base64,' + b64(content).replace('=', '%3D')
    ),
    'data URI without base64': lambda content: 'data:image/png,' + quote(content, safe=''),
}


@settings(deadline=None, max_examples=120)
@given(
    pictures=st.lists(st.tuples(st.integers(0, 9_000), st.sampled_from(list(SPELLINGS)))),
    words=st.lists(st.text(max_size=50), max_size=3),
    places=st.lists(st.integers(0, 100_000), max_size=30),
)
def test_how_an_answer_is_cut_never_changes_what_comes_out(
    folder: Path, pictures: list[tuple[int, str]], words: list[str], places: list[int]
) -> None:
    items = [f'{{"b64_json":"{SPELLINGS[name](noise(size))}"}}' for size, name in pictures]
    answer = f'{{"words":{json.dumps(words)},"data":[{",".join(items)}]}}'.encode()

    in_pieces = see(cut(answer, places), folder)

    assert in_pieces == see([answer], folder)


def test_a_percent_sign_may_be_cut_anywhere(folder: Path) -> None:
    content = bytes(LONG_STRING_BYTES) + noise(9_000)  # judged by its first letters
    answer = f'{{"b64_json":"{SPELLINGS["data URI in percent"](content)}"}}'.encode()
    inside = [found.start() + more for found in re.finditer(b'%', answer) for more in (1, 2)]

    digests = {see(cut(answer, [at]), folder).digests for at in inside}

    assert digests == {(sha256(content),)}


@settings(deadline=None, max_examples=200)
@given(
    fragments=st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=20), max_size=12),
    places=st.lists(st.integers(0, 100_000), max_size=20),
)
def test_garbage_is_read_alike_however_it_is_cut(
    folder: Path, fragments: list[bytes], places: list[int]
) -> None:
    answer = b''.join(fragments)

    in_pieces = see(cut(answer, places), folder)

    assert in_pieces == see([answer], folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize('size', SIZES.values(), ids=SIZES)
@pytest.mark.parametrize('spelling', SPELLINGS.values(), ids=SPELLINGS)
async def test_a_picture_is_the_same_in_every_spelling(
    spelling: Callable[[bytes], str], size: int, tmp_path: Path
) -> None:
    content = noise(size - 1)
    body = f'{{"data":[{{"b64_json":"{spelling(content)}"}}]}}'.encode()

    async with storing(tmp_path) as store, upstream() as server:
        server.otherwise = lambda _: Reply(body=body)
        async with asking(f'{server.origin}/v1') as one:
            answer = await one.generate(GenerationRequest(prompt='a cat'), Run(store.new_temp_file))

    assert [received.digest for received in answer.received] == [sha256(content)]
    assert [path.stat().st_size for path in (tmp_path / 'arriving').iterdir()] == [size - 1]


@pytest.mark.parametrize(
    'text',
    [
        'a cat, a dog; ' * 400,
        'a cat and a dog ' * 400,
        'masterpiece best-quality a cat\\n' * 200,
        'кот и пёс ' * 500,
        'https://cdn.example/a.png?sig=' + 'abc%20' * 900,
    ],
    ids=['prose', 'without commas', 'lines', 'cyrillic', 'address'],
)
def test_a_long_text_stays_text(text: str, folder: Path) -> None:
    answer = f'{{"revised_prompt":"{text}"}}'.encode()

    seen = see([answer], folder)

    assert seen.skeleton == answer.decode()


@pytest.mark.parametrize('places', [[], [2_000, 4_100, 4_101, 5_000]], ids=['whole', 'pieces'])
@pytest.mark.parametrize(
    'text',
    [
        'QUJD' * 1_100 + 'QQ==' + 'QUJD' * 10,
        'QUJD' * 1_100 + '!' + 'QUJD' * 10,
        'QUJD' * 1_100 + 'Q',
        'QUJD' * 1_100 + '\\u0416' + 'QUJD',
    ],
    ids=['padding inside', 'a wrong letter', 'one letter over', 'an escaped letter'],
)
def test_damaged_base64_is_a_damaged_picture(text: str, places: list[int], folder: Path) -> None:
    answer = f'{{"data":[{{"b64_json":"{text}"}}]}}'.encode()

    seen = see(cut(answer, places), folder)

    assert (seen.damaged, seen.digests) == (1, ())


@pytest.mark.parametrize('at', [1, 8_000])
def test_padding_in_the_middle_means_the_same_wherever_a_block_ends(at: int, folder: Path) -> None:
    start = '{"b64_json":"'
    answer = f'{start}{"QUJD" * 1_100}QQ=={"QUJD" * 900}"}}'.encode()
    places = [len(start) + at, len(start) + 4_404, len(start) + 4_408]

    in_pieces = see(cut(answer, places), folder)

    assert in_pieces == see([answer], folder)


def test_two_pictures_are_told_apart(folder: Path) -> None:
    one, other = noise(5_000, 1), noise(6_000, 2)
    answer = json.dumps({'data': [{'b64_json': b64(one)}, {'b64_json': b64(other)}]}).encode()

    seen = see([answer], folder)

    assert seen.digests == (sha256(one), sha256(other))
    assert json.loads(seen.skeleton) == {
        'data': [{'b64_json': 'picture-0'}, {'b64_json': 'picture-1'}]
    }


@pytest.mark.parametrize('length', [2_000, 4_096, 7_777])
def test_a_string_that_breaks_off_gives_no_picture(length: int, folder: Path) -> None:
    answer = f'{{"data":[{{"b64_json":"{b64(noise(9_000))[:length]}'.encode()

    seen = see([answer], folder)

    assert seen.digests == ()
    assert not seen.skeleton.endswith('}')


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'WEBP', 'GIF', 'AVIF'])
@pytest.mark.parametrize('places', [[], [1], [3, 5, 11], list(range(200))])
def test_an_answer_that_is_a_picture_is_taken_as_it_is(
    form: str, places: list[int], folder: Path
) -> None:
    content = picture(form=form)

    seen = see(cut(content, places), folder)

    assert (seen.raw, seen.skeleton) == (sha256(content), '')


def test_pictures_past_the_most_are_marked_and_not_written(folder: Path) -> None:
    answer = ('"' + 'A' * LONG_STRING_BYTES + '",') * limits.MOST_PICTURES

    whole = see([b'[' + answer.encode()], folder)
    past = see([b'[' + answer.encode() + answer.encode()], folder)

    assert len(whole.digests) == len(past.digests) == limits.MOST_PICTURES
    assert past.skeleton.count('picture-') == 2 * limits.MOST_PICTURES


@pytest.mark.parametrize('quoted', [b'', b'"'], ids=['outside', 'in a string'])
def test_text_past_the_most_is_refused(quoted: bytes, folder: Path) -> None:
    block = b'\xd1\x8f ' * 50_000

    past = see([quoted, *[block] * (limits.MOST_SKELETON_BYTES // len(block) + 1)], folder)

    assert past.error == ErrorKind.TOO_LARGE


def test_a_picture_past_64_mib_is_refused_and_leaves_no_file(folder: Path) -> None:
    mebibyte = b'QUJD' * (1 << 18)

    past = see([b'{"data":["', *[mebibyte] * 86], folder)

    assert past.error == ErrorKind.TOO_LARGE
    assert list(folder.iterdir()) == []


async def test_discarding_leaves_nothing_whatever_had_come(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        stream = ResponseStream(store.new_temp_file)
        stream.feed(json.dumps({'data': [b64(noise(9_000))]}).encode())
        stream.feed(f'"{b64(noise(9_000))}'.encode())

        stream.discard()

    assert arriving_in(tmp_path) == []
