"""When a picture was made, by what its file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.storage.metadata.dates import when_made
from app.storage.metadata.foreign.origin import imported_from, program_of
from tests.support.labelled_pictures import saved

ORIGINAL, ZONE, CHANGED = 0x9003, 0x9011, 0x0132
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="{date}"/></rdf:RDF></x:xmpmeta>'
)


def exif(inner: dict[int, str], **outer: str) -> Image.Exif:
    found = Image.Exif()
    if inner:
        found.update({0x8769: inner})
    if outer:
        found[CHANGED] = outer['changed']
    return found


@pytest.mark.parametrize(
    ('how', 'told'),
    [
        ({'exif': exif({ORIGINAL: '2019:05:04 10:11:12'})}, '2019-05-04T10:11:12'),
        (
            {'exif': exif({ORIGINAL: '2019:05:04 10:11:12', ZONE: '+02:00'})},
            '2019-05-04T10:11:12+02:00',
        ),
        ({'exif': exif({}, changed='2020:01:02 03:04:05')}, '2020-01-02T03:04:05'),
        ({'xmp': XMP.format(date='2021-02-03T04:05:06Z').encode()}, '2021-02-03T04:05:06+00:00'),
        (
            {
                'exif': exif({ORIGINAL: '0000:00:00 00:00:00'}, changed='2020:01:02 03:04:05'),
                'xmp': XMP.format(date='yesterday').encode(),
            },
            '2020-01-02T03:04:05',
        ),
        ({'exif': exif({ORIGINAL: '2019:13:45 10:11:12'})}, None),
        ({}, None),
    ],
    ids=['camera', 'with its zone', 'change', 'XMP', 'what is no date', 'no such day', 'nothing'],
)
def test_the_first_date_that_is_one_counts(
    how: dict[str, object], told: str | None, tmp_path: Path
) -> None:
    (tmp_path / 'a.jpg').write_bytes(saved('JPEG', 'RGB', **how))

    found = when_made(str(tmp_path / 'a.jpg'), 'JPEG')

    assert found == ({'made_at': told} if told else {})


def test_a_file_that_is_no_picture_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / 'a.jpg').write_bytes(b'dear reader')

    assert when_made(str(tmp_path / 'a.jpg'), 'JPEG') == {}


@pytest.mark.parametrize(
    ('program', 'provider', 'known'),
    [
        ('ComfyUI', 'imported from ComfyUI', 'ComfyUI'),
        ('JSON', 'imported', ''),
        ('', 'imported', ''),
    ],
)
def test_a_picture_names_the_program_that_it_came_from(
    program: str, provider: str, known: str
) -> None:
    assert imported_from(program) == provider
    assert program_of(provider) == known
    assert program_of('localhost:1337') is None
