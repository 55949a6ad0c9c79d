"""Parses addresses in one strict way."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin

from app.net.ip import is_loopback

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
_ADDRESS = re.compile(
    r'(?P<scheme>https?)://'
    r'(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/?#@%]+)(?::(?P<port>[0-9]{1,5}))?'
    r'(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?',
    re.IGNORECASE,
)
_SCHEME = re.compile(r'[a-z][a-z0-9+.-]*:', re.IGNORECASE)
_LABEL = re.compile(r'[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?')
_NUMBER = re.compile(r'[0-9]+|0x[0-9a-f]*')


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
        raise Blocked('odd spelling')
    parts = _ADDRESS.fullmatch(url)
    if parts is None:
        raise Blocked('not a plain http address')
    path, query = parts['path'] or '', parts['query'] or ''
    if not path and (parts['fragment'] is not None or '@' in query):
        raise Blocked('odd spelling')
    scheme = parts['scheme'].lower()
    port = int(parts['port'] or USUAL_PORTS[scheme])
    if not 0 < port < 65536:
        raise Blocked('odd spelling')
    try:
        origin = Origin(scheme, canonical_host(parts['host']), port)
        return Address(origin, quote(f'{path or "/"}{query}', safe=AS_THEY_ARE))
    except ValueError as error:
        raise Blocked('odd spelling') from error


def origin_of(url: str) -> Origin:
    return address_of(url).origin


def canonical_host(host: str) -> str:
    """Return a host in the one spelling in which it is compared and looked up.

    Raise ValueError at neither a name nor an IP address in its usual spelling.
    """
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
    """Resolve a reference as a browser does, or raise Blocked.

    Blanks are encoded; an existing query is left as it is, since signatures cover it.
    """
    text = reference.strip().replace(' ', '%20')
    if text.startswith('//'):
        text = f'{base.origin.scheme}:{text}'
    if _SCHEME.match(text):
        return address_of(text)
    if any(ord(sign) < 32 or sign == '\\' for sign in text):
        raise Blocked('odd spelling')
    try:
        return address_of(urljoin(str(base), quote(text, safe=AS_THEY_ARE)))
    except ValueError as error:
        raise Blocked('odd spelling') from error


def absolute(reference: str, base: str) -> str:
    """Resolve a picture's address in a response; a path goes to the root of the base's origin."""
    return str(joined(reference, Address(origin_of(base), '/')))


def is_local(host: str) -> bool:
    """Check whether a canonical host is this machine by any of its loopback names."""
    return host == 'localhost' or is_loopback(host)


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
