"""What to say of each failure: what happened, and what to do next."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import N_, ErrorKind, Failure, Reason
from app.net.sentences import OF_CONNECTIONS
from app.net.urls import outside_of, without_secrets

Translate = Callable[[str], str]

PACKAGE = Path(__file__).resolve().parent
LANGUAGES = {'en': 'English', 'ru': 'Русский'}

EXPIRED = (401, 403, 410)  # what storage answers for an address whose time is up
# what is seen of a connection that a server closed with the request in its hands
AFTER_SENDING = (Reason.CONNECTION_RESET, Reason.CLOSED_WITHOUT_AN_ANSWER, Reason.BROKE_OFF)
# what is seen of an answer that came, in which nothing can be told from the rest
UNREADABLE = (
    *(Reason.ONLY_INTERIM_ANSWERS, Reason.HEADERS_OVER_32_KIB, Reason.NOT_BY_THE_RULES_OF_HTTP),
)


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
        hint = N_('It asks to wait {seconds} s.')
    if failure.kind is ErrorKind.IMAGE_FETCH_FAILED and failure.http_status in EXPIRED:
        hint = N_('Such addresses expire. Trying again draws anew; b64_json avoids the fetch.')
    if failure.kind is ErrorKind.UNREACHABLE and failure.reason == Reason.CONNECTION_REFUSED_INSIDE:
        hint = N_(
            'In a container, localhost is the container itself. Its host is at {outside}: set that '
            'in Settings or EASEL_API_URL. Nothing was charged.'
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
    kind, message, hint = failure.kind, *_SENTENCES[failure.kind]
    message, hint = _OF_A_REASON.get((kind, failure.reason), (message, hint))
    if kind is ErrorKind.TOO_LARGE and failure.http_status == 413:
        return _TOO_LARGE_A_REQUEST
    if failure.param and failure.value:
        message = _OF_A_VALUE
    if failure.offers:
        hint = _OFFERS.get(failure.reason, N_('Choose another value, such as {offers}.'))
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


_SENTENCES: dict[ErrorKind, tuple[str, str]] = {
    ErrorKind.AUTH: (
        N_('{where} asks for a key, or did not accept the one it got ({status}).'),
        N_('Write a key that this server knows: in Settings, or in EASEL_API_KEY.'),
    ),
    ErrorKind.BAD_IMAGE: (
        N_('The picture that came is damaged: {reason}.'),
        N_('Nothing of it was kept. Trying again asks for a new one.'),
    ),
    ErrorKind.BLOCKED_URL: (
        N_('The picture was made, but its address may not be fetched from: {url}'),
        N_('If you trust it, add its origin to EASEL_IMAGE_ORIGINS; or ask for b64_json.'),
    ),
    ErrorKind.CANCELLED: (N_('{where} cancelled the work itself.'), N_('Try again.')),
    ErrorKind.EMPTY: (
        N_('{where} answered without a picture.'),
        N_('Try again, or choose another model. Whether it was charged is not known.'),
    ),
    ErrorKind.ENDPOINT_NOT_FOUND: (
        N_('{where} has no images API at this address ({status}).'),
        N_('Settings can test the address: most end in /v1.'),
    ),
    ErrorKind.FORBIDDEN: (
        N_('{where} does not allow this ({status}).'),
        N_('Its account or its settings must allow this model first.'),
    ),
    ErrorKind.GATEWAY_TIMEOUT: (
        N_('A gateway in front of {where} gave up waiting ({status}).'),
        N_('The picture may have been made and charged. A longer time-out there helps.'),
    ),
    ErrorKind.IMAGE_FETCH_FAILED: (
        N_('The picture was made, but could not be fetched from {url} ({reason}).'),
        N_('Trying again draws anew. Asking for b64_json avoids the fetch.'),
    ),
    ErrorKind.INTERNAL: (
        N_('A fault in Easel itself ({reason}).'),
        N_("The log has the details under this generation's number. Nothing else was lost."),
    ),
    ErrorKind.INVALID_REQUEST: (
        N_('{where} could not use this request ({status}).'),
        N_('Change the prompt or a setting, then try again.'),
    ),
    ErrorKind.MODEL_NOT_FOUND: (
        N_('{where} does not have this model ({status}).'),
        N_('Choose another one: the model field suggests what the server lists.'),
    ),
    ErrorKind.MODERATION: (
        N_('{where} refused the prompt.'),
        N_('Word it differently, or choose another model.'),
    ),
    ErrorKind.NOT_AN_IMAGE: (
        N_('What came is not a picture that Easel keeps ({reason}).'),
        N_('Easel keeps PNG, JPEG, WebP, GIF and AVIF. Choose another model.'),
    ),
    ErrorKind.NOT_JSON: (
        N_('{where} answered with something that is no images API.'),
        N_('This may be a web page. Settings can test the address: most end in /v1.'),
    ),
    ErrorKind.NOT_READY: (
        N_('{where} is not ready yet ({status}).'),
        N_('Load a model there, or wait until it has, then try again.'),
    ),
    ErrorKind.PENDING: (
        N_('{where} only promised a picture (job {job}).'),
        N_('Easel can not wait for such jobs with this server.'),
    ),
    ErrorKind.QUOTA: (
        N_('The account at {where} has nothing left to spend ({status}).'),
        N_('Top it up there, then try again.'),
    ),
    ErrorKind.RATE_LIMITED: (
        N_('{where} answered {status}: too many requests.'),
        N_('Wait a little, then try again.'),
    ),
    ErrorKind.REDIRECT: (
        N_('{where} sent the request elsewhere ({status}).'),
        N_('Check its address: http or https, and no slash too many.'),
    ),
    ErrorKind.SET_ASIDE: (
        N_('The picture came, but Easel could not look at it ({reason}). It is kept in {file}'),
        N_('That is below the data folder, its prompt beside it. Trying again draws anew.'),
    ),
    ErrorKind.STORAGE: (
        N_('The picture could not be kept ({reason}).'),
        N_('Check that the data folder can be written and its disk has room.'),
    ),
    ErrorKind.SURPLUS: (
        N_('The answer had more pictures than Easel keeps: {reason} left out.'),
        N_('Ask for fewer pictures.'),
    ),
    ErrorKind.TIMEOUT: (
        N_('{where} gave no whole answer within {reason} s.'),
        N_('It may still be drawing, and may charge. Its settings say how long to wait.'),
    ),
    ErrorKind.TOO_LARGE: (
        N_('The answer is too large ({reason}).'),
        N_('Ask for a smaller size or fewer pictures.'),
    ),
    ErrorKind.TRUNCATED: (
        N_('The answer of {where} broke off ({reason}).'),
        N_('The picture may have been charged. Try again.'),
    ),
    ErrorKind.UNREACHABLE: (
        N_('{where} can not be reached ({reason}).'),
        N_('Start the server, or choose another in Settings. Nothing was charged.'),
    ),
    ErrorKind.UNSUPPORTED_PARAM: (
        N_('{where} does not take the setting “{param}” ({status}).'),
        N_('Change that setting or clear it, then try again.'),
    ),
    ErrorKind.UPSTREAM_ERROR: (
        N_('{where} failed ({status}).'),
        N_('Try again. If it stays, its own log says more.'),
    ),
}
_OF_A_VALUE = N_("{where} doesn't take “{value}” for the setting “{param}” ({status}).")
_OFFERS: dict[str, str] = {
    Reason.SIZE: N_('Choose another size, such as {offers}.'),
    Reason.COUNT: N_('Ask for fewer pictures at once: {offers}.'),
}
_TOO_LARGE_A_REQUEST = (
    N_('{where} refused the request as too large ({status}).'),
    N_('Shorten the prompt or choose a smaller size.'),
)
_TO_SIGN_IN = N_(
    "Enter the key or header that it asks for in Settings, or its API's address: most end in /v1."
)
_CHARGED = N_('It got the request, and may have drawn and charged. Its own log says more.')
_OF_A_REASON: dict[tuple[ErrorKind, str], tuple[str, str]] = {
    (ErrorKind.AUTH, Reason.MODEL_NEEDS_AN_ACCOUNT): (
        N_("{where} has no account with this model's own source ({status})."),
        N_('Choose another model, or set up the account on that server.'),
    ),
    (ErrorKind.INVALID_REQUEST, Reason.PROMPT_IS_TOO_LONG): (
        N_('The prompt is too long for {where} ({status}).'),
        N_('Shorten the prompt, then try again.'),
    ),
    (ErrorKind.NOT_JSON, Reason.SIGN_IN_PAGE): (
        N_('{where} answered with a sign-in page.'),
        _TO_SIGN_IN,
    ),
    (ErrorKind.REDIRECT, Reason.SIGN_IN_PAGE): (
        N_('{where} redirected the request to a sign-in page ({status}).'),
        _TO_SIGN_IN,
    ),
    (ErrorKind.UNSUPPORTED_PARAM, Reason.SIZE): (_OF_A_VALUE, N_('Choose another size.')),
    (ErrorKind.UNSUPPORTED_PARAM, Reason.COUNT): (_OF_A_VALUE, N_('Ask for fewer pictures.')),
    (ErrorKind.UPSTREAM_ERROR, Reason.MODEL_IS_NOT_LISTED): (
        N_("{where} failed ({status}), and its list doesn't have the model “{value}”."),
        N_('Choose a model from its list.'),
    ),
    (ErrorKind.UPSTREAM_ERROR, Reason.OUT_OF_MEMORY): (
        N_('{where} ran out of memory ({status}).'),
        N_('Choose a smaller size or ask for fewer pictures.'),
    ),
    (ErrorKind.UPSTREAM_ERROR, Reason.NO_KEY_WAS_SENT): (
        N_('{where} failed ({status}). Easel sent it no key.'),
        N_("If it needs a key, enter it in Settings. If not, check the server's log."),
    ),
    (ErrorKind.UPSTREAM_ERROR, Reason.PREVIEWS_WERE_ON): (
        N_('{where} failed while partial pictures were on ({status}). It may have charged.'),
        N_('Easel no longer asks this model for them. Try again.'),
    ),
    **{
        (ErrorKind.UNREACHABLE, reason): (
            N_('{where} got the request and closed the connection ({reason}).'),
            _CHARGED,
        )
        for reason in AFTER_SENDING
    },
    **{
        (kind, reason): (N_("{where}'s answer can't be read ({reason})."), _CHARGED)
        for reason in UNREADABLE
        for kind in (ErrorKind.UNREACHABLE, ErrorKind.TRUNCATED)
    },
    **{(ErrorKind.UNREACHABLE, reason): sentences for reason, sentences in OF_CONNECTIONS.items()},
}
