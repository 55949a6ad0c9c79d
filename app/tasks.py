"""Work that runs beside the pages: its faults end nothing else, and it ends with the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.log import logger


async def logging_faults(work: Callable[[], Awaitable[None]]) -> None:
    """Do work; log what it raises, so that nothing else ends by it."""
    try:
        await work()
    except Exception:
        logger(__name__).exception('what ran in the background ended by a fault')


async def end_tasks(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel tasks, one after the other, and wait until each has ended."""
    for task in filter(None, tasks):
        task.cancel()
        await asyncio.wait([task])
