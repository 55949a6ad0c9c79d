"""One provider asked over real sockets, and what it was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

from app.models import Call, GenerationResult
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.provider import ApiProvider
from tests.support.fakes import KEY, Asked, Reply, Upstream, picture, storing

PNG = picture()
B64 = base64.b64encode(PNG).decode()
ONE = Reply(body=json.dumps({'data': [{'b64_json': B64}]}).encode())
GONE = Reply(status=404, body=b'{"detail":"Not Found"}')


def refusing(name: str, status: int = 400) -> Reply:
    error = {'error': {'message': f'Unknown parameter: {name!r}', 'param': name}}
    return Reply(status=status, body=json.dumps(error).encode())


def settings(server: Upstream, root: str = '/v1', **more: object) -> ProviderSettings:
    fields = {'name': 't', 'base_url': f'{server.origin}{root}', 'model': 'flux', 'timeout_s': 10}
    return ProviderSettings(**{**fields, 'key': KEY, **more})  # type: ignore[arg-type]


async def drawn(
    server: Upstream,
    folder: Path,
    request: GenerationRequest,
    memory: CapabilityStore | None = None,
    told: ProviderSettings | None = None,
    tried: list[Call] | None = None,
) -> GenerationResult:
    http_client = HttpClient()
    provider = ApiProvider(told or settings(server), http_client, memory)
    try:
        async with storing(folder) as store:
            note = (tried if tried is not None else []).append
            return await provider.generate(request, Run(store.new_temp_file, note))
    finally:
        await http_client.close()


def bodies(server: Upstream) -> list[dict[str, object]]:
    return [json.loads(asked.body) for asked in server.asked if asked.method == 'POST']


def times(*replies: Reply) -> Callable[[Asked], Reply]:
    """Answer each call with the next of these, and then with the last."""
    left: list[Reply] = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
