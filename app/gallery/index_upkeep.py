"""Keeps searches fast: each goes through every segment of the index of words."""

from __future__ import annotations

import asyncio
import time
from typing import NoReturn

from app.database import Library
from app.errors import StorageFailed
from app.log import logger

log = logger(__name__)

LOOK_EVERY_S = 120.0
RESTS = 4  # times as long as a step takes


async def keep_merged(library: Library) -> NoReturn:
    """Merge the index in the background, until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await merge_all(library)
        except StorageFailed as error:
            log.warning('the search index is merged later: %s', error)


async def merge_all(library: Library) -> None:
    """Merge all that is to be merged, in small steps with rests between them."""
    began_at = time.monotonic()
    while await library.index.merge():
        await asyncio.sleep(RESTS * (time.monotonic() - began_at))
        began_at = time.monotonic()
