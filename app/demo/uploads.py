"""Reads what an edit is asked with, sent as a form or as JSON, as OpenAI takes both.

Uploads stay in temporary files: sixteen pictures of 50 MB would not fit beside what is drawn.
"""

import base64
import binascii
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message

from app.demo.request import RequestError, typed_fields

MOST_SOURCES = 16
_JSON_LIMIT_BYTES = 1024 * 1024
_JSON_EDIT_LIMIT_BYTES = 32 * 1024 * 1024  # held in memory, unlike a form
_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
_FORM_LIMIT_BYTES = (MOST_SOURCES + 1) * _UPLOAD_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Uploads:
    """The pictures to start from in their order, and the mask of the first; to be closed."""

    sources: tuple[BinaryIO, ...]
    mask: BinaryIO | None

    def close(self) -> None:
        for file in (*self.sources, *filter(None, [self.mask])):
            file.close()


async def read_json(request: Request, limit_bytes: int = _JSON_LIMIT_BYTES) -> dict[str, object]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large()
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError('The request is not valid JSON.', code='invalid_json') from error
    if not isinstance(fields, dict):
        raise RequestError('The request must be a JSON object.', code='invalid_json')
    return fields


async def read_edit(request: Request) -> tuple[dict[str, object], Uploads]:
    """Return the other fields, and what was uploaded."""
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if kind == 'application/json':
        fields = await read_json(request, _JSON_EDIT_LIMIT_BYTES)
        return fields, _of_json(fields)
    if kind != 'multipart/form-data':
        message = 'An edit is sent as multipart/form-data or application/json.'
        raise RequestError(message, code='invalid_content_type')
    try:
        form = await _limited(request).form(max_files=MOST_SOURCES + 2, max_fields=40)
    except OSError as error:
        message = 'There is no room for pictures of this size.'
        raise RequestError(message, code='insufficient_storage', status=507) from error
    try:
        uploads = _of_form(form)
    except RequestError:
        await form.close()
        raise
    return typed_fields(
        {name: text for name, text in form.items() if isinstance(text, str)}
    ), uploads


def _limited(request: Request) -> Request:
    """Return a request whose body ends in a refusal where it grows too long."""
    length = 0

    async def receive() -> Message:
        nonlocal length
        message = await request.receive()
        length += len(message.get('body', b''))
        if length > _FORM_LIMIT_BYTES:
            raise _too_large()
        return message

    return Request(request.scope, receive)


def _of_form(form: FormData) -> Uploads:
    parts = [*form.getlist('image'), *form.getlist('image[]')]
    sources = tuple(_file(part, 'image') for part in parts)
    mask = form.get('mask')
    return Uploads(_counted(sources, 'image'), _file(mask, 'mask') if mask else None)


def _file(part: UploadFile | str, param: str) -> BinaryIO:
    if not isinstance(part, UploadFile):
        raise RequestError(f"'{param}' must be a file.", param, 'invalid_type')
    if (part.size or 0) > _UPLOAD_LIMIT_BYTES:
        raise RequestError(f"'{param}' is too large.", param, 'image_too_large', status=413)
    return part.file


def _of_json(fields: Mapping[str, object]) -> Uploads:
    images = fields.get('images')
    if images is not None and not isinstance(images, list):
        raise RequestError("'images' must be an array.", 'images', 'invalid_type')
    sources = tuple(_decoded(image, f'images[{at}]') for at, image in enumerate(images or ()))
    mask = fields.get('mask')
    return Uploads(_counted(sources, 'images'), _decoded(mask, 'mask') if mask else None)


def _decoded(reference: object, param: str) -> BinaryIO:
    """Read a data URL: the demo fetches nothing, and keeps no files to be named by an id."""
    url = reference.get('image_url') if isinstance(reference, dict) else None
    head, _, content = url.partition(',') if isinstance(url, str) else ('', '', '')
    if not head.startswith('data:image/') or not head.endswith(';base64'):
        message = f"'{param}' must have an 'image_url' that is a data URL in base64."
        raise RequestError(message, param, 'invalid_value')
    try:
        return io.BytesIO(base64.b64decode(content, validate=True))
    except binascii.Error as error:
        message = f"'{param}' is not valid base64."
        raise RequestError(message, param, 'invalid_base64') from error


def _counted(sources: tuple[BinaryIO, ...], param: str) -> tuple[BinaryIO, ...]:
    if not sources:
        raise RequestError(f"Missing required parameter: '{param}'.", param, 'missing_parameter')
    if len(sources) > MOST_SOURCES:
        message = (
            f"Invalid '{param}': array too long. Expected an array with maximum length "
            f'{MOST_SOURCES}, but got an array with length {len(sources)} instead.'
        )
        raise RequestError(message, param, 'array_above_max_length')
    return sources


def _too_large() -> RequestError:
    return RequestError('The request is too large.', code='request_too_large', status=413)
