"""What to say of refusals whose reason is known, and of values that may be taken instead."""

from __future__ import annotations

from app.errors import N_, ErrorKind, Failure, Reason

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
OF_REFUSALS: dict[tuple[ErrorKind, str], tuple[str, str]] = {
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
}


def of_value(failure: Failure, message: str, hint: str) -> tuple[str, str]:
    """Return what happened and what to do where a value is refused, or others are known."""
    kind = failure.kind
    if kind is ErrorKind.TOO_LARGE and failure.http_status == 413:
        return _TOO_LARGE_A_REQUEST
    if failure.param and failure.value:
        message = _OF_A_VALUE
    if failure.offers:
        hint = _OFFERS.get(failure.reason, N_('Choose another value, such as {offers}.'))
        if kind in (ErrorKind.MODEL_NOT_FOUND, ErrorKind.AUTH, ErrorKind.UPSTREAM_ERROR):
            hint = N_('Choose another model, such as {offers}.')
    return message, hint
