"""The dialect that OpenAI's images API set and many servers speak, each with an accent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

import httpx

from app.addresses import Blocked, origin_of
from app.errors import AppError, ErrorKind, Failure, ProviderError
from app.incoming import Incoming
from app.log import logger
from app.models import Answer, Ask, Received
from app.outbound import Outbound, what_happened
from app.providers.base import Listing, ProviderSettings, Run
from app.providers.fetching import Fetcher
from app.providers.items import Item, Json, find_items, parse, task_of
from app.providers.memory import Memory
from app.providers.models_list import models_in
from app.providers.refusal import failed_in_success, refusal
from app.providers.reply import Base64Error, Base64Reader, Spool

log = logger(__name__)

LIST_DEADLINE_S = 5.0
MOST_LIST_BYTES = 8 * 1024 * 1024


class OpenAIProvider:
    """Asks one server for pictures."""

    def __init__(
        self, settings: ProviderSettings, outbound: Outbound, memory: Memory | None = None
    ) -> None:
        self.settings = settings
        self._memory = memory or Memory()
        self._outbound = outbound
        self._origin = origin_of(settings.base_url)
        outbound.dialer.trust(self._origin)
        self._fetcher = Fetcher(outbound, settings.base_url, self._origin, self._headers())

    async def generate(self, ask: Ask, run: Run) -> Answer:
        """Send the least that says what is wanted, and read what comes as it comes.

        Raises:
            ProviderError: Nothing usable came; no file is left behind.
        """
        spool = Spool(run.incoming)
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._exchange(ask, spool, run.incoming)
        except TimeoutError as error:
            spool.discard()
            reason = f'{self.settings.timeout_s:g}'
            raise self._failed(ErrorKind.TIMEOUT, reason) from error
        except BaseException:
            spool.discard()
            raise

    async def list_models(self) -> Listing:
        """Ask what it offers; never raises for what the other side does."""
        request = self._outbound.client.build_request(
            'GET', endpoint(self.settings.base_url, 'models'), headers=self._headers()
        )
        try:
            async with asyncio.timeout(LIST_DEADLINE_S):
                response = await self._outbound.client.send(request, stream=True)
                try:
                    return await _listing(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Listing(answered=False, reason='no answer')
        except httpx.ConnectError as error:
            reason = what_happened(error)
            return Listing(answered=False, refused=reason == 'connection refused', reason=reason)
        except (httpx.HTTPError, httpx.InvalidURL, Blocked, ValueError) as error:
            return Listing(answered=False, reason=what_happened(error))

    async def _exchange(self, ask: Ask, spool: Spool, incoming: Callable[[], Incoming]) -> Answer:
        body = request_body(ask, self.settings.model)
        response = await self._post(body)
        try:
            await self._read(response, spool)
        finally:
            await response.aclose()
        skeleton = spool.finish()
        if spool.raw and response.is_success:
            return Answer(received=(spool.raw,))
        tree = self._tree(response, skeleton, spool)
        items = find_items(tree) if response.is_success else []
        if not items:
            raise self._refused(response, tree, skeleton, body)
        return await self._take(items, spool, incoming)

    async def _post(self, body: dict[str, object]) -> httpx.Response:
        client = self._outbound.client
        request = client.build_request(
            'POST',
            endpoint(self.settings.base_url, 'images/generations'),
            content=json.dumps(body, ensure_ascii=False).encode(),
            headers=self._headers() | {'Content-Type': 'application/json'},
        )
        try:
            return await client.send(request, stream=True)
        except httpx.ConnectTimeout as error:
            raise self._failed(ErrorKind.UNREACHABLE, 'no answer to the connection') from error
        except (httpx.InvalidURL, ValueError) as error:
            raise self._failed(ErrorKind.REDIRECT, 'an odd address') from error
        except (httpx.HTTPError, Blocked) as error:
            raise self._failed(ErrorKind.UNREACHABLE, what_happened(error)) from error

    async def _read(self, response: httpx.Response, spool: Spool) -> None:
        encoding = response.headers.get('content-encoding', 'identity').lower()
        if encoding != 'identity':
            raise self._failed(ErrorKind.NOT_JSON, 'a compressed answer')
        try:
            async for block in response.aiter_raw():
                spool.feed(block)
        except httpx.HTTPError as error:
            raise self._failed(ErrorKind.TRUNCATED, what_happened(error)) from error

    def _tree(self, response: httpx.Response, skeleton: str, spool: Spool) -> Json:
        """Parse; an error's body need not be JSON, a success's must."""
        try:
            return parse(skeleton)
        except ValueError as error:
            if not response.is_success:
                return None
            if skeleton.lstrip()[:1] in ('{', '[') or spool.bad:
                raise self._failed(ErrorKind.TRUNCATED, 'the JSON breaks off') from error
            if not skeleton.strip():
                raise self._failed(ErrorKind.EMPTY, 'an empty body') from error
            failure = refusal(200, {}, None, skeleton, where=str(self._origin), sent=())
            raise self._failed(ErrorKind.NOT_JSON, words=failure.words) from error

    async def _take(
        self, items: list[Item], spool: Spool, incoming: Callable[[], Incoming]
    ) -> Answer:
        """Turn items into files: those that came inline, and those to be fetched."""
        received: list[Received] = []
        failures: list[Failure] = []
        try:
            for item in items:
                try:
                    received.append(await self._one(item, spool, incoming))
                except ProviderError as error:
                    log.warning(
                        'a picture was lost: %s %s', error.failure.kind, error.failure.reason
                    )
                    failures.append(error.failure)
        except BaseException:
            _remove(received)
            raise
        _remove(
            [
                left
                for left in spool.pictures.values()
                if left.path not in {taken.path for taken in received}
            ]
        )
        if not received:
            raise ProviderError(failures[0])
        return Answer(received=tuple(received), item_errors=tuple(failures))

    async def _one(self, item: Item, spool: Spool, incoming: Callable[[], Incoming]) -> Received:
        if item.text in spool.bad:
            raise self._failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged')
        if item.text in spool.pictures:
            return _labelled(spool.pictures[item.text], item, None)
        if not item.text:
            raise self._failed(ErrorKind.EMPTY)
        if item.is_address and not item.text.lower().startswith('data:'):
            received, address = await self._fetcher.fetch(item.text, incoming)
            return _labelled(received, item, address)
        return _labelled(self._inline(item.text, incoming), item, None)

    def _inline(self, text: str, incoming: Callable[[], Incoming]) -> Received:
        """Decode a short picture; long ones were decoded while they came."""
        header, comma, payload = text.partition(',')
        is_uri = bool(comma) and header.lower().startswith('data:')
        raw = unquote_to_bytes(payload) if is_uri else text.encode('utf-8', 'replace')
        file = incoming()
        try:
            if is_uri and not header.lower().endswith(';base64'):
                file.write(raw)
                return file.received()
            reader = Base64Reader(file)
            reader.feed(raw)
            reader.finish()
        except Base64Error as error:
            file.discard()
            raise self._failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged') from error
        except BaseException:
            file.discard()
            raise
        return file.received()

    def _refused(
        self, response: httpx.Response, tree: Json, text: str, body: dict[str, object]
    ) -> AppError:
        """Say what an answer without a picture means."""
        empty = response.is_success and not failed_in_success(tree) and task_of(tree) is None
        if empty and response.status_code != 202:
            return self._failed(ErrorKind.EMPTY)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return ProviderError(
            refusal(
                response.status_code, headers, tree, text, where=str(self._origin), sent=body.keys()
            )
        )

    def _headers(self) -> dict[str, str]:
        headers = {'Accept': 'application/json'}
        if self.settings.key:
            headers['Authorization'] = f'Bearer {self.settings.key}'
        return headers

    def _failed(self, kind: ErrorKind, reason: str = '', words: str = '') -> ProviderError:
        return ProviderError(
            Failure(kind=kind, where=str(self._origin), reason=reason, words=words)
        )


def request_body(ask: Ask, default_model: str) -> dict[str, object]:
    """Lay out the least that says what is wanted: nothing automatic, nothing empty, no null."""
    fields: dict[str, object] = {
        'model': ask.model or default_model,
        'prompt': ask.prompt,
        'n': ask.n if ask.count > 1 else None,
        'size': str(ask.size) if ask.size else None,
        'seed': ask.seed,
        'response_format': ask.response_format,
        'negative_prompt': ask.negative_prompt,
        'quality': ask.quality,
    }
    return {name: value for name, value in fields.items() if value not in (None, '')}


def endpoint(base_url: str, path: str) -> str:
    """Put a path behind an API's root, whose query stays."""
    parts = urlsplit(base_url)
    root = parts.path.rstrip('/').removesuffix('/images/generations')
    return urlunsplit(parts._replace(path=f'{root}/{path}'))


async def _listing(response: httpx.Response) -> Listing:
    if response.status_code != 200:
        return Listing(answered=True, reason=f'HTTP {response.status_code}')
    body = bytearray()
    async for block in response.aiter_raw():
        body += block
        if len(body) > MOST_LIST_BYTES:
            return Listing(answered=True, reason='a list over 8 MiB')
    try:
        return Listing(answered=True, models=models_in(json.loads(body)))
    except (ValueError, RecursionError):
        return Listing(answered=True, reason='no list of models')


def _labelled(received: Received, item: Item, source_url: str | None) -> Received:
    return Received(
        path=received.path,
        size_bytes=received.size_bytes,
        head=received.head,
        revised_prompt=item.revised_prompt,
        source_url=source_url,
        seed=item.seed,
    )


def _remove(pictures: list[Received]) -> None:
    for picture in pictures:
        picture.path.unlink(missing_ok=True)
