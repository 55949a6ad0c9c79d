"""Waiting for the job that a response only promises, where it can be asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from app.errors import ErrorKind, ProviderError
from app.net.urls import Blocked, is_private, is_root, origin_of, prefixes_of
from app.providers.core.base import Run
from app.providers.response.errors import retry_after_s
from app.providers.response.images import find_items
from app.providers.response.job_states import JobState
from app.providers.response.messages import (
    failed_in_success,
    poll_address_of,
    result_address_of,
    state_of,
    task_of,
)
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.client import endpoint

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
LONGEST_ASKED_PAUSE_S = 60.0  # of a server that says when to come again
MOST_LOST_LOOKS = 5  # in a row; a look costs nothing, and the picture may have been paid for
PASSING = (408, 425, 429, 500, 502, 503, 504)
GOING_ON = (JobState.GOES_ON, JobState.NUMBERED)
SDCPP_ROOT = '/sdcpp/'


class JobPoller:
    """Polls the jobs of one provider."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def finished(self, promise: ApiResponse, run: Run, base_url: str) -> ApiResponse | None:
        """Poll a job until it is over; None where it cannot be asked for; raise on a time-out."""
        caller, url = self._caller, self._address_of(promise, base_url)
        if url is None:
            return None
        try:
            async with asyncio.timeout(caller.settings.timeout_s):
                await asyncio.sleep(_asked_pause_s(promise) or 0)
                end = await self._poll(_places_of(url, base_url), run)
                return await self._result(end, url, run)
        except TimeoutError as error:
            raise caller.failed(ErrorKind.TIMEOUT, f'{caller.settings.timeout_s:g}') from error
        except asyncio.CancelledError:
            if urlsplit(url).path.startswith(SDCPP_ROOT):  # stable-diffusion.cpp's can stop it
                await caller.notify(f'{url.partition("?")[0]}/cancel')
            raise

    def _address_of(self, promise: ApiResponse, base_url: str) -> str | None:
        """Return the job's address: the one it names, or where such jobs are by custom."""
        job, headers, tree = task_of(promise.tree), promise.headers, promise.tree
        named = poll_address_of(tree) or headers.get('operation-location')
        if promise.status in (201, 202):
            named = named or headers.get('location')
        if failed_in_success(tree) or (job is None and not named):
            return None
        return self._own(named or endpoint(base_url, f'tasks/{quote(job or "", "")}'), base_url)

    def _own(self, address: str | None, base_url: str) -> str | None:
        """Resolve an address, which must be the provider's, if by its name for itself or http."""
        own = self._caller.origin
        try:
            url = urljoin(base_url, address) if address else ''
            if not url or origin_of(url) == own:
                return url or None
            named = origin_of(url)
            is_same = named.host == own.host
            is_ours = named.scheme != own.scheme if is_same else is_private(named.host)
            parts = urlsplit(base_url)
            moved = urlsplit(url)._replace(scheme=parts.scheme, netloc=parts.netloc)
            return urlunsplit(moved) if is_ours else None
        except (Blocked, ValueError):
            return None

    async def _poll(self, places: deque[str], run: Run) -> ApiResponse | None:
        """Look at the first place until the job is over; at the next one where it is not there."""
        pause_s, lost = 0.0, 0
        while lost <= MOST_LOST_LOOKS:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
            lost += 1
            with contextlib.suppress(ProviderError):
                response = await self._caller.look(places[0], run)
                if response.stream.raw or (response.is_success and not _goes_on(response)):
                    return response
                response.stream.discard()
                if response.is_success:
                    lost, asked_s = 0, _asked_pause_s(response)
                    pause_s = pause_s if asked_s is None else asked_s
                elif response.status not in PASSING:
                    places.popleft()
                    if not places:
                        return None
                    pause_s = 0.0
        return None

    async def _result(self, end: ApiResponse | None, url: str, run: Run) -> ApiResponse | None:
        """Return the end of a job, or what stands where the end says that its result is."""
        if end is None or end.stream.raw or find_items(end.tree) or failed_in_success(end.tree):
            return end
        found = self._own(result_address_of(end.tree), url)
        if not found or found == url:
            return end
        end.stream.discard()
        return await self._caller.look(found, run)


def _places_of(url: str, base_url: str) -> deque[str]:
    """Return where a job may be asked for: as it is named, and below a path that a proxy added."""
    path, named = urlsplit(base_url).path, urlsplit(url)
    prefixes = [] if is_root(path) else prefixes_of(path)
    below = (one for one in prefixes if not named.path.startswith(f'{one}/'))
    return deque((url, *(urlunsplit(named._replace(path=one + named.path)) for one in below)))


def _goes_on(response: ApiResponse) -> bool:
    """Check whether a job is not over; a response that says nothing of the job is its end."""
    tree = response.tree
    if failed_in_success(tree) or find_items(tree):
        return False
    state = state_of(tree)
    is_untold = state is JobState.UNTOLD and task_of(tree) is not None
    return response.status == 202 or state in GOING_ON or is_untold


def _asked_pause_s(response: ApiResponse) -> float | None:
    asked_s = retry_after_s(response.headers)
    return None if asked_s is None else min(asked_s, LONGEST_ASKED_PAUSE_S)
