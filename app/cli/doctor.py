"""`easel doctor`: tests every provider, looks for image servers, says what to do next."""

from __future__ import annotations

import asyncio
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from app import __version__
from app.cli.diagnosis import Examined, Folder, Report, examine
from app.config import Config, language_of_terminal
from app.errors import N_
from app.log import escape
from app.messages import Translate, describe, error_json, translations
from app.net.urls import DOCKER_HOST, is_local, same_server, without_secrets
from app.providers.core.base import KeyState, ProviderStatus
from app.providers.discovery.local_servers import HostEnvironment
from app.providers.discovery.scan import SAME_PORTS

LOW_SPACE_BYTES = 1_000_000_000
NAMES_SHOWN = 3
FOUND_FIELDS = ('server', 'base_url', 'dialect', 'models', 'usable', 'hint')
KEY_SENTENCES = {
    KeyState.NOT_NEEDED: N_('It needs no key for its list of models.'),
    KeyState.NOT_PROVED: N_('It gives its list of models to anyone, so the key is not proved yet.'),
    KeyState.ACCEPTED: N_('The key is accepted.'),
}


def doctor(
    config: Config,
    environment: HostEnvironment,
    ports: Mapping[int, int] = SAME_PORTS,
    *,
    as_json: bool,
) -> int:
    """Examine everything and print it; return the exit status: 0 if something can draw."""
    report = asyncio.run(examine(config, environment, ports))
    if as_json:
        sys.stdout.write(json.dumps(_report_json(report)) + '\n')
    else:
        translate = translations(language_of_terminal()).gettext
        for line in _lines(report, translate):
            sys.stdout.write(escape(line) + '\n')
    return 0 if report.provider_draws or any(one.can_draw for one in report.added) else 1


def _report_json(report: Report) -> dict[str, object]:
    folder, holder = report.folder, report.folder.holder
    own = {'can_draw': report.provider_draws, 'demo': report.demo}
    return {
        'version': __version__,
        'provider': _provider_json(report, report.provider, own),
        'providers': None if report.unread else [_added_json(report, one) for one in report.added],
        'found': [{name: getattr(one, name) for name in FOUND_FIELDS} for one in report.found],
        'data': {
            'path': str(folder.path),
            'exists': folder.exists,
            'writable': folder.writable,
            'free_bytes': folder.free_bytes,
            'held_by': {'pid': holder.pid, 'url': holder.url} if holder.port else None,
        },
    }


def _added_json(report: Report, one: Examined) -> dict[str, object]:
    own = {'enabled': one.enabled, 'can_draw': one.can_draw}
    return {'name': one.name, **_provider_json(report, one, own)}


def _provider_json(report: Report, one: Examined, own: Mapping[str, bool]) -> dict[str, object]:
    status = one.status
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
        translate(N_('provider')): _provider_lines(report, translate),
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
    demo = N_('Nothing answers at {where}: Easel draws demo sketches until something does.')
    unused = N_('{where} is the default and is not used, since a server was added.')
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
        sentence = N_('{where} answers and lists no models: the first picture will show more.')
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
        sentence = N_('Its API is at another path: {setting}')
        yield translate(sentence).format(setting=setting(status.better_url))
        if is_own and status.key in (KeyState.MISSING, KeyState.REFUSED):
            yield translate(N_('Set EASEL_API_KEY to a key that this server knows.'))
    elif status.failure and not report.demo:
        yield describe(status.failure, translate).hint


def _folder_lines(folder: Folder, translate: Translate) -> Iterator[str]:
    if folder.writable:
        is_there = N_('{path} can be written; {room} GB are free.')
        is_made = N_('{path} is made at the first start; {room} GB are free.')
        sentence = translate(is_there if folder.exists else is_made)
        yield sentence.format(path=folder.path, room=f'{folder.free_bytes / 1e9:.1f}')
    else:
        yield translate(N_('{path} can not be written.')).format(path=folder.path)
        yield translate(N_('Give this user the right to it, or name another in EASEL_DATA.'))
    if folder.free_bytes < LOW_SPACE_BYTES:
        yield translate(N_('That is little room: make some before the next pictures.'))
    if folder.holder.port:
        sentence = translate(N_('Easel serves it at {url} (process {pid}).'))
        yield sentence.format(url=folder.holder.url, pid=folder.holder.pid)


def _found_lines(report: Report, translate: Translate) -> Iterator[str]:
    if not report.found:
        yield translate(N_('No image server on the usual ports.'))
    for one in report.found:
        sentence = translate(N_('{server} at {where}.'))
        about = [sentence.format(server=one.server, where=one.base_url)]
        if one.models:
            about.append(_models(one.models, translate))
        if one.hint:
            about.append(translate(one.hint))
        if one.base_url == report.provider.base_url.rstrip('/') and not report.stepped_aside:
            about.append(translate(N_('This is the provider.')))
        elif any(same_server(one.base_url, added.base_url) for added in report.added):
            about.append(translate(N_('In use already.')))
        elif one.usable:
            about.append(_setting(one.base_url))
        yield ' '.join(about)


def _models(models: tuple[str, ...], translate: Translate) -> str:
    if not models:
        return translate(N_('It lists no models.'))
    more = ['…'] if len(models) > NAMES_SHOWN else []
    names = ', '.join([*models[:NAMES_SHOWN], *more])
    return translate(N_('Models: {count} ({names}).')).format(count=len(models), names=names)


def _setting(base_url: str) -> str:
    return f'EASEL_API_URL={shlex.quote(without_secrets(base_url))}'
