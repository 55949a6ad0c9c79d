"""Graphs of ComfyUI, and what they tell of their two texts."""

from __future__ import annotations

Graph = dict[str, tuple[str, dict[str, object]]]

TEXTS: Graph = {
    'cat': ('CLIPTextEncode', {'text': 'a white cat', 'clip': ['m', 1]}),
    'fog': ('CLIPTextEncode', {'text': 'blurry', 'clip': ['m', 1]}),
    'm': ('CheckpointLoaderSimple', {'ckpt_name': 'm.safetensors'}),
}
KSAMPLER: dict[str, object] = {
    'seed': 7,
    'steps': 20,
    'cfg': 8,
    'sampler_name': 'euler',
    'model': ['m', 0],
    'positive': ['cat', 0],
    'negative': ['fog', 0],
    'latent_image': ['l', 0],
}


BOTH: dict[str, object] = {'positive': ['cat', 0], 'negative': ['fog', 0], 'control_net': ['c', 0]}
CLIP: dict[str, object] = {'clip': ['m', 1]}
RIGHT = ('a white cat', 'blurry', None)
# Nodes beside the texts, what the sampler is linked to, and what is right.
GRAPHS: dict[str, tuple[Graph, dict[str, object], tuple[object, object, object]]] = {
    'two outputs': (
        {'x': ('ControlNetApplyAdvanced', BOTH)},
        {'positive': ['x', 0], 'negative': ['x', 1]},
        RIGHT,
    ),
    'two outputs, crossed': (
        {'x': ('ControlNetApplyAdvanced', BOTH)},
        {'positive': ['x', 1], 'negative': ['x', 0]},
        ('blurry', 'a white cat', None),
    ),
    'two of them': (
        {
            'x': ('ControlNetApplyAdvanced', BOTH),
            'y': ('InpaintModelConditioning', {'positive': ['x', 0], 'negative': ['x', 1]}),
        },
        {'positive': ['y', 0], 'negative': ['y', 1], 'latent_image': ['y', 2]},
        RIGHT,
    ),
    'outputs that begin later': (
        {'x': ('ApplyInstantID', BOTH)},
        {'positive': ['x', 1], 'negative': ['x', 2]},
        RIGHT,
    ),
    'a loader with both texts': (
        {'x': ('Efficient Loader', {'positive': 'a white cat', 'negative': 'blurry'})},
        {'positive': ['x', 1], 'negative': ['x', 2]},
        RIGHT,
    ),
    'nodes between': (
        {
            'x': ('FluxGuidance', {'conditioning': ['cat', 0], 'guidance': 3.5}),
            'y': ('ConditioningSetTimestepRange', {'conditioning': ['x', 0], 'start': 0}),
            'r': ('Reroute', {'': ['y', 0]}),
            'z': ('ControlNetApply', {'conditioning': ['r', 0], 'control_net': ['c', 0]}),
        },
        {'positive': ['z', 0]},
        RIGHT,
    ),
    'a combination': (
        {
            'dog': ('CLIPTextEncode', {'text': 'a dog', **CLIP}),
            'x': ('ConditioningCombine', {'conditioning_1': ['cat', 0],
                                          'conditioning_2': ['y', 0]}),
            'y': ('ConditioningConcat', {'conditioning_to': ['dog', 0],
                                         'conditioning_from': ['cat', 0]}),
        },
        {'positive': ['x', 0]},
        ('a white cat, a dog', 'blurry', None),
    ),
    'nothing for the negative': (
        {'x': ('ConditioningZeroOut', {'conditioning': ['cat', 0]})},
        {'negative': ['x', 0]},
        ('a white cat', None, None),
    ),
    'a text from another node': (
        {
            'x': ('CLIPTextEncode', {'text': ['y', 0], **CLIP}),
            'y': ('PrimitiveStringMultiline', {'value': 'a text'}),
        },
        {'positive': ['x', 0]},
        ('a text', 'blurry', None),
    ),
    'texts joined': (
        {
            'x': ('CLIPTextEncode', {'text': ['j', 0], **CLIP}),
            'j': ('StringConcatenate', {'string_a': ['y', 0], 'string_b': 'red', 'delimiter': ' '}),
            'y': ('PrimitiveString', {'value': 'a fox,'}),
        },
        {'positive': ['x', 0]},
        ('a fox, red', 'blurry', None),
    ),
    'a text that is shown': (
        {
            'x': ('CLIPTextEncode', {'text': ['y', 0], **CLIP}),
            'y': ('ShowText|pysssss', {'text_0': 'a text', 'text': ['z', 0]}),
        },
        {'positive': ['x', 0]},
        ('a text', 'blurry', None),
    ),
    'a text that a model writes': (
        {
            'x': ('CLIPTextEncode', {'text': ['y', 0], **CLIP}),
            'y': ('OllamaGenerate', {'prompt': 'describe the picture', 'image': ['i', 0]}),
        },
        {'positive': ['x', 0]},
        (None, 'blurry', 'prompt'),
    ),
    'the encoder of SDXL': (
        {'x': ('CLIPTextEncodeSDXL', {'text_g': 'a hare', 'text_l': 'a hare', **CLIP})},
        {'positive': ['x', 0]},
        ('a hare', 'blurry', None),
    ),
    'a switch': (
        {'x': ('ImpactSwitch', {'select': 2, 'input1': ['fog', 0], 'input2': ['cat', 0]})},
        {'positive': ['x', 0]},
        RIGHT,
    ),
    'a switch of two': (
        {'x': ('ComfySwitchNode', {'switch': False, 'on_true': ['fog', 0],
                                   'on_false': ['cat', 0]})},
        {'positive': ['x', 0]},
        RIGHT,
    ),
    'a switch that something turns': (
        {
            'x': ('ImpactSwitch', {'select': ['d', 0], 'input1': ['fog', 0], 'input2': ['cat', 0]}),
            'd': ('DiceRoll', {}),
        },
        {'positive': ['x', 0]},
        (None, 'blurry', 'prompt'),
    ),
    'a pipe': (
        {
            'p': ('ToBasicPipe', {'model': ['m', 0], **BOTH}),
            'x': ('FromBasicPipe', {'basic_pipe': ['p', 0]}),
        },
        {'positive': ['x', 3], 'negative': ['x', 4]},
        RIGHT,
    ),
    'an unknown node': (
        {'x': ('Odd', {'a': ['cat', 0], 'b': ['fog', 0]})},
        {'positive': ['x', 0]},
        (None, 'blurry', 'prompt'),
    ),
    'a loop': (
        {
            'x': ('FluxGuidance', {'conditioning': ['y', 0]}),
            'y': ('Reroute', {'': ['x', 0]}),
        },
        {'positive': ['x', 0]},
        (None, 'blurry', 'prompt'),
    ),
    'a missing node': ({}, {'positive': ['gone', 0]}, (None, 'blurry', 'prompt')),
    'a context of its own outputs': (
        {'x': ('Context (rgthree)', {'model': ['m', 0], **BOTH})},
        {'positive': ['x', 4], 'negative': ['x', 5]},
        RIGHT,
    ),
    'a switch of contexts': (
        {
            'c': ('Context (rgthree)', {'model': ['m', 0], **BOTH}),
            'x': ('Context Switch (rgthree)', {'ctx_01': ['c', 0]}),
        },
        {'positive': ['x', 4], 'negative': ['x', 5]},
        RIGHT,
    ),
    'texts joined by a written line break': (
        {
            'x': ('CLIPTextEncode', {'text': ['j', 0], **CLIP}),
            'j': ('Text Concatenate', {'delimiter': '\\n', 'text_a': 'a fox', 'text_b': 'red'}),
        },
        {'positive': ['x', 0]},
        ('a fox\nred', 'blurry', None),
    ),
    'a text with something replaced': (
        {
            'x': ('CLIPTextEncode', {'text': ['y', 0], **CLIP}),
            'y': ('StringReplace', {'string': 'a dog', 'find': 'dog', 'replace': 'cat'}),
        },
        {'positive': ['x', 0]},
        (None, 'blurry', 'prompt'),
    ),
    'a text that is previewed': (
        {
            'x': ('CLIPTextEncode', {'text': ['y', 0], **CLIP}),
            'y': ('PreviewAny', {'source': ['z', 0]}),
            'z': ('PrimitiveString', {'value': 'a text'}),
        },
        {'positive': ['x', 0]},
        ('a text', 'blurry', None),
    ),
    'a loader with two texts of other nodes': (
        {
            'x': ('Efficient Loader', {'positive': ['y', 0], 'negative': ['z', 0]}),
            'y': ('PrimitiveString', {'value': 'a text'}),
            'z': ('PrimitiveString', {'value': 'bad'}),
        },
        {'positive': ['x', 1], 'negative': ['x', 2]},
        ('a text', 'bad', None),
    ),
}  # fmt: skip
