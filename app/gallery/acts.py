"""Acts on many pictures: in pieces with rests between them, so that no page waits for one.

An act goes on after a restart, and can be taken back while it runs as well as afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from app.database import Library
from app.database.acts.kinds import PIECE, Act, ActKind, ActState, NewAct, Step
from app.errors import N_, StorageFailed
from app.generation.changes import Changes
from app.log import logger
from app.recovery.folder import FolderWatch
from app.storage.inventory import is_picture
from app.storage.store import Store
from app.tasks import end_tasks, logging_faults

log = logger(__name__)

AT_ONCE = 1_000  # pictures that whoever asks waits for
PATIENCE_S = 10.0  # of whoever waits
PIECE_S = 0.02  # that each is to take
FEWEST_A_PIECE, MOST_A_PIECE = 20, 400
LEAST_REST_S = 0.005
AGAIN_AFTER_S = 2.0  # where the storage does not take a piece
MOST_ANNOUNCED = 200  # generations of an act, the newest: as many as a page can show
UNDO_FOR_S = 24 * 3600.0


class Acts:
    """Begins acts, goes on with them and takes them back."""

    def __init__(
        self,
        library: Library,
        store: Store,
        changes: Changes,
        folder: FolderWatch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._store = store
        self._changes = changes
        self._folder = folder
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def resume(self) -> None:
        """Go on with what an earlier run began; what it had not chosen to its end is given up."""
        if not await self._library.has_acts():
            return
        for act in await self._library.acts.unfinished():
            if act.state is ActState.CHOOSING:
                await self._library.acts.undo(act.id)
            self._go_on(act)

    async def close(self) -> None:
        """End every act between two pieces; the next start goes on with it."""
        await end_tasks(*self._tasks.values())

    async def begin(self, new: NewAct, parts: Sequence[str]) -> Act:
        """Begin an act on the pictures of these lists of ids in JSON; few are done at once.

        Raises `StorageFailed`, also where pictures would be destroyed whose folder is not there.
        """
        if new.kind is ActKind.DESTROY:
            await self._check_folder()
        rows, selected = self._library.acts, sum(part.count(',') + 1 for part in parts)
        act = await rows.begin(new, selected, self._clock())
        first, *more = parts or ['[]']
        self._go_on(await rows.choose(act.id, new, first, last=not more), new, more)
        return await self._after_patience(act)

    async def undo(self, act_id: int) -> Act:
        """Take an act back. Raises `NotFound`, or `Conflict` where that cannot be."""
        act = await self._library.acts.undo(act_id)
        if act.state is ActState.UNDOING:
            self._go_on(act)
        return await self._after_patience(act)

    @property
    def are_running(self) -> bool:
        return bool(self._tasks)

    async def settled(self, act_id: int) -> None:
        """Wait until nothing is done for an act any more."""
        if task := self._tasks.get(act_id):
            await asyncio.wait([task])

    async def forget_old(self) -> None:
        """Forget how to take back what was done long ago."""
        before = self._clock() - UNDO_FOR_S
        is_more = await self._library.has_acts()
        while is_more:
            await asyncio.sleep(LEAST_REST_S)
            is_more = await self._library.acts.forget(before)

    async def _after_patience(self, act: Act) -> Act:
        task = self._tasks.get(act.id)
        if task and act.total <= AT_ONCE:
            await asyncio.wait([task], timeout=PATIENCE_S)
        return await self._library.acts.one(act.id)

    def _go_on(self, act: Act, new: NewAct | None = None, parts: Sequence[str] = ()) -> None:
        if act.id not in self._tasks:
            work = logging_faults(lambda: self._run(act, new, list(parts)))
            self._tasks[act.id] = asyncio.create_task(work, name=f'act {act.id}')

    async def _run(self, act: Act, new: NewAct | None, parts: list[str]) -> None:
        announced, limit = set[int](), PIECE
        try:
            while True:
                began_at = time.monotonic()
                try:
                    if new and parts:
                        await self._choose(act, new, parts)
                        continue
                    step = await self._step(act, limit)
                except StorageFailed as error:
                    log.warning('act %s waits: %s', act.id, error)
                    await asyncio.sleep(AGAIN_AFTER_S)
                    continue
                self._announce(step, announced)
                limit = next_limit(limit, step.took_s)
                if not step.act.state.unfinished:
                    return
                await asyncio.sleep(max(LEAST_REST_S, time.monotonic() - began_at))
        finally:
            del self._tasks[act.id]

    async def _choose(self, act: Act, new: NewAct, parts: list[str]) -> None:
        """Write down the next part of what an act is about, unless it was undone meanwhile."""
        last = len(parts) == 1
        act = await self._library.acts.choose(act.id, new, parts[0], last=last)
        del parts[: 1 if act.state is ActState.CHOOSING else None]

    async def _step(self, act: Act, limit: int) -> Step:
        rows, now = self._library.acts, self._clock()
        if act.kind is ActKind.RESTORE:
            files = await rows.next_files(act.id, limit)
            missing = await asyncio.to_thread(self._missing, files)
            return await rows.step(act.id, now, missing, limit)
        if act.kind is not ActKind.DESTROY:
            return await rows.step(act.id, now, limit=limit)
        from app.recovery.removals import FileRemoval  # few runs destroy anything

        await self._check_folder()
        step = await rows.step(act.id, now, limit=limit)
        removal = FileRemoval(self._library, self._store)
        await removal.finish()
        if not step.act.state.unfinished:
            await removal.finish_masks()
        return step

    async def _check_folder(self) -> None:
        """Raise `StorageFailed` where files would not be found and come back with their folder."""
        await self._folder.look()
        if self._folder.away:
            raise StorageFailed(
                N_('The data folder has no pictures: `images` is empty or not mounted.')
            )

    def _missing(self, files: Sequence[tuple[int, str]]) -> list[int]:
        return [image for image, file in files if not is_picture(self._store.original(file))]

    def _announce(self, step: Step, announced: set[int]) -> None:
        """Have open pages show the newest generations that changed; of many, none can show more."""
        room = MOST_ANNOUNCED - len(announced)
        for generation_id in [*sorted(set(step.generations) - announced, reverse=True)][:room]:
            announced.add(generation_id)
            self._changes.announce(generation_id)


def next_limit(limit: int, took_s: float) -> int:
    """Return how many pictures the next piece may have, by what the last one took."""
    times = min(2.0, PIECE_S / took_s) if took_s else 1.0
    return max(FEWEST_A_PIECE, min(MOST_A_PIECE, int(limit * times)))
