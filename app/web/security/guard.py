"""Checks before any page: host, origin, session, length of the body; headers on every response.

Pure ASGI: a framework's middleware would hide from a handler that its visitor has gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.sessions import STRANGER, Identity, bearer_in
from app.access.visitors import MOST_CONNECTIONS_A_VISITOR, Proxies, QuotaCounter, Visitor
from app.errors import N_, AppError, Crowded, Forbidden, SignInRequired, TooLarge
from app.log import logger
from app.web.context import Services
from app.web.error_pages import ErrorPages
from app.web.security.framing import check_framing
from app.web.security.headers import Answer, headers_of
from app.web.security.hosts import Hosts
from app.web.security.permissions import check_wait
from app.web.security.routes import RouteRule, rule_of
from app.web.security.thumbnails import Thumbnails
from app.web.templates import address_of

log = logger(__name__)

SAFE_METHODS = ('GET', 'HEAD', 'OPTIONS')
SMALL_BODY_BYTES = 65_536  # longer ones are not read after a refusal: the connection is closed
CROWDED = 'crowded'  # in a request's state: its connection is one too many
MOST_PLAIN, LARGEST_PLAIN_BYTES = 128, 4_096
DEFAULT_PORTS = {'http': ':80', 'https': ':443'}


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """What the head of a request without a body and a token says, whoever sent it."""

    visitor: Visitor  # nobody in particular
    headers: Mapping[str, str]


class Guard:
    """Wraps the whole app."""

    def __init__(
        self, app: ASGIApp, services: Services, error_pages: ErrorPages, thumbnails: Thumbnails
    ) -> None:
        self._app = app
        self._hosts = Hosts(services.config.hosts)
        self._proxies = Proxies(services.config.trusted_proxies)
        self._sessions = services.sessions
        self._token_throttle = services.token_throttle
        self._root = services.root
        self._error_pages = error_pages
        self._thumbnails = thumbnails
        self._plain: dict[object, PlainRequest] = {}
        self._proxied = QuotaCounter(MOST_CONNECTIONS_A_VISITOR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then pass it on as it reached the outermost trusted proxy."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        scope = self._root.inside(scope)
        guarded = self._with_headers(send)
        try:
            await self._check(scope, receive, guarded)
        except AppError as error:
            response = await self._error_pages.response(Request(scope), error)
            if error.status in (401, 403) and _is_long(Headers(scope=scope)):
                response.headers['Connection'] = 'close'
            await response(scope, receive, guarded)
        except ClientDisconnect:
            log.info('a visitor went away in the middle of a request')

    def answer_now(self, scope: Scope) -> Answer | None:
        """Answer a request for a thumbnail that is at hand, after the same checks.

        None: it goes the usual way, also where it is to be refused.
        """
        scope = self._root.inside(scope)
        path, is_address = scope['path'], scope['raw_path'].startswith(b'/')
        if scope['method'] != 'GET' or not is_address or path not in self._thumbnails:
            return None
        try:
            plain = self._plain_request(scope)
            if plain is None:
                return None
            known = self._sessions.who(plain.headers, plain.visitor.scheme)
            visitor = self._known_visitor(plain.visitor, known)
            is_full = visitor.behind_proxy and self._proxied.is_full(visitor.quota_key)
            is_crowded = is_full or bool(scope['state'].get(CROWDED))
            _check_visitor(visitor, rule_of('GET', path), is_crowded=is_crowded)
        except AppError:
            return None
        return self._thumbnails.answer(path, visitor, plain.headers)

    def _plain_request(self, scope: Scope) -> PlainRequest | None:
        """Return what the head of a request says by itself, which is the same for many.

        None where there is more to a request; raises `AppError` where it is to be refused.
        """
        peer = scope['client'][0] if scope.get('client') else ''
        key = peer, scope['scheme'], scope['http_version'], tuple(scope['headers'])
        if key in self._plain:
            return self._plain[key]
        length, headers = check_framing(scope), Headers(scope=scope)
        visitor = self._proxies.visitor(peer, scope['scheme'], scope['headers'])
        self._check_site(scope, headers, visitor)
        if length or 'transfer-encoding' in headers or 'authorization' in headers:
            return None
        plain = PlainRequest(visitor, dict(headers))
        if sum(map(len, headers.values())) < LARGEST_PLAIN_BYTES:
            self._plain[key] = plain
        while len(self._plain) > MOST_PLAIN:
            del self._plain[next(iter(self._plain))]
        return plain

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = rule_of(scope['method'], scope['path'])
        length = check_framing(scope)
        visitor = self._visitor(scope)
        if not scope['path']:
            to_slash = RedirectResponse(f'/{address_of(Request(scope))}', 308)
            await to_slash(scope, receive, send)
            return
        state = scope.setdefault('state', {})
        state['visitor'] = visitor  # a refusal's page looks at it too
        seen = {**scope, 'scheme': visitor.scheme, 'client': (visitor.address, 0)}
        if scope['method'] == 'HEAD':  # the server leaves the body out by itself
            seen['method'] = 'GET'
        quota_key = visitor.quota_key
        is_counted = visitor.behind_proxy and quota_key
        is_crowded = not self._proxied.take(quota_key) if is_counted else bool(state.get(CROWDED))
        try:
            _check_visitor(visitor, rule, is_crowded=is_crowded)
            most_bytes = rule.limit_of(Headers(scope=scope).get('content-type', ''))
            if length > most_bytes:
                raise _too_large(most_bytes)
            await self._app(seen, _capped(receive, most_bytes), send)
        finally:
            if is_counted:
                self._proxied.give_back(quota_key)

    def _visitor(self, scope: Scope) -> Visitor:
        """Return who asks, once it is sure that they mean to ask this server."""
        peer = scope['client'][0] if scope.get('client') else ''
        visitor = self._proxies.visitor(peer, scope['scheme'], scope['headers'])
        headers = Headers(scope=scope)
        known = self._sessions.who(headers, visitor.scheme)
        self._check_token(headers, visitor, known)
        self._check_site(scope, headers, visitor)
        return self._known_visitor(visitor, known)

    def _known_visitor(self, visitor: Visitor, known: Identity) -> Visitor:
        proved = known.owner and self._sessions.needed  # who has shown to be the owner: no limits
        return Visitor(
            visitor.address,
            visitor.scheme,
            visitor.forwarded_host,
            quota_key='' if proved else visitor.quota_key,
            behind_proxy=visitor.behind_proxy,
            owner=known.owner,
            guest=known.guest,
        )

    def _check_token(self, headers: Headers, visitor: Visitor, known: Identity) -> None:
        """Count a wrong token; refuse whoever tried too many, then even with the right one.

        Beside a session a token is a proxy's own.
        """
        if self._sessions.needed and bearer_in(headers):
            key = visitor.throttle_key
            if self._sessions.has_token(headers):
                check_wait(self._token_throttle.wait_of(key))
            elif known == STRANGER:
                check_wait(self._token_throttle.take(key))

    def _check_site(self, scope: Scope, headers: Headers, visitor: Visitor) -> None:
        """Refuse another site's name, and an act of another site's page.

        On plain http, browsers send `Sec-Fetch-Site` to localhost alone; elsewhere `Origin`
        decides. A program that brings no cookie sends neither.
        """
        host = self._hosts.check(scope['headers'])
        if visitor.forwarded_host:
            host = self._hosts.check_one(visitor.forwarded_host)
        if scope['method'] in SAFE_METHODS or self._sessions.has_token(headers):
            return
        sites, origins = headers.getlist('sec-fetch-site'), headers.getlist('origin')
        if sites:
            allowed = sites in (['same-origin'], ['none'])
        elif origins:  # as a browser writes one: in small letters, without the scheme's own port
            own = f'{visitor.scheme}://{host.lower().removesuffix(DEFAULT_PORTS[visitor.scheme])}'
            allowed = origins == [own]
        else:
            allowed = 'cookie' not in headers
        if not allowed:
            raise Forbidden(N_('This request came from another site. Open Easel and do it there.'))

    def _with_headers(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                caching = 'no-store' if self._sessions.needed else 'private, no-cache'
                own = headers_of(headers.get('content-type', ''))
                for name, value in (*own.items(), ('cache-control', caching)):
                    headers.setdefault(name, value)
                message = {**message, 'headers': self._root.headers(message['headers'])}
            await send(message)

        return guarded


def _check_visitor(visitor: Visitor, rule: RouteRule, *, is_crowded: bool) -> None:
    """Refuse a visitor whose role or connections the rule does not allow."""
    if is_crowded and visitor.quota_key:
        raise Crowded(N_('Too many connections from this address. Close some tabs.'))
    if not rule.role.admits(visitor):
        if visitor.guest:
            raise Forbidden(N_("Your link doesn't give access to this."))
        raise SignInRequired(N_('This Easel needs a password. Sign in first.'))


def _capped(receive: Receive, most_bytes: int) -> Receive:
    """Count what is read of a body, whatever its headers say."""
    read_bytes = 0

    async def counted() -> Message:
        nonlocal read_bytes
        message = await receive()
        read_bytes += len(message.get('body', b''))
        if read_bytes > most_bytes:
            raise _too_large(most_bytes)
        return message

    return counted


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(N_('Too large: at most {most} bytes.'), most=most_bytes)


def _is_long(headers: Headers) -> bool:
    length = headers.get('content-length', '0')
    return 'transfer-encoding' in headers or len(length) > 5 or int(length) > SMALL_BODY_BYTES
