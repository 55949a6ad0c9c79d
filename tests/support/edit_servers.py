"""What servers for edits have in common: each a whole server in this process, which counts.

They are as strict as the real ones about names, types and file names of fields, and read a mask as
those do.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.providers.response.json_text import Json
from tests.support.edit_input import Colour, colours_of
from tests.support.provider_calls import B64

DATA = {'created': 1, 'data': [{'b64_json': B64}]}
DATA_URL = 'data:image/png;base64,'


class Refused(Exception):
    """A server says no, before any work."""

    def __init__(self, status: int, tree: Json) -> None:
        super().__init__(status)
        self.response = JSONResponse(tree, status)


def unprocessable(name: str, message: str = 'Field required') -> Refused:
    """Refuse as FastAPI does."""
    return Refused(422, {'detail': [{'loc': ['body', name], 'msg': message, 'type': 'missing'}]})


def unknown_parameter(name: str) -> Refused:
    """Refuse as OpenAI does."""
    message = f"Unknown parameter: '{name}'."
    error: Json = {'message': message, 'param': name, 'code': 'unknown_parameter'}
    return Refused(400, {'error': error})


@dataclass
class EditServer:
    """A server that draws for money.

    Attributes:
        base_url: Its API's root, as it is set in Easel.
        lists: What a GET of each path gives.
        takes_mask: Whether it goes by a mask.
        ignores_mask: Whether it takes one and does not go by it.
        drawings: How often it was paid.
        posts: The paths that were asked, paid or not.
        fields: The texts of the last drawing.
        colours: Of the pictures that it started from, in their order.
        edited: Where it would change something, white.
    """

    base_url: ClassVar[str] = 'http://images.test/v1'
    model: ClassVar[str] = 'flux'
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/models': {'data': [{'id': 'flux', 'object': 'model', 'owned_by': 'me'}]}
    }
    takes_mask: ClassVar[bool] = True
    ignores_mask: ClassVar[bool] = False

    drawings: int = 0
    posts: list[str] = field(default_factory=list)
    fields: dict[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    colours: tuple[Colour, ...] = ()
    edited: Image.Image | None = None

    def app(self) -> ASGIApp:
        return Starlette(routes=[Route('/{path:path}', self._answer, methods=['GET', 'POST'])])

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if request.method == 'GET':
            found = self.lists.get(path)
            return self.missing() if found is None else JSONResponse(found)
        self.posts.append(path)
        if 'content-length' not in request.headers or 'transfer-encoding' in request.headers:
            return JSONResponse({'error': 'a body has a length here'}, 411)
        self.headers = request.headers
        try:
            response = await self.post(path, request)
        except Refused as refused:
            return refused.response
        return response or self.missing()

    def missing(self) -> Response:
        return JSONResponse({'detail': 'Not Found'}, 404)

    async def post(self, path: str, request: Request) -> Response | None:
        """Answer a POST; None where there is no such path."""
        return None

    def draw(self, tree: Json = None) -> Response:
        self.drawings += 1
        return JSONResponse(tree or DATA)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def from_base64(text: Json, prefix: str = '') -> Image.Image:
    """Decode base64 behind a prefix, as strictly as Go or C++ does."""
    if not isinstance(text, str) or not text.startswith(prefix):
        raise Refused(400, {'error': 'not a picture'})
    try:
        return opened(base64.b64decode(text.removeprefix(prefix), validate=True))
    except ValueError:
        raise Refused(400, {'error': 'illegal base64 data'}) from None


def where_white(mask: Image.Image) -> Image.Image:
    """Read a mask by its grey; what alpha it has does not count."""
    channel = mask.convert('RGB').convert('L')
    return channel.point(lambda value: 255 if value >= 128 else 0)


def where_clear(mask: Image.Image) -> Image.Image:
    """Read a mask by its alpha: what is clear may change."""
    if mask.mode != 'RGBA':
        message = "Invalid input image - format must be in ['RGBA', 'LA', 'L']"
        raise Refused(400, {'error': {'message': message}})
    return mask.getchannel('A').point(lambda value: 255 if value == 0 else 0)


async def json_of(request: Request) -> dict[str, Json]:
    if request.headers.get('content-type') != 'application/json':
        raise Refused(415, {'error': 'Expected request with `Content-Type: application/json`'})
    tree: dict[str, Json] = json.loads(await request.body())
    return tree


@dataclass
class FormServer(EditServer):
    """A server with multipart edits; others than its own fields are dropped without a word."""

    known: ClassVar[tuple[str, ...]] = (
        *('model', 'prompt', 'n', 'size', 'response_format', 'seed', 'negative_prompt'),
    )
    one_name: ClassVar[str] = 'image'
    many_name: ClassVar[str] = 'image[]'
    mask_name: ClassVar[str] = 'mask'
    edits: ClassVar[str] = '/v1/images/edits'

    async def post(self, path: str, request: Request) -> Response | None:
        if path != self.edits:
            return None
        if not request.headers.get('content-type', '').startswith('multipart/form-data;'):
            raise Refused(415, {'error': {'message': 'Expected multipart/form-data'}})
        async with request.form() as form:
            self.fields = {name: one for name, one in form.multi_items() if isinstance(one, str)}
            self.check(form)
            pictures = [await self.picture(one) for one in self.sources(form)]
            self.colours = colours_of([one for one in pictures if self.loads(one)])
            mask = form.get(self.mask_name)
            if mask is not None:
                found = await self.picture(mask)
                assert found.size == pictures[0].size
                self.edited = self.read_mask(found)
        return self.draw()

    def check(self, form: FormData) -> None:
        """Raise `Refused` where it would."""

    def loads(self, picture: Image.Image) -> bool:
        return True

    def sources(self, form: FormData) -> list[UploadFile | str]:
        one, many = form.getlist(self.one_name), form.getlist(self.many_name)
        if one and many and self.one_name != self.many_name:
            raise unprocessable('image', 'Only one of image and image[]')
        if not one and not many:
            raise unprocessable(self.one_name)
        return [*one, *many] if self.one_name != self.many_name else one

    async def picture(self, part: UploadFile | str) -> Image.Image:
        if isinstance(part, str) or not part.filename:
            raise unprocessable('image', 'Expected UploadFile')
        if not (part.content_type or '').startswith('image/'):
            raise Refused(400, {'error': {'message': f'unsupported mimetype {part.content_type}'}})
        return opened(await part.read())

    def read_mask(self, mask: Image.Image) -> Image.Image:
        return where_white(mask)
