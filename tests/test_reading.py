"""A picture's settings back into the form: Easel's own, other tools', and none."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.support.servers import ROOT, Easel

JSON = {'Accept': 'application/json'}
A1111 = (
    'a red fox\nNegative prompt: blurry\n'
    'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x768, Model: dreamshaper'
)


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


def png(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    file = io.BytesIO()
    Image.new('RGB', (16, 16)).save(file, 'PNG', pnginfo=info)
    return file.getvalue()


def read(client: httpx.Client, content: bytes) -> dict[str, str]:
    answer = client.post('/reading', files={'picture': ('a.png', content)}, headers=JSON)
    assert answer.status_code == 200, answer.text
    fields: dict[str, str] = answer.json()['fields']
    return fields


def test_our_own_picture_brings_its_settings_back(easel: Easel, client: httpx.Client) -> None:
    generation = easel.draw(
        prompt='кот,\nна крыше', size='64x48', seed='5', negative_prompt='дождь'
    )
    images = generation['images']
    assert isinstance(images, list)

    fields = read(client, client.get(images[0]['url']).content)

    assert fields['prompt'] == 'кот,\nна крыше'
    assert (fields['seed'], fields['size_other']) == ('5', '64x48')
    assert fields['negative_prompt'] == 'дождь'


def test_another_tools_picture_fills_the_form_too(client: httpx.Client) -> None:
    fields = read(client, png(parameters=A1111))

    assert fields['prompt'] == 'a red fox'
    assert (fields['seed'], fields['model']) == ('42', 'dreamshaper')
    assert fields['size_other'] == '512x768'
    assert (fields['steps'], fields['sampler'], fields['guidance']) == ('20', 'Euler a', '7')


@pytest.mark.parametrize('content', [png(), b'', b'not a picture', png()[:60], b'GIF89a'])
def test_a_file_without_settings_says_so(client: httpx.Client, content: bytes) -> None:
    answer = client.post('/reading', files={'picture': ('a.png', content)}, headers=JSON)

    assert answer.status_code == 200
    assert answer.json()['fields'] == {}
    assert 'No prompt or settings' in answer.json()['message']


def test_without_scripts_the_page_comes_back_filled(easel: Easel, client: httpx.Client) -> None:
    page = client.post('/reading', files={'picture': ('a.png', png(parameters=A1111))}).text

    assert 'a red fox</textarea>' in page
    assert 'value="512x768"' in page
    assert not list((easel.data / 'arriving').iterdir())


def test_only_this_address_takes_a_large_body(client: httpx.Client) -> None:
    large = {'picture': ('a.png', png() + b'\0' * 2_000_000)}

    taken = client.post('/reading', files=large, headers=JSON)
    refused = client.post('/settings', files=large)

    assert (taken.status_code, refused.status_code) == (200, 413)


def test_a_form_without_a_picture_is_refused_in_words(client: httpx.Client) -> None:
    answer = client.post('/reading', files={'picture': (None, 'text')}, headers=JSON)

    assert answer.status_code == 422
    assert 'Choose a picture' in answer.json()['error']['message']


def test_a_seed_of_64_bits_goes_through_form_gallery_and_label(
    easel: Easel, client: httpx.Client
) -> None:
    name = 'comfy_seed_9223372036854775813.png'

    fields = read(client, (ROOT / 'tests' / 'data' / 'field' / name).read_bytes())
    generation = easel.draw(**fields | {'size_other': '64x48', 'model': ''})

    images = generation['images']
    assert isinstance(images, list)
    again = read(client, client.get(images[0]['url']).content)
    seeds = (fields['seed'], str(generation['seed']), str(images[0]['seed']), again['seed'])
    assert set(seeds) == {'9223372036854775813'}


@pytest.mark.parametrize(
    ('texts', 'message'),
    [
        ({'workflow': '{"odd": 1}'}, "text that Easel doesn't understand: workflow."),
        (
            {
                'prompt': '{"1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0], '
                '"seed": 5}}, "2": {"class_type": "Odd", "inputs": {}}}'
            },
            "(ComfyUI). Its workflow doesn't show the prompt.",
        ),
    ],
)
def test_what_is_there_and_not_understood_is_said(
    texts: dict[str, str], message: str, client: httpx.Client
) -> None:
    answer = client.post('/reading', files={'picture': ('a.png', png(**texts))}, headers=JSON)

    assert answer.json()['message'].endswith(message)
    assert 'prompt' not in answer.json()['fields']
