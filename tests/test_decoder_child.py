"""The decoder's child by itself: it finds Easel where nothing else shows the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from app.storage.decoding import decoder_child as child
from app.storage.decoding.decoder import CHILD, HEAD
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


@pytest.mark.parametrize('side', [8_000, 60_000])
def test_a_picture_of_too_many_pixels_is_refused_by_its_size(side: int, tmp_path: Path) -> None:
    path = tmp_path / 'large.png'
    path.write_bytes(png_of(side, 5_001))

    told = child.answer({'path': str(path), 'format': 'PNG', 'thumbs': {}})

    assert told == {'refused': 'over 40 megapixels'}


REFUSES_TO_CAP_DATA = """
import resource

set_limit = resource.setrlimit

def refuse(kind, most):
    if kind == resource.RLIMIT_DATA:
        raise ValueError('not allowed to raise maximum limit')
    set_limit(kind, most)

resource.setrlimit = refuse
"""


def limits_of_a_child(folder: Path, **environment: str) -> str:
    order = json.dumps({'number': 1, 'read': str(folder), 'format': 'PNG'}).encode() + b'\n'
    command = [sys.executable, '-P', str(CHILD)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(order)
        running.stdin.flush()
        answered = running.stdout.read(HEAD.size)
        limits = Path(f'/proc/{running.pid}/limits').read_text()
        running.kill()
    assert len(answered) == HEAD.size
    return limits


@pytest.mark.skipif(not Path('/proc/self/limits').exists(), reason='reads /proc')
def test_the_child_has_no_more_memory_than_a_picture_needs_and_leaves_no_core(
    tmp_path: Path,
) -> None:
    limits = limits_of_a_child(tmp_path)

    assert re.search('Max core file size +0 ', limits)
    assert re.search(f'Max data size +{child.MEMORY_BYTES} ', limits)


@pytest.mark.skipif(not Path('/proc/self/limits').exists(), reason='reads /proc')
def test_a_limit_that_the_system_refuses_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / 'sitecustomize.py').write_text(REFUSES_TO_CAP_DATA)

    limits = limits_of_a_child(tmp_path, PYTHONPATH=str(tmp_path))

    assert not re.search(f'Max data size +{child.MEMORY_BYTES} ', limits)
    assert re.search(f'Max address space +{child.ADDRESSES_BYTES} ', limits)
    assert re.search('Max open files +32 ', limits)
