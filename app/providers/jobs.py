"""Waits for a picture that an answer only promises, where it can be asked for."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urljoin

from app.addresses import Blocked, origin_of
from app.errors import ErrorKind, ProviderError
from app.providers.base import Run
from app.providers.call import Caller, Exchange, endpoint
from app.providers.items import Json, find_items, task_of
from app.providers.refusal import failed_in_success

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
UNDER_WAY = ('queued', 'pending', 'processing', 'running', 'in_progress', 'starting', 'submitted')


async def wait_for_job(
    caller: Caller, promise: Exchange, run: Run, base_url: str
) -> Exchange | None:
    """Ask for a job until it is done; None where it can't be asked for or comes to nothing.

    Raises:
        ProviderError: `timeout`: it was not done within the provider's time-out.
    """
    url = _address_of(caller, promise.tree, base_url)
    if url is None:
        return None
    pause_s = FIRST_PAUSE_S
    try:
        async with asyncio.timeout(caller.settings.timeout_s):
            while True:
                answer = await _look(caller, url, run)
                if answer is None or find_items(answer.tree) or answer.spool.raw:
                    return answer
                answer.spool.discard()
                if not answer.is_success or not _is_under_way(answer.tree):
                    return None
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    except TimeoutError as error:
        raise caller.failed(ErrorKind.TIMEOUT, f'{caller.settings.timeout_s:g}') from error


async def _look(caller: Caller, url: str, run: Run) -> Exchange | None:
    try:
        return await caller.look(url, run)
    except ProviderError:
        return None


def _address_of(caller: Caller, tree: Json, base_url: str) -> str | None:
    """Give the job's address: the one it names, or where such jobs are by custom."""
    job = task_of(tree)
    if job is None or not isinstance(tree, dict):
        return None
    poll_url = tree.get('poll_url')
    named = poll_url if isinstance(poll_url, str) else endpoint(base_url, f'tasks/{quote(job, "")}')
    try:
        url = urljoin(base_url, named)
        return url if origin_of(url) == caller.origin else None
    except (Blocked, ValueError):
        return None


def _is_under_way(tree: Json) -> bool:
    if not isinstance(tree, dict) or failed_in_success(tree):
        return False
    said = str(tree.get('status') or tree.get('task_status') or '')
    return said.lower() in UNDER_WAY
