"""The settings of one generation, and the one table of what each of them may hold."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from app.errors import N_

LONGEST_PROMPT = 32_000
LONGEST_TEXT = 200
LEAST_SIDE, MOST_SIDE = 16, 16_384
MOST_COUNT = 10
MOST_SEED = (1 << 64) - 1
MOST_SOURCES = 16
MOST_SOURCE_BYTES = 50 * 1024 * 1024  # of one that is sent along
DIGEST = re.compile('[0-9a-f]{64}')  # a sha256 in hex
RULE = 'rule'  # in the metadata of a request's field


class ResponseFormat(StrEnum):
    """How the provider is asked to hand pictures over; automatic is None: not sent."""

    URL = 'url'
    B64_JSON = 'b64_json'


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f'{self.width}x{self.height}'

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read `1536x1024`; raises `ValueError` where it is not two numbers with an `x` between."""
        width, cross, height = text.partition('x')
        if not (cross and f'{width}{height}'.isascii() and width.isdigit() and height.isdigit()):
            raise ValueError(text)
        return cls(int(width), int(height))

    def distance(self, wished: Size) -> float:
        """Return how far this is from the wished one: a wrong shape counts four times."""
        shape = math.log(self.width * wished.height / (self.height * wished.width))
        area = math.log(self.width * self.height / (wished.width * wished.height))
        return 4 * abs(shape) + abs(area)


class FieldKind(StrEnum):
    """What a field of a request holds."""

    TEXT = 'text'
    LINE = 'line'
    WHOLE = 'whole number'
    DECIMAL = 'decimal'
    SIZE = 'size'
    FORMAT = 'response format'
    PICTURES = 'ids of pictures'
    MASK = 'digest of a mask'


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field of a request may hold, and where it is written down."""

    kind: FieldKind
    least: int = 0
    most: int = LONGEST_TEXT  # the largest number or side in pixels, or the most characters
    sentence: str = N_('Enter a whole number from {least} to {most}.')
    column: str = ''  # in the table `generations`; empty: the field's own name
    form: str = ''  # in forms; empty: the field's own name
    in_pictures: bool = False  # whether a picture's file tells it, and a form takes it from there
    in_json: bool = False  # whether the public JSON of a generation tells it as it was asked for


_PROMPT = FieldRule(FieldKind.TEXT, most=LONGEST_PROMPT, in_pictures=True)
_LINE = FieldRule(FieldKind.LINE, in_pictures=True)
_PROVIDER = FieldRule(FieldKind.LINE, column='asked_provider')
_SIZE = FieldRule(FieldKind.SIZE, LEAST_SIDE, MOST_SIDE, in_json=True)
_COUNT = FieldRule(FieldKind.WHOLE, 1, MOST_COUNT, N_('Choose from {least} to {most} pictures.'))
_ANY_SEED = N_('The seed must be a whole number from 0 to {most}.')
_SEED = FieldRule(FieldKind.WHOLE, 0, MOST_SEED, _ANY_SEED, in_pictures=True, in_json=True)
_FORMAT = FieldRule(FieldKind.FORMAT, in_json=True)
_STEPS = FieldRule(FieldKind.WHOLE, 1, 500, in_pictures=True)
_ALBUM = FieldRule(FieldKind.WHOLE, 1, MOST_SEED)
_NUMBER_LIKE_7 = N_('Enter a number from {least} to {most}, like 7 or 7.5.')
_GUIDANCE = FieldRule(FieldKind.DECIMAL, 0, 100, _NUMBER_LIKE_7, in_pictures=True)
_UP_TO = N_('Choose up to {most} pictures.')
_SOURCES = FieldRule(FieldKind.PICTURES, 1, MOST_SOURCES, _UP_TO, form='source')
_MASK = FieldRule(FieldKind.MASK, sentence=N_("This mask isn't there any more. Paint it again."))
_STRENGTH = FieldRule(
    FieldKind.DECIMAL, 0, 1, N_('Enter a number from {least} to {most}, like 0.6.')
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """The settings of one generation; None means automatic, and automatic is not sent.

    The one table of them: forms, columns, labels and JSON go by the rules in it.
    """

    prompt: str = field(metadata={RULE: _PROMPT})
    provider: str = field(default='', metadata={RULE: _PROVIDER})
    model: str | None = field(default=None, metadata={RULE: replace(_LINE, column='asked_model')})
    size: Size | None = field(default=None, metadata={RULE: _SIZE})
    n: int | None = field(default=None, metadata={RULE: replace(_COUNT, in_json=True)})
    seed: int | None = field(default=None, metadata={RULE: _SEED})
    response_format: ResponseFormat | None = field(default=None, metadata={RULE: _FORMAT})
    negative_prompt: str | None = field(default=None, metadata={RULE: _PROMPT})
    quality: str | None = field(default=None, metadata={RULE: _LINE})
    steps: int | None = field(default=None, metadata={RULE: _STEPS})
    guidance: str | None = field(default=None, metadata={RULE: _GUIDANCE})  # as it was typed: `7.0`
    sampler: str | None = field(default=None, metadata={RULE: _LINE})
    album: int | None = field(default=None, metadata={RULE: _ALBUM})  # where its pictures go
    # the pictures that it starts from, the first of which it edits; they may be gone by now
    sources: tuple[int, ...] = field(default=(), metadata={RULE: _SOURCES})
    # the sha256 of the kept mask of the first one, in hex: white may change, black stays
    mask: str | None = field(default=None, metadata={RULE: _MASK})
    strength: str | None = field(default=None, metadata={RULE: _STRENGTH})  # as it was typed
    # 1: what the mask keeps is laid back over what comes
    paste_back: int | None = field(default=None, metadata={RULE: FieldRule(FieldKind.WHOLE, 0, 1)})

    @property
    def protects(self) -> bool:
        """Whether a mask keeps a part of the first picture as it is."""
        return bool(self.sources and self.mask)

    @property
    def lays_back(self) -> bool:
        """Whether that part is laid back over what comes."""
        return self.protects and bool(self.paste_back)

    @property
    def count(self) -> int:
        return self.n or 1


REQUEST_FIELDS: dict[str, FieldRule] = {f.name: f.metadata[RULE] for f in fields(GenerationRequest)}
