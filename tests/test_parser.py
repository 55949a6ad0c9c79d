"""Events, while they come: when the last of them is there, and what may be shown before."""

from __future__ import annotations

import json
from pathlib import Path

from app.models import Received
from app.providers.core.base import Run
from app.providers.response.events import Events
from app.providers.response.images import find_items
from app.providers.response.parser import parse
from app.providers.response.stream import ResponseStream
from app.storage.files import TempFile
from tests.support.fakes import sha256

URL = 'https://cdn.test/a.png'


def test_a_stream_is_over_with_the_last_picture_that_was_asked_for(tmp_path: Path) -> None:
    stream = ResponseStream(lambda: TempFile(tmp_path))
    events = Events(stream, Run(lambda: TempFile(tmp_path)), count=2)

    over = []
    for kind in ('partial_image', 'image', 'image'):
        stream.feed(f'data: {{"type":"{kind}","data":[{{"url":"{URL}"}}]}}\n\n'.encode())
        over.append(events.are_over())

    assert over == [False, False, True]


def test_a_preview_is_shown_at_its_place_as_soon_as_it_comes(tmp_path: Path) -> None:
    shown: list[tuple[int, Received]] = []
    stream = ResponseStream(lambda: TempFile(tmp_path))
    run = Run(lambda: TempFile(tmp_path), previewed=lambda *one: shown.append(one))
    events = Events(stream, run, count=1)

    stream.feed(b'data: {"type":"partial_image","image_index":2,"b64_json":"QUJD"}\n\n')
    is_over = events.are_over()

    assert [(place, one.digest) for place, one in shown] == [(2, sha256(b'ABC'))]
    assert not is_over


def test_an_address_that_came_in_two_words_of_a_chat_is_one() -> None:
    words = [f'![a]({URL[:14]}', f'{URL[14:]})']
    events = [{'choices': [{'delta': {'content': word}}]} for word in words]

    tree = parse(''.join(f'data: {json.dumps(event)}\n\n' for event in events))

    assert [item.text for item in find_items(tree)] == [URL]


def test_json_behind_json_is_read_as_well() -> None:
    tree = parse(f'{{"status":"working"}}{{"data":[{{"url":"{URL}"}}]}}')

    assert [item.text for item in find_items(tree)] == [URL]
