"""Which Host headers are ours, in sixty spellings."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Malformed, Misdirected
from app.web.security.hosts import Hosts

HOSTS = Hosts(['Easel.Example', 'nas', 'dotted.example.'])
OURS = [
    'localhost',
    'LOCALHOST',
    'LocalHost:8484',
    'localhost.',
    'localhost.:8484',
    'localhost:1',
    'localhost:65535',
    socket.gethostname(),
    f'{socket.gethostname().upper()}:8484',
    'easel.example',
    'EASEL.example.',
    'nas',
    'nas:80',
    'dotted.example',
    'dotted.example.',
    '127.0.0.1',
    '127.0.0.1:8484',
    '127.1.2.3',
    '192.168.1.5:8484',
    '10.0.0.1',
    '8.8.8.8',
    '0.0.0.0',
    '[::1]',
    '[::1]:8484',
    '[fe80::1]',
    '[FE80::1]:8484',
    '[2001:db8::7]',
    '[::]',
]
NOT_OURS = [
    'evil.example',
    'localhost.evil.example',
    'evil.example:8484',
    'localhost.localdomain',
    'sub.localhost',
    'easel.example.evil.test',
    'xeasel.example',
    'easel-example',
    '127.0.0.1.nip.io',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f.0.0.1',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.256',
    '127.0.0.1.',
    'xn--lcalhost-n1a',
    '[0:0:0:0:0:0:0:1]',
    '[::01]',
    '[0::1]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7f00:1]',
    '[::127.0.0.1]',
    '[1.2.3.4]',
    '[:::]',
    '[fe80:::1]',
]
MALFORMED = [
    '',
    ' ',
    'localhost ',
    ' localhost',
    'local host',
    'localhost..',
    '.localhost',
    'a..b',
    '.',
    ':8484',
    'localhost:',
    'localhost:0',
    'localhost:65536',
    'localhost:99999',
    'localhost:123456',
    'localhost:8484:8484',
    'localhost:+80',
    'localhost:80a',
    'localhost/',
    'localhost/x',
    'http://localhost',
    'user@localhost',
    'localhost,evil.example',
    'localhost;x',
    'localhost\tx',
    'localhost\nX: y',
    'localhost\x00',
    'localhost%00',
    'localhost?x',
    'localhost#x',
    'loc\u00e4lhost',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[::1%eth0]',
    '[::1]x',
    '[::1]:',
    '[localhost]',
    '*',
    'a' * 256,
]


def check(*values: str) -> str:
    return HOSTS.check([(b'accept', b'*/*'), *((b'host', v.encode('latin-1')) for v in values)])


@pytest.mark.parametrize('host', OURS)
def test_a_name_or_address_of_ours_is_answered(host: str) -> None:
    assert check(host) == host


@pytest.mark.parametrize('host', NOT_OURS)
def test_another_name_is_misdirected(host: str) -> None:
    with pytest.raises(Misdirected):
        check(host)


@pytest.mark.parametrize('host', MALFORMED)
def test_what_has_no_hosts_form_is_malformed(host: str) -> None:
    with pytest.raises(Malformed):
        check(host)


@pytest.mark.parametrize('hosts', [(), ('localhost', 'localhost'), ('localhost', 'evil.example')])
def test_no_host_or_several_are_malformed(hosts: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        check(*hosts)


@given(st.binary() | st.text('localhst127.0:[]f%@', max_size=20).map(str.encode))
def test_any_bytes_are_ours_or_refused(value: bytes) -> None:
    try:
        host = HOSTS.check([(b'host', value)])
    except (Malformed, Misdirected):
        return

    assert host.encode('ascii') == value
    assert not set(host) & set('@/\\% ,')
