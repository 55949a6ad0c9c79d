"""One edit by the real provider, over a server in this process."""

from __future__ import annotations

from pathlib import Path

from app.models import Call, GenerationResult
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.net.urls import normalize_api_url
from app.providers.core.base import Dialect, ProviderSettings, Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.provider import ApiProvider
from app.providers.transport.asgi import AsgiTransport
from app.storage.edit_input import EditInput
from app.storage.files import TempFile
from tests.support.edit_input import edit_input
from tests.support.edit_servers import EditServer
from tests.support.fakes import KEY

PROMPT = GenerationRequest(prompt='a cat')
MASKED = GenerationRequest(prompt='a cat', mask='0' * 64)


async def edited(
    server: EditServer,
    folder: Path,
    count: int = 1,
    request: GenerationRequest = PROMPT,
    memory: CapabilityStore | None = None,
    calls: list[Call] | None = None,
    dialect: Dialect = Dialect.AUTO,
    edit: EditInput | None = None,
) -> GenerationResult:
    http_client = HttpClient(transport=AsgiTransport(server.app))
    settings = ProviderSettings(
        name='t',
        base_url=normalize_api_url(server.base_url),
        model=server.model,
        timeout_s=10,
        key=KEY,
        dialect=dialect,
    )
    edit = edit or edit_input(folder / 'sent', count, masked=request.mask is not None)
    note = (calls if calls is not None else []).append
    try:
        provider = ApiProvider(settings, http_client, memory)
        run = Run(lambda: TempFile(folder / 'arriving'), note, edit=edit)
        return await provider.generate(request, run)
    finally:
        await http_client.close()
