"""A label inside a picture: the pixels stay, and every kind of reader finds it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image
from sd_parsers import ParserManager

from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.label import Label, parameters_text
from tests.support.labelled_pictures import (
    ARTIST,
    BARE,
    EXIF_DIRECTORY,
    LABEL,
    ORIENTATION,
    PICTURES,
    TAKEN,
    frames_of,
    labelled,
    read,
    source_of,
    with_prompt,
)
from tests.support.tools import path_of

INSIDE = [name for name in PICTURES if 'GIF' not in name and 'AVIF' not in name]
WITH_EXIF = [name for name in PICTURES if 'EXIF' in name or 'progressive' in name]
HARMLESS = ('Missing required JPEG', 'Wrong byte order for EXIF UserComment')
SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/'


def exiftools(files: list[Path]) -> list[dict[str, object]]:
    how = ['-j', '-G1', '-struct', '-validate', '-warning', '-error', '-a', '-all']
    asked = [path_of('exiftool'), *how, *map(str, files)]
    told = subprocess.run(asked, capture_output=True, check=True, timeout=30)
    found: list[dict[str, object]] = json.loads(told.stdout)
    return found


def exiftool(path: Path) -> dict[str, object]:
    (found,) = exiftools([path])
    return found


def known(label: Label) -> dict[str, object]:
    return {name: value for name, value in asdict(label).items() if value is not None}


@pytest.mark.parametrize('name', PICTURES)
def test_the_pixels_stay_and_the_label_comes_back(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)

    written = labelled(source)

    content = written.path.read_bytes()
    assert frames_of(written.path) == frames_of(source)
    assert read(written.path) == {**known(LABEL), 'generator': 'Easel', 'size': '64x48'}
    assert (written.size_bytes, written.digest) == (len(content), sha256(content).hexdigest())
    assert list(tmp_path.glob('*.part')) == []


@pytest.mark.parametrize('name', PICTURES)
def test_what_is_not_known_is_not_said(name: str, tmp_path: Path) -> None:
    written = labelled(source_of(name, tmp_path), BARE)

    found = read(written.path)

    assert found == {**known(BARE), 'generator': 'Easel', 'size': '64x48'}
    assert b'None' not in written.path.read_bytes()


@pytest.mark.parametrize('name', ['GIF', 'animated GIF', 'AVIF'])
def test_a_format_that_takes_no_label_gets_one_beside(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)

    written = labelled(source)

    assert written.path.read_bytes() == source.read_bytes()
    assert written.sidecar == sidecar_of(written.path)
    assert written.sidecar.name == f'labelled{source.suffix}.xmp'


@pytest.fixture(scope='module')
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Written, dict[str, object]]]:
    """Label every picture; what was written of each, and what exiftool says of it."""
    written = [labelled(source_of(name, tmp_path_factory.mktemp('picture'))) for name in PICTURES]
    found = exiftools([one.sidecar or one.path for one in written])
    return dict(zip(PICTURES, zip(written, found, strict=True), strict=True))


@pytest.mark.parametrize('name', PICTURES)
def test_exiftool_reads_the_label(
    name: str, told: dict[str, tuple[Written, dict[str, object]]]
) -> None:
    written, found = told[name]

    assert found['XMP-dc:Description'] == LABEL.prompt
    assert found['XMP-xmp:CreatorTool'] == 'Easel'
    assert found['XMP-xmp:CreateDate'] == '2026:11:18 11:06:40.250Z'
    assert found['XMP-iptcExt:DigitalSourceType'] == f'{SOURCE_TYPE}trainedAlgorithmicMedia'
    assert found['XMP-easel:Generation_id'] == 17
    assert found['XMP-easel:Sources'] == LABEL.sources
    assert found['XMP-easel:Changed_outside_mask'] == 0.125
    if written.sidecar is None:
        own = found.get('PNG:Parameters') or found.get('ExifIFD:UserComment')
        assert str(own).replace('.Neg', '\nNeg').endswith(parameters_text(LABEL)[-60:])
    warnings = str(found.get('ExifTool:Warning', ''))
    assert warnings == '' or warnings.startswith(HARMLESS)


def test_a_sketch_of_the_demo_is_not_called_a_models_work(tmp_path: Path) -> None:
    source = source_of('PNG', tmp_path)

    found = exiftool(labelled(source, replace(LABEL, provider='demo', model='sketch')).path)

    assert found['XMP-iptcExt:DigitalSourceType'] == f'{SOURCE_TYPE}algorithmicMedia'
    assert 'XMP-iptcExt:AISystemUsed' not in found


@pytest.mark.parametrize('name', INSIDE)
def test_the_library_that_others_use_reads_the_settings(name: str, tmp_path: Path) -> None:
    label = with_prompt('лиса\nin two lines, (red:1.2)', 'размыто')
    written = labelled(source_of(name, tmp_path), label)

    info = ParserManager().parse(written.path)

    assert info
    (sampler,) = info.samplers
    assert (info.full_prompt, info.full_negative_prompt) == (label.prompt, label.negative_prompt)
    assert (sampler.name, str(sampler.model)) == ('Euler a', 'flux')
    assert sampler.parameters == {'cfg_scale': '7.5', 'seed': '1234567890123', 'steps': '28'}
    assert info.metadata['Size'] == '64x48'


@pytest.mark.parametrize('name', WITH_EXIF)
def test_the_tags_that_were_there_stay(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)

    written = labelled(source)

    with Image.open(source) as before, Image.open(written.path) as after:
        old, new = before.getexif(), after.getexif()
        assert (new[ORIENTATION], new[ARTIST]) == (6, 'Somebody')
        assert new.get_ifd(EXIF_DIRECTORY)[TAKEN] == '2026:11:18 11:06:40'
        assert new.endian == old.endian


@pytest.mark.parametrize('name', PICTURES)
def test_a_second_label_replaces_the_first(name: str, tmp_path: Path) -> None:
    first = labelled(source_of(name, tmp_path))
    again = first.path.with_stem('source')
    first.path.replace(again)

    second = labelled(again, with_prompt('a blue owl', 'another'))

    once = labelled(source_of(name, tmp_path), with_prompt('a blue owl', 'another'))
    assert read(second.path)['prompt'] == 'a blue owl'
    for encoding in ('utf-8', 'utf-16-be'):
        assert LABEL.prompt.encode(encoding) not in second.path.read_bytes()
    assert second.size_bytes <= once.size_bytes + 2


@pytest.mark.parametrize(
    ('label', 'text'),
    [
        (BARE, 'a fox\nProvider: p, Version: Easel {version}'),
        (
            LABEL,
            'a red fox, at night\nNegative prompt: blurry, text\n'
            'Steps: 28, Sampler: Euler a, CFG scale: 7.5, Seed: 1234567890123, Size: 64x48, '
            'Model: flux, Denoising strength: 0.6, Version: Easel {version}',
        ),
        (
            replace(BARE, model='qwen:7b, "q4"', guidance=4.0, seed=0),
            'a fox\nCFG scale: 4, Seed: 0, Model: "qwen:7b, \\"q4\\"", Version: Easel {version}',
        ),
        (
            replace(BARE, prompt='a\0b\ud800c'),
            'a\ufffdb\ufffdc\nProvider: p, Version: Easel {version}',
        ),
    ],
    ids=['bare', 'full', 'quoted', 'what no file can hold'],
)
def test_the_parameters_say_only_what_is_known(label: Label, text: str) -> None:
    assert parameters_text(label) == text.format(version=label.version)
