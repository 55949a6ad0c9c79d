"""Looking around: one look at a time, never at Easel itself, and no further than was asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.serve import print_providers
from app.config import config_from
from app.main import open_services
from app.net.urls import DOCKER_HOST, LOOPBACK
from app.providers.discovery.local_servers import UNASKED, find_environment
from app.providers.settings import Secrets
from app.web.views.provider_form import NEW
from tests.support.default_setup import (
    GATEWAY,
    config_of,
    container_in,
    first_start,
    local_servers,
    no_such_name,
    plain_machine_in,
)
from tests.support.fakes import Upstream, upstream
from tests.support.local_servers import HOMES
from tests.support.servers import CLOSED_PORT_URL

G4F, SD = HOMES['g4f'], HOMES['sd-server']


async def test_a_look_keeps_what_it_found_and_when(tmp_path: Path) -> None:
    async with upstream(SD.all_replies()) as fake:
        around = local_servers(plain_machine_in(tmp_path), {SD.port: fake.port})
        before = around.seen

        await around.look()

    assert before is None
    assert around.seen
    assert [one.server for one in around.seen.found] == ['sd-server']
    assert around.seen.at > 0


async def test_whoever_looks_meanwhile_waits_for_the_same_look(tmp_path: Path) -> None:
    async with upstream(SD.all_replies()) as fake:
        around = local_servers(plain_machine_in(tmp_path), {SD.port: fake.port})

        await asyncio.gather(around.look(), around.look(), around.look(UNASKED))

    assert [asked.target for asked in fake.asked] == ['/v1/models']
    assert not around.is_looking


async def test_easel_does_not_find_itself(tmp_path: Path) -> None:
    async with upstream(SD.all_replies()) as fake:
        around = local_servers(plain_machine_in(tmp_path), {SD.port: fake.port})
        around.never_ask(fake.port)

        await around.look()

    assert fake.asked == []


async def test_a_look_under_way_ends_with_the_house(tmp_path: Path) -> None:
    async with upstream(SD.all_replies()) as fake:
        fake.held['GET /v1/models'] = asyncio.Event()
        around = local_servers(plain_machine_in(tmp_path), {SD.port: fake.port})
        looking = asyncio.create_task(around.look())
        await asyncio.sleep(0)
        began = around.is_looking

        await around.close()

        assert (began, around.is_looking) == (True, False)
        fake.held['GET /v1/models'].set()
        with pytest.raises(asyncio.CancelledError):
            await looking


async def test_the_gateway_of_a_container_is_asked_only_when_somebody_wishes(
    tmp_path: Path,
) -> None:
    fake = Upstream(replies=SD.all_replies())
    host = await asyncio.start_server(fake.begin, GATEWAY, 0)
    fake.port = host.sockets[0].getsockname()[1]
    async with host:
        around = local_servers(container_in(tmp_path), {SD.port: fake.port})
        await around.look(UNASKED)
        unasked = around.seen
        await around.look()

    assert unasked
    assert unasked.found == ()
    assert around.seen
    assert [one.base_url for one in around.seen.found] == [f'http://{GATEWAY}:{fake.port}/v1']


async def test_the_host_that_docker_names_is_around_a_container(tmp_path: Path) -> None:
    async def named(host: str, _: int) -> list[str]:
        return ['192.168.65.2'] if host == DOCKER_HOST else []

    around = await find_environment(container_in(tmp_path), named)

    assert around.hosts == (*LOOPBACK, DOCKER_HOST, GATEWAY)


async def test_where_docker_names_no_host_the_gateway_is_around(tmp_path: Path) -> None:
    around = await find_environment(container_in(tmp_path), no_such_name)

    assert around.hosts == (*LOOPBACK, GATEWAY)


async def test_the_first_start_looks_around(tmp_path: Path) -> None:
    async with upstream(G4F.all_replies()) as fake:
        async with first_start(tmp_path, {G4F.port: fake.port}) as (_, services):
            await print_providers(services)

        assert services.local_servers.seen
        assert [one.server for one in services.local_servers.seen.found] == ['g4f']


async def test_where_an_address_was_set_nobody_looks(tmp_path: Path) -> None:
    async with upstream(G4F.all_replies()) as fake:
        around = local_servers(plain_machine_in(tmp_path), {G4F.port: fake.port})
        config = config_from({'EASEL_API_URL': CLOSED_PORT_URL}, data=str(tmp_path / 'data'))
        async with open_services(config, around) as services:
            await print_providers(services)

    assert around.seen is None
    assert fake.asked == []


async def test_where_a_server_was_added_nobody_looks(tmp_path: Path) -> None:
    async with upstream(G4F.all_replies()) as fake, upstream() as added:
        around = local_servers(plain_machine_in(tmp_path), {G4F.port: fake.port})
        async with open_services(config_of(tmp_path / 'data'), around) as services:
            await services.provider_settings.add(
                replace(NEW, name='mine', base_url=f'{added.origin}/v1'), Secrets()
            )
            await print_providers(services)

    assert around.seen is None
    assert fake.asked == []
