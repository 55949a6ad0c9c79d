"""A data folder whose database is made again from its pictures, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

from app.cli.rebuild import rebuild
from app.config import config_from
from app.database import Library
from app.models import Generation, Image
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.copies import embed
from app.storage.metadata.label import NAMESPACE, RDF, Label
from tests.support.fakes import picture
from tests.support.labelled_pictures import LABEL

ORIGIN = ('sources', 'mask', 'strength', 'paste_back', 'changed_outside_mask', 'laid_back_from')
OURS = replace(
    LABEL,
    **dict.fromkeys(ORIGIN),  # type: ignore[arg-type]
    generation_id=3,
    image_id=5,
    position=0,
)
DAY = Path('2026/11/22')


def write(path: Path, label: Label, shade: int = 40, size: tuple[int, int] = (8, 6)) -> Path:
    source = path.with_suffix('.part')
    source.write_bytes(picture(*size, colour=(200, 30, shade)))
    embed(source, path, label)
    source.unlink()
    return path


def write_saying(path: Path, said: Mapping[str, str]) -> Path:
    """Write a picture beside a label that no Easel would write."""
    path.write_bytes(picture(form='GIF'))
    own = ''.join(f'<e:{name}>{escape(value)}</e:{name}>' for name, value in said.items())
    packet = (
        f'<r:RDF xmlns:r="{RDF}" xmlns:e="{NAMESPACE}"><r:Description>{own}</r:Description></r:RDF>'
    )
    sidecar_of(path).write_text(packet, encoding='utf-8')
    return path


def rebuilt(data: Path) -> int:
    return rebuild(config_from({'EASEL_DATA': str(data)}))


def rows(data: Path) -> dict[str, Image]:
    """Read every picture of the database, by the name of its file."""

    async def read() -> tuple[Generation, ...]:
        library = await Library.open(data / 'easel.db')
        try:
            return await library.generations.page(None, 100)
        finally:
            await library.close()

    return {image.name: image for made in asyncio.run(read()) for image in made.images}
