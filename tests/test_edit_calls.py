"""Calls for edits: bodies in blocks from files, what is shown of them, when there is one only."""

from __future__ import annotations

import json
import shlex
import tracemalloc
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.errors import ProviderError
from app.models import Call
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, Run
from app.providers.dialects.base import SPARED
from app.providers.edits.ways import WAYS, BodyWay
from app.providers.provider import ApiProvider
from app.providers.transport.bodies import BLOCK_BYTES, Body, data_url, form_body, json_body
from app.storage.edit_input import EditInput
from app.storage.files import TempFile
from app.web.views.serializers import attempt_json
from tests.support.edit_input import COLOURS, edit_input, large
from tests.support.edit_servers import EditServer
from tests.support.edits import MASKED, edited
from tests.support.fakes import Asked, Reply, upstream
from tests.support.form_servers import OpenAi
from tests.support.json_edit_servers import Xai
from tests.support.provider_calls import ONE

EVIL = 'a "cat"\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n☃ @file'


async def sent(body: Body) -> bytes:
    return b''.join([block async for block in body.blocks()])


async def test_a_form_is_one_that_any_reader_of_mail_reads(tmp_path: Path) -> None:
    [first, second] = edit_input(tmp_path, 2).sources
    body = form_body({'prompt': EVIL, 'n': 2, 'stream': True, 'image[]': (first, second)})

    content = await sent(body)
    read = message_from_bytes(b'Content-Type: %s\r\n\r\n' % body.content_type.encode() + content)
    parts = [part for part in read.walk() if not part.is_multipart()]

    assert len(content) == body.size_bytes
    names = [part.get_param('name', header='Content-Disposition') for part in parts]
    assert names == ['prompt', 'n', 'stream', 'image[]', 'image[]']
    contents = [part.get_payload(decode=True) for part in parts]
    assert contents[0] == EVIL.encode()
    assert contents[1:3] == [b'2', b'true']
    assert contents[3:] == [first.path.read_bytes(), second.path.read_bytes()]
    assert [part.get_filename() for part in parts[3:]] == ['image-1.png', 'image-2.png']
    assert {part.get_content_type() for part in parts[3:]} == {'image/png'}


@pytest.mark.parametrize('size_bytes', [1, 2, 3, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 1])
async def test_a_picture_within_json_is_whole_whatever_its_length(
    size_bytes: int, tmp_path: Path
) -> None:
    picture = large(tmp_path, size_bytes)
    body = json_body({'prompt': EVIL, 'images': [{'image_url': data_url(picture)}], 'n': 1})

    content = await sent(body)

    assert len(content) == body.size_bytes
    read = json.loads(content)
    assert read['prompt'] == EVIL
    url = read['images'][0]['image_url']
    assert url.startswith('data:image/png;base64,')
    assert len(url) == len('data:image/png;base64,') + 4 * ((size_bytes + 2) // 3)


@pytest.mark.parametrize('server', [OpenAi(), Xai()], ids=['form', 'json'])
async def test_large_pictures_are_never_in_memory(
    server: EditServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = tuple(large(tmp_path, 8_000_000, number) for number in range(3))
    received = 0

    async def post(_path: str, request: Request) -> Response:
        nonlocal received
        async for block in request.stream():
            received += len(block)
        return server.draw()

    monkeypatch.setattr(server, 'post', post)
    tracemalloc.start()
    try:
        await edited(server, tmp_path, edit=EditInput(sources=pictures))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert received > 24_000_000
    assert most_bytes < 4_000_000


async def asked_of(reply: Reply, folder: Path, moved: str = '') -> list[Asked]:
    """Edit at a server that answers each POST so, perhaps from elsewhere; give its POSTs."""
    async with upstream() as server:
        if moved:
            server.replies['POST /v1/images/edits'] = Reply(
                status=308, headers=(('location', moved),)
            )
        server.otherwise = lambda asked: reply if asked.method == 'POST' else Reply(status=404)
        http_client = HttpClient()
        settings = ProviderSettings(
            name='t', base_url=f'{server.origin}/v1', model='flux', timeout_s=10
        )
        run = Run(lambda: TempFile(folder), edit=edit_input(folder / 'sent', 2, masked=True))
        with suppress(ProviderError):
            await ApiProvider(settings, http_client).generate(MASKED, run)
        await http_client.close()
        return [asked for asked in server.asked if asked.method == 'POST']


@pytest.mark.parametrize(
    'reply',
    [
        Reply(status=504, body=b'gateway time-out'),
        Reply(status=500, body=b'{"error":"multipart: field image is not supported"}'),
        Reply(status=429, body=b'{"error":"slow down"}'),
        Reply(status=401, body=b'{"error":"invalid api key"}'),
        Reply(status=400, body=b'{"error":{"code":"moderation_blocked","message":"image"}}'),
        Reply(status=400, body=b'{"error":{"message":"Invalid image file","param":"image"}}'),
        Reply(status=400, body=b'{"error":{"message":"Invalid mask size","param":"mask"}}'),
        Reply(status=404, body=b'{"error":{"message":"model flux does not exist"}}'),
        Reply(status=200, body=b'{"data":[]}'),
        Reply(status=None),
    ],
    ids=lambda reply: f'{reply.status}',
)
async def test_what_may_have_been_paid_for_is_asked_once(reply: Reply, tmp_path: Path) -> None:
    asked = await asked_of(reply, tmp_path)

    assert len(asked) == 1


async def test_a_request_that_was_moved_is_sent_whole_again(tmp_path: Path) -> None:
    first, second = await asked_of(ONE, tmp_path, moved='/v2/images/edits')

    assert (second.target, len(second.body)) == ('/v2/images/edits', len(first.body))
    assert second.body == first.body
    assert second.headers['content-length'] == str(len(first.body))


async def test_a_form_is_shown_without_its_pictures_and_as_one_of_curls(tmp_path: Path) -> None:
    calls: list[Call] = []
    await edited(OpenAi(), tmp_path, 2, MASKED, calls=calls)

    shown = attempt_json(calls[0])

    assert json.loads(str(shown['body'])) == {
        'model': 'flux',
        'prompt': 'a cat',
        'image[]': ['<image 0.1 kB>', '<image 0.1 kB>'],
        'mask': '<image 0.1 kB>',
    }
    words = shlex.split(str(shown['curl']).replace('\\\n', ' '))
    assert [one for one in words if '=' in one and '/' not in one] == [
        *('model=flux', 'prompt=a cat', 'image[]=@…', 'image[]=@…', 'mask=@…')
    ]
    assert not any(word.startswith('Content-Type') for word in words)


async def test_json_is_shown_without_its_pictures(tmp_path: Path) -> None:
    calls: list[Call] = []
    await edited(Xai(), tmp_path, calls=calls)

    [call] = calls

    assert json.loads(call.body)['image'] == {'url': 'data:image/png;base64,<image 0.1 kB>'}
    assert dict(call.headers)['Content-Type'] == 'application/json'


@pytest.mark.parametrize('way', [way for way in WAYS.values() if isinstance(way, BodyWay)])
def test_pictures_stay_in_a_body_whatever_of_it_is_refused(way: BodyWay, tmp_path: Path) -> None:
    edit = edit_input(tmp_path, min(way.most, len(COLOURS)), masked=True)

    fields = way.fields(MASKED, edit, '')

    held = {name for name, value in fields.items() if 'SentPicture' in repr(value)}
    assert held
    assert held <= {*SPARED}
