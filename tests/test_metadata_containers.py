"""The containers themselves: what is kept of them, their limits, and damaged ones."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.storage.metadata.container import DamagedContainer, write
from app.storage.metadata.copies import embed
from app.storage.metadata.jpeg import with_comment
from tests.support.labelled_pictures import (
    EXIF_DIRECTORY,
    LABEL,
    PICTURES,
    USER_COMMENT,
    exif,
    frames_of,
    labelled,
    read,
    saved,
    source_of,
    with_prompt,
)

LONG = ('狐 ' * 16_000, '𐀀' * 16_000)


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack('>I', len(content)) + checked + struct.pack('>I', zlib.crc32(checked))


def test_texts_of_others_in_a_png_stay(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text('parameters', 'an old prompt', zip=True)
    texts.add_text('prompt', '{"a": 1}')
    texts.add_itxt('XML:com.adobe.xmp', '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    source = tmp_path / 'source.png'
    source.write_bytes(saved('PNG', pnginfo=texts, dpi=(300, 300)))

    written = labelled(source)

    with Image.open(written.path) as image:
        image.load()
        assert image.info['prompt'] == '{"a": 1}'
        assert image.info['parameters'].startswith('a red fox')
        assert 'dpi' in image.info
    assert written.path.read_bytes().count(b'XML:com.adobe.xmp') == 1


@pytest.mark.parametrize(('prompt', 'name'), [('café', b'tEXt'), ('狐', b'iTXt')])
def test_a_png_text_is_latin_1_where_that_is_enough(
    prompt: str, name: bytes, tmp_path: Path
) -> None:
    written = labelled(source_of('PNG', tmp_path), with_prompt(prompt))

    assert name + b'parameters\0' in written.path.read_bytes()


@pytest.mark.parametrize('name', PICTURES)
def test_the_longest_prompts_are_kept_whole(name: str, tmp_path: Path) -> None:
    prompt, negative = LONG
    source = source_of(name, tmp_path)

    written = labelled(source, with_prompt(prompt, negative))

    found = read(written.path)
    assert (found['prompt'], found['negative_prompt']) == (prompt, negative)
    assert frames_of(written.path) == frames_of(source)


def test_exif_stays_where_the_comment_finds_no_room_beside_it(tmp_path: Path) -> None:
    source = source_of('JPEG with EXIF', tmp_path)

    written = labelled(source, with_prompt(*LONG))

    with Image.open(written.path) as image:
        assert image.getexif().tobytes() == exif()


def test_exif_that_can_not_be_read_is_left_alone(tmp_path: Path) -> None:
    source = tmp_path / 'source.jpg'
    source.write_bytes(saved('JPEG', exif=b'Exif\0\0II*\0\xff\xff\xff\x00broken'))

    written = labelled(source)

    assert b'II*\0\xff\xff\xff\x00broken' in written.path.read_bytes()
    assert read(written.path)['prompt'] == LABEL.prompt


@pytest.mark.parametrize('length', [1, 2, 3, 4])
def test_a_webp_is_as_long_as_it_says_and_of_even_length(length: int, tmp_path: Path) -> None:
    written = labelled(source_of('lossy WebP', tmp_path), with_prompt('x' * length))

    content = written.path.read_bytes()

    assert int.from_bytes(content[4:8], 'little') == len(content) - 8
    assert len(content) % 2 == 0


def test_more_exif_than_can_be_rewritten_stays_in_a_webp(tmp_path: Path) -> None:
    source = tmp_path / 'source.webp'
    source.write_bytes(saved('WEBP', exif=b'Exif\0\0II*\0' + bytes(1_100_000) + b'the end of it'))

    written = labelled(source)

    assert b'the end of it' in written.path.read_bytes()
    assert read(written.path)['prompt'] == LABEL.prompt


@pytest.mark.parametrize('name', ['PNG', 'lossy WebP'])
def test_what_follows_the_picture_is_left_out(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)
    source.write_bytes(source.read_bytes() + b'PK\x03\x04 something else')

    written = labelled(source)

    assert b'something else' not in written.path.read_bytes()


@pytest.mark.parametrize(
    ('name', 'flags'),
    [
        ('lossy WebP', 0x0C),
        ('lossless WebP', 0x0C),
        ('lossless WebP with alpha', 0x1C),
        ('lossy WebP with alpha', 0x1C),
        ('WebP with EXIF and a profile', 0x2C),
        ('animated WebP', 0x0E),
    ],
)
def test_the_header_of_a_webp_says_what_is_in_it(name: str, flags: int, tmp_path: Path) -> None:
    written = labelled(source_of(name, tmp_path))

    content = written.path.read_bytes()

    assert content[12:20] == b'VP8X\x0a\0\0\0'
    assert content[20:24] == bytes((flags, 0, 0, 0))
    assert content[24:30] == b'\x3f\0\0\x2f\0\0'
    with Image.open(written.path) as image:
        comment = image.getexif().get_ifd(EXIF_DIRECTORY)[USER_COMMENT]
        assert LABEL.prompt.encode('utf-16-be') in comment
        assert LABEL.prompt.encode() in image.info['xmp']


def no_pixels(content: bytes) -> bytes:
    return content[: content.index(b'IDAT') - 4] + chunk(b'IEND', b'')


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    'a PNG cut in its pixels': ('PNG', lambda content: content[:-40]),
    'a PNG without an end': ('PNG', lambda content: content[:-12]),
    'a PNG without pixels': ('PNG', no_pixels),
    'a PNG without a header': ('PNG', lambda content: content[:8] + content[33:]),
    'a chunk of 2 GB': ('PNG', lambda content: content[:33] + b'\x7f\xff\xff\xffaaaa'),
    'a signature alone': ('PNG', lambda content: content[:8]),
    'a JPEG cut in its pixels': ('JPEG', lambda content: content[:-100]),
    'a JPEG without pixels': ('JPEG', lambda content: content[:20]),
    'a JPEG with a hole': ('JPEG', lambda content: content[:20] + b'\0\0' + content[20:]),
    'a JPEG that ends at once': ('JPEG', lambda _: b'\xff\xd8\xff\xd9'),
    'a JPEG of fill': ('JPEG', lambda _: b'\xff\xd8' + b'\xff' * 500),
    'a segment without a length': ('JPEG', lambda _: b'\xff\xd8\xff\xe1\0\0' + bytes(90)),
    'a WebP cut in its pixels': ('lossy WebP', lambda content: content[:-20]),
    'a WebP of another frame': ('lossy WebP', lambda content: content[:20] + bytes(40)),
    'a WebP whose frame begins otherwise': ('lossy WebP', lambda c: c[:23] + bytes(3) + c[26:]),
    'a header of WebP alone': ('animated WebP', lambda c: c[:4] + b'\x16\0\0\0' + c[8:30]),
    'an empty WebP': ('lossy WebP', lambda _: b'RIFF\4\0\0\0WEBP'),
    'a frame alone': ('lossy WebP', lambda c: b'RIFF' + struct.pack('<I', 12) + c[8:20]),
    'no picture': ('PNG', lambda _: b'<html>'),
    'nothing': ('PNG', lambda _: b''),
}


@pytest.mark.parametrize('name', DAMAGED)
def test_a_damaged_container_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    kind, damage = DAMAGED[name]
    source = source_of(kind, tmp_path)
    source.write_bytes(damage(source.read_bytes()))

    with pytest.raises(DamagedContainer):
        labelled(source)

    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize('name', ['PNG', 'GIF'])
def test_a_disk_that_refuses_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)
    target = tmp_path / 'in the way'
    target.mkdir()

    with pytest.raises(OSError):
        embed(source, target, LABEL)

    assert {*tmp_path.iterdir()} == {source, target}


def test_a_copy_that_is_not_whole_yet_has_no_name_but_its_own(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'half'
        beside.extend(path.name for path in tmp_path.iterdir())

    beside = list[str]()

    write(BytesIO(), tmp_path / 'copy', pieces())

    assert beside == ['copy']


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(['PNG', 'JPEG with EXIF', 'lossless WebP', 'animated WebP']),
    place=st.floats(0, 1),
    byte=st.integers(0, 255),
    cut=st.floats(0.5, 1),
)
def test_a_broken_byte_never_raises_anything_else(
    name: str, place: float, byte: int, cut: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = source_of(name, tmp_path_factory.mktemp('broken'))
    content = bytearray(source.read_bytes())
    content[int(place * min(len(content) - 1, 400))] = byte
    source.write_bytes(content[: int(cut * len(content)) + 1])

    try:
        written = labelled(source)
    except DamagedContainer:
        assert list(source.parent.iterdir()) == [source]
    else:
        assert written.path.exists()


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b'', b'II*\0\x08\0\0\0', b'MM\0*\0\0\0\x08']))
def test_hostile_exif_never_raises(noise: bytes, start: bytes) -> None:
    block = start + noise

    merged = with_comment(block, 'a fox')

    assert merged == block or 'a fox'.encode('utf-16-be') in merged


@pytest.mark.parametrize('order', ['<', '>'])
def test_a_comment_among_other_tags_is_replaced_and_wiped(order: str) -> None:
    tags = Image.Exif()
    tags.endian = order
    inner = tags.get_ifd(EXIF_DIRECTORY)
    inner[USER_COMMENT] = b'ASCII\0\0\0a secret of before'
    inner[0xA434] = 'a lens with a long name'

    merged = with_comment(tags.tobytes().removeprefix(b'Exif\0\0'), 'a fox')

    again = Image.Exif()
    again.load(b'Exif\0\0' + merged)
    assert again.get_ifd(EXIF_DIRECTORY)[USER_COMMENT][8:].decode('utf-16-be') == 'a fox'
    assert again.get_ifd(EXIF_DIRECTORY)[0xA434] == 'a lens with a long name'
    assert b'secret' not in merged


def test_a_large_picture_is_copied_in_blocks(tmp_path: Path) -> None:
    head, end = saved('PNG')[:33], chunk(b'IEND', b'')
    source = tmp_path / 'source.png'
    source.write_bytes(head + chunk(b'IDAT', bytes(8_000_000)) * 3 + end)

    tracemalloc.start()
    try:
        written = labelled(source)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert written.size_bytes > 24_000_000
    assert most < 1_000_000
