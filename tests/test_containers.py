"""Pictures wherever an answer may put them, over real sockets: containers, prose, bare bodies."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models.request import GenerationRequest
from app.providers.response.json_text import Json
from app.providers.response.stream import MOST_SKELETON_BYTES
from tests.support.fakes import (
    NOT_FOUND,
    Asked,
    Reply,
    Upstream,
    arriving_in,
    picture,
    sha256,
    storing,
    upstream,
)
from tests.support.labelled_pictures import label_of
from tests.support.provider_calls import B64, PNG, bodies, drawn

LONG = picture(200, 200) + b'\0' * 9_000
LARGE = LONG * 500
HERE = '/media/x.png'
LINES = '\n'.join(B64[at : at + 60] for at in range(0, len(B64), 60))
URI = f'data:image/png;base64,{B64}'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def chat(content: Json) -> Json:
    return {'choices': [{'message': {'role': 'assistant', 'content': content}}]}


TREES: dict[str, Json] = {
    'an address alone': '{O}/media/x.png',
    'a data address alone': URI,
    'base64 alone': B64,
    'a list of addresses': ['{O}/media/x.png'],
    'a dictionary for an image': {'image': {'url': HERE}},
    'a list for an image': {'image': [B64]},
    'a list for an address': {'url': [HERE]},
    'base64 for an address': {'data': [{'url': B64}]},
    'a path for base64': {'data': [{'b64_json': HERE}]},
    'an image in an item': {'data': [{'image': {'b64_json': B64}}]},
    'urls': {'urls': [HERE]},
    'image_urls': {'image_urls': [HERE]},
    'responses': {'output': [{'type': 'image_generation_call', 'result': B64}]},
    'responses, in content': {'output': [{'content': [{'type': 'image', 'result': B64}]}]},
    'gemini': {
        'candidates': [{'content': {'parts': [{'text': 'x'}, {'inlineData': {'data': B64}}]}}]
    },
    'stability': {'artifacts': [{'base64': B64, 'finishReason': 'SUCCESS'}]},
    'vertex': {'predictions': [{'bytesBase64Encoded': B64}]},
    'an address of something else above': {'url': '/tasks/1', 'data': [{'url': HERE}]},
    'the same under two names': {'data': [{'b64_json': B64}], 'images': [B64]},
    'content parts': chat([{'type': 'text', 'text': 'hi'}, {'image_url': {'url': URI}}]),
    'content parts, short': chat([{'type': 'image_url', 'image_url': URI}]),
    'content parts with a source': chat([{'type': 'image', 'source': {'data': B64}}]),
    'markdown with a title': chat(f'![a]({HERE} "a title")'),
    'markdown in angles': chat(f'![a](<{HERE}>)'),
    'markdown with brackets': chat(f'![a [b] c]({HERE})'),
    'a link in prose': chat('[download]({O}/media/x.png)'),
    'an address in prose': chat('Here it is: {O}/media/x.png'),
    'an html image': chat(f'<img alt="x" src="{HERE}">'),
    'a data address in prose': chat(f'Here: {URI} Enjoy.'),
    'base64 as content': chat(B64),
    'a sheet that is not there': {'images': [B64], 'info': '{"index_of_first_image": 1}'},
    'base64 not last in a data address': {
        'data': [{'b64_json': f'data:image/png;base64;charset=utf-8,{B64}'}]
    },
}
BODIES: dict[str, bytes] = {
    'a bare address': b'{O}/media/x.png\n',
    'a bare data address': URI.encode(),
    'bare base64': B64.encode(),
    'bare base64 in lines': LINES.encode(),
    'line breaks within a string': f'{{"data":[{{"b64_json":"{LINES}"}}]}}'.encode(),
    'a separator within a line': f'{{"p":"a\u2028b","image":"{B64}"}}\n{{"done":true}}'.encode(),
    'json after json': f'{{"status":"x"}}{{"image":"{B64}"}}'.encode(),
    'a notice before json': f'Warning: old php\n{{"image":"{B64}"}}'.encode(),
}


async def kept(body: bytes, folder: Path, headers: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """Draw from a server that answers so, and give the digests of what came."""
    async with upstream() as server:

        def answer(asked: Asked) -> Reply:
            if asked.method == 'POST':
                return Reply(headers=headers, body=body.replace(b'{O}', server.origin.encode()))
            return Reply(body=PNG) if asked.target == HERE else NOT_FOUND

        server.otherwise = answer
        try:
            received = (await drawn(server, folder, GenerationRequest(prompt='a cat'))).received
        finally:
            assert len(bodies(server)) == 1
    return [one.digest for one in received]


@pytest.mark.parametrize('tree', TREES.values(), ids=TREES)
async def test_a_picture_is_found_wherever_it_stands(tree: Json, tmp_path: Path) -> None:
    digests = await kept(json.dumps(tree).encode(), tmp_path)

    assert digests == [sha256(PNG)]


@pytest.mark.parametrize('body', BODIES.values(), ids=BODIES)
async def test_a_body_that_is_hardly_json_still_gives_its_picture(
    body: bytes, tmp_path: Path
) -> None:
    digests = await kept(body, tmp_path)

    assert digests == [sha256(PNG)]


@pytest.mark.parametrize('slash', ['/', '\\/'], ids=['plain', 'escaped'])
async def test_a_large_picture_in_the_middle_of_a_chat_goes_to_a_file(
    slash: str, tmp_path: Path
) -> None:
    letters = base64.b64encode(LARGE).decode().replace('/', slash)
    said = f'Here you are: ![a](data:image{slash}png;base64,{letters}) and \\"more\\".'
    body = f'{{"choices":[{{"message":{{"content":"{said}"}}}}]}}'.encode()

    digests = await kept(body, tmp_path)

    assert len(letters) > MOST_SKELETON_BYTES
    assert digests == [sha256(LARGE)]


@pytest.mark.parametrize(
    ('body', 'reason'),
    [
        (b'\0\0\0\x18ftypmp42' + b'\x01\xff' * 3_000_000, 'video'),
        (b'ID3\x04\0\0\0\0\0#' + b'\xff\xfb' * 300, 'audio'),
        (b'%PDF-1.4 some text of a document', 'pdf'),
        (SVG, 'svg'),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n' + SVG, 'svg'),
    ],
    ids=['mp4', 'mp3', 'pdf', 'svg', 'svg with a head'],
)
async def test_a_body_that_is_another_kind_of_file_says_what_came(
    body: bytes, reason: str, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=body)
        with pytest.raises(ProviderError) as caught:
            await drawn_and_kept(server, tmp_path)

    failure = caught.value.failure
    assert (failure.kind, failure.reason) == (ErrorKind.NOT_AN_IMAGE, reason)
    assert len(server.asked) == 1
    assert arriving_in(tmp_path) == []


async def drawn_and_kept(server: Upstream, folder: Path) -> None:
    answer = await drawn(server, folder, GenerationRequest(prompt='a cat'))
    async with storing(folder) as store:
        await store.keep(answer.received[0], label_of('a cat', 1_795_000_000))


def packed(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def spoilt(archive: bytes) -> bytes:
    """Break the packed bytes of the first member, not the directory."""
    at = archive.find(b'x.png') + len(b'x.png')
    return archive[:at] + b'\xff' * 20 + archive[at + 20 :]


def locked(archive: bytes) -> bytes:
    """Say in both places that the first member asks for a password."""
    content, directory = bytearray(archive), archive.find(b'PK\1\2')
    content[6] |= 1
    content[directory + 8] |= 1
    return bytes(content)


async def test_a_zip_gives_its_pictures_and_nothing_else(tmp_path: Path) -> None:
    other = picture(5, 5)
    archive = packed(('a/', b''), ('a/x.png', PNG), ('read.me', b'hi'), ('b.png', other))

    digests = await kept(archive, tmp_path, (('Content-Type', 'application/json'),))

    assert digests == [sha256(PNG), sha256(other)]


@pytest.mark.parametrize(
    ('archive', 'kind'),
    [
        (spoilt(packed(('x.png', PNG * 40))), ErrorKind.TRUNCATED),
        (locked(packed(('x.png', PNG))), ErrorKind.TRUNCATED),
        (packed(('x.png', PNG))[:-30], ErrorKind.TRUNCATED),
        (packed(('read.me', b'hi')), ErrorKind.EMPTY),
        (packed(*[(f'{n}.png', PNG + b'\0' * 9_000_000) for n in range(3)]), ErrorKind.TOO_LARGE),
    ],
    ids=['spoilt', 'locked', 'cut', 'without pictures', 'bomb'],
)
async def test_a_zip_that_is_no_good_leaves_nothing(
    archive: bytes, kind: ErrorKind, tmp_path: Path
) -> None:
    with pytest.raises(ProviderError) as caught:
        await kept(archive, tmp_path)

    assert caught.value.failure.kind is kind
    assert arriving_in(tmp_path) == []
