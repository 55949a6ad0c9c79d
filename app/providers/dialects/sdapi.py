"""The dialect of AUTOMATIC1111, Forge, SD.Next, KoboldCpp and stable-diffusion.cpp.

Source: their `/sdapi/v1/txt2img`, `/progress`, `/interrupt`, `/sd-models`, read in their code.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.models import GenerationRequest
from app.net.urls import Blocked
from app.providers.core.base import Run
from app.providers.dialects.base import ApiDialect
from app.providers.dialects.fallback import ParameterFallback
from app.providers.dialects.openai_images import number
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.parser import ApiResponse
from app.providers.transport.client import Caller, endpoint
from app.providers.transport.collect import ImageCollector

PROGRESS_EVERY_S = 1.0
INTERRUPT_DEADLINE_S = 2.0
NAMES = {'cfg_scale': 'guidance', 'width': 'size', 'height': 'size', 'batch_size': 'n'}
NAMES |= {'sampler_name': 'sampler', 'override_settings': 'model'}


class SdApi(ApiDialect):
    """Asks `POST …/sdapi/v1/txt2img`, and follows its progress; a cancelled one is interrupted."""

    unsupported = ('quality', 'response_format')
    names = NAMES

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._under_way: list[object] = []

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        return txt2img_body(request, await self._checkpoint(request, base_url))

    async def _checkpoint(self, request: GenerationRequest, base_url: str) -> str:
        """Give the model to load: the one that was chosen, or the default where it is there."""
        default = self._caller.settings.model
        if request.model or not default:
            return request.model or ''
        try:
            _, tree = await self._caller.get(endpoint(base_url, 'sd-models'))
        except (httpx.HTTPError, TimeoutError, ValueError, Blocked):
            return ''
        rows = tree if isinstance(tree, list) else []
        names = {
            str(row.get(key))
            for row in rows
            if isinstance(row, dict)
            for key in ('title', 'model_name')
        }
        return default if default in names else ''

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        url, ours = endpoint(base_url, 'txt2img'), object()
        self._under_way.append(ours)
        try:
            async with self._followed(run, base_url):
                return await self._caller.post(url, fallback.body, run, count=request.count)
        except asyncio.CancelledError:
            if self._under_way[0] is ours:  # it draws one after the other: later ones only wait
                await self._interrupt(base_url)
            raise
        finally:
            self._under_way.remove(ours)

    async def _interrupt(self, base_url: str) -> None:
        """Tell the server that nobody wants this picture any more."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(INTERRUPT_DEADLINE_S):
                await self._caller.post_empty(endpoint(base_url, 'interrupt'))

    @asynccontextmanager
    async def _followed(self, run: Run, base_url: str) -> AsyncIterator[None]:
        task = asyncio.create_task(self._follow(run, base_url))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self, run: Run, base_url: str) -> None:
        """Ask how far it is for as long as that is answered."""
        url = endpoint(base_url, 'progress')
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            try:
                status, tree = await self._caller.get(f'{url}?skip_current_image=false')
            except (httpx.HTTPError, TimeoutError, ValueError, Blocked):
                return
            if status != 200 or not isinstance(tree, dict):
                return
            progress, picture = tree.get('progress'), tree.get('current_image')
            if isinstance(progress, int | float) and 0 < progress <= 1:
                run.progressed(float(progress))
            if isinstance(picture, str) and picture:
                with contextlib.suppress(Base64Error):
                    run.previewed(0, inline(picture, run.incoming))


def txt2img_body(request: GenerationRequest, checkpoint: str) -> dict[str, object]:
    """Lay out the least that says what is wanted, in this dialect's words."""
    fields: dict[str, object] = {
        'prompt': request.prompt,
        'negative_prompt': request.negative_prompt,
        'width': request.size.width if request.size else None,
        'height': request.size.height if request.size else None,
        'steps': request.steps,
        'cfg_scale': number(request.guidance),
        'sampler_name': request.sampler,
        'seed': request.seed,
        'batch_size': request.n if request.count > 1 else None,
        'override_settings': {'sd_model_checkpoint': checkpoint} if checkpoint else None,
    }
    return {name: value for name, value in fields.items() if value not in (None, '')}
