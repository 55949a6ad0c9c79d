"""Stand-ins for what is outside the house: an HTTP server on a socket, and a provider."""

from __future__ import annotations

import asyncio
import hashlib
import io
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from PIL import Image

from app.errors import Failure, Reason
from app.models import GenerationResult, Received
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, ProviderState, ProviderStatus, Run
from app.providers.provider import ApiProvider
from app.storage.decoding.decoder import Decoder
from app.storage.files import TempFile
from app.storage.health import PROBE
from app.storage.store import Store

KEY = 'sk-the-key-of-these-tests'
LAST_CALL_S = 2
Colour = tuple[int, int, int]


class Ending(Enum):
    """What a fake server does after the bytes that it was told to send."""

    WHOLE = auto()
    CLOSES_EARLY = auto()
    RESETS = auto()
    HANGS = auto()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a fake server got; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a fake server answers.

    Attributes:
        status: None: not even a status line comes.
        rest: Pieces that follow the body one by one, each after the loop has run.
    """

    status: int | None = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b''
    rest: tuple[bytes, ...] = ()
    ending: Ending = Ending.WHOLE


NOT_FOUND = Reply(status=404, body=b'not found')


@dataclass
class Upstream:
    """A server on a real socket; `replies` answers by `METHOD /target`, else `otherwise`.

    Attributes:
        held: What a target's answer waits for, by `METHOD /target`.
    """

    port: int = 0
    replies: dict[str, Reply] = field(default_factory=dict)
    otherwise: Callable[[Asked], Reply] = lambda _: NOT_FOUND
    asked: list[Asked] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f'http://127.0.0.1:{self.port}'

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await read_request(reader)
            self.asked.append(asked)
            named = f'{asked.method} {asked.target}'
            if named in self.held:
                await self.held[named].wait()
            reply = self.replies.get(named)
            await send_reply(reader, writer, reply or self.otherwise(asked))
        self.left.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def end(self) -> None:
        if self.serving:
            _, late = await asyncio.wait(self.serving, timeout=LAST_CALL_S)
            for task in late:
                task.cancel()


async def read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
    first, *lines = head.strip().split('\r\n')
    method, target, _ = first.split(' ')
    pairs = (line.partition(':') for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get('content-length', '0')))
    return Asked(method, target, headers, body)


async def send_reply(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply
) -> None:
    if reply.status is not None:
        writer.write(head_of(reply) + reply.body)
    for piece in reply.rest:
        await writer.drain()
        writer.write(piece)
    await writer.drain()
    if reply.ending is Ending.HANGS:
        await reader.read()
    if reply.ending is Ending.RESETS:
        connection = writer.get_extra_info('socket')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def head_of(reply: Reply) -> bytes:
    names = {name.lower() for name, _ in reply.headers}
    more = 0 if reply.ending is Ending.WHOLE else 1_000
    length = len(reply.body) + sum(len(piece) for piece in reply.rest) + more
    lines = [f'HTTP/1.1 {reply.status} Said']
    lines += [f'{name}: {value}' for name, value in reply.headers]
    if 'content-length' not in names:
        lines.append(f'content-length: {length}')
    return '\r\n'.join([*lines, 'connection: close', '', '']).encode('latin-1')


@asynccontextmanager
async def upstream(replies: Mapping[str, Reply] | None = None) -> AsyncIterator[Upstream]:
    """Listen on a free port of this machine for as long as the block lasts."""
    fake = Upstream(replies=dict(replies or {}))
    server = await asyncio.start_server(fake.begin, '127.0.0.1', 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        await fake.end()
        await server.wait_closed()


@contextmanager
def refused_port() -> Iterator[int]:
    """Hold a port that is bound and does not listen, so that it refuses."""
    with socket.socket() as held:
        held.bind(('127.0.0.1', 0))
        yield held.getsockname()[1]


@asynccontextmanager
async def asking(
    base_url: str, *, named: tuple[str, ...] = (), timeout_s: float = 10, key: str | None = KEY
) -> AsyncIterator[ApiProvider]:
    """Open the real provider, over the real client, for one address."""
    http_client = HttpClient(named)
    settings = ProviderSettings(
        name='test', base_url=base_url, model='flux', timeout_s=timeout_s, key=key
    )
    try:
        yield ApiProvider(settings, http_client)
    finally:
        await http_client.close()


@asynccontextmanager
async def storing(folder: Path, decoder: Decoder | None = None) -> AsyncIterator[Store]:
    """Open the real store, with its real decoder child."""
    store = Store(folder, decoder or Decoder({}))
    store.prepare()
    try:
        yield store
    finally:
        await store.decoder.close()


def arriving_in(folder: Path) -> list[str]:
    """Name what is left of pictures that were arriving."""
    names = {path.name for path in (folder / 'arriving').iterdir()}
    return sorted(names - {PROBE})  # which is tried out at any time


def picture(
    width: int = 8, height: int = 6, colour: Colour = (200, 30, 40), form: str = 'PNG'
) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (width, height), colour).save(file, form)
    return file.getvalue()


def differs(shown: str, colour: Colour) -> int:
    """Give the largest difference between `#rrggbb` and a colour, 0 to 255."""
    pairs = zip(bytes.fromhex(shown.removeprefix('#')), colour, strict=True)
    return max(abs(one - other) for one, other in pairs)


def received_in(store: Store, content: bytes) -> Received:
    temp_file = store.new_temp_file()
    temp_file.write(content)
    return temp_file.received()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def provider_settings(name: str = 'fake', at_once: int = 4) -> ProviderSettings:
    return ProviderSettings(
        name=name, base_url='http://fake.test/v1', model='flux', timeout_s=5, at_once=at_once
    )


ANSWERING = ProviderStatus(state=ProviderState.LIST)
REFUSING = ProviderStatus(state=ProviderState.NOTHING, reason=Reason.CONNECTION_REFUSED)


@dataclass
class FakeProvider:
    """A provider that does what the test says, once it is let go."""

    settings: ProviderSettings = field(default_factory=provider_settings)
    pictures: list[bytes] = field(default_factory=lambda: [picture()])
    fault: BaseException | None = None
    status: ProviderStatus = ANSWERING
    asks: list[GenerationRequest] = field(default_factory=list)
    fetched: list[Failure] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    go: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most_under_way: int = 0
    closed: int = 0

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        self.asks.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.begun.release()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.closed += 1
            raise
        finally:
            self.under_way -= 1
        if self.fault:
            raise self.fault
        return GenerationResult(
            received=tuple(self._arrive(content, run.incoming) for content in self.pictures)
        )

    async def fetch(self, lost: Sequence[Failure], run: Run) -> GenerationResult:
        self.fetched += lost
        return GenerationResult(
            received=tuple(self._arrive(content, run.incoming) for content in self.pictures)
        )

    async def default_model(self) -> str:
        return self.settings.model

    async def list_models(self) -> ProviderStatus:
        return self.status

    def _arrive(self, content: bytes, temp_file: Callable[[], TempFile]) -> Received:
        file = temp_file()
        file.write(content)
        return file.received()
