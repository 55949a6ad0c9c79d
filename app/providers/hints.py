"""What a server's settings and its list of models add to a failure, so that its hint helps."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches

from app.errors import ErrorKind, Failure, Reason
from app.providers.core.base import ProviderSettings, ProviderStatus

MODEL_MATTERS = (ErrorKind.MODEL_NOT_FOUND, ErrorKind.AUTH, ErrorKind.UPSTREAM_ERROR)
MOST_OFFERS = 3
ALIKE = 0.5  # of 1: how much of two names has to be the same
BARE_FAULT = 'internal server error'

_SIGN_IN = re.compile(r'(?i)\b(log|sign)[ -]?(in|on)\b|\blogin\b|single sign|\bsso\b|access denied')


def explained(
    failure: Failure, settings: ProviderSettings, model: str | None, status: ProviderStatus | None
) -> Failure:
    """Return a failure with why it came about, as far as it can be told, and what may help."""
    models = status.models if status else ()
    others = [name for name in models if name != model]
    if failure.kind is ErrorKind.MODEL_NOT_FOUND:
        return replace(failure, value=model or '', offers=_nearest(model or '', others))
    if failure.reason == Reason.MODEL_NEEDS_AN_ACCOUNT:
        return replace(failure, value=model or '', offers=tuple(others[:MOST_OFFERS]))
    if failure.kind is ErrorKind.NOT_JSON and _SIGN_IN.search(failure.words):
        return replace(failure, reason=Reason.SIGN_IN_PAGE)
    if failure.kind is not ErrorKind.UPSTREAM_ERROR or failure.reason:
        return failure
    if model and status and status.lists and models and not _lists(models, model):
        offers, reason = _nearest(model, others), Reason.MODEL_IS_NOT_LISTED
        return replace(failure, reason=reason, value=model, offers=offers)
    is_bare = failure.words.lower() in ('', BARE_FAULT)
    if is_bare and failure.http_status == 500 and not (settings.key or settings.headers):
        return replace(failure, reason=Reason.NO_KEY_WAS_SENT)
    return failure


def _lists(models: tuple[str, ...], model: str) -> bool:
    return model in models or f'{model}:latest' in models


def _nearest(model: str, others: list[str]) -> tuple[str, ...]:
    """Return the names that are most like a model's, then those that draw, which come first."""
    plain = {name.lower(): name for name in reversed(others)}
    alike = get_close_matches(model.lower(), plain, MOST_OFFERS, ALIKE) if model else []
    return tuple(dict.fromkeys([*map(plain.__getitem__, alike), *others]))[:MOST_OFFERS]
