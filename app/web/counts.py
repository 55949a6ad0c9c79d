"""Numbers in sentences, as each language writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

SEPARATORS = {'en': ',', 'ru': '\u202f'}


def write_number(number: int, language: str) -> str:
    """Write a whole number with the language's own sign between thousands."""
    return f'{number:,}'.replace(',', SEPARATORS[language])


def write_counts(environment: Environment, language: str) -> None:
    """Have templates write the `count` of a sentence so, and any other by `number`."""
    environment.globals['number'] = partial(write_number, language=language)
    for name in ('gettext', 'ngettext'):
        translated: Callable[..., str] = environment.globals[name]  # type: ignore[assignment]
        environment.globals[name] = _with_count(translated, language)


def _with_count(translated: Callable[..., str], language: str) -> Callable[..., str]:
    @pass_context
    def said(context: Context, *texts: object, **values: object) -> str:
        count = values.get('count')
        if isinstance(count, int):
            values['count'] = write_number(count, language)
        return translated(context, *texts, **values)

    return said
