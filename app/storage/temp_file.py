"""The temporary file of a picture that is arriving, up to 64 MiB."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import N_, ErrorKind, Failure, ProviderError, StorageFailed
from app.models import MOST_IMAGE_BYTES, Received

HEAD_BYTES = 64


class TempFile:
    """An open temporary file that never holds more than 64 MiB."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f'{uuid.uuid4().hex}.part'
        self.size_bytes = 0
        self._file = self.path.open('xb', buffering=0)
        self._head = b''

    def write(self, block: bytes) -> None:
        """Add bytes; raise ProviderError with `too_large` past the cap of 64 MiB."""
        self.size_bytes += len(block)
        if self.size_bytes > MOST_IMAGE_BYTES:
            raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, reason='over 64 MiB'))
        if len(self._head) < HEAD_BYTES:
            self._head += block[:HEAD_BYTES]
        with writing():
            if self._file.write(block) != len(block):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def received(self) -> Received:
        """Close the file and describe what came, unchecked."""
        self._file.close()
        return Received(path=self.path, size_bytes=self.size_bytes, head=self._head[:HEAD_BYTES])

    def discard(self) -> None:
        """Close and delete the file; safe at any time."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def writing() -> Iterator[None]:
    """Raise what the disk refuses as StorageFailed, without a path."""
    try:
        yield
    except OSError as error:
        sentence = N_('The data folder could not be written: {reason}.')
        raise StorageFailed(sentence, reason=error.strerror or error) from error
