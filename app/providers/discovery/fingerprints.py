"""The image servers that people run at home, their usual ports, and what proves each of them.

Ports clash, so a server is known by what it says and never by its port alone. Where two share a
port, the one with the stricter proof is asked first.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import N_
from app.providers.core.base import ANYBODY, Dialect
from app.providers.discovery import signs

NEEDS_KEY = N_('It asks for a key.')
NO_PICTURES = N_('It answers, but draws no pictures.')
NO_MODEL = N_('It has no picture model loaded: load one there first.')
OWN_API = N_('It draws, but only through an API of its own, which Easel does not speak.')
UNPROVEN = N_('It does not say whether it draws: the first picture will show.')
ITS_OWN_FILES = N_('Choose b64_json as the format: its addresses are files on its own disk.')


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A server, and how to tell that it is the one.

    Attributes:
        signs: All must hold.
        base: The path to propose, below which its images API is.
        models: The path of its list of models; empty: the list says nothing of pictures.
        tells: Whether that list says which models draw, so that none means that it can't.
        usable: Whether Easel can draw with it.
        hint: A marked sentence, or empty.
    """

    port: int
    server: str
    signs: tuple[signs.Sign, ...]
    base: str = '/v1'
    models: str = '/v1/models'
    tells: bool = False
    dialect: Dialect = Dialect.OPENAI
    usable: bool = True
    hint: str = ''


_LIST = '/v1/models'
_IMAGES = '/v1/images/generations'
_KOBOLD = signs.Sign('/api/extra/version', signs.says('result', value='KoboldCpp'))
_VLLM = signs.Sign(_LIST, signs.is_owned_by('vllm'))
_OLLAMA = signs.Sign('/api/version', signs.has_text('version'))

# Sources: each server's own code, or its documentation where that is not open.
KNOWN = (
    Known(
        port=1337,
        server='g4f',
        signs=(signs.Sign('/v1/providers', signs.lists_providers),),
    ),
    Known(
        port=1337,
        server='g4f',
        signs=(signs.Sign('/v1/providers', signs.locks_as_g4f),),
        models='',
        hint=NEEDS_KEY,
    ),
    Known(
        port=1337,
        server='Jan',
        signs=(signs.Sign(_LIST, signs.is_locked_or_chats),),
        models='',
        usable=False,
        hint=NO_PICTURES,
    ),
    Known(
        port=8080,
        server='LocalAI',
        signs=(signs.Sign('/.well-known/localai.json', signs.describes_localai),),
    ),
    Known(
        port=8080,
        server='llama-swap',
        signs=(
            signs.Sign('/running', signs.lists_running),
            signs.Sign(_LIST, signs.is_owned_by('llama-swap')),
        ),
        hint=UNPROVEN,
    ),
    *(
        Known(
            port=port,
            server='Open WebUI',
            signs=(signs.Sign('/api/config', signs.has_text('name', 'version')),),
            base='/api/v1',
            models='/api/v1/images/models',
        )
        for port in (8080, 3000)
    ),
    Known(port=1234, server='sd-server', signs=(signs.Sign(_LIST, signs.is_sd_server),)),
    Known(
        port=1234,
        server='LM Studio',
        signs=(signs.Sign(_LIST, signs.is_list), signs.Sign(_IMAGES, signs.knows_no_such_path)),
        models='',
        usable=False,
        hint=NO_PICTURES,
    ),
    Known(
        port=7860,
        server='AUTOMATIC1111',
        signs=(signs.Sign('/sdapi/v1/sd-models', signs.lists_checkpoints),),
        base='/sdapi/v1',
        models='/sdapi/v1/sd-models',
        tells=True,
        dialect=Dialect.SDAPI,
    ),
    Known(
        port=5001,
        server='KoboldCpp',
        signs=(_KOBOLD, signs.Sign(_KOBOLD.path, signs.says('txt2img', value=True))),
        models='/sdapi/v1/sd-models',
    ),
    Known(port=5001, server='KoboldCpp', signs=(_KOBOLD,), models='', usable=False, hint=NO_MODEL),
    Known(
        port=5000,
        server='text-generation-webui',
        signs=(signs.Sign('/v1/internal/health', signs.says('status', value='ok')),),
        models='',
        hint=UNPROVEN,
    ),
    Known(
        port=5000,
        server='text-generation-webui',
        signs=(signs.Sign('/v1/internal/health', signs.is_locked),),
        models='',
        hint=NEEDS_KEY,
    ),
    Known(
        port=30000,
        server='SGLang',
        signs=(signs.Sign('/model_info', signs.says('is_image_gen', value=True)),),
    ),
    Known(
        port=30000,
        server='SGLang',
        signs=(signs.Sign('/model_info', signs.says('is_image_gen', value=False)),),
        models='',
        usable=False,
        hint=NO_MODEL,
    ),
    Known(
        port=8000,
        server='vLLM-Omni',
        signs=(_VLLM, signs.Sign('/health', signs.says('status', value='healthy'))),
    ),
    Known(port=8000, server='vLLM', signs=(_VLLM,), models='', usable=False, hint=NO_PICTURES),
    Known(
        port=8000,
        server='OpenVINO Model Server',
        signs=(
            signs.Sign('/v2/health/live', signs.is_there),
            signs.Sign('/v3/models', signs.is_list),
        ),
        base='/v3',
        models='/v3/models',
        hint=UNPROVEN,
    ),
    Known(
        port=9997,
        server='Xinference',
        signs=(signs.Sign('/v1/cluster/version', signs.has_text('version')),),
        tells=True,
        hint=ITS_OWN_FILES,
    ),
    Known(
        port=13305,
        server='Lemonade',
        signs=(
            signs.Sign('/api/v1/health', signs.says('status', value='ok')),
            signs.Sign('/api/v1/health', signs.has_text('version')),
        ),
        base='/api/v1',
        models='/api/v1/models',
        tells=True,
    ),
    Known(
        port=11434,
        server='Ollama',
        signs=(_OLLAMA, signs.Sign(_IMAGES, signs.takes_posts_only)),
        tells=True,
    ),
    Known(
        port=11434,
        server='Ollama',
        signs=(_OLLAMA,),
        models='',
        usable=False,
        hint=NO_PICTURES,
    ),
    Known(port=52415, server='exo', signs=(signs.Sign('/node_id', signs.is_text),), tells=True),
    Known(
        port=12434,
        server='Docker Model Runner',
        signs=(signs.Sign('/engines/v1/models', signs.is_list),),
        base='/engines/v1',
        models='/engines/v1/models',
        hint=UNPROVEN,
    ),
    Known(
        port=4000,
        server='LiteLLM',
        signs=(signs.Sign('/health/liveliness', signs.says(value="I'm alive!")),),
    ),
    Known(port=5005, server='openedai-images-flux', signs=(signs.Sign(_LIST, signs.is_list),)),
    Known(
        port=3000,
        server='new-api',
        signs=(
            signs.Sign('/api/status', signs.says('success', value=True)),
            signs.Sign(
                '/api/status', lambda reply: isinstance(reply.said('data', 'system_name'), str)
            ),
        ),
    ),
    Known(
        port=7801,
        server='SwarmUI',
        signs=(signs.Sign('/API/GetNewSession', signs.sends_to_no_get),),
        base='',
        models='',
        usable=False,
        hint=OWN_API,
    ),
    Known(
        port=8188,
        server='ComfyUI',
        signs=(signs.Sign('/system_stats', signs.describes_machine),),
        base='',
        models='',
        usable=False,
        hint=OWN_API,
    ),
    Known(
        port=9090,
        server='InvokeAI',
        signs=(signs.Sign('/api/v1/app/version', signs.has_text('version')),),
        base='',
        models='',
        usable=False,
        hint=OWN_API,
    ),
)
USUAL_PORTS = tuple(dict.fromkeys(known.port for known in KNOWN))


def known_at(port: int) -> tuple[Known, ...]:
    """List whom to look for at a usual port, in that order; last, whoever lists models."""
    anybody = Known(
        port=port,
        server=ANYBODY,
        signs=(signs.Sign(_LIST, signs.is_list),),
        hint=UNPROVEN,
    )
    return (*(known for known in KNOWN if known.port == port), anybody)
