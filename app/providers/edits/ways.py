"""The ways to edit that are one body and one path of an images API.

Sources: each server's own code or its documented API, as the tests' stubs of them name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.models.request import MOST_SOURCES, GenerationRequest
from app.providers.core.base import Dialect
from app.providers.dialects.base import number
from app.providers.dialects.openai import CHAT_COMPLETIONS, GENERATIONS, request_body
from app.providers.dialects.sizes import nearest_ratio
from app.providers.transport.bodies import Body, Inline, data_url, form_body, json_body
from app.storage.edit_input import EditInput

EDITS = 'images/edits'
Fields = Callable[[GenerationRequest, EditInput, str], dict[str, object]]
SPELLINGS = (('image', 'image[]'), ('image[]', 'image'), ('mask', 'mask_image'))


@dataclass(frozen=True, slots=True)
class Way:
    """A way to edit; with `dialect` it is one of those that also draw from words alone."""

    name: str
    path: str
    dialect: Dialect | None = None
    takes_mask: bool = False
    most: int = MOST_SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyWay(Way):
    """A way of an images API."""

    fields: Fields
    encode: Callable[[Mapping[str, object]], Body] = json_body
    unsupported: tuple[str, ...] = ('sampler',)  # fields that it has no name for
    # another name to try, for one that is refused
    spellings: tuple[tuple[str, str], ...] = ()
    side: int = 0  # of the square that it always draws


def _form(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    """Send one picture as `image`, several as `image[]`: some servers refuse both at once."""
    first, *more = edit.sources
    return {
        **request_body(request, base_url),
        **({'image[]': edit.sources} if more else {'image': first}),
        'mask': edit.mask and edit.mask.dual,
        'strength': number(request.strength),
    }


def _form_of_vllm(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    """Send the mask as `mask_image`: vLLM-Omni drops a field `mask` without a word."""
    fields = _form(request, edit, base_url)
    return fields | {'mask': None, 'mask_image': edit.mask and edit.mask.grey}


def _form_of_xinference(
    request: GenerationRequest, edit: EditInput, base_url: str
) -> dict[str, object]:
    """Ask for base64: without a format it answers with paths of its own disk."""
    return {'response_format': 'b64_json', **_form(request, edit, base_url)}


def _json(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    return {
        **request_body(request, base_url),
        'images': [{'image_url': data_url(one)} for one in edit.sources],
        'mask': edit.mask and {'image_url': data_url(edit.mask.dual)},
        'strength': number(request.strength),
    }


def _json_of_xai(request: GenerationRequest, edit: EditInput, _base_url: str) -> dict[str, object]:
    urls = [{'url': data_url(one)} for one in edit.sources]
    return {
        **request_body(request, 'https://api.x.ai'),
        **({'images': urls} if len(urls) > 1 else {'image': urls[0]}),
        'mask': edit.mask and {'url': data_url(edit.mask.dual)},
    }


def _localai(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    """Name a size: without one it would draw a square of 512 pixels."""
    first, *more = edit.sources
    return {
        **request_body(request, base_url),
        'size': str(request.size or f'{first.width}x{first.height}'),
        'step': request.steps,
        'num_inference_steps': None,
        'file': Inline(first),
        'ref_images': [Inline(one) for one in more] or None,
    }


def _localai_inpainting(
    request: GenerationRequest, edit: EditInput, base_url: str
) -> dict[str, object]:
    return {
        'model': request.model,
        'prompt': request.prompt,
        'steps': request.steps,
        'image': edit.sources[0],
        'mask': edit.mask and edit.mask.grey,
    }


def _together(request: GenerationRequest, edit: EditInput, _base_url: str) -> dict[str, object]:
    urls = [data_url(one) for one in edit.sources]
    pictures = {'reference_images': urls} if len(urls) > 1 else {'image_url': urls[0]}
    return request_body(request, 'https://api.together.xyz') | pictures


def _image_urls(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    """Send one picture as a text, several as a list of them."""
    urls = [data_url(one) for one in edit.sources]
    return request_body(request, base_url) | {'image': urls if len(urls) > 1 else urls[0]}


def _fal(request: GenerationRequest, edit: EditInput, _base_url: str) -> dict[str, object]:
    size = request.size
    return {
        'prompt': request.prompt,
        'negative_prompt': request.negative_prompt,
        'image_urls': [data_url(one) for one in edit.sources],
        'mask_url': edit.mask and data_url(edit.mask.grey),
        'num_images': request.n if request.count > 1 else None,
        'image_size': {'width': size.width, 'height': size.height} if size else None,
        'seed': request.seed,
        'num_inference_steps': request.steps,
        'guidance_scale': number(request.guidance),
        'strength': number(request.strength),
    }


def _gemini(request: GenerationRequest, edit: EditInput, _base_url: str) -> dict[str, object]:
    pictures = [{'inlineData': {'mimeType': one.mime, 'data': Inline(one)}} for one in edit.sources]
    ratio = nearest_ratio(request.size)
    shape = {'imageConfig': {'aspectRatio': ratio}} if ratio else {}
    return {
        'contents': [{'role': 'user', 'parts': [*pictures, {'text': request.prompt}]}],
        'generationConfig': {'responseModalities': ['TEXT', 'IMAGE'], **shape},
    }


def _bfl(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    first, *more = edit.sources
    named = {f'input_image_{number}': Inline(one) for number, one in enumerate(more, start=2)}
    return {
        'prompt': request.prompt,
        'seed': request.seed,
        'steps': request.steps,
        'guidance': number(request.guidance),
        'aspect_ratio': nearest_ratio(request.size),
        'input_image': Inline(first),
        **named,
    }


def _bfl_fill(request: GenerationRequest, edit: EditInput, base_url: str) -> dict[str, object]:
    fields, mask = _bfl(request, edit, base_url), edit.mask and Inline(edit.mask.grey)
    return fields | {'input_image': None, 'image': fields['input_image'], 'mask': mask}


_NO_NUMBERS = ('sampler', 'seed', 'steps', 'guidance', 'strength')
_ONLY_WORDS = (*_NO_NUMBERS, 'quality', 'response_format')
FORM = BodyWay('form', EDITS, takes_mask=True, fields=_form, encode=form_body, spellings=SPELLINGS)
OPENAI = replace(
    FORM, name='openai', unsupported=(*_NO_NUMBERS, 'negative_prompt', 'response_format')
)
VLLM = replace(FORM, name='vllm-omni', fields=_form_of_vllm)
XINFERENCE = replace(FORM, name='xinference', fields=_form_of_xinference)
SD_CPP = replace(FORM, name='sd.cpp', unsupported=(*_ONLY_WORDS, 'negative_prompt'))
JSON = BodyWay('json', EDITS, takes_mask=True, fields=_json)
OPENAI_JSON = replace(JSON, name='openai-json', unsupported=OPENAI.unsupported)
XAI = BodyWay(
    *('xai', EDITS),
    takes_mask=True,
    most=3,
    fields=_json_of_xai,
    unsupported=(*_NO_NUMBERS, 'quality', 'negative_prompt'),
)
LOCALAI = BodyWay(
    'localai',
    GENERATIONS,
    fields=_localai,
    unsupported=('sampler', 'quality', 'guidance', 'negative_prompt', 'strength'),
)
LOCALAI_INPAINTING = BodyWay(
    *('localai-inpainting', 'images/inpainting'),
    takes_mask=True,
    most=1,
    fields=_localai_inpainting,
    encode=form_body,
    unsupported=(
        *('sampler', 'seed', 'guidance', 'strength', 'quality', 'response_format', 'n'),
        'negative_prompt',
    ),
    side=512,
)
OPEN_WEBUI = BodyWay('open-webui', 'images/edit', fields=_image_urls, unsupported=_ONLY_WORDS)
TOGETHER = BodyWay('together', GENERATIONS, fields=_together, unsupported=('sampler', 'strength'))
SEEDREAM = BodyWay(
    'seedream', GENERATIONS, most=14, fields=_image_urls, unsupported=('sampler', 'strength')
)
SILICONFLOW = replace(SEEDREAM, name='siliconflow', most=1)
FAL = BodyWay(
    *('fal', '{model}/edit'),
    takes_mask=True,
    fields=_fal,
    unsupported=('sampler', 'quality', 'response_format'),
    spellings=(('image_urls', 'image_url'),),
)
GEMINI = BodyWay(
    *('gemini', 'models/{model}:generateContent'),
    most=14,
    fields=_gemini,
    unsupported=(*_ONLY_WORDS, 'negative_prompt', 'n'),
)
BFL = BodyWay(
    *('bfl', '{model}'),
    most=4,
    fields=_bfl,
    unsupported=('sampler', 'strength', 'quality', 'response_format', 'negative_prompt', 'n'),
)
BFL_FILL = replace(
    BFL,
    name='bfl-fill',
    takes_mask=True,
    most=1,
    fields=_bfl_fill,
    spellings=(('image', 'input_image'),),
)
REFERENCES = Way('references', 'images', Dialect.OPENROUTER)
CHAT = Way('chat', CHAT_COMPLETIONS, Dialect.CHAT)
IMG2IMG = Way('img2img', 'img2img', Dialect.SDAPI, takes_mask=True)
WAYS: Mapping[str, Way] = MappingProxyType(
    {
        way.name: way
        for way in (
            *(FORM, OPENAI, VLLM, XINFERENCE, SD_CPP, JSON, OPENAI_JSON, XAI),
            *(LOCALAI, LOCALAI_INPAINTING, OPEN_WEBUI, TOGETHER, SEEDREAM, SILICONFLOW),
            *(FAL, GEMINI, BFL, BFL_FILL),
            *(REFERENCES, CHAT, IMG2IMG),
        )
    }
)
