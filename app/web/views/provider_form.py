"""The form of a provider: the row and secrets it asks for, a sentence for each wrong field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from app.database.providers import AT_ONCE, ProviderRow
from app.errors import N_, AppError, InvalidRequest
from app.generation.request import FormReader, line, whole
from app.models.request import FieldKind, FieldRule
from app.net.urls import candidates, normalize_api_url, origin_of
from app.providers.core.base import Dialect
from app.providers.settings import NOTHING, Secrets

LONGEST_NAME = 60
MOST_AT_ONCE = 64
MOST_TIMEOUT_S = 86_400
MOST_HEADERS = 20
SWITCHES = ('tops_up', 'waits', 'previews', 'mask_inverted', 'enabled')
NEW = ProviderRow(name='', base_url='', model='', timeout_s=600)
# What the HTTP client writes itself, or what would change how a response is read.
OUR_HEADERS = {
    *('host', 'connection', 'content-length', 'content-type', 'transfer-encoding'),
    *('accept', 'accept-encoding', 'upgrade', 'te', 'trailer', 'expect', 'cookie'),
}

_KEY = re.compile('[!-~]{1,4000}')
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile('[!-~]([ -~]{0,3998}[!-~])?')


@dataclass(frozen=True, slots=True)
class Draft:
    """The row and secrets to keep, and the errors by field."""

    row: ProviderRow
    secrets: Secrets
    wrong: dict[str, AppError]

    def checked(self) -> Draft:
        """Return the draft itself; raise `InvalidRequest` with what is wrong by field."""
        if self.wrong:
            raise InvalidRequest(N_('Check the marked fields.'), fields=self.wrong)
        return self


def draft_of(
    pairs: Iterable[tuple[str, str]], before: ProviderRow = NEW, had: Secrets = NOTHING
) -> Draft:
    """Read the fields that were sent; the others stay as they were."""
    listed = list(pairs)
    fields, reader = dict(listed), FormReader()
    row = _row(fields, reader, before)
    removed = {value.lower() for name, value in listed if name == 'remove_header'}
    kept = [(name, value) for name, value in had.headers if name.lower() not in removed]
    secrets = Secrets(_key(fields, reader, had), _headers(fields.get('headers', ''), kept, reader))
    known = 'base_url' not in reader.wrong and before.base_url and row.base_url
    if known and origin_of(before.base_url) != origin_of(row.base_url):
        reader.wrong |= _left_behind(str(origin_of(before.base_url)), had, secrets)
    return Draft(row, secrets, reader.wrong)


def _left_behind(where: str, had: Secrets, now: Secrets) -> dict[str, AppError]:
    """Return errors where secrets would leave the origin that they were set for."""
    wrong: dict[str, AppError] = {}
    if had.key and now.key == had.key:
        wrong['key'] = InvalidRequest(
            N_('The key was saved for {where}. Enter it again for the new address, or remove it.'),
            where=where,
        )
    if set(had.headers) & set(now.headers):
        wrong['headers'] = InvalidRequest(
            N_('The headers were saved for {where}. Enter them again, or remove them.'), where=where
        )
    return wrong


def _row(fields: Mapping[str, str], reader: FormReader, before: ProviderRow) -> ProviderRow:
    base_url = before.base_url
    if 'base_url' in fields or not base_url:
        known = candidates(base_url) if base_url else ()
        base_url = reader.must(
            'base_url',
            fields.get('base_url', ''),
            lambda plain: plain if plain in known else normalize_api_url(plain),
        )
    row = replace(before, base_url=base_url)
    if 'name' in fields or not before.name:
        row = replace(row, name=reader.read('name', fields.get('name', ''), _name) or '')
    if not row.name and base_url and 'name' not in reader.wrong:
        row = replace(row, name=str(origin_of(base_url)))
    values: dict[str, str | int] = {
        name: reader.read(name, fields[name], read) or default
        for name, (read, default) in FIELDS.items()
        if name in fields
    }
    switches = {name: fields[name] in ('on', '1', 'true') for name in SWITCHES if name in fields}
    return replace(row, **values, **switches)  # type: ignore[arg-type]


def _key(fields: Mapping[str, str], reader: FormReader, had: Secrets) -> str | None:
    typed = fields.get('key', '').strip()
    if not typed:
        return None if fields.get('remove_key') == 'on' else had.key
    if not _KEY.fullmatch(typed):
        reader.wrong['key'] = InvalidRequest(
            N_('A key has no spaces, and only ASCII letters, digits and symbols.')
        )
    return typed


def _headers(
    text: str, kept: Iterable[tuple[str, str]], reader: FormReader
) -> tuple[tuple[str, str], ...]:
    """Read `Name: value` lines, which replace headers of the same name."""
    headers = {name.lower(): (name, value) for name, value in kept}
    try:
        for name, value in map(_header, filter(None, map(str.strip, text.splitlines()))):
            headers[name.lower()] = (name, value)
        if len(headers) > MOST_HEADERS:
            raise InvalidRequest(N_('At most {most} headers.'), most=MOST_HEADERS)
    except InvalidRequest as error:
        reader.wrong['headers'] = error
    return tuple(headers.values())


def _header(text: str) -> tuple[str, str]:
    """Read one line; the error does not repeat it, for it may be secret."""
    name, _, value = text.partition(':')
    name, value = name.strip(), value.strip()
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        raise InvalidRequest(N_('Enter one header per line, as Name: value, in ASCII.'))
    if name.lower() in OUR_HEADERS:
        raise InvalidRequest(N_('Easel sets the {name} header itself. Remove it.'), name=name)
    return name, value


def _name(text: str) -> str:
    return ' '.join(line(FieldRule(FieldKind.LINE, most=LONGEST_NAME), text).split())


def _dialect(text: str) -> Dialect:
    try:
        return Dialect(text)
    except ValueError as error:
        raise InvalidRequest(N_('Choose automatic, openai, openrouter, sdapi or chat.')) from error


FIELDS: dict[str, tuple[Callable[[str], str | int], str | int]] = {
    'model': (partial(line, FieldRule(FieldKind.LINE)), ''),
    'dialect': (_dialect, Dialect.AUTO),
    'at_once': (partial(whole, FieldRule(FieldKind.WHOLE, 1, MOST_AT_ONCE)), AT_ONCE),
    'timeout_s': (partial(whole, FieldRule(FieldKind.WHOLE, 1, MOST_TIMEOUT_S)), 600),
}
