"""What a response says that it cost, wherever its server says it.

Sources: OpenRouter's `ImageGenerationUsage`, LiteLLM's proxy headers, xAI's and OpenAI's `usage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import add

from app.cost import Cost, told_cost
from app.providers.response.images import at
from app.providers.response.json_text import Json

COST_HEADER = 'x-litellm-response-cost'
TICKS = 'cost_in_usd_ticks'
TICK_USD = Decimal('1e-10')
LONGEST_NUMBER = 60
_PARTS = (('input_tokens', 'output_tokens'), ('prompt_tokens', 'completion_tokens'))


def cost_of(headers: Mapping[str, str], tree: Json) -> Cost | None:
    """Return what a response says that it cost; several values of a stream are added up."""
    told = [cost_in(row) for row in tree] if isinstance(tree, list) else [cost_in(tree)]
    costs = [one for one in told if one]
    found = reduce(add, costs) if costs else Cost()
    amount = _decimal(headers.get(COST_HEADER)) if found.amount is None else found.amount
    return told_cost(amount, found.tokens)


def cost_in(tree: Json) -> Cost | None:
    """Return what one JSON object says that it cost."""
    usage = at(tree, 'usage')
    amount = _decimal(at(usage, 'cost'))
    ticks = _whole(at(usage, TICKS) or at(tree, TICKS))
    if amount is None and ticks is not None:
        amount = ticks * TICK_USD
    return told_cost(amount, _tokens(usage))


def _tokens(usage: Json) -> int | None:
    whole = _whole(at(usage, 'total_tokens'))
    for names in () if whole else _PARTS:
        parts = [_whole(at(usage, name)) for name in names]
        if any(parts):
            return sum(filter(None, parts))
    return whole


def _whole(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= 0 else None


def _decimal(value: Json) -> Decimal | None:
    """Return a number of JSON as the shortest decimal that it is, or one of a header's text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    try:
        return Decimal(text) if len(text) <= LONGEST_NUMBER else None
    except InvalidOperation:
        return None
