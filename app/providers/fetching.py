"""Fetches the pictures that an answer only names, at once, as files of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

from app.addresses import Blocked, Origin, absolute
from app.errors import ErrorKind, Failure, ProviderError
from app.incoming import Incoming
from app.log import logger
from app.models import Received
from app.outbound import FETCH_DEADLINE_S, Outbound, blocked, what_happened

log = logger(__name__)

TRIES = 3
PAUSE_S = 0.4
LONGEST_URL_SHOWN = 2_000


class Fetcher:
    """Fetches for one provider, with its key on its own origin and nowhere else."""

    def __init__(
        self, outbound: Outbound, base_url: str, origin: Origin, headers: dict[str, str]
    ) -> None:
        self._outbound = outbound
        self._base_url = base_url
        self._origin = origin
        self._headers = {**headers, 'Accept': 'image/*, */*;q=0.5'}

    async def fetch(self, text: str, incoming: Callable[[], Incoming]) -> tuple[Received, str]:
        """Get a picture; a GET is free, so it is tried again.

        Args:
            text: The address as the answer spells it, absolute or not.
            incoming: Opens a place for the bytes.

        Returns:
            What came, and the absolute address it came from.

        Raises:
            ProviderError: `blocked_url`, `image_fetch_failed` or `too_large`.
        """
        try:
            url = absolute(text, self._base_url)
        except Blocked as error:
            raise blocked(text) from error
        try:
            async with asyncio.timeout(FETCH_DEADLINE_S):
                return await self._try(url, incoming), url[:LONGEST_URL_SHOWN]
        except TimeoutError as error:
            raise _lost(url, 'not there in time') from error

    async def _try(self, url: str, incoming: Callable[[], Incoming]) -> Received:
        for attempt in range(1, TRIES + 1):
            try:
                return await self._once(url, incoming)
            except ProviderError as error:
                if attempt == TRIES or not _may_come(error):
                    raise
                log.info(
                    'try %s of %s to fetch a picture: %s', attempt, TRIES, error.failure.reason
                )
            await asyncio.sleep(PAUSE_S * attempt)
        raise AssertionError('the loop returns or raises')

    async def _once(self, url: str, incoming: Callable[[], Incoming]) -> Received:
        file = incoming()
        try:
            async with self._outbound.picture(
                url, own=self._origin, headers=self._headers
            ) as response:
                async for block in response.aiter_raw():
                    file.write(block)
        except httpx.HTTPError as error:
            file.discard()
            raise _lost(url, what_happened(error)) from error
        except BaseException:
            file.discard()
            raise
        return file.received()


def _may_come(error: ProviderError) -> bool:
    """Whether the same GET may bring the picture a moment later."""
    status = error.failure.http_status or 0
    return isinstance(error.__cause__, httpx.HTTPError) or status == 404 or status >= 500


def _lost(url: str, reason: str) -> ProviderError:
    return ProviderError(
        Failure(kind=ErrorKind.IMAGE_FETCH_FAILED, url=url[:LONGEST_URL_SHOWN], reason=reason)
    )
