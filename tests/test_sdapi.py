"""The dialect of AUTOMATIC1111 and its kin: what is sent, what is followed, how it is stopped."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from app.errors import ProviderError
from app.models import Received
from app.models.request import GenerationRequest, Size
from app.net.client import HttpClient
from app.providers.core.base import Dialect, Run
from app.providers.provider import ApiProvider
from tests.support.fakes import Asked, Reply, picture, storing, upstream
from tests.support.provider_calls import B64, bodies, drawn, refusing, settings

ROOT = '/sdapi/v1'
CHECKPOINTS = Reply(body=b'[{"title":"dream.ckpt [1]","model_name":"dream"}]')
INFO = {'all_seeds': [11, 12], 'index_of_first_image': 1}
TWO = Reply(body=json.dumps({'images': [B64, B64, B64], 'info': json.dumps(INFO)}).encode())
PROGRESS = {'progress': 0.4, 'eta_relative': 3.0, 'state': {}, 'current_image': B64}


def image_server(asked: Asked) -> Reply:
    if asked.target == f'{ROOT}/sd-models':
        return CHECKPOINTS
    return TWO if asked.target == f'{ROOT}/txt2img' else Reply(status=404)


async def test_an_ask_is_said_in_this_dialects_words(tmp_path: Path) -> None:
    request = GenerationRequest(
        prompt='a cat',
        model='dream',
        size=Size(640, 384),
        n=2,
        seed=11,
        steps=20,
        guidance='6.5',
        sampler='Euler a',
        negative_prompt='dogs',
        quality='hd',
    )
    async with upstream() as server:
        server.otherwise = image_server

        answer = await drawn(server, tmp_path, request, told=settings(server, ROOT))

    assert bodies(server) == [
        {
            'prompt': 'a cat',
            'negative_prompt': 'dogs',
            'width': 640,
            'height': 384,
            'steps': 20,
            'cfg_scale': 6.5,
            'sampler_name': 'Euler a',
            'seed': 11,
            'batch_size': 2,
            'override_settings': {'sd_model_checkpoint': 'dream'},
        }
    ]
    assert answer.dropped == ('quality',)


async def test_the_sheet_of_all_pictures_is_none_and_each_has_its_seed(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = image_server

        answer = await drawn(
            server, tmp_path, GenerationRequest(prompt='a cat', n=2), told=settings(server, ROOT)
        )

    assert [received.seed for received in answer.received] == [11, 12]
    assert len(list((tmp_path / 'arriving').iterdir())) == 2


@pytest.mark.parametrize(
    ('model', 'sent'), [('flux', ''), ('dream', 'dream'), ('dream.ckpt [1]', 'dream.ckpt [1]')]
)
async def test_a_default_model_that_is_not_there_is_not_sent(model: str, sent: str) -> None:
    http_client = HttpClient()
    async with upstream() as server:
        server.otherwise = image_server

        provider = ApiProvider(settings(server, ROOT, model=model), http_client)
        default = await provider.default_model()
        await http_client.close()

    assert default == sent


async def test_a_name_and_password_go_as_basic_authorization(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = image_server

        told = settings(server, ROOT, key='ann:secret')
        await drawn(server, tmp_path, GenerationRequest(prompt='a'), told=told)

    basic = base64.b64encode(b'ann:secret').decode()
    assert {asked.headers['authorization'] for asked in server.asked} == {f'Basic {basic}'}


async def followed(folder: Path, act: Callable[[asyncio.Task[object]], None]) -> list[object]:
    """Draw with a server that is slow, act at the first news, and give the news and the calls."""
    news: list[object] = []
    told = asyncio.Event()
    finish = asyncio.Event()
    async with upstream() as server, storing(folder) as store:
        http_client = HttpClient()

        def answer(asked: Asked) -> Reply:
            if asked.target.startswith(f'{ROOT}/progress'):
                return Reply(body=json.dumps(PROGRESS).encode())
            return image_server(asked)

        def previewed(position: int, received: Received) -> None:
            news.append((position, received.size_bytes))
            received.path.unlink()
            told.set()

        server.otherwise = answer
        server.held[f'POST {ROOT}/txt2img'] = finish
        provider = ApiProvider(settings(server, ROOT), http_client)
        run = Run(store.new_temp_file, previewed=previewed, progressed=news.append)
        task: asyncio.Task[object] = asyncio.create_task(
            provider.generate(GenerationRequest(prompt='a'), run)
        )
        await told.wait()
        act(task)
        finish.set()
        await asyncio.gather(task, return_exceptions=True)
        await http_client.close()
        return [*news[:2], *(asked.target for asked in server.asked if asked.method == 'POST')]


async def test_how_far_it_is_and_what_is_there_by_now_are_followed(tmp_path: Path) -> None:
    seen = await followed(tmp_path, lambda _: None)

    assert seen == [0.4, (0, len(picture())), f'{ROOT}/txt2img']


def cancel(task: asyncio.Task[object]) -> None:
    task.cancel()


async def test_a_cancelled_ask_is_interrupted_there_too(tmp_path: Path) -> None:
    seen = await followed(tmp_path, cancel)

    assert seen[-2:] == [f'{ROOT}/txt2img', f'{ROOT}/interrupt']


class ConnectionLimiter(asyncio.Event):
    """Tells of each that comes to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Semaphore(0)

    async def wait(self) -> Literal[True]:
        self.came.release()
        return await super().wait()


async def test_an_ask_that_only_waits_for_another_interrupts_nothing(tmp_path: Path) -> None:
    finish = ConnectionLimiter()
    http_client = HttpClient()
    async with upstream() as server, storing(tmp_path) as store:
        server.otherwise = image_server
        server.held[f'POST {ROOT}/txt2img'] = finish
        provider = ApiProvider(settings(server, ROOT), http_client)
        tasks = []
        for prompt in ('first', 'second'):
            request = provider.generate(GenerationRequest(prompt=prompt), Run(store.new_temp_file))
            tasks.append(asyncio.create_task(request))
            await finish.came.acquire()
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
        finish.set()
        await tasks[0]
        await http_client.close()

    assert {asked.target for asked in server.asked if asked.method == 'POST'} == {f'{ROOT}/txt2img'}


async def test_a_sampler_that_is_not_there_is_left_out_and_said(tmp_path: Path) -> None:
    def choosy(asked: Asked) -> Reply:
        if asked.method == 'POST' and 'sampler_name' in json.loads(asked.body):
            return Reply(status=404, body=b'{"detail":"Sampler not found"}')
        return image_server(asked)

    async with upstream() as server:
        server.otherwise = choosy

        request = GenerationRequest(prompt='a', sampler='Zork')
        answer = await drawn(server, tmp_path, request, told=settings(server, ROOT))

    assert answer.dropped == ('sampler',)


async def test_a_model_is_never_left_out(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda asked: (
            refusing('override_settings') if asked.method == 'POST' else CHECKPOINTS
        )

        request, told = GenerationRequest(prompt='a', model='dream'), settings(server, ROOT)
        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, request, told=told)

    assert len(bodies(server)) == 1


async def test_a_dialect_that_was_chosen_takes_name_and_password_too(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = image_server

        told = settings(server, '', key='ann:secret', dialect=Dialect.SDAPI)
        await drawn(server, tmp_path, GenerationRequest(prompt='a'), told=told)

    basic = base64.b64encode(b'ann:secret').decode()
    assert {asked.headers['authorization'] for asked in server.asked} == {f'Basic {basic}'}
