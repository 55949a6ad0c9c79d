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
from app.cli.added import Added
from app.cli.diagnosis import Folder, Report, examine
from app.config import Config, language_of_terminal
from app.errors import N_
from app.log import escape, logger
from app.messages import LANGUAGES, Translate, describe, error_json, translations
from app.net.urls import DOCKER_HOST, is_local, same_server, without_secrets
from app.providers.discovery.connection_test import Checkup, Key
from app.providers.discovery.environment import HostEnvironment
from app.providers.discovery.scan import SAME_PORTS

log = logger(__name__)

LITTLE_ROOM_BYTES = 1_000_000_000
NAMES_SHOWN = 3
OF_THE_KEY = {
    Key.NOT_NEEDED: N_('It needs no key for its list of models.'),
    Key.NOT_PROVED: N_('It gives its list of models to anyone, so the key is not proved yet.'),
    Key.ACCEPTED: N_('The key is accepted.'),
}


def doctor(
    config: Config,
    around: HostEnvironment,
    ports: Mapping[int, int] = SAME_PORTS,
    *,
    as_json: bool,
) -> int:
    """Look at everything and say it; returns the exit status: 0 if something can draw."""
    for warning in config.warnings:
        log.warning('%s', warning)
    report = asyncio.run(examine(config, around, ports))
    if as_json:
        sys.stdout.write(json.dumps(_object(report)) + '\n')
    else:
        language = language_of_terminal()
        words = translations(language if language in LANGUAGES else 'en')
        for line in _lines(report, words.gettext):
            sys.stdout.write(escape(line) + '\n')
    return 0 if report.can_draw else 1


def _object(report: Report) -> dict[str, object]:
    folder = report.folder
    return {
        'version': __version__,
        'provider': {
            'base_url': without_secrets(report.config.api_url),
            'can_draw': report.provider_draws,
            'demo': report.demo,
            **_checkup_json(report.checkup, list(_advice_on_provider(report, str))),
        },
        'providers': None if report.unread else [_added_json(report, one) for one in report.added],
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


def _added_json(report: Report, added: Added) -> dict[str, object]:
    settings, checkup = added.settings, added.checkup
    advice = (
        list(_advice(report, checkup, settings.base_url, without_secrets, str)) if checkup else []
    )
    return {
        'name': settings.name,
        'base_url': without_secrets(settings.base_url),
        'enabled': settings.enabled,
        'can_draw': added.can_draw,
        **_checkup_json(checkup or Checkup(), advice),
    }


def _checkup_json(checkup: Checkup, advice: list[str]) -> dict[str, object]:
    return {
        'key': checkup.key,
        'models': checkup.models,
        'error': error_json(checkup.failure, str) if checkup.failure else None,
        'better_url': without_secrets(checkup.better_url) or None,
        'next': advice,
    }


def _lines(report: Report, translate: Translate) -> Iterator[str]:
    rooms = (
        (N_('provider'), _of_provider(report, translate)),
        (N_('settings'), _of_added(report, translate)),
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
    where = without_secrets(report.config.api_url)
    if report.demo:
        sentence = N_('Nothing answers at {where}: Easel draws demo sketches until something does.')
        yield translate(sentence).format(where=where)
    elif report.stepped_aside:
        sentence = N_('{where} is the default and is not used, since a server was added.')
        yield translate(sentence).format(where=where)
    else:
        yield _state(report.checkup, where, translate)
    yield from _advice_on_provider(report, translate)


def _of_added(report: Report, translate: Translate) -> Iterator[str]:
    if report.unread:
        yield translate(report.unread.sentence).format(**report.unread.places)
    for added in report.added:
        settings, checkup = added.settings, added.checkup
        where = f'{settings.name} ({without_secrets(settings.base_url)})'
        if checkup is None:
            yield translate(N_('{name} is turned off in Settings.')).format(name=where)
            continue
        yield _state(checkup, where, translate)
        yield from _advice(report, checkup, settings.base_url, without_secrets, translate)


def _state(checkup: Checkup, where: str, translate: Translate) -> str:
    if checkup.failure:
        return f'{where}: {describe(checkup.failure, translate).message}'
    if not checkup.lists:
        sentence = N_('{where} answers and lists no models: the first picture will show more.')
        return translate(sentence).format(where=where)
    answers = translate(N_('{where} answers.')).format(where=where)
    about = [answers, _models(checkup.models, translate)]
    if checkup.key in OF_THE_KEY:
        about.append(translate(OF_THE_KEY[checkup.key]))
    return ' '.join(about)


def _advice_on_provider(report: Report, translate: Translate) -> Iterator[str]:
    """Say what to do next about the provider of the environment, if anything."""
    checkup, url = report.checkup, report.config.api_url
    if report.stepped_aside:
        return
    yield from _advice(report, checkup, url, _setting, translate)
    if checkup.better_url and checkup.key in (Key.MISSING, Key.REFUSED):
        yield translate(N_('Set EASEL_API_KEY to a key that this server knows.'))


def _advice(
    report: Report,
    checkup: Checkup,
    base_url: str,
    setting: Callable[[str], str],
    translate: Translate,
) -> Iterator[str]:
    """Say what to do next about a provider, if anything; `setting` writes an address to set."""
    url = urlsplit(base_url)
    if report.around.in_container and checkup.refused and is_local(url.hostname or ''):
        outside = url._replace(netloc=f'{DOCKER_HOST}:{url.port or 80}')
        sentence = N_('In a container, localhost is the container itself. For the host: {setting}')
        yield translate(sentence).format(setting=setting(urlunsplit(outside)))
    if checkup.better_url:
        sentence = N_('Its API is at another path: {setting}')
        yield translate(sentence).format(setting=setting(checkup.better_url))
    elif checkup.failure and not report.demo:
        yield describe(checkup.failure, translate).hint


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
    names = ', '.join(models[:NAMES_SHOWN])
    more = ', …' if len(models) > NAMES_SHOWN else ''
    return translate(N_('Models: {count} ({names}).')).format(
        count=len(models), names=f'{names}{more}'
    )


def _setting(base_url: str) -> str:
    return f'EASEL_API_URL={shlex.quote(without_secrets(base_url))}'
