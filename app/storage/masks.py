"""Masks, which say what of a picture may change: each is kept once, by the digest of its bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import uuid
from dataclasses import dataclass
from pathlib import Path

from app.errors import ErrorKind, Failure, ProviderError
from app.models import Received
from app.models.request import DIGEST, Size
from app.storage.decoding.edit_orders import write_grey
from app.storage.files import (
    PART,
    check_links,
    complete,
    move,
    open_beneath,
    remove,
    sync,
    sync_folder,
    writing,
)
from app.storage.metadata.mime import PNG, mime_of, what_is
from app.storage.store import MASKS, Store

SIZE = struct.Struct('>16xII')  # how a PNG begins, and its width and height


@dataclass(frozen=True, slots=True)
class NewMask:
    """A mask in a temporary file, as it is to be kept."""

    path: Path
    digest: str
    size: Size

    def discard(self) -> None:
        remove(self.path)


async def normalised(store: Store, received: Received) -> NewMask:
    """Write a mask as it is kept; what was received is gone.

    Raise ProviderError where it is no PNG, or a damaged one, and `StorageFailed`.
    """
    target = store.arriving / f'{uuid.uuid4().hex}{PART}'
    try:
        if mime_of(received.head) != PNG:
            reason = mime_of(received.head) or what_is(received.head)
            raise ProviderError(Failure(kind=ErrorKind.NOT_AN_IMAGE, reason=reason))
        await asyncio.to_thread(complete, received)
        size = await write_grey(store.decoder, received.path, target)
        return NewMask(target, await asyncio.to_thread(_digest_of, target), size)
    except BaseException:
        remove(target)
        raise
    finally:
        remove(received.path)


def _digest_of(path: Path) -> str:
    with writing(), path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def keep(store: Store, mask: NewMask) -> None:
    """Put a mask in its place, whole or not at all; raise `StorageFailed`."""
    folder, target = store.data / MASKS, store.mask(mask.digest)
    with writing():
        for one in (folder, target.parent):
            check_links(one)
            one.mkdir(mode=0o700, exist_ok=True)
        mask.path.chmod(0o600)
        sync(mask.path)
        move(mask.path, target)
        for one in (target.parent, folder):
            sync_folder(one)


def kept_size(store: Store, digest: str) -> Size | None:
    """Return the size of a kept mask, None where there is none that can be read."""
    if not DIGEST.fullmatch(digest):
        return None
    try:
        with os.fdopen(open_beneath(store.data, store.mask(digest)), 'rb') as file:
            return Size(*SIZE.unpack(file.read(SIZE.size)))
    except (OSError, struct.error):
        return None
