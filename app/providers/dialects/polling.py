"""Polling for a picture that a response only promises, where it can be asked for."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote, urljoin, urlsplit

from app.errors import ErrorKind, ProviderError
from app.net.urls import Blocked, origin_of
from app.providers.core.base import Run
from app.providers.response.images import find_items
from app.providers.response.parser import ApiResponse
from app.providers.response.status import failed_in_success, is_under_way, poll_address_of, task_of
from app.providers.transport.client import Caller, endpoint

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
MOST_LOST_LOOKS = 5  # in a row; a look costs nothing, and the picture may have been paid for
PASSING = (408, 425, 429, 500, 502, 503, 504)
SDCPP_ROOT = '/sdcpp/'


async def wait_for_job(
    caller: Caller, promise: ApiResponse, run: Run, base_url: str
) -> ApiResponse | None:
    """Poll a job until it is over; None where it cannot be asked for; raise on a time-out."""
    url = _address_of(caller, promise, base_url)
    if url is None:
        return None
    try:
        async with asyncio.timeout(caller.settings.timeout_s):
            return await _poll(caller, url, run)
    except TimeoutError as error:
        raise caller.failed(ErrorKind.TIMEOUT, f'{caller.settings.timeout_s:g}') from error
    except asyncio.CancelledError:
        if urlsplit(url).path.startswith(SDCPP_ROOT):  # stable-diffusion.cpp's server can stop it
            await caller.notify(f'{url.partition("?")[0]}/cancel')
        raise


async def _poll(caller: Caller, url: str, run: Run) -> ApiResponse | None:
    pause_s, lost = 0.0, 0
    while lost <= MOST_LOST_LOOKS:
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        lost += 1
        with contextlib.suppress(ProviderError):
            response = await caller.look(url, run)
            tree = response.tree  # one that says nothing of the job is its end
            has_ended = failed_in_success(tree) or bool(find_items(tree))
            goes_on = not has_ended and (response.status == 202 or is_under_way(tree))
            if response.stream.raw or (response.is_success and not goes_on):
                return response
            response.stream.discard()
            if response.is_success:
                lost = 0
            elif response.status not in PASSING:
                return None
    return None


def _address_of(caller: Caller, promise: ApiResponse, base_url: str) -> str | None:
    """Return the job's address: the one it names, or where such jobs are by custom."""
    job, headers, tree = task_of(promise.tree), promise.headers, promise.tree
    named = poll_address_of(tree)
    if promise.status == 202:
        named = named or headers.get('operation-location') or headers.get('location')
    elif job is None:
        return None
    if failed_in_success(tree) or not (named or job):
        return None
    try:
        url = urljoin(base_url, named or endpoint(base_url, f'tasks/{quote(job or "", "")}'))
        return url if origin_of(url) == caller.origin else None
    except (Blocked, ValueError):
        return None
