"""A PNG that is shown to strangers: its chunks one by one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.metadata.container import DamagedContainer
from tests.support.labelled_pictures import labelled, saved
from tests.test_stripped_pictures import stripped

END = b'\0\0\0\0IEND' + struct.pack('>I', zlib.crc32(b'IEND'))


@pytest.mark.parametrize(
    'damage',
    [
        lambda whole: bytes(8) + whole[8:],
        lambda whole: whole.removesuffix(END),
        lambda whole: whole[:-1],
        lambda whole: whole[:33] + bytes(12) + whole[33:],
    ],
    ids=['another signature', 'no end', 'cut in its end', 'a chunk without a name'],
)
def test_what_is_no_whole_png_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    source = tmp_path / 'source.png'
    source.write_bytes(damage(saved('PNG')))

    with pytest.raises(DamagedContainer):
        stripped(source)


def test_a_labelled_png_without_its_label_is_the_one_that_came(tmp_path: Path) -> None:
    source = tmp_path / 'source.png'
    source.write_bytes(saved('PNG'))

    shown = stripped(labelled(source).path)

    assert shown.read_bytes() == source.read_bytes()
