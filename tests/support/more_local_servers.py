"""The rest of the servers that people run at home: one to a port, and those of their own API."""

from __future__ import annotations

from tests.support.fakes import Reply
from tests.support.local_servers import (
    HOMES,
    IMAGES,
    LIST,
    NEEDS_KEY,
    NO_MODEL,
    NO_PICTURES,
    OWN_API,
    UNPROVEN,
    VERSION,
    Home,
    locked,
    models,
)

MORE = {
    'Ollama that draws': Home(
        11434,
        {'/api/version': VERSION, LIST: models('llama3', 'x/z-image-turbo')},
        'Ollama',
        models=('x/z-image-turbo', 'llama3'),
        replies={IMAGES: Reply(status=405)},
    ),
    'Ollama that could draw': Home(
        11434,
        {'/api/version': VERSION, LIST: models('llama3')},
        'Ollama',
        usable=False,
        hint=NO_MODEL,
        replies={IMAGES: Reply(status=405)},
    ),
    'Ollama': Home(
        11434,
        {'/api/version': VERSION, LIST: models('llama3')},
        'Ollama',
        usable=False,
        hint=NO_PICTURES,
    ),
    'exo': Home(
        52415,
        {'/node_id': '12D3Koo', LIST: models('flux', tasks=['TextToImage'])},
        'exo',
        models=('flux',),
    ),
    'Docker Model Runner': Home(
        12434,
        {'/engines/v1/models': models('ai/stable-diffusion')},
        'Docker Model Runner',
        path='/engines/v1',
        models=('ai/stable-diffusion',),
        hint=UNPROVEN,
    ),
    'LiteLLM': Home(
        4000,
        {'/health/liveliness': "I'm alive!"},
        'LiteLLM',
        hint=NEEDS_KEY,
        replies={LIST: locked()},
    ),
    'openedai-images-flux': Home(
        5005, {LIST: models('dall-e-3')}, 'openedai-images-flux', models=('dall-e-3',)
    ),
    'SwarmUI': Home(
        7801,
        {},
        'SwarmUI',
        path='',
        usable=False,
        hint=OWN_API,
        replies={
            '/API/GetNewSession': Reply(status=302, headers=(('Location', '/Error/NoGetAPI'),))
        },
    ),
    'ComfyUI': Home(
        8188,
        {'/system_stats': {'system': {'os': 'posix'}, 'devices': []}},
        'ComfyUI',
        path='',
        usable=False,
        hint=OWN_API,
    ),
    'InvokeAI': Home(
        9090, {'/api/v1/app/version': VERSION}, 'InvokeAI', path='', usable=False, hint=OWN_API
    ),
}
ALL_HOMES = HOMES | MORE
