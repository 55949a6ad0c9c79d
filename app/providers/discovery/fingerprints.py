"""The image servers that people run at home, their usual ports, and what proves each of them.

Ports clash, so a server is known by its responses and never by its port alone. Where two share a
port, the one with the stricter proof is asked first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, TypeAlias

from app.errors import N_
from app.providers.core.base import ANYBODY, Dialect

if TYPE_CHECKING:
    from app.providers.discovery.probe import ProbeResponse
    from app.providers.response.json_text import Json

NEEDS_KEY = N_('It needs a key.')
NO_PICTURES = N_("It answers, but doesn't generate pictures.")
NO_MODEL = N_('No image model is loaded. Load one there first.')
OWN_API = N_("It generates pictures only through its own API, which Easel doesn't support.")
UNPROVEN = N_("It doesn't say whether it generates pictures. Generate one to find out.")
ITS_OWN_FILES = N_('Choose the b64_json response format: its addresses are files on its own disk.')
UNUSABLE = (NO_PICTURES, NO_MODEL, OWN_API)

Predicate: TypeAlias = 'Callable[[ProbeResponse], bool]'
# A value to equal, a type to be of, a pattern to begin with; a list has one row or more.
Shape: TypeAlias = (
    'str | bool | type | UnionType | re.Pattern[str] | list[Shape] | dict[str, Shape]'
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a server responds, and how to use it."""

    port: int
    server: str
    proofs: Mapping[str, Predicate]  # what must hold of the response to a GET of each path
    hint: str = ''
    base: str = '/v1'  # to propose; its images API is below
    models: str | None = None  # the path of its list, if not below `base`; empty: not to be asked
    marks_drawing: bool = False  # whether that list says which models draw: none means it cannot
    dialect: Dialect = Dialect.OPENAI


def is_shaped(*shapes: Shape) -> Predicate:
    """Check that the body of a 200 has one of these shapes."""
    return lambda response: any(_fits(response.ok_json, shape) for shape in shapes)


def responds(status: int, body: Json = None, location: str = '') -> Predicate:
    """Check the status, the whole body if one is given, and the end of a redirect's address."""
    return lambda response: (
        response.status == status
        and body in (None, response.json)
        and response.location.endswith(location)
    )


def is_list(response: ProbeResponse) -> bool:
    """Check for OpenAI's list of models, which may be empty."""
    return bool(_rows(response)) or _fits(response.ok_json, {'object': 'list', 'data': []})


def lists(key: str, value: str) -> Predicate:
    return lambda response: any(row.get(key) == value for row in _rows(response))


def _lists_none_that_draws(response: ProbeResponse) -> bool:
    from app.providers.discovery.model_list import drawing_in  # not needed for the ports alone

    return is_list(response) and not drawing_in(response.json)


def _fits(value: Json, shape: Shape) -> bool:
    if isinstance(shape, type | UnionType):
        return isinstance(value, shape)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and bool(shape.match(value))
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name in value and _fits(value[name], part) for name, part in shape.items()
        )
    if isinstance(shape, list) and shape:
        return (
            isinstance(value, list) and value != [] and all(_fits(row, shape[0]) for row in value)
        )
    return value == shape


def _rows(response: ProbeResponse) -> list[dict[str, Json]]:
    """Return the rows of OpenAI's list of models; none where one has no id."""
    data = response.ok_json.get('data') if isinstance(response.ok_json, dict) else None
    rows = data if isinstance(data, list) else []
    return [row for row in rows if isinstance(row, dict)] if _fits(data, [{'id': str}]) else []


describes_localai = is_shaped({'version': str, 'endpoints': dict | list})

_LIST = '/v1/models'
_IMAGES = '/v1/images/generations'
_CHECKPOINTS = '/sdapi/v1/sd-models'
_HAS_VERSION = is_shaped({'version': str})
_NO_SUCH_PATH = is_shaped({'error': re.compile('Unexpected endpoint')})  # LM Studio: with a 200
_IS_CHECKPOINTS = is_shaped([], [{'title': object, 'model_name': object}])
_IS_NEW_API = is_shaped({'success': True, 'data': {'system_name': str}})
_G4F_LOCKED = responds(401, {'error': {'message': 'Not authenticated'}})
_WEBUI_LOCKED = responds(401, {'detail': 'Unauthorized'})
_VLLM = lists('owned_by', 'vllm')
_VLLM_OMNI = {_LIST: _VLLM, '/health': is_shaped({'status': 'healthy'})}
_LLAMA_SWAP = {'/running': is_shaped({'running': list}), _LIST: lists('owned_by', 'llama-swap')}
_LEMONADE = {'/api/v1/health': is_shaped({'status': 'ok', 'version': str})}
_HEALTH = '/v1/internal/health'
_TEXT_WEBUI = 'text-generation-webui'
_KOBOLD = '/api/extra/version'
_KOBOLD_DRAWS = is_shaped({'result': 'KoboldCpp', 'txt2img': True})
_OLLAMA = '/api/version'
_OLLAMA_DRAWS = {_OLLAMA: _HAS_VERSION, _IMAGES: responds(405)}
_OPENVINO = {'/v2/health/live': responds(200), '/v3/models': is_list}
_XINFERENCE = {'/v1/cluster/version': _HAS_VERSION}
_DOCKER_MODELS = {'/engines/v1/models': is_list}
_OPEN_WEBUI = {'/api/config': is_shaped({'name': str, 'version': str})}
_OPEN_WEBUI_MODELS = '/api/v1/images/models'
_COMFYUI = {'/system_stats': is_shaped({'system': dict, 'devices': list})}
_SWARMUI = {'/API/GetNewSession': responds(302, location='/Error/NoGetAPI')}

# Sources: each server's own code, or its documentation where that is not open.
FINGERPRINTS = (
    Fingerprint(1337, 'g4f', {'/v1/providers': is_shaped([{'object': 'provider'}])}),
    Fingerprint(1337, 'g4f', {'/v1/providers': _G4F_LOCKED}, NEEDS_KEY, models=''),
    Fingerprint(1337, 'Jan', {_LIST: responds(401)}, NO_PICTURES),
    Fingerprint(1337, 'Jan', {_LIST: _lists_none_that_draws}, NO_PICTURES),
    Fingerprint(8080, 'LocalAI', {'/.well-known/localai.json': describes_localai}),
    Fingerprint(8080, 'llama-swap', _LLAMA_SWAP, UNPROVEN),
    Fingerprint(8080, 'Open WebUI', _OPEN_WEBUI, base='/api/v1', models=_OPEN_WEBUI_MODELS),
    Fingerprint(3000, 'Open WebUI', _OPEN_WEBUI, base='/api/v1', models=_OPEN_WEBUI_MODELS),
    Fingerprint(1234, 'sd-server', {_LIST: lists('id', 'sd-cpp-local')}),
    Fingerprint(1234, 'LM Studio', {_LIST: is_list, _IMAGES: _NO_SUCH_PATH}, NO_PICTURES),
    Fingerprint(
        *(7860, 'AUTOMATIC1111', {_CHECKPOINTS: _IS_CHECKPOINTS}, '', '/sdapi/v1', _CHECKPOINTS),
        marks_drawing=True,
        dialect=Dialect.SDAPI,
    ),
    Fingerprint(5001, 'KoboldCpp', {_KOBOLD: _KOBOLD_DRAWS}, models=_CHECKPOINTS),
    Fingerprint(5001, 'KoboldCpp', {_KOBOLD: is_shaped({'result': 'KoboldCpp'})}, NO_MODEL),
    Fingerprint(5000, _TEXT_WEBUI, {_HEALTH: is_shaped({'status': 'ok'})}, UNPROVEN, models=''),
    Fingerprint(5000, _TEXT_WEBUI, {_HEALTH: _WEBUI_LOCKED}, NEEDS_KEY, models=''),
    Fingerprint(30000, 'SGLang', {'/model_info': is_shaped({'is_image_gen': True})}),
    Fingerprint(30000, 'SGLang', {'/model_info': is_shaped({'is_image_gen': False})}, NO_MODEL),
    Fingerprint(8000, 'vLLM-Omni', _VLLM_OMNI),
    Fingerprint(8000, 'vLLM', {_LIST: _VLLM}, NO_PICTURES),
    Fingerprint(8000, 'OpenVINO Model Server', _OPENVINO, UNPROVEN, '/v3'),
    Fingerprint(9997, 'Xinference', _XINFERENCE, ITS_OWN_FILES, marks_drawing=True),
    Fingerprint(13305, 'Lemonade', _LEMONADE, base='/api/v1', marks_drawing=True),
    Fingerprint(11434, 'Ollama', _OLLAMA_DRAWS, marks_drawing=True),
    Fingerprint(11434, 'Ollama', {_OLLAMA: _HAS_VERSION}, NO_PICTURES),
    Fingerprint(52415, 'exo', {'/node_id': is_shaped(str)}, marks_drawing=True),
    Fingerprint(12434, 'Docker Model Runner', _DOCKER_MODELS, UNPROVEN, '/engines/v1'),
    Fingerprint(4000, 'LiteLLM', {'/health/liveliness': is_shaped("I'm alive!")}),
    Fingerprint(5005, 'openedai-images-flux', {_LIST: is_list}),
    Fingerprint(3000, 'new-api', {'/api/status': _IS_NEW_API}),
    Fingerprint(7801, 'SwarmUI', _SWARMUI, OWN_API, base=''),
    Fingerprint(8188, 'ComfyUI', _COMFYUI, OWN_API, base=''),
    Fingerprint(9090, 'InvokeAI', {'/api/v1/app/version': _HAS_VERSION}, OWN_API, base=''),
)
USUAL_PORTS = tuple(dict.fromkeys(one.port for one in FINGERPRINTS))
SAME_PORTS = MappingProxyType({port: port for port in USUAL_PORTS})


def fingerprints_at(port: int) -> tuple[Fingerprint, ...]:
    """List what to look for at a usual port, in that order; last, any server that lists models."""
    anybody = Fingerprint(port, ANYBODY, {_LIST: is_list}, UNPROVEN)
    return (*(one for one in FINGERPRINTS if one.port == port), anybody)
