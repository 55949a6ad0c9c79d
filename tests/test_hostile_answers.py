"""Answers made to keep Easel busy: each is read in pieces and within bounds, or refused."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import struct
import zipfile
from pathlib import Path

import httpcore
import pytest

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import Received
from app.models.request import GenerationRequest
from app.net.connections import LEAST_READ_BYTES, connect
from app.net.heads import MOST_HEADER_BYTES, MOST_INTERIM
from app.net.pace import SLICE_S, Pace
from app.net.urls import MOST_LETTERS, Address, Blocked, Origin, joined
from app.providers.core.base import Run
from app.providers.response.base64_stream import inline
from app.providers.response.events import MOST_PREVIEWS, Events
from app.providers.response.images import find_items
from app.providers.response.json_text import MOST_VALUES, TooManyValues, loads
from app.providers.response.parser import parse
from app.providers.response.stream import MOST_MARKS, ResponseStream, pieces
from app.providers.transport.collect import MOST_DIRECTORY_BYTES, unzipped
from app.storage.files import TempFile
from tests.support.fakes import Reply, arriving_in, asking, picture, storing, upstream

URL = 'https://cdn.test/a.png'
INTERIM = b'HTTP/1.1 100 Continue\r\n\r\n'


async def failure_of(reply: Reply, folder: Path) -> Failure:
    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = lambda _: reply
        async with storing(folder) as store:
            with pytest.raises(ProviderError) as caught:
                await provider.generate(GenerationRequest(prompt='x'), Run(store.new_temp_file))
    assert arriving_in(folder) == []
    return caught.value.failure


def raw(content: bytes) -> Reply:
    return Reply(status=None, rest=(content,))


@pytest.mark.parametrize(
    ('reply', 'kind', 'reason'),
    [
        (raw(INTERIM * (MOST_INTERIM + 1)), ErrorKind.UNREACHABLE, Reason.ONLY_INTERIM_ANSWERS),
        (
            raw(b'HTTP/1.1 200 OK\r\n' + b'a:b\r\n' * MOST_HEADER_BYTES),
            ErrorKind.UNREACHABLE,
            Reason.HEADERS_OVER_32_KIB,
        ),
        (
            Reply(body=b'[' + b'[],' * MOST_VALUES + b'[]]'),
            ErrorKind.TOO_LARGE,
            Reason.OVER_20_000_VALUES,
        ),
    ],
    ids=['interim answers', 'headers', 'values'],
)
async def test_what_has_no_end_is_refused_with_a_sentence_of_its_own(
    reply: Reply, kind: ErrorKind, reason: Reason, tmp_path: Path
) -> None:
    failure = await failure_of(reply, tmp_path)

    assert (failure.kind, failure.reason) == (kind, reason)


async def test_a_connection_reads_little_until_it_is_known_to_be_parsed_quickly() -> None:
    async with upstream({'GET /': Reply(body=bytes(10 * LEAST_READ_BYTES))}) as server:
        stream = await connect(['127.0.0.1'], server.port, 5)
        await stream.write(b'GET / HTTP/1.1\r\n\r\n')

        first = await stream.read(8 * LEAST_READ_BYTES)
        await stream.aclose()

    assert 0 < len(first) <= LEAST_READ_BYTES


async def _refuse_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b'HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n')
    await writer.drain()
    connection = writer.get_extra_info('socket')
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    writer.close()


async def _send_a_large_body() -> bytes:
    """Send more than the other side reads; return the answer."""
    server = await asyncio.start_server(_refuse_at_once, '127.0.0.1', 0)
    async with server:
        stream = await connect(['127.0.0.1'], server.sockets[0].getsockname()[1], 5)
        for _ in range(2):  # also once it is known to be closed
            with pytest.raises(httpcore.WriteError):
                await stream.write(bytes(1 << 24), 5)
        answer = await stream.read(1_000)
        with pytest.raises(httpcore.ReadError, match='connection reset'):
            await stream.read(1_000)
        await stream.aclose()
    return answer


@pytest.mark.parametrize('loop', ['asyncio', 'uvloop'])
def test_an_answer_before_the_body_was_read_is_not_lost_where_the_connection_breaks(
    loop: str,
) -> None:
    made = pytest.importorskip(loop).new_event_loop
    with asyncio.Runner(loop_factory=made) as runner:
        assert runner.run(_send_a_large_body()).startswith(b'HTTP/1.1 413')


async def test_others_go_on_once_a_slice_of_time_is_used_up() -> None:
    now, turns = [0.0], list[float]()
    pace = Pace(lambda: now[0])
    other = asyncio.create_task(_note(turns, now))

    await pace.rest()
    before = len(turns)
    now[0] = SLICE_S
    await pace.rest()

    assert (before, turns) == (0, [SLICE_S])
    await other


async def _note(turns: list[float], now: list[float]) -> None:
    turns.append(now[0])


@pytest.mark.parametrize('unit', [b'"', b'\n', b'\r\n', b'""a'])
def test_a_block_with_many_strings_or_lines_is_read_in_small_pieces(unit: bytes) -> None:
    block = unit * 20_000

    cut = list(pieces(block))

    assert b''.join(cut) == block
    marks = [sum(piece.count(sign) for sign in (b'"', b'\n', b'\r')) for piece in cut]
    assert max(marks) <= MOST_MARKS + len(unit)


def test_a_block_without_any_stays_whole() -> None:
    assert list(pieces(bytes(65_536))) == [bytes(65_536)]


def test_a_text_of_too_many_values_is_not_parsed() -> None:
    with pytest.raises(TooManyValues):
        loads('[' + '1,' * MOST_VALUES + '1]')


def test_a_number_of_any_length_is_one_value() -> None:
    assert loads(f'[{"9" * 5_000}, 12]') == [float('inf'), 12]


@pytest.mark.parametrize('line', ['data: {"a": 1}\n\n', '{"a": 1}\n'], ids=['events', 'lines'])
def test_a_picture_behind_more_events_or_lines_than_values_is_found(line: str) -> None:
    last = line.replace('{"a": 1}', f'{{"url": "{URL}"}}')

    tree = parse(line * (MOST_VALUES + 1) + last)

    assert [item.text for item in find_items(tree)] == [URL]


def test_pings_are_passed_over_until_the_picture_comes(tmp_path: Path) -> None:
    stream = ResponseStream(lambda: TempFile(tmp_path))
    events = Events(stream, Run(lambda: TempFile(tmp_path)), count=1)

    stream.feed(b'\n \n: ping\n\n' * 1_000)
    before = events.are_over()
    stream.feed(f'data: {{"url": "{URL}"}}\n\n'.encode())

    assert (before, events.are_over()) == (False, True)
    assert [item.text for item in find_items(events.tree())] == [URL]


def test_of_previews_without_end_only_the_first_are_files(tmp_path: Path) -> None:
    shown: list[Received] = []
    stream = ResponseStream(lambda: TempFile(tmp_path))
    run = Run(lambda: TempFile(tmp_path), previewed=lambda _, one: shown.append(one))
    events = Events(stream, run, count=1)

    preview = {'type': 'partial_image', 'b64_json': 'QUJD'}
    stream.feed(f'data: {json.dumps(preview)}\n\n'.encode() * (MOST_PREVIEWS + 9))

    assert not events.are_over()
    assert len(shown) == MOST_PREVIEWS


def test_a_long_data_address_is_decoded_as_it_stands(tmp_path: Path) -> None:
    content = bytes(range(256)) * 300
    address = 'data:image/png,' + ''.join(f'%{byte:02x}' if byte % 3 else 'a' for byte in content)

    received = inline(address, lambda: TempFile(tmp_path))

    assert received.path.read_bytes() == bytes(byte if byte % 3 else 97 for byte in content)


def test_an_address_longer_than_any_is_refused_at_once() -> None:
    with pytest.raises(Blocked):
        joined('a' * (MOST_LETTERS + 1), Address(Origin('http', 'a.test', 80), '/'))


@pytest.mark.parametrize(
    ('count', 'method'), [(6_000, zipfile.ZIP_STORED), (1, zipfile.ZIP_LZMA)], ids=['many', 'lzma']
)
def test_a_zip_that_would_take_any_memory_is_not_unpacked(
    count: int, method: int, tmp_path: Path
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', method) as archive:
        for number in range(count):
            archive.writestr(f'{number:>50}.png', picture() if number == 0 else b'')
    file = TempFile(tmp_path)
    file.write(packed.getvalue())

    with pytest.raises(zipfile.BadZipFile):
        unzipped(file.received(), lambda: TempFile(tmp_path))

    assert len(packed.getvalue()) > MOST_DIRECTORY_BYTES or count == 1
