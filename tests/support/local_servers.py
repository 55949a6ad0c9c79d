"""What the servers that people run at home answer to the questions that tell them apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.support.fakes import Reply

LM_STUDIO = Reply(body=b'{"error": "Unexpected endpoint or method. (GET /v1/images/generations)"}')
PAGE = Reply(headers=(('content-type', 'text/html'),), body=b'<!doctype html><title>A page</title>')


@dataclass(frozen=True)
class Home:
    """A server, and what is to be found there; `{origin}` stands for where it listens."""

    port: int
    answers: dict[str, object]
    server: str
    path: str = '/v1'
    models: tuple[str, ...] = ()
    usable: bool = True
    dialect: str = 'openai'
    hint: str = ''
    replies: dict[str, Reply] = field(default_factory=dict)

    def all_replies(self) -> dict[str, Reply]:
        told = {
            f'GET {path}': Reply(body=json.dumps(answer).encode())
            for path, answer in self.answers.items()
        }
        return told | {f'GET {path}': reply for path, reply in self.replies.items()}


def models(*names: str, **more: object) -> dict[str, object]:
    return {'object': 'list', 'data': [{'id': name, 'object': 'model'} | more for name in names]}


def locked(body: bytes = b'{"error": {"message": "Unauthorized"}}', status: int = 401) -> Reply:
    return Reply(status=status, body=body)


LIST = '/v1/models'
IMAGES = '/v1/images/generations'
VERSION = {'version': '1.2.3'}
KOBOLD = {'result': 'KoboldCpp', 'version': '1.9'}
CHECKPOINT = {'title': 'sd15.safetensors [6ce]', 'model_name': 'sd15', 'filename': '/x/sd15'}
NEEDS_KEY = 'It needs a key.'
NO_PICTURES = "It answers, but doesn't generate pictures."
NO_MODEL = 'No image model is loaded. Load one there first.'
OWN_API = "It generates pictures only through its own API, which Easel doesn't support."
UNPROVEN = "It doesn't say whether it generates pictures. Generate one to find out."
ITS_OWN_FILES = 'Choose the b64_json response format: its addresses are files on its own disk.'

HOMES = {
    'g4f': Home(
        1337,
        {
            '/v1/providers': [{'id': 'Pollinations', 'object': 'provider'}],
            LIST: models('gpt-4o', 'flux', image=False),
        },
        'g4f',
        models=('flux', 'gpt-4o'),
    ),
    'g4f with a key': Home(
        1337,
        {},
        'g4f',
        hint=NEEDS_KEY,
        replies=dict.fromkeys(
            ('/v1/providers', LIST), locked(b'{"error": {"message": "Not authenticated"}}')
        ),
    ),
    'Jan with a key': Home(
        1337, {}, 'Jan', usable=False, hint=NO_PICTURES, replies={LIST: locked(b'Unauthorized')}
    ),
    'Jan': Home(1337, {LIST: models('llama3')}, 'Jan', usable=False, hint=NO_PICTURES),
    'somebody else at 1337': Home(
        1337,
        {LIST: models('sketch', type='image')},
        'OpenAI-compatible',
        models=('sketch',),
        hint=UNPROVEN,
    ),
    'LocalAI': Home(
        8080,
        {
            '/.well-known/localai.json': VERSION | {'endpoints': {'models': LIST}},
            '/running': {'running': []},
            LIST: models('gpt-4', 'stablediffusion'),
        },
        'LocalAI',
        models=('stablediffusion', 'gpt-4'),
    ),
    'llama-swap': Home(
        8080,
        {'/running': {'running': []}, LIST: models('sd', owned_by='llama-swap')},
        'llama-swap',
        models=('sd',),
        hint=UNPROVEN,
    ),
    'Open WebUI': Home(
        8080,
        {'/api/config': VERSION | {'name': 'Open WebUI'}},
        'Open WebUI',
        path='/api/v1',
        hint=NEEDS_KEY,
        replies={
            '/api/v1/images/models': locked(status=403),
            '/running': PAGE,
            LIST: PAGE,
            '/.well-known/localai.json': PAGE,
        },
    ),
    'llama.cpp': Home(
        8080,
        {LIST: models('qwen', owned_by='llamacpp')},
        'OpenAI-compatible',
        models=('qwen',),
        hint=UNPROVEN,
    ),
    'Open WebUI in Docker': Home(
        3000,
        {
            '/api/config': VERSION | {'name': 'Open WebUI'},
            '/api/v1/images/models': [{'id': 'dall-e-3'}],
        },
        'Open WebUI',
        path='/api/v1',
        models=('dall-e-3',),
    ),
    'new-api': Home(
        3000,
        {'/api/status': {'success': True, 'data': {'system_name': 'New API'}}},
        'new-api',
        hint=NEEDS_KEY,
        replies={LIST: locked()},
    ),
    'sd-server': Home(
        1234,
        {LIST: {'data': [{'id': 'sd-cpp-local', 'owned_by': 'local'}]}},
        'sd-server',
        models=('sd-cpp-local',),
    ),
    'LM Studio': Home(
        1234,
        {LIST: models('llama3')},
        'LM Studio',
        usable=False,
        hint=NO_PICTURES,
        replies={IMAGES: LM_STUDIO},
    ),
    'AUTOMATIC1111': Home(
        7860,
        {'/sdapi/v1/sd-models': [CHECKPOINT]},
        'AUTOMATIC1111',
        path='/sdapi/v1',
        models=('sd15',),
        dialect='sdapi',
    ),
    'AUTOMATIC1111 without a model': Home(
        7860,
        {'/sdapi/v1/sd-models': []},
        'AUTOMATIC1111',
        path='/sdapi/v1',
        usable=False,
        dialect='sdapi',
        hint=NO_MODEL,
    ),
    'KoboldCpp': Home(
        5001,
        {
            '/api/extra/version': KOBOLD | {'txt2img': True},
            '/sdapi/v1/sd-models': [CHECKPOINT],
            LIST: models('koboldcpp/llama'),
        },
        'KoboldCpp',
        models=('sd15',),
    ),
    'KoboldCpp without a model': Home(
        5001,
        {'/api/extra/version': KOBOLD | {'txt2img': False}, LIST: models('koboldcpp/llama')},
        'KoboldCpp',
        usable=False,
        hint=NO_MODEL,
    ),
    'text-generation-webui': Home(
        5000,
        {'/v1/internal/health': {'status': 'ok'}, LIST: models('llama')},
        'text-generation-webui',
        hint=UNPROVEN,
    ),
    'text-generation-webui with a key': Home(
        5000,
        {},
        'text-generation-webui',
        hint=NEEDS_KEY,
        replies={'/v1/internal/health': locked(b'{"detail": "Unauthorized"}')},
    ),
    'SGLang': Home(
        30000,
        {'/model_info': {'is_image_gen': True}, LIST: models('Qwen/Qwen-Image', task_type='T2I')},
        'SGLang',
        models=('Qwen/Qwen-Image',),
    ),
    'SGLang without a picture model': Home(
        30000,
        {'/model_info': {'is_image_gen': False}, LIST: models('llama')},
        'SGLang',
        usable=False,
        hint=NO_MODEL,
    ),
    'vLLM-Omni': Home(
        8000,
        {LIST: models('Qwen-Image', owned_by='vllm'), '/health': {'status': 'healthy'}},
        'vLLM-Omni',
        models=('Qwen-Image',),
    ),
    'vLLM': Home(
        8000,
        {LIST: models('llama', owned_by='vllm')},
        'vLLM',
        usable=False,
        hint=NO_PICTURES,
        replies={'/health': Reply()},
    ),
    'OpenVINO Model Server': Home(
        8000,
        {'/v3/models': models('flux-ov')},
        'OpenVINO Model Server',
        path='/v3',
        models=('flux-ov',),
        hint=UNPROVEN,
        replies={'/v2/health/live': Reply()},
    ),
    'Xinference': Home(
        9997,
        {'/v1/cluster/version': VERSION, LIST: models('sdxl', model_type='image')},
        'Xinference',
        models=('sdxl',),
        hint=ITS_OWN_FILES,
    ),
    'Lemonade': Home(
        13305,
        {
            '/api/v1/health': VERSION | {'status': 'ok'},
            '/api/v1/models': models('Turbo', labels=['image']),
        },
        'Lemonade',
        path='/api/v1',
        models=('Turbo',),
    ),
    'Lemonade without a picture model': Home(
        13305,
        {
            '/api/v1/health': VERSION | {'status': 'ok'},
            '/api/v1/models': models('llama', labels=['hot']),
        },
        'Lemonade',
        path='/api/v1',
        usable=False,
        hint=NO_MODEL,
    ),
}
