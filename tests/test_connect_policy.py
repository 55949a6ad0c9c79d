"""Where a connection goes, whatever a name says, and where it never goes."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpcore
import pytest

from app.net.connections import ConnectPolicy, connect
from app.net.names import addresses_of
from app.net.urls import Blocked, Private, origin_of
from tests.support.fakes import upstream


@dataclass
class FakeNames:
    """A resolver; each look-up takes the next answer."""

    answers: list[list[str]]

    async def look_up(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0)


class FakeStream(httpcore.AsyncNetworkStream):
    """A connection that ends where the test says."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.is_closed = False

    async def aclose(self) -> None:
        self.is_closed = True

    def get_extra_info(self, info: str) -> tuple[str, int]:
        return {'server_addr': (self.peer, 80), 'client_addr': ('10.0.0.9', 40_000)}[info]


@dataclass
class FakeRoad:
    """Takes every connection, and leads it to one peer; remembers what was dialled."""

    peer: str = '8.8.8.8'
    dialled: list[str] = field(default_factory=list)
    streams: list[FakeStream] = field(default_factory=list)

    async def connect(
        self, addresses: Iterable[str], port: int, timeout: float | None
    ) -> httpcore.AsyncNetworkStream:
        self.dialled += addresses
        self.streams.append(FakeStream(self.peer))
        return self.streams[-1]


def policy_of(*answers: list[str], road: FakeRoad, named: tuple[str, ...] = ()) -> ConnectPolicy:
    names = FakeNames(list(answers))
    origins = [origin_of(url) for url in named]
    return ConnectPolicy(origins, look_up=names.look_up, connect=road.connect)


@pytest.mark.parametrize(
    'addresses',
    [
        ['127.0.0.1'],
        ['::1'],
        ['10.0.0.7'],
        ['fe80::1%eth0'],
        ['169.254.169.254'],
        ['8.8.8.8', '127.0.0.1'],
        ['127.0.0.1', '8.8.8.8'],
        ['2606:4700::1111', '::ffff:127.0.0.1'],
        ['8.8.8.8', '2002:7f00:1::'],
        ['no address'],
    ],
)
async def test_a_name_with_any_private_address_is_never_dialled(addresses: list[str]) -> None:
    road = FakeRoad()

    with pytest.raises(Blocked):
        await policy_of(addresses, road=road).connect_tcp('cdn.test', 80)

    assert road.dialled == []


async def test_a_name_that_turns_private_after_the_check_is_dialled_where_it_was_checked() -> None:
    road = FakeRoad()

    await policy_of(['8.8.8.8'], ['127.0.0.1'], road=road).connect_tcp('rebind.test', 80)

    assert road.dialled == ['8.8.8.8']


async def test_each_connection_is_checked_anew() -> None:
    road = FakeRoad()
    policy = policy_of(['8.8.8.8'], ['127.0.0.1'], road=road)
    await policy.connect_tcp('rebind.test', 80)

    with pytest.raises(Private):
        await policy.connect_tcp('rebind.test', 80)

    assert road.dialled == ['8.8.8.8']


@pytest.mark.parametrize('peer', ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', ''])
async def test_a_connection_that_ended_at_a_private_address_is_closed_unused(peer: str) -> None:
    road = FakeRoad(peer)

    with pytest.raises(Blocked):
        await policy_of(['8.8.8.8'], road=road).connect_tcp('cdn.test', 80)

    assert [stream.is_closed for stream in road.streams] == [True]


@pytest.mark.parametrize('addresses', [['127.0.0.1'], ['127.0.0.2', '127.0.0.1']])
async def test_the_addresses_that_were_checked_are_the_ones_that_are_dialled(
    addresses: list[str],
) -> None:
    async with upstream() as server:
        names = FakeNames([addresses, ['8.8.8.8']])
        named = [origin_of(f'http://cdn.test:{server.port}')]
        policy = ConnectPolicy(named, look_up=names.look_up, connect=connect)
        stream = await policy.connect_tcp('CDN.test', server.port)
        reached = stream.get_extra_info('server_addr')
        await stream.aclose()

    assert reached == ('127.0.0.1', server.port)
    assert names.answers == [['8.8.8.8']]


@pytest.mark.parametrize(('host', 'port'), [('nas.lan', 8081), ('other.lan', 8080)])
async def test_a_named_origin_names_no_other(host: str, port: int) -> None:
    road = FakeRoad()
    policy = policy_of(['192.168.1.7'], road=road, named=('http://nas.lan:8080',))

    with pytest.raises(Private):
        await policy.connect_tcp(host, port)

    assert road.dialled == []


@pytest.mark.parametrize(
    'address',
    [
        *('169.254.169.254', '169.254.0.1', '100.100.100.200', '168.63.129.16', 'fe80::1'),
        *('fd00:ec2::254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'),
    ],
)
async def test_a_named_name_never_leads_to_metadata(address: str) -> None:
    road = FakeRoad()
    policy = policy_of(['10.0.0.7', address], road=road, named=('http://nas.lan',))

    with pytest.raises(Blocked, match='metadata'):
        await policy.connect_tcp('nas.lan', 80)

    assert road.dialled == []


@pytest.mark.parametrize('host', ['metadata.google.internal', 'METADATA.google.internal.'])
async def test_a_metadata_name_is_refused_before_it_is_looked_up(host: str) -> None:
    road = FakeRoad()
    policy = policy_of(road=road, named=('http://metadata.google.internal',))

    with pytest.raises(Blocked, match='metadata'):
        await policy.connect_tcp(host, 80)


async def test_a_link_local_address_named_as_such_is_dialled() -> None:
    road = FakeRoad('169.254.7.7')
    policy = policy_of(['169.254.7.7'], road=road, named=('http://169.254.7.7:8080',))

    await policy.connect_tcp('169.254.7.7', 8080)

    assert road.dialled == ['169.254.7.7']


async def test_a_provider_may_be_anywhere() -> None:
    road = FakeRoad('127.0.0.1')
    policy = policy_of(['0.0.0.0'], road=road)
    policy.trust(origin_of('http://0.0.0.0:1337/v1'))

    await policy.connect_tcp('0.0.0.0', 1337)

    assert road.dialled == ['0.0.0.0']


async def test_an_ipv6_provider_is_known_in_any_spelling() -> None:
    road = FakeRoad('::1')
    policy = policy_of(['::1'], road=road)
    policy.trust(origin_of('http://[0:0:0:0:0:0:0:1]:1337/v1'))

    await policy.connect_tcp('0:0::1', 1337)

    assert road.dialled == ['::1']


async def test_a_name_server_that_is_silent_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(httpcore.ConnectTimeout):
        await ConnectPolicy(look_up=never).connect_tcp('a.test', 80, timeout=0.01)


async def test_a_name_that_can_not_be_looked_up_is_no_such_name() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        return await addresses_of(f'{host}..{host}', port)

    for host in ('a..b', 'ä'):
        with pytest.raises(OSError):
            await addresses_of(host, 80)
    with pytest.raises(httpcore.ConnectError, match='host not found'):
        await ConnectPolicy(look_up=unknown).connect_tcp('a', 80)


async def test_why_no_way_leads_to_a_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: object, **__: object) -> None:
        raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    monkeypatch.setattr(asyncio.get_running_loop(), 'create_connection', unreachable)

    with pytest.raises(httpcore.ConnectError, match='No route to host'):
        await connect(['8.8.8.8'], 80, timeout=1)


async def test_a_server_that_says_nothing_is_late() -> None:
    async with upstream() as server:
        stream = await connect(['127.0.0.1'], server.port, 5)

        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1, timeout=0.05)
        await stream.aclose()


@pytest.mark.parametrize(
    ('peer', 'port', 'is_itself'),
    [
        ('10.0.0.9', 80, True),
        ('127.0.0.1', 80, True),
        ('10.0.0.8', 80, False),
        ('10.0.0.9', 81, False),
    ],
)
async def test_easel_knows_itself_by_any_address_of_its_machine(
    peer: str, port: int, is_itself: bool
) -> None:
    road, names = FakeRoad(peer), FakeNames([[peer]])
    named = [origin_of(f'http://cdn.test:{port}')]
    policy = ConnectPolicy(named, {80}, names.look_up, road.connect)

    if is_itself:
        with pytest.raises(Private):
            await policy.connect_tcp('cdn.test', port)
    else:
        await policy.connect_tcp('cdn.test', port)

    assert [stream.is_closed for stream in road.streams] == [is_itself]
