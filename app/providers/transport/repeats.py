"""Pictures that one chat shows twice: in its text and in a field, or in two spellings.

An images API gives a picture for each that was asked for. Two that are the same were paid for twice
there, and both stay.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from app.models import Received
from app.providers.response.images import Item
from app.storage.files import remove

T = TypeVar('T')


def addressed_once(items: Sequence[Item], alike: int) -> list[Item]:
    """Return the items without those that name an address again, down to `alike`."""
    return _distinct(items, lambda item: item.text or id(item), alike)


async def kept_once(received: Sequence[Received], alike: int) -> tuple[Received, ...]:
    """Return the pictures without those of the same bytes, whose files are deleted."""
    sizes = Counter(one.size_bytes for one in received)
    suspects = [one for one in received if sizes[one.size_bytes] > 1 and not one.unwritten]
    if len(received) <= alike or not suspects:
        return tuple(received)
    try:
        digests = await asyncio.to_thread(_digests_of, suspects)
    except asyncio.CancelledError:
        remove(*(one.path for one in received))
        raise
    kept = _distinct(received, lambda one: digests.get(one.path, one.path), alike)
    remove(*(one.path for one in received if one not in kept))
    return tuple(kept)


def _distinct(things: Sequence[T], key_of: Callable[[T], Hashable], alike: int) -> list[T]:
    surplus, seen, kept = len(things) - alike, set[Hashable](), list[T]()
    for thing in things:
        key = key_of(thing)
        if key in seen and surplus > 0:
            surplus -= 1
        else:
            kept.append(thing)
        seen.add(key)
    return kept


def _digests_of(received: Iterable[Received]) -> dict[object, Hashable]:
    digests = dict[object, Hashable]()
    for one in received:
        with suppress(OSError), one.path.open('rb') as file:
            digests[one.path] = hashlib.file_digest(file, 'sha256').digest()
    return digests
