"""Hundreds of spellings of this machine and its network: none of them is ever called."""

from __future__ import annotations

import asyncio
import ipaddress
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from app.errors import ErrorKind, Failure, ProviderError
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.transport.download import DownloadTimeouts, Fetcher
from app.storage.files import TempFile
from tests.support.address_spellings import spellings
from tests.support.fakes import KEY, Asked, Reply, Upstream, picture, upstream

pytestmark = pytest.mark.asyncio(loop_scope='module')

SECRET = {'Authorization': f'Bearer {KEY}'}
ONCE = DownloadTimeouts(tries=1)


async def look_up(host: str, port: int) -> list[str]:
    """Resolve as a hostile name server might: whatever is no address is public, and is us."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return ['8.8.8.8', '127.0.0.1']


@dataclass
class Sink:
    """Listens on every address of this machine and counts."""

    port: int = 0
    hits: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def count(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        self.writers.append(writer)
        writer.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """A listener that counts, a provider, and our way out."""

    sink: Sink
    provider: Upstream
    http_client: HttpClient
    fetcher: Fetcher


@asynccontextmanager
async def counting() -> AsyncIterator[Sink]:
    sink = Sink()
    server = await asyncio.start_server(sink.count, '0.0.0.0', 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def stage() -> AsyncIterator[Stage]:
    async with counting() as sink, upstream() as provider:
        http_client = HttpClient(look_up=look_up)
        own = origin_of(provider.origin)
        http_client.policy.trust(own)
        fetcher = Fetcher(http_client, own, SECRET, ONCE)
        yield Stage(sink, provider, http_client, fetcher)
        await http_client.close()


def no_place() -> TempFile:
    raise AssertionError('nothing should arrive')


async def opened(stage: Stage, url: str) -> Failure:
    own = origin_of(stage.provider.origin)
    with pytest.raises(ProviderError) as caught:
        async with stage.http_client.picture(url, own=own, headers=SECRET):
            pass
    return caught.value.failure


async def test_the_listener_counts_what_is_allowed(stage: Stage) -> None:
    async with counting() as sink:
        origin = f'http://127.0.0.1:{sink.port}'
        http_client = HttpClient([origin])
        with pytest.raises(ProviderError):
            async with http_client.picture(
                f'{origin}/x.png', own=origin_of('http://a.test'), headers={}
            ):
                pass
        await http_client.close()

    assert sink.hits == 1


async def test_no_spelling_is_called_directly(stage: Stage) -> None:
    for url in spellings(stage.sink.port):
        failure = await opened(stage, url)

        assert failure.kind is ErrorKind.BLOCKED_URL, url
        assert stage.sink.hits == 0, url


async def test_no_spelling_is_called_by_redirect(stage: Stage) -> None:
    for url in spellings(stage.sink.port):
        location = url.encode().decode('latin-1')
        reply = Reply(status=307, headers=(('Location', location),))
        stage.provider.replies['GET /a.png'] = reply

        failure = await opened(stage, f'{stage.provider.origin}/a.png')

        broken = any(sign in location for sign in '\r\n\x00\x0b\x7f')
        assert failure.kind is ErrorKind.BLOCKED_URL or broken, url
        assert stage.sink.hits == 0, url


async def test_no_spelling_in_an_answer_is_called(stage: Stage) -> None:
    stage.provider.otherwise = lambda _: Reply(status=404)
    asked_before = len(stage.provider.asked)

    for url in spellings(stage.sink.port):
        with pytest.raises(ProviderError) as caught:
            await stage.fetcher.fetch(url, no_place)

        assert caught.value.failure.kind is ErrorKind.BLOCKED_URL, url
        assert stage.sink.hits == 0, url
    assert {asked.target for asked in stage.provider.asked[asked_before:]} == {'/x.png'}


@pytest.mark.parametrize(
    'path', ['/etc/passwd', '/proc/self/environ', '/dev/zero', '/home/anna/.xinference/image/x.jpg']
)
async def test_a_path_is_asked_of_the_provider_and_never_of_the_disk(
    stage: Stage, path: str
) -> None:
    stage.provider.otherwise = lambda _: Reply(status=404)

    with pytest.raises(ProviderError) as caught:
        await stage.fetcher.fetch(path, no_place)

    assert caught.value.failure.kind is ErrorKind.IMAGE_FETCH_FAILED
    assert stage.provider.asked[-1].target == path


async def test_a_mixture_of_ports_tells_nothing_of_what_is_open(stage: Stage) -> None:
    stage.provider.otherwise = lambda _: Reply(status=404)
    urls = [f'http://localhost:{port}/x.png' for port in (stage.sink.port, 1, 22)]

    failures = [await opened(stage, url) for url in urls]

    assert len({(failure.kind, failure.reason, failure.http_status) for failure in failures}) == 1
    assert stage.sink.hits == 0


def paints(asked: Asked) -> Reply:
    return Reply(body=picture()) if asked.target == '/media/a.png?sig=%2F' else Reply(status=404)


@pytest.mark.parametrize(
    'place',
    [
        'http://localhost:{port}',
        'http://127.0.0.1:{port}',
        'https://127.0.0.1:{port}',
        'http://0.0.0.0:{port}',
        'http://[::1]:{port}',
        'http://192.168.1.7:{port}',
        'http://localai:{port}',
        '//localhost:{port}',
    ],
)
async def test_a_picture_said_to_be_at_a_private_host_is_found_at_the_provider(
    stage: Stage, place: str
) -> None:
    stage.provider.otherwise = paints
    url = place.format(port=stage.sink.port) + '/media/a.png?sig=%2F'

    with tempfile.TemporaryDirectory() as folder:
        received, address = await stage.fetcher.fetch(url, lambda: TempFile(Path(folder)))

    assert received.size_bytes == len(picture())
    assert address == f'{stage.provider.origin}/media/a.png?sig=%2F'
    assert stage.provider.asked[-1].headers['authorization'] == f'Bearer {KEY}'
    assert stage.sink.hits == 0
