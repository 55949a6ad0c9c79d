"""One call to a provider that may bring pictures, and a record of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from app.cost import Cost
from app.errors import ErrorKind, ProviderError, Reason
from app.log import logger
from app.models import Call
from app.net.client import what_happened
from app.net.decompress import BrokeOff, NotInflated, inflated
from app.net.pace import Pace, aside
from app.net.urls import Blocked, origin_of
from app.providers.core.base import Run
from app.providers.response.costs import cost_of
from app.providers.response.errors import is_html, refusal
from app.providers.response.events import Cut, Events
from app.providers.response.images import find_items
from app.providers.response.json_text import Json, TooManyValues, loads
from app.providers.response.messages import words_of
from app.providers.response.parser import ApiResponse, parse
from app.providers.response.stream import MOST_PICTURES, ResponseStream, pieces
from app.providers.transport.bodies import FORM, Body, json_body
from app.providers.transport.client import ACCEPT, Client, own_headers
from app.storage.metadata.mime import what_is

log = logger(__name__)

REPEATED = (307, 308)  # with the same method and body, as HTTP has it
SEEN_ELSEWHERE = (301, 302, 303)  # by a GET
SCHEMES = ('bearer', 'basic', 'token', 'key')
KEY_SHOWN = '$EASEL_API_KEY'


@dataclass(slots=True)
class CallRecorder:
    """What is known of a call so far; its texts are not redacted yet."""

    method: str
    url: str
    body: str = ''
    dropped: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    began_at: float = field(default_factory=time.time)
    began_s: float = field(default_factory=time.monotonic)
    status: int | None = None
    answer: str = ''
    reason: str = ''
    cost: Cost | None = None

    def call(self) -> Call:
        """Return the record of the call that is over, without the values of its query."""
        parts = urlsplit(self.url)
        names = [pair.partition('=')[0] for pair in parts.query.split('&') if pair]
        url = urlunsplit(parts._replace(query='&'.join(f'{name}=…' for name in names)))
        known = asdict(self) | {'url': url, 'cost': self.cost}
        took_s = time.monotonic() - known.pop('began_s')
        return Call(**known, took_s=took_s)


class Caller(Client):
    """Asks one provider for pictures; what its failures and records say is not redacted yet."""

    async def post(
        self,
        url: str,
        fields: Mapping[str, object],
        run: Run,
        *,
        count: int = 1,
        dropped: tuple[str, ...] = (),
        encode: Callable[[Mapping[str, object]], Body] = json_body,
    ) -> ApiResponse:
        """Send fields and read the response as it comes; events may be left after `count` pictures.

        Raises ProviderError where nothing came, or not whole; no file is left behind.
        """
        body = encode(fields)
        return await self._call(CallRecorder('POST', url, body.shown, dropped), body, run, count)

    async def look(self, url: str, run: Run) -> ApiResponse:
        """Send a GET for what may hold pictures; raises as `post` does."""
        return await self._call(CallRecorder('GET', url), Body(), run, MOST_PICTURES)

    def refused(self, response: ApiResponse, sent: Mapping[str, object]) -> ProviderError:
        """Return what a response without a picture means, where the fields `sent` were sent."""
        return ProviderError(refusal(response, where=str(self.origin), sent=sent))

    async def _call(self, recorder: CallRecorder, body: Body, run: Run, count: int) -> ApiResponse:
        stream = ResponseStream(run.incoming)
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._receive(recorder, body, stream, Events(stream, run, count))
        except BaseException as error:
            stream.discard()
            recorder.reason = 'cancelled'
            if isinstance(error, ProviderError):
                recorder.reason = error.failure.reason
            if isinstance(error, TimeoutError):
                recorder.reason = 'no whole answer in time'
                raise self.failed(ErrorKind.TIMEOUT, f'{self.settings.timeout_s:g}') from error
            raise
        finally:
            run.tried(recorder.call())

    async def _receive(
        self, recorder: CallRecorder, body: Body, stream: ResponseStream, events: Events
    ) -> ApiResponse:
        response = await self._open(recorder, body, recorder.url)
        is_look = recorder.method == 'GET' and response.status_code in SEEN_ELSEWHERE
        is_moved = is_look or response.status_code in REPEATED
        url = self._moved_to(response, recorder.url) if is_moved else ''
        if url:
            await response.aclose()
            response = await self._open(recorder, body, url)
        recorder.status = response.status_code
        cut: ProviderError | None = None
        try:
            await self._read(response, stream, events)
        except ProviderError as error:
            cut = error
        finally:
            await response.aclose()
        recorder.answer = text = stream.finish(events.end)
        if cut and not await _is_whole_json(text, stream, cut):
            raise cut
        tree: Json = None
        if not stream.raw and (response.status_code != 202 or text.strip()):
            try:
                tree = await aside(text, lambda: parse(text, events))
            except ValueError as error:
                if response.is_success:  # a refusal need not be JSON
                    raise self._unparsed(error, text, stream) from error
        cost = cost_of(response.headers, tree)
        if recorder.method == 'POST' or stream.raw or find_items(tree):  # a job's state repeats it
            recorder.cost = cost
        return ApiResponse(response.status_code, response.headers, text, tree, stream, cost)

    async def _open(self, recorder: CallRecorder, body: Body, url: str) -> httpx.Response:
        """Send a recorded call; the body of the response is not read yet."""
        plain = ({'Content-Type': body.content_type} if body.content_type else {}) | ACCEPT
        own = own_headers(self.settings, url)
        hidden = {}  # how a key is sent, without the key
        for name, value in own.items():
            scheme, blank, _ = value.partition(' ')
            is_scheme = blank and scheme.lower() in SCHEMES
            hidden[name] = f'{scheme} {KEY_SHOWN}' if is_scheme else KEY_SHOWN
        shown = {'Content-Type': FORM} if body.content_type.startswith(FORM) else {}
        recorder.headers = tuple((plain | shown | hidden).items())
        try:
            return await self._send(recorder.method, url, plain, body)
        except httpx.ConnectTimeout as error:
            raise self.failed(ErrorKind.UNREACHABLE, 'the connection timed out') from error
        except (httpx.InvalidURL, ValueError) as error:
            raise self.failed(ErrorKind.REDIRECT, 'an invalid address') from error
        except (httpx.HTTPError, Blocked) as error:
            if 'in location header' in str(error):  # httpx reads it although it does not follow
                raise self.failed(ErrorKind.REDIRECT, 'an invalid address') from error
            reason = self.seen(error)
            is_answer = reason in (Reason.NOT_BY_THE_RULES_OF_HTTP, Reason.BROKE_OFF)
            kind = ErrorKind.TRUNCATED if is_answer else ErrorKind.UNREACHABLE
            raise self.failed(kind, reason) from error

    def _moved_to(self, response: httpx.Response, url: str) -> str:
        """Return where a redirect leads to, on the same origin only; or nothing."""
        location = response.headers.get('location', '')
        if not location:
            return ''
        try:
            moved = urljoin(url, location)
            return moved if origin_of(moved) == self.origin else ''
        except (Blocked, ValueError):
            return ''

    async def _read(self, response: httpx.Response, stream: ResponseStream, events: Events) -> None:
        pace = Pace()
        try:
            async with aclosing(inflated(response.aiter_raw(), response.headers)) as blocks:
                async for block in blocks:
                    for piece in pieces(block):
                        stream.feed(piece)
                        if events.are_over():
                            return
                        await pace.rest()
            connection = response.extensions.get('network_stream')
            surplus = connection.get_extra_info('surplus') if connection else b''
            if surplus and surplus.strip():  # its length counts letters, or something else
                stream.feed(surplus)
        except (NotInflated, httpx.HTTPError, ProviderError) as error:
            if not response.is_success:  # the status of a refusal says enough
                log.info('an answer of %s was not read to its end', response.status_code)
            elif isinstance(error, ProviderError):
                raise
            elif isinstance(error, NotInflated) and not isinstance(error, BrokeOff):
                raise self.failed(ErrorKind.NOT_JSON, str(error)) from error
            else:
                reason = str(error) if isinstance(error, BrokeOff) else what_happened(error)
                raise self.failed(ErrorKind.TRUNCATED, reason) from error

    def _unparsed(self, error: ValueError, text: str, stream: ResponseStream) -> ProviderError:
        if isinstance(error, Cut):
            return self.failed(ErrorKind.TRUNCATED, str(error))
        if isinstance(error, TooManyValues):
            return self.failed(ErrorKind.TOO_LARGE, Reason.OVER_20_000_VALUES)
        if text.lstrip()[:1] in ('{', '[') or stream.bad:
            return self.failed(ErrorKind.TRUNCATED, 'the JSON is cut off')
        if not text.strip():
            return self.failed(ErrorKind.EMPTY, 'an empty body')
        what = what_is(text[:500].encode())
        if what == 'svg':
            return self.failed(ErrorKind.NOT_AN_IMAGE, what)
        reason = Reason.HTML if is_html(text) else ''
        return self.failed(ErrorKind.NOT_JSON, reason, words_of(None, text))


async def _is_whole_json(text: str, stream: ResponseStream, cut: ProviderError) -> bool:
    """Check whether JSON came whole although its length, or its last chunk, says otherwise."""
    if cut.failure.kind is not ErrorKind.TRUNCATED or stream.raw or stream.bad:
        return False
    try:
        return isinstance(await aside(text, lambda: loads(text)), dict | list)
    except ValueError:
        return False
