"""A change in Settings is in force at once, and a key reaches its own server alone."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import config_from
from app.database.providers import ProviderRow
from app.errors import InvalidRequest
from app.main import open_services
from app.models import Status
from app.models.request import GenerationRequest
from app.providers.settings import Secrets
from app.web.views.provider_form import NEW
from tests.support.fakes import Reply, picture, upstream

DRAWS = {
    'GET /v1/models': Reply(body=b'{"data":[{"id":"flux"}]}'),
    'POST /v1/images/generations': Reply(
        body=b'{"data":[{"b64_json":"' + base64.b64encode(picture()) + b'"}]}'
    ),
}


def row(name: str, base_url: str) -> ProviderRow:
    return replace(NEW, name=name, base_url=base_url, model='flux')


async def test_a_key_reaches_its_own_server_alone(tmp_path: Path) -> None:
    config = config_from({'EASEL_DATA': str(tmp_path)})
    async with upstream(DRAWS) as one, upstream(DRAWS) as two, open_services(config) as services:
        await services.provider_settings.add(row('one', f'{one.origin}/v1'), Secrets('sk-one'))
        await services.provider_settings.add(row('two', f'{two.origin}/v1'), Secrets('sk-two'))

        for name in ('one', 'two'):
            done = await services.worker.draw_now(GenerationRequest(prompt='a', provider=name))
            assert done.status is Status.DONE

    keys = [{asked.headers.get('authorization') for asked in server.asked} for server in (one, two)]
    assert keys == [{'Bearer sk-one'}, {'Bearer sk-two'}]


async def test_a_new_key_is_used_from_then_on(tmp_path: Path) -> None:
    config = config_from({'EASEL_DATA': str(tmp_path)})
    async with upstream(DRAWS) as server, open_services(config) as services:
        added = row('one', f'{server.origin}/v1')
        number = await services.provider_settings.add(added, Secrets('sk-old'))
        await services.provider_settings.change(replace(added, id=number), Secrets('sk-new'))

        await services.worker.draw_now(GenerationRequest(prompt='a', provider='one'))

    posted = [asked for asked in server.asked if asked.method == 'POST']
    assert [asked.headers['authorization'] for asked in posted] == ['Bearer sk-new']


async def test_the_environment_s_name_is_taken(tmp_path: Path) -> None:
    config = config_from({'EASEL_DATA': str(tmp_path), 'EASEL_API_URL': 'a.test:80/v1'})
    async with open_services(config) as services:
        with pytest.raises(InvalidRequest):
            await services.provider_settings.add(row('a.test:80', 'http://b.test/v1'), Secrets())

        assert [one.name for one in services.providers.all()] == ['a.test:80']
