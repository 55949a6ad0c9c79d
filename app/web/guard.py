"""First in line: host known, same origin, signed in, small enough; headers on every answer.

Pure ASGI: a framework's middleware would hide from a handler that its visitor has gone.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import N_, AppError, Forbidden, SignInRequired, TooLarge
from app.web.failures import Failures
from app.web.hosts import Hosts
from app.web.session import Sessions

MOST_BODY_BYTES = 1_000_000
MOST_BODY_BYTES_AT = {'/reading': 65 * 1024 * 1024}  # a picture, and the form around it
SAFE_METHODS = ('GET', 'HEAD', 'OPTIONS')
OPEN_PATHS = ('/health', '/session', '/manifest.webmanifest')

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


class Guard:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp, hosts: Hosts, sessions: Sessions, failures: Failures) -> None:
        self._app = app
        self._hosts = hosts
        self._sessions = sessions
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then hand it on."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        body = _CappedBody(receive, _cap_of(scope))
        guarded = _with_headers(send)
        try:
            self._check(scope)
            await self._app(_head_as_get(scope), body.receive, guarded)
        except AppError as error:
            response = await self._failures.answer(Request(scope), error)
            await response(scope, receive, guarded)

    def _check(self, scope: Scope) -> None:
        """Let a request through or not.

        Raises:
            AppError: `Malformed`, `Misdirected`, `Forbidden`, `SignInRequired` or `TooLarge`.
        """
        host = self._hosts.check(scope['headers'])
        headers = Headers(scope=scope)
        if scope['method'] not in SAFE_METHODS and not self._sessions.has_token(headers):
            _refuse_other_sites(headers, f'{scope["scheme"]}://{host}')
        if not _is_open(scope['path']) and not self._sessions.is_signed_in(headers):
            raise SignInRequired(N_('This Easel asks for its password.'))
        length = headers.get('content-length', '0')
        if not length.isdigit() or int(length) > _cap_of(scope):
            raise _too_large(_cap_of(scope))


class _CappedBody:
    """Counts what is read of a body, whatever its headers said."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._read_bytes = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._read_bytes += len(message.get('body', b''))
        if self._read_bytes > self._most_bytes:
            raise _too_large(self._most_bytes)
        return message


def _head_as_get(scope: Scope) -> Scope:
    """Let every page answer HEAD; the server below leaves the body out by itself."""
    return {**scope, 'method': 'GET'} if scope['method'] == 'HEAD' else scope


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message['type'] == 'http.response.start':
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded


def _refuse_other_sites(headers: Headers, own_origin: str) -> None:
    """Let an act pass only from our own pages, or from a program that brings no cookie.

    On plain http, browsers send `Sec-Fetch-Site` to localhost alone; elsewhere `Origin` decides.
    """
    site = headers.get('sec-fetch-site')
    origin = headers.get('origin')
    if site is not None:
        allowed = site in ('same-origin', 'none')
    elif origin is not None:
        allowed = origin == own_origin
    else:
        allowed = not headers.get('cookie')
    if not allowed:
        raise Forbidden(N_('Another site tried to do this. Open Easel itself and do it there.'))


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith('/static/')


def _cap_of(scope: Scope) -> int:
    return MOST_BODY_BYTES_AT.get(scope['path'], MOST_BODY_BYTES)


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(N_('This is larger than {most} bytes.'), most=most_bytes)
