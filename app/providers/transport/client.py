"""Small calls to one provider, which need none of what reads pictures.

The key goes to the provider's own origin and nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import Mapping
from contextlib import aclosing
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.errors import ErrorKind, Failure, ProviderError
from app.net.client import HttpClient
from app.net.decompress import NotInflated, inflated
from app.net.urls import Blocked, origin_of
from app.providers.core.base import Dialect, ProviderSettings
from app.providers.response.json_text import Json, loads_rows
from app.providers.transport.bodies import Body

GET_DEADLINE_S = 5.0
NOTIFY_DEADLINE_S = 2.0
MOST_GET_BYTES = 16 * 1024 * 1024  # a list of five thousand models may have half of that
EMPTY = Body()
_OF_BFL = re.compile(r'/(flux-[\w.-]+|get_result)$')
ACCEPT = {'Accept': 'application/json'}


class Client:
    """Calls one provider; what its failures say is not redacted yet."""

    def __init__(self, settings: ProviderSettings, http_client: HttpClient) -> None:
        self.settings = settings
        self.origin = origin_of(settings.base_url)
        self._http_client = http_client
        http_client.policy.trust(self.origin)

    async def get(self, url: str) -> tuple[int, Json]:
        """Send a GET for JSON, or None; raise httpx.HTTPError, TimeoutError or ValueError."""
        body = bytearray()
        async with asyncio.timeout(GET_DEADLINE_S):
            response = await self._send('GET', url)
            try:
                async with aclosing(inflated(response.aiter_raw(), response.headers)) as blocks:
                    async for block in blocks:
                        body += block
                        if len(body) > MOST_GET_BYTES:
                            return response.status_code, None
            except NotInflated:
                return response.status_code, None
            finally:
                await response.aclose()
        try:
            return response.status_code, await loads_rows(body.decode('utf-8-sig', 'replace'))
        except ValueError:
            return response.status_code, None

    async def find(self, url: str) -> Json:
        """Return the JSON of a 200 to a GET, None where nothing of that kind came."""
        try:
            status, tree = await self.get(url)
        except (httpx.HTTPError, TimeoutError, ValueError, Blocked):
            return None
        return tree if status == 200 else None

    async def notify(self, url: str) -> None:
        """Send an empty POST; nothing depends on whether it arrives."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(NOTIFY_DEADLINE_S):
                response = await self._send('POST', url)
                await response.aclose()

    def seen(self, error: Exception) -> str:
        """Describe in a few words what went wrong on the way to this provider."""
        return self._http_client.seen(error, self.origin)

    def failed(self, kind: ErrorKind, reason: str = '', words: str = '') -> ProviderError:
        return ProviderError(Failure(kind=kind, where=str(self.origin), reason=reason, words=words))

    async def _send(
        self, method: str, url: str, plain: Mapping[str, str] = ACCEPT, body: Body = EMPTY
    ) -> httpx.Response:
        """Send one request, with its length: many servers refuse a body in chunks."""
        client, headers = self._http_client.client, {**plain, **own_headers(self.settings, url)}
        length = {'Content-Length': str(body.size_bytes)} if body.pieces else {}
        content = body.blocks() if body.pieces else b''
        request = client.build_request(method, url, content=content, headers=headers | length)
        return await client.send(request, stream=True)


def own_headers(settings: ProviderSettings, url: str = '') -> dict[str, str]:
    """Return the key as this server takes it at `url`, and the headers that were set for it."""
    key, parts, own = settings.key, urlsplit(url or settings.base_url), dict(settings.headers)
    if not key:
        return own
    path, host = parts.path, f'.{parts.hostname or ""}'
    if ':' in key and (settings.dialect is Dialect.SDAPI or '/sdapi/' in f'{path}/'):
        return {'Authorization': f'Basic {base64.b64encode(key.encode()).decode()}'} | own
    if '/fal-ai/' in path or host.endswith('.fal.run'):
        return {'Authorization': f'Key {key}'} | own
    if '/openai/deployments/' in path:
        return {'api-key': key} | own
    if path.endswith(':generateContent'):
        return {'x-goog-api-key': key} | own
    if host.endswith(('.bfl.ai', '.bfl.ml')) or _OF_BFL.search(path):
        return {'x-key': key} | own
    return {'Authorization': f'Bearer {key}'} | own


def endpoint(base_url: str, path: str) -> str:
    """Put a path behind an API's root, whose query stays."""
    parts = urlsplit(base_url)
    root = parts.path.rstrip('/').removesuffix('/images/generations')
    return urlunsplit(parts._replace(path=f'{root}/{path}'))
