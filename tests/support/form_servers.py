"""Servers with multipart edits, each as strict as its code or its documentation is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.providers.response.json_text import Json
from tests.support.edit_servers import (
    FormServer,
    Refused,
    unknown_parameter,
    unprocessable,
    where_clear,
)
from tests.support.provider_calls import B64


@dataclass
class OpenAi(FormServer):
    """Refuses what it does not know; the mask is read by its alpha."""

    base_url: ClassVar[str] = 'https://api.openai.com/v1'
    known: ClassVar[tuple[str, ...]] = ('model', 'prompt', 'n', 'size', 'background')

    def check(self, form: FormData) -> None:
        names = {*self.known, 'image', 'image[]', 'mask'}
        for name in form:
            if name not in names:
                raise unknown_parameter(name)
        if len(form.getlist('image')) > 1 or len(form.getlist('image[]')) > 16:
            raise Refused(400, {'error': {'message': 'Duplicate parameter', 'param': 'image'}})

    def read_mask(self, mask: Image.Image) -> Image.Image:
        return where_clear(mask)


@dataclass
class Azure(OpenAi):
    """The model is in the path, and the key in a header of its own."""

    base_url: ClassVar[str] = 'https://me.openai.azure.com/openai/deployments/pic?api-version=1'
    known: ClassVar[tuple[str, ...]] = ('prompt', 'n', 'size')
    edits: ClassVar[str] = '/openai/deployments/pic/images/edits'

    def check(self, form: FormData) -> None:
        if 'api-key' not in self.headers:
            raise Refused(401, {'error': {'message': 'Access denied due to invalid key'}})
        super().check(form)


@dataclass
class LiteLlm(FormServer):
    """Refuses both names at once, and a text for a file."""

    def read_mask(self, mask: Image.Image) -> Image.Image:
        return where_clear(mask)


@dataclass
class StableDiffusionCpp(FormServer):
    """Skips a picture of one channel and draws on; reads the mask without its alpha."""

    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'sd-cpp-local', 'object': 'model', 'owned_by': 'local'}]}
    }

    def loads(self, picture: Image.Image) -> bool:
        return picture.mode in ('RGB', 'RGBA')

    def sources(self, form: FormData) -> list[UploadFile | str]:
        return form.getlist('image[]') or form.getlist('image')


@dataclass
class VllmOmni(FormServer):
    """Has no field `mask`, and drops one."""

    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'flux', 'object': 'model', 'owned_by': 'vllm'}]}
    }
    mask_name: ClassVar[str] = 'mask_image'

    def check(self, form: FormData) -> None:
        if form.get('response_format', 'b64_json') != 'b64_json':
            error: Json = {'message': 'only b64_json', 'param': 'response_format', 'code': 400}
            raise Refused(400, {'error': error})


@dataclass
class Sglang(FormServer):
    """Takes a mask and never uses it."""

    takes_mask: ClassVar[bool] = False
    ignores_mask: ClassVar[bool] = True
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'flux', 'object': 'model', 'task_type': 'I2I'}]}
    }
    mask_name: ClassVar[str] = 'nothing'


@dataclass
class Xinference(FormServer):
    """Without a format it names a path of its own disk."""

    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {
            'data': [{'id': 'flux', 'model_type': 'image', 'model_ability': ['image2image']}]
        }
    }

    def draw(self, tree: Json = None) -> Response:
        super().draw(tree)
        is_inline = self.fields.get('response_format') == 'b64_json'
        row = {'b64_json': B64} if is_inline else {'url': '/home/me/.xinference/image/x.jpg'}
        return JSONResponse({'created': 1, 'data': [row]})


@dataclass
class OnlyList(FormServer):
    """Takes `image[]` alone, also for one picture."""

    def sources(self, form: FormData) -> list[UploadFile | str]:
        if 'image[]' not in form:
            raise unprocessable('image[]')
        return form.getlist('image[]')


@dataclass
class OnlyRepeated(FormServer):
    """Takes `image` alone, as often as there are pictures."""

    def sources(self, form: FormData) -> list[UploadFile | str]:
        if 'image' not in form:
            raise unprocessable('image')
        return form.getlist('image')


@dataclass
class StrictMask(FormServer):
    """Knows a mask by another name, and says so."""

    mask_name: ClassVar[str] = 'mask_image'

    def check(self, form: FormData) -> None:
        if 'mask' in form:
            raise unknown_parameter('mask')


@dataclass
class NanoGpt(FormServer):
    """Has the second images API too, which takes no mask."""

    base_url: ClassVar[str] = 'https://nano-gpt.com/api/v1'
    edits: ClassVar[str] = '/api/v1/images/edits'
    lists: ClassVar[Mapping[str, Json]] = {
        '/api/v1/models': {'data': [{'id': 'flux', 'object': 'model', 'owned_by': 'me'}]},
        '/api/v1/images/models': {'data': [{'id': 'other', 'supported_parameters': {}}]},
    }

    async def post(self, path: str, request: Request) -> Response | None:
        if path == '/api/v1/images':
            return self.draw()
        return await super().post(path, request)


FORM_SERVERS = (
    *(OpenAi, Azure, LiteLlm, StableDiffusionCpp, VllmOmni, Sglang, Xinference),
    *(OnlyList, OnlyRepeated, StrictMask),
)
