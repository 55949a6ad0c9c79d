"""Fetches the pictures that an answer only names, at once, as files of ours."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import httpx

from app.errors import ErrorKind, Failure, ProviderError
from app.images import Incoming
from app.log import logger
from app.models import Received
from app.outbound import FETCH_DEADLINE_S, Origin, Outbound, absolute, what_happened

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
        url = absolute(text, self._base_url)
        try:
            async with asyncio.timeout(FETCH_DEADLINE_S):
                return await self._try(url, incoming), url[:LONGEST_URL_SHOWN]
        except TimeoutError as error:
            raise _lost(url, 'not there in time') from error

    def data_uri(self, text: str, incoming: Callable[[], Incoming]) -> Received:
        """Decode a short `data:` address; long ones were decoded while they came.

        Raises:
            ProviderError: `bad_image`.
        """
        header, comma, payload = text.partition(',')
        try:
            raw = unquote_to_bytes(payload)
            if header.lower().endswith(';base64'):
                raw = base64.b64decode(raw + b'=' * (-len(raw) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _bad_data_uri() from error
        if not comma:
            raise _bad_data_uri()
        file = incoming()
        file.write(raw)
        return file.received()

    async def _try(self, url: str, incoming: Callable[[], Incoming]) -> Received:
        for attempt in range(1, TRIES + 1):
            try:
                return await self._once(url, incoming)
            except ProviderError as error:
                if attempt == TRIES or not _may_come(error.failure):
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


def _may_come(failure: Failure) -> bool:
    """Whether the same GET may bring the picture a moment later."""
    status = failure.http_status
    passing = status is None or status == 404 or status >= 500
    return failure.kind is ErrorKind.IMAGE_FETCH_FAILED and passing


def _lost(url: str, reason: str) -> ProviderError:
    return ProviderError(
        Failure(kind=ErrorKind.IMAGE_FETCH_FAILED, url=url[:LONGEST_URL_SHOWN], reason=reason)
    )


def _bad_data_uri() -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason='a damaged data address'))
