"""Who may ask for what, over a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers import CLOSED_PORT_URL, NO_TLS, Easel, running_easel


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


@pytest.fixture(scope='module')
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data: Path = tmp_path_factory.mktemp('locked') / 'data'
    settings = {'EASEL_API_URL': CLOSED_PORT_URL, 'EASEL_PASSWORD': 'open sesame'}
    with running_easel(data, {**settings, 'EASEL_TOKEN': 'for-programs-alone'}) as running:
        yield running


def raw(easel: Easel, request: str) -> bytes:
    port = int(easel.url.rpartition(':')[2])
    with socket.create_connection(('127.0.0.1', port), timeout=10) as connection:
        connection.sendall(request.encode('latin-1'))
        return connection.recv(65536)


@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('localhost', 200),
        ('LOCALHOST:1', 200),
        ('localhost.', 200),
        ('192.168.1.20:8484', 200),
        ('[::1]:8484', 200),
        ('rebind.test:8484', 421),
        ('localhost.evil.com', 421),
        ('127.0.0.1.nip.io', 421),
        ('2130706433', 421),
        ('[::ffff:127.0.0.1]', 421),
        ('localhost:8484@evil.com', 400),
        ('localhost/x', 400),
        ('localhost, evil', 400),
        ('', 400),
    ],
)
def test_only_our_own_names_are_answered(easel: Easel, host: str, status: int) -> None:
    answer = raw(easel, f'GET /gallery HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n')

    assert answer.startswith(f'HTTP/1.1 {status} '.encode())


@pytest.mark.parametrize(
    ('headers', 'allowed'),
    [
        ({}, True),
        ({'Sec-Fetch-Site': 'same-origin'}, True),
        ({'Sec-Fetch-Site': 'none'}, True),
        ({'Sec-Fetch-Site': 'same-site'}, False),
        ({'Sec-Fetch-Site': 'cross-site'}, False),
        ({'Origin': 'null'}, False),
        ({'Origin': 'http://evil.test'}, False),
        ({'Cookie': 'a=b'}, False),
    ],
)
def test_another_site_can_not_act(
    client: httpx.Client, headers: dict[str, str], allowed: bool
) -> None:
    answer = client.post('/generations', data={'prompt': 'x', 'size': '16x16'}, headers=headers)

    assert answer.status_code == (303 if allowed else 403)


def test_our_own_origin_may_act_without_fetch_metadata(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip('/')

    answer = client.post(
        '/generations', data={'prompt': 'x', 'size': '16x16'}, headers={'Origin': own}
    )

    assert answer.status_code == 303


def test_a_body_over_the_cap_is_refused_by_its_length_and_by_its_bytes(
    client: httpx.Client,
) -> None:
    form = {'Content-Type': 'application/x-www-form-urlencoded'}
    pieces = (b'prompt=' + b'x' * 200_000 for _ in range(10))

    announced = client.post('/generations', content=b'x' * 1_100_000, headers=form)
    streamed = client.post('/generations', content=pieces, headers=form)

    assert (announced.status_code, streamed.status_code) == (413, 413)


@pytest.mark.parametrize(
    'address', ['/', '/nope', '/gallery.json', '/health', '/files/x', '/images/9']
)
def test_every_answer_carries_the_headers(client: httpx.Client, address: str) -> None:
    headers = client.get(address).headers

    assert "default-src 'none'" in headers['content-security-policy']
    assert headers['x-content-type-options'] == 'nosniff'
    assert headers['cross-origin-resource-policy'] == 'same-origin'
    assert headers['referrer-policy'] == 'same-origin'
    assert not [name for name in headers if name.startswith('access-control')]
    assert 'server' not in headers


@pytest.mark.parametrize(
    'address', ['/', '/gallery', '/images/1', '/files/x', '/thumbs/x', '/nope']
)
def test_with_a_password_everything_asks_for_it(locked: Easel, address: str) -> None:
    with locked.client() as client:
        page = client.get(address)
        as_json = client.get(address, headers={'Accept': 'application/json'})

    assert page.status_code == 401
    assert 'name="password"' in page.text
    assert as_json.json()['error']['kind'] == 'sign_in_required'


def test_the_right_password_opens_and_a_wrong_one_does_not(locked: Easel) -> None:
    with locked.client() as client:
        wrong = client.post('/session', data={'password': 'guess'})
        right = client.post(
            '/session', data={'password': 'open sesame'}, headers={'Origin': locked.url}
        )
        page = client.get('/gallery')

    assert (wrong.status_code, right.status_code, page.status_code) == (401, 303, 200)
    assert 'HttpOnly' in right.headers['set-cookie']
    assert 'samesite=strict' in right.headers['set-cookie'].lower()


def test_a_forged_cookie_opens_nothing(locked: Easel) -> None:
    with locked.client() as client:
        client.post('/session', data={'password': 'open sesame'})
        name = next(iter(client.cookies))
        answers = {
            httpx.get(
                f'{locked.url}/gallery',
                headers={b'Cookie': f'{name}={value}'.encode()},
                verify=NO_TLS,
            ).status_code
            for value in ('9999999999.00', 'x', '', '9999999999', '.', 'é.é')
        }

    assert answers == {401}


def test_a_programs_token_opens(locked: Easel) -> None:
    with locked.client() as client:
        right = client.get('/gallery.json', headers={'Authorization': 'Bearer for-programs-alone'})
        wrong = client.get('/gallery.json', headers={'Authorization': 'Bearer guess'})

    assert (right.status_code, wrong.status_code) == (200, 401)


def test_health_and_static_files_ask_for_no_password(locked: Easel) -> None:
    with locked.client() as client:
        sheet = client.get('/').text.split('rel="stylesheet" href="')[1].split('"')[0]

        health, style = client.get('/health'), client.get(sheet)
        worker = client.get(sheet.replace('easel.css', 'js/feed-worker.js'))

    assert (health.status_code, style.status_code) == (200, 200)
    for answer in (style, worker):
        assert "frame-ancestors 'none'" in answer.headers['content-security-policy']
        assert 'unsafe' not in answer.headers['content-security-policy']
        assert answer.headers['x-content-type-options'] == 'nosniff'
        assert answer.headers['cross-origin-resource-policy'] == 'same-origin'
        assert answer.headers['referrer-policy'] == 'same-origin'
