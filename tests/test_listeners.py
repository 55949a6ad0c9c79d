"""The network let in and kept out while the server runs, and streams that end with their right."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.net.lan import addresses, origins
from app.server.listeners import listen, listen_everywhere
from app.web.views.qr_code import qr_code_of, terminal_qr_code
from tests.support.guests import path_of
from tests.support.servers import (
    CLOSED_PORT_URL,
    NO_TLS,
    Easel,
    running_demo,
    running_easel,
    start_easel,
)

SECOND = 1.0


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Easel]:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': CLOSED_PORT_URL}) as easel:
        yield easel


def elsewhere(easel: Easel) -> str:
    """Name the server as another machine would; on one without a network there is no such name."""
    found = [one for one in addresses() if ':' not in one]
    if not found:
        pytest.skip('this machine has no address but its own')
    return f'http://{found[0]}:{easel.url.rpartition(":")[2]}'


def is_reached(url: str) -> bool:
    try:
        return (
            httpx.get(f'{url}/health', trust_env=False, timeout=5, verify=NO_TLS).status_code == 200
        )
    except httpx.ConnectError:
        return False


def switch(client: httpx.Client, wish: str) -> None:
    origin = str(client.base_url).rstrip('/')
    answer = client.post('/share', data={'sharing': wish}, headers={'Origin': origin})
    assert answer.status_code == 303


def invited(client: httpx.Client, **ticks: str) -> str:
    answer = client.post(
        '/share/guests',
        data={'name': 'Mira', **ticks},
        headers={'Accept': 'application/json', 'Origin': str(client.base_url).rstrip('/')},
    )
    return path_of(str(answer.json()['url']))


def test_row_74_the_network_is_let_in_and_kept_out_at_once(alone: Easel) -> None:
    away = elsewhere(alone)

    with alone.client() as client:
        seen = [is_reached(away)]
        for wish in ('on', 'off', 'on'):
            switch(client, wish)
            seen += [is_reached(away), is_reached(alone.url)]

    assert seen == [False, True, True, False, True, True, True]


def test_who_is_kept_out_is_parted_with_at_once(alone: Easel) -> None:
    away = elsewhere(alone)

    with alone.client() as client:
        switch(client, 'on')
        host, _, port = away.removeprefix('http://').partition(':')
        with socket.create_connection((host, int(port)), timeout=5) as visitor:
            visitor.sendall(b'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
            before = b''
            while not before.endswith(b'}'):
                before += visitor.recv(4096)
            switch(client, 'off')
            try:
                after = visitor.recv(4096)
            except ConnectionResetError:
                after = b''

    assert before.startswith(b'HTTP/1.1 200')
    assert after == b''


def test_no_child_keeps_the_port_after_a_picture_was_drawn(tmp_path: Path) -> None:
    with running_demo() as upstream:
        easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': upstream})
        easel.draw(prompt='a fox', size='32x32')
        with easel.client() as client:
            switch(client, 'on')
            switch(client, 'off')

        assert is_reached(easel.url)
        assert easel.stop() == 0


def test_sharing_lasts_over_a_restart(tmp_path: Path) -> None:
    easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': CLOSED_PORT_URL})
    away = elsewhere(easel)
    with easel.client() as client:
        switch(client, 'on')
    easel.stop()

    again = start_easel(
        tmp_path / 'data', {'EASEL_API_URL': CLOSED_PORT_URL}, int(away.rpartition(':')[2])
    )
    reached = is_reached(away)
    again.stop()

    assert reached


@pytest.mark.parametrize('how', ['revoked', 'password'])
def test_row_78_a_stream_ends_within_a_second_of_its_right(alone: Easel, how: str) -> None:
    with alone.client() as owner, alone.client() as visitor:
        switch(owner, 'on')
        path = invited(owner, makes='on')
        visitor.post(path, headers={'Origin': alone.url})
        with visitor.stream('GET', '/events') as stream:
            lines = stream.iter_lines()
            next(lines)
            began = time.monotonic()
            if how == 'revoked':
                owner.post('/share/guests/1/revocation', headers={'Origin': alone.url})
            else:
                password = owner.get('/share').text.split('id="password-text">')[1].split('<')[0]
                owner.post(
                    '/settings/password',
                    data={'current': password, 'new': 'another password'},
                    headers={'Origin': alone.url},
                )
                began = time.monotonic()
            rest = [line for line in lines if line]
            took_s = time.monotonic() - began
        status = visitor.get('/gallery').status_code

    assert took_s < SECOND
    assert [line for line in rest if line != ':'] == []
    assert status == 401


def test_an_owners_stream_outlives_a_guests_link(alone: Easel) -> None:
    with alone.client() as owner, alone.client() as other:
        switch(owner, 'on')
        invited(owner, makes='on')
        other.cookies = owner.cookies
        with other.stream('GET', '/events') as stream:
            lines = stream.iter_lines()
            owner.post('/share/guests/1/revocation', headers={'Origin': alone.url})
            sent = owner.post(
                '/generations', data={'prompt': 'still here'}, headers={'Origin': alone.url}
            )
            told = next(line for line in lines if 'still here' in line)

    assert sent.status_code == 303
    assert told.startswith('data: ')


def test_every_address_is_one_that_others_could_reach() -> None:
    found = addresses()

    assert len(found) == len(set(found))
    assert not [one for one in found if one.startswith(('127.', '169.254.', 'fe80', '::1'))]
    assert [':' in one for one in found] == sorted(':' in one for one in found)
    assert all(
        origin.startswith('http://') and origin.endswith(':84') for origin in origins('::', 84)
    )


@pytest.mark.parametrize(
    ('host', 'shown'),
    [('192.168.1.5', 'http://192.168.1.5:84'), ('fd00::5', 'http://[fd00::5]:84')],
)
def test_of_one_address_that_is_listened_on_only_it_is_told(host: str, shown: str) -> None:
    assert origins(host, 84) == (shown,)


def test_where_only_ipv4_is_listened_on_no_other_is_told() -> None:
    assert not [one for one in origins('0.0.0.0', 84) if '[' in one]


def test_a_port_is_taken_on_both_kinds_of_address() -> None:
    sockets = listen_everywhere(0)
    try:
        port = sockets[0].getsockname()[1]
        with socket.create_connection(('127.0.0.1', port), timeout=5) as connection:
            peer = connection.getpeername()
    finally:
        for one in sockets:
            one.close()

    assert peer == ('127.0.0.1', port)
    listen('127.0.0.1', port).close()


def test_a_qr_code_is_a_square_of_dark_runs() -> None:
    code = qr_code_of('http://192.168.1.20:8484/')

    assert 21 <= code.side <= 45
    assert code.path.startswith('M0 0h7v1h-7z')
    assert terminal_qr_code('http://192.168.1.20:8484/').count('\n') > 10
