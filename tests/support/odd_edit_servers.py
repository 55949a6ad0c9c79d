"""Servers that are like several others at once, or like none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response

from app.providers.response.json_text import Json
from tests.support.edit_servers import EditServer, Refused, json_of, unprocessable
from tests.support.json_edit_servers import OURS, Chat, OpenAiJson
from tests.support.own_edit_servers import CHECKPOINTS, Automatic


@dataclass
class ChatWithCheckpoints(Automatic):
    """Draws in chats, which take no mask, and has Stable Diffusion's own API."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    lists: ClassVar[Mapping[str, Json]] = {**Chat.lists, '/sdapi/v1/sd-models': CHECKPOINTS}

    async def post(self, path: str, request: Request) -> Response | None:
        return self.draw() if path == Chat.path else await super().post(path, request)


@dataclass
class Picky(EditServer):
    """Refuses the picture by its name, whatever that is."""

    async def post(self, path: str, request: Request) -> Response | None:
        if path == '/v1/images/edits':
            raise unprocessable('image', 'no such thing here')
        return None


@dataclass
class Moved(EditServer):
    """Takes JSON; where it was before, a form that it refuses by the picture's name."""

    base_url: ClassVar[str] = 'http://images.test/new/v1'

    async def post(self, path: str, request: Request) -> Response | None:
        if request.headers['content-type'] != 'application/json':
            raise unprocessable('image')
        body = await json_of(request)
        return self.draw() if path == '/new/v1/images/edits' and 'image' in body else None


@dataclass
class Curt(OpenAiJson):
    """Says nothing of a form, lists no model of OpenAI's, and has pictures named as OpenAI has."""

    lists: ClassVar[Mapping[str, Json]] = {'/v1/models': OURS}

    async def post(self, path: str, request: Request) -> Response | None:
        if path == self.path:
            if request.headers['content-type'] != 'application/json':
                raise Refused(400, {'error': 'Bad Request'})
            if '"image_url"' not in (await request.body()).decode():
                raise Refused(400, {'error': {'message': 'images[0] must have image_url'}})
        return await super().post(path, request)


@dataclass
class WordsAlone(Chat):
    """Draws in chats and by the second images API, with a model that its list says reads words."""

    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {
            'data': [
                {
                    'id': 'flux',
                    'architecture': {'input_modalities': ['text'], 'output_modalities': ['image']},
                }
            ]
        },
        '/v1/images/models': {'data': [{'id': 'flux'}]},
    }

    async def post(self, path: str, request: Request) -> Response | None:
        return self.draw() if path in (self.path, '/v1/images') else None
