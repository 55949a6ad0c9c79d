"""`easel doctor`: tests every provider, looks for image servers, says what to do next."""

from __future__ import annotations

import asyncio
import json
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from app import __version__
from app.cli.diagnosis import Added, Folder, Report, examine
from app.config import Config, language_of_terminal
from app.errors import N_
from app.log import escape
from app.messages import LANGUAGES, Translate, describe, error_json, translations
from app.net.urls import DOCKER_HOST, is_local, same_server, without_secrets
from app.providers.core.base import KeyState, ProviderState, ProviderStatus
from app.providers.discovery.local_servers import HostEnvironment
from app.providers.discovery.scan import SAME_PORTS

LOW_SPACE_BYTES = 1_000_000_000
NAMES_SHOWN = 3
FOUND_FIELDS = ('server', 'base_url', 'dialect', 'models', 'usable', 'hint')
UNTESTED = ProviderStatus(state=ProviderState.NOTHING)
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
        language = language_of_terminal()
        words = translations(language if language in LANGUAGES else 'en')
        for line in _lines(report, words.gettext):
            sys.stdout.write(escape(line) + '\n')
    return 0 if report.can_draw else 1


def _report_json(report: Report) -> dict[str, object]:
    folder, holder = report.folder, report.folder.holder
    return {
        'version': __version__,
        'provider': {
            'base_url': without_secrets(report.config.api_url),
            'can_draw': report.provider_draws,
            'demo': report.demo,
            **_status_json(report.status, list(_advice_on_provider(report, str))),
        },
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


def _added_json(report: Report, added: Added) -> dict[str, object]:
    return {
        'name': added.settings.name,
        'base_url': without_secrets(added.settings.base_url),
        'enabled': added.settings.enabled,
        'can_draw': added.can_draw,
        **_status_json(added.status or UNTESTED, list(_advice_on_added(report, added, str))),
    }


def _status_json(status: ProviderStatus, advice: list[str]) -> dict[str, object]:
    return {
        'key': status.key,
        'models': status.models,
        'error': error_json(status.failure, str) if status.failure else None,
        'better_url': without_secrets(status.better_url) or None,
        'next': advice,
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
    where = without_secrets(report.config.api_url)
    if report.demo:
        sentence = N_('Nothing answers at {where}: Easel draws demo sketches until something does.')
        yield translate(sentence).format(where=where)
    elif report.stepped_aside:
        sentence = N_('{where} is the default and is not used, since a server was added.')
        yield translate(sentence).format(where=where)
    else:
        yield _state(report.status, where, translate)
    yield from _advice_on_provider(report, translate)


def _added_lines(report: Report, translate: Translate) -> Iterator[str]:
    if report.unread:
        yield translate(report.unread.sentence).format(**report.unread.places)
    for added in report.added:
        where = f'{added.settings.name} ({without_secrets(added.settings.base_url)})'
        if added.status:
            yield _state(added.status, where, translate)
        else:
            yield translate(N_('{name} is turned off in Settings.')).format(name=where)
        yield from _advice_on_added(report, added, translate)


def _state(status: ProviderStatus, where: str, translate: Translate) -> str:
    if status.failure:
        return f'{where}: {describe(status.failure, translate).message}'
    if not status.lists:
        sentence = N_('{where} answers and lists no models: the first picture will show more.')
        return translate(sentence).format(where=where)
    answers = translate(N_('{where} answers.')).format(where=where)
    key = [translate(KEY_SENTENCES[status.key])] if status.key in KEY_SENTENCES else []
    return ' '.join([answers, _models(status.models, translate), *key])


def _advice_on_provider(report: Report, translate: Translate) -> Iterator[str]:
    status = report.status
    if report.stepped_aside:
        return
    yield from _advice(report, status, report.config.api_url, _setting, translate)
    if status.better_url and status.key in (KeyState.MISSING, KeyState.REFUSED):
        yield translate(N_('Set EASEL_API_KEY to a key that this server knows.'))


def _advice_on_added(report: Report, added: Added, translate: Translate) -> Iterator[str]:
    if added.status:
        url = added.settings.base_url
        yield from _advice(report, added.status, url, without_secrets, translate)


def _advice(
    report: Report,
    status: ProviderStatus,
    base_url: str,
    setting: Callable[[str], str],
    translate: Translate,
) -> Iterator[str]:
    """Yield what to do next about a provider, if anything; `setting` formats an address to set."""
    url = urlsplit(base_url)
    if report.environment.in_container and status.refused and is_local(url.hostname or ''):
        outside = url._replace(netloc=f'{DOCKER_HOST}:{url.port or 80}')
        sentence = N_('In a container, localhost is the container itself. For the host: {setting}')
        yield translate(sentence).format(setting=setting(urlunsplit(outside)))
    if status.better_url:
        sentence = N_('Its API is at another path: {setting}')
        yield translate(sentence).format(setting=setting(status.better_url))
    elif status.failure and not report.demo:
        yield describe(status.failure, translate).hint


def _folder_lines(folder: Folder, translate: Translate) -> Iterator[str]:
    if folder.writable:
        can_be_written = N_('{path} can be written; {room} GB are free.')
        is_made = N_('{path} is made at the first start; {room} GB are free.')
        sentence = translate(can_be_written if folder.exists else is_made)
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
        if one.base_url == report.config.api_url.rstrip('/') and not report.stepped_aside:
            about.append(translate(N_('This is the provider.')))
        elif any(same_server(one.base_url, added.settings.base_url) for added in report.added):
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
