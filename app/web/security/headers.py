"""The headers of every response, and a whole response that needed no app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from starlette.types import Scope

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types easel"
)
SCRIPT_POLICY = (  # a shared worker obeys its own
    "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
)
HEADERS = {
    'content-security-policy': PAGE_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
}
NEVER_A_PAGE = ('text/css', 'text/javascript')
SCRIPT_HEADERS = {
    'content-security-policy': SCRIPT_POLICY,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
}


class Answer(NamedTuple):
    """A response as HTTP writes it; between its first line and the rest is what the server adds."""

    first_line: bytes
    head: bytes
    body: bytes


def headers_of(mime: str) -> Mapping[str, str]:
    """Return what a response carries: fewer with a script, of which a page loads many."""
    return SCRIPT_HEADERS if mime.startswith(NEVER_A_PAGE) else HEADERS


AnswerNow: TypeAlias = Callable[[Scope], Answer | None]  # None: it goes the usual way
