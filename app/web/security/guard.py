"""Checks before any page: host, origin, session, length of the body; headers on every response.

Pure ASGI: a framework's middleware would hide from a handler that its visitor has gone.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.visitors import MOST_CONNECTIONS_A_VISITOR, Proxies, QuotaCounter, Visitor
from app.errors import N_, AppError, Crowded, Forbidden, SignInRequired, TooLarge
from app.web.base_path import BasePath
from app.web.context import Services
from app.web.error_pages import ErrorPages
from app.web.security.framing import check_framing
from app.web.security.hosts import Hosts
from app.web.security.routes import RouteRule, rule_of
from app.web.templates import address_of

SAFE_METHODS = ('GET', 'HEAD', 'OPTIONS')
WELCOME_BYTES = 65_536
CROWDED = 'crowded'  # in a request's state: its connection is one too many
DEFAULT_PORTS = {'http': ':80', 'https': ':443'}

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

    def __init__(self, app: ASGIApp, services: Services, failures: ErrorPages) -> None:
        self._app = app
        self._hosts = Hosts(services.config.hosts)
        self._proxies = Proxies(services.config.trusted_proxies)
        self._sessions = services.sessions
        self._root = services.root
        self._failures = failures
        self._proxied = QuotaCounter(MOST_CONNECTIONS_A_VISITOR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then hand it on as it reached the outermost trusted proxy."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        scope = self._root.inside(scope)
        guarded = _with_headers(send, self._root)
        try:
            await self._admit(scope, receive, guarded)
        except AppError as error:
            response = await self._failures.answer(Request(scope), error)
            if error.status in (401, 403) and _is_long(scope):
                response.headers['Connection'] = 'close'
            await response(scope, receive, guarded)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = rule_of(scope['method'], scope['path'])
        length = check_framing(scope)
        peer = scope['client'][0] if scope.get('client') else ''
        visitor = self._proxies.visitor(peer, scope['scheme'], scope['headers'])
        headers = Headers(scope=scope)
        self._check_site(scope, headers, visitor)
        if not scope['path']:
            to_slash = RedirectResponse(f'/{address_of(Request(scope))}', 308)
            await to_slash(scope, receive, send)
            return
        visitor = self._known(headers, visitor)
        scope.setdefault('state', {})['visitor'] = visitor  # a refusal's page looks at it too
        crowded = bool(scope.get('state', {}).get(CROWDED))
        if not visitor.behind_proxy or not visitor.quota_key:
            _check_visitor(visitor, rule, length, crowded=crowded)
            await self._app(_seen_by(scope, visitor), _capped(receive, rule), send)
            return
        try:
            crowded = not self._proxied.take(visitor.quota_key)
            _check_visitor(visitor, rule, length, crowded=crowded)
            await self._app(_seen_by(scope, visitor), _capped(receive, rule), send)
        finally:
            self._proxied.give_back(visitor.quota_key)

    def _check_site(self, scope: Scope, headers: Headers, visitor: Visitor) -> None:
        """Refuse another site's name, and another site's page.

        Raises:
            AppError: `Malformed`, `Misdirected` or `Forbidden`.
        """
        host = self._hosts.check(scope['headers'])
        if visitor.forwarded_host:
            host = self._hosts.check_one(visitor.forwarded_host)
        if scope['method'] not in SAFE_METHODS and not self._sessions.has_token(headers):
            _refuse_other_sites(headers, _origin(visitor.scheme, host))

    def _known(self, headers: Headers, visitor: Visitor) -> Visitor:
        """Return the visitor with their role; who has shown to be the owner has no limits."""
        known = self._sessions.who(headers, visitor.scheme)
        has_shown = known.owner and self._sessions.needed
        quota_key = '' if has_shown else visitor.quota_key
        return replace(visitor, owner=known.owner, guest=known.guest, quota_key=quota_key)


def _check_visitor(visitor: Visitor, rule: RouteRule, length: int, *, crowded: bool) -> None:
    """Refuse a visitor whose role, connections or body the rule does not allow.

    Raises:
        AppError: `Crowded`, `SignInRequired`, `Forbidden` or `TooLarge`.
    """
    if crowded and visitor.quota_key:
        raise Crowded(N_('Too many connections from this address. Close some of its pages.'))
    if not rule.role.admits(visitor):
        if visitor.guest:
            raise Forbidden(N_('Your link does not open this.'))
        raise SignInRequired(N_('This Easel asks for its password.'))
    if length > rule.most_bytes:
        raise _too_large(rule.most_bytes)


def _seen_by(scope: Scope, visitor: Visitor) -> Scope:
    """Return the request as the visitor sent it; the server leaves HEAD's body out by itself."""
    seen = {**scope, 'scheme': visitor.scheme, 'client': (visitor.address, 0)}
    return {**seen, 'method': 'GET'} if scope['method'] == 'HEAD' else seen


def _capped(receive: Receive, rule: RouteRule) -> Receive:
    """Count what is read of a body, whatever its headers said."""
    read_bytes = 0

    async def counted() -> Message:
        nonlocal read_bytes
        message = await receive()
        read_bytes += len(message.get('body', b''))
        if read_bytes > rule.most_bytes:
            raise _too_large(rule.most_bytes)
        return message

    return counted


def _with_headers(send: Send, root: BasePath) -> Send:
    async def guarded(message: Message) -> None:
        if message['type'] == 'http.response.start':
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            message = {**message, 'headers': root.headers(message['headers'])}
        await send(message)

    return guarded


def _refuse_other_sites(headers: Headers, own_origin: str) -> None:
    """Let an act pass only from our own pages, or from a program that brings no cookie.

    On plain http, browsers send `Sec-Fetch-Site` to localhost alone; elsewhere `Origin` decides.
    """
    sites = headers.getlist('sec-fetch-site')
    origins = headers.getlist('origin')
    if sites:
        allowed = sites in (['same-origin'], ['none'])
    elif origins:
        allowed = origins == [own_origin]
    else:
        allowed = 'cookie' not in headers
    if not allowed:
        raise Forbidden(N_('Another site tried to do this. Open Easel itself and do it there.'))


def _origin(scheme: str, host: str) -> str:
    """Write an origin as a browser does: small letters, and no port that goes without saying."""
    return f'{scheme}://{host.lower().removesuffix(DEFAULT_PORTS[scheme])}'


def _is_long(scope: Scope) -> bool:
    """Whether a body is coming that is not worth being thrown away politely."""
    headers = Headers(scope=scope)
    length = headers.get('content-length', '0')
    return 'transfer-encoding' in headers or len(length) > 5 or int(length) > WELCOME_BYTES


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(N_('This is larger than {most} bytes.'), most=most_bytes)
