"""What was sent and what came back, as a page and for programs; partial pictures."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import replace
from pathlib import Path

from app.generation.changes import Changes
from app.generation.previews import Previews
from app.models import Call
from app.providers.transport.caller import CallRecorder
from app.web.views.serializers import attempt_json
from tests.support.fakes import picture, received_in, storing
from tests.support.servers import Easel, running_easel

KEY = 'sk-canary-of-the-inspector'


def test_a_picture_shows_every_call_that_was_made_for_it(upstream: str, tmp_path: Path) -> None:
    environment = {'EASEL_API_URL': upstream, 'EASEL_API_KEY': KEY, 'EASEL_API_MODEL': 'sketch'}
    with running_easel(tmp_path / 'data', environment) as easel, easel.client() as client:
        drawn = easel.draw(prompt='a <b>fox</b>', size='64x64')
        shown = client.get(f'/generations/{drawn["id"]}/attempts.json').json()
        pages = [
            client.get(f'/generations/{drawn["id"]}/attempts').text,
            client.get(f'/images/{drawn["images"][0]["id"]}').text,  # type: ignore[index]
        ]

    attempt = shown['attempts'][0]
    assert (attempt['method'], attempt['status']) == ('POST', 200)
    assert json.loads(attempt['body']) == {
        'model': 'sketch',
        'prompt': 'a <b>fox</b>',
        'size': '64x64',
    }
    assert attempt['headers']['Authorization'] == 'Bearer $EASEL_API_KEY'
    assert '"Authorization: Bearer $EASEL_API_KEY"' in attempt['curl']
    assert all('a &lt;b&gt;fox&lt;/b&gt;' in page for page in pages)
    assert KEY not in json.dumps(shown) + ''.join(pages)


def test_a_failure_shows_what_was_sent_and_what_was_said(easel: Easel) -> None:
    failed = easel.draw(prompt='a fox', model='fail-401')

    with easel.client() as client:
        shown = client.get(f'/generations/{failed["id"]}/attempts.json').json()
        page = client.get(f'/generations/{failed["id"]}').text

    assert [attempt['status'] for attempt in shown['attempts']] == [401]
    assert f'/generations/{failed["id"]}/attempts' in page


def test_a_generation_that_is_not_there_has_no_calls(easel: Easel) -> None:
    with easel.client() as client:
        answer = client.get('/generations/999999/attempts')

    assert answer.status_code == 404


def test_a_command_is_one_that_a_shell_reads_back() -> None:
    attempt = Call(
        method='POST',
        url='http://localhost:1337/v1/images/generations?a=…',
        headers=(('Accept', 'application/json'), ('X-It', "it's")),
        body='{"prompt": "it\'s $HOME `id`"}',
        status=200,
        answer='',
        reason='',
        dropped=(),
        began_at=1.0,
        took_s=0.5,
    )

    words = shlex.split(str(attempt_json(attempt)['curl']).replace('\\\n', ' '))

    assert words[words.index('--data-raw') + 1] == attempt.body
    assert "X-It: it's" in words


def test_how_long_a_call_took_is_not_read_off_a_clock_that_may_be_set() -> None:
    recorder = CallRecorder('GET', 'http://localhost:1337/v1', began_at=0.0)

    call = recorder.call()

    assert call.began_at == 0.0
    assert 0 <= call.took_s < 60


async def test_the_newest_partial_picture_is_shown_small(tmp_path: Path) -> None:
    changes = Changes()
    async with storing(tmp_path) as store, changes.listening() as listener:
        previews = Previews(store, changes)
        take = previews.begin(17)
        take(0, received_in(store, picture(640, 480)))
        ids = await listener.wait(10)

        shown = previews.of(17)

    assert ids == {17}
    assert shown[0].webp[8:12] == b'WEBP'
    assert list((tmp_path / 'arriving').iterdir()) == []


async def test_a_partial_picture_that_is_none_is_passed_over(tmp_path: Path) -> None:
    changes = Changes()
    async with storing(tmp_path) as store, changes.listening() as listener:
        previews = Previews(store, changes)
        take = previews.begin(17)
        take(0, received_in(store, b'<svg onload="alert(1)">'))
        take(1, received_in(store, picture()))
        await listener.wait(10)

        shown = previews.of(17)

    assert list(shown) == [1]


async def test_previews_are_gone_with_their_generation(tmp_path: Path) -> None:
    changes = Changes()
    async with storing(tmp_path) as store:
        previews = Previews(store, changes)
        previews.begin(17)(0, received_in(store, picture()))

        previews.forget(17)
        await asyncio.sleep(0)

        left = list((tmp_path / 'arriving').iterdir())

    assert previews.of(17) == {}
    assert left == []


async def test_a_disk_that_deletes_nothing_does_not_stop_what_is_drawn(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        previews = Previews(store, Changes())
        take = previews.begin(17)
        undeletable = replace(received_in(store, picture()), path=tmp_path / 'arriving')

        take(0, undeletable)
        take(0, undeletable)
        previews.forget(17)

    assert previews.of(17) == {}


def test_a_preview_that_is_not_there_is_not_found(easel: Easel) -> None:
    with easel.client() as client:
        statuses = [
            client.get(f'/previews/{name}').status_code
            for name in ('17-0-1.webp', '..%2f..%2feasel.db', '17-0-1.png', '9' * 40 + '-0-1.webp')
        ]

    assert statuses == [404] * 4
