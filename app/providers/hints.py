"""What a server's settings and its list of models add to a failure, so that its hint helps."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches

from app.errors import ErrorKind, Failure, Reason
from app.providers.core.base import ProviderSettings, ProviderStatus
from app.providers.dialects.base import QUICK_S

_MODEL_MATTERS = (ErrorKind.MODEL_NOT_FOUND, ErrorKind.AUTH, ErrorKind.UPSTREAM_ERROR)
MOST_OFFERS = 3
ALIKE = 0.6  # of 1: how much of two names has to be the same
BARE_FAULT = 'internal server error'

_OF_A_MODEL = re.compile(r'(?i)\bmodel\b')
_SIGN_IN = re.compile(r'(?i)\b(log|sign)[ -]?(in|on)\b|single sign|\bsso\b|access denied')


def needs_list(failure: Failure) -> bool:
    """Whether the list of models may tell more of a failure."""
    return failure.kind in _MODEL_MATTERS and (failure.http_status or 0) >= 400


def lacks_model(failure: Failure, took_s: float) -> bool:
    """Whether a request without a model may have failed of that alone, before any work."""
    is_quick_fault = failure.http_status == 500 and took_s <= QUICK_S and not failure.reason
    if (failure.http_status or 0) < 500 and failure.kind is not ErrorKind.UPSTREAM_ERROR:
        is_named = failure.kind is ErrorKind.INVALID_REQUEST and _OF_A_MODEL.search(failure.words)
        return failure.kind is ErrorKind.MODEL_NOT_FOUND or bool(is_named)
    return failure.kind is ErrorKind.UPSTREAM_ERROR and is_quick_fault


def explained(
    failure: Failure, settings: ProviderSettings, model: str | None, status: ProviderStatus | None
) -> Failure:
    """Return a failure with why it came about, as far as it can be told, and what may help."""
    models = status.models if status else ()
    drawing = models[: status.drawing] if status and status.drawing else models
    others = [name for name in drawing if name != model]
    if failure.kind is ErrorKind.MODEL_NOT_FOUND:
        return replace(failure, value=model or '', offers=_nearest(model or '', others))
    if failure.reason == Reason.MODEL_NEEDS_AN_ACCOUNT:
        return replace(failure, value=model or '', offers=tuple(others[:MOST_OFFERS]))
    if failure.kind is ErrorKind.NOT_JSON and _SIGN_IN.search(failure.words):
        return replace(failure, reason=Reason.SIGN_IN_PAGE)
    if failure.kind is not ErrorKind.UPSTREAM_ERROR or failure.reason:
        return failure
    if (failure.http_status or 0) > 500:  # a gateway's: what it stands before was not reached
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
