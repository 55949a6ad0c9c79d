"""Who is on this machine: each server told apart by what it answers, and no harm from any."""

from __future__ import annotations

import asyncio
import gzip
import json
from itertools import cycle

import pytest

from app.providers.discovery.fingerprints import FINGERPRINTS, USUAL_PORTS
from app.providers.discovery.scan import FoundServer, discover
from tests.support.fakes import Ending, Reply, refused_port, upstream
from tests.support.local_servers import HOMES, LIST, PAGE, Home, models
from tests.support.more_local_servers import ALL_HOMES

DEEP = b'[' * 500_000 + b']' * 500_000
LIVELY = Reply(body=json.dumps(models('flux')).encode())
HOSTILE = {
    'a page': PAGE,
    'nothing at all': Reply(status=None),
    'no HTTP': Reply(status=None, rest=(b'SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n',)),
    'headers without end': Reply(headers=(('x', 'y' * 200_000),)),
    'brackets without end': Reply(body=b'[' * 2_000_000, ending=Ending.HANGS),
    'deep brackets': Reply(body=DEEP),
    'an answer that stops': Reply(body=b'{"data": [', ending=Ending.HANGS),
    'silence': Reply(status=None, ending=Ending.HANGS),
    'a broken answer': Reply(body=b'{"data": [', ending=Ending.CLOSES_EARLY),
    'a reset': Reply(status=None, ending=Ending.RESETS),
    'a number too long': Reply(body=b'1' * 100_000),
    'bytes': Reply(body=bytes(range(256))),
    'a compressed list': Reply(
        headers=(('content-encoding', 'gzip'),), body=gzip.compress(LIVELY.body)
    ),
    'a redirect to nowhere': Reply(status=302, headers=(('Location', 'http://['),)),
    'rows that are no models': Reply(body=b'{"data": [1, null, {"id": 5}], "object": "list"}'),
    'an error': Reply(status=500, body=LIVELY.body),
}


async def found_at(home: Home) -> tuple[tuple[FoundServer, ...], int]:
    async with upstream(home.all_replies()) as fake:
        return await discover(ports={home.port: fake.port}), fake.port


@pytest.mark.parametrize('name', ALL_HOMES)
async def test_each_server_is_told_by_what_it_answers(name: str) -> None:
    home = ALL_HOMES[name]

    found, port = await found_at(home)

    [one] = found
    assert one.server == home.server
    assert one.base_url == f'http://localhost:{port}{home.path}'
    assert one.models == home.models
    assert (one.usable, one.dialect, one.hint) == (home.usable, home.dialect, home.hint)


def test_every_known_server_is_among_those_told_apart() -> None:
    told = {(home.port, home.server) for home in ALL_HOMES.values()}

    known = {(known.port, known.server) for known in FINGERPRINTS}

    assert known - told == set()


@pytest.mark.parametrize('port', USUAL_PORTS)
async def test_whoever_lists_models_is_offered_at_any_known_port(port: int) -> None:
    home = Home(port, {LIST: models('my-flux', owned_by='me')}, '')

    found, _ = await found_at(home)

    [one] = found
    assert one.usable
    assert one.models == ('my-flux',)


@pytest.mark.parametrize(
    ('hostile', 'port'), list(zip(HOSTILE, cycle((1337, 8000, 8080)), strict=False))
)
async def test_a_hostile_answer_costs_its_own_row_alone(hostile: str, port: int) -> None:
    g4f = HOMES['g4f' if port != 1337 else 'sd-server']
    async with upstream() as bad, upstream(g4f.all_replies()) as good:
        bad.otherwise = lambda _: HOSTILE[hostile]

        found = await discover(ports={port: bad.port, g4f.port: good.port})

    assert [one.server for one in found] == [g4f.server]


async def test_an_endless_answer_in_single_bytes_is_not_waited_for() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n')
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b' ')
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(drip, '127.0.0.1', 0)
    async with server:
        port = server.sockets[0].getsockname()[1]

        found = await discover(('127.0.0.1',), {1337: port})

    assert found == ()


async def test_a_list_that_never_comes_does_not_hide_the_server() -> None:
    silent = Reply(status=None, ending=Ending.HANGS)
    home = Home(4000, {'/health/liveliness': "I'm alive!"}, '', replies={LIST: silent})

    found, _ = await found_at(home)

    assert [(one.server, one.models) for one in found] == [('LiteLLM', ())]


async def test_nothing_travels_but_a_plain_get() -> None:
    async with upstream(HOMES['Open WebUI'].all_replies()) as fake:
        await discover(ports={8080: fake.port})

    allowed = {'host', 'accept', 'accept-encoding', 'user-agent', 'connection'}
    assert len(fake.asked) > 3
    for asked in fake.asked:
        assert (asked.method, asked.body) == ('GET', b'')
        assert asked.headers.keys() <= allowed
        assert asked.headers['accept'] == 'application/json'
        assert asked.headers['accept-encoding'] == 'identity'


async def test_no_path_is_asked_for_twice() -> None:
    async with upstream(HOMES['vLLM'].all_replies()) as fake:
        await discover(('127.0.0.1',), {8000: fake.port})

    targets = [asked.target for asked in fake.asked]
    assert sorted(targets) == sorted(set(targets))


async def test_a_redirect_is_not_followed() -> None:
    async with upstream({f'GET {LIST}': LIVELY}) as other, upstream() as fake:
        away = Reply(status=307, headers=(('Location', f'{other.origin}{LIST}'),))
        fake.otherwise = lambda _: away

        found = await discover(ports={1337: fake.port})

    assert found == ()
    assert other.asked == []


async def test_a_server_on_both_loopback_addresses_is_one() -> None:
    async with upstream(HOMES['sd-server'].all_replies()) as fake:
        other = await asyncio.start_server(fake.begin, '::1', fake.port)
        async with other:
            found = await discover(ports={1234: fake.port})

    assert [one.base_url for one in found] == [f'http://localhost:{fake.port}/v1']


async def test_two_servers_that_share_a_port_keep_their_addresses() -> None:
    async with (
        upstream(HOMES['sd-server'].all_replies()) as fake,
        upstream(HOMES['LM Studio'].all_replies()) as studio,
    ):
        other = await asyncio.start_server(studio.begin, '::1', fake.port)
        async with other:
            found = await discover(ports={1234: fake.port})

    assert [(one.server, one.base_url) for one in found] == [
        ('sd-server', f'http://127.0.0.1:{fake.port}/v1'),
        ('LM Studio', f'http://[::1]:{fake.port}/v1'),
    ]


async def test_a_named_host_keeps_its_name() -> None:
    async with upstream(HOMES['LocalAI'].all_replies()) as fake:
        found = await discover(('localhost',), {8080: fake.port})

    assert [one.base_url for one in found] == [f'http://localhost:{fake.port}/v1']


async def test_easel_does_not_ask_itself() -> None:
    async with upstream(HOMES['LocalAI'].all_replies()) as fake:
        found = await discover(ports={8080: fake.port}, own_ports=(fake.port,))

    assert found == ()
    assert fake.asked == []


async def test_names_that_can_not_be_printed_are_left_out() -> None:
    names = ('flux', 'evil\x1b[31m', 'two\nlines', 'half \ud800', '\u202eflux')

    found, _ = await found_at(Home(5005, {LIST: models(*names)}, ''))

    assert found[0].models == ('flux',)


async def test_usable_servers_come_first() -> None:
    async with (
        upstream(HOMES['Jan'].all_replies()) as jan,
        upstream(HOMES['LocalAI'].all_replies()) as localai,
    ):
        found = await discover(ports={1337: jan.port, 8080: localai.port})

    assert [one.server for one in found] == ['LocalAI', 'Jan']


async def test_where_nobody_listens_nobody_is_found() -> None:
    with refused_port() as port:
        found = await discover(ports=dict.fromkeys(USUAL_PORTS, port))

    assert found == ()
