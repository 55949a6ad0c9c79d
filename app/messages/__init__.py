"""What to say of each failure: what happened, and what to do next."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import N_, ErrorKind, Failure, Reason
from app.messages.kinds import OF_A_REASON, SENTENCES
from app.messages.reasons import OF_A_VALUE, OF_REFUSALS, OFFERS, TOO_LARGE_A_REQUEST
from app.net.urls import outside_of, without_secrets

Translate = Callable[[str], str]

PACKAGE = Path(__file__).resolve().parent.parent
LANGUAGES = {'en': 'English', 'ru': 'Русский'}

EXPIRED = (401, 403, 410)  # what storage answers for an address whose time is up


def translations(language: str) -> gettext.NullTranslations:
    """Load a catalogue; English is what the sources are written in."""
    return gettext.translation('easel', PACKAGE / 'locale', languages=[language], fallback=True)


@dataclass(frozen=True, slots=True)
class FailureText:
    """A failure in words."""

    message: str  # what happened
    words: str  # the provider's own, or empty
    hint: str  # what to do next

    whole: str  # message and words, for where there is one line only


def describe(failure: Failure, translate: Translate) -> FailureText:
    message, hint = _sentences_of(failure)
    if failure.kind is ErrorKind.RATE_LIMITED and failure.retry_after_s:
        hint = N_('It asks you to wait {seconds} s.')
    if failure.kind is ErrorKind.IMAGE_FETCH_FAILED and failure.http_status in EXPIRED:
        hint = N_(
            'Such addresses expire. Retry generates a new picture; the b64_json response '
            'format avoids the download.'
        )
    if failure.kind is ErrorKind.UNREACHABLE and failure.reason == Reason.CONNECTION_REFUSED_INSIDE:
        hint = N_(
            'In a container, localhost is the container itself. Use {outside} instead: set it '
            'in Settings or in EASEL_API_URL. Nothing was charged.'
        )
    places = {
        'where': failure.where or translate(N_('The server')),
        'outside': outside_of(failure.where),
        'reason': translate(failure.reason) if failure.reason else translate(N_('no details')),
        'status': failure.http_status or '',
        'param': failure.param or '',
        'url': without_secrets(failure.url) if failure.url else translate(N_('its address')),
        'file': failure.file,
        'value': failure.value,
        'offers': ', '.join(failure.offers),
        'seconds': round(failure.retry_after_s or 0),
        'job': failure.job_id or '',
    }
    text = translate(message).format(**places)
    quoted = translate(N_('{message} “{words}”')).format(message=text, words=failure.words)
    return FailureText(
        message=text,
        words=failure.words,
        hint=translate(hint).format(**places),
        whole=quoted if failure.words else text,
    )


def _sentences_of(failure: Failure) -> tuple[str, str]:
    """Return what happened and what to do, in English, by all that is known of the reason."""
    kind, message, hint = failure.kind, *SENTENCES[failure.kind]
    message, hint = OF_REFUSALS.get(failure.reason, (message, hint))
    message, hint = OF_A_REASON.get((kind, failure.reason), (message, hint))
    if kind is ErrorKind.TOO_LARGE and failure.http_status == 413:
        return TOO_LARGE_A_REQUEST
    if failure.param and failure.value:
        message = OF_A_VALUE
    if failure.offers:
        hint = OFFERS.get(failure.reason, N_('Choose another value, such as {offers}.'))
        if kind in (ErrorKind.MODEL_NOT_FOUND, ErrorKind.AUTH, ErrorKind.UPSTREAM_ERROR):
            hint = N_('Choose another model, such as {offers}.')
    return message, hint


def for_guests(failure: Failure) -> Failure:
    """Return a failure without what is the owner's alone: where the servers are."""
    return replace(failure, where='', url=None)


def error_json(failure: Failure, translate: Translate) -> dict[str, object]:
    """Lay a failure out as the public JSON; what is not known is null."""
    text = describe(failure, translate)
    return {
        'kind': failure.kind,
        'message': text.whole,
        'hint': text.hint,
        'param': failure.param,
        'retry_after_s': failure.retry_after_s,
        'job_id': failure.job_id,
    }


def item_error_json(failure: Failure, translate: Translate) -> dict[str, object]:
    return {'kind': failure.kind, 'message': describe(failure, translate).whole}
