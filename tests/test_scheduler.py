"""Who draws what, among several servers."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ErrorKind, InvalidRequest
from app.models import Generation, Status
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, ProviderState, ProviderStatus
from app.providers.provider import ApiProvider
from tests.support.fakes import REFUSING, Ending, FakeProvider, Reply, Upstream, picture, upstream
from tests.support.worker_setup import Shop, shop_in

SET = {'EASEL_API_URL': 'http://fake.test/v1'}


def server(
    name: str,
    *models: str,
    default: str = '',
    at_once: int = 4,
    state: ProviderState = ProviderState.LIST,
) -> FakeProvider:
    settings = ProviderSettings(
        name=name, base_url=f'http://{name}/v1', model=default, timeout_s=5, at_once=at_once
    )
    return FakeProvider(settings, status=ProviderStatus(state=state, models=models))


async def request(shop: Shop, provider: str = '', model: str | None = None) -> Generation:
    wanted = GenerationRequest(prompt='a', provider=provider, model=model)
    return (await shop.worker.submit(wanted)).generation


async def begun(*providers: FakeProvider) -> None:
    for one in providers:
        await one.begun.acquire()


@pytest.mark.parametrize(
    ('provider', 'model', 'takes'),
    [
        ('', 'flux', 'abc'),
        ('', 'sdxl', 'b'),
        ('', 'own', 'c'),
        ('', 'nobody-has-it', 'a'),
        ('', None, 'ac'),
        ('b', 'flux', 'b'),
        ('b', None, 'b'),
        ('demo', None, ['demo']),
        ('gone', None, ''),
    ],
)
async def test_who_may_take_what(
    provider: str, model: str | None, takes: str, tmp_path: Path
) -> None:
    a, b = server('a', 'flux', default='flux'), server('b', 'flux', 'sdxl', default='sdxl')
    c = server('c', 'own', default='flux')
    async with shop_in(tmp_path, a, b, c, **SET) as shop:
        await shop.providers.look()

        eligible = shop.providers.eligible(provider, model)

    assert [one.name for one in eligible] == list(takes)


@pytest.mark.parametrize('state', ['nothing', 'key_refused', 'web_page'])
@pytest.mark.parametrize('model', [None, 'nobody-has-it'])
async def test_who_cannot_draw_takes_nothing_while_another_can(
    state: str, model: str | None, tmp_path: Path
) -> None:
    unfit = server('unfit', default='flux', state=ProviderState(state))
    async with shop_in(tmp_path, unfit, server('fit', default='flux'), **SET) as shop:
        await shop.providers.look()

        eligible = shop.providers.eligible('', model)

    assert [one.name for one in eligible] == ['fit']


async def test_the_least_busy_of_those_that_have_the_model_takes_it(tmp_path: Path) -> None:
    small, large = server('small', 'flux', at_once=1), server('large', 'flux', at_once=3)
    async with shop_in(tmp_path, small, large, **SET) as shop:
        await shop.worker.start()
        asked = [await request(shop, model='flux') for _ in range(5)]
        await begun(small, large, large, large)
        still = await shop.library.generations.one(asked[4].id)
        for one in (small, large):
            one.go.set()
        done = [await shop.until(generation) for generation in asked]

    assert still.status is Status.QUEUED
    assert [one.provider for one in done[:4]] == ['small', 'large', 'large', 'large']
    assert (small.most_under_way, large.most_under_way) == (1, 3)


async def test_one_that_is_busy_does_not_hold_up_what_another_can_draw(tmp_path: Path) -> None:
    a, b = server('a', 'flux', at_once=1), server('b', 'sdxl')
    b.go.set()
    async with shop_in(tmp_path, a, b, **SET) as shop:
        await shop.worker.start()
        for _ in range(3):
            await request(shop, model='flux')

        done = await shop.until(await request(shop, model='sdxl'))

    assert (done.status, done.provider) == (Status.DONE, 'b')


async def test_a_higher_at_once_is_in_force_for_what_waits_already(tmp_path: Path) -> None:
    one = server('one', at_once=1)
    async with shop_in(tmp_path, server('first'), one, **SET) as shop:
        await shop.worker.start()
        for _ in range(2):
            await request(shop, provider='one')
        await one.begun.acquire()

        one.settings = replace(one.settings, at_once=2)
        shop.providers.configure([one.settings])
        shop.worker.look_again()
        await one.begun.acquire()

    assert one.most_under_way == 2


async def test_what_waits_for_a_server_that_was_removed_fails_in_words(tmp_path: Path) -> None:
    async with shop_in(tmp_path, server('stays'), server('goes'), **SET) as shop:
        waiting = await request(shop, provider='goes')
        shop.providers.configure([])

        await shop.worker.start()
        failed = await shop.until(waiting)

    assert failed.error
    assert (failed.error.kind, failed.error.where) == (ErrorKind.UNREACHABLE, 'goes')
    assert failed.error.reason == 'removed or turned off in Settings'


async def test_what_runs_keeps_its_server_when_settings_change(tmp_path: Path) -> None:
    leaving = server('leaving')
    async with shop_in(tmp_path, server('stays'), leaving, **SET) as shop:
        await shop.worker.start()
        running = await request(shop, provider='leaving')
        await leaving.begun.acquire()

        shop.providers.configure([])
        leaving.go.set()
        done = await shop.until(running)

    assert (done.status, done.provider) == (Status.DONE, 'leaving')


async def test_one_that_is_turned_off_is_refused_and_draws_nothing(tmp_path: Path) -> None:
    off = server('off', 'flux')
    off.settings = replace(off.settings, enabled=False)
    async with shop_in(tmp_path, server('on'), off, **SET) as shop:
        with pytest.raises(InvalidRequest) as caught:
            await request(shop, provider='off')
        eligible = shop.providers.eligible('', 'flux')

    assert 'turned off' in str(caught.value.fields['provider'])
    assert [one.name for one in eligible] == ['on']


async def test_an_address_that_nobody_set_steps_aside_for_one_that_was_added(
    tmp_path: Path,
) -> None:
    refused = FakeProvider(status=REFUSING)
    added = server('added', default='flux', state=ProviderState.NOTHING)
    added.go.set()
    async with shop_in(tmp_path, refused, added) as shop:
        await shop.worker.start()
        done = await shop.until(await request(shop))
        names = [one.name for one in shop.providers.all()]

    assert (done.provider, names) == ('added', ['added'])
    assert not shop.providers.demo_stands_in
    assert refused.asks == []


async def test_with_every_server_turned_off_the_ask_is_refused(tmp_path: Path) -> None:
    off = server('off')
    off.settings = replace(off.settings, enabled=False)
    async with shop_in(tmp_path, server('default'), off) as shop:
        with pytest.raises(InvalidRequest) as caught:
            await request(shop)

    assert 'turned off' in str(caught.value.fields['provider'])


LIST = Reply(body=b'{"data":[{"id":"flux"}]}')
WAITS = Reply(status=None, ending=Ending.HANGS)
DRAWS = Reply(body=b'{"data":[{"b64_json":"' + base64.b64encode(picture()) + b'"}]}')


def on(name: str, fake: Upstream, http_client: HttpClient, at_once: int) -> ApiProvider:
    settings = ProviderSettings(
        name=name, base_url=f'{fake.origin}/v1', model='', timeout_s=30, at_once=at_once
    )
    return ApiProvider(settings, http_client)


async def test_over_sockets_the_second_server_draws_while_the_first_is_busy(tmp_path: Path) -> None:
    busy = {'GET /v1/models': LIST, 'POST /v1/images/generations': WAITS}
    free = {'GET /v1/models': LIST, 'POST /v1/images/generations': DRAWS}
    http_client = HttpClient()
    async with upstream(busy) as one, upstream(free) as two:
        first, second = on('one', one, http_client, 1), on('two', two, http_client, 4)
        async with shop_in(tmp_path, first, second, **SET) as shop:
            await shop.worker.start()
            held = await request(shop, model='flux')
            await shop.until(held, Status.RUNNING)
            done = await asyncio.gather(
                *[shop.until(await request(shop, model='flux')) for _ in range(3)]
            )
            now = await shop.library.generations.one(held.id)
        await http_client.close()

    assert (now.status, now.provider) == (Status.RUNNING, 'one')
    assert {(it.status, it.provider) for it in done} == {(Status.DONE, 'two')}
