"""What may be called, where a connection goes, and what travels with it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError
from app.net.client import HttpClient
from app.net.urls import origin_of
from tests.support.fakes import KEY, Ending, Reply, picture, refused_port, upstream

PNG = picture()
SECRET = {'Authorization': f'Bearer {KEY}'}


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status=status, headers=(('Location', location),))


@asynccontextmanager
async def outgoing(*named: str) -> AsyncIterator[HttpClient]:
    http_client = HttpClient(named)
    try:
        yield http_client
    finally:
        await http_client.close()


async def fetched(http_client: HttpClient, url: str, own: str) -> bytes:
    async with http_client.picture(url, own=origin_of(own), headers=SECRET) as response:
        return b''.join([block async for block in response.aiter_raw()])


async def failure_of(http_client: HttpClient, url: str, own: str) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await fetched(http_client, url, own)
    return caught.value.failure


async def test_a_picture_on_another_private_address_is_blocked_unasked() -> None:
    async with upstream({'GET /a.png': Reply(body=PNG)}) as server, outgoing() as http_client:
        failure = await failure_of(http_client, f'{server.origin}/a.png', 'http://127.0.0.1:1/v1')

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert server.asked == []


async def test_a_named_http_origin_is_not_named_for_https() -> None:
    with refused_port() as port:
        async with outgoing(f'http://127.0.0.1:{port}') as http_client:
            failure = await failure_of(
                http_client, f'https://127.0.0.1:{port}/a.png', 'http://b.test'
            )

    assert failure.kind is ErrorKind.BLOCKED_URL


async def test_the_key_goes_along_to_the_own_origin_and_nowhere_else() -> None:
    async with upstream() as own, upstream() as other:
        own.replies = {
            'GET /a.png': redirect('/b.png'),
            'GET /b.png': redirect(f'{other.origin}/c.png'),
        }
        other.replies = {'GET /c.png': Reply(body=PNG)}
        async with outgoing(own.origin, other.origin) as http_client:
            content = await fetched(http_client, f'{own.origin}/a.png', own.origin)

    assert content == PNG
    assert [asked.headers.get('authorization') for asked in own.asked] == [f'Bearer {KEY}'] * 2
    assert 'authorization' not in other.asked[0].headers


async def test_the_key_stays_at_home_once_a_redirect_has_led_away() -> None:
    async with upstream() as own, upstream() as other:
        own.replies = {
            'GET /a.png': redirect(f'{other.origin}/b.png'),
            'GET /c.png': Reply(body=PNG),
        }
        other.replies = {'GET /b.png': redirect(f'{own.origin}/c.png')}
        async with outgoing(own.origin, other.origin) as http_client:
            await fetched(http_client, f'{own.origin}/a.png', own.origin)

    assert [asked.headers.get('authorization') for asked in own.asked] == [f'Bearer {KEY}', None]


async def test_the_origin_of_another_provider_is_as_private_as_any() -> None:
    async with upstream({'GET /a.png': Reply(body=PNG)}) as other, outgoing() as http_client:
        http_client.policy.trust(origin_of(other.origin))
        warm = http_client.client.build_request('GET', f'{other.origin}/warm')
        await (await http_client.client.send(warm, stream=True)).aclose()
        failure = await failure_of(http_client, f'{other.origin}/a.png', 'http://127.0.0.1:1/v1')

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert [asked.target for asked in other.asked] == ['/warm']


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
async def test_each_kind_of_redirect_is_followed(status: int) -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.replies = {
            'GET /a.png': redirect('b.png?sig=%2F&x=1', status),
            'GET /b.png?sig=%2F&x=1': Reply(body=PNG),
        }
        content = await fetched(http_client, f'{server.origin}/a.png', server.origin)

    assert content == PNG


async def test_a_redirect_loop_ends_after_five_hops() -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: redirect('/loop')
        failure = await failure_of(http_client, f'{server.origin}/loop', server.origin)

    assert (failure.kind, failure.reason) == (ErrorKind.IMAGE_FETCH_FAILED, 'too many redirects')
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    'location',
    [
        'http://127.0.0.1:1/x',
        'http://localhost:1/x',
        'http://169.254.169.254/latest/meta-data/',
        'http://[::1]/x',
        'http://[::ffff:127.0.0.1]/x',
        'http://2130706433/x',
        'http://0x7f.1/x',
        'http://user@127.0.0.1/x',
        'file:///etc/passwd',
        'data:text/plain,x',
        'http://[',
        '//[',
        '/\\evil.test/x',
        '\\\\evil.test\\x',
        'http:evil.test',
    ],
)
async def test_a_redirect_to_where_nothing_may_be_fetched_is_blocked(location: str) -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: redirect(location)
        failure = await failure_of(http_client, f'{server.origin}/a.png', server.origin)

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ('reply', 'reason', 'status'),
    [
        (Reply(status=404), 'HTTP 404', 404),
        (Reply(status=302), 'HTTP 302', 302),
        (Reply(status=206, body=PNG), 'HTTP 206', 206),
        (Reply(status=None), 'closed without an answer', None),
        (Reply(status=None, ending=Ending.RESETS), 'connection reset', None),
    ],
    ids=['404', 'nowhere', 'part', 'closed', 'reset'],
)
async def test_an_answer_that_is_no_picture_says_why(
    reply: Reply, reason: str, status: int | None
) -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: reply
        failure = await failure_of(http_client, f'{server.origin}/a.png', server.origin)

    assert failure.kind is ErrorKind.IMAGE_FETCH_FAILED
    assert (failure.reason, failure.http_status) == (reason, status)


async def test_a_connection_is_let_go_where_what_came_is_no_picture() -> None:
    async with upstream() as server, outgoing(server.origin) as http_client, asyncio.timeout(5):
        server.otherwise = lambda _: Reply(status=404, ending=Ending.HANGS)
        url, own = f'{server.origin}/a.png', origin_of(server.origin)
        with pytest.raises(ProviderError):
            async with http_client.picture(url, own=own, headers={}) as response:
                await response.aread()

        await server.left.wait()

    assert len(server.asked) == 1


async def test_a_refused_connection_says_so() -> None:
    with refused_port() as port:
        own = f'http://127.0.0.1:{port}'
        async with outgoing(own) as http_client:
            failure = await failure_of(http_client, f'{own}/a.png', own)

    assert failure.reason == 'connection refused'


async def test_a_picture_larger_than_the_cap_is_refused_before_it_is_read() -> None:
    huge = Reply(headers=(('Content-Length', '10737418240'),), body=PNG, ending=Ending.HANGS)
    async with upstream() as server, outgoing(server.origin) as http_client, asyncio.timeout(5):
        server.otherwise = lambda _: huge
        url, own = f'{server.origin}/a.png', origin_of(server.origin)
        with pytest.raises(ProviderError) as caught:
            async with http_client.picture(url, own=own, headers={}):
                pass

    assert caught.value.failure.kind is ErrorKind.TOO_LARGE


async def test_cookies_are_never_kept() -> None:
    baked = Reply(headers=(('Set-Cookie', 'sid=1; Path=/'),), body=PNG)
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: baked
        await fetched(http_client, f'{server.origin}/a.png', server.origin)
        await fetched(http_client, f'{server.origin}/b.png', server.origin)

    assert 'cookie' not in server.asked[1].headers


async def test_what_is_sent_tells_nothing_of_the_visitor() -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: Reply(body=PNG)
        await fetched(http_client, f'{server.origin}/a.png', 'http://elsewhere.test')

    headers = dict(server.asked[0].headers)
    assert headers.pop('user-agent').startswith('Easel/')
    assert headers.pop('accept-encoding') == 'identity'
    assert set(headers) <= {'host', 'accept', 'connection'}


async def test_a_proxy_of_the_environment_is_not_used() -> None:
    names = ('HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy')
    async with upstream() as proxy, upstream({'GET /a.png': Reply(body=PNG)}) as server:
        with environment(**dict.fromkeys(names, proxy.origin), NO_PROXY=''):
            async with outgoing(server.origin) as http_client:
                await fetched(http_client, f'{server.origin}/a.png', server.origin)

    assert proxy.asked == []


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def test_a_login_file_of_the_environment_is_not_read(tmp_path: Path) -> None:
    login = tmp_path / 'netrc'
    login.write_text('default login anna password secret\n')
    login.chmod(0o600)
    async with upstream({'GET /a.png': Reply(body=PNG)}) as server:
        with environment(NETRC=str(login), HOME=str(tmp_path)):
            async with outgoing(server.origin) as http_client:
                await fetched(http_client, f'{server.origin}/a.png', 'http://elsewhere.test')

    assert 'authorization' not in server.asked[0].headers


async def test_a_target_goes_over_the_wire_as_it_was_spelt() -> None:
    target = "/100%/a%2fb,(1)'~@2x.png?b=2&a=%2F&b=1&s=a+b%20c==&u=https://i.test/[x]"
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: Reply(body=PNG)
        await fetched(http_client, f'{server.origin}{target}#there', server.origin)

    assert server.asked[0].target == target


async def test_easel_never_asks_itself_for_a_picture() -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        http_client.never_call(server.port)
        failure = await failure_of(http_client, f'{server.origin}/a.png', server.origin)

    assert (failure.kind, failure.reason) == (ErrorKind.BLOCKED_URL, 'Easel itself')
    assert server.asked == []


async def test_the_client_takes_no_redirect_by_itself() -> None:
    async with upstream() as server, outgoing(server.origin) as http_client:
        server.otherwise = lambda _: redirect('/elsewhere', 307)
        request = http_client.client.build_request('POST', f'{server.origin}/v1')
        response = await http_client.client.send(request, stream=True)
        await response.aclose()

    assert [asked.target for asked in server.asked] == ['/v1']
