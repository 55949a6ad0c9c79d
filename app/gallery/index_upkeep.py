"""Keeps searches fast: each goes through every segment of the index of words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from app.database import Library
from app.errors import StorageFailed
from app.log import logger

log = logger(__name__)

LOOK_EVERY_S = 120.0
RESTS = 4  # times as long as a step takes
IsBusy: TypeAlias = Callable[[], bool]


async def keep_merged(library: Library, is_busy: IsBusy) -> NoReturn:
    """Merge the index in the background while nothing else is written, until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await merge_all(library, is_busy)
        except StorageFailed as error:
            log.warning('the search index is merged later: %s', error)


async def merge_all(library: Library, is_busy: IsBusy = lambda: False) -> None:
    """Merge what is to be merged, in small steps with rests, until there is something to do.

    A step takes as long as the list of a word of every picture, which it cannot divide.
    """
    began_at = time.monotonic()
    while not is_busy() and await library.index.merge():
        await asyncio.sleep(RESTS * (time.monotonic() - began_at))
        began_at = time.monotonic()
