"""Pages and fragments: Jinja templates in the reader's language."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from zoneinfo import ZoneInfo

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import Response

from app.access.visitors import Visitor
from app.config import CHECKOUT
from app.cost import Cost, shortened
from app.errors import N_, Failure, Notice
from app.messages import LANGUAGES, FailureText, describe, for_guests, translations
from app.net.urls import names_a_host
from app.storage.metadata.foreign.origin import FROM_PROGRAM, IMPORTED, program_of
from app.web.base_path import BasePath
from app.web.compression import page_response
from app.web.counts import write_counts
from app.web.static import Static

LANGUAGE_COOKIE = 'easel-language'
THEME_COOKIE = 'easel-theme'
NOTE_COOKIE = 'easel-note'  # that no server is there: `seen` in full, or `closed`
COOKIE_S = 400 * 24 * 3600
ZONE_COOKIE = 'easel-zone'  # set by time-zone.js
THEMES = ('system', 'light', 'dark')
SAVED_COOKIE = 'easel-saved'  # that the next page says so, once
SAVED_S = 60
STRANGER = Visitor('', 'http')
CANVAS = {'light': '#fafafa', 'dark': '#101010'}  # the window around a page, as --canvas
MONTHS = (
    N_('{day} January {year}'), N_('{day} February {year}'), N_('{day} March {year}'),
    N_('{day} April {year}'), N_('{day} May {year}'), N_('{day} June {year}'),
    N_('{day} July {year}'), N_('{day} August {year}'), N_('{day} September {year}'),
    N_('{day} October {year}'), N_('{day} November {year}'), N_('{day} December {year}'),
)  # fmt: skip


def assets(name: str) -> Path:
    """Find `templates` or `static`: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).resolve().parent.parent / name
    return inside if inside.is_dir() else CHECKOUT / name


def language_of(request: Request) -> str:
    """Return the reader's language: their choice, then their browser's, then English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, '')
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get('accept-language', '').split(','):
        primary = part.partition(';')[0].strip().partition('-')[0].lower()
        if primary in LANGUAGES:
            return primary
    return 'en'


def theme_of(request: Request) -> str:
    chosen = request.cookies.get(THEME_COOKIE, '')
    return chosen if chosen in THEMES else 'system'


def zone_of(request: Request) -> tzinfo | None:
    """Return the zone that the visitor's browser named; None, the server's own, for any other."""
    try:
        return ZoneInfo(request.cookies.get(ZONE_COOKIE, ''))
    except (KeyError, ValueError, OSError):  # a zone not known here; a path; a folder of zones
        return None


def wants_fragment(request: Request) -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get('x-fragment') == 'true'


def wants_json(request: Request) -> bool:
    """Whether a program asks, by the address's ending or by what it accepts."""
    takes_json = 'application/json' in request.headers.get('accept', '')
    return request.scope['path'].endswith('.json') or (takes_json and not wants_page(request))


def wants_page(request: Request) -> bool:
    """Whether a browser asks; a program that is given a cookie has to send its `Origin` after."""
    return 'text/html' in request.headers.get('accept', '')


@dataclass(frozen=True, slots=True)
class Language:
    """The templates and sentences of one language."""

    code: str
    environment: Environment
    words: gettext.NullTranslations
    root: BasePath

    def draw(self, template: str, **values: object) -> str:
        return self.environment.get_template(template).render(**values)

    def translate(self, text: str) -> str:
        return self.words.gettext(text)

    def describe(self, failure: Failure) -> FailureText:
        return describe(failure, self.translate)

    def day(self, moment: float, zone: tzinfo | None) -> str:
        """Return a day in a zone, the server's by None: today, yesterday, or its date."""
        days = (datetime.now(zone).date() - datetime.fromtimestamp(moment, zone).date()).days
        names = {0: N_('Today'), 1: N_('Yesterday')}
        return self.translate(names[days]) if days in names else self.date(moment, zone)

    def date(self, moment: float, zone: tzinfo | None) -> str:
        day = datetime.fromtimestamp(moment, zone).date()
        return self.translate(MONTHS[day.month - 1]).format(day=day.day, year=day.year)

    def decimal(self, value: float) -> str:
        """Write a number with one digit after the language's own sign."""
        whole, _, part = f'{value:.1f}'.partition('.')
        return self.translate(N_('{whole}.{part}')).format(whole=whole, part=part)

    def number(self, whole: int) -> str:
        return f'{whole:,}'.replace(',', ',' if self.code == 'en' else '\u202f')

    def cost(self, cost: Cost) -> str:
        parts = []
        if cost.amount is not None:
            amount = shortened(cost.amount).replace('.', self.decimal(0).strip('0'))
            parts.append(f'{amount} {cost.currency}')
        if cost.tokens is not None:
            parts.append(self.translate(N_('tokens: {n}')).format(n=cost.tokens))
        return ' · '.join(parts)

    def amount(self, size_bytes: int) -> str:
        for unit, words in ((1e9, N_('{n} GB')), (1e6, N_('{n} MB'))):
            if size_bytes >= unit:
                return self.translate(words).format(n=self.decimal(size_bytes / unit))
        return self.translate(N_('{n} kB')).format(n=round(size_bytes / 1000) or min(size_bytes, 1))


class BytecodeCache(FileSystemBytecodeCache):
    """Keeps compiled templates; a folder that cannot be used costs time and no page."""

    def __init__(self, folder: Path) -> None:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(folder))

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, UnpicklingError):  # unreadable, or cut by a power failure
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


class Renderer:
    """Draws every page and fragment; compiled templates are kept, which saves 40 ms a start."""

    def __init__(
        self,
        static: Static,
        cache_folder: Path,
        root: BasePath,
        name_of_guest: Callable[[int], str] = str,
        provider_summary: Callable[[], object] = object,
        notices: Callable[[], Sequence[Notice]] = tuple,
    ) -> None:
        self.static = static
        self._root = root
        self._cache = BytecodeCache(cache_folder)
        self._name_of_guest = name_of_guest
        self._provider_summary = provider_summary
        self._notices = notices
        self.language = cache(self._make)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        """Render a page or a fragment for this visitor."""
        viewer, saved = _viewer_of(request), SAVED_COOKIE in request.cookies
        html = self.language(language_of(request)).draw(
            template,
            request_path=request.scope['path'],
            request_address=address_of(request),
            request_host=host_of(request),
            saved=saved,
            theme=theme_of(request),
            note=request.cookies.get(NOTE_COOKIE, ''),
            zone=zone_of(request),
            viewer=viewer,
            provider_summary=self._provider_summary() if viewer.owner else None,
            notices=self._notices(),
            **values,
        )
        response = page_response(request, html, status)
        if saved:
            response.delete_cookie(SAVED_COOKIE)
        return response

    def _make(self, code: str) -> Language:
        environment = Environment(
            loader=FileSystemLoader(assets('templates')),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=['jinja2.ext.i18n'],
            auto_reload=False,
            bytecode_cache=self._cache,
        )
        words = translations(code)
        environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
        language = Language(code, environment, words, self._root)
        write_counts(environment, language.number, language.decimal)
        functions: dict[str, Callable[..., object]] = {
            **_for_viewers(language),
            **{name: getattr(language, name) for name in ('amount', 'cost', 'decimal', 'number')},
            'translate': language.translate,  # for what is no literal: `_` reads % in it
            'static': lambda name: self._root.address(self.static.address(name)),
            'name_of_guest': self._name_of_guest,
        }
        environment.globals.update(
            functions, base_path=self._root.path, language=code, languages=LANGUAGES, canvas=CANVAS
        )
        environment.filters['iso'] = lambda moment: (
            datetime.fromtimestamp(moment).astimezone().isoformat(timespec='seconds')
        )
        return language


def _for_viewers(language: Language) -> dict[str, Callable[..., object]]:
    """Return what templates say by who looks: a guest is not told where the servers are."""

    @pass_context
    def date(context: Context, moment: float) -> str:
        return language.date(moment, context.get('zone'))

    @pass_context
    def failure_text(context: Context, failure: Failure) -> FailureText:
        return language.describe(failure if context['viewer'].owner else for_guests(failure))

    @pass_context
    def server_name(context: Context, name: str) -> str:
        program = program_of(name)
        if program is not None:
            return language.translate(FROM_PROGRAM if program else IMPORTED).format(program=program)
        is_shown = context['viewer'].owner or not names_a_host(name)
        return name if is_shown else language.translate(N_('The server'))

    return {'date': date, 'failure_text': failure_text, 'server_name': server_name}


def say_saved(request: Request, response: Response) -> Response:
    """Have the page that a redirect leads to say that something was saved."""
    if wants_page(request):
        keep_choice(request, response, SAVED_COOKIE, 'yes', SAVED_S)
    return response


def keep_choice(
    request: Request, response: Response, cookie: str, value: str, for_s: int = COOKIE_S
) -> None:
    """Have the visitor's browser keep a choice of theirs."""
    over_tls = request.scope['scheme'] == 'https'
    response.set_cookie(cookie, value, for_s, secure=over_tls, samesite='lax', httponly=True)


def address_of(request: Request) -> str:
    """Return the page's address, without a fragment: with one, loading it again only scrolls."""
    query = request.scope['query_string'].decode('ascii', 'replace')
    return f'{request.scope["path"]}?{query}' if query else str(request.scope['path'])


def host_of(request: Request) -> str:
    """Return the host and port that the browser asked for."""
    return _viewer_of(request).forwarded_host.decode('ascii') or request.headers.get('host', '')


def _viewer_of(request: Request) -> Visitor:
    visitor: Visitor = request.scope.get('state', {}).get('visitor', STRANGER)
    return visitor
