"""Servers that start from pictures by an API of their own, and some that do not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.providers.response.json_text import Json
from tests.support.edit_input import colours_of
from tests.support.edit_servers import DATA_URL, Refused, from_base64, opened, where_white
from tests.support.json_edit_servers import JsonServer, listed, one_or_list
from tests.support.provider_calls import B64

CHECKPOINTS: Json = [{'title': 'x.ckpt', 'model_name': 'x'}]


@dataclass
class Automatic(JsonServer):
    """Reads the alpha of a mask that has some, opaque as what may change, else its grey."""

    base_url: ClassVar[str] = 'http://images.test:7860'
    path: ClassVar[str] = '/sdapi/v1/img2img'
    drawing: ClassVar[str] = '/sdapi/v1/txt2img'
    lists: ClassVar[Mapping[str, Json]] = {'/sdapi/v1/sd-models': CHECKPOINTS}

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        found = listed(body.get('init_images')) + listed(body.get('extra_images', []))
        return [from_base64(one) for one in found]

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        text = body.get('mask')
        if not isinstance(text, str):  # a list is ignored
            return None
        mask = from_base64(text)
        if mask.mode == 'RGBA' and mask.getchannel('A').getextrema() != (255, 255):
            return mask.getchannel('A').point(lambda value: 255 if value > 127 else 0)
        return where_white(mask)

    def answer(self) -> Json:
        return {'images': [B64], 'parameters': {}, 'info': '{}'}


@dataclass
class KoboldCpp(Automatic):
    """Has the images API for words alone."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    drawing: ClassVar[str] = '/v1/images/generations'
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'koboldcpp/x', 'owned_by': 'koboldcpp'}]},
        '/sdapi/v1/sd-models': CHECKPOINTS,
    }


@dataclass
class LocalAi(JsonServer):
    """Takes raw base64 where it draws from words, and masks at a path of its own."""

    path: ClassVar[str] = '/v1/images/generations'
    drawing: ClassVar[str] = ''
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'object': 'list', 'data': [{'id': 'flux', 'object': 'model'}]},
        '/.well-known/localai.json': {'version': 'v3', 'endpoints': {}},
    }

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        assert body.get('size') == '24x16'
        found = [*listed(body.get('files', [])), *listed(body.get('ref_images', []))]
        return [from_base64(one) for one in [body['file'], *found]]

    async def post(self, path: str, request: Request) -> Response | None:
        if path != '/v1/images/inpainting':
            return await super().post(path, request)
        async with request.form() as form:
            wrong = {'model', 'prompt', 'image', 'mask'} ^ ({*form} - {'steps'})
            image, mask = form.get('image'), form.get('mask')
            if wrong or not image or not mask or isinstance(image, str) or isinstance(mask, str):
                raise Refused(400, {'error': {'code': 400, 'message': f'{wrong}'}})
            self.colours = colours_of([opened(await image.read())])
            self.edited = where_white(opened(await mask.read()))
        return self.draw()


@dataclass
class OpenWebUi(JsonServer):
    """Answers with a bare list."""

    takes_mask: ClassVar[bool] = False
    base_url: ClassVar[str] = 'http://images.test/api/v1'
    path: ClassVar[str] = '/api/v1/images/edit'
    drawing: ClassVar[str] = '/api/v1/images/generations'
    lists: ClassVar[Mapping[str, Json]] = {'/api/config': {'name': 'x', 'version': '0.12.4'}}

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(body, 'image')
        return [from_base64(one, DATA_URL) for one in one_or_list(body.get('image'))]

    def answer(self) -> Json:
        return [{'url': f'{DATA_URL}{B64}'}]


@dataclass
class Together(JsonServer):
    """Takes references where it draws from words."""

    takes_mask: ClassVar[bool] = False
    base_url: ClassVar[str] = 'https://api.together.xyz/v1'
    path: ClassVar[str] = '/v1/images/generations'

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(
            body, 'image_url', 'reference_images', 'width', 'height', 'steps', 'seed'
        )
        found = listed(body.get('reference_images', []))
        one = [body['image_url']] if 'image_url' in body else []
        return [from_base64(url, DATA_URL) for url in [*one, *found]]


@dataclass
class Seedream(Together):
    """Takes `image`, one or a list."""

    base_url: ClassVar[str] = 'https://ark.ap-southeast.bytepluses.com/api/v3'
    path: ClassVar[str] = '/api/v3/images/generations'

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(body, 'image')
        return [from_base64(one, DATA_URL) for one in one_or_list(body.get('image'))]


@dataclass
class Fal(JsonServer):
    """Has a path for each model."""

    base_url: ClassVar[str] = 'https://fal.run'
    path: ClassVar[str] = '/flux/edit'
    known: ClassVar[tuple[str, ...]] = ('prompt', 'num_images', 'image_size', 'seed')

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        if not self.headers.get('authorization', '').startswith('Key '):
            raise Refused(401, {'detail': 'No user found for Key ID and Secret'})
        self.refuse_unknown(body, 'image_urls', 'mask_url')
        return [from_base64(one, DATA_URL) for one in listed(body.get('image_urls'))]

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        url = body.get('mask_url')
        return where_white(from_base64(url, DATA_URL)) if url else None

    def answer(self) -> Json:
        return {'images': [{'url': f'{DATA_URL}{B64}'}]}


@dataclass
class LocalTogether(Together):
    """The same behind another name, told by its list of models."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': [{'id': 'flux', 'type': 'image', 'display_name': 'F', 'organization': 'B'}]
    }


@dataclass
class LocalSeedream(Seedream):
    """The same behind another name, told by its path and the model."""

    base_url: ClassVar[str] = 'http://images.test/api/v3'
    model: ClassVar[str] = 'seedream-4-0'


@dataclass
class LocalFal(Fal):
    """The same behind another name, told by the model."""

    base_url: ClassVar[str] = 'http://images.test'
    model: ClassVar[str] = 'fal-ai/flux'
    lists: ClassVar[Mapping[str, Json]] = {}
    path: ClassVar[str] = '/fal-ai/flux/edit'


@dataclass
class BareTogether(LocalTogether):
    """Its list says no more than a kind."""

    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': [{'id': 'flux', 'object': 'model', 'type': 'image'}]
    }


@dataclass
class G4f(JsonServer):
    """Draws from words alone, and ignores pictures there."""

    path: ClassVar[str] = ''
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'flux', 'image': False, 'provider': False}]}
    }

    async def post(self, path: str, request: Request) -> Response | None:
        return self.draw() if path in (self.drawing, '/v1/chat/completions') else None


@dataclass
class NewApi(G4f):
    """Says that it has no edits."""

    def missing(self) -> Response:
        error: Json = {'message': 'API not implemented', 'code': 'api_not_implemented'}
        return JSONResponse({'error': error}, 501)


OWN_SERVERS = (
    *(Automatic, KoboldCpp, LocalAi, OpenWebUi, Together, LocalTogether, BareTogether),
    *(Seedream, LocalSeedream, Fal, LocalFal),
)
