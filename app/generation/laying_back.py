"""The original laid back over a picture, whenever somebody asks for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from weakref import WeakKeyDictionary

from app.database import Library
from app.editing.protection import Protection
from app.errors import N_, AppError, Conflict, ProviderError
from app.generation.keeper import label_for
from app.log import logger
from app.models import Image, Outcome, Status
from app.storage.store import Store

log = logger(__name__)

_TURNS: WeakKeyDictionary[Library, asyncio.Lock] = WeakKeyDictionary()
IN_TRASH = N_('This picture is in the trash. Restore it first.')
NO_MASK = N_("This picture was made without a mask, so there's nothing to lay back.")
SOURCE_IN_TRASH = N_('Picture {id}, which this started from, is in the trash. Restore it first.')
SOURCE_IS_GONE = N_("Picture {id}, which this started from, was deleted. It can't be laid back.")
UNREADABLE = N_(
    "The original can't be laid back: picture {id} or the mask is missing or can't be read."
)


async def lay_back_over(
    image: Image, library: Library, store: Store, protection: Protection
) -> Image:
    """Return a picture with its original laid back, which is made where there is none yet.

    That is the picture itself where nothing changed of what the mask protects. Raises `Conflict`
    where it cannot be, `NotFound` where the picture is destroyed meanwhile, and `StorageFailed`.
    """
    async with _TURNS.setdefault(library, asyncio.Lock()):
        if image.laid_back_from:
            return image
        if before := await library.images.laid_back_over(image.id):
            return before
        await _check(image, library)
        try:
            return await _made(image, library, store, protection)
        except (ProviderError, OSError) as error:
            log.warning('%s: the original cannot be laid back: %r', image.id, error)
            raise Conflict(UNREADABLE, id=image.parent_id) from error


async def _check(image: Image, library: Library) -> None:
    if image.deleted_at:
        raise Conflict(IN_TRASH)
    if not image.mask or not image.sources:
        raise Conflict(NO_MASK)
    found = await library.images.some(image.sources[:1])
    if not found:
        raise Conflict(SOURCE_IS_GONE, id=image.parent_id)
    if found[0].deleted_at:
        raise Conflict(SOURCE_IN_TRASH, id=image.parent_id)


async def _made(image: Image, library: Library, store: Store, protection: Protection) -> Image:
    generation, now = await library.generations.one(image.generation_id), time.time()
    outcome = Outcome(status=Status.DONE, provider=image.provider, model=image.model)
    sources = await library.files.traced(image.sources)
    position = await library.images.next_position(generation.id)
    label = label_for(generation, outcome, generation.dropped, sources, image, position)
    label = replace(label, image_id=await library.images.reserve(), created_at=now)
    kept = await protection.lay_back(generation.request, image, label)
    if kept is None:
        return image
    try:
        return await library.images.add_version(generation, replace(outcome, kept=(kept,)), now)
    except AppError:
        store.forget(kept)
        raise
