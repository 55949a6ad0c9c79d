"""An OpenAI-shaped images API that answers with sketches; an ASGI app without stored state."""

import base64
import functools
import json
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from app.demo.failures import error_answer, mishap, wait_of
from app.demo.request import Asked, Refused, model_of, read_asked, typed_fields

log = logging.getLogger(__name__)

_KEPT_PICTURES = 64
_KEPT_BYTES = 256 * 1024 * 1024
_BODY_LIMIT_BYTES = 1024 * 1024
_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
_AT_ONCE = 2  # pictures being drawn; each can need a few hundred megabytes
_USAGE = {
    'input_tokens': 0,
    'input_tokens_details': {'image_tokens': 0, 'text_tokens': 0},
    'output_tokens': 0,
    'total_tokens': 0,
}
# Draws the picture of an index and gives its stages as PNG files, the finished one last.
Draw = Callable[[int], Awaitable[list[bytes]]]


def create_demo() -> ASGIApp:
    """Builds the app; each one keeps the pictures of its own answers for a while."""
    demo = _Demo()
    app = Starlette(
        routes=[
            Route('/v1/images/generations', demo.generate, methods=['POST']),
            Route('/v1/images/edits', demo.edit, methods=['POST']),
            Route('/v1/models', demo.models),
            Route('/media/{name}', demo.media),
        ],
        exception_handlers={Refused: _refused, HTTPException: _not_served},
    )
    app.router.redirect_slashes = False
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return error_answer(error.message, error.status, param=error.param, code=error.code)


async def _not_served(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f'{error.detail}: {request.method} {request.url.path}'
    answer = error_answer(message, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


class _Demo:
    """The pages of the app and the pictures they remember."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._room = anyio.CapacityLimiter(_AT_ONCE)

    async def models(self, _request: Request) -> Response:
        """Lists the one model."""
        model = {'id': 'sketch', 'object': 'model', 'created': 0, 'owned_by': 'easel'}
        return JSONResponse({'object': 'list', 'data': [model | {'type': 'image'}]})

    async def media(self, request: Request) -> Response:
        """Gives a picture that an earlier answer named."""
        content = self._pictures.get(request.path_params['name'])
        if content is None:
            raise Refused('There is no such picture, or no longer.', code='not_found', status=404)
        return Response(content, media_type='image/png')

    async def generate(self, request: Request) -> Response:
        """Draws what the JSON body asks for."""
        fields = await _json_fields(request)
        failure = mishap(model_of(fields), _origin(request))
        if failure:
            return failure
        asked = read_asked(fields)

        async def draw(index: int) -> list[bytes]:
            from app.demo.render import draw_stages

            return await self._in_thread(functools.partial(draw_stages, asked, index))

        return await self._answer(request, asked, draw, 'image_generation')

    async def edit(self, request: Request) -> Response:
        """Paints over the picture that the form brings."""
        if not request.headers.get('content-type', '').startswith('multipart/form-data'):
            raise Refused('An edit is sent as multipart/form-data.', code='invalid_content_type')
        async with request.form(max_files=18, max_fields=40) as form:
            texts = {name: text for name, text in form.items() if isinstance(text, str)}
            image = await _uploaded(form.get('image') or form.get('image[]'), 'image')
            mask = await _uploaded(form.get('mask'), 'mask')
        fields = typed_fields(texts)
        failure = mishap(model_of(fields), _origin(request))
        if failure:
            return failure
        asked = read_asked(fields)
        if not image:
            raise Refused("Missing required parameter: 'image'.", 'image', 'missing_parameter')

        async def draw(index: int) -> list[bytes]:
            from app.demo.render import edit_stages

            return await self._in_thread(functools.partial(edit_stages, asked, index, image, mask))

        return await self._answer(request, asked, draw, 'image_edit')

    async def _in_thread(self, work: Callable[[], list[bytes]]) -> list[bytes]:
        return await anyio.to_thread.run_sync(work, limiter=self._room)

    async def _answer(self, request: Request, asked: Asked, draw: Draw, kind: str) -> Response:
        if asked.streams:
            first = await draw(0)  # what cannot be drawn is refused before the stream opens
            return StreamingResponse(
                _events(asked, draw, first, kind),
                media_type='text/event-stream',
                headers={'Cache-Control': 'no-cache'},
            )
        await anyio.sleep(wait_of(asked.model))
        pictures = [await self._named(request, asked, draw, index) for index in range(asked.count)]
        log.info('drew %s of %sx%s', asked.count, *asked.size_or_default)
        return JSONResponse(
            {
                'created': int(time.time()),
                'data': pictures,
                'model': asked.model,
                'provider': 'demo',
            }
        )

    async def _named(
        self, request: Request, asked: Asked, draw: Draw, index: int
    ) -> dict[str, str]:
        """One entry of an answer: the picture itself, or an address to fetch it from."""
        picture = (await draw(index))[-1]
        if asked.inline:
            return {'b64_json': _base64(picture), 'revised_prompt': asked.prompt}
        name = f'{secrets.token_urlsafe(18)}.png'
        self._keep(name, picture)
        return {'url': f'{_origin(request)}/media/{name}', 'revised_prompt': asked.prompt}

    def _keep(self, name: str, picture: bytes) -> None:
        """Remembers a picture, and forgets the oldest beyond the limits."""
        self._pictures[name] = picture
        while len(self._pictures) > 1 and (
            len(self._pictures) > _KEPT_PICTURES
            or sum(map(len, self._pictures.values())) > _KEPT_BYTES
        ):
            self._pictures.popitem(last=False)


def _origin(request: Request) -> str:
    """The scheme and host that the request was sent to."""
    return f'{request.url.scheme}://{request.headers.get("host") or request.url.netloc}'


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def _json_fields(request: Request) -> dict[str, object]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT_BYTES:
            raise Refused('The request is too large.', code='request_too_large', status=413)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused('The request is not valid JSON.', code='invalid_json') from error
    if not isinstance(fields, dict):
        raise Refused('The request must be a JSON object.', code='invalid_json')
    return fields


async def _uploaded(part: UploadFile | str | None, param: str) -> bytes | None:
    if part is None:
        return None
    if not isinstance(part, UploadFile):
        raise Refused(f"'{param}' must be a file.", param, 'invalid_type')
    if (part.size or 0) > _UPLOAD_LIMIT_BYTES:
        raise Refused(f"'{param}' is too large.", param, 'image_too_large', status=413)
    return await part.read()


async def _events(asked: Asked, draw: Draw, first: list[bytes], kind: str) -> AsyncIterator[str]:
    """The stages of every picture as server-sent events, the wait of `slow-N` spread over them."""
    pause_s = wait_of(asked.model) / (asked.count * len(first))
    for index in range(asked.count):
        stages = first if index == 0 else await draw(index)
        for number, picture in enumerate(stages):
            await anyio.sleep(pause_s)
            finished = number == len(stages) - 1
            name = f'{kind}.completed' if finished else f'{kind}.partial_image'
            event: dict[str, object] = {
                'type': name,
                'b64_json': _base64(picture),
                'created_at': int(time.time()),
                'size': _size_of(picture),
                'quality': 'auto',
                'background': 'opaque',
                'output_format': 'png',
            }
            event |= {'usage': _USAGE} if finished else {'partial_image_index': number}
            yield f'event: {name}\ndata: {json.dumps(event)}\n\n'


def _size_of(png: bytes) -> str:
    """Width and height as the PNG header states them. Source: PNG specification, 11.2.1."""
    return f'{int.from_bytes(png[16:20])}x{int.from_bytes(png[20:24])}'
