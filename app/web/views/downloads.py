"""How a picture is downloaded: as it is kept, or without what its file says of how it was made."""

from __future__ import annotations

from starlette.requests import Request

DOWNLOAD_COOKIE = 'easel-download'
PLAIN = 'plain'


def wants_plain(request: Request) -> bool:
    """Whether this visitor chose to download pictures without their settings."""
    return request.cookies.get(DOWNLOAD_COOKIE) == PLAIN
