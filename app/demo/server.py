"""An OpenAI-shaped images API that answers with sketches; an ASGI app without stored state.

It fails or ignores a mask on demand, for trying out a client: the model's name says how.
"""

import asyncio
import base64
import contextlib
import json
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import partial
from threading import Thread

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from app.demo.request import MODELS, DrawRequest, RequestError, read_model, read_request
from app.demo.uploads import read_edit, read_json

log = logging.getLogger(__name__)

_KEPT_PICTURES = 64
_KEPT_BYTES = 256 * 1024 * 1024
_AT_ONCE = 2  # pictures being drawn; each can need a few hundred megabytes
_NONE = {'image_tokens': 0, 'text_tokens': 0}
_USAGE = {'input_tokens': 0, 'input_tokens_details': _NONE, 'output_tokens': 0, 'total_tokens': 0}
_LONGEST_WAIT_S = 600
_PAGE = '<!doctype html><title>Sign in</title><h1>This is a page, not an answer</h1>'
# status: type, code, message; worded as the services word them.
_INVALID = 'invalid_request_error'
_REJECTED = 'Your request was rejected by the safety system.'
_UNVERIFIED = 'Your organization must be verified to use this model.'
_ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: (_INVALID, 'content_policy_violation', _REJECTED),
    401: (_INVALID, 'invalid_api_key', 'Incorrect API key provided: none.'),
    403: (_INVALID, 'unsupported_country_region_territory', _UNVERIFIED),
    404: (_INVALID, 'model_not_found', "The model 'fail-404' does not exist."),
    422: (_INVALID, 'unprocessable', 'The size is not one this model can draw.'),
    429: ('rate_limit_error', 'rate_limit_exceeded', 'Rate limit reached. Try again in 20 s.'),
    500: ('server_error', None, 'The server had an error while drawing.'),
    502: ('server_error', None, 'The server behind this one did not answer.'),
}
Draw = Callable[[int], list[bytes]]  # from an index to its stages as PNG files, the picture last


@dataclass(frozen=True, slots=True)
class _Work:
    """What one request asks for; `kind` begins the names of its events."""

    spec: DrawRequest
    draw: Draw
    kind: str


def create_demo() -> ASGIApp:
    demo = _Demo()
    app = Starlette(
        routes=[
            Route('/v1/images/generations', demo.generate, methods=['POST']),
            Route('/v1/images/edits', demo.edit, methods=['POST']),
            Route('/v1/models', demo.models),
            Route('/media/{name}', demo.media),
        ],
        exception_handlers={RequestError: _on_error, HTTPException: _on_error},
    )
    app.router.redirect_slashes = False
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestError):
        return _error_response(error.message, error.status, param=error.param, code=error.code)
    if not isinstance(error, HTTPException):
        raise error
    message = f'{error.detail}: {request.method} {request.url.path}'
    response = _error_response(message, error.status_code)
    response.headers.update(error.headers or {})
    return response


class _Demo:
    """The endpoints and the pictures they keep."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def models(self, _request: Request) -> Response:
        kind = {'object': 'model', 'created': 0, 'owned_by': 'easel', 'type': 'image'}
        models = [{'id': name, **kind} for name in MODELS]
        return JSONResponse({'object': 'list', 'data': models})

    async def media(self, request: Request) -> Response:
        content = self._pictures.get(request.path_params['name'])
        if content is None:
            message = 'There is no such picture, or no longer.'
            raise RequestError(message, code='not_found', status=404)
        return Response(content, media_type='image/png')

    async def generate(self, request: Request) -> Response:
        fields = await read_json(request)
        if failure := _requested_failure(read_model(fields), _origin(request)):
            return failure
        from app.demo.render import draw_stages

        spec = read_request(fields)
        work = _Work(spec, partial(draw_stages, spec), 'image_generation')
        return await self._respond(request, work)

    async def edit(self, request: Request) -> Response:
        fields, uploads = await read_edit(request)
        with contextlib.ExitStack() as opened:
            opened.callback(uploads.close)
            if failure := _requested_failure(read_model(fields), _origin(request)):
                return failure
            from app.demo.render import edit_stages

            spec = read_request(fields)
            work = _Work(spec, partial(edit_stages, spec, uploads), 'image_edit')
            response = await self._respond(request, work)
            if spec.streams:
                response.background = BackgroundTask(opened.pop_all().close)
            return response

    async def _respond(self, request: Request, work: _Work) -> Response:
        spec = work.spec
        if spec.streams:
            first = await self._draw(work.draw, 0)  # refused before the stream opens
            return StreamingResponse(
                self._events(work, first),
                media_type='text/event-stream',
                headers={'Cache-Control': 'no-cache'},
            )
        await asyncio.sleep(_delay_s(spec.model))
        pictures = []
        for index in range(spec.count):
            picture = (await self._draw(work.draw, index))[-1]
            if spec.inline:
                pictures.append({'b64_json': _base64(picture), 'revised_prompt': spec.prompt})
            else:
                url = f'{_origin(request)}/media/{self._keep(picture)}'
                pictures.append({'url': url, 'revised_prompt': spec.prompt})
        log.info('drew %s of %s', spec.count, _size_of(picture))
        return JSONResponse(
            {'created': int(time.time()), 'data': pictures, 'model': spec.model, 'provider': 'demo'}
        )

    async def _draw(self, draw: Draw, index: int) -> list[bytes]:
        async with self._places:
            return await asyncio.wrap_future(_in_thread(partial(draw, index)))

    def _keep(self, picture: bytes) -> str:
        """Keep a picture under a new name, and drop the oldest beyond the limits."""
        name, kept = f'{secrets.token_urlsafe(18)}.png', self._pictures
        kept[name] = picture
        while len(kept) > 1 and (
            len(kept) > _KEPT_PICTURES or sum(map(len, kept.values())) > _KEPT_BYTES
        ):
            kept.popitem(last=False)
        return name

    async def _events(self, work: _Work, first: list[bytes]) -> AsyncIterator[str]:
        spec = work.spec
        pause_s = _delay_s(spec.model) / (spec.count * len(first))
        for index in range(spec.count):
            stages = first if index == 0 else await self._draw(work.draw, index)
            for number, picture in enumerate(stages):
                await asyncio.sleep(pause_s)
                finished = number == len(stages) - 1
                name = f'{work.kind}.{"completed" if finished else "partial_image"}'
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


def _origin(request: Request) -> str:
    return f'{request.url.scheme}://{request.headers.get("host") or request.url.netloc}'


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _size_of(picture: bytes) -> str:
    """Return the size that a PNG's header states. Source: PNG specification, 11.2.1."""
    return f'{int.from_bytes(picture[16:20])}x{int.from_bytes(picture[20:24])}'


def _error_response(
    message: str,
    status: int,
    kind: str = _INVALID,
    param: str | None = None,
    code: str | None = None,
) -> JSONResponse:
    error = {'message': message, 'type': kind, 'param': param, 'code': code}
    return JSONResponse({'error': error}, status)


def _in_thread(draw: Callable[[], list[bytes]]) -> Future[list[bytes]]:
    """Draw in a thread that the end of the process does not wait for, as it would for a pool's."""
    drawn = Future[list[bytes]]()

    def work() -> None:
        try:
            stages = draw()
        except Exception as error:
            finish = partial(drawn.set_exception, error)
        else:
            finish = partial(drawn.set_result, stages)
        with contextlib.suppress(InvalidStateError):  # nobody waits for it any more
            finish()

    Thread(target=work, name='demo', daemon=True).start()
    return drawn


def _requested_failure(model: str, origin: str) -> Response | None:
    if not model.startswith('fail-'):
        return None
    name = model.removeprefix('fail-')
    if name.isascii() and name.isdigit() and int(name[:4]) in _ERRORS:
        status = int(name[:4])
        kind, code, message = _ERRORS[status]
        response = _error_response(message, status, kind, code=code)
        if status == 429:
            response.headers['Retry-After'] = '20'
        return response
    if name == 'html':
        return HTMLResponse(_PAGE)
    if name == 'json':
        return Response('{"created": 1, "data": [{"b64_js', media_type='application/json')
    pictures: dict[str, list[dict[str, str]]] = {
        'empty': [],
        'not-an-image': [{'b64_json': _base64(_PAGE.encode())}],
        'lost': [{'url': f'{origin}/media/lost.png'}],
    }
    if name not in pictures:
        return None
    return JSONResponse({'created': int(time.time()), 'data': pictures[name], 'model': model})


def _delay_s(model: str) -> float:
    """Return how many seconds a model named `slow-N` takes before it responds; 0 for any other."""
    match = re.fullmatch(r'slow-([0-9]{1,6}(?:\.[0-9]{1,3})?)', model)
    return min(float(match[1]), _LONGEST_WAIT_S) if match else 0.0
