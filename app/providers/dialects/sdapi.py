"""The dialect of AUTOMATIC1111, Forge, SD.Next, KoboldCpp and stable-diffusion.cpp.

Source: their `/sdapi/v1/txt2img`, `/progress`, `/interrupt`, `/sd-models`, read in their code.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

from app.models.request import GenerationRequest
from app.providers.core.base import WIRE_NAMES, Run
from app.providers.dialects.base import ApiDialect, ParameterFallback, filled, number
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.parser import ApiResponse
from app.providers.transport.bodies import Inline
from app.providers.transport.caller import Caller
from app.providers.transport.client import Client, endpoint
from app.providers.transport.collect import ImageCollector
from app.storage.edit_input import EditInput

SDAPI_ROOT = '/sdapi/v1'
PROGRESS_EVERY_S = 1.0


class SdApi(ApiDialect):
    """Asks `POST …/txt2img` or `img2img`, follows the progress, interrupts what is cancelled."""

    unsupported = ('quality', 'response_format')
    names: ClassVar[Mapping[str, str]] = {**WIRE_NAMES, 'override_settings': 'model'}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._under_way: list[object] = []

    async def body(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        size = request.size or (run.edit and run.edit.sources[0])  # its own would be a square
        fields: dict[str, object] = {
            'prompt': request.prompt,
            'negative_prompt': request.negative_prompt,
            'width': size.width if size else None,
            'height': size.height if size else None,
            'steps': request.steps,
            'cfg_scale': number(request.guidance),
            'sampler_name': request.sampler,
            'seed': request.seed,
            'batch_size': request.n if request.count > 1 else None,
            'override_settings': {'sd_model_checkpoint': request.model} if request.model else None,
        }
        return filled(fields | (_edit_fields(request, run.edit) if run.edit else {}))

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        url, ours = endpoint(base_url, 'img2img' if run.edit else 'txt2img'), object()
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


def _edit_fields(request: GenerationRequest, edit: EditInput) -> dict[str, object]:
    """Return what says where to start: the mask grey, since alpha means the opposite there.

    Source: `create_binary_mask` in AUTOMATIC1111's modules/processing.py
    """
    first, *more = edit.sources
    return {
        'init_images': [Inline(first)],
        'extra_images': [Inline(one) for one in more] or None,
        'mask': Inline(edit.mask.grey) if edit.mask else None,
        'denoising_strength': number(request.strength),
    }


async def has_checkpoints(client: Client, base_url: str) -> bool:
    """Check whether that dialect is spoken on a server, by its list of models."""
    listed = await client.find(endpoint(sdapi_root(base_url), 'sd-models'))
    rows = listed if isinstance(listed, list) else []
    return any(isinstance(one, dict) and 'model_name' in one for one in rows)


def sdapi_root(base_url: str) -> str:
    """Return where that dialect is spoken on the same server."""
    parts = urlsplit(base_url)
    if parts.path.rstrip('/').endswith(SDAPI_ROOT):
        return base_url
    return urlunsplit(parts._replace(path=SDAPI_ROOT))
