"""Finding the pictures in an answer's text, and the models in a list."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.discovery.model_list import models_in
from app.providers.response.images import Item, find_items
from app.providers.response.json_text import Json
from app.providers.response.messages import chat_text_of, task_of
from app.providers.response.parser import parse
from tests.support.fakes import Ending, Reply, asking, refused_port, upstream

B64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB'
URL = 'https://cdn.test/a.png'
AT_ONCE_S = 0.3
LISTS = json.loads(
    (Path(__file__).parent / 'replay' / 'upstream_models.json').read_text(encoding='utf-8')
)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text()
            | st.sampled_from(
                ['data', 'url', 'image', 'b64_json', 'images', 'output', 'id', 'task_id']
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ('tree', 'texts'),
    [
        ({'data': [{'b64_json': B64}]}, [B64]),
        ({'data': [{'url': URL}]}, [URL]),
        ({'data': [{'b64_json': B64, 'url': URL}]}, [B64]),
        ({'data': [{'b64_json': None, 'url': URL}]}, [URL]),
        ({'data': [{'b64_json': ' ', 'url': URL}]}, [URL]),
        ({'data': [{'image_url': {'url': URL}}]}, [URL]),
        ({'data': [{'image_base64': B64}, {'base64': B64}, {'b64': B64}]}, [B64] * 3),
        ({'data': {'b64_json': B64}}, [B64]),
        ({'data': {'images': [{'url': URL}]}}, [URL]),
        ({'images': [B64, B64]}, [B64, B64]),
        ({'images': [URL]}, [URL]),
        ({'output_images': [{'url': URL}]}, [URL]),
        ({'results': [{'image': B64}]}, [B64]),
        ({'output': [URL]}, [URL]),
        ({'output': {'choices': [{'message': {'content': [{'image': URL}]}}]}}, [URL]),
        ({'choices': [{'message': {'images': [{'image_url': {'url': URL}}]}}]}, [URL]),
        ({'choices': [{'message': {'content': f'Here: ![a]({URL})'}}]}, [URL]),
        ({'result': {'image': B64}}, [B64]),
        ({'base64': [f'data:image/png;base64,{B64}']}, [f'data:image/png;base64,{B64}']),
        ({'data': [{'error': 'no'}, {'url': URL}]}, ['', URL]),
        ({'data': [{'url': URL}, {'output': [{'error': 'no'}]}]}, [URL, '']),
        ([{'url': URL}], [URL]),
        ([URL], [URL]),
        ({'url': URL}, [URL]),
        ({'status': 'Ready', 'result': {'sample': URL, 'seed': 4}}, [URL]),
        ({'data': {'task_result': {'images': [{'url': URL}]}}}, [URL]),
        ({'data': {'generated': [URL], 'has_nsfw': [False]}}, [URL]),
        ({'generations_by_pk': {'generated_images': [{'url': URL}]}}, [URL]),
        ({'generations': [{'img': URL}, {'img': URL}]}, [URL, URL]),
        ({'state': 'completed', 'assets': {'image': URL}}, [URL]),
        ({'data': {'resultJson': f'{{"resultUrls":["{URL}"]}}'}}, [URL]),
        ({'output': {'results': [{'url': URL}, {'code': 'X', 'message': 'late'}]}}, [URL, '']),
        ({'sample': 'a cat', 'data': [{'img': 'no address'}]}, []),
        ({'data': []}, []),
        ({'data': [None, {}, {'url': ''}]}, []),
        ({'data': [{'prompt': B64}]}, []),
        ({'choices': [{'message': {'content': 'I can not draw that.'}}]}, []),
        (None, []),
        (7, []),
        ('a text', []),
    ],
)  # fmt: skip
def test_pictures_are_found_whatever_the_server_calls_them(tree: Json, texts: list[str]) -> None:
    items = find_items(tree)

    assert [item.text for item in items] == texts


@pytest.mark.parametrize(
    ('tree', 'is_address'),
    [
        ({'images': [B64]}, False),
        ({'images': ['QUJD' * 40]}, False),
        ({'data': [{'url': B64}]}, False),
        ({'data': [{'b64_json': '/media/x.png'}]}, True),
        ({'output': '/media/x.png'}, True),
        ({'images': ['my picture.png']}, True),
    ],
)
def test_what_is_fetched_is_an_address_whatever_its_name_says(tree: Json, is_address: bool) -> None:
    items = find_items(tree)

    assert [item.is_address for item in items] == [is_address]


@pytest.mark.parametrize(
    'deeper', [lambda tree: {'data': [tree]}, lambda tree: {'result': tree}, lambda tree: [tree]]
)
def test_a_picture_is_looked_for_to_some_depth_alone(deeper: Callable[[Json], Json]) -> None:
    tree: Json = {'url': URL}
    for _ in range(20):
        tree = deeper(tree)

    assert find_items(tree) == []


@pytest.mark.parametrize('address', [{'url': URL}, {'image_url': {'url': URL}}])
def test_an_item_brings_its_own_prompt_and_seed(address: dict[str, Json]) -> None:
    tree: Json = {'data': [address | {'revised_prompt': 'a red fox', 'seed': 7}]}

    items = find_items(tree)

    assert items == [Item(URL, True, 'a red fox', 7)]


@pytest.mark.parametrize(
    ('revised', 'seed'), [(' ', True), (7, '7'), (None, 1 << 64), ({'a': 1}, 1.5)]
)
def test_a_prompt_that_is_no_text_and_a_seed_that_is_no_number_are_absent(
    revised: Json, seed: Json
) -> None:
    tree: Json = {'data': [{'url': URL, 'revised_prompt': revised, 'seed': seed}]}

    items = find_items(tree)

    assert items == [Item(URL, True, None, None)]


@given(json_values)
def test_any_json_at_all_can_be_searched(tree: Json) -> None:
    items = find_items(tree)

    assert len(items) <= 64
    assert any(item.text.strip() for item in items) or not items
    assert task_of(tree) is None or isinstance(task_of(tree), str)


@pytest.mark.parametrize(
    'text',
    [
        f'{{"data":[{{"url":"{URL}"}}]}}',
        f'  \n{{"data":[{{"url":"{URL}"}}]}}\n\n',
        f'{{"status":"working"}}\n{{"data":[{{"url":"{URL}"}}]}}\n',
        f'{{"data":[{{"url":"{URL}"}}]}}\n{{"status":"done"}}\n',
        f'data: {{"data":[{{"url":"{URL}"}}]}}\n\ndata: [DONE]\n\n',
        f': comment\r\nevent: done\r\ndata: {{"url":\r\ndata: "{URL}"}}\r\n\r\n',
        f'data:{{"type":"image_generation.partial_image","url":"https://a.test/p.png"}}\n\n'
        f'data:{{"type":"image_generation.completed","url":"{URL}"}}\n\n',
    ],
    ids=['json', 'blanks', 'lines', 'lines, last empty', 'events', 'crlf', 'partials'],
)
def test_json_lines_and_events_are_read_alike(text: str) -> None:
    tree = parse(text)

    assert [item.text for item in find_items(tree)] == [URL]


def test_a_picture_that_was_lost_is_told_of_beside_the_one_that_came() -> None:
    tree = parse('{"error":"no luck"}\n' + f'{{"data":[{{"url":"{URL}"}}]}}\n')

    assert [(item.text, item.trouble) for item in find_items(tree)] == [(URL, ''), ('', 'no luck')]


@pytest.mark.parametrize(
    'text',
    [
        *('', 'hello', '<html></html>', '{"data":', 'data: {"a":\n\n', '[' * 100_000, '{"a": 1'),
        '{"a": 1}\n{"b": "x',
    ],
)
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize(
    'text', ['![' * 50_000, '![a](' * 8_000, 'data:' * 50_000], ids=['brackets', 'links', 'data']
)
def test_a_hostile_text_is_searched_at_once(text: str) -> None:
    began = time.process_time()

    find_items([text])

    assert time.process_time() - began < AT_ONCE_S


@pytest.mark.parametrize(
    ('tree', 'task'),
    [
        ({'task_id': 'a1'}, 'a1'),
        ({'id': 'x', 'poll_url': '/x'}, 'x'),
        ({'id': 'x', 'object': 'image.generation.task'}, 'x'),
        ({'task_id': ''}, None),
        ({'id': 'x', 'data': []}, None),
        ([], None),
    ],
)
def test_a_promise_is_known_by_its_task(tree: Json, task: str | None) -> None:
    assert task_of(tree) == task


@pytest.mark.parametrize('listed', LISTS, ids=[listed['name'] for listed in LISTS])
async def test_a_list_of_models_names_those_that_draw_first(listed: dict[str, Json]) -> None:
    body, right = listed['body'], listed['expect']
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert isinstance(right, dict)
    drawing = right['image_models']

    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        status = listed['status']
        assert isinstance(status, int)
        server.replies['GET /v1/models'] = Reply(status=status, body=content)
        listing = await provider.list_models()

    assert listing.answered
    names = drawing if isinstance(drawing, list) else []
    assert list(listing.models[: len(names)]) == names
    assert bool(listing.reason) == (drawing is None)


@pytest.mark.parametrize(
    ('tree', 'names'),
    [
        ({'data': [{'id': 'a', 'image': True}, {'id': 'b', 'image': False}]}, ['a', 'b']),
        ({'data': [{'id': 'chat'}, {'id': 'x', 'type': 'image'}]}, ['x', 'chat']),
        ({'data': [{'id': 'x'}, {'id': 'x'}, {'id': ''}, {}, None, 7]}, ['x']),
        ({'data': {'models': [{'id': 'x'}]}}, ['x']),
        ({'image_models': ['x', 'y']}, ['x', 'y']),
        ({'data': 'flux'}, []),
        ('flux', []),
        (None, []),
    ],
)
def test_a_list_of_models_hides_nothing_and_repeats_nothing(tree: Json, names: list[str]) -> None:
    assert list(models_in(tree)) == names


@given(json_values)
def test_any_json_at_all_is_a_list_of_names(tree: Json) -> None:
    assert all(isinstance(name, str) and name for name in models_in(tree))


async def test_a_list_says_whether_anything_listens() -> None:
    with refused_port() as port:
        async with asking(f'http://127.0.0.1:{port}/v1') as provider:
            listing = await provider.list_models()

    assert (listing.answered, listing.refused) == (False, True)
    assert listing.reason == 'connection refused'


@pytest.mark.parametrize(
    ('reply', 'answered', 'reason'),
    [
        (Reply(status=401), True, 'HTTP 401'),
        (Reply(body=b'<html>'), True, 'no list of models'),
        (Reply(body=b'[' * 100_000), True, 'no list of models'),
        (Reply(body=b' ' * 9_000_000), True, 'no list of models'),
        (Reply(status=302, headers=(('Location', 'http://['),)), True, 'HTTP 302'),
        (Reply(status=None), False, 'closed without an answer'),
        (Reply(status=None, ending=Ending.RESETS), False, 'connection reset'),
    ],
    ids=['401', 'html', 'deep', 'large', 'redirect', 'closed', 'reset'],
)
async def test_a_list_that_is_none_says_what_came(
    reply: Reply, answered: bool, reason: str
) -> None:
    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = lambda _: reply
        listing = await provider.list_models()

    assert (listing.answered, listing.refused, listing.reason) == (answered, False, reason)


def test_a_models_first_choice_is_what_it_says() -> None:
    assert chat_text_of({'choices': [{'message': {'content': 'no, sorry'}}]}) == 'no, sorry'
