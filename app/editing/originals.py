"""The kept files that an edit goes by, as far as they are whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.database import Library
from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.log import logger
from app.models import Image
from app.storage.decoding.decoder import DecoderFailed
from app.storage.inventory import DamagedFile, open_kept
from app.storage.store import Store

log = logger(__name__)

MASK_IS_NOT_WHOLE = Failure(kind=ErrorKind.STORAGE, reason=Reason.MASK_IS_NOT_WHOLE)


def deleted(image_id: int) -> Failure:
    kind, reason = ErrorKind.INVALID_REQUEST, Reason.SOURCE_WAS_DELETED
    return Failure(kind=kind, reason=reason, value=str(image_id))


def not_whole(image: Image) -> Failure:
    kind, reason = ErrorKind.STORAGE, Reason.SOURCE_IS_NOT_WHOLE
    return Failure(kind=kind, reason=reason, value=str(image.id))


@contextmanager
def told_as(failure: Failure) -> Iterator[None]:
    """Raise what is wrong with a file, or with what is in it, as a ProviderError of this."""
    try:
        yield
    except (OSError, DamagedFile, ProviderError) as error:
        if isinstance(error, DecoderFailed):
            raise
        log.warning('%s: %r', failure.reason, error)
        raise ProviderError(failure) from error


async def original_of(image: Image, library: Library, store: Store) -> Path:
    """Return the file of a picture; raise ProviderError where it is not whole."""
    with told_as(not_whole(image)):
        path, kept = store.original(image.file), await library.files.one(image.id)
        os.close(await asyncio.to_thread(open_kept, store.data, path, kept))
        return path


async def mask_of(digest: str, store: Store) -> Path:
    """Return the file of a mask; raise ProviderError where there is none."""
    with told_as(MASK_IS_NOT_WHOLE):
        path = store.mask(digest)
        os.close(await asyncio.to_thread(open_kept, store.data, path))
        return path
