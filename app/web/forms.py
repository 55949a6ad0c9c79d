"""What a request brings: a form, an upload, numbers in the address."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.errors import N_, InvalidRequest, Malformed, NotFound, WrongType
from app.generation.request import CONTROL
from app.storage.temp_file import TempFile

FORM_TYPES = ('application/x-www-form-urlencoded', 'multipart/form-data')
UPLOAD_BLOCK_BYTES = 256 * 1024
LONGEST_SUBMISSION = 100
MOST_DIGITS = 18
DAY_S = 24 * 3600.0
USUAL = 'week'
LIFETIMES: dict[str, tuple[float | None, str]] = {
    'day': (DAY_S, N_('for a day')),
    'week': (7 * DAY_S, N_('for a week')),
    'month': (30 * DAY_S, N_('for a month')),
    'ever': (None, N_('until I revoke it')),
}


async def form_fields(request: Request) -> dict[str, str]:
    """Read a form; the last one of a name counts, and files are not taken.

    Raises:
        WrongType: It is something else.
        Malformed: It breaks the form's own rules.
    """
    return dict(await form_pairs(request))


async def form_pairs(request: Request) -> tuple[tuple[str, str], ...]:
    """Read a form whose names may come more than once; files in it are not taken.

    Raises:
        WrongType: It is something else.
        Malformed: It breaks the form's own rules.
    """
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if kind not in FORM_TYPES:
        raise WrongType(N_('Send a form: {types}.'), types=' / '.join(FORM_TYPES))
    try:
        async with request.form(max_files=0, max_fields=50, max_part_size=1_000_000) as form:
            pairs = form.multi_items()
            return tuple((name, value) for name, value in pairs if isinstance(value, str))
    except HTTPException as error:
        raise Malformed(N_('The request could not be read.')) from error


async def save_upload(request: Request, name: str, temp_file: TempFile) -> None:
    """Write an uploaded file into a temporary one.

    Raises:
        InvalidRequest: The form brings none.
        Malformed: It breaks the form's own rules.
    """
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            upload = form.get(name)
            if not isinstance(upload, UploadFile):
                raise InvalidRequest(N_('Choose a picture first.'))
            while block := await upload.read(UPLOAD_BLOCK_BYTES):
                temp_file.write(block)
    except HTTPException as error:
        raise Malformed(N_('The request could not be read.')) from error


def new_submission() -> str:
    """Make the mark that lets a form be sent twice and drawn once."""
    return secrets.token_urlsafe(16)


def submission_of(fields: Mapping[str, str]) -> str | None:
    """Read the form's mark, None if it brought none.

    Raises:
        InvalidRequest: It is no such mark.
    """
    mark = fields.get('submission', '')
    if len(mark) > LONGEST_SUBMISSION or CONTROL.search(mark):
        raise InvalidRequest(N_('The mark of this form is damaged. Reload the page.'))
    return mark or None


def lifetime_in(fields: Mapping[str, str]) -> float | None:
    """Read how long a link lasts in seconds, None for ever.

    Raises:
        InvalidRequest: It is no such time.
    """
    value = fields.get('lifetime', USUAL)
    if value not in LIFETIMES:
        raise InvalidRequest(N_('“{value}” can not be chosen here.'), value=value[:40])
    return LIFETIMES[value][0]


def number_in(request: Request, name: str) -> int | None:
    """Read a positive number from the query, None where it is absent.

    Raises:
        InvalidRequest: It is no positive number.
    """
    text = request.query_params.get(name, '')
    if not text:
        return None
    if not _is_number(text):
        raise InvalidRequest(N_('“{name}” is a positive number.'), name=name)
    return int(text)


def id_in(request: Request) -> int:
    """Read the id in an address, with or without `.json` behind it.

    A dependency and not a typed path parameter: those cost 15 ms more at the start.

    Raises:
        NotFound: It cannot be an id.
    """
    text = str(request.path_params['id']).removesuffix('.json')
    if not _is_number(text):
        raise NotFound(N_('There is no such page.'))
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
