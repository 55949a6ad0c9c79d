"""`easel generate`: one prompt, from a terminal or a program."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urljoin

import httpx

from app.cli.serve import run
from app.config import Config, language_of_terminal
from app.errors import AppError, ErrorKind, Failure, InvalidRequest, NotFound
from app.generation.request import parse_request
from app.log import logger
from app.main import TOKEN, open_services
from app.messages import LANGUAGES, error_json
from app.models import DEMO
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.storage.lock import Held, Holder, holding
from app.web.delivery.files import FILE_HEADER
from app.web.views.serializers import generation_json

log = logger(__name__)

POLL_S = 0.3
UNFINISHED = ('queued', 'running')
IMAGE_FIELDS = ('width', 'height', 'mime', 'source_url')
Object: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asked for.

    Attributes:
        forgets: Whether what was learned of the provider in use is dropped first; of all that
            may be used, where none is named.
    """

    fields: Mapping[str, str]
    out: Path | None
    as_json: bool
    forgets: bool = False

    @property
    def language(self) -> str:
        language = language_of_terminal()
        return language if language in LANGUAGES and not self.as_json else 'en'

    def forgets_of(self, provider: object) -> bool:
        return self.forgets and self.fields.get('provider', '') in ('', provider)


class Unfulfilled(Exception):
    """The server did not take the order; the text is its sentence."""


def generate(config: Config, order: Order) -> int:
    """Draw, then print where the pictures are; return the exit status."""
    for warning in config.warnings:
        log.warning('%s', warning)
    try:
        parse_request(order.fields)
        _prepare_out(order.out)
        result = _draw(config, order)
    except InvalidRequest as error:
        for name, wrong in (error.fields or {'': error}).items():
            sys.stderr.write(f'{name}: {wrong}\n' if name else f'{wrong}\n')
        return 2
    except (AppError, Unfulfilled, OSError) as error:
        return _not_even_begun(error, order)
    _copy_out(result, order.out)
    return _print(result, order)


def _draw(config: Config, order: Order) -> Object:
    """Draw here, or have the server draw that holds the data folder."""
    try:
        with holding(config.data):
            return run(_draw_here(config, order))
    except Held as held:
        holder = held.holder
    if not holder.url:
        raise Unfulfilled(f'Process {holder.pid} holds the data folder and does not serve yet.')
    return run(_draw_there(config, order, holder))


async def _draw_here(config: Config, order: Order) -> Object:
    async with open_services(config) as services:
        for provider in services.providers.all():
            if order.forgets_of(provider.name):
                await services.providers.memory.forget(provider.settings.base_url)
        generation = await services.worker.draw_now(parse_request(order.fields))
        paths = [services.store.original(image.file) for image in generation.images]
        language = services.renderer.language(order.language)
        return _result_of(generation_json(generation, language), paths)


async def _draw_there(config: Config, order: Order, holder: Holder) -> Object:
    token = (config.data / TOKEN).read_text(encoding='ascii').strip()
    http_client = HttpClient([holder.url])
    client = http_client.client
    client.base_url = httpx.URL(holder.url)
    client.headers['Authorization'] = f'Bearer {token}'
    client.headers['Accept'] = 'application/json'
    client.headers['Accept-Language'] = order.language
    try:
        return await _order_there(client, config, order)
    except httpx.HTTPError as error:
        raise Unfulfilled(f'Easel at {origin_of(holder.url)} does not answer.') from error
    finally:
        await http_client.close()


async def _order_there(client: httpx.AsyncClient, config: Config, order: Order) -> Object:
    if order.forgets:
        listed = _checked(await client.get('settings/providers.json')).json()
        for provider in listed['providers']:
            if order.forgets_of(provider['name']):
                await client.post(f'settings/providers/{provider["id"]}/forgetting')
    begun = _checked(await client.post('generations', data=order.fields), 303)
    url = f'generations/{begun.headers["location"].rpartition("-")[2]}.json'
    while True:
        generation = _checked(await client.get(url)).json()
        if generation['status'] not in UNFINISHED:
            break
        await asyncio.sleep(POLL_S)
    paths = []
    for image in generation['images']:
        response = await client.head(urljoin(str(client.base_url), image['url']))
        if FILE_HEADER not in response.headers:
            raise NotFound('The file of a picture is gone from the data folder.')
        paths.append(config.data / unquote(response.headers[FILE_HEADER]))
    return _result_of(generation, paths)


def _result_of(generation: Object, paths: Iterable[Path]) -> Object:
    """Lay a finished generation out as the command's JSON, from the server's."""
    images = generation['images']
    assert isinstance(images, list)  # noqa: S101 (our own serializer wrote it)
    shown = [
        {'path': str(path), **{name: image[name] for name in IMAGE_FIELDS}}
        for path, image in zip(paths, images, strict=True)
    ]
    return {
        'status': 'done' if shown else 'failed',
        'generation_id': generation['id'],
        'provider': generation['provider'],
        'model': generation['model'],
        'images': shown,
        'item_errors': generation['item_errors'],
        'dropped': generation['dropped'],
        'error': generation['error'],
    }


def _checked(response: httpx.Response, status: int = 200) -> httpx.Response:
    """Return a response with this status; raise the server's sentence from any other."""
    if response.status_code == status:
        return response
    try:
        error = response.json()['error']
        sentence = ' '.join([error['message'], *error['fields'].values()])
    except (ValueError, KeyError, TypeError):
        sentence = f'Easel answered {response.status_code}.'
    raise Unfulfilled(sentence)


def _prepare_out(out: Path | None) -> None:
    """Make the folder for copies before anything is drawn, which may cost money."""
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise InvalidRequest('--out {out}: {reason}.', out=out, reason=error.strerror) from error


def _copy_out(result: Object, out: Path | None) -> None:
    """Copy the pictures to where the user wants them, and name those copies instead."""
    images = result['images']
    if out is None or not isinstance(images, list):
        return
    for image in images:
        copy = out.absolute() / Path(image['path']).name
        try:
            shutil.copyfile(image['path'], copy)
        except OSError as error:
            sys.stderr.write(f'{copy} could not be written: {error.strerror}.\n')
            continue
        image['path'] = str(copy)


def _print(result: Object, order: Order) -> int:
    images, error = result['images'], result['error']
    assert isinstance(images, list)  # noqa: S101 (made above)
    if order.as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + '\n')
        return 0 if images else 1
    for image in images:
        sys.stdout.write(f'{image["path"]}\n')
    if result['provider'] == DEMO and images:
        sys.stderr.write('No image server answers: this is a demo sketch, no model drew it.\n')
    if isinstance(error, dict):
        sys.stderr.write(f'{error["message"]}\n{error["hint"]}\n')
    return 0 if images else 1


def _not_even_begun(error: Exception, order: Order) -> int:
    """Say what kept the order from becoming a generation."""
    if order.as_json:
        kind = ErrorKind.INTERNAL if isinstance(error, Unfulfilled) else ErrorKind.STORAGE
        empty = dict.fromkeys(('generation_id', 'provider', 'model'))
        failure = error_json(Failure(kind=kind, reason=str(error)), str)
        result: Object = {'status': 'failed', **empty, 'images': [], 'item_errors': []}
        sys.stdout.write(json.dumps({**result, 'dropped': [], 'error': failure}) + '\n')
    sys.stderr.write(f'{error}\n')
    return 1
