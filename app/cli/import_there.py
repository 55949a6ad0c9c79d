"""Sends the pictures of a folder to the server that holds the data folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import httpx

from app.cli.generate import asking, checked
from app.config import Config, language_of_terminal
from app.database.gallery.albums import key_of
from app.errors import InvalidRequest
from app.gallery.folder_import import ImportReport, digest_of, open_source, sidecar_in
from app.gallery.importing import Taken, TakenPicture
from app.storage.files import HEAD_BYTES
from app.storage.lock import Holder
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.mime import MIME_EXTENSIONS, mime_of

AS_JSON = {'Accept': 'application/json'}
MANY = httpx.Timeout(120.0)  # a busy server decodes one after the other


async def import_there(
    config: Config, holder: Holder, pictures: Iterator[Path], report: ImportReport, album: str
) -> None:
    """Have the server take them in; raise `Unfulfilled` where it does not."""
    async with asking(config, holder, language_of_terminal()) as client:
        fields = {'album': str(await _album_there(client, album))} if album else {}
        await send_there(client, pictures, report, fields)


async def send_there(
    client: httpx.AsyncClient,
    pictures: Iterable[Path],
    report: ImportReport,
    fields: Mapping[str, str],
) -> None:
    """Send what the gallery has not, one at a time; for an album all, since each goes into it."""
    for path in pictures:
        try:
            known = None if fields else await _known(client, path)
            taken = known or await _sent(client, path, fields)
        except (OSError, ValueError) as error:
            report.add_refused(str(path), error)
        else:
            report.add(taken)


async def _known(client: httpx.AsyncClient, path: Path) -> TakenPicture | None:
    """Ask for a picture by its bytes; one that waits in the trash is sent all the same."""
    digest = await asyncio.to_thread(digest_of, path)
    with open_source(path) as file:
        extension = MIME_EXTENSIONS.get(mime_of(file.read(HEAD_BYTES)) or '')
    if extension is None:
        return None
    response = await client.head(f'files/{digest}.{extension}')
    return TakenPicture(str(path), Taken.KNOWN) if response.is_success else None


async def _album_there(client: httpx.AsyncClient, name: str) -> int:
    """Return the id of an album, made if there is none."""
    listed = checked(await client.get('albums.json')).json()['albums']
    for album in listed:
        if key_of(album['name']) == key_of(name):
            return int(album['id'])
    made = checked(await client.post('albums', data={'name': name}), 303)
    return int(made.headers['location'].rpartition('=')[2])


async def _sent(client: httpx.AsyncClient, path: Path, fields: Mapping[str, str]) -> TakenPicture:
    with open_source(path) as file:
        modified_ms = int(os.fstat(file.fileno()).st_mtime * 1000)
        files: list[tuple[str, tuple[str, bytes | BinaryIO]]] = []
        if packet := sidecar_in(path):
            files.append(('picture', (_name_of(sidecar_of(path)), packet)))
        files.append(('picture', (_name_of(path), file)))
        own = {**fields, 'modified': str(modified_ms)}
        response = await client.post('images', data=own, files=files, timeout=MANY, headers=AS_JSON)
    is_refused = response.status_code == InvalidRequest.status and 'refused' in response.json()
    told = (response if is_refused else checked(response)).json()
    for kind, name in ((Taken.NEW, 'images'), (Taken.KNOWN, 'known')):
        for image in told[name]:
            return TakenPicture(str(path), kind, image['id'])
    return TakenPicture(str(path), Taken.REFUSED, reason=told['refused'][0]['message'])


def _name_of(path: Path) -> str:
    """Return a file's name as a form can hold it, also where its bytes are no text."""
    return os.fsencode(path.name).decode('utf-8', 'replace')
