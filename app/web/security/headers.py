"""The headers of every response, and a whole response that needed no app."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from starlette.types import Scope

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types easel"
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


class Answer(NamedTuple):
    """A response as HTTP writes it; between its first line and the rest is what the server adds."""

    first_line: bytes
    head: bytes
    body: bytes


AnswerNow: TypeAlias = Callable[[Scope], Answer | None]  # None: it goes the usual way
