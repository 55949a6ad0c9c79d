"""Edits: what arrives at each server, in its own words, and that none is paid for twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.models import Call, GenerationResult
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.provider import ApiProvider
from app.providers.transport.asgi import AsgiTransport
from app.storage.files import TempFile
from tests.support.edit_input import COLOURS, edit_input, intended
from tests.support.edit_servers import EditServer
from tests.support.fakes import KEY
from tests.support.form_servers import FORM_SERVERS

PROMPT = GenerationRequest(prompt='a cat')
MASKED = GenerationRequest(prompt='a cat', mask='0' * 64)


async def edited(
    server: EditServer,
    folder: Path,
    count: int = 1,
    request: GenerationRequest = PROMPT,
    memory: CapabilityStore | None = None,
    calls: list[Call] | None = None,
) -> GenerationResult:
    http_client = HttpClient(transport=AsgiTransport(server.app))
    settings = ProviderSettings(
        name='t', base_url=server.base_url, model='flux', timeout_s=10, key=KEY
    )
    edit = edit_input(folder / 'sent', count, masked=request.mask is not None)
    note = (calls if calls is not None else []).append
    try:
        provider = ApiProvider(settings, http_client, memory)
        run = Run(lambda: TempFile(folder / 'arriving'), note, edit=edit)
        return await provider.generate(request, run)
    finally:
        await http_client.close()


@pytest.mark.parametrize('kind', FORM_SERVERS)
@pytest.mark.parametrize('count', [1, 3])
@pytest.mark.parametrize('request_', [PROMPT, MASKED], ids=['plain', 'masked'])
async def test_each_server_edits_what_is_meant_and_is_paid_once(
    kind: Callable[[], EditServer], count: int, request_: GenerationRequest, tmp_path: Path
) -> None:
    server, memory = kind(), CapabilityStore()

    result = await edited(server, tmp_path, count, request_, memory)

    assert len(result.received) == server.drawings == 1
    assert len(server.posts) <= 2
    assert server.colours == COLOURS[:count]
    if request_.mask and server.takes_mask:
        assert server.edited is not None
        assert server.edited.tobytes() == intended().tobytes()
    else:
        assert server.edited is None
    before = len(server.posts)
    await edited(server, tmp_path, count, request_, memory)
    assert len(server.posts) == before + 1
