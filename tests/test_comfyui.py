"""Graphs of ComfyUI: what the sampler names is read, and what cannot be told stays away."""

from __future__ import annotations

import json

import pytest

from app.storage.metadata.foreign.comfyui import from_graph
from app.storage.metadata.read import read_settings
from tests.support.comfy_graphs import CLIP, GRAPHS, KSAMPLER, RIGHT, TEXTS, Graph
from tests.support.servers import ROOT


def told(graph: Graph, **sampler: object) -> dict[str, object]:
    """Read a graph with the texts above and a sampler with these inputs."""
    return read(TEXTS | {'s': ('KSampler', KSAMPLER | sampler)} | graph)


def read(graph: Graph) -> dict[str, object]:
    nodes = {name: {'class_type': kind, 'inputs': inputs} for name, (kind, inputs) in graph.items()}
    pairs = from_graph(json.dumps(nodes))
    return {name: value for name, value in pairs if value not in (None, '')}


def prompts(found: dict[str, object]) -> tuple[object, object, object]:
    return found.get('prompt'), found.get('negative_prompt'), found.get('untold')


@pytest.mark.parametrize('name', GRAPHS)
def test_texts_are_followed_by_the_inputs_that_the_sampler_names(name: str) -> None:
    graph, sampler, right = GRAPHS[name]

    assert prompts(told(graph, **sampler)) == right


FLUX: Graph = {
    'e': ('CLIPTextEncodeFlux', {'clip_l': 'a cat', 't5xxl': 'a cat', 'guidance': 2, **CLIP}),
    'g': ('FluxGuidance', {'conditioning': ['e', 0], 'guidance': 3.5}),
    'b': ('BasicGuider', {'model': ['u', 0], 'conditioning': ['g', 0]}),
    'u': ('LoraLoaderModelOnly', {'model': ['v', 0], 'lora_name': 'l'}),
    'v': ('UNETLoader', {'unet_name': 'flux1-dev'}),
    'n': ('RandomNoise', {'noise_seed': ['i', 0]}),
    'i': ('PrimitiveInt', {'value': (1 << 64) - 1}),
    'k': ('KSamplerSelect', {'sampler_name': 'euler'}),
    'w': ('SplitSigmas', {'sigmas': ['t', 0], 'step': 3}),
    't': ('BasicScheduler', {'steps': 24, 'scheduler': 'simple'}),
    's': ('SamplerCustomAdvanced', {'noise': ['n', 0], 'guider': ['b', 0], 'sampler': ['k', 0],
                                    'sigmas': ['w', 0], 'latent_image': ['l', 0]}),
}  # fmt: skip


def test_the_parts_of_a_custom_sampler_are_read_from_its_inputs() -> None:
    found = read(TEXTS | FLUX)

    assert found == {
        'prompt': 'a cat',
        'seed': (1 << 64) - 1,
        'steps': 24,
        'guidance': 3.5,
        'sampler': 'euler',
        'model': 'flux1-dev',
    }


def test_a_guider_with_two_sides_has_both() -> None:
    guider: dict[str, object] = {'positive': ['cat', 0], 'negative': ['fog', 0], 'cfg': 4}
    found = read(TEXTS | FLUX | {'b': ('CFGGuider', guider | {'model': ['m', 0]})})

    assert prompts(found) == RIGHT
    assert (found['guidance'], found['model']) == (4, 'm.safetensors')


def test_the_first_of_two_samplers_counts() -> None:
    later = KSAMPLER | {'seed': 8, 'positive': ['fog', 0], 'latent_image': ['up', 0]}
    found = told({'a': ('KSampler', later), 'up': ('LatentUpscale', {'samples': ['s', 0]})})

    assert (*prompts(found), found['seed']) == (*RIGHT, 7)


def test_of_two_pictures_in_one_graph_only_what_is_alike_is_told() -> None:
    other = KSAMPLER | {'seed': 8, 'positive': ['fog', 0]}
    found = told({'a': ('KSampler', other)})

    assert prompts(found) == (None, 'blurry', 'prompt')
    assert (found['steps'], found.get('seed')) == (20, None)


def test_a_sampler_whose_picture_is_not_saved_is_no_other_picture() -> None:
    other = KSAMPLER | {'seed': 8, 'positive': ['fog', 0]}
    ends: Graph = {
        'd': ('VAEDecode', {'samples': ['s', 0]}),
        'e': ('SaveImage', {'images': ['d', 0]}),
        'v': ('PreviewImage', {'images': ['a', 0]}),
    }

    found = told(ends | {'a': ('KSampler', other), 'b': ('KSampler', other)})

    assert (*prompts(found), found['seed']) == (*RIGHT, 7)


def test_what_goes_through_a_pipe_is_read_from_its_loader() -> None:
    texts: dict[str, object] = {'positive': 'a white cat', 'negative': 'blurry'}
    found = read(
        {
            'l': ('Eff. Loader SDXL', {'base_ckpt_name': 'm.safetensors', **texts}),
            's': ('KSampler SDXL (Eff.)', {'sdxl_tuple': ['l', 0], 'noise_seed': 3, 'steps': 20}),
        }
    )

    assert (*prompts(found), found['model']) == (*RIGHT, 'm.safetensors')


def test_embeds_are_followed_to_their_texts() -> None:
    sampler: dict[str, object] = {'text_embeds': ['x', 0], 'seed': 3, 'steps': 20}
    bridge: Graph = {
        's': ('WanVideoSampler', sampler),
        'x': ('WanVideoTextEmbedBridge', {'positive': ['cat', 0], 'negative': ['fog', 0]}),
    }
    odd: Graph = {'s': ('WanVideoSampler', sampler), 'x': ('Odd', {'a': ['cat', 0]})}

    assert prompts(read(TEXTS | bridge)) == RIGHT
    assert prompts(read(TEXTS | odd)) == (None, None, 'prompt')


def test_a_choice_is_followed_to_its_node() -> None:
    found = told({'k': ('Sampler Selector', {'sampler_name': 'heun'})}, sampler_name=['k', 0])

    assert found['sampler'] == 'heun'


def test_a_service_that_draws_in_a_graph_is_read() -> None:
    service: dict[str, object] = {'prompt': ['p', 0], 'model': 'gemini-image', 'seed': 3}
    graph: Graph = {
        '1': ('GeminiImageNode', service),
        '2': ('SaveImage', {'images': ['1', 0]}),
        'p': ('PrimitiveStringMultiline', {'value': 'a white cat'}),
    }

    told_all = read(graph)
    untold = read(graph | {'p': ('OllamaGenerate', {'prompt': 'describe'})})

    assert told_all == {'prompt': 'a white cat', 'model': 'gemini-image', 'seed': 3}
    assert prompts(untold) == (None, None, 'prompt')


def test_two_texts_without_a_sampler_are_not_told_apart() -> None:
    assert prompts(read(TEXTS)) == (None, None, 'prompt')


def editor(kind: str, number: int, *values: object, **more: object) -> dict[str, object]:
    return {'id': number, 'type': kind, 'widgets_values': list(values), **more}


def socket(name: str, link: int, kind: str = 'CONDITIONING') -> dict[str, object]:
    return {'name': name, 'link': link, 'type': kind}


def test_the_editors_form_is_read_where_it_is_the_only_one() -> None:
    sockets = [socket('positive', 1), socket('negative', 2)]
    workflow = {
        'nodes': [
            editor('CLIPTextEncode', 2, 'blurry'),
            editor('KSampler', 3, 5, 'randomize', 20, 8, 'euler', 'normal', 1, inputs=sockets),
            editor('KSampler', 9, 6, 'fixed', 1, 1, 'x', 'y', 1, inputs=sockets, mode=2),
            editor(
                *('ControlNetApply', 4, 1),
                mode=4,
                inputs=[socket('image', 3, 'IMAGE'), socket('conditioning', 4)],
                outputs=[{'name': 'CONDITIONING', 'type': 'CONDITIONING'}],
            ),
            editor('GetNode', 6, 'words'),
            editor('SetNode', 7, 'words', inputs=[socket('CONDITIONING', 5)]),
            editor('CLIPTextEncode', 1, 'a white cat'),
        ],
        'links': [
            *([1, 4, 0, 3, 1, 'C'], [2, 2, 0, 3, 2, 'C'], [4, 6, 0, 4, 0, 'C']),
            [5, 1, 0, 7, 0, 'C'],
        ],
    }

    found = {name: value for name, value in from_graph('', json.dumps(workflow)) if value}

    assert prompts(found) == RIGHT
    assert (found['seed'], found['steps'], found['guidance']) == (5, 20, 8)


def test_values_of_the_editor_are_told_by_their_names_where_it_writes_them() -> None:
    widgets = [{'name': name, 'widget': {'name': name}} for name in ('noise_seed', 'steps', 'cfg')]
    workflow = {
        'nodes': [
            editor('OddSampler', 1, 5, 'fixed', 20, 8, inputs=[socket('positive', 1), *widgets]),
            editor('CLIPTextEncode', 2, 'a white cat'),
        ],
        'links': [[1, 2, 0, 1, 0, 'CONDITIONING']],
    }

    found = dict(from_graph('', json.dumps(workflow)))

    assert (found['prompt'], found['seed'], found['steps']) == ('a white cat', 5, 20)


@pytest.mark.parametrize('name', ['controlnet_advanced', 'sampler_custom_negative_first'])
def test_pictures_of_the_field_are_read_rightly(name: str) -> None:
    path = ROOT / 'tests' / 'data' / 'field' / f'comfy_{name}.png'

    assert prompts(dict(read_settings(str(path), 'PNG'))) == RIGHT
