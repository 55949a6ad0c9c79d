"""Download of the pictures that a response only names, at once, as files of ours.

Servers behind a proxy or in a container often name a host that only they can reach, or leave out
the path that the proxy put before theirs. The same path on the provider's own origin, below its API
or at the root, then has the picture more often than not; a private address itself is never called.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import MOST_IMAGE_BYTES, Received
from app.net.client import FETCH_DEADLINE_S, HttpClient, blocked, too_large, what_happened
from app.net.decompress import NotInflated, inflated
from app.net.urls import (
    API_ROOT,
    Address,
    Blocked,
    Origin,
    Private,
    is_root,
    joined,
    prefixes_of,
    without_query,
)
from app.storage.files import TempFile, remove
from app.storage.metadata.mime import mime_of, what_is

log = logger(__name__)

LONGEST_URL_SHOWN = 2_000


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
        base_path: str = '',
    ) -> None:
        self._http_client = http_client
        self._origin = origin
        self._headers = {**headers, 'Accept': 'image/*, */*;q=0.5'}
        self._timeouts = timeouts
        self._trusted = trusted
        self._prefixes = prefixes_of(base_path)
        self._is_below = not is_root(base_path)  # a proxy may have put a path before the server's

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
            raise next(iter(failures), _failed(address, 'timed out')) from error
        return received, str(place)[:LONGEST_URL_SHOWN]

    async def _try(
        self, address: Address, incoming: Callable[[], TempFile], failures: list[ProviderError]
    ) -> tuple[Received, Address]:
        """Ask at the address, then elsewhere, then again; `failures` are those of one round."""
        for attempt in range(1, self._timeouts.tries + 1):
            failures.clear()
            places = deque([address])
            while places:
                place = places.popleft()
                try:
                    return await self._once(place, incoming, is_guess=place != address), place
                except ProviderError as error:
                    reason, shown = error.failure.reason, without_query(str(place))
                    log.info('no picture at %s: %s', shown, reason)
                    failures.append(error)
                    if place == address:
                        places.extend(self._elsewhere(address, error, attempt))
                    is_there = not self._is_below and error.failure.http_status != 404
                    if place.origin == self._origin and is_there:
                        break
            if attempt == self._timeouts.tries or not any(map(_may_come, failures)):
                break
            await asyncio.sleep(self._timeouts.pause_s * attempt)
        raise failures[0]

    def _elsewhere(self, address: Address, error: ProviderError, attempt: int) -> list[Address]:
        """Return where a picture may be that is not at its address, likeliest first."""
        named = [] if address.origin == self._origin else [address.target]
        if named and address.origin.host != self._origin.host:
            unreachable = isinstance(error.__cause__, Private | httpx.TransportError)
            if not unreachable:
                return []
        targets = [*self._beside(address.target), *named]
        if not self._is_below:
            targets = [*named, *(self._beside(address.target) if attempt == 1 else [])]
        return [Address(self._origin, target) for target in targets]

    def _beside(self, target: str) -> list[str]:
        """Return a path below each prefix of the API, and without any."""
        known = (*self._prefixes[::-1], API_ROOT)
        prefix = next((one for one in known if target.startswith(f'{one}/')), '')
        bare = target.removeprefix(prefix)
        return [one for one in (*(f'{one}{bare}' for one in self._prefixes), bare) if one != target]

    def _may_be_another(self, place: Address) -> bool:
        """Check whether what is at a place may be of another server, which a proxy has there."""
        is_own = place.origin == self._origin
        return self._is_below if is_own else place.origin.host == self._origin.host

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
        if mime_of(received.head) is None and (is_guess or self._may_be_another(place)):
            remove(received.path)  # a page that a server has for any path
            kind = ErrorKind.IMAGE_FETCH_FAILED if is_guess else ErrorKind.NOT_AN_IMAGE
            raise _failed(place, what_is(received.head), kind)
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
            raise _failed(place, 'the data came too slowly') from error
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


def _failed(
    place: Address, reason: str, kind: ErrorKind = ErrorKind.IMAGE_FETCH_FAILED
) -> ProviderError:
    url = str(place)[:LONGEST_URL_SHOWN]
    return ProviderError(Failure(kind=kind, url=url, reason=reason))
