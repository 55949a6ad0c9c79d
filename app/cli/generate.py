"""`easel generate`: one prompt, from a terminal or a program."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import unquote, urljoin

import httpx

from app.access.visitors import Visitor
from app.cli.serve import run
from app.cli.sources import SourceFiles
from app.config import TOKEN, Config, language_of_terminal
from app.errors import AppError, ErrorKind, Failure, InvalidRequest, NotFound
from app.generation.request import parse_request
from app.main import open_services
from app.messages import LANGUAGES, error_json
from app.models import DEMO
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.storage.lock import Held, Holder, holding
from app.web.delivery.files import FILE_HEADER
from app.web.views.serializers import generation_json

POLL_S = 0.3
UPLOAD_TIMEOUT_S = 120.0  # a busy server decodes one picture after the other
UNFINISHED = ('queued', 'running')
IMAGE_FIELDS = ('width', 'height', 'mime', 'source_url')
Object: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asked for."""

    fields: Mapping[str, str]
    out: Path | None
    as_json: bool
    forgets: bool = False
    sources: SourceFiles = field(default_factory=SourceFiles)

    @property
    def language(self) -> str:
        language = language_of_terminal()
        return language if language in LANGUAGES and not self.as_json else 'en'

    def forgets_of(self, provider: object) -> bool:
        """Check whether to drop what was learned of it; of all, where none is named."""
        return self.forgets and self.fields.get('provider', '') in ('', provider)


class Unfulfilled(Exception):
    """The server did not take the order; the text is its sentence."""


def generate(config: Config, order: Order) -> int:
    """Draw, then print where the pictures are; return the exit status."""
    try:
        parse_request({**order.fields, **order.sources.stand_ins})
        if order.out:
            _prepare(order.out)
        generation, paths = _draw(config, order)
    except InvalidRequest as error:
        for name, wrong in (error.fields or {'': error}).items():
            sys.stderr.write(f'{name}: {wrong}\n' if name else f'{wrong}\n')
        return 2
    except (AppError, Unfulfilled, OSError) as error:
        if order.as_json:
            sys.stdout.write(json.dumps(_result_of(_not_begun(error), [])) + '\n')
        sys.stderr.write(f'{error}\n')
        return 1
    _print(generation, [_copied(path, order.out) for path in paths], order)
    return 0 if paths else 1


def _prepare(out: Path) -> None:
    """Make the folder for copies before anything is drawn, which may cost money."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise InvalidRequest('--out {out}: {reason}.', out=out, reason=error.strerror) from error


def _draw(config: Config, order: Order) -> tuple[Object, list[Path]]:
    """Draw here, or have the server draw that holds the data folder."""
    try:
        with holding(config.data):
            return run(_draw_here(config, order))
    except Held as held:
        holder = held.holder
    return run(_draw_there(config, order, holder))


async def _draw_here(config: Config, order: Order) -> tuple[Object, list[Path]]:
    async with open_services(config) as services:
        for provider in services.providers.all():
            if order.forgets_of(provider.name):
                await services.providers.memory.forget(provider.settings.base_url)
        fields = {**order.fields, **await order.sources.add_to(services)}
        generation = await services.worker.draw_now(parse_request(fields))
        paths = [services.store.original(image.file) for image in generation.images]
        language, owner = (
            services.renderer.language(order.language),
            Visitor('', 'http', owner=True),
        )
        return generation_json(generation, language, owner), paths


@asynccontextmanager
async def asking(config: Config, holder: Holder, language: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client for the server that holds the data folder, with the folder's token.

    Raises `Unfulfilled` where it does not serve yet, or not any more.
    """
    if not holder.url:
        raise Unfulfilled(
            f"Process {holder.pid} uses the data folder but isn't serving yet. Try "
            'again in a moment.'
        )
    token = (config.data / TOKEN).read_text(encoding='ascii').strip()
    async with HttpClient([holder.url]) as http_client:
        client = http_client.client
        client.base_url = httpx.URL(holder.url)
        client.headers['Authorization'] = f'Bearer {token}'
        client.headers['Accept'] = 'application/json'
        client.headers['Accept-Language'] = language
        try:
            yield client
        except httpx.HTTPError as error:
            raise Unfulfilled(f"Easel at {origin_of(holder.url)} doesn't answer.") from error


async def _draw_there(config: Config, order: Order, holder: Holder) -> tuple[Object, list[Path]]:
    async with asking(config, holder, order.language) as client:
        if order.forgets:
            listed = checked(await client.get('settings/providers.json')).json()
            for provider in listed['providers']:
                if order.forgets_of(provider['name']):
                    await client.post(f'settings/providers/{provider["id"]}/forgetting')
        url = f'generations/{await submitted(client, order)}.json'
        while True:
            generation = checked(await client.get(url)).json()
            if generation['status'] not in UNFINISHED:
                break
            await asyncio.sleep(POLL_S)
        paths = []
        for image in generation['images']:
            response = await client.head(urljoin(holder.url, image['url']))
            if FILE_HEADER not in response.headers:
                raise NotFound("A picture's file is missing from the data folder.")
            paths.append(config.data / unquote(response.headers[FILE_HEADER]))
        return generation, paths


async def submitted(client: httpx.AsyncClient, order: Order) -> int:
    """Send a form with its files; return the id of the generation.

    Raises `InvalidRequest` where it is wrong, else `Unfulfilled`.
    """
    with order.sources.parts() as parts:
        sent = await client.post(
            'generations', data=order.fields, files=parts, timeout=UPLOAD_TIMEOUT_S
        )
    try:
        return int(checked(sent, 303).headers['location'].rpartition('-')[2])
    except Unfulfilled as error:
        if sent.status_code != InvalidRequest.status:
            raise
        raise InvalidRequest('{told}', told=error) from error


def checked(response: httpx.Response, status: int = 200) -> httpx.Response:
    """Return a response with this status; raise the server's sentence from any other."""
    if response.status_code == status:
        return response
    try:
        error = response.json()['error']
        sentence = ' '.join([error['message'], *error['fields'].values()])
    except (ValueError, KeyError, TypeError):
        sentence = f'Easel answered {response.status_code}.'
    raise Unfulfilled(sentence)


def _copied(path: Path, out: Path | None) -> Path:
    """Copy a picture to where the user wants it; return where that is."""
    if out is None:
        return path
    copy = out.absolute() / path.name
    try:
        return Path(shutil.copyfile(path, copy))
    except OSError as error:
        sys.stderr.write(f"{copy} couldn't be written: {error.strerror}.\n")
        return path


def _print(generation: Object, paths: list[Path], order: Order) -> None:
    if order.as_json:
        sys.stdout.write(json.dumps(_result_of(generation, paths), ensure_ascii=False) + '\n')
        return
    for path in paths:
        sys.stdout.write(f'{path}\n')
    if generation['provider'] == DEMO and paths:
        sys.stderr.write('No image server answers, so this is a demo sketch: no model drew it.\n')
    error = generation['error']
    if isinstance(error, dict):
        sys.stderr.write(f'{error["message"]}\n{error["hint"]}\n')


def _not_begun(error: Exception) -> Object:
    """Return the JSON of a generation that there is none of."""
    kind = ErrorKind.INTERNAL if isinstance(error, Unfulfilled) else ErrorKind.STORAGE
    failure = error_json(Failure(kind=kind, reason=str(error)), str)
    lists: Object = {'images': [], 'item_errors': [], 'dropped': []}
    return {'id': None, 'provider': None, 'model': None, 'error': failure, **lists}


def _result_of(generation: Object, paths: list[Path]) -> Object:
    images = cast('list[Object]', generation['images'])
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
