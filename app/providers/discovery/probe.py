"""Asks an address that may be anybody's for one small thing, and never waits or reads for long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from app.net.client import HttpClient, what_happened
from app.net.urls import Blocked
from app.providers.response.images import Json

MOST_BYTES = 1024 * 1024
HEAD_LETTERS = 500


class Silent(Exception):
    """No whole answer came in time; the text says in short English what was seen."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came, as far as anybody looks at it.

    Attributes:
        location: Where a redirect points, which is not followed.
        head: The first letters of the body.
        tree: The body as JSON; None where it is none, or too large, or compressed.
    """

    status: int
    location: str = ''
    head: str = ''
    tree: Json = None

    def said(self, *names: str) -> Json:
        """Give the value under these names, one inside the other; None without a 200."""
        tree = self.tree if self.status == 200 else None
        for name in names:
            tree = tree.get(name) if isinstance(tree, dict) else None
        return tree


async def probe(
    http_client: HttpClient,
    url: str,
    *,
    deadline_s: float,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one GET and read its answer, at most 1 MiB of it.

    Raises:
        Silent: Nothing whole came.
    """
    client = http_client.client
    try:
        async with asyncio.timeout(deadline_s):
            request = client.build_request(
                'GET', url, headers={'Accept': 'application/json', **(headers or {})}
            )
            response = await client.send(request, stream=True)
            try:
                return await _read(response)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise Silent('no answer') from error
    except (httpx.HTTPError, httpx.InvalidURL, Blocked, ValueError) as error:
        raise Silent(what_happened(error)) from error


async def _read(response: httpx.Response) -> Reply:
    body = bytearray()
    location = response.headers.get('location', '')
    if response.headers.get('content-encoding', 'identity').lower() != 'identity':
        return Reply(response.status_code, location)
    async for block in response.aiter_raw():
        body += block
        if len(body) > MOST_BYTES:
            return Reply(response.status_code, location)
    text = body.decode('utf-8-sig', 'replace')
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    return Reply(response.status_code, location, text[:HEAD_LETTERS], tree)
