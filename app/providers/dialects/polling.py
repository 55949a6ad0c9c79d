"""Waits for a picture that an answer only promises, where it can be asked for."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote, urljoin, urlsplit

import httpx

from app.errors import ErrorKind, ProviderError
from app.net.urls import Blocked, origin_of
from app.providers.core.base import Run
from app.providers.response.images import find_items
from app.providers.response.parser import ApiResponse
from app.providers.response.status import (
    UNDER_WAY,
    failed_in_success,
    poll_address_of,
    state_of,
    task_of,
)
from app.providers.transport.client import Caller, endpoint

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
CANCEL_DEADLINE_S = 2.0
MOST_LOST_LOOKS = 5  # in a row; a look costs nothing, and the picture may have been paid for
PASSING = (408, 425, 429, 500, 502, 503, 504)
SDCPP_ROOT = '/sdcpp/'


async def wait_for_job(
    caller: Caller, promise: ApiResponse, run: Run, base_url: str
) -> ApiResponse | None:
    """Ask for a job until it is over; None where it can't be asked for.

    Raises:
        ProviderError: `timeout`: it was not done within the provider's time-out.
    """
    url = _address_of(caller, promise, base_url)
    if url is None:
        return None
    try:
        async with asyncio.timeout(caller.settings.timeout_s):
            return await _end_of(caller, url, run)
    except TimeoutError as error:
        raise caller.failed(ErrorKind.TIMEOUT, f'{caller.settings.timeout_s:g}') from error
    except asyncio.CancelledError:
        await _cancel(caller, url)
        raise


async def _end_of(caller: Caller, url: str, run: Run) -> ApiResponse | None:
    pause_s, lost = FIRST_PAUSE_S, 0
    while True:
        answer = await _look(caller, url, run)
        if answer and (answer.stream.raw or (answer.is_success and not _is_under_way(answer))):
            return answer
        if answer:
            answer.stream.discard()
        if answer and not answer.is_success and answer.status not in PASSING:
            return None
        lost = 0 if answer and answer.is_success else lost + 1
        if lost > MOST_LOST_LOOKS:
            return None
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _look(caller: Caller, url: str, run: Run) -> ApiResponse | None:
    try:
        return await caller.look(url, run)
    except ProviderError:
        return None


async def _cancel(caller: Caller, url: str) -> None:
    """Tell stable-diffusion.cpp's server that nobody wants this picture any more."""
    if not urlsplit(url).path.startswith(SDCPP_ROOT):
        return
    with contextlib.suppress(httpx.HTTPError, TimeoutError, ValueError, Blocked):
        async with asyncio.timeout(CANCEL_DEADLINE_S):
            await caller.post_empty(f'{url.partition("?")[0]}/cancel')


def _address_of(caller: Caller, promise: ApiResponse, base_url: str) -> str | None:
    """Give the job's address: the one it names, or where such jobs are by custom."""
    job, tree = task_of(promise.tree), promise.tree
    if failed_in_success(tree) or (job is None and promise.status != 202):
        return None
    named = poll_address_of(tree)
    if not named and promise.status == 202:
        headers = promise.headers
        named = headers.get('operation-location') or headers.get('location')
    if not named and not job:
        return None
    try:
        url = urljoin(base_url, named or endpoint(base_url, f'tasks/{quote(job or "", "")}'))
        return url if origin_of(url) == caller.origin else None
    except (Blocked, ValueError):
        return None


def _is_under_way(answer: ApiResponse) -> bool:
    """Whether the job goes on; an answer that says nothing of it is its end."""
    if failed_in_success(answer.tree) or find_items(answer.tree):
        return False
    return answer.status == 202 or state_of(answer.tree) in UNDER_WAY
