"""Counts in sentences, written as each language writes numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from jinja2 import Environment, pass_context
from jinja2.runtime import Context


def write_counts(
    environment: Environment, written: Callable[[int], str], decimal: Callable[[float], str]
) -> None:
    """Have templates write the `count` of a sentence so, and shares in percent."""
    environment.globals['percent'] = lambda share: _percent(share, decimal)
    for name in ('gettext', 'ngettext'):
        translated = cast('Callable[..., str]', environment.globals[name])
        environment.globals[name] = _with_count(translated, written)


def _with_count(
    translated: Callable[..., str], written: Callable[[int], str]
) -> Callable[..., str]:
    @pass_context
    def said(context: Context, *texts: object, **values: object) -> str:
        count = values.get('count')
        if isinstance(count, int):
            values['count'] = written(count)
        return translated(context, *texts, **values)

    return said


def _percent(share: float, decimal: Callable[[float], str]) -> str:
    """Write a share, 0 to 1, as a number of percent: what is there at all is never 0."""
    percent = 100 * share
    return decimal(max(percent, 0.1)) if 0 < percent < 1 else str(round(percent))
