"""`easel generate`: one prompt, from a terminal or a program."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlencode, urljoin

import httpx

from app.cli.serve import run
from app.config import Config, language_of_terminal
from app.errors import AppError, ErrorKind, Failure, InvalidRequest, NotFound
from app.generation.request import parse_request
from app.log import logger
from app.main import TOKEN, open_services
from app.messages import LANGUAGES, error_json, item_error_json, translations
from app.models import DEMO, Generation
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.storage.lock import Held, Holder, holding
from app.storage.store import Store
from app.web.context import Services
from app.web.delivery.files import FILE_HEADER

log = logger(__name__)

POLL_S = 0.3
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


class Unfulfilled(Exception):
    """The server did not take the order; the text is its sentence."""


def generate(config: Config, order: Order) -> int:
    """Draw, then print where the pictures are; returns the exit status."""
    for warning in config.warnings:
        log.warning('%s', warning)
    try:
        parse_request(order.fields)
        _prepare_out(order.out)
        result = _by_whoever_can(config, order)
    except InvalidRequest as error:
        for name, wrong in (error.fields or {'': error}).items():
            sys.stderr.write(f'{name}: {wrong}\n' if name else f'{wrong}\n')
        return 2
    except (AppError, Unfulfilled, OSError) as error:
        return _not_even_begun(error, order)
    _copy_out(result, order.out)
    return _print(result, order)


def _by_whoever_can(config: Config, order: Order) -> Object:
    """Do the work here, or have the server do it that holds the data folder."""
    try:
        with holding(config.data):
            return _run_here(config, order)
    except Held as held:
        return _run_there(config, order, held.holder)


def _run_here(config: Config, order: Order) -> Object:
    results: list[Object] = []

    async def draw() -> int:
        async with open_services(config) as services:
            if order.forgets:
                await _forget_here(services, order.fields.get('provider', ''))
            generation = await services.worker.draw_now(parse_request(order.fields))
            results.append(result_of(generation, services.store, _language(order)))
        return 0

    run(draw())
    return results[0]


async def _forget_here(services: Services, name: str) -> None:
    for watched in services.providers.all():
        if name in ('', watched.name):
            await services.providers.memory.forget(watched.settings.base_url)


def result_of(generation: Generation, store: Store, language: str) -> Object:
    """Lay a finished generation out as the command's JSON."""
    translate = translations(language).gettext
    images = [
        {
            'path': str(store.original(image.file)),
            'width': image.width,
            'height': image.height,
            'mime': image.mime,
            'source_url': image.source_url,
        }
        for image in generation.images
    ]
    return {
        'status': generation.status,
        'generation_id': generation.id,
        'provider': generation.provider,
        'model': generation.model,
        'images': images,
        'item_errors': [item_error_json(one, translate) for one in generation.item_errors],
        'dropped': list(generation.dropped),
        'error': error_json(generation.error, translate) if generation.error else None,
    }


def _run_there(config: Config, order: Order, holder: Holder) -> Object:
    results: list[Object] = []

    async def draw() -> int:
        token = (config.data / TOKEN).read_text(encoding='ascii').strip()
        http_client = HttpClient([holder.url])
        http_client.client.headers['Authorization'] = f'Bearer {token}'
        http_client.client.headers['Accept'] = 'application/json'
        http_client.client.headers['Accept-Language'] = _language(order)
        try:
            results.append(await _order_there(http_client, holder.url.rstrip('/'), config, order))
        except httpx.HTTPError as error:
            raise Unfulfilled(f'Easel at {origin_of(holder.url)} does not answer.') from error
        finally:
            await http_client.close()
        return 0

    if not holder.url:
        raise Unfulfilled(f'Process {holder.pid} holds the data folder and does not serve yet.')
    run(draw())
    return results[0]


async def _forget_there(http_client: HttpClient, url: str, name: str) -> None:
    """Have the server forget what it learned of one provider, or of all."""
    answer = await http_client.client.get(f'{url}/settings/providers.json')
    if answer.status_code != 200:
        raise Unfulfilled(_sentence_of(answer))
    for provider in answer.json()['providers']:
        if name in ('', provider['name']):
            await http_client.client.post(f'{url}/settings/providers/{provider["id"]}/forgetting')


async def _order_there(http_client: HttpClient, url: str, config: Config, order: Order) -> Object:
    if order.forgets:
        await _forget_there(http_client, url, order.fields.get('provider', ''))
    answer = await http_client.client.post(
        f'{url}/generations',
        content=urlencode(order.fields),
        headers={'Content-Type': 'application/x-www-form-urlencoded'},
    )
    if answer.status_code != 303:
        raise Unfulfilled(_sentence_of(answer))
    generation_id = answer.headers['location'].rpartition('-')[2]
    while True:
        answer = await http_client.client.get(f'{url}/generations/{generation_id}.json')
        if answer.status_code != 200:
            raise Unfulfilled(_sentence_of(answer))
        generation: dict[str, object] = answer.json()
        if generation['status'] not in ('queued', 'running'):
            break
        await asyncio.sleep(POLL_S)
    images = generation['images']
    assert isinstance(images, list)  # noqa: S101 (our own server wrote it)
    return {
        'status': generation['status'],
        'generation_id': generation['id'],
        'provider': generation['provider'],
        'model': generation['model'],
        'images': [await _image_there(http_client, url, config, image) for image in images],
        'item_errors': generation['item_errors'],
        'dropped': generation['dropped'],
        'error': generation['error'],
    }


async def _image_there(
    http_client: HttpClient, url: str, config: Config, image: dict[str, object]
) -> Object:
    answer = await http_client.client.head(urljoin(url, str(image['url'])))
    if FILE_HEADER not in answer.headers:
        raise NotFound('The file of a picture is gone from the data folder.')
    shown = {name: image[name] for name in ('width', 'height', 'mime', 'source_url')}
    return {'path': str(config.data / unquote(answer.headers[FILE_HEADER])), **shown}


def _sentence_of(answer: httpx.Response) -> str:
    try:
        error = answer.json()['error']
        return ' '.join([error['message'], *error['fields'].values()])
    except (ValueError, KeyError, TypeError):
        return f'Easel answered {answer.status_code}.'


def _prepare_out(out: Path | None) -> None:
    """Make the folder for copies before anything is drawn, which may cost money.

    Raises:
        InvalidRequest: It can't be written.
    """
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
    result['status'] = 'done' if images else 'failed'
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


def _language(order: Order) -> str:
    language = language_of_terminal()
    return language if language in LANGUAGES and not order.as_json else 'en'
