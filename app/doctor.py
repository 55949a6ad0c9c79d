"""`easel doctor`: tests the provider, looks for image servers, says what to do next.

It never writes into the data folder, so it works beside a running server.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from app import __version__
from app.addresses import veiled
from app.config import Config, language_of_terminal
from app.errors import N_
from app.holding import Holder, holder_of
from app.log import escape, logger
from app.outbound import Outbound
from app.providers.checkup import Checkup, Key, check_up
from app.providers.discovery import SAME_PORTS, Found, discover
from app.providers.nearby import DOCKER_HOST, Surroundings
from app.providers.probing import Silent, ask
from app.sentences import Translate, error_json, tell
from app.web.render import LANGUAGES, translations

log = logger(__name__)

HOLDER_ANSWERS_S = 2.0
LITTLE_ROOM_BYTES = 1_000_000_000
NAMES_SHOWN = 3
LOCAL_NAMES = ('localhost', '127.0.0.1', '::1')
OF_THE_KEY = {
    Key.NOT_NEEDED: N_('It needs no key for its list of models.'),
    Key.NOT_PROVED: N_('It gives its list of models to anyone, so the key is not proved yet.'),
    Key.ACCEPTED: N_('The key is accepted.'),
}


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or where it will be.

    Attributes:
        holder: The server that answers for it; port 0 where none does.
    """

    path: Path
    exists: bool
    writable: bool
    free_bytes: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Report:
    """All that was seen."""

    config: Config
    around: Surroundings
    checkup: Checkup
    found: tuple[Found, ...]
    folder: Folder

    @property
    def demo(self) -> bool:
        """Whether the demo draws, since nobody named an address and nothing listens there."""
        return self.checkup.refused and not self.config.api_url_was_set

    @property
    def can_draw(self) -> bool:
        """Whether a prompt would become a picture, as far as that can be seen for nothing."""
        return self.demo or self.checkup.failure is None


def doctor(
    config: Config,
    around: Surroundings,
    ports: Mapping[int, int] = SAME_PORTS,
    *,
    as_json: bool,
) -> int:
    """Look at everything and say it; returns the exit status: 0 if something can draw."""
    for warning in config.warnings:
        log.warning('%s', warning)
    report = asyncio.run(_examine(config, around, ports))
    if as_json:
        sys.stdout.write(json.dumps(_object(report)) + '\n')
    else:
        language = language_of_terminal()
        words = translations(language if language in LANGUAGES else 'en')
        for line in _lines(report, words.gettext):
            sys.stdout.write(escape(line) + '\n')
    return 0 if report.can_draw else 1


async def _examine(config: Config, around: Surroundings, ports: Mapping[int, int]) -> Report:
    holder = await _living(holder_of(config.data))
    checkup, found = await asyncio.gather(
        check_up(config.api_url, config.api_key),
        discover(around.hosts, ports, (config.port, holder.port)),
    )
    folder = await asyncio.to_thread(_folder, config.data, holder)
    return Report(config, around, checkup, found, folder)


async def _living(holder: Holder) -> Holder:
    """Leave out a server that a crash ended; its note may be there still."""
    nobody = Holder(0, '', 0)
    if not holder.url:
        return nobody
    outbound = Outbound([holder.url])
    try:
        reply = await ask(outbound, f'{holder.url}health', deadline_s=HOLDER_ANSWERS_S)
    except Silent:
        return nobody
    finally:
        await outbound.close()
    return holder if reply.said('status') == 'ok' else nobody


def _folder(data: Path, holder: Holder) -> Folder:
    there = next(path for path in (data, *data.parents) if os.access(path, os.F_OK))
    return Folder(
        path=data,
        exists=there == data,
        writable=there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        free_bytes=shutil.disk_usage(there).free,
        holder=holder,
    )


def _object(report: Report) -> dict[str, object]:
    checkup, folder = report.checkup, report.folder
    failure = checkup.failure
    return {
        'version': __version__,
        'provider': {
            'base_url': veiled(report.config.api_url),
            'can_draw': report.can_draw,
            'demo': report.demo,
            'key': checkup.key,
            'models': checkup.models,
            'error': error_json(failure, str) if failure else None,
            'better_url': veiled(checkup.better_url) or None,
            'next': list(_advice(report, str)),
        },
        'found': [
            {
                'server': one.server,
                'base_url': one.base_url,
                'dialect': one.dialect,
                'models': one.models,
                'usable': one.usable,
                'hint': one.hint,
            }
            for one in report.found
        ],
        'data': {
            'path': str(folder.path),
            'exists': folder.exists,
            'writable': folder.writable,
            'free_bytes': folder.free_bytes,
            'held_by': {'pid': folder.holder.pid, 'url': folder.holder.url}
            if folder.holder.port
            else None,
        },
    }


def _lines(report: Report, translate: Translate) -> Iterator[str]:
    rooms = (
        (N_('provider'), _of_provider(report, translate)),
        (N_('data'), _of_folder(report.folder, translate)),
        (N_('found'), _of_found(report, translate)),
    )
    yield f'Easel {__version__}, Python {platform.python_version()}, {platform.system()}'
    width = max(len(translate(name)) for name, _ in rooms)
    for name, lines in rooms:
        label = translate(name)
        for line in lines:
            yield f'  {label:{width}}  {line}'
            label = ''


def _of_provider(report: Report, translate: Translate) -> Iterator[str]:
    checkup, where = report.checkup, veiled(report.config.api_url)
    if report.demo:
        sentence = N_('Nothing answers at {where}: Easel draws demo sketches until something does.')
        yield translate(sentence).format(where=where)
    elif checkup.failure:
        yield f'{where}: {tell(checkup.failure, translate).message}'
    elif checkup.lists:
        answers = translate(N_('{where} answers.')).format(where=where)
        about = [answers, _models(checkup.models, translate)]
        if checkup.key in OF_THE_KEY:
            about.append(translate(OF_THE_KEY[checkup.key]))
        yield ' '.join(about)
    else:
        sentence = N_('{where} answers and lists no models: the first picture will show more.')
        yield translate(sentence).format(where=where)
    yield from _advice(report, translate)


def _advice(report: Report, translate: Translate) -> Iterator[str]:
    """Say what to do next about the provider, if anything."""
    checkup, url = report.checkup, urlsplit(report.config.api_url)
    if report.around.in_container and checkup.refused and url.hostname in LOCAL_NAMES:
        outside = url._replace(netloc=f'{DOCKER_HOST}:{url.port or 80}')
        sentence = N_('In a container, localhost is the container itself. For the host: {setting}')
        yield translate(sentence).format(setting=_setting(urlunsplit(outside)))
    if checkup.better_url:
        sentence = N_('Its API is at another path: {setting}')
        yield translate(sentence).format(setting=_setting(checkup.better_url))
    elif checkup.failure and not report.demo:
        yield tell(checkup.failure, translate).hint
    if checkup.better_url and checkup.key in (Key.MISSING, Key.REFUSED):
        yield translate(N_('Set EASEL_API_KEY to a key that this server knows.'))


def _of_folder(folder: Folder, translate: Translate) -> Iterator[str]:
    room = f'{folder.free_bytes / 1e9:.1f}'
    if not folder.writable:
        yield translate(N_('{path} can not be written.')).format(path=folder.path)
        yield translate(N_('Give this user the right to it, or name another in EASEL_DATA.'))
    elif folder.exists:
        sentence = N_('{path} can be written; {room} GB are free.')
        yield translate(sentence).format(path=folder.path, room=room)
    else:
        sentence = N_('{path} is made at the first start; {room} GB are free.')
        yield translate(sentence).format(path=folder.path, room=room)
    if folder.free_bytes < LITTLE_ROOM_BYTES:
        yield translate(N_('That is little room: make some before the next pictures.'))
    if folder.holder.port:
        sentence = N_('Easel serves it at {url} (process {pid}).')
        yield translate(sentence).format(url=folder.holder.url, pid=folder.holder.pid)


def _of_found(report: Report, translate: Translate) -> Iterator[str]:
    if not report.found:
        yield translate(N_('No image server on the usual ports.'))
    for one in report.found:
        about = [
            translate(N_('{server} at {where}.')).format(server=one.server, where=one.base_url)
        ]
        if one.models:
            about.append(_models(one.models, translate))
        if one.hint:
            about.append(translate(one.hint))
        if one.base_url == report.config.api_url.rstrip('/'):
            about.append(translate(N_('This is the provider.')))
        elif one.usable:
            about.append(_setting(one.base_url))
        yield ' '.join(about)


def _models(models: tuple[str, ...], translate: Translate) -> str:
    if not models:
        return translate(N_('It lists no models.'))
    names = ', '.join(models[:NAMES_SHOWN])
    more = ', …' if len(models) > NAMES_SHOWN else ''
    return translate(N_('Models: {count} ({names}).')).format(
        count=len(models), names=f'{names}{more}'
    )


def _setting(base_url: str) -> str:
    return f'EASEL_API_URL={shlex.quote(veiled(base_url))}'
