"""A worker with a real library, store and decoder, and a provider that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.config import config_from
from app.database import Library
from app.editing.service import Editing
from app.generation.changes import Changes, Listener
from app.generation.keeper import PictureKeeper
from app.generation.outcome_writer import OutcomeWriter
from app.generation.previews import Previews
from app.generation.runner import GenerationRunner
from app.generation.storage_monitor import StorageMonitor
from app.generation.worker import Worker
from app.models import Generation, Status
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Provider
from app.providers.core.capabilities import CapabilityStore
from app.providers.monitor import MonitoredProvider
from app.providers.registry import Providers
from app.storage.health import PROBE
from app.storage.store import Store
from tests.support.fakes import storing

DEADLINE_S = 15


@dataclass
class Rests:
    """Pauses before something is written again; each lasts until the test ends it."""

    pauses: list[float] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    over: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self.begun.release()
        await self.over.acquire()


@dataclass
class Shop:
    """A worker and all that it works with."""

    worker: Worker
    monitor: StorageMonitor
    library: Library
    providers: Providers
    store: Store
    listener: Listener
    rests: Rests  # of what is kept and written down
    pauses: Rests  # of the queue, while nothing can be kept

    async def request(self, prompt: str = 'a cat') -> Generation:
        return (await self.worker.submit(GenerationRequest(prompt=prompt))).generation

    async def until(self, generation: Generation, *statuses: Status) -> Generation:
        """Wait, by what the worker announces, until a generation has one of the statuses."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                now = await self.library.generations.one(generation.id)
                if now.status in (statuses or set(Status) - {Status.QUEUED, Status.RUNNING}):
                    return now
                await self.listener.wait(20)

    async def rest(self) -> None:
        """Let the worker find all that it can begin now: each of its steps is one turn here."""
        for _ in range(5):
            await self.library.database.read(lambda _: None)
            await self.library.database.write(lambda _: None)

    def originals(self) -> list[Path]:
        found = [path for path in self.store.images.rglob('*') if path.is_file()]
        return [path for path in found if path.name != PROBE]  # which is tried out at any time


@asynccontextmanager
async def shop_in(
    folder: Path, provider: Provider, *added: Provider, **environment: str
) -> AsyncIterator[Shop]:
    """Open a shop with this as its environment's provider; the worker is not started.

    Args:
        folder: For everything.
        provider: The environment's.
        added: Those of Settings, in order.
        environment: Variables.
    """
    async with storing(folder) as store, shop_with(store, provider, *added, **environment) as shop:
        yield shop


@asynccontextmanager
async def shop_with(
    store: Store, provider: Provider, *added: Provider, **environment: str
) -> AsyncIterator[Shop]:
    """Open the same over a store that is there."""
    config = config_from({'EASEL_DATA': str(store.data)} | environment)
    http_client, changes, rests, pauses = HttpClient(), Changes(), Rests(), Rests()
    async with changes.listening() as listener:
        library = await Library.open(store.data / 'easel.db')
        made = {one.settings.name: one for one in added}
        providers = Providers(
            config,
            lambda: http_client,
            CapabilityStore(),
            lambda settings, *_: made.get(settings.name, provider),
        )
        providers.environment = MonitoredProvider(provider.settings, lambda: provider)
        providers.configure(one.settings for one in added)
        monitor = StorageMonitor(library, store, changes, sleep=pauses)
        editing = Editing(library, store, store.decoder)
        keeper = PictureKeeper(library, store, monitor, editing.protection, sleep=rests)
        drawing = GenerationRunner(
            library, providers, store, changes, Previews(store, changes), keeper, editing.sent_files
        )
        writer = OutcomeWriter(library, store, sleep=rests)
        worker = Worker(library, providers, drawing, writer, changes, monitor)
        try:
            yield Shop(worker, monitor, library, providers, store, listener, rests, pauses)
        finally:
            await worker.stop()
            await providers.close()
            await http_client.close()
            await library.close()
