"""A size in pixels, in the words of servers that take no pixels: a ratio, and a resolution."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable

from app.models.request import LEAST_SIDE, MOST_SIDE, Size
from app.providers.core.parameters import ModelParameters

RATIOS = ('1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '2:1', '1:2')
TIERS = {'512': 512, '768': 768, '1K': 1024, '1.5K': 1536, '2K': 2048, '4K': 4096}


def nearest_ratio(size: Size | None, ratios: Iterable[str] = RATIOS) -> str | None:
    """Return the nearest of these ratios, `16:9`; None without a size, or where none is one."""
    if not size:
        return None
    wished = math.log(size.width / size.height)
    known = {ratio: value for ratio in ratios if (value := _value_of(ratio))}
    return min(known, key=lambda ratio: abs(math.log(known[ratio]) - wished), default=None)


def size_fields(size: Size | None, taken: ModelParameters | None) -> dict[str, object]:
    """Return the fields that ask for a size in what a model takes; pixels where nobody knows."""
    if not size:
        return {}
    fields = taken.fields if taken else {}
    if not taken or ('size' in fields and fields['size'].takes(size)):
        return {'size': str(size)}
    name = 'resolution' if 'resolution' in fields else 'size'
    values = fields[name].values if name in fields else ()
    pixels = [parsed for value in values if (parsed := _parsed(value))]
    if pixels:
        return {name: str(min(pixels, key=lambda one: one.distance(size)))}
    found: dict[str, object] = {}
    if 'aspect_ratio' in fields:
        found['aspect_ratio'] = nearest_ratio(size, fields['aspect_ratio'].values or RATIOS)
    if name in fields:
        found[name] = _tier(size, values or tuple(TIERS))
    return {name: value for name, value in found.items() if value}


def sizes_in(taken: ModelParameters) -> tuple[Size, ...]:
    """Return the sizes that a model lists; none where it takes any, or names ratios."""
    named = [taken.fields[name] for name in ('size', 'resolution') if name in taken.fields]
    values = named[0].values if named else ()
    return tuple(parsed for value in values if (parsed := _parsed(value)))


def _tier(size: Size, tiers: tuple[str, ...]) -> str | None:
    """Return the nearest tier; of a wide picture both the long side and the area count."""
    side = (max(size.width, size.height) + math.sqrt(size.width * size.height)) / 2
    known = [tier for tier in tiers if tier in TIERS]
    return min(known, key=lambda tier: abs(math.log(TIERS[tier] / side)), default=None)


def _value_of(ratio: str) -> float:
    """Return a ratio as a number, 0 for what is none, such as `auto`."""
    width, _, height = ratio.partition(':')
    with contextlib.suppress(ValueError, ZeroDivisionError, OverflowError):
        value = float(width) / float(height)
        return value if 0 < value < math.inf else 0.0
    return 0.0


def _parsed(text: str) -> Size | None:
    with contextlib.suppress(ValueError):
        size = Size.parse(text.lower().replace('*', 'x'))
        sides = sorted((size.width, size.height))
        return size if sides[0] >= LEAST_SIDE and sides[1] <= MOST_SIDE else None
    return None
