"""What is found when Easel starts: pictures of its own in the data folder that no row names.

A kill between a picture and its row leaves one, a lost database or journal leaves many. Those of a
generation that was under way are attached at once; the others are offered back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app.database import Library
from app.database.recovery import Attached, Fate
from app.errors import N_, AppError, Notice
from app.generation.changes import Changes
from app.log import logger
from app.models import PictureIds
from app.storage.arriving import held_in
from app.storage.inventory import Condition, examine, files_below, has_picture_name, is_picture
from app.storage.store import Store
from app.tasks import end_tasks, logging_faults

if TYPE_CHECKING:
    from app.recovery.labelled import LabelledImage

log = logger(__name__)
Told: TypeAlias = dict[Path, PictureIds]

KNOWN_FOLDERS = 2  # so many newest ones without a stranger, and the older ones are believed
TELL_EVERY = 20
UNREADABLE = (AppError, OSError, ValueError)
UNNAMED = N_("Pictures in the data folder that aren't in the gallery: {count}.")
OFFER = N_(
    'The database may be lost, or older than they are. Restore them here, or stop '
    'Easel and run `easel restore FILE.tar` or `easel rebuild`.'
)
BRINGING = N_('Restoring pictures: {done} of {count}.')
LEFT = N_("Pictures that couldn't be restored: {count}.")
REBUILD = N_('Stop Easel and run `easel rebuild`: it lists them and says why.')


class PictureRecovery:
    """Finds pictures without rows, attaches some by itself, and all when it is asked to."""

    def __init__(self, library: Library, store: Store, changes: Changes) -> None:
        self._library = library
        self._store = store
        self._changes = changes
        self._unnamed: tuple[Path, ...] = ()
        self._done = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def notice(self) -> Notice | None:
        if not self._unnamed:
            return None
        places = {'count': len(self._unnamed), 'done': self._done}
        if self._task is None:
            return Notice(
                sentence=UNNAMED,
                cure=OFFER,
                places=places,
                link='/images/recovery',
                link_text=N_('Restore them'),
                is_act=True,
                owner_only=True,
            )
        if self.are_back:
            return Notice(
                sentence=LEFT, cure=REBUILD, places=places, owner_only=True, is_closable=True
            )
        return Notice(sentence=BRINGING, cure='', places=places, owner_only=True)

    @property
    def are_back(self) -> bool:
        """Whether all that was to be brought back was tried."""
        return self._task is not None and self._task.done()

    async def begin(self) -> None:
        """Look for pictures without rows, and attach those whose generation waits for them.

        It comes before anything runs or gets an id: none that a file tells is given again. Raises
        `StorageFailed`.
        """
        told = await self._find()
        if told:
            await self._attach(told)
        await self._keep_arrivals()

    async def _keep_arrivals(self) -> None:
        held = await asyncio.to_thread(held_in, self._store.arriving)
        if held:
            from app.recovery.arrivals import Arrivals  # few starts find any

            await Arrivals(self._library, self._store).keep(held)

    async def _attach(self, told: Told) -> None:
        await self._library.recovery.raise_ids(reduce(or_, told.values()))
        prompts = await self._library.recovery.unfinished([ids.generation for ids in told.values()])
        for path, ids in list(told.items()):
            if ids.generation in prompts and await self._attach_to(path, prompts[ids.generation]):
                del told[path]
        self._unnamed = tuple(told)
        if told:
            log.warning('%s pictures in the data folder have no row', len(told))

    def bring_back(self) -> None:
        """Begin to write rows for all that was found; once."""
        if self._unnamed and self._task is None:
            work = logging_faults(self._bring_back)
            self._task = asyncio.create_task(work, name='bringing back')
            self._changes.announce_notices()

    async def close(self) -> None:
        await end_tasks(self._task)

    async def _find(self) -> Told:
        """Find the pictures of Easel's without rows in the newest folders, copies left out."""
        folders, found, known = self._folders(), Told(), 0
        while known < KNOWN_FOLDERS:
            paths = await asyncio.to_thread(next, folders, None)
            if paths is None:
                break
            files = {path.relative_to(self._store.images).as_posix(): path for path in paths}
            unknown = await self._library.files.unknown(list(files))
            known += not unknown
            found |= await asyncio.to_thread(_tell, [files[file] for file in unknown])
        return {path: ids for path, ids in found.items() if not await self._is_copy(path, ids)}

    def _folders(self) -> Iterator[list[Path]]:
        """Yield the pictures of each folder that has any, the newest first."""

        def refuse(error: OSError) -> None:
            log.warning('%s cannot be listed: %s', error.filename, error.strerror)

        found = filter(has_picture_name, files_below(self._store.images, refuse))
        for _, paths in groupby(found, key=attrgetter('parent')):
            yield list(paths)

    async def _is_copy(self, path: Path, ids: PictureIds) -> bool:
        """Check whether the picture that has this id is the same, byte for byte."""
        kept = await self._library.files.one(ids.image)
        if kept is None:
            return False
        found = await asyncio.to_thread(examine, self._store.data, path, kept)
        return found.condition is Condition.WHOLE

    async def _attach_to(self, path: Path, prompt: str) -> bool:
        """Attach a picture to the generation that it tells, if that asked for the same."""
        try:
            one = await self._read(path)
            if one is None or one.label.prompt != prompt:
                return False
            await self._library.recovery.end(one.label.generation_id)
            [attached] = await self._library.recovery.attach([one.told()])
        except UNREADABLE as error:
            log.warning('%s cannot be attached: %s', path, error)
            return False
        log.info('%s: %s is attached (%s)', attached.generation_id, path.name, attached.fate)
        return attached.fate is Fate.ATTACHED

    async def _bring_back(self) -> None:
        left = []
        for path in sorted(self._unnamed):
            attached = await self._bring(path)
            if attached.fate in (Fate.REFUSED, Fate.WAITS):
                left.append(path)
                log.warning('%s is not brought back: %s', path, attached.reason)
            else:
                self._changes.announce(attached.generation_id)
            self._done += 1
            if self._done % TELL_EVERY == 0:
                self._changes.announce_notices()
        log.info('%s pictures are brought back, %s are not', self._done - len(left), len(left))
        self._unnamed = tuple(left)
        self._changes.announce_notices()

    async def _bring(self, path: Path) -> Attached:
        try:
            one = await self._read(path)
            if one is None:
                return Attached(Fate.COPY)
            [attached] = await self._library.recovery.attach([one.told()])
        except UNREADABLE as error:
            return Attached(Fate.REFUSED, reason=str(error))
        return attached

    async def _read(self, path: Path) -> LabelledImage | None:
        from app.recovery.labelled import read_labelled  # few runs find a picture without its row

        return await read_labelled(self._store, path)


def _tell(paths: Sequence[Path]) -> Told:
    """Return the ids that pictures tell, of those that are Easel's."""
    from app.storage.metadata.ids import ids_told

    told = {path: ids_told(path) for path in paths if is_picture(path)}
    return {path: ids for path, ids in told.items() if ids.generation or ids.image}
