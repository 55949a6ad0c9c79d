"""The dialect of AUTOMATIC1111, Forge, SD.Next, KoboldCpp and stable-diffusion.cpp.

Source: their `/sdapi/v1/txt2img`, `/progress`, `/interrupt`, `/sd-models`, read in their code.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar

from app.models.request import GenerationRequest
from app.providers.core.base import WIRE_NAMES, Run
from app.providers.dialects.base import ApiDialect, ParameterFallback, filled, number
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.client import endpoint
from app.providers.transport.collect import ImageCollector

PROGRESS_EVERY_S = 1.0


class SdApi(ApiDialect):
    """Asks `POST …/sdapi/v1/txt2img`, and follows its progress; a cancelled one is interrupted."""

    unsupported = ('quality', 'response_format')
    names: ClassVar[Mapping[str, str]] = {**WIRE_NAMES, 'override_settings': 'model'}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._under_way: list[object] = []

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
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
            'override_settings': {'sd_model_checkpoint': request.model} if request.model else None,
        }
        return filled(fields)

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        url, ours = endpoint(base_url, 'txt2img'), object()
        self._under_way.append(ours)
        follower = asyncio.create_task(self._follow(run, base_url))
        try:
            return await self._caller.post(url, fallback.body, run, count=request.count)
        except asyncio.CancelledError:
            follower.cancel()
            if self._under_way[0] is ours:  # it draws one after the other: later ones only wait
                await self._caller.notify(endpoint(base_url, 'interrupt'))
            raise
        finally:
            self._under_way.remove(ours)
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)

    async def _follow(self, run: Run, base_url: str) -> None:
        url = f'{endpoint(base_url, "progress")}?skip_current_image=false'
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            tree = await self._caller.find(url)
            if not isinstance(tree, dict):
                return
            progress, picture = tree.get('progress'), tree.get('current_image')
            if isinstance(progress, int | float) and 0 < progress <= 1:
                run.progressed(float(progress))
            if isinstance(picture, str) and picture:
                with contextlib.suppress(Base64Error):
                    run.previewed(0, await asyncio.to_thread(inline, picture, run.incoming))
