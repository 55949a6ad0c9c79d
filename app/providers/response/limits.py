"""What a refusal says of the values that a server takes, and those nearest to the one it got."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import product

from app.models.request import LEAST_SIDE, MOST_SIDE, Size

MOST_OFFERS = 4
LONGEST_CHOICE = 60
FEWEST_PIXELS = 20_000  # a larger number is no side, but how many pixels there may be in all
USUAL_STEP = 8  # pixels: sides that every model takes

_NUMBER = (
    r'\W{0,3}(?P<number>\d[\d,_]{0,14}(?:\.\d{1,9})?)(?!\d)'
    r'(?P<unit>\s*(?:megapixels?|MP\b|[x×*]\s*\d+)?)'
)
_MOST = re.compile(
    r'(?i)(?:at most|(?:less|lower|smaller) than or equal(?: to)?|<=|≤|(?:not|cannot) exceed|up to|'
    r'(?:no|not|be) (?:more|larger|greater|higher|bigger) than|'
    r'exceed\w{0,3} (?:the )?(?:limit of )?|\blimit(?:ed)?\b(?: to)?|less than|below|'
    r'max(?:imum)?\b(?:[ _](?!and\b|between\b)[a-z]+){0,4})'
    rf'(?: is| of|:|=)?{_NUMBER}'
)
_LEAST = re.compile(
    r'(?i)(?:at least|(?:greater|more|larger|higher) than or equal(?: to)?|>=|≥|'
    r'(?:no|not|be) (?:less|smaller|lower|fewer) than|min(?:imum)?\b(?:[ _][a-z]+){0,4})'
    rf'(?: is| of|:|=)?{_NUMBER}'
)
_BETWEEN = re.compile(
    r'(?i)(?:between|from|range|within|in)[^\d:]{0,12}(\d{1,12}(?:\.\d{1,9})?)'
    r'\s{0,9}(?:and|to|-|–|,|\.{2,3})\s{0,9}(\d{1,12}(?:\.\d{1,9})?)(?!\d|[\d.]{0,12}[:x×])'
)
_MULTIPLE = re.compile(r'(?i)(?:divisible by|multiples? of|steps of)\s{0,9}(\d{1,5})(?!\d)')
_SIZE = re.compile(r'(?<![\d.])([1-9]\d{1,4})\s?[x×*]\s?([1-9]\d{1,4})(?!\d)')
_RATIO = re.compile(r'(?<![\d:.])(\d{1,2})\s?:\s?(\d{1,2})(?![\d:])')
_EXACT = re.compile(r'(?i)(?:must be|should be|only|n=|provide n)\W{0,3}(?:equal to )?(\d{1,9})\b')
_CHOICES = tuple(
    re.compile(rf'(?i)(?:{words})[\s:]*(?P<list>.+)')
    for words in (
        r'one of|choose from|not in|options(?: are)?',
        r'\b(?:supported|allowed|valid|available|permitted|accepted|possible)\b[^:.\'"`\[(,]{0,40}(?::|\bare\b|\bis\b)',
        r'(?:should|must) be|expected|\buse',
    )
)
_QUOTED = re.compile(r"""['"`“‘]([^'"`“”‘’]{1,60})['"`”’]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the values of one field have to be; a bound of None is not told."""

    sizes: tuple[Size, ...] = ()
    step: int = 1  # pixels of which each side has to be a multiple
    least: float | None = None
    most: float | None = None
    fewest_pixels: float | None = None
    most_pixels: float | None = None
    widest: float | None = None  # the most that one side may be of the other
    exactly: int | None = None

    def sizes_near(self, wished: Size) -> tuple[Size, ...]:
        """Return sizes that fit, the nearest first; empty where nothing of a size is told."""
        if self.sizes:
            listed = [size for size in dict.fromkeys(self.sizes) if size != wished]
            return tuple(sorted(listed, key=lambda size: size.distance(wished)))[:MOST_OFFERS]
        width, height = self._stretched(wished)
        factor = self._factor(width, height)
        is_stretched = width != wished.width or height != wished.height
        step = self.step if self.step > 1 else USUAL_STEP if is_stretched or factor != 1 else 1
        sides = [_around(side * factor, step) for side in (width, height)]
        near = [Size(*pair) for pair in product(*sides)]
        fitting = [size for size in dict.fromkeys(near) if size != wished and self._takes(size)]
        return tuple(sorted(fitting, key=lambda size: size.distance(wished)))[:MOST_OFFERS]

    def number_near(self, wished: float) -> int | None:
        """Return the whole number that fits, None where nothing is told or it fits already."""
        if self.exactly is not None:
            return self.exactly if self.exactly != wished else None
        low, high = self.least or -math.inf, math.inf if self.most is None else self.most
        near = min(max(wished, low), high)
        return int(near) if near != wished else None

    def _stretched(self, size: Size) -> tuple[float, float]:
        """Shorten the longer side to the ratio that is taken."""
        width, height = float(size.width), float(size.height)
        if self.widest:
            return min(width, height * self.widest), min(height, width * self.widest)
        return width, height

    def _factor(self, width: float, height: float) -> float:
        pixels, factor = width * height, 1.0
        if self.least:
            factor = max(factor, self.least / min(width, height))
        if self.fewest_pixels:
            factor = max(factor, math.sqrt(self.fewest_pixels / pixels))
        if self.most:
            factor = min(factor, self.most / max(width, height))
        if self.most_pixels:
            factor = min(factor, math.sqrt(self.most_pixels / pixels))
        return factor

    def _takes(self, size: Size) -> bool:
        short, long = sorted((size.width, size.height))
        low, high = max(self.least or 0, LEAST_SIDE), min(self.most or MOST_SIDE, MOST_SIDE)
        pixels = short * long
        return (
            low <= short <= long <= high
            and (self.fewest_pixels or 0) <= pixels <= (self.most_pixels or math.inf)
            and long <= short * (self.widest or math.inf)
        )


def limits_in(words: str, wished: Size | None = None) -> Limits:
    """Read what a refusal says of a field's values; `wished` is the size that it refuses."""
    low, low_pixels = _bound(_LEAST, words)
    high, high_pixels = _bound(_MOST, words)
    between = _BETWEEN.search(words)
    if between:
        pair = float(between[1]), float(between[2])
        if pair[1] > FEWEST_PIXELS:
            low_pixels, high_pixels = pair
        else:
            low, high = pair
    sizes = [Size(int(one[1]), int(one[2])) for one in _SIZE.finditer(words)]
    sizes = [size for size in sizes if size != wished]
    is_bound = len(sizes) == 1 and (_MOST.search(words) or _LEAST.search(words))
    step, exactly = _MULTIPLE.search(words), _EXACT.search(words)
    ratios = [int(one[1]) / int(one[2]) for one in _RATIO.finditer(words) if int(one[2])]
    is_exact = exactly and low is None and high is None and not step
    return Limits(
        sizes=() if is_bound else tuple(sizes),
        step=max(1, int(step[1])) if step else 1,
        least=low,
        most=high,
        fewest_pixels=low_pixels,
        most_pixels=high_pixels,
        widest=max((max(one, 1 / one) for one in ratios if one), default=None),
        exactly=int(exactly[1]) if exactly and is_exact else None,
    )


def choices_in(words: str) -> tuple[str, ...]:
    """List the values that a refusal names as those that are taken."""
    for pattern in _CHOICES:
        found = pattern.search(words)
        values = _listed(found['list']) if found else ()
        if values:
            return values
    return ()


def _listed(text: str) -> tuple[str, ...]:
    values = _QUOTED.findall(text)
    if not values:
        plain = re.split(r'[.;\n]\s|[.;]$|\]|\)', text, maxsplit=1)[0].strip(' :[(')
        parts = re.split(r',\s*(?:or |and )?|\s+or\s+|\s+and\s+', plain)
        values = parts if len(parts) > 1 else []
    plain_values = (value.strip() for value in values)
    return tuple(dict.fromkeys(one for one in plain_values if 0 < len(one) <= LONGEST_CHOICE))


def _bound(pattern: re.Pattern[str], words: str) -> tuple[float | None, float | None]:
    """Return a bound of a side or number, and one of all pixels; None for each that is not told."""
    for found in pattern.finditer(words):
        number = float(re.sub(r'[,_]', '', found['number']))
        if found['unit'].strip().lower().startswith('m'):
            return None, number * 1_000_000
        return (None, number) if number > FEWEST_PIXELS else (number, None)
    return None, None


def _around(side: float, step: int) -> tuple[int, ...]:
    below, above = math.floor(side / step) * step, math.ceil(side / step) * step
    return tuple(dict.fromkeys((above, below)))
