"""Download of the pictures that a response only names, at once, as files of ours.

Servers behind a proxy or in a container often name a host that only they can reach. The same path
on the provider's own origin then has the picture more often than not; a private address itself is
never called.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import httpx

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import MOST_IMAGE_BYTES, Received
from app.net.client import FETCH_DEADLINE_S, HttpClient, blocked, too_large, what_happened
from app.net.decompress import NotInflated, inflated
from app.net.urls import Address, Blocked, Origin, Private, joined, without_query
from app.storage.files import TempFile, remove
from app.storage.metadata.mime import mime_of, what_is

log = logger(__name__)

LONGEST_URL_SHOWN = 2_000
API_ROOT = '/v1'


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTimeouts:
    """How long a download may take."""

    deadline_s: float = FETCH_DEADLINE_S  # for all tries together
    window_s: float = 10.0  # for each `least_bytes` of the body: 1 kB/s
    least_bytes: int = 10_000
    tries: int = 3
    pause_s: float = 0.4  # before the second try; before the third, twice that


TIMEOUTS = DownloadTimeouts()


class Fetcher:
    """Downloads for one provider, with its key on its own origin and nowhere else."""

    def __init__(
        self,
        http_client: HttpClient,
        origin: Origin,
        headers: dict[str, str],
        timeouts: DownloadTimeouts = TIMEOUTS,
        trusted: Callable[[], frozenset[Origin]] = frozenset,
    ) -> None:
        self._http_client = http_client
        self._origin = origin
        self._headers = {**headers, 'Accept': 'image/*, */*;q=0.5'}
        self._timeouts = timeouts
        self._trusted = trusted

    async def fetch(self, text: str, incoming: Callable[[], TempFile]) -> tuple[Received, str]:
        """Download a picture from an address of any spelling; return it and where it came from."""
        try:
            address = joined(text, Address(self._origin, '/'))  # a path goes to the root
        except Blocked as error:
            raise blocked(text, str(error)) from error
        failures: list[ProviderError] = []
        try:
            async with asyncio.timeout(self._timeouts.deadline_s):
                received, place = await self._try(address, incoming, failures)
        except TimeoutError as error:
            raise next(iter(failures), _failed(address, 'not there in time')) from error
        return received, str(place)[:LONGEST_URL_SHOWN]

    async def _try(
        self, address: Address, incoming: Callable[[], TempFile], failures: list[ProviderError]
    ) -> tuple[Received, Address]:
        """Ask at the address, then elsewhere, then again; `failures` are those of one round."""
        for attempt in range(1, self._timeouts.tries + 1):
            failures.clear()
            place: Address | None = address
            while place:
                try:
                    return await self._once(place, incoming, is_guess=place != address), place
                except ProviderError as error:
                    reason, shown = error.failure.reason, without_query(str(place))
                    log.info('no picture at %s: %s', shown, reason)
                    failures.append(error)
                    may_guess = attempt == 1 and place.target == address.target
                    place = self._elsewhere(place, error, may_guess=may_guess)
            if attempt == self._timeouts.tries or not any(map(_may_come, failures)):
                break
            await asyncio.sleep(self._timeouts.pause_s * attempt)
        raise failures[0]

    def _elsewhere(
        self, place: Address, error: ProviderError, *, may_guess: bool
    ) -> Address | None:
        """Return where a picture may be that is not at a place."""
        if place.origin != self._origin:
            unreachable = (Private, httpx.ConnectError, httpx.ConnectTimeout)
            may_be_ours = place.origin.host == self._origin.host or isinstance(
                error.__cause__, unreachable
            )
            return replace(place, origin=self._origin) if may_be_ours else None
        is_below_api = place.target.startswith(f'{API_ROOT}/')
        if may_guess and is_below_api and error.failure.http_status == 404:
            return replace(place, target=place.target.removeprefix(API_ROOT))
        return None

    async def _once(
        self, place: Address, incoming: Callable[[], TempFile], *, is_guess: bool
    ) -> Received:
        own, headers = self._origin, self._headers
        try:
            opened = self._http_client.picture(
                str(place), own=own, headers=headers, trusted=self._trusted()
            )
            async with opened as response:
                file = incoming()
                try:
                    async with (
                        aclosing(_steady(response.aiter_raw(), place, self._timeouts)) as raw,
                        aclosing(inflated(raw, response.headers)) as blocks,
                    ):
                        async for block in blocks:
                            file.write(block)
                except BaseException:
                    file.discard()
                    raise
                received = file.received()
        except (httpx.HTTPError, NotInflated) as error:
            reason = str(error) if isinstance(error, NotInflated) else what_happened(error)
            raise _failed(place, reason) from error
        if is_guess and mime_of(received.head) is None:  # a page that a server has for any path
            remove(received.path)
            raise _failed(place, what_is(received.head))
        if is_guess:
            log.info('a picture was not at its address, but at %s', without_query(str(place)))
        return received


async def _steady(
    blocks: AsyncIterator[bytes], place: Address, timeouts: DownloadTimeouts
) -> AsyncGenerator[bytes, None]:
    """Pass a body on; raise ProviderError once it comes too slowly or becomes too large."""
    clock = asyncio.get_running_loop().time
    due_s, in_window_bytes, all_bytes = clock() + timeouts.window_s, 0, 0
    while True:
        try:
            async with asyncio.timeout_at(due_s):
                block = await anext(blocks, None)
        except TimeoutError as error:
            raise _failed(place, 'it came too slowly') from error
        if block is None:
            return
        in_window_bytes += len(block)
        all_bytes += len(block)
        if all_bytes > MOST_IMAGE_BYTES:
            raise too_large(str(place))
        if in_window_bytes >= timeouts.least_bytes:
            due_s, in_window_bytes = clock() + timeouts.window_s, 0
        yield block


def _may_come(error: ProviderError) -> bool:
    """Check whether the same GET may bring the picture a moment later."""
    if error.failure.kind is not ErrorKind.IMAGE_FETCH_FAILED:
        return False
    status = error.failure.http_status or 0
    return isinstance(error.__cause__, httpx.HTTPError) or status == 404 or status >= 500


def _failed(place: Address, reason: str) -> ProviderError:
    url = str(place)[:LONGEST_URL_SHOWN]
    return ProviderError(Failure(kind=ErrorKind.IMAGE_FETCH_FAILED, url=url, reason=reason))
