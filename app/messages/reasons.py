"""What to say where no connection comes about, or a refusal has a reason: what to do next."""

from __future__ import annotations

from app.errors import N_, Reason

_UNSAFE = N_("{where} can't be reached safely: {reason}.")
_SIGNED = N_(
    "If it's yours, set SSL_CERT_FILE to the certificate that signed it (a PEM file) "
    'and start Easel again. Nothing was charged.'
)
_IN_TIME = N_(
    "Check this computer's clock; if it's right, renew the certificate on the server. "
    'Nothing was charged.'
)
_PROXY = N_(
    'Check HTTPS_PROXY, or add this host to NO_PROXY, and start Easel again. Nothing was charged.'
)
OF_CONNECTIONS: dict[str, tuple[str, str]] = {
    Reason.CERTIFICATE_OF_UNKNOWN_AUTHORITY: (_UNSAFE, _SIGNED),
    Reason.CERTIFICATE_SELF_SIGNED: (_UNSAFE, _SIGNED),
    Reason.CERTIFICATE_EXPIRED: (_UNSAFE, _IN_TIME),
    Reason.CERTIFICATE_NOT_VALID_YET: (_UNSAFE, _IN_TIME),
    Reason.CERTIFICATE_FOR_ANOTHER_NAME: (
        _UNSAFE,
        N_('In Settings, enter the name that its certificate is for. Nothing was charged.'),
    ),
    Reason.HTTP_IS_SPOKEN_THERE: (
        N_('{where} uses http, not https.'),
        N_('In Settings, enter its address with http://. Nothing was charged.'),
    ),
    Reason.HTTPS_IS_SPOKEN_THERE: (
        N_('{where} uses https, not http.'),
        N_('In Settings, enter its address with https://. Nothing was charged.'),
    ),
    Reason.TLS_CANNOT_BE_AGREED_ON: (
        N_("{where} can't be reached over https ({reason})."),
        N_('Check whether its address starts with http:// or https://. Nothing was charged.'),
    ),
    Reason.PROXY_CANNOT_BE_REACHED: (
        N_("{where} can't be reached: the proxy set in the environment doesn't answer."),
        _PROXY,
    ),
    Reason.PROXY_REFUSES: (
        N_("{where} can't be reached: the proxy set in the environment refuses to connect to it."),
        _PROXY,
    ),
    Reason.PROXY_ASKS_WHO: (
        N_("{where} can't be reached: the proxy set in the environment needs a password."),
        N_(
            'Set it in HTTPS_PROXY, like http://name:password@host:port, and start Easel '
            'again. Nothing was charged.'
        ),
    ),
    Reason.PROXY_OF_ANOTHER_KIND: (
        N_(
            "{where} can't be reached directly, and Easel can't use the proxy set in the "
            'environment.'
        ),
        N_(
            'Easel supports HTTP proxies only, not SOCKS. Set HTTPS_PROXY to one that starts '
            'with http:// and start Easel again. Nothing was charged.'
        ),
    ),
}

OF_A_VALUE = N_("{where} doesn't support “{value}” for the setting “{param}” ({status}).")
OFFERS: dict[str, str] = {
    Reason.SIZE: N_('Choose another size, such as {offers}.'),
    Reason.COUNT: N_('Ask for fewer pictures at once: {offers}.'),
}
TOO_LARGE_A_REQUEST = (
    N_("{where} rejected the request: it's too large ({status})."),
    N_('Shorten the prompt or choose a smaller size.'),
)
OF_REFUSALS: dict[str, tuple[str, str]] = {
    Reason.SIZE: (OF_A_VALUE, N_('Choose another size.')),
    Reason.COUNT: (OF_A_VALUE, N_('Ask for fewer pictures.')),
    Reason.MODEL_NEEDS_AN_ACCOUNT: (
        N_("{where} has no account with this model's source ({status})."),
        N_('Choose another model, or set up the account on that server.'),
    ),
    Reason.PROMPT_IS_TOO_LONG: (
        N_('The prompt is too long for {where} ({status}).'),
        N_('Shorten the prompt, then try again.'),
    ),
    Reason.SIGN_IN_PAGE: (
        N_('{where} answered with a sign-in page.'),
        N_('In Settings, enter the key or header that it needs, or the address of its API.'),
    ),
    Reason.MODEL_IS_NOT_LISTED: (
        N_("{where} failed ({status}), and its list doesn't have the model “{value}”."),
        N_('Choose a model from its list.'),
    ),
    Reason.OUT_OF_MEMORY: (
        N_('{where} ran out of memory ({status}).'),
        N_('Choose a smaller size or fewer pictures.'),
    ),
    Reason.CANNOT_EDIT: (
        N_("{where} can't start from pictures."),
        N_('Choose another server, or remove the pictures to start from. Nothing was charged.'),
    ),
    Reason.TOO_MANY_SOURCES: (
        N_('{where} takes no more pictures to start from than {value}.'),
        N_('Remove some of the pictures to start from. Nothing was charged.'),
    ),
    Reason.NO_KEY_WAS_SENT: (
        N_('{where} failed ({status}). Easel sent no key.'),
        N_("If it needs a key, enter it in Settings. If not, check the server's log."),
    ),
    Reason.PREVIEWS_WERE_ON: (
        N_('{where} failed while partial pictures were on ({status}). You may have been charged.'),
        N_('Easel no longer requests them from this model. Try again.'),
    ),
}
