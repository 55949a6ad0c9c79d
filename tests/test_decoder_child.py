"""The decoder's child by itself: it finds Easel where nothing else shows the way."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

from app.storage import decoder_child as child
from app.storage.decoder import CHILD, HEAD
from tests.support.labelled_pictures import LABEL, labelled, source_of
from tests.test_decoder import png_of


def test_the_child_finds_easel_that_is_not_installed(tmp_path: Path) -> None:
    path = labelled(source_of('PNG', tmp_path)).path
    order = json.dumps({'number': 1, 'read': str(path), 'format': 'PNG'}).encode() + b'\n'

    told = subprocess.run(
        [sys.executable, '-S', '-P', str(CHILD)],
        input=order,
        env={'PYTHONPATH': sysconfig.get_path('purelib')},
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert json.loads(told.stdout[HEAD.size :])['settings']['prompt'] == LABEL.prompt


def test_a_picture_of_too_many_pixels_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / 'large.png'
    path.write_bytes(png_of(8_000, 5_001))

    told = child.answer({'path': str(path), 'format': 'PNG', 'thumbs': {}})

    assert told == {'refused': 'over 40 megapixels'}
