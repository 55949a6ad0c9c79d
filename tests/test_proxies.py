"""The reverse proxies' examples, run in front of the real server, at the root and at a sub-path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.reverse_proxies import NAME, Proxy, running_proxy
from tests.support.servers import Easel, running_easel

SAME_ORIGIN = {'sec-fetch-site': 'same-origin'}
MORE_THAN_NGINX_TAKES = 2_000_000
PASSWORD = 'open sesame'


@pytest.fixture(scope='module')
def named_easel(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data = tmp_path_factory.mktemp('named') / 'data'
    told = {'EASEL_HOSTS': NAME, 'EASEL_TRUSTED_PROXIES': '127.0.0.1'}
    with running_easel(data, {'EASEL_API_URL': upstream, **told}) as running:
        yield running


@pytest.fixture(scope='module', params=['nginx', 'caddy'])
def proxy(
    request: pytest.FixtureRequest, named_easel: Easel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with running_proxy(request.param, named_easel.url, folder) as running:
        yield running


def test_a_prompt_is_drawn_through_a_proxy(proxy: Proxy, named_easel: Easel) -> None:
    with proxy.client() as client:
        page = client.get('/')
        sent = client.post(
            '/generations', data={'prompt': 'behind', 'size': '32x32'}, headers=SAME_ORIGIN
        )

    drawn = named_easel.wait(int(sent.headers['location'].rpartition('-')[2]))

    assert page.status_code == 200
    assert sent.headers['location'].startswith('/#generation-')
    assert drawn['status'] == 'done'


def test_an_event_passes_a_proxy_while_the_stream_is_open(proxy: Proxy, named_easel: Easel) -> None:
    with proxy.client() as client, client.stream('GET', '/events') as stream:
        lines = stream.iter_lines()
        first = next(lines)

        number = named_easel.submit(prompt='live', size='32x32')
        event = next(line for line in lines if f'generation-{number}' in line)

    assert first == 'retry: 2000'
    assert event.startswith('data:')


@pytest.mark.parametrize('host', ['rebind.test', 'easel.example.org.evil.test'])
def test_another_name_is_refused_through_a_proxy(proxy: Proxy, host: str) -> None:
    with proxy.client(host) as client:
        answer = client.get('/gallery')

    assert answer.status_code == 421


def test_a_name_that_a_visitor_says_was_forwarded_does_not_pass_a_proxy(proxy: Proxy) -> None:
    with proxy.client() as client:
        answer = client.get('/gallery', headers={'x-forwarded-host': 'rebind.test'})

    assert answer.status_code == 200


def test_a_large_body_passes_a_proxy(proxy: Proxy) -> None:
    with proxy.client() as client:
        answer = client.post(
            '/reading',
            files={'picture': ('big.png', b'\0' * MORE_THAN_NGINX_TAKES)},
            headers=SAME_ORIGIN,
        )

    assert answer.status_code == 200


def test_a_body_that_is_too_large_is_refused_by_easel_itself(proxy: Proxy) -> None:
    with proxy.client() as client:
        answer = client.post(
            '/generations', data={'prompt': 'x' * MORE_THAN_NGINX_TAKES}, headers=SAME_ORIGIN
        )

    assert answer.status_code == 413
    assert 'content-security-policy' in answer.headers


@pytest.fixture(scope='module')
def easel_below(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data = tmp_path_factory.mktemp('below') / 'data'
    told = {
        'EASEL_ROOT_PATH': '/easel',
        'EASEL_HOSTS': NAME,
        'EASEL_TRUSTED_PROXIES': '127.0.0.1',
        'EASEL_PASSWORD': PASSWORD,
    }
    with running_easel(data, {'EASEL_API_URL': upstream, **told}) as running:
        yield running


@pytest.fixture(scope='module', params=['nginx', 'caddy'])
def sub_path(
    request: pytest.FixtureRequest, easel_below: Easel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with running_proxy(request.param, easel_below.url, folder, '-sub-path') as running:
        yield running


def test_one_signs_in_and_draws_at_a_sub_path(sub_path: Proxy) -> None:
    with sub_path.client() as client:
        asked = client.get('/easel/')
        signed_in = client.post(
            '/easel/session', data={'password': PASSWORD, 'back': '/'}, headers=SAME_ORIGIN
        )
        cookie = {'cookie': signed_in.headers['set-cookie'].partition(';')[0]}
        page = client.get('/easel/', headers=cookie)
        sent = client.post(
            '/easel/generations', data={'prompt': 'below'}, headers=SAME_ORIGIN | cookie
        )
        place = sent.headers['location'].rpartition('#')[2]
        events = f'/easel/events?showing={place.rpartition("-")[2]}'
        with client.stream('GET', events, headers=cookie) as stream:
            event = next(line for line in stream.iter_lines() if f'"{place}"' in line)

    assert (asked.status_code, page.status_code) == (401, 200)
    assert cookie['cookie'].startswith('__Secure-')
    assert '; Path=/easel;' in signed_in.headers['set-cookie']
    assert 'action="/easel/generations"' in page.text
    assert sent.headers['location'] == f'/easel/#{place}'
    assert event.startswith('data:')


def test_without_its_last_slash_a_sub_path_is_found_and_nothing_beside_it(sub_path: Proxy) -> None:
    with sub_path.client() as client:
        redirected = client.get('/easel')
        beside = [client.get(path) for path in ('/', '/gallery', '/easel2/', '/health')]

    assert redirected.is_redirect
    assert re.fullmatch(rf'(https://{NAME}(:\d+)?)?/easel/', redirected.headers['location'])
    assert {answer.status_code for answer in beside} == {404}
