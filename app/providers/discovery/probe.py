"""One small GET to an untrusted address, limited in time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from app.net.client import HttpClient, what_happened
from app.net.pace import Pace
from app.net.urls import Blocked
from app.providers.response.json_text import Json, loads_rows

MOST_BYTES = 4 * 1024 * 1024
HEAD_CHARACTERS = 500


class NoResponse(Exception):
    """No whole response came in time; the text says why in short technical English."""


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """A response; a body that is too large or compressed is left out."""

    status: int
    location: str = ''
    head: str = ''  # the first characters of the body
    json: Json = None

    @property
    def ok_json(self) -> Json:
        """The JSON of a 200; None without one."""
        return self.json if self.status == 200 else None


async def probe(
    http_client: HttpClient,
    url: str,
    deadline_s: float,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> ProbeResponse:
    """Send one GET, or raise NoResponse where nothing whole came in time."""
    accepting = {'Accept': 'application/json', **(headers or {})}
    try:
        async with (
            asyncio.timeout(deadline_s),
            http_client.client.stream('GET', url, headers=accepting) as response,
        ):
            return await _read(response, most_bytes)
    except TimeoutError as error:
        raise NoResponse('no answer') from error
    except (httpx.HTTPError, httpx.InvalidURL, Blocked, ValueError) as error:
        raise NoResponse(what_happened(error)) from error


async def _read(response: httpx.Response, most_bytes: int) -> ProbeResponse:
    bodiless = ProbeResponse(response.status_code, response.headers.get('location', ''))
    if response.headers.get('content-encoding', 'identity').lower() != 'identity':
        return bodiless
    body = bytearray()
    pace = Pace()
    async for block in response.aiter_raw():
        body += block
        await pace.rest()
        if len(body) > most_bytes:
            return bodiless
    text = body.decode('utf-8-sig', 'replace')
    try:
        tree = await loads_rows(text)
    except ValueError:
        tree = None
    return replace(bodiless, head=text[:HEAD_CHARACTERS], json=tree)
