"""What a request brings: a form, an upload, numbers in the address."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar

from fastapi import Depends
from starlette.requests import Request

from app.errors import N_, InvalidRequest, NotFound, WrongType
from app.generation.request import CONTROL

MULTIPART = 'multipart/form-data'
FORM_TYPES = ('application/x-www-form-urlencoded', MULTIPART)
LONGEST_SUBMISSION = 100
MOST_DIGITS = 18
DAY_S = 24 * 3600.0
LIFETIMES: dict[str, tuple[float | None, str]] = {
    'day': (DAY_S, N_('for a day')),
    'week': (7 * DAY_S, N_('for a week')),
    'month': (30 * DAY_S, N_('for a month')),
    'ever': (None, N_('until I revoke it')),
}

Choice = TypeVar('Choice')


async def form_fields(request: Request) -> dict[str, str]:
    """Read a form as `form_pairs` does; the last field of a name counts."""
    return dict(await form_pairs(request))


async def form_pairs(request: Request, most: int = 50) -> tuple[tuple[str, str], ...]:
    """Read a form whose names may come more than once, without its files; raise `WrongType`."""
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if not kind and not await request.body():
        return ()  # an act that needs no field
    if kind not in FORM_TYPES:
        raise WrongType(N_('Send a form: {types}.'), types=' / '.join(FORM_TYPES))
    async with request.form(max_files=0, max_fields=most, max_part_size=1_000_000) as form:
        pairs = form.multi_items()
        return tuple((name, value) for name, value in pairs if isinstance(value, str))


def choice_in(fields: Mapping[str, str], name: str, choices: Mapping[str, Choice]) -> Choice:
    """Return what a field stands for; raise `InvalidRequest` where it is none of the choices."""
    value = fields.get(name, '')
    if value not in choices:
        raise InvalidRequest(N_("“{value}” isn't an option here."), value=value[:40])
    return choices[value]


def lifetime_in(fields: Mapping[str, str]) -> float | None:
    """Read how long a link lasts in seconds, None for ever; raise `InvalidRequest`."""
    return choice_in({'lifetime': 'week', **fields}, 'lifetime', LIFETIMES)[0]


def new_submission() -> str:
    """Return a mark that lets a form be sent twice and drawn once."""
    return secrets.token_urlsafe(16)


def submission_of(fields: Mapping[str, str]) -> str | None:
    """Read the form's mark, None if there is none; raise `InvalidRequest`."""
    mark = fields.get('submission', '')
    if len(mark) > LONGEST_SUBMISSION or CONTROL.search(mark):
        raise InvalidRequest(N_('This form is no longer valid. Reload the page.'))
    return mark or None


def number_in(request: Request, name: str) -> int | None:
    """Read a positive number from the query, None where it is absent; raise `InvalidRequest`."""
    return next(reversed(numbers_in(request, name)), None)


def numbers_in(request: Request, name: str) -> tuple[int, ...]:
    """Read every positive number of a name in the query; raise `InvalidRequest` at another."""
    return numbers_among(request.query_params.multi_items(), name)


def numbers_among(pairs: Iterable[tuple[str, str]], name: str) -> tuple[int, ...]:
    """Read every positive number of a name among fields; raise `InvalidRequest` at another."""
    texts = [text for field, text in pairs if field == name and text]
    if not all(map(is_number, texts)):
        raise InvalidRequest(N_('“{name}” must be a positive number.'), name=name)
    return tuple(map(int, texts))


async def id_in(request: Request) -> int:
    """Read the id in an address; raise `NotFound`. A typed path parameter costs 15 ms a start."""
    text = str(request.path_params['id']).removesuffix('.json')
    if not is_number(text):
        raise NotFound(N_('Page not found.'))
    return int(text)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


TheId = Annotated[int, Depends(id_in)]
