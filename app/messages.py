"""What to say of each failure: what happened, and what to do next."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import N_, ErrorKind, Failure, Reason
from app.net.sentences import OF_A_VALUE, OF_CONNECTIONS, OF_REFUSALS, OFFERS, TOO_LARGE_A_REQUEST
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
    Reason.COMPRESSED_ANSWER,
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
    kind, message, hint = failure.kind, *_SENTENCES[failure.kind]
    message, hint = OF_REFUSALS.get(failure.reason, (message, hint))
    message, hint = _OF_A_REASON.get((kind, failure.reason), (message, hint))
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


_SENTENCES: dict[ErrorKind, tuple[str, str]] = {
    ErrorKind.AUTH: (
        N_('{where} needs a key, or rejected the one it got ({status}).'),
        N_("Enter this server's key in Settings or in EASEL_API_KEY."),
    ),
    ErrorKind.BAD_IMAGE: (
        N_('The picture arrived damaged: {reason}.'),
        N_("It wasn't saved. Retry generates a new one."),
    ),
    ErrorKind.BLOCKED_URL: (
        N_('The picture was made, but Easel may not download it from {url}'),
        N_(
            'If you trust this address, add its origin to EASEL_IMAGE_ORIGINS, or choose the '
            'b64_json response format.'
        ),
    ),
    ErrorKind.CANCELLED: (N_('{where} cancelled the generation.'), N_('Try again.')),
    ErrorKind.EMPTY: (
        N_('{where} answered without a picture.'),
        N_('Try again, or choose another model. You may have been charged.'),
    ),
    ErrorKind.ENDPOINT_NOT_FOUND: (
        N_('{where} has no images API at this address ({status}).'),
        N_('Test the address in Settings: most end in /v1.'),
    ),
    ErrorKind.FORBIDDEN: (
        N_("{where} doesn't allow this ({status})."),
        N_("Allow this model in the server's account or settings first."),
    ),
    ErrorKind.GATEWAY_TIMEOUT: (
        N_('A gateway in front of {where} timed out ({status}).'),
        N_('The picture may have been made and charged for. Set a longer timeout on the gateway.'),
    ),
    ErrorKind.IMAGE_FETCH_FAILED: (
        N_("The picture was made, but couldn't be downloaded from {url} ({reason})."),
        N_('Retry generates a new one. The b64_json response format avoids the download.'),
    ),
    ErrorKind.INTERNAL: (
        N_('Internal error in Easel ({reason}).'),
        N_("Look for this generation's number in the log. Nothing else was lost."),
    ),
    ErrorKind.INVALID_REQUEST: (
        N_('{where} rejected the request ({status}).'),
        N_('Change the prompt or a setting, then try again.'),
    ),
    ErrorKind.MODEL_NOT_FOUND: (
        N_("{where} doesn't have this model ({status})."),
        N_('Choose another model: the Model field lists what the server has.'),
    ),
    ErrorKind.MODERATION: (
        N_('{where} refused the prompt.'),
        N_('Rephrase it, or choose another model.'),
    ),
    ErrorKind.NOT_AN_IMAGE: (
        N_("The server sent a file that Easel doesn't keep ({reason})."),
        N_('Easel keeps PNG, JPEG, WebP, GIF and AVIF. Choose another model.'),
    ),
    ErrorKind.NOT_JSON: (
        N_("{where} didn't answer like an images API."),
        N_('It may be a web page. Test the address in Settings: most end in /v1.'),
    ),
    ErrorKind.NOT_READY: (
        N_("{where} isn't ready yet ({status})."),
        N_("Load a model there or wait until it's loaded, then try again."),
    ),
    ErrorKind.PENDING: (
        N_('{where} accepted the job, but sent no picture (job {job}).'),
        N_("Easel can't wait for such jobs on this server. Choose another server."),
    ),
    ErrorKind.QUOTA: (
        N_('The account at {where} is out of credit ({status}).'),
        N_('Top up the account, then try again.'),
    ),
    ErrorKind.RATE_LIMITED: (
        N_('{where} answered {status}: too many requests.'),
        N_('Wait a little, then try again.'),
    ),
    ErrorKind.REDIRECT: (
        N_('{where} redirected the request ({status}).'),
        N_('Check the address: http or https, and no extra slash.'),
    ),
    ErrorKind.SET_ASIDE: (
        N_("The picture arrived, but Easel couldn't check it ({reason}). It's saved in {file}"),
        N_(
            'The file is in the data folder, with its prompt next to it. Retry generates a '
            'new picture.'
        ),
    ),
    ErrorKind.STORAGE: (
        N_("The picture couldn't be saved ({reason})."),
        N_("Check that the data folder is writable and its disk isn't full."),
    ),
    ErrorKind.SURPLUS: (
        N_('The answer had more pictures than Easel keeps: {reason} not saved.'),
        N_('Ask for fewer pictures.'),
    ),
    ErrorKind.TIMEOUT: (
        N_("{where} didn't finish within {reason} s."),
        N_(
            "It may still be generating, and may charge you. The timeout is in the server's "
            'settings.'
        ),
    ),
    ErrorKind.TOO_LARGE: (
        N_('The answer is too large ({reason}).'),
        N_('Choose a smaller size or fewer pictures.'),
    ),
    ErrorKind.TRUNCATED: (
        N_('The answer from {where} was cut off ({reason}).'),
        N_('You may have been charged for the picture. Try again.'),
    ),
    ErrorKind.UNREACHABLE: (
        N_("{where} can't be reached ({reason})."),
        N_('Start the server, or choose another one in Settings. Nothing was charged.'),
    ),
    ErrorKind.UNSUPPORTED_PARAM: (
        N_("{where} doesn't support the setting “{param}” ({status})."),
        N_('Change or clear that setting, then try again.'),
    ),
    ErrorKind.UPSTREAM_ERROR: (
        N_('{where} failed ({status}).'),
        N_("Try again. If it keeps failing, check the server's log."),
    ),
}
_CHARGED = N_(
    'It received the request, so it may have generated and charged for the picture. '
    "Check the server's log."
)
_OF_A_REASON: dict[tuple[ErrorKind, str], tuple[str, str]] = {
    **{
        (ErrorKind.UNREACHABLE, reason): (
            N_('{where} received the request and closed the connection ({reason}).'),
            _CHARGED,
        )
        for reason in AFTER_SENDING
    },
    **{
        (kind, reason): (N_("{where}'s answer can't be read ({reason})."), _CHARGED)
        for reason in UNREADABLE
        for kind in (ErrorKind.UNREACHABLE, ErrorKind.TRUNCATED, ErrorKind.NOT_JSON)
    },
    **{(ErrorKind.UNREACHABLE, reason): sentences for reason, sentences in OF_CONNECTIONS.items()},
}
