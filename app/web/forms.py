"""From what a form sent to an ask; a sentence for each field that can't be meant."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.errors import N_, AppError, InvalidRequest, Malformed, WrongType
from app.models import (
    LEAST_SIDE,
    LONGEST_PROMPT,
    LONGEST_TEXT,
    MOST_GUIDANCE,
    MOST_SEED,
    MOST_SIDE,
    MOST_STEPS,
    GenerationRequest,
    ResponseFormat,
    Size,
)
from app.storage.temp_file import TempFile

T = TypeVar('T')

LONGEST_SUBMISSION = 100
MOST_COUNT = 10
TOLD_BY_PICTURES = (
    *('prompt', 'negative_prompt', 'seed', 'model', 'quality'),
    *('steps', 'guidance', 'sampler'),
)
FORM_TYPES = ('application/x-www-form-urlencoded', 'multipart/form-data')
AUTOMATIC = ('', 'auto')
OTHER = 'other'
UPLOAD_BLOCK_BYTES = 256 * 1024

SD_SERVER_TAG = '<sd_cpp_extra_args>'

_CONTROL = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]')


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


async def save_upload(request: Request, name: str, incoming: TempFile) -> None:
    """Write an uploaded file to where it is looked at.

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
                incoming.write(block)
    except HTTPException as error:
        raise Malformed(N_('The request could not be read.')) from error


def new_submission() -> str:
    """Make the mark that lets a form be sent twice and drawn once."""
    return secrets.token_urlsafe(16)


def ask_of(fields: Mapping[str, str]) -> GenerationRequest:
    """Make an ask of a form's fields; empty and `auto` mean automatic.

    Raises:
        InvalidRequest: With a sentence for each field that is wrong.
    """
    size = fields.get('size', '')
    if size == OTHER:
        size = fields.get('size_other', '')
    reader = Reader()
    generation_request = GenerationRequest(
        prompt=reader.read('prompt', fields.get('prompt', ''), _prompt) or '',
        provider=reader.read('provider', fields.get('provider', ''), line) or '',
        model=reader.read('model', fields.get('model', ''), line),
        size=reader.read('size', size, _size),
        n=reader.read('n', fields.get('n', ''), _count),
        seed=reader.read('seed', fields.get('seed', ''), _seed),
        response_format=reader.read('response_format', fields.get('response_format', ''), _format),
        negative_prompt=reader.read('negative_prompt', fields.get('negative_prompt', ''), _text),
        quality=reader.read('quality', fields.get('quality', ''), line),
        steps=reader.read('steps', fields.get('steps', ''), _steps),
        guidance=reader.read('guidance', fields.get('guidance', ''), _guidance),
        sampler=reader.read('sampler', fields.get('sampler', ''), line),
    )
    if reader.wrong:
        raise InvalidRequest(N_('Some of this can not be used yet.'), fields=reader.wrong)
    return generation_request


def chosen_in(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Read which servers a form chose, each once; none means automatic."""
    names = (value.strip() for name, value in pairs if name == 'provider')
    return tuple(dict.fromkeys(name for name in names if name.lower() not in AUTOMATIC))


def submission_of(fields: Mapping[str, str]) -> str | None:
    """Read the form's mark, None if it brought none.

    Raises:
        InvalidRequest: It is no such mark.
    """
    mark = fields.get('submission', '')
    if len(mark) > LONGEST_SUBMISSION or _CONTROL.search(mark):
        raise InvalidRequest(N_('The mark of this form is damaged. Reload the page.'))
    return mark or None


def fields_in(settings: Mapping[str, str | int | float]) -> dict[str, str]:
    """Lay out what a picture says of itself as the fields of a form; the rest is left out."""
    size = str(settings.get('asked_size') or settings.get('size') or '')
    told = {
        name: _told(settings[name])
        for name in TOLD_BY_PICTURES
        if settings.get(name) not in (None, '')
    }
    if size and told:
        told |= {'size': OTHER, 'size_other': size}
    return told


def _told(value: str | int | float) -> str:
    """Write what a picture tells; 7.0 is 7, since a picture can not tell them apart."""
    return f'{value:.15g}' if isinstance(value, float) else str(value)


def fields_of(generation_request: GenerationRequest) -> dict[str, str]:
    """Lay an ask out as the fields of a form."""
    return {
        'prompt': generation_request.prompt,
        'provider': generation_request.provider,
        'model': generation_request.model or '',
        'size': str(generation_request.size or ''),
        'n': str(generation_request.n or ''),
        'seed': '' if generation_request.seed is None else str(generation_request.seed),
        'response_format': generation_request.response_format or '',
        'negative_prompt': generation_request.negative_prompt or '',
        'quality': generation_request.quality or '',
        'steps': str(generation_request.steps or ''),
        'guidance': generation_request.guidance or '',
        'sampler': generation_request.sampler or '',
    }


class Reader:
    """Reads field after field and collects what is wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, AppError] = {}

    def read(self, name: str, text: str, make: Callable[[str], T]) -> T | None:
        """Read a field; None if it is automatic, or wrong."""
        plain = text.replace('\r\n', '\n').strip()
        if plain.lower() in AUTOMATIC and name != 'prompt':
            return None
        try:
            if _CONTROL.search(plain):
                raise InvalidRequest(N_('This holds signs that can not be sent.'))
            return make(plain)
        except InvalidRequest as error:
            self.wrong[name] = error
            return None

    def must(self, name: str, text: str, make: Callable[[str], str]) -> str:
        """Read a field that has no automatic state; empty if it is wrong."""
        try:
            return make(text.strip())
        except InvalidRequest as error:
            self.wrong[name] = error
            return ''


def _prompt(text: str) -> str:
    if not text:
        raise InvalidRequest(N_('Describe the picture first.'))
    if SD_SERVER_TAG in text.lower():  # whoever draws it may be such a server, or stand before one
        raise InvalidRequest(
            N_('sd-server would read {tag} as settings, not as words. Take it out.'),
            tag=SD_SERVER_TAG,
        )
    return _text(text)


def _text(text: str) -> str:
    return _at_most(LONGEST_PROMPT, text)


def line(text: str) -> str:
    """Read a short text of one line.

    Raises:
        InvalidRequest: It is too long.
    """
    return _at_most(LONGEST_TEXT, text.replace('\n', ' '))


def _at_most(most: int, text: str) -> str:
    if len(text) > most:
        raise InvalidRequest(
            N_('{have} characters are too many: {most} at most.'), have=len(text), most=most
        )
    return text


def _size(text: str) -> Size:
    try:
        size = Size.parse(text.lower().replace('×', 'x').replace(' ', ''))
    except ValueError as error:
        raise InvalidRequest(N_('Write a size as width x height: 1024x768.')) from error
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (size.width, size.height)):
        raise InvalidRequest(
            N_('Each side is from {least} to {most} pixels.'), least=LEAST_SIDE, most=MOST_SIDE
        )
    return size


def _count(text: str) -> int:
    if not re.fullmatch(r'[0-9]{1,2}', text) or not 1 <= int(text) <= MOST_COUNT:
        raise InvalidRequest(N_('From {least} to {most} pictures.'), least=1, most=MOST_COUNT)
    return int(text)


def _seed(text: str) -> int:
    if not re.fullmatch(r'[0-9]{1,19}', text) or int(text) > MOST_SEED:
        raise InvalidRequest(N_('A seed is a whole number from 0 to {most}.'), most=MOST_SEED)
    return int(text)


def _steps(text: str) -> int:
    return whole(text, 1, MOST_STEPS)


def _guidance(text: str) -> str:
    """Keep it as it was typed; a comma is a point."""
    plain = text.replace(',', '.')
    if not re.fullmatch(r'[0-9]{1,3}(\.[0-9]{1,6})?', plain) or float(plain) > MOST_GUIDANCE:
        raise InvalidRequest(
            N_('A number from {least} to {most}, like 7 or 7.5.'), least=0, most=MOST_GUIDANCE
        )
    return plain


def whole(text: str, least: int, most: int) -> int:
    """Read a whole number.

    Raises:
        InvalidRequest: It is none, or out of the range.
    """
    if not re.fullmatch(r'[0-9]{1,9}', text) or not least <= int(text) <= most:
        raise InvalidRequest(N_('A whole number from {least} to {most}.'), least=least, most=most)
    return int(text)


def _format(text: str) -> ResponseFormat:
    try:
        return ResponseFormat(text)
    except ValueError as error:
        raise InvalidRequest(N_('Choose automatic, url or b64_json.')) from error
