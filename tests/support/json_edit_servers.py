"""Servers that take pictures to start from in JSON, each as strict as it is documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from app.providers.response.json_text import Json
from tests.support.edit_input import colours_of
from tests.support.edit_servers import (
    DATA_URL,
    EditServer,
    Refused,
    from_base64,
    json_of,
    unknown_parameter,
    unprocessable,
    where_clear,
    where_white,
)
from tests.support.provider_calls import B64

OURS: Json = {'data': [{'id': 'flux', 'object': 'model', 'owned_by': 'me'}]}


def listed(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise unprocessable('images', 'Input should be a valid list')
    return value


def one_or_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def inside(value: Json, name: str) -> Json:
    if not isinstance(value, dict) or set(value) - {name, 'type'}:
        raise unprocessable('images')
    return value.get(name)


@dataclass
class JsonServer(EditServer):
    """A server with one path for edits, and fields that it knows; others are refused.

    Attributes:
        path: Of its edits.
        drawing: A path that draws from words alone, and is paid for that.
    """

    path: ClassVar[str] = '/v1/images/edits'
    drawing: ClassVar[str] = '/v1/images/generations'
    known: ClassVar[tuple[str, ...]] = ('model', 'prompt', 'n', 'size')

    async def post(self, path: str, request: Request) -> Response | None:
        if path == self.path:
            body = await json_of(request)
            self.fields = dict(body)
            pictures = self.pictures(body)
            if pictures:
                self.colours = colours_of(pictures)
                self.edited = self.mask(body)
            return self.draw(self.answer())
        return self.draw() if path == self.drawing else None

    def answer(self) -> Json:
        return None

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        """Read the pictures to start from, in their order; raise `Refused` where it would."""
        raise unprocessable('prompt')  # one that has no way to start from pictures

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        return None

    def refuse_unknown(self, body: Mapping[str, Json], *more: str) -> None:
        for name in body:
            if name not in (*self.known, *more):
                raise unknown_parameter(name)


@dataclass
class OpenAiJson(JsonServer):
    """A gateway that takes OpenAI's JSON alone, and lists OpenAI's models."""

    lists: ClassVar[Mapping[str, Json]] = {'/v1/models': {'data': [{'id': 'gpt-image-2'}]}}

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(body, 'images', 'mask')
        urls = [inside(one, 'image_url') for one in listed(body.get('images'))]
        return [from_base64(url, DATA_URL) for url in urls]

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        mask = body.get('mask')
        return where_clear(from_base64(inside(mask, 'image_url'), DATA_URL)) if mask else None


@dataclass
class Xai(JsonServer):
    """Takes one picture or a list of at most three, each `{url}`, never both, and no size."""

    base_url: ClassVar[str] = 'https://api.x.ai/v1'
    known: ClassVar[tuple[str, ...]] = ('model', 'prompt', 'n', 'aspect_ratio', 'response_format')

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(body, 'image', 'images', 'mask')
        if ('image' in body) == ('images' in body):
            raise unprocessable('image')
        found = [body['image']] if 'image' in body else listed(body['images'])
        if len(found) > 3:
            raise Refused(400, {'code': '400', 'error': 'at most 3 images'})
        return [from_base64(inside(one, 'url'), DATA_URL) for one in found]

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        mask = body.get('mask')
        return where_white(from_base64(inside(mask, 'url'), DATA_URL)) if mask else None


@dataclass
class LocalXai(Xai):
    """The same behind another name, told by its list of models."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'flux', 'object': 'model', 'owned_by': 'xai'}]}
    }


@dataclass
class NamelessXai(Xai):
    """The same behind another name, and nothing that tells it."""

    base_url: ClassVar[str] = 'http://images.test'
    path: ClassVar[str] = '/v1/images/edits'
    lists: ClassVar[Mapping[str, Json]] = {'/v1/models': OURS}


@dataclass
class OpenRouter(JsonServer):
    """Has the second images API with references, and nothing at the paths of the first."""

    takes_mask: ClassVar[bool] = False
    base_url: ClassVar[str] = 'https://openrouter.ai/api/v1'
    path: ClassVar[str] = '/api/v1/images'
    lists: ClassVar[Mapping[str, Json]] = {
        '/api/v1/models': OURS,
        '/api/v1/images/models': {'data': [{'id': 'flux', 'supported_parameters': {}}]},
    }

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.refuse_unknown(body, 'input_references')
        found = listed(body.get('input_references'))
        urls = [inside(inside(one, 'image_url'), 'url') for one in found]
        return [from_base64(url, DATA_URL) for url in urls]


@dataclass
class LocalOpenRouter(OpenRouter):
    """The same behind another name, without its list."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    path: ClassVar[str] = '/v1/images'
    lists: ClassVar[Mapping[str, Json]] = {}


@dataclass
class Chat(JsonServer):
    """Draws in chats, with a model that its list flags as one that does."""

    takes_mask: ClassVar[bool] = False
    path: ClassVar[str] = '/v1/chat/completions'
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {
            'data': [{'id': 'flux', 'architecture': {'output_modalities': ['image', 'text']}}]
        }
    }

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        [message] = listed(body.get('messages'))
        content = message['content'] if isinstance(message, dict) else None
        *pictures, text = listed(content)
        assert text == {'type': 'text', 'text': 'a cat'}
        urls = [inside(inside(one, 'image_url'), 'url') for one in pictures]
        return [from_base64(url, DATA_URL) for url in urls]

    def answer(self) -> Json:
        image: Json = {'type': 'image_url', 'image_url': {'url': f'{DATA_URL}{B64}'}}
        return {'choices': [{'message': {'content': '', 'images': [image]}}]}


@dataclass
class Gemini(JsonServer):
    """Takes parts; the key goes in a header of its own."""

    takes_mask: ClassVar[bool] = False
    base_url: ClassVar[str] = 'https://generativelanguage.googleapis.com/v1beta/openai'
    path: ClassVar[str] = '/v1beta/models/flux:generateContent'

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        if 'x-goog-api-key' not in self.headers:
            raise Refused(401, {'error': {'message': 'API key not valid'}})
        [content] = listed(body.get('contents'))
        parts = listed(content['parts'] if isinstance(content, dict) else None)
        data = [one['inlineData'] for one in parts if isinstance(one, dict) and 'text' not in one]
        assert all(isinstance(one, dict) and one['mimeType'] == 'image/png' for one in data)
        return [from_base64(one['data']) for one in data if isinstance(one, dict)]

    def answer(self) -> Json:
        data: Json = {'mimeType': 'image/png', 'data': B64}
        return {'candidates': [{'content': {'parts': [{'text': 'here'}, {'inlineData': data}]}}]}


@dataclass
class BareGemini(Gemini):
    """The same by its host alone."""

    base_url: ClassVar[str] = 'https://generativelanguage.googleapis.com'


@dataclass
class LocalGemini(Gemini):
    """The same behind another name, told by its path."""

    base_url: ClassVar[str] = 'http://images.test/v1beta'


JSON_SERVERS = (
    *(OpenAiJson, Xai, LocalXai, NamelessXai, OpenRouter, LocalOpenRouter),
    *(Chat, Gemini, BareGemini, LocalGemini),
)
