"""Reading settings: our own exactly, other tools' as far as they said them, hostile ones not."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

import app
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.jpeg import EXTENDED_XMP, XMP, segment
from app.storage.metadata.label import LONG_TEXTS, xmp_packet
from app.storage.metadata.other_tools import MOST_CHARACTERS
from app.storage.metadata.read import easel_settings, read_settings
from tests.support.labelled_pictures import (
    EXIF_DIRECTORY,
    LABEL,
    USER_COMMENT,
    labelled,
    read,
    saved,
    source_of,
    with_prompt,
)
from tests.support.other_tools import A1111, COMFYUI, FROM_A1111, FROM_COMFYUI, HOSTILE, OTHERS

# Two halves of a pair side by side are one character to JSON, from which every prompt comes.
ANY_TEXT = st.text(st.characters()).map(lambda text: str(json.loads(json.dumps(text))))


def png_with(texts: dict[str, str], path: Path) -> Path:
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    path.write_bytes(saved('PNG', pnginfo=info))
    return path


def with_comment(form: str, comment: bytes) -> bytes:
    tags = Image.Exif()
    tags.get_ifd(EXIF_DIRECTORY)[USER_COMMENT] = comment
    return saved(form, exif=tags.tobytes())


@pytest.mark.parametrize('name', OTHERS)
def test_what_other_tools_wrote_is_read(name: str, tmp_path: Path) -> None:
    texts, expected = OTHERS[name]

    found = read(png_with(texts, tmp_path / 'other.png'))

    assert found == expected


@pytest.mark.parametrize(
    'comment',
    [
        b'UNICODE\0' + A1111.encode('utf-16-be'),
        b'UNICODE\0' + A1111.encode('utf-16-le'),
        b'UNICODE\0' + A1111.encode('utf-16'),
        b'ASCII\0\0\0' + A1111.encode(),
        bytes(8) + A1111.encode(),
    ],
    ids=['high byte first', 'low byte first', 'marked', 'ASCII', 'unnamed'],
)
@pytest.mark.parametrize(('form', 'extension'), [('JPEG', '.jpg'), ('WEBP', '.webp')])
def test_a_user_comment_is_read_however_it_is_written(
    form: str, extension: str, comment: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f'other{extension}'
    path.write_bytes(with_comment(form, comment))

    assert read(path) == FROM_A1111


def test_a_graph_in_the_exif_of_a_webp_is_read(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0110] = f'prompt:{json.dumps(COMFYUI)}'
    path = tmp_path / 'other.webp'
    path.write_bytes(saved('WEBP', exif=tags.tobytes()))

    assert read(path) == FROM_COMFYUI


def test_text_behind_the_pixels_of_a_png_is_read(tmp_path: Path) -> None:
    path = png_with({'parameters': A1111}, tmp_path / 'other.png')
    content = path.read_bytes()
    start = content.index(b'tEXt') - 4
    end = start + 12 + int.from_bytes(content[start : start + 4])
    path.write_bytes(content[:start] + content[end:-12] + content[start:end] + content[-12:])

    assert read(path) == FROM_A1111


def test_our_own_label_counts_more_than_the_text_beside_it(tmp_path: Path) -> None:
    source = png_with({'parameters': A1111, 'prompt': json.dumps(COMFYUI)}, tmp_path / 'a.png')

    found = read(labelled(source).path)

    assert (found['generator'], found['prompt']) == ('Easel', LABEL.prompt)


@settings(deadline=None)
@given(prompt=ANY_TEXT, negative=ANY_TEXT)
@example('a\nNegative prompt: b\nSteps: 3, Sampler: c', '\r\n\r \t ')
@example('<x:y>&amp;]]>\0\x0b\ufffe\uffff', '\ud800 \udfff')
@example('  spaces  ', '')
@example('\u2028\x85\ufeff狐🐈', '"\\u0041')
def test_any_prompt_comes_back_exactly(prompt: str, negative: str) -> None:
    label = replace(LABEL, prompt=prompt, negative_prompt=negative)

    found = easel_settings(xmp_packet(label))

    assert (found['prompt'], found['negative_prompt']) == (prompt, negative)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(prompt=st.text(max_size=200), name=st.sampled_from(['PNG', 'JPEG', 'lossy WebP', 'GIF']))
def test_any_prompt_comes_back_from_any_file(
    prompt: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = source_of(name, tmp_path_factory.mktemp('any'))

    found = read(labelled(source, with_prompt(prompt)).path)

    assert found['prompt'] == prompt


def test_properties_that_another_tool_made_attributes_are_read() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:easel="urn:easel:label/1.0/" easel:prompt="a &lt;fox&gt;" easel:seed="7" '
        b'easel:guidance="2.5"/></rdf:RDF></x:xmpmeta>'
    )

    assert easel_settings(packet) == {'prompt': 'a <fox>', 'seed': 7, 'guidance': 2.5}


@pytest.mark.parametrize(
    'packet',
    [
        b'',
        b'<',
        b'\xff\xfe<\0',
        b'[' * 100_000,
        b'<a>' * 100_000,
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        xmp_packet(LABEL)[:-200],
        xmp_packet(with_prompt('\0')).replace(b'{"prompt"', b'{{"prompt"')[:-90],
    ],
    ids=range(8),
)
def test_a_packet_that_is_none_says_nothing(packet: bytes) -> None:
    assert easel_settings(packet) == {}


def test_numbers_that_can_not_be_meant_are_left_out() -> None:
    packet = xmp_packet(LABEL)
    for old, new in {b'7.5': b'nan', b'>28<': b'>--5<', b'1234567890123': b'9' * 5_000}.items():
        packet = packet.replace(old, new)

    found = easel_settings(packet)

    assert found.keys().isdisjoint({'guidance', 'steps', 'seed'})


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_texts_say_nothing_and_raise_nothing(name: str, tmp_path: Path) -> None:
    assert read(png_with(HOSTILE[name], tmp_path / 'hostile.png')) == {}


def test_a_prompt_is_cut_at_its_cap(tmp_path: Path) -> None:
    texts = {'parameters': f'{"é" * 40_000}\nSteps: 1, Sampler: a, CFG scale: 1, Seed: 1'}

    found = read(png_with(texts, tmp_path / 'long.png'))

    assert found['prompt'] == 'é' * MOST_CHARACTERS
    assert len(str(easel_settings(xmp_packet(with_prompt('x' * 40_000)))['prompt'])) == 32_000


def test_a_picture_without_settings_has_none(tmp_path: Path) -> None:
    plain = tmp_path / 'plain.png'
    plain.write_bytes(saved('PNG', dpi=(72, 72)))
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'\x89PNG\r\n\x1a\n')

    assert (read(plain), read(broken), read(tmp_path / 'none.png')) == ({}, {}, {})


def test_texts_too_long_for_a_jpeg_are_beside_it(tmp_path: Path) -> None:
    label = with_prompt('狐' * 30_000)
    written = labelled(source_of('JPEG', tmp_path), label)

    assert written.sidecar == sidecar_of(written.path)
    assert b'trainedAlgorithmicMedia' in written.path.read_bytes()
    assert read(written.path) == read(labelled(source_of('PNG', tmp_path), label).path)


def test_a_jpeg_that_lost_the_label_beside_it_has_the_prompt_of_its_exif(tmp_path: Path) -> None:
    written = labelled(source_of('JPEG', tmp_path), with_prompt('狐' * 15_000))
    assert written.sidecar
    written.sidecar.unlink()

    found = read(written.path)

    assert (found['prompt'], found['generator']) == ('狐' * 15_000, 'Easel')
    assert found['generation_id'] == LABEL.generation_id


def test_long_texts_of_before_are_read_from_the_extended_part(tmp_path: Path) -> None:
    name = b'0123456789ABCDEF' * 2
    packet = xmp_packet(with_prompt('狐' * 30_000))
    extended = packet[packet.index(b'<x:xmpmeta') : packet.index(b'\n<?xpacket end')]
    note = b'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="%s"' % name
    standard = xmp_packet(LABEL, LONG_TEXTS).replace(b'rdf:about=""', b'rdf:about="" ' + note)
    segments = segment(XMP + standard)
    for start in range(0, len(extended), 65_400):
        place = name + struct.pack('>II', len(extended), start)
        segments += segment(EXTENDED_XMP + place + extended[start : start + 65_400])
    picture = tmp_path / 'old.jpg'
    plain = saved('JPEG')
    picture.write_bytes(plain[:2] + segments + plain[2:])

    assert read(picture)['prompt'] == '狐' * 30_000


def test_the_child_can_read_without_easels_server(tmp_path: Path) -> None:
    path = labelled(source_of('PNG', tmp_path)).path
    root = str(Path(app.__file__).parent.parent)
    program = (
        f'import sys, json; sys.path.append({root!r})\n'
        'from app.storage.metadata.read import read_settings\n'
        f'found = read_settings({str(path)!r}, "PNG")\n'
        'loaded = {name.partition(".")[0] for name in sys.modules} & {"fastapi", "httpx"}\n'
        'print(json.dumps([found["prompt"], sorted(loaded)]))'
    )

    told = subprocess.run(
        [sys.executable, '-P', '-c', program], env={}, capture_output=True, check=True, timeout=30
    )

    assert json.loads(told.stdout) == [LABEL.prompt, []]


def test_what_is_read_is_json(tmp_path: Path) -> None:
    found = read(labelled(source_of('JPEG', tmp_path)).path)

    assert json.load(io.StringIO(json.dumps(found))) == found
    assert read_settings(str(tmp_path / 'labelled.jpg'), 'PNG') == {}
