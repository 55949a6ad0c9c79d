"""The decoder's child by itself: it finds Easel where nothing else shows the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

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


@pytest.mark.skipif(not Path('/proc/self/limits').exists(), reason='reads /proc')
def test_the_child_has_no_more_memory_than_a_picture_needs_and_leaves_no_core(
    tmp_path: Path,
) -> None:
    order = json.dumps({'number': 1, 'read': str(tmp_path), 'format': 'PNG'}).encode() + b'\n'
    command = [sys.executable, '-P', str(CHILD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(order)
        running.stdin.flush()
        answered = running.stdout.read(HEAD.size)

        limits = Path(f'/proc/{running.pid}/limits').read_text()
        running.kill()

    assert len(answered) == HEAD.size
    assert re.search('Max core file size +0 ', limits)
    assert re.search(f'Max data size +{child.MEMORY_BYTES} ', limits)
