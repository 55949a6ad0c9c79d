"""Pictures that one response holds twice: in its text and in a field, or in two spellings.

Who asked for two may get two that are the same, and paid for both: these stay.
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


def addressed_once(items: Sequence[Item], asked: int) -> list[Item]:
    """Return the items without those that name an address again, down to how many were asked."""
    return _distinct(items, lambda item: item.text or id(item), asked)


async def kept_once(received: Sequence[Received], asked: int) -> tuple[Received, ...]:
    """Return the pictures without those of the same bytes, whose files are deleted."""
    sizes = Counter(one.size_bytes for one in received)
    alike = [one for one in received if sizes[one.size_bytes] > 1 and not one.unwritten]
    if len(received) <= asked or not alike:
        return tuple(received)
    try:
        digests = await asyncio.to_thread(_digests_of, alike)
    except asyncio.CancelledError:
        remove(*(one.path for one in received))
        raise
    kept = _distinct(received, lambda one: digests.get(one.path, one.path), asked)
    remove(*(one.path for one in received if one not in kept))
    return tuple(kept)


def _distinct(things: Sequence[T], key_of: Callable[[T], Hashable], asked: int) -> list[T]:
    surplus, seen, kept = len(things) - asked, set[Hashable](), list[T]()
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
