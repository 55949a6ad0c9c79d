"""A GIF that is shown to strangers keeps every frame, how long it shows, and that it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.labelled_pictures import frames_of, saved, source_of
from tests.test_stripped_pictures import stripped


def test_a_gif_keeps_its_frames_and_ends_where_it_ended(tmp_path: Path) -> None:
    source = source_of('animated GIF', tmp_path)
    whole = source.read_bytes()
    source.write_bytes(whole + b'more behind the end')

    shown = stripped(source)

    assert shown.read_bytes() == whole
    assert frames_of(shown) == frames_of(source)


@pytest.mark.parametrize('length', [1, 200])
def test_a_comment_in_a_gif_is_left_out(length: int, tmp_path: Path) -> None:
    source, plain = tmp_path / 'source.gif', saved('GIF')
    source.write_bytes(saved('GIF', comment=b'!' * length))

    shown = stripped(source)

    assert shown.read_bytes() == plain.replace(b'GIF87a', b'GIF89a')


def test_a_gif_that_goes_round_does_so_without_what_else_was_said(tmp_path: Path) -> None:
    source = tmp_path / 'source.gif'
    frames = [Image.new('L', (8, 8), shade) for shade in (0, 255)]
    frames[0].save(source, save_all=True, append_images=frames[1:], loop=0)
    whole = source.read_bytes()
    start = whole.index(b'!\xff\x0bNETSCAPE')
    source.write_bytes(whole[:start] + b'!\xff\x0bXMP DataXMP\x09a comment\0' + whole[start:])

    shown = stripped(source)

    assert shown.read_bytes() == whole
