"""Where a kept picture goes: on any volume, under any name, with its thumbnails or without."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.storage.files import remove
from app.storage.health import find_problem
from app.storage.metadata.read import read_settings
from app.storage.store import THUMB_WIDTHS
from tests.support.fakes import arriving_in, picture, received_in, sha256, storing
from tests.support.labelled_pictures import label_of
from tests.support.servers import clean_environment

NOW = 1_795_000_000.0


@pytest.mark.parametrize('form', ['PNG', 'GIF'])
async def test_a_picture_is_kept_on_a_volume_of_its_own(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace

    def only_within_a_folder(source: Path, target: Path) -> Path:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(source, target)

    monkeypatch.setattr(Path, 'replace', only_within_a_folder)
    async with storing(tmp_path) as store:
        kept = await store.keep(received_in(store, picture(form=form)), label_of('a heron', NOW))
        thumbs = [store.thumb(kept.digest, width).exists() for width in THUMB_WIDTHS]
        remove(*(store.thumb(kept.digest, width) for width in THUMB_WIDTHS))
        await store.ensure_thumbs(kept.digest, kept.file)
        again = [store.thumb(kept.digest, width).exists() for width in THUMB_WIDTHS]
        problem = find_problem(store)

    content = store.original(kept.file).read_bytes()
    assert sha256(content) == kept.digest
    assert read_settings(str(store.original(kept.file)), form)['prompt'] == 'a heron'
    assert arriving_in(tmp_path) == []
    assert (thumbs, again) == ([True, True], [True, True])
    assert problem is None


async def test_a_picture_is_kept_where_no_thumbnail_can_be(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        (tmp_path / 'thumbs').rmdir()
        (tmp_path / 'thumbs').write_text('in the way')

        kept = await store.keep(received_in(store, picture()), label_of('a cat', NOW))
        await store.ensure_thumbs(kept.digest, kept.file)
        (tmp_path / 'thumbs').unlink()
        await store.ensure_thumbs(kept.digest, kept.file)

        assert store.original(kept.file).exists()
        assert store.thumb(kept.digest, THUMB_WIDTHS[0]).exists()


ASCII_ALONE = {'LC_ALL': 'POSIX', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}
NAME = """
from pathlib import Path
from app.models import Received
from app.storage.place import file_key
from tests.support.labelled_pictures import label_of
received = Received(path=Path('a-1234'), size_bytes=1, head=b'')
label = label_of('\\u0401\\u043b\\u043a\\u0430 fox', 1.0)
print(ascii(file_key(label, 'image/png', 64 * 'd', received)))
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='the locale decides how files are named')
@pytest.mark.parametrize(
    ('environment', 'name'),
    [({'PYTHONUTF8': '1'}, r'\u0451\u043b\u043a\u0430-fox'), (ASCII_ALONE, 'fox')],
    ids=['UTF-8', 'ASCII'],
)
def test_a_file_is_named_with_what_the_system_can_write(
    environment: dict[str, str], name: str
) -> None:
    done = subprocess.run(
        [sys.executable, '-c', NAME],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.partition('/01/01/')[2].strip("'\n")[7:] == f'{name}-dddddddd1234.png'
