"""What the decoder's child may open: the picture of its order, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import pytest

from app.errors import ProviderError
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import make_sent_picture
from app.storage.decoding.sandbox import protection
from app.storage.metadata.mime import PNG
from tests.support.fakes import picture, received_in, storing
from tests.support.labelled_pictures import label_of, labelled, read, source_of
from tests.support.other_tools import A1111, OTHERS
from tests.test_metadata_reading import png_with, with_comment

pytestmark = pytest.mark.skipif(
    not all(word in protection() for word in ('Landlock', 'no sockets')),
    reason='this kernel has no Landlock, or calls can not be filtered on this machine',
)

ONE_OF_EACH = ('PNG', 'JPEG with EXIF', 'WebP with EXIF and a profile', 'GIF', 'AVIF')

# As if the picture took the child over: in the place of decoding it, it tries what it must not.
TAKEN_OVER = """
import os, socket
from pathlib import Path

def attack(path, **_):
    attempts = {{
        'its own picture': lambda: open(path).close(),
        'a new file beside it': lambda: Path(path).with_name('new.part').touch(),
        'another picture': lambda: open({other!r}).close(),
        'another that arrives': lambda: open(Path(path).with_name('other.part')).close(),
        'the list of pictures': lambda: os.listdir({folder!r}),
        'a file among the pictures': lambda: Path({folder!r}, 'new.png').touch(),
        'a secret': lambda: open({secret!r}).close(),
        'a system file': lambda: open('/etc/passwd').close(),
        'a program': lambda: os.execv('/bin/true', ['true']),
        'a TCP socket': socket.socket,
        'a Unix socket': lambda: socket.socket(socket.AF_UNIX),
        'a pair of sockets': socket.socketpair,
    }}
    open_to_it = []
    for name, attempt in attempts.items():
        try:
            attempt()
            open_to_it.append(name)
        except OSError:
            continue
    raise RuntimeError(', '.join(open_to_it))

from PIL import Image
Image.open = attack
"""

# What is imported too late costs each picture time, and finds no file where one is confined.
REFUSES_LATE_IMPORTS = """
import os, sys

first = os.getpid()

def refuse(event, args):
    if event == 'import' and os.getpid() != first:
        raise ImportError(f'{args[0]} is imported too late')

sys.addaudithook(refuse)
"""


@pytest.mark.parametrize('is_edited', [False, True])
async def test_a_child_that_a_picture_took_over_opens_neither_another_nor_a_socket(
    tmp_path: Path, *, is_edited: bool
) -> None:
    habit, data = tmp_path / 'habit', tmp_path / 'data'
    async with storing(data, Decoder({'PYTHONPATH': str(habit)})) as store:
        habit.mkdir()
        (habit / 'sitecustomize.py').write_text(
            TAKEN_OVER.format(
                other=str(data / 'images' / 'other.png'),
                folder=str(data / 'images'),
                secret=str(data / 'secret'),
            )
        )
        for file in ('images/other.png', 'arriving/other.part', 'secret'):
            (data / file).write_bytes(picture())
        received, target = received_in(store, picture()), data / 'arriving' / 'made.part'

        work: Awaitable[object] = (
            make_sent_picture(store.decoder, received.path, PNG, target, as_png=True)
            if is_edited
            else store.keep(received, label_of('a fox', 1.0))
        )

        with pytest.raises(ProviderError) as caught:
            await work

    opened = caught.value.failure.reason.removeprefix('RuntimeError: ')
    assert opened == 'its own picture, a new file beside it'


async def test_the_confined_child_does_as_much_as_one_that_is_not_and_loads_nothing_late(
    tmp_path: Path,
) -> None:
    paths = [png_with(texts, tmp_path / f'{name}.png') for name, (texts, _) in OTHERS.items()]
    paths += [labelled(source_of(name, tmp_path)).path for name in ONE_OF_EACH]
    comment = tmp_path / 'comment.jpg'
    comment.write_bytes(with_comment('JPEG', b'UNICODE\0' + A1111.encode('utf-16-le')))

    (tmp_path / 'sitecustomize.py').write_text(REFUSES_LATE_IMPORTS)
    async with storing(tmp_path / 'data', Decoder({'PYTHONPATH': str(tmp_path)})) as store:
        assert await store.small(received_in(store, picture()))
        await store.keep(received_in(store, picture()), label_of('a fox', 1.0))
        found = [await store.settings_in(path) for path in (*paths, comment)]

    made_at = [one.pop('made_at', '') for one in found]
    assert found == [read(path) for path in (*paths, comment)]
    assert any(made_at)
    assert all('prompt' in one for one in found)
