"""The prompt inside the file, and the database made again from the files alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

from tests.support.servers import command, running_easel
from tests.support.tools import path_of

SAME = ('id', 'generation_id', 'position', 'prompt', 'negative_prompt', 'provider', 'model')
ALSO_SAME = ('digest', 'seed', 'width', 'height', 'mime', 'created_at', 'url', 'asked_size')


def test_every_picture_comes_back_with_its_ids_from_the_files(
    upstream: str, tmp_path: Path
) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel, easel.client() as client:
        easel.draw(prompt='one: a fox', size='64x48', seed='7', negative_prompt='rain')
        easel.draw(prompt='lost', model='fail-500')
        easel.draw(prompt='два: гавань', size='32x32', n='3')
        before = client.get('/gallery.json').json()['images']

    done = command('rebuild', '--data', str(data))
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel, easel.client() as client:
        after = client.get('/gallery.json').json()['images']
        found = client.get('/gallery.json?q=гаван').json()['images']
        easel.draw(prompt='new', size='16x16')
        newest = client.get('/gallery.json').json()['images'][0]

    assert done.returncode == 0, done.stderr
    assert '4 pictures' in done.stdout
    assert 'backup' in done.stdout
    assert [[one[name] for name in (*SAME, *ALSO_SAME)] for one in after] == [
        [one[name] for name in (*SAME, *ALSO_SAME)] for one in before
    ]
    assert len(found) == 3
    assert newest['id'] > before[0]['id']


def test_rebuild_keeps_the_old_database_and_leaves_strangers_alone(
    upstream: str, tmp_path: Path
) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel:
        easel.draw(prompt='ours', size='32x32')
    stranger = data / 'images' / 'holiday.png'
    Image.new('RGB', (8, 8)).save(stranger)
    (data / 'images' / 'notes.txt').write_text('not a picture')

    done = command('rebuild', '--data', str(data))

    assert '1 pictures' in done.stdout
    assert '2 files' in done.stdout
    assert stranger.exists()
    assert list((data / 'before-rebuild-1').iterdir())


def test_rebuild_waits_for_no_running_easel(upstream: str, tmp_path: Path) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}):
        refused = command('rebuild', '--data', str(tmp_path / 'data'))

    assert refused.returncode == 1
    assert 'stop that Easel first' in refused.stderr


def test_a_kept_picture_tells_other_tools_its_prompt(upstream: str, tmp_path: Path) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel:
        easel.draw(prompt='told to all', size='32x32', seed='11', steps='12', guidance='6.5')
    (path,) = (data / 'images').rglob('*.png')

    with Image.open(path) as picture:
        parameters = picture.info['parameters']
        xmp = picture.info['xmp'].decode()

    assert parameters.startswith('told to all\n')
    assert 'Steps: 12' in parameters
    assert 'CFG scale: 6.5, Seed: 11' in parameters
    assert 'trainedAlgorithmicMedia' in xmp


def test_exiftool_reads_a_kept_picture(upstream: str, tmp_path: Path) -> None:
    exiftool = path_of('exiftool')
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel:
        easel.draw(prompt='for exiftool', size='32x32')
    (path,) = (data / 'images').rglob('*.png')

    told = subprocess.run(
        [exiftool, '-Description', '-DigitalSourceType', '-Parameters', str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert 'for exiftool' in told
    assert 'trainedAlgorithmicMedia' in told
