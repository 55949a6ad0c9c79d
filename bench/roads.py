"""Three roads from a prompt to a file: ours, a plain download, and the shortest client code."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings, Run
from app.providers.provider import ApiProvider
from app.storage.decoding.decoder import Decoded, Decoder
from app.storage.metadata.label import Label
from app.storage.store import Store

THUMBNAIL = bytes(20_000)  # as long as one of 480 pixels


class InstantDecoder(Decoder):
    """Answers at once, with thumbnails that are none.

    Attributes:
        took_s: How long that took, all in all: the clock of the claims does not run here.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.took_s = 0.0

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], label: Label | None = None
    ) -> Decoded:
        """Pretend."""
        began = time.perf_counter()
        for thumb in thumbs.values():
            thumb.write_bytes(THUMBNAIL)
        self.took_s += time.perf_counter() - began
        return Decoded(width=1, height=1, mean_colour='#000000')


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from the request until the bytes are there, and until they are in place."""

    arrived_s: float
    placed_s: float


@dataclass(frozen=True, slots=True)
class Roads:
    """All three lead through one client to one stub and one folder; what they made is removed."""

    url: str
    http_client: HttpClient
    store: Store
    decoder: InstantDecoder
    provider: ApiProvider

    async def ours(self, prompt: str) -> Taken:
        """Generate and keep, as the worker does."""
        decoded_s = self.decoder.took_s
        began = time.perf_counter()
        answer = await self.provider.generate(
            GenerationRequest(prompt=prompt), Run(self.store.new_temp_file)
        )
        arrived_s = time.perf_counter() - began
        kept = await self.store.keep(
            answer.received[0],
            Label(
                prompt=prompt, provider='bench', created_at=time.time(), generation_id=1, position=0
            ),
        )
        placed_s = time.perf_counter() - began - (self.decoder.took_s - decoded_s)
        self.store.forget(kept)
        return Taken(arrived_s, placed_s)

    async def plain(self, prompt: str) -> Taken:
        """Download the answer as it is."""
        part = self.store.arriving / 'plain.part'
        began = time.perf_counter()
        file = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        async with self.http_client.client.stream(
            'POST', self.url, json=fields(prompt)
        ) as response:
            async for block in response.aiter_raw():
                os.write(file, block)
        arrived_s = time.perf_counter() - began
        await asyncio.to_thread(self._place, file, part)
        return self._ended(began, arrived_s)

    async def direct(self, prompt: str) -> Taken:
        """Do what the shortest program does that keeps a picture."""
        part = self.store.arriving / 'direct.part'
        began = time.perf_counter()
        response = await self.http_client.client.post(self.url, json=fields(prompt))
        picture = base64.b64decode(response.json()['data'][0]['b64_json'])
        file = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(file, picture)
        arrived_s = time.perf_counter() - began
        await asyncio.to_thread(self._place, file, part)
        return self._ended(began, arrived_s)

    def _place(self, file: int, part: Path) -> None:
        os.fsync(file)
        os.close(file)
        part.replace(self._target)
        folder = os.open(self._target.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _ended(self, began: float, arrived_s: float) -> Taken:
        taken = Taken(arrived_s, time.perf_counter() - began)
        self._target.unlink()
        return taken

    @property
    def _target(self) -> Path:
        return self.store.images / 'placed'


@asynccontextmanager
async def roads_to(base_url: str, folder: Path) -> AsyncIterator[Roads]:
    """Build the parts of the three roads, with a data folder in this one."""
    decoder, http_client = InstantDecoder(), HttpClient()
    store = Store(folder / 'data', decoder)
    store.prepare()
    settings = ProviderSettings(name='stub', base_url=base_url, model='flux', timeout_s=60)
    provider = ApiProvider(settings, http_client)
    try:
        yield Roads(f'{base_url}/images/generations', http_client, store, decoder, provider)
    finally:
        await http_client.close()


def fields(prompt: str) -> dict[str, str]:
    """Ask as our side does."""
    return {'model': 'flux', 'prompt': prompt}
