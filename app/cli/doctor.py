"""`easel doctor`: tests every provider, finds image servers, advises; it writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
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
from app.config import DATABASE, KEYS, Config, language_of_terminal
from app.database.providers import rows_in
from app.errors import N_, StorageFailed
from app.log import escape
from app.messages import Translate, describe, error_json, translations
from app.net.client import HttpClient
from app.net.urls import DOCKER_HOST, is_local, origin_of, same_server, without_secrets
from app.providers.core.base import KeyState, ProviderSettings, ProviderState, ProviderStatus
from app.providers.discovery.connection_test import check_connection
from app.providers.discovery.fingerprints import is_shaped
from app.providers.discovery.local_servers import HostEnvironment
from app.providers.discovery.probe import NoResponse, probe
from app.providers.discovery.scan import FoundServer, discover
from app.providers.registry import environment_settings
from app.providers.settings import Keys, settings_of
from app.providers.transport.client import own_headers
from app.storage.lock import Holder, holder_of

HOLDER_RESPONDS_S = 2.0
LOW_SPACE_BYTES = 1_000_000_000
NAMES_SHOWN = 3
FOUND_FIELDS = ('server', 'base_url', 'dialect', 'models', 'usable', 'hint')
IS_OK = is_shaped({'status': 'ok'})
NOT_ASKED = ProviderStatus(state=ProviderState.NOTHING)
KEY_SENTENCES = {
    KeyState.NOT_NEEDED: N_('It lists its models without a key.'),
    KeyState.NOT_PROVED: N_("It lists its models to anyone, so the key isn't verified yet."),
    KeyState.ACCEPTED: N_('The key is accepted.'),
}


@dataclass(frozen=True, slots=True)
class Examined:
    """A provider and what a test of it showed; one that is turned off is not asked."""

    base_url: str
    status: ProviderStatus
    name: str = ''  # in Settings
    enabled: bool = True

    @property
    def can_draw(self) -> bool:
        return self.enabled and self.status.failure is None


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or where it will be, and the server on it; port 0 where none runs."""

    path: Path
    exists: bool
    writable: bool
    free_bytes: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an examination."""

    environment: HostEnvironment
    provider: Examined  # the environment's
    is_default: bool  # nobody named its address: those of Settings replace it, or the demo
    added: tuple[Examined, ...]
    unread: StorageFailed | None  # why those of Settings are missing
    found: tuple[FoundServer, ...]
    folder: Folder

    @property
    def stepped_aside(self) -> bool:
        return self.is_default and bool(self.added)

    @property
    def demo(self) -> bool:
        return self.is_default and not self.added and self.provider.status.refused

    @property
    def provider_draws(self) -> bool:
        return self.demo or (self.provider.can_draw and not self.stepped_aside)


def doctor(
    config: Config, environment: HostEnvironment, ports: Mapping[int, int], *, as_json: bool
) -> int:
    """Examine everything and print it; return the exit status: 0 if something can draw."""
    report = asyncio.run(examine(config, environment, ports))
    if as_json:
        sys.stdout.write(json.dumps(_report_json(report)) + '\n')
    else:
        for line in _lines(report, translations(language_of_terminal()).gettext):
            sys.stdout.write(escape(line) + '\n')
    return 0 if report.provider_draws or any(one.can_draw for one in report.added) else 1


async def examine(config: Config, environment: HostEnvironment, ports: Mapping[int, int]) -> Report:
    holder = await _running(holder_of(config.data))
    folder = await asyncio.to_thread(_folder, config.data, holder)
    settings, unread = await asyncio.to_thread(_added_in, config.data)
    status, found, added = await asyncio.gather(
        check_connection(config.api_url, own_headers(environment_settings(config))),
        discover(environment.hosts, ports, (config.port, holder.port)),
        asyncio.gather(*(_test(one) for one in settings)),
    )
    provider, is_default = Examined(config.api_url, status), not config.api_url_was_set
    return Report(environment, provider, is_default, tuple(added), unread, found, folder)


async def _running(holder: Holder) -> Holder:
    """Leave out a server that crashed, whose file may be there still."""
    if holder.url:
        async with HttpClient([holder.url]) as http_client:
            with contextlib.suppress(NoResponse):
                if IS_OK(await probe(http_client, f'{holder.url}health', HOLDER_RESPONDS_S)):
                    return holder
    return Holder(0, '', 0)


def _folder(data: Path, holder: Holder) -> Folder:
    there = next(path for path in (data, *data.parents) if os.access(path, os.F_OK))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return Folder(data, there == data, writable, shutil.disk_usage(there).free, holder)


def _added_in(data: Path) -> tuple[list[ProviderSettings], StorageFailed | None]:
    try:
        rows, keys = rows_in(data / DATABASE), Keys(data / KEYS)
        if rows:
            keys.read()
    except StorageFailed as error:
        return [], error
    secrets = (keys.of(row.id or 0, origin_of(row.base_url)) for row in rows)
    return list(map(settings_of, rows, secrets)), None


async def _test(one: ProviderSettings) -> Examined:
    status = await check_connection(one.base_url, own_headers(one)) if one.enabled else NOT_ASKED
    return Examined(one.base_url, status, one.name, one.enabled)


def _report_json(report: Report) -> dict[str, object]:
    folder, holder = report.folder, report.folder.holder
    added = [{'name': one.name, **_provider_json(report, one)} for one in report.added]
    return {
        'version': __version__,
        'provider': _provider_json(report, report.provider),
        'providers': None if report.unread else added,
        'found': [{name: getattr(one, name) for name in FOUND_FIELDS} for one in report.found],
        'data': {
            'path': str(folder.path),
            'exists': folder.exists,
            'writable': folder.writable,
            'free_bytes': folder.free_bytes,
            'held_by': {'pid': holder.pid, 'url': holder.url} if holder.port else None,
        },
    }


def _provider_json(report: Report, one: Examined) -> dict[str, object]:
    status, own = one.status, {'enabled': one.enabled, 'can_draw': one.can_draw}
    if one is report.provider:
        own = {'can_draw': report.provider_draws, 'demo': report.demo}
    return {
        'base_url': without_secrets(one.base_url),
        **own,
        'key': status.key,
        'models': status.models,
        'error': error_json(status.failure, str) if status.failure else None,
        'better_url': without_secrets(status.better_url) or None,
        'next': list(_advice(report, one, str)),
    }


def _lines(report: Report, translate: Translate) -> Iterator[str]:
    sections = {
        translate(N_('server')): _provider_lines(report, translate),
        translate(N_('settings')): _added_lines(report, translate),
        translate(N_('data')): _folder_lines(report.folder, translate),
        translate(N_('found')): _found_lines(report, translate),
    }
    yield f'Easel {__version__}, Python {platform.python_version()}, {platform.system()}'
    width = max(map(len, sections))
    for name, lines in sections.items():
        for number, line in enumerate(lines):
            yield f'  {"" if number else name:{width}}  {line}'


def _provider_lines(report: Report, translate: Translate) -> Iterator[str]:
    where = without_secrets(report.provider.base_url)
    demo = N_('No image server at {where} yet, so Easel draws demo sketches.')
    unused = N_("{where} is the default address and isn't used, since a server was added.")
    if report.demo or report.stepped_aside:
        yield translate(demo if report.demo else unused).format(where=where)
    else:
        yield _state(report.provider.status, where, translate)
    yield from _advice(report, report.provider, translate)


def _added_lines(report: Report, translate: Translate) -> Iterator[str]:
    if report.unread:
        yield translate(report.unread.sentence).format(**report.unread.places)
    for one in report.added:
        where = f'{one.name} ({without_secrets(one.base_url)})'
        is_off = translate(N_('{name} is turned off in Settings.')).format(name=where)
        yield _state(one.status, where, translate) if one.enabled else is_off
        yield from _advice(report, one, translate)


def _state(status: ProviderStatus, where: str, translate: Translate) -> str:
    if status.failure:
        return f'{where}: {describe(status.failure, translate).message}'
    if not status.lists:
        sentence = N_('{where} answers, but lists no models. Generate a picture to test it.')
        return translate(sentence).format(where=where)
    answers = translate(N_('{where} answers.')).format(where=where)
    key = [translate(KEY_SENTENCES[status.key])] if status.key in KEY_SENTENCES else []
    return ' '.join([answers, _models(status.models, translate), *key])


def _advice(report: Report, one: Examined, translate: Translate) -> Iterator[str]:
    is_own, status, url = one is report.provider, one.status, urlsplit(one.base_url)
    setting = _setting if is_own else without_secrets
    if is_own and report.stepped_aside:
        return
    if report.environment.in_container and status.refused and is_local(url.hostname or ''):
        outside = url._replace(netloc=f'{DOCKER_HOST}:{url.port or 80}')
        sentence = N_('In a container, localhost is the container itself. For the host: {setting}')
        yield translate(sentence).format(setting=setting(urlunsplit(outside)))
    if status.better_url:
        sentence = N_('Its API is at a different path: {setting}')
        yield translate(sentence).format(setting=setting(status.better_url))
        if is_own and status.key in (KeyState.MISSING, KeyState.REFUSED):
            yield translate(N_("Set EASEL_API_KEY to this server's key."))
    elif status.failure and not report.demo:
        yield describe(status.failure, translate).hint


def _folder_lines(folder: Folder, translate: Translate) -> Iterator[str]:
    if folder.writable:
        is_there = N_('{path} is writable; {room} GB free.')
        is_made = N_('{path} will be created at the first start; {room} GB free.')
        sentence = translate(is_there if folder.exists else is_made)
        yield sentence.format(path=folder.path, room=f'{folder.free_bytes / 1e9:.1f}')
    else:
        yield translate(N_("{path} isn't writable.")).format(path=folder.path)
        yield translate(N_('Give this user write access, or choose another in EASEL_DATA.'))
    if folder.free_bytes < LOW_SPACE_BYTES:
        yield translate(N_("That's not much space. Free some up before you generate more."))
    if folder.holder.port:
        sentence = translate(N_('Easel is using it, at {url} (process {pid}).'))
        yield sentence.format(url=folder.holder.url, pid=folder.holder.pid)


def _found_lines(report: Report, translate: Translate) -> Iterator[str]:
    if not report.found:
        yield translate(N_('No image server found on the usual ports.'))
    for one in report.found:
        line = [translate(N_('{server} at {where}.')).format(server=one.server, where=one.base_url)]
        if one.models:
            line.append(_models(one.models, translate))
        if one.hint:
            line.append(translate(one.hint))
        if one.base_url == report.provider.base_url.rstrip('/') and not report.stepped_aside:
            line.append(translate(N_('Easel uses this server.')))
        elif any(same_server(one.base_url, added.base_url) for added in report.added):
            line.append(translate(N_('Already in use.')))
        elif one.usable:
            line.append(_setting(one.base_url))
        yield ' '.join(line)


def _models(models: tuple[str, ...], translate: Translate) -> str:
    if not models:
        return translate(N_('It lists no models.'))
    more = ['…'] if len(models) > NAMES_SHOWN else []
    names = ', '.join([*models[:NAMES_SHOWN], *more])
    return translate(N_('Models: {count} ({names}).')).format(count=len(models), names=names)


def _setting(base_url: str) -> str:
    return f'EASEL_API_URL={shlex.quote(without_secrets(base_url))}'
