"""From the fields of a form to a generation's request, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from app.errors import N_, AppError, InvalidRequest
from app.models.request import (
    DIGEST,
    REQUEST_FIELDS,
    FieldKind,
    FieldRule,
    GenerationRequest,
    ResponseFormat,
    Size,
)

T = TypeVar('T')

AUTOMATIC = ('', 'auto')
OTHER = 'other'
RANDOM_SEED = '-1'  # as most tools write it
SD_SERVER_TAG = '<sd_cpp_extra_args>'
OF_SOURCES = ('mask', 'strength', 'paste_back')
CONTROL = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]')


def parse_request(fields: Mapping[str, str]) -> GenerationRequest:
    """Parse the fields of a form; empty and `auto` mean automatic.

    Raises `InvalidRequest` with a sentence for each field that is wrong.
    """
    given = {name: fields.get(rule.form or name, '') for name, rule in REQUEST_FIELDS.items()}
    if given['seed'].strip() == RANDOM_SEED:
        given['seed'] = ''
    if given['size'] == OTHER:
        given['size'] = fields.get('size_other', '')
    reader = FormReader()
    found = {
        name: reader.read(
            rule.form or name,
            given[name],
            partial(_prompt if name == 'prompt' else PARSERS[rule.kind], rule),
        )
        for name, rule in REQUEST_FIELDS.items()
    }
    if not found['sources'] and any(map(found.get, OF_SOURCES)) and 'source' not in reader.wrong:
        reader.wrong['mask'] = without_source()
    if reader.wrong:
        raise InvalidRequest(N_('Check the marked fields.'), fields=reader.wrong)
    chosen = {name: value for name, value in found.items() if value is not None}
    return GenerationRequest(**chosen)  # type: ignore[arg-type]


def without_source() -> InvalidRequest:
    sentence = N_('Choose a picture to start from first: a mask and its settings need one.')
    return InvalidRequest(sentence)


def form_fields_of(request: GenerationRequest) -> dict[str, str]:
    """Return the fields of the form that asks for the same."""
    return {
        rule.form or name: _text_of(getattr(request, name)) for name, rule in REQUEST_FIELDS.items()
    }


def _text_of(value: object) -> str:
    if isinstance(value, tuple):
        return ' '.join(map(str, value))
    return '' if value is None else str(value)


def form_fields_from_picture(settings: Mapping[str, str | int | float]) -> dict[str, str]:
    """Return the fields of a form for the settings in a picture's file."""
    known = {
        name: f'{value:.15g}' if isinstance(value, float) else str(value)  # 7.0 is 7 in a file
        for name, rule in REQUEST_FIELDS.items()
        if rule.in_pictures and (value := settings.get(name)) not in (None, '')
    }
    size = str(settings.get('asked_size') or settings.get('size') or '')
    return known | {'size': OTHER, 'size_other': size} if size and known else known


def label_fields_of(request: GenerationRequest, dropped: Iterable[str] = ()) -> dict[str, object]:
    """Return what a picture's label says of its request: nothing that was dropped on the way.

    A mask is told all the same: it says what was to stay, whatever the server made of that.
    """
    fields = {
        name: getattr(request, name)
        for name, rule in REQUEST_FIELDS.items()
        if rule.in_pictures and (name == 'prompt' or name not in dropped)
    }
    strength = None if 'strength' in dropped else request.strength
    return fields | {
        'guidance': float(fields['guidance']) if fields.get('guidance') else None,
        'mask': request.mask,
        'strength': float(strength) if strength else None,
        'paste_back': request.paste_back,
    }


def chosen_providers(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the providers that a form chose, each once; none means automatic."""
    names = (value.strip() for name, value in pairs if name == 'provider')
    return tuple(dict.fromkeys(name for name in names if name.lower() not in AUTOMATIC))


class FormReader:
    """Reads field after field and collects what is wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, AppError] = {}

    def read(self, name: str, text: str, make: Callable[[str], T]) -> T | None:
        """Read a field; None if it is automatic, or wrong."""
        plain = text.replace('\r\n', '\n').strip()
        if plain.lower() in AUTOMATIC and name != 'prompt':
            return None
        try:
            if CONTROL.search(plain):
                raise InvalidRequest(
                    N_("This contains characters that can't be sent. Remove them.")
                )
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


def whole(rule: FieldRule, text: str) -> int:
    """Parse a whole number; raises `InvalidRequest` for any other, and out of the rule's range."""
    if not re.fullmatch(r'[0-9]{1,20}', text) or not rule.least <= int(text) <= rule.most:
        raise InvalidRequest(rule.sentence, least=rule.least, most=rule.most)
    return int(text)


def line(rule: FieldRule, text: str) -> str:
    """Parse a short text of one line; raises `InvalidRequest` where it is too long."""
    return _text(rule, text.replace('\n', ' '))


def _text(rule: FieldRule, text: str) -> str:
    if len(text) > rule.most:
        raise InvalidRequest(
            N_('Too long: {have} characters, {most} at most.'), have=len(text), most=rule.most
        )
    return text


def _prompt(rule: FieldRule, text: str) -> str:
    if not text:
        raise InvalidRequest(N_('Describe the picture first.'))
    if SD_SERVER_TAG in text.lower():  # whoever draws it may be such a server, or stand before one
        raise InvalidRequest(
            N_('sd-server would read {tag} as settings, not as words. Remove it.'),
            tag=SD_SERVER_TAG,
        )
    return _text(rule, text)


def _decimal(rule: FieldRule, text: str) -> str:
    """Check a number and keep it as it was typed; a comma is a point."""
    plain = text.replace(',', '.')
    if not re.fullmatch(r'[0-9]{1,3}(\.[0-9]{1,6})?', plain) or float(plain) > rule.most:
        raise InvalidRequest(rule.sentence, least=rule.least, most=rule.most)
    return plain


def _size(rule: FieldRule, text: str) -> Size:
    try:
        size = Size.parse(text.lower().replace('×', 'x').replace(' ', ''))
    except ValueError as error:
        raise InvalidRequest(N_('Enter the size as width x height, like 1024x768.')) from error
    if not all(rule.least <= side <= rule.most for side in (size.width, size.height)):
        raise InvalidRequest(
            N_('Each side must be from {least} to {most} pixels.'), least=rule.least, most=rule.most
        )
    return size


def _format(_: FieldRule, text: str) -> ResponseFormat:
    try:
        return ResponseFormat(text)
    except ValueError as error:
        raise InvalidRequest(N_('Choose automatic, url or b64_json.')) from error


def _pictures(rule: FieldRule, text: str) -> tuple[int, ...]:
    ids = text.split()
    if len(ids) > rule.most:
        raise InvalidRequest(rule.sentence, most=rule.most)
    if not all(re.fullmatch(r'[1-9][0-9]{0,17}', one) for one in ids):
        raise InvalidRequest(N_('“{name}” must be a positive number.'), name=rule.form)
    return tuple(dict.fromkeys(map(int, ids)))


def parse_sources(text: str) -> tuple[int, ...]:
    """Parse the ids of pictures to start from; raises `InvalidRequest`."""
    return _pictures(REQUEST_FIELDS['sources'], text)


def _mask(rule: FieldRule, text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise InvalidRequest(rule.sentence)
    return text


Parsed = str | int | tuple[int, ...] | Size | ResponseFormat
PARSERS: dict[FieldKind, Callable[[FieldRule, str], Parsed]] = {
    FieldKind.TEXT: _text,
    FieldKind.LINE: line,
    FieldKind.WHOLE: whole,
    FieldKind.DECIMAL: _decimal,
    FieldKind.SIZE: _size,
    FieldKind.FORMAT: _format,
    FieldKind.PICTURES: _pictures,
    FieldKind.MASK: _mask,
}
