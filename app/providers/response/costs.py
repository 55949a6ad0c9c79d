"""What a response says that it cost, wherever its server says it.

Sources: OpenRouter's `ImageGenerationUsage`, LiteLLM's proxy headers, xAI's and OpenAI's `usage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import add

from app.cost import USD, Cost, told_cost
from app.providers.response.images import at
from app.providers.response.json_text import Json

COST_HEADER = 'x-litellm-response-cost'
TICKS = 'cost_in_usd_ticks'
TICK_USD = Decimal('1e-10')
USAGES = ('usage', 'usageMetadata')
CURRENCIES = ('currency', 'paymentSource')
MOST_WHOLE = 10**18
LONGEST_NUMBER = 60
_PARTS = (('input_tokens', 'output_tokens'), ('prompt_tokens', 'completion_tokens'))


def cost_of(headers: Mapping[str, str], tree: Json) -> Cost | None:
    """Return what a response says that it cost; several values of a stream are added up."""
    told = [cost_in(row) for row in tree] if isinstance(tree, list) else [cost_in(tree)]
    costs = [one for one in told if one]
    found = reduce(add, costs) if costs else Cost()
    amount = _of_header(headers.get(COST_HEADER, '')) if found.amount is None else found.amount
    return told_cost(amount, found.tokens)


def cost_in(tree: Json) -> Cost | None:
    """Return what one JSON object says that it cost."""
    usage = next((at(tree, key) for key in USAGES if at(tree, key)), None)
    amount = _in_usd(usage, tree)
    ticks = _whole(at(usage, TICKS) or at(tree, TICKS))
    if amount is None and ticks is not None:
        amount = ticks * TICK_USD
    return told_cost(amount, _tokens(usage))


def _in_usd(usage: Json, tree: Json) -> Decimal | None:
    """Return an amount in USD; outside of `usage` it has to say so: it may be in credits."""
    told = [at(node, key) for node in (usage, tree) for key in CURRENCIES]
    named = {one.upper() for one in told if isinstance(one, str)}
    if named - {USD}:
        return None
    values = [at(usage, 'cost'), *(at(node, 'cost_usd') for node in (usage, tree))]
    values += [at(tree, 'cost')] if named else []
    return next((one for value in values if (one := _decimal(value)) is not None), None)


def _of_header(text: str) -> Decimal | None:
    """Return the amount of a header, which a second proxy may have repeated."""
    values = {one.strip() for one in text.split(',')}
    return _decimal(values.pop()) if len(values) == 1 else None


def _tokens(usage: Json) -> int | None:
    whole = _whole(at(usage, 'total_tokens') or at(usage, 'totalTokenCount'))
    for names in () if whole else _PARTS:
        parts = [_whole(at(usage, name)) for name in names]
        if any(parts):
            return sum(filter(None, parts))
    return whole


def _whole(value: Json) -> int | None:
    number = _decimal(value)
    is_whole = number is not None and number.is_finite() and 0 <= number < MOST_WHOLE
    return int(number) if number is not None and is_whole and number % 1 == 0 else None


def _decimal(value: Json) -> Decimal | None:
    """Return a number of JSON as the shortest decimal that it is, or one of a header's text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    try:
        is_plain = len(text) <= LONGEST_NUMBER and text.isascii() and '_' not in text
        return Decimal(text) if is_plain else None
    except InvalidOperation:
        return None
