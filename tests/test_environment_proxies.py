"""The proxy that the environment names: for public addresses, never for private ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.messages import describe
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.net.proxies import is_left_out, proxy_of
from app.net.tls import tls_context
from app.net.urls import Origin
from app.providers.core.base import ProviderSettings, Run
from app.providers.provider import ApiProvider
from app.storage.files import TempFile
from tests.support.fakes import KEY, Reply, Upstream, refused_port, upstream
from tests.support.provider_calls import ONE, PNG

NAMES = {'api.example.com': '93.184.216.34', 'nas.example.com': '192.168.1.9'}
PROXY_VARIABLES = ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy')


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def look_up(host: str, port: int) -> list[str]:
    if host.replace('.', '').isdecimal():
        return [host]
    if host not in NAMES:
        raise OSError('host not found')
    return [NAMES[host]]


async def drawn(url: str, folder: Path, look_up: object = look_up) -> GenerationResult:
    http_client = HttpClient(look_up=look_up)  # type: ignore[arg-type]
    settings = ProviderSettings(name='t', base_url=url, model='flux', timeout_s=5, key=KEY)
    try:
        run = Run(lambda: TempFile(folder))
        return await ApiProvider(settings, http_client).generate(GenerationRequest(prompt='x'), run)
    finally:
        await http_client.close()


async def failure_of(url: str, folder: Path) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await drawn(url, folder)
    return caught.value.failure


@asynccontextmanager
async def tunnelling(port: int, asked: list[bytes]) -> AsyncIterator[int]:
    """A proxy whose tunnels all lead to one port of this machine."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(9_999):
            writer.write(block)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b'\r\n\r\n'))
        there, to_there = await asyncio.open_connection('127.0.0.1', port)
        writer.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
        await asyncio.gather(pipe(reader, to_there), pipe(there, writer), return_exceptions=True)

    server = await asyncio.start_server(tunnel, '127.0.0.1', 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize('variable', ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])
@pytest.mark.parametrize('host', ['api.example.com', 'unknown.example.com', '93.184.216.34'])
async def test_a_public_address_is_asked_by_the_proxy(
    variable: str, host: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with upstream({f'POST http://{host}/v1/images/generations': ONE}) as proxy:
        environment.setenv(variable, f'http://me:p%40ss@127.0.0.1:{proxy.port}')
        result = await drawn(f'http://{host}/v1', tmp_path)

    assert len(result.received) == 1
    assert proxy.asked[0].headers['proxy-authorization'] == 'Basic bWU6cEBzcw=='


async def test_https_goes_through_a_tunnel_and_its_key_with_it(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, own, asked = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[bytes]()
    authority.issue_cert('api.example.com').configure_cert(own)
    authority.cert_pem.write_to_path(tmp_path / 'authority.pem')
    environment.setenv('SSL_CERT_FILE', str(tmp_path / 'authority.pem'))
    tls_context.cache_clear()
    fake = Upstream(replies={'POST /v1/images/generations': ONE})
    server = await asyncio.start_server(fake.begin, '127.0.0.1', 0, ssl=own)
    async with server, tunnelling(server.sockets[0].getsockname()[1], asked) as port:
        environment.setenv('HTTPS_PROXY', f'127.0.0.1:{port}')
        result = await drawn('https://api.example.com/v1', tmp_path)
        await fake.end()
    tls_context.cache_clear()

    assert len(result.received) == 1
    assert asked[0].startswith(b'CONNECT api.example.com:443 HTTP/1.1\r\n')
    assert KEY.encode() not in asked[0]
    assert fake.asked[0].headers['authorization'] == f'Bearer {KEY}'


@pytest.mark.parametrize('host', ['127.0.0.1', 'nas.example.com', 'nas', 'nas.local', '10.0.0.9'])
async def test_a_private_address_is_never_told_to_a_proxy(
    host: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def here(name: str, port: int) -> list[str]:
        return ['127.0.0.1']

    async with upstream() as proxy, upstream({'POST /v1/images/generations': ONE}) as server:
        environment.setenv('ALL_PROXY', proxy.origin)
        result = await drawn(f'http://{host}:{server.port}/v1', tmp_path, here)

    assert len(result.received) == 1
    assert proxy.asked == []


@pytest.mark.parametrize('url', ['http://nas.example.com/a.png', 'http://169.254.169.254/a.png'])
async def test_a_picture_at_a_private_address_stays_blocked_behind_a_proxy(
    url: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = Reply(body=f'{{"data": [{{"url": "{url}"}}]}}'.encode())
    async with upstream({'POST http://api.example.com/v1/images/generations': named}) as proxy:
        proxy.otherwise = lambda _: Reply(status=403)
        environment.setenv('HTTP_PROXY', proxy.origin)
        failure = await failure_of('http://api.example.com/v1', tmp_path)

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert not [asked for asked in proxy.asked if url in asked.target]


async def test_a_public_picture_comes_by_the_proxy_without_the_key(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = Reply(body=b'{"data": [{"url": "http://cdn.example.com/a.png"}]}')
    async with upstream() as proxy:
        proxy.replies = {
            'POST http://api.example.com/v1/images/generations': named,
            'GET http://cdn.example.com/a.png': Reply(body=PNG),
        }
        environment.setenv('HTTP_PROXY', proxy.origin)
        result = await drawn('http://api.example.com/v1', tmp_path)

    assert len(result.received) == 1
    assert 'authorization' not in proxy.asked[1].headers


@pytest.mark.parametrize(
    ('reply', 'reason'),
    [
        (b'HTTP/1.1 403 Forbidden\r\n\r\n', Reason.PROXY_REFUSES),
        (b'HTTP/1.1 407 Who\r\n\r\n', Reason.PROXY_ASKS_WHO),
        (b'', Reason.PROXY_REFUSES),
        (b'\5\0', Reason.PROXY_REFUSES),
    ],
)
async def test_a_proxy_that_refuses_has_a_sentence_of_its_own(
    reply: bytes, reason: Reason, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with upstream() as proxy:
        proxy.otherwise = lambda _: Reply(status=None, rest=(reply,))
        environment.setenv('HTTPS_PROXY', proxy.origin)
        failure = await failure_of('https://api.example.com/v1', tmp_path)

    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, reason)
    assert 'proxy' in describe(failure, str).message


@pytest.mark.parametrize(
    ('scheme', 'reason'),
    [('http', Reason.PROXY_CANNOT_BE_REACHED), ('socks5', Reason.PROXY_OF_ANOTHER_KIND)],
)
async def test_a_proxy_that_is_of_no_use_is_told(
    scheme: str, reason: Reason, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with refused_port() as port:
        environment.setenv('ALL_PROXY', f'{scheme}://127.0.0.1:{port}')
        failure = await failure_of('http://unknown.example.com/v1', tmp_path)

    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, reason)
    assert 'Nothing was charged' in describe(failure, str).hint


@pytest.mark.parametrize(
    ('listed', 'left_out'),
    [
        ('*', True),
        ('example.com', True),
        ('.example.com, other.test', True),
        ('*.example.com', True),
        ('API.example.com:443', True),
        ('api.example.com:8443', False),
        ('ample.com', False),
        ('', False),
        (',', False),
    ],
)
def test_no_proxy_names_hosts_and_domains(listed: str, left_out: bool) -> None:
    assert is_left_out('api.example.com', 443, listed) is left_out


def test_no_proxy_names_networks() -> None:
    assert is_left_out('93.184.216.34', 443, '93.184.0.0/16')
    assert not is_left_out('93.184.216.34', 443, '10.0.0.0/8')


@pytest.mark.parametrize(
    ('named', 'origin'),
    [
        ('proxy:3128', Origin('http', 'proxy', 3128)),
        ('http://[::1]:3128/', Origin('http', '::1', 3128)),
        ('https://proxy.test', Origin('https', 'proxy.test', 443)),
        ('socks5h://127.0.0.1:1080', None),
        ('http://', None),
        ('http://proxy:port', None),
    ],
)
def test_a_variable_names_a_proxy_in_its_usual_spellings(named: str, origin: Origin | None) -> None:
    proxy = proxy_of(named)

    assert (proxy and proxy.origin) == origin
    assert 'pass' not in repr(proxy_of('http://me:pass@proxy'))
