"""`easel export DIR`: pictures as a static gallery that opens from disk, also while a server runs.

The database is copied first, so that all comes from one moment.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from app.access.visitors import Visitor
from app.cli.serve import run
from app.config import CACHE, DATABASE, Config, child_environment, language_of_terminal
from app.database import Library
from app.database.gallery.filters import Filter
from app.database.search.query import check_search
from app.database.sqlite.readers import copy_database
from app.errors import N_, AppError, InvalidRequest, StorageFailed
from app.gallery.albums import Albums
from app.gallery.exporting import COPY, Export, file_of
from app.gallery.names import name_of
from app.log import escape
from app.messages import LANGUAGES
from app.models import Image
from app.storage.decoding.decoder import Decoder
from app.storage.store import Store
from app.web.base_path import BasePath
from app.web.static import GALLERY_SHEET, STYLE_SHEET, Static
from app.web.templates import Language, Renderer, assets
from app.web.views.serializers import image_json

PAGE = 100  # pictures
STYLE = 'export/page.css'
READER = Visitor('', 'http')  # who opens it: not told of servers and costs
NO_ALBUM = N_('There is no album called “{name}”.')
INSIDE = N_('{folder} is in the data folder, or the data folder is in it. Choose another folder.')
NO_GALLERY = N_('There is no gallery in {folder}.')


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures are exported: those of an album, of a search, or all."""

    album: str = ''
    search: str = ''


def export(config: Config, folder: Path, wanted: Wanted) -> int:
    """Write the folder; return the exit status: 1 where a picture was left out, or nothing done."""
    folder = folder.resolve()
    try:
        _check_places(config.data.resolve(), folder)
        done = run(_export(config, folder, wanted))
    except (AppError, OSError) as error:
        sys.stderr.write(f'{escape(str(error))}\n')
        return 1
    sys.stdout.write(f'{done.written} pictures are in {folder / file_of(1)}\n')
    return 1 if done.left_out else 0


def _check_places(data: Path, folder: Path) -> None:
    if not (data / DATABASE).is_file():
        raise StorageFailed(NO_GALLERY, folder=data)
    if folder.is_relative_to(data) or data.is_relative_to(folder):
        raise StorageFailed(INSIDE, folder=folder)


async def _export(config: Config, folder: Path, wanted: Wanted) -> Export:
    store = Store(config.data, Decoder(child_environment()))
    static = Static(assets('static'))
    renderer = Renderer(static, config.data / CACHE, BasePath(''))
    code = language_of_terminal()
    language = renderer.language(code if code in LANGUAGES else 'en')
    describe = partial(image_json, root=BasePath(''), viewer=READER)
    done = Export(folder, store, describe, _refuse)
    done.begin()
    copy = folder / COPY
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    try:
        copy_database(config.data / DATABASE, copy / DATABASE, _go_on)
        library = await Library.open(copy / DATABASE)
        try:
            chosen = await _chosen(library, wanted)
            total = await library.counters.exact_total(chosen)
            title = wanted.album or wanted.search or language.translate(N_('Gallery'))
            draw = partial(_draw, language, done, title, total)
            sheets = static.content(STYLE_SHEET) + static.content(GALLERY_SHEET)
            style = sheets + (assets('templates') / STYLE).read_bytes()
            await done.write(_pages(library, chosen), draw, style)
        finally:
            await library.close()
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return done


async def _chosen(library: Library, wanted: Wanted) -> Filter:
    """Return what is exported; raise `InvalidRequest`."""
    check_search(wanted.search)
    if not wanted.album:
        return Filter(words=wanted.search)
    albums = await Albums(library.albums).load()
    await albums.close()
    row = albums.find(wanted.album)
    if row is None:
        raise InvalidRequest(NO_ALBUM, name=wanted.album)
    return albums.filter_of(row.id)


async def _pages(library: Library, chosen: Filter) -> AsyncIterator[Sequence[Image]]:
    async for found in library.images.pages(chosen, PAGE):
        yield found
        _show_progress(found)


def _draw(
    language: Language,
    done: Export,
    title: str,
    total: int,
    pictures: Sequence[Image],
    number: int,
    *,
    has_more: bool,
) -> str:
    days = groupby(pictures, key=lambda image: language.date(image.created_at, None))
    return language.draw(
        'export/page.html',
        title=title,
        total=total,
        days=[(day, list(images)) for day, images in days],
        pictures=pictures,
        number=number,
        has_more=has_more,
        file_of=file_of,
        name_of=name_of,
        has_thumbs=done.has_thumbs,
        viewer=READER,
        zone=None,
    )


def _go_on() -> None:
    """Take no rest: nobody waits for this process."""


def _show_progress(found: Sequence[Image]) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f'\r{time.strftime("%Y-%m-%d", time.localtime(found[-1].created_at))}\r')


def _refuse(image: Image, reason: str) -> None:
    sys.stderr.write(f'{escape(image.file)} is {reason} and was left out.\n')
