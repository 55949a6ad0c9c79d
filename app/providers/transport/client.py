"""One call to a provider: what goes out, what comes back, and a note of both.

The key goes to the provider's own origin and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.net.client import HttpClient, what_happened
from app.net.decompress import BrokeOff, NotInflated, inflated
from app.net.urls import Blocked, Origin, origin_of
from app.providers.core.base import ProviderSettings, Run
from app.providers.response.errors import HTML, Said, empty_answer, is_html, refusal
from app.providers.response.images import Json
from app.providers.response.messages import words_of
from app.providers.response.parser import Cut, parse
from app.providers.response.sse import Events
from app.providers.response.status import failed_in_success, task_of
from app.providers.response.stream import MOST_PICTURES, ResponseStream
from app.providers.transport.headers import own_headers, secrets_of
from app.providers.transport.recorder import CallRecorder
from app.storage.metadata.mime import what_is

log = logger(__name__)

GET_DEADLINE_S = 5.0
MOST_GET_BYTES = 8 * 1024 * 1024
REPEATED = (307, 308)  # with the same method and body, as HTTP has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An answer that came whole.

    Attributes:
        text: Its skeleton, a mark in the place of each picture.
        tree: The text as JSON, None where it is none.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    tree: Json
    spool: ResponseStream

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx; the body may still say otherwise."""
        return 200 <= self.status < 300


class Caller:
    """Calls one provider."""

    def __init__(self, settings: ProviderSettings, http_client: HttpClient) -> None:
        self.settings = settings
        self.origin: Origin = origin_of(settings.base_url)
        self.secrets = secrets_of(settings)
        self._outbound = http_client
        http_client.policy.trust(self.origin)

    def headers(self, url: str = '') -> dict[str, str]:
        """Give what goes with every call: the key as this server takes it, then its own headers."""
        return {'Accept': 'application/json'} | own_headers(self.settings, url)

    async def post(
        self,
        url: str,
        fields: Mapping[str, object],
        run: Run,
        *,
        count: int = 1,
        dropped: tuple[str, ...] = (),
    ) -> Exchange:
        """Send JSON and read what comes as it comes.

        Args:
            url: Absolute, on the provider's own origin.
            fields: The body.
            run: Takes note of the call, and previews as they come.
            count: How many pictures are expected; a stream of events may be left after them.
            dropped: Fields that an earlier call had sent, for the note.

        Raises:
            ProviderError: Nothing came, or not whole; no file is left behind.
        """
        body = json.dumps(fields, ensure_ascii=False)
        note = CallRecorder('POST', url, body, dropped)
        return await self._noted(note, run, count)

    async def look(self, url: str, run: Run) -> Exchange:
        """Ask by GET for what may hold pictures; raises as `post` does."""
        return await self._noted(CallRecorder('GET', url), run, MOST_PICTURES)

    async def _noted(self, note: CallRecorder, run: Run, count: int) -> Exchange:
        spool = ResponseStream(run.incoming)
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._exchange(note, spool, Events(spool, run, count))
        except TimeoutError as error:
            spool.discard()
            note.reason = 'no whole answer in time'
            raise self.failed(ErrorKind.TIMEOUT, f'{self.settings.timeout_s:g}') from error
        except ProviderError as error:
            spool.discard()
            note.reason = error.failure.reason
            raise
        except BaseException:
            spool.discard()
            note.reason = 'cancelled'
            raise
        finally:
            run.tried(note.attempt(tuple(own_headers(self.settings)), self.secrets))

    async def get(self, url: str) -> tuple[int, Json]:
        """Ask for a little JSON; the tree is None where it is no JSON.

        Raises:
            httpx.HTTPError: Nothing came.
            TimeoutError: Nothing came in time.
            ValueError: The address can't be called.
        """
        request = self._outbound.client.build_request('GET', url, headers=self.headers(url))
        body = bytearray()
        async with asyncio.timeout(GET_DEADLINE_S):
            response = await self._outbound.client.send(request, stream=True)
            try:
                coding = response.headers.get('content-encoding', '')
                async with aclosing(inflated(response.aiter_raw(), coding)) as blocks:
                    async for block in blocks:
                        body += block
                        if len(body) > MOST_GET_BYTES:
                            return response.status_code, None
            except NotInflated:
                return response.status_code, None
            finally:
                await response.aclose()
        try:
            tree: Json = json.loads(body)
        except (ValueError, RecursionError):
            tree = None
        return response.status_code, tree

    async def poke(self, url: str) -> None:
        """Send an empty POST, whose answer says nothing.

        Raises:
            httpx.HTTPError: Nothing came.
        """
        request = self._outbound.client.build_request('POST', url, headers=self.headers(url))
        response = await self._outbound.client.send(request, stream=True)
        await response.aclose()

    def seen(self, error: Exception) -> str:
        """Say in a few words what went wrong on the way to this provider."""
        return self._outbound.seen(error, self.origin)

    def failed(self, kind: ErrorKind, reason: str = '', words: str = '') -> ProviderError:
        """Say what went wrong with this provider."""
        return ProviderError(Failure(kind=kind, where=str(self.origin), reason=reason, words=words))

    def refused(self, exchange: Exchange, sent: Mapping[str, object]) -> ProviderError:
        """Say what an answer without a picture means."""
        tree, where = exchange.tree, str(self.origin)
        plain = exchange.is_success and not failed_in_success(tree) and task_of(tree) is None
        if plain and exchange.status != 202:
            return ProviderError(empty_answer(tree, where=where, secrets=self.secrets))
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        answer = Said(exchange.status, headers, tree, exchange.text)
        return ProviderError(refusal(answer, where=where, sent=sent.keys(), secrets=self.secrets))

    async def _exchange(
        self, note: CallRecorder, spool: ResponseStream, events: Events
    ) -> Exchange:
        response = await self._send(note, note.url)
        if response.status_code in REPEATED:
            response = await self._send_again(response, note)
        note.status = response.status_code
        try:
            await self._read(response, spool, events)
        finally:
            await response.aclose()
        text = spool.finish(events.end)
        note.answer = text
        needs_none = spool.raw or (response.status_code == 202 and not text.strip())
        tree = None if needs_none else self._tree(response.is_success, text, spool)
        return Exchange(
            status=response.status_code, headers=response.headers, text=text, tree=tree, spool=spool
        )

    async def _send(self, note: CallRecorder, url: str) -> httpx.Response:
        kind = {'Content-Type': 'application/json'} if note.body else {}
        note.headers = kind | self.headers(url)
        content, client = note.body.encode('utf-8', 'replace'), self._outbound.client
        try:
            request = client.build_request(note.method, url, content=content, headers=note.headers)
            return await client.send(request, stream=True)
        except httpx.ConnectTimeout as error:
            raise self.failed(ErrorKind.UNREACHABLE, 'no answer to the connection') from error
        except (httpx.InvalidURL, ValueError) as error:
            raise self.failed(ErrorKind.REDIRECT, 'an odd address') from error
        except (httpx.HTTPError, Blocked) as error:
            if 'in location header' in str(error):  # httpx reads it although it does not follow
                raise self.failed(ErrorKind.REDIRECT, 'an odd address') from error
            raise self.failed(ErrorKind.UNREACHABLE, self.seen(error)) from error

    async def _send_again(self, response: httpx.Response, note: CallRecorder) -> httpx.Response:
        """Follow a redirect that keeps method and body, once and on the same origin only."""
        try:
            location = response.headers.get('location', '')
            url = urljoin(note.url, location)
            same = bool(location) and origin_of(url) == self.origin
        except (Blocked, ValueError):
            same = False
        if not same:
            return response
        await response.aclose()
        return await self._send(note, url)

    async def _read(self, response: httpx.Response, spool: ResponseStream, events: Events) -> None:
        coding = response.headers.get('content-encoding', '')
        try:
            async with aclosing(inflated(response.aiter_raw(), coding)) as blocks:
                async for block in blocks:
                    spool.feed(block)
                    if events.are_over():
                        return
        except (NotInflated, httpx.HTTPError, ProviderError) as error:
            if response.is_success:
                raise self._unread(error) from error
            log.info('an answer of %s was not read to its end', response.status_code)

    def _unread(self, error: Exception) -> ProviderError:
        """Say why a body could not be read; that of a refusal need not be, its status says it."""
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, NotInflated) and not isinstance(error, BrokeOff):
            return self.failed(ErrorKind.NOT_JSON, str(error))
        reason = str(error) if isinstance(error, BrokeOff) else what_happened(error)
        return self.failed(ErrorKind.TRUNCATED, reason)

    def _tree(self, is_success: bool, text: str, spool: ResponseStream) -> Json:
        """Parse; an error's body need not be JSON, a success's must."""
        try:
            return parse(text)
        except ValueError as error:
            if not is_success:
                return None
            raise self._unparsed(error, text, spool) from error

    def _unparsed(self, error: ValueError, text: str, spool: ResponseStream) -> ProviderError:
        if isinstance(error, Cut):
            return self.failed(ErrorKind.TRUNCATED, str(error))
        if text.lstrip()[:1] in ('{', '[') or spool.bad:
            return self.failed(ErrorKind.TRUNCATED, 'the JSON breaks off')
        if not text.strip():
            return self.failed(ErrorKind.EMPTY, 'an empty body')
        what = what_is(text[:500].encode())
        if what == 'svg':
            return self.failed(ErrorKind.NOT_AN_IMAGE, what)
        words = words_of(None, text, self.secrets)
        return self.failed(ErrorKind.NOT_JSON, HTML if is_html(text) else '', words)


def endpoint(base_url: str, path: str) -> str:
    """Put a path behind an API's root, whose query stays."""
    parts = urlsplit(base_url)
    root = parts.path.rstrip('/').removesuffix('/images/generations')
    return urlunsplit(parts._replace(path=f'{root}/{path}'))
