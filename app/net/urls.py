"""Parses addresses in one strict way, and an API's as a person may have copied it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from app.errors import N_, InvalidRequest
from app.net.ip import is_literal, is_loopback, is_public

MOST_LETTERS = 8_192
MOST_HOST_LETTERS = 253
DOCKER_HOST = 'host.docker.internal'  # what Docker calls the machine around a container
LOOPBACK = ('127.0.0.1', '::1')
METADATA_NAMES = (
    *('metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'),
    *('instance-data.ec2.internal', 'metadata.tencentyun.com'),
)
USUAL_PORTS = {'http': 80, 'https': 443}
AS_THEY_ARE = "%/:=&?~#+!$,;'@()*[]"
# What an address that was copied whole ends in, beyond the API's root.
CALLS = (
    *(
        'images/generations',
        'images/edits',
        'images/variations',
        'chat/completions',
        'images/models',
        'models',
        'images',
    ),
    *(f'sdapi/v1/{call}' for call in ('txt2img', 'img2img', 'sd-models', 'options')),
)
# What the root of an API ends in. Source: the addresses of some thirty servers, and of Azure.
ROOTS = ('/engines/v1', '/openai/v1', '/sdapi/v1', '/api/v1', '/v1', '/v3')
USUAL_ROOTS = ('/v1', '', '/api/v1', '/v3', '/engines/v1', '/sdapi/v1')
API_ROOT = '/v1'
MOST_PREFIXES = 4
LAN_ENDINGS = ('.local', '.localhost', '.lan', '.home', '.internal', '.home.arpa')
PRIVATE_ENDINGS = (*LAN_ENDINGS, '.test')

_ADDRESS = re.compile(
    r'(?P<scheme>https?)://'
    r'(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/?#@%]+)(?::(?P<port>[0-9]{1,5}))?'
    r'(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?',
    re.IGNORECASE,
)
_SCHEME = re.compile(r'[a-z][a-z0-9+.-]*:', re.IGNORECASE)
_LABEL = re.compile(r'[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?')
_NUMBER = re.compile(r'[0-9]+|0x[0-9a-f]*')
_HOST = re.compile(
    r'(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|\[[0-9a-f:.]+\])(?::\d+)?|[\w-]+:\d+', re.IGNORECASE
)
_SLASHES = re.compile('/{2,}')
_TWICE = re.compile('(/v[13])(?:/v[13])+$')


class Blocked(Exception):
    """The address must not be called."""


class Private(Blocked):
    """The address is of a private network or this machine: only a provider may be there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return host and port as a person writes them: `localhost:1337`."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f'{host}:{self.port}'


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address; `target` is path and query as they go over the wire."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f'{self.origin.scheme}://{self.origin}{self.target}'


def address_of(url: str) -> Address:
    """Parse an absolute http or https address; raise Blocked if two parsers may differ over it."""
    if len(url) > MOST_LETTERS or any(ord(sign) <= 32 or sign in '\\\x7f' for sign in url):
        raise Blocked('a malformed address')
    parts = _ADDRESS.fullmatch(url)
    if parts is None:
        raise Blocked('not an http or https address')
    path, query = parts['path'] or '', parts['query'] or ''
    if not path and (parts['fragment'] is not None or '@' in query):
        raise Blocked('a malformed address')
    scheme = parts['scheme'].lower()
    port = int(parts['port'] or USUAL_PORTS[scheme])
    if not 0 < port < 65536:
        raise Blocked('a malformed address')
    try:
        origin = Origin(scheme, canonical_host(parts['host']), port)
        return Address(origin, quote(f'{path or "/"}{query}', safe=AS_THEY_ARE))
    except ValueError as error:
        raise Blocked('a malformed address') from error


def origin_of(url: str) -> Origin:
    return address_of(url).origin


def canonical_host(host: str) -> str:
    """Return a host as it is compared and looked up; raise ValueError at an odd spelling."""
    if ':' in host:
        return str(ipaddress.IPv6Address(host.strip('[]')))
    name = host.lower()
    if not name.isascii():
        coded = name.encode('idna')
        if coded.decode('idna') != name:  # wide digits, odd dots: they turn into something else
            raise ValueError(host)
        name = coded.decode('ascii')
    labels = name.removesuffix('.').split('.')
    if len(name) > MOST_HOST_LETTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(host)
    if _NUMBER.fullmatch(labels[-1]):  # 127.1, 0x7f.0.0.1 and 2130706433 are addresses, too
        return str(ipaddress.IPv4Address(name))
    return name


def joined(reference: str, base: Address) -> Address:
    """Resolve a reference as a browser does, or raise Blocked; signatures cover its query."""
    if len(reference) > MOST_LETTERS:
        raise Blocked('a malformed address')
    text = reference.strip().replace(' ', '%20')
    if text.startswith('//'):
        text = f'{base.origin.scheme}:{text}'
    if _SCHEME.match(text):
        return address_of(text)
    if any(ord(sign) < 32 or sign == '\\' for sign in text):
        raise Blocked('a malformed address')
    try:
        return address_of(urljoin(str(base), quote(text, safe=AS_THEY_ARE)))
    except ValueError as error:
        raise Blocked('a malformed address') from error


def is_local(host: str) -> bool:
    """Check whether a canonical host is this machine by any of its loopback names."""
    return host == 'localhost' or is_loopback(host)


def is_private(host: str) -> bool:
    """Check whether a canonical host is one of a private network by its spelling alone."""
    if is_literal(host):
        return not is_public(host)
    return '.' not in host.removesuffix('.') or host.removesuffix('.').endswith(LAN_ENDINGS)


def names_a_host(name: str) -> bool:
    """Check whether a name is an address: `localhost:1337`, `10.0.0.2`, `api.example.com`."""
    return _HOST.fullmatch(name) is not None


def same_server(one: str, other: str) -> bool:
    """Check whether two absolute http addresses name one port of one machine."""
    first, second = origin_of(one), origin_of(other)
    both_here = is_local(first.host) and is_local(second.host)
    return first.port == second.port and (both_here or first.host == second.host)


def outside_of(where: str) -> str:
    """Return the machine's address for a container's `localhost:1337`, also given as a url."""
    url = where if '://' in where else f'http://{where}'
    try:
        return str(replace(origin_of(url), host=DOCKER_HOST))
    except Blocked:
        return DOCKER_HOST


def without_query(url: str | None) -> str | None:
    return url.partition('?')[0] if url else None


def without_secrets(url: str) -> str:
    """Return an address with `…` for a query, which may hold a key."""
    return f'{without_query(url)}?…' if '?' in url else url


def normalize_api_url(text: str) -> str:
    """Return the root of an API for any of its addresses: `http://host:1337/v1?a=b`.

    A public name without a scheme gets https. Raise InvalidRequest at what is read in two ways.
    """
    text = text.strip()
    scheme, separator, rest = text.partition('://')
    if not separator:
        host = _host_of(text)
        is_name = '.' in host and ':' not in host and not is_literal(host)
        is_public = is_name and not host.endswith(PRIVATE_ENDINGS)
        scheme, rest = 'https' if is_public else 'http', text
    if scheme.lower() not in ('http', 'https'):
        raise InvalidRequest(N_('Enter an address that starts with http:// or https://.'))
    if '@' in _host_of(rest):
        raise InvalidRequest(
            N_('Enter the address without a user name; the key has its own field.')
        )
    try:
        origin_of(f'{scheme}://{rest}')
    except Blocked as error:
        raise InvalidRequest(N_('Enter an address like http://localhost:1337/v1.')) from error
    parts = urlsplit(f'{scheme}://{rest}')
    path = _SLASHES.sub('/', parts.path).rstrip('/')
    if '..' in path.split('/'):
        raise InvalidRequest(N_('Enter the address without “..”.'))
    call = next((one for one in CALLS if path.lower().endswith(f'/{one}')), '')
    if call:
        path = path[: -len(call) - 1] + ('/sdapi/v1' if call.startswith('sdapi') else '')
    return _with_path(parts, _TWICE.sub(r'\1', path) or '/v1')


def candidates(base_url: str) -> tuple[str, ...]:
    """Return where an API may be, likeliest first: as given, then the roots that servers use."""
    parts = urlsplit(base_url)
    given = parts.path.rstrip('/')
    ending = next((root for root in ROOTS if given.endswith(root)), '')
    start = given.removesuffix(ending)
    paths = (given, *(start + root for root in USUAL_ROOTS))
    return tuple(dict.fromkeys(_with_path(parts, path) for path in paths))


def is_root(path: str) -> bool:
    """Check whether an API's path is one that servers have by themselves, with nothing before."""
    return path.rstrip('/') in ('', *ROOTS)


def prefixes_of(path: str) -> list[str]:
    """Return what may stand before the paths of an API's server, likeliest first: `/x`, `/x/v1`."""
    parts = path.strip('/').split('/')[:MOST_PREFIXES]
    every = ['/' + '/'.join(parts[:count]) for count in range(len(parts), 0, -1)]
    return [one for one in (*every[1:2], *every[:1], *every[2:]) if one != '/']


def _host_of(text: str) -> str:
    return re.split(r'[/?#]', text, maxsplit=1)[0].lower()


def _with_path(parts: SplitResult, path: str) -> str:
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, parts.query, ''))
