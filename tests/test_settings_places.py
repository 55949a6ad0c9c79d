"""Settings in every place of a file, and in the JSON of many programs."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from PIL import Image

from app.storage.metadata.jpeg import segment
from app.storage.metadata.read import unread_places
from tests.support.labelled_pictures import read, saved
from tests.support.other_tools import A1111, COMFYUI, FROM_A1111, FROM_COMFYUI
from tests.test_metadata_reading import png_with, with_comment

XMP_OF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/">'
    '<{0}><rdf:Alt><rdf:li xml:lang="x-default">{1}</rdf:li></rdf:Alt></{0}>'
    '</rdf:Description></rdf:RDF></x:xmpmeta>'
)
DRAW_THINGS = {
    'c': 'a fox', 'uc': 'dogs', 'seed': (1 << 64) - 1, 'steps': 8, 'scale': 3.5,
    'sampler': 'Euler A', 'model': 'flux.ckpt', 'size': '64x48', 'strength': 1,
}  # fmt: skip
FROM_DRAW_THINGS = {
    'generator': 'Draw Things', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'steps': 8,
    'seed': (1 << 64) - 1, 'guidance': 3.5, 'sampler': 'Euler A', 'model': 'flux.ckpt',
    'size': '64x48',
}  # fmt: skip
SWARM = {'sui_image_params': {'prompt': 'a fox', 'negativeprompt': '', 'seed': 5, 'cfgscale': 4}}
FROM_SWARM = {
    'generator': 'SwarmUI', 'prompt': 'a fox', 'seed': 5, 'guidance': 4.0, 'size': '64x48',
}  # fmt: skip
EASY = {
    'prompt': 'a fox', 'negative_prompt': 'dogs', 'seed': '5', 'num_inference_steps': '25',
    'guidance_scale': '7.5', 'sampler_name': 'euler', 'width': '64', 'height': '48',
    'use_stable_diffusion_model': 'sd15',
}  # fmt: skip
FROM_EASY = {
    'generator': 'Easy Diffusion', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'seed': 5,
    'steps': 25, 'guidance': 7.5, 'sampler': 'euler', 'model': 'sd15', 'size': '64x48',
}  # fmt: skip
JSON_TEXT = {
    'prompt': 'a fox', 'negativePrompt': 'dogs', 'cfgScale': 5, 'samplerName': 'x', 'steps': 9,
    'seed': '-1', 'baseModel': {'name': 'sdxl'}, 'resolution': '(640, 480)',
}  # fmt: skip
FROM_JSON_TEXT = {
    'generator': 'JSON', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'guidance': 5.0,
    'sampler': 'x', 'steps': 9, 'model': 'sdxl', 'size': '640x480',
}  # fmt: skip
MIDJOURNEY = (
    'a fox - in snow --ar 3:2 --seed 77 --v 6.1 Job ID: 01234567-89ab-cdef-0123-456789abcdef'
)
FROM_MIDJOURNEY = {
    'generator': 'Midjourney', 'prompt': 'a fox - in snow', 'seed': 77, 'size': '64x48',
}  # fmt: skip


OF_DRAW_THINGS = (
    'a fox\n-dogs\nSteps: 8, Sampler: Euler A, Guidance Scale: 3.5, Seed: 18446744073709551615, '
    'Size: 64x48, Model: flux.ckpt, Strength: 1.0'
)
MOCHI = (
    'Include in Image: a fox; red; Exclude from Image: dogs; Model: sd15; Steps: 8; '
    'Guidance Scale: 7.5; Seed: 5; Size: 64x48; Scheduler: DPM++; ML Compute Unit: CPU; '
    'Generator: Mochi Diffusion 5.0'
)
FROM_MOCHI = {
    'generator': 'Mochi Diffusion', 'prompt': 'a fox; red', 'negative_prompt': 'dogs', 'seed': 5,
    'steps': 8, 'guidance': 7.5, 'sampler': 'DPM++', 'model': 'sd15', 'size': '64x48',
}  # fmt: skip
# What CivitAI's own generator writes: a graph with other values beside its nodes.
CIVITAI = COMFYUI | {'extra': {'airs': []}, 'extraMetadata': json.dumps({'prompt': 'a bottle'})}
NESTED = {'Software': 'NovelAI', 'Comment': json.dumps({'prompt': 'a fox', 'uc': 'dogs', 'seed': 5,
                                                        'signed_hash': 'x'})}  # fmt: skip
RUINED = {'Prompt': 'a fox', 'Negative': 'dogs', 'base_model_name': 'jx', 'seed': 5}
OLD_A1111 = 'a fox\r\nSteps: 8, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x48, Model: "a, b"'


def exif_with(tag: int, value: bytes | str) -> bytes:
    tags = Image.Exif()
    tags[tag] = value
    return tags.tobytes()


PLACES: dict[str, tuple[str, dict[str, object], dict[str, object]]] = {
    'XMP': ('PNG', {'xmp': XMP_OF.format('exif:UserComment', json.dumps(DRAW_THINGS))},
            FROM_DRAW_THINGS),
    'XMP of a JPEG': ('JPEG', {'xmp': XMP_OF.format('dc:description', A1111.replace('<', '&lt;'))},
                      FROM_A1111),
    'ImageDescription': ('JPEG', {'exif': exif_with(0x010E, A1111)}, FROM_A1111),
    'XPComment': ('JPEG', {'exif': exif_with(0x9C9C, A1111.encode('utf-16-le'))}, FROM_A1111),
    'a comment of a JPEG': ('JPEG', {'comment': json.dumps(SWARM).encode()}, FROM_SWARM),
    'a comment of a GIF': ('GIF', {'comment': json.dumps(SWARM).encode()}, FROM_SWARM),
    'a description of Draw Things': (
        'PNG', {'xmp': XMP_OF.format('dc:description', OF_DRAW_THINGS)},
        FROM_DRAW_THINGS | {'generator': 'AUTOMATIC1111'},
    ),
    'all of Draw Things': (
        'PNG',
        {'xmp': XMP_OF.format('dc:description', OF_DRAW_THINGS).replace(
            '<rdf:Description',
            f"<rdf:Description exif:UserComment='{json.dumps(DRAW_THINGS)}'")},
        FROM_DRAW_THINGS,
    ),
    'a description of Mochi Diffusion': (
        'JPEG', {'xmp': XMP_OF.format('dc:description', MOCHI)}, FROM_MOCHI,
    ),
    'a graph in a comment': ('JPEG', {'comment': json.dumps(CIVITAI).encode()}, FROM_COMFYUI),
    'a graph beside the editor': (
        'JPEG', {'comment': json.dumps({'prompt': COMFYUI, 'workflow': {}}).encode()}, FROM_COMFYUI,
    ),
    'JSON in JSON': (
        'JPEG', {'comment': json.dumps(NESTED).encode()},
        {'generator': 'NovelAI', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'seed': 5,
         'size': '64x48'},
    ),
    'EXIF of a PNG': ('PNG', {'exif': exif_with(0x010E, json.dumps(SWARM))}, FROM_SWARM),
}  # fmt: skip
PROGRAMS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    'Easy Diffusion': (EASY, FROM_EASY),
    'JSON by other names': ({'generation_data': json.dumps(JSON_TEXT)}, FROM_JSON_TEXT),
    'Midjourney': ({'Description': MIDJOURNEY}, FROM_MIDJOURNEY),
    'RuinedFooocus': (
        {'parameters': json.dumps(RUINED)},
        {'generator': 'RuinedFooocus', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'seed': 5,
         'model': 'jx', 'size': '64x48'},
    ),
    'no prompt, of a program that is known': (
        {'invokeai_metadata': json.dumps({'generation_mode': 'upscale', 'seed': 5})},
        {'generator': 'InvokeAI', 'seed': 5, 'size': '64x48'},
    ),
    'a model with a comma': (
        {'parameters': OLD_A1111},
        {'generator': 'AUTOMATIC1111', 'prompt': 'a fox', 'seed': 5, 'steps': 8, 'guidance': 7.0,
         'sampler': 'Euler', 'model': 'a, b', 'size': '64x48'},
    ),
    'lines of Fooocus': (
        {'parameters': 'a fox\nSteps: 8, Sampler: Euler, Seed: 5, Size: 64x48, Base model: jx'},
        {'generator': 'AUTOMATIC1111', 'prompt': 'a fox', 'seed': 5, 'steps': 8,
         'sampler': 'Euler', 'model': 'jx', 'size': '64x48'},
    ),
    'titles of Easy Diffusion': (
        {'Prompt': 'a fox', 'Seed': '5', 'Stable Diffusion model': 'sd15'},
        {'generator': 'Easy Diffusion', 'prompt': 'a fox', 'seed': 5, 'model': 'sd15',
         'size': '64x48'},
    ),
    'JSON of Fooocus without a hash': (
        {'parameters': json.dumps({**SWARM['sui_image_params'], 'sharpness': 2})},
        FROM_SWARM | {'generator': 'Fooocus'},
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', PLACES)
def test_settings_are_read_wherever_they_are(name: str, tmp_path: Path) -> None:
    form, how, expected = PLACES[name]
    path = tmp_path / {'PNG': 'a.png', 'JPEG': 'a.jpg', 'GIF': 'a.gif'}[form]
    if form == 'PNG' and 'xmp' in how:
        png_with({'XML:com.adobe.xmp': str(how['xmp'])}, path)
    elif 'xmp' in how:
        path.write_bytes(saved(form, xmp=str(how['xmp']).encode()))
    else:
        path.write_bytes(saved(form, 'RGB', **how))

    assert read(path) == expected


@pytest.mark.parametrize('name', PROGRAMS)
def test_what_programs_write_is_read_by_the_names_in_it(name: str, tmp_path: Path) -> None:
    texts, expected = PROGRAMS[name]

    assert read(png_with(texts, tmp_path / 'other.png')) == expected


@pytest.mark.parametrize(
    'comment',
    [
        b'JIS\0\0\0\0\0' + '狐と雪\nSteps: 5, Seed: 7'.encode('iso2022_jp'),
        b'JIS\0\0\0\0\0' + '狐と雪\nSteps: 5, Seed: 7'.encode('shift_jis'),
        b'UNICODE\0' + '狐と雪\nSteps: 5, Seed: 7'.encode('utf-16-be'),
        '狐と雪\nSteps: 5, Seed: 7'.encode(),
    ],
    ids=['JIS', 'Shift JIS', 'UTF-16', 'no mark'],
)
async def test_a_comment_in_japanese_is_read_by_its_mark(comment: bytes, tmp_path: Path) -> None:
    (tmp_path / 'a.jpg').write_bytes(with_comment('JPEG', comment))

    found = read(tmp_path / 'a.jpg')

    assert (found['prompt'], found['seed']) == ('狐と雪', 7)


def test_what_is_there_and_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / 'a.jpg').write_bytes(saved('JPEG', exif=exif_with(0x010E, 'a fox'), comment=b'odd'))
    credentials = segment(b'JP\0\1' + b'c2pa').replace(b'\xff\xe1', b'\xff\xeb')
    plain = saved('JPEG')
    (tmp_path / 'b.jpg').write_bytes(plain[:2] + credentials + plain[2:])
    png_with({'Software': 'GIMP', 'workflow': '{}', 'Comment': 'odd'}, tmp_path / 'c.png')

    named = [
        unread_places(str(tmp_path / name), form)
        for name, form in (('a.jpg', 'JPEG'), ('b.jpg', 'JPEG'), ('c.png', 'PNG'), ('d', 'PNG'))
    ]

    assert named == ['comment, EXIF ImageDescription', 'C2PA', 'workflow, Comment', '']


def test_texts_beside_exif_that_is_damaged_are_read(tmp_path: Path) -> None:
    plain = png_with({'parameters': A1111}, tmp_path / 'a.png').read_bytes()
    block = b'no EXIF at all'
    chunk = b'eXIf' + block
    chunk = len(block).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
    (tmp_path / 'a.png').write_bytes(plain[:33] + chunk + plain[33:])

    assert read(tmp_path / 'a.png') == FROM_A1111
