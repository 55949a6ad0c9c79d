"""Pictures of Easel's own in the data folder, as their labels tell them."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.cost import read_cost
from app.database.recovery import ToldImage
from app.errors import ErrorKind, ProviderError
from app.models import Generation, PictureIds, Status, StoredImage
from app.models.request import REQUEST_FIELDS, GenerationRequest, Size
from app.storage.inventory import PICTURE_SUFFIXES
from app.storage.metadata.foreign.origin import program_of
from app.storage.store import Store

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

LABEL_FIELDS = ('created_at', 'revised_prompt', 'source_url', 'seed', 'changed_outside_mask')


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One whole picture, with what is believed of its label."""

    kept: StoredImage
    label: Label

    @property
    def ids(self) -> PictureIds:
        return PictureIds(self.label.image_id or 0, self.label.generation_id)

    def told(self) -> ToldImage:
        """Return the picture and its generation as rows tell them."""
        label = self.label
        stated = {n: getattr(label, n) for n, one in REQUEST_FIELDS.items() if one.in_pictures}
        known = {
            'model': None,
            'guidance': None if label.guidance is None else str(label.guidance),
            'size': Size.parse(label.asked_size) if label.asked_size else None,
            'mask': label.mask,
            'strength': None if label.strength is None else f'{label.strength:.15g}',
            'paste_back': label.paste_back,
        }
        generation = Generation(
            id=label.generation_id,
            status=Status.DONE,
            attempt=1,
            request=GenerationRequest(**stated | known),
            provider=label.provider,
            model=label.model,
            created_at=label.created_at,
            dismissed_at=None if program_of(label.provider) is None else label.created_at,
        )
        traced = label.traced_sources, label.traced_answer
        return ToldImage(generation, self.kept, label.position, *traced)


async def read_labelled(store: Store, path: Path) -> LabelledImage | None:
    """Read one picture; None if it is not Easel's. Raises ProviderError, OSError or ValueError."""
    from app.storage.metadata.label import carries_label, checked_label  # 4 ms few starts need

    status = await asyncio.to_thread(path.lstat)
    if stat.S_ISLNK(status.st_mode):
        raise ValueError("it's a link, which Easel doesn't follow")
    if not stat.S_ISREG(status.st_mode):
        return None
    settings = await store.settings_in(path)
    size = Size.parse(str(settings['size'])) if 'size' in settings else None
    try:
        kept = await store.look_again(path, size)
    except ProviderError as error:
        if error.failure.kind is ErrorKind.NOT_AN_IMAGE and path.suffix not in PICTURE_SUFFIXES:
            return None
        raise
    if settings.get('generator') != 'Easel':
        if await asyncio.to_thread(carries_label, path):
            raise ValueError('its settings are damaged')
        return None
    if kept.file != os.fsencode(kept.file).decode('utf-8', 'replace'):
        raise ValueError("its name isn't UTF-8")
    label = checked_label(settings, status.st_mtime)
    stated = {name: getattr(label, name) for name in LABEL_FIELDS}
    told = replace(kept, id=label.image_id, cost=read_cost(label.cost), **stated)
    return LabelledImage(told, label)
