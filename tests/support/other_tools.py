"""What other tools write into their pictures, and the settings that are in it."""

from __future__ import annotations

import json

A1111 = (
    'a castle, (stone:1.2), <lora:old:0.8>\nby the sea\nNegative prompt: people,\ncars\n'
    'Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 42, '
    'Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned, Version: v1.10.1'
)
FROM_A1111 = {
    'generator': 'AUTOMATIC1111',
    'prompt': 'a castle, (stone:1.2), <lora:old:0.8>\nby the sea',
    'negative_prompt': 'people,\ncars',
    'steps': 20,
    'sampler': 'DPM++ 2M',
    'guidance': 6.5,
    'seed': 42,
    'size': '512x768',
    'model': 'v1-5-pruned',
}
SAMPLER_INPUTS: dict[str, object] = {
    'seed': 156680208700286, 'steps': 20, 'cfg': 8, 'sampler_name': 'euler',
    'scheduler': 'normal', 'denoise': 1, 'model': ['4', 0], 'positive': ['6', 0],
    'negative': ['7', 0], 'latent_image': ['5', 0],
}  # fmt: skip
COMFYUI = {
    '3': {
        'class_type': 'KSampler',
        'inputs': SAMPLER_INPUTS,
    },
    '4': {'class_type': 'CheckpointLoaderSimple', 'inputs': {'ckpt_name': 'sd15.safetensors'}},
    '5': {'class_type': 'EmptyLatentImage', 'inputs': {'width': 512, 'height': 512}},
    '6': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'a bottle', 'clip': ['4', 1]}},
    '7': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'text', 'clip': ['4', 1]}},
}  # fmt: skip
BETWEEN = json.loads(json.dumps(COMFYUI).replace('["7", 0]', '["8", 0]')) | {
    '8': {'class_type': 'ConditioningSetMask', 'inputs': {'conditioning': ['7', 0]}},
    '9': {'class_type': 'Note'},
}
LOOKING = {'sampler_name': 'a', 'steps': 1, 'cfg': 1, 'positive': ['hub', 0]}
STAR = {str(number): {'class_type': 'KSampler', 'inputs': LOOKING} for number in range(5_000)}
STAR['hub'] = {'class_type': 'Hub', 'inputs': {name: [name, 0] for name in STAR}}
LINKS = [
    [1, 4, 0, 3, 0, 'MODEL'],
    [2, 5, 0, 3, 3, 'LATENT'],
    [3, 4, 1, 6, 0, 'CLIP'],
    [4, 6, 0, 3, 1, 'CONDITIONING'],
    [5, 4, 1, 7, 0, 'CLIP'],
    [6, 7, 0, 3, 2, 'CONDITIONING'],
]
FROM_COMFYUI = {
    'generator': 'ComfyUI',
    'prompt': 'a bottle',
    'negative_prompt': 'text',
    'seed': 156680208700286,
    'steps': 20,
    'guidance': 8.0,
    'sampler': 'euler',
    'model': 'sd15.safetensors',
    'size': '64x48',
}
FLUX = {
    '6': {'class_type': 'CLIPTextEncode', 'inputs': {'text': 'a cat', 'clip': ['11', 0]}},
    '16': {'class_type': 'KSamplerSelect', 'inputs': {'sampler_name': 'euler'}},
    '17': {'class_type': 'BasicScheduler', 'inputs': {'steps': 20, 'model': ['12', 0]}},
    '25': {'class_type': 'RandomNoise', 'inputs': {'noise_seed': 9}},
    '26': {'class_type': 'FluxGuidance', 'inputs': {'guidance': 3.5}},
    '12': {'class_type': 'UNETLoader', 'inputs': {'unet_name': 'flux1-dev'}},
}
FROM_FLUX = {
    'generator': 'ComfyUI', 'prompt': 'a cat', 'sampler': 'euler', 'steps': 20, 'seed': 9,
    'guidance': 3.5, 'model': 'flux1-dev', 'size': '64x48',
}  # fmt: skip
INVOKEAI = {
    'app_version': '4.2.0', 'generation_mode': 'txt2img', 'positive_prompt': 'an owl',
    'negative_prompt': 'day', 'width': 832, 'height': 1216, 'seed': 7, 'cfg_scale': 7.5,
    'steps': 30, 'scheduler': 'dpmpp_2m', 'model': {'model_name': 'juggernaut'},
}  # fmt: skip
FROM_INVOKEAI = {
    'generator': 'InvokeAI', 'prompt': 'an owl', 'negative_prompt': 'day', 'size': '832x1216',
    'seed': 7, 'guidance': 7.5, 'steps': 30, 'sampler': 'dpmpp_2m', 'model': 'juggernaut',
}  # fmt: skip
INVOKEAI_FLUX = {
    'generation_mode': 'flux_txt2img', 'positive_prompt': 'an owl', 'negative_prompt': '',
    'width': 832, 'height': 1216, 'seed': 0, 'guidance': 4, 'steps': 30,
    'model': {'key': 'abc', 'name': 'FLUX Dev', 'base': 'flux'},
}  # fmt: skip
FROM_INVOKEAI_FLUX = {
    'generator': 'InvokeAI', 'prompt': 'an owl', 'size': '832x1216', 'seed': 0, 'guidance': 4.0,
    'steps': 30, 'model': 'FLUX Dev',
}  # fmt: skip
FOOOCUS = {
    'prompt': 'a boat', 'negative_prompt': 'rain', 'base_model': 'jx', 'base_model_hash': 'aa',
    'guidance_scale': 4, 'scheduler': 'karras', 'sampler': 'dpmpp', 'seed': '11', 'steps': 30,
    'sharpness': 2, 'resolution': '(64, 48)', 'version': 'Fooocus v2.5',
}  # fmt: skip
FROM_FOOOCUS = {
    'generator': 'Fooocus', 'prompt': 'a boat', 'negative_prompt': 'rain', 'model': 'jx',
    'guidance': 4.0, 'sampler': 'dpmpp', 'seed': 11, 'steps': 30, 'size': '64x48',
}  # fmt: skip
NOVELAI = {
    'Software': 'NovelAI',
    'Source': 'Stable Diffusion XL C1E1DE52',
    'Description': 'a girl',
    'Comment': json.dumps(
        {'prompt': 'a girl', 'uc': 'bad', 'seed': 3, 'scale': 5.0, 'sampler': 'k_euler'}
    ),
}
FROM_NOVELAI = {
    'generator': 'NovelAI', 'prompt': 'a girl', 'negative_prompt': 'bad', 'seed': 3,
    'guidance': 5.0, 'sampler': 'k_euler', 'model': 'Stable Diffusion XL', 'size': '64x48',
}  # fmt: skip
NO_SAMPLER = (
    'a fox\nNegative prompt: dogs\nSeed: 5, CFG scale: 4, Size: 32x32, Model: "a, b", Version: X 1'
)
FROM_NO_SAMPLER = {
    'generator': 'AUTOMATIC1111', 'prompt': 'a fox', 'negative_prompt': 'dogs', 'seed': 5,
    'guidance': 4.0,
    'size': '32x32', 'model': 'a, b',
}  # fmt: skip
OTHERS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    'AUTOMATIC1111': ({'parameters': A1111}, FROM_A1111),
    'ComfyUI': (
        {'prompt': json.dumps(COMFYUI), 'workflow': json.dumps({'links': LINKS})},
        FROM_COMFYUI,
    ),
    "ComfyUI's API": ({'prompt': json.dumps(COMFYUI)}, FROM_COMFYUI),
    'ComfyUI with a node between': ({'prompt': json.dumps(BETWEEN)}, FROM_COMFYUI),
    'ComfyUI with Flux': ({'prompt': json.dumps(FLUX)}, FROM_FLUX),
    'InvokeAI': ({'invokeai_metadata': json.dumps(INVOKEAI)}, FROM_INVOKEAI),
    'InvokeAI of today': (
        {'invokeai_metadata': json.dumps(INVOKEAI | {'model': {'name': 'juggernaut'}})},
        FROM_INVOKEAI,
    ),
    'InvokeAI with Flux': ({'invokeai_metadata': json.dumps(INVOKEAI_FLUX)}, FROM_INVOKEAI_FLUX),
    'Fooocus': ({'parameters': json.dumps(FOOOCUS), 'fooocus_scheme': 'fooocus'}, FROM_FOOOCUS),
    'NovelAI': (NOVELAI, FROM_NOVELAI),
    'parameters of two settings': (
        {'parameters': 'a fox\nSize: 32x32, Version: X 1'},
        {'generator': 'AUTOMATIC1111', 'prompt': 'a fox', 'size': '32x32'},
    ),
    'parameters without a sampler': ({'parameters': NO_SAMPLER}, FROM_NO_SAMPLER),
}
HOSTILE = {
    'brackets': {'prompt': '{"1": ' + '[' * 200_000},
    'a list': {'prompt': '[1]', 'workflow': '[]'},
    'a graph in a circle': {
        'prompt': json.dumps({'1': {'class_type': 'A', 'inputs': {'text': ['1', 0]}}})
    },
    'a graph of 5,000 samplers': {'prompt': json.dumps(STAR)},
    'a graph of numbers': {'prompt': '{"1": 5, "2": {"inputs": 6}}'},
    'nothing but colons': {'parameters': ':,' * 40_000},
    'hashes without end': {'parameters': 'Hashes:{' * 12_000},
    'one long word': {'parameters': 'a' * 99_999},
    'parameters too long': {'parameters': 'a ' * 100_000 + A1111},
    'numbers': {'invokeai_metadata': '5', 'sd-metadata': '{"image": 3}', 'Dream': '"'},
}
