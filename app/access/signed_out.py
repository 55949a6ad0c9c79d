"""The sessions that were signed out before their time, so that a copy of the cookie ends too."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from app.config import SIGNED_OUT
from app.log import logger
from app.storage.files import write_private

log = logger(__name__)

MOST_EACH = 1_000  # of the owner, and of each guest: nobody crowds out what another ended


class SignedOut:
    """The claims of cookies that count no longer, in one file where a path is given."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._writing = asyncio.Lock()
        self._claims: dict[str, None] = {}

    def load(self) -> SignedOut:
        """Read the file, if there is one; a damaged one is told, and replaced by the next."""
        try:
            if self._path and self._path.exists():
                listed = [str(one) for one in json.loads(self._path.read_bytes())]
                self._claims = {one: None for one in listed if parts_of(one)}
        except (OSError, ValueError, TypeError) as error:
            log.warning(
                "%s can't be read, so those who signed out may be signed in: %s", SIGNED_OUT, error
            )
        return self

    def __contains__(self, claims: str) -> bool:
        return claims in self._claims

    async def add(self, claims: str) -> None:
        """End a session from now on, and after the next start if the disk takes it."""
        _, who, _ = parts_of(claims)
        now = time.time()
        left = [one for one in self._claims if parts_of(one)[0] > now]
        own = [one for one in left if parts_of(one)[1] == who]
        crowded = set(own[: max(0, len(own) + 1 - MOST_EACH)])
        self._claims = dict.fromkeys([*(one for one in left if one not in crowded), claims])
        if self._path is None:
            return
        async with self._writing:
            try:
                await asyncio.to_thread(write_private, self._path, json.dumps([*self._claims]))
            except OSError as error:
                log.warning('%s could not be written: %s', SIGNED_OUT, error.strerror)


def parts_of(claims: str) -> tuple[int, str, str]:
    """Return when a session ends, its guest's id (empty: the owner), and its mark."""
    expires, who, mark = (*claims.split('.'), '', '')[:3]
    return int(expires), who, mark
