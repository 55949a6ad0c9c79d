"""Addresses: one strict reading, and which may be fetched from although nobody named them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin

MOST_LETTERS = 8_192
DOCKER_HOST = 'host.docker.internal'  # what Docker calls the machine around a container

# Our own table, since what `ipaddress` calls global differs between Python's releases and holds
# more than is fit to be fetched from. For IPv6 only 2000::/3 is given out at all, so v4-mapped,
# v4-compatible, SIIT, both NAT64 prefixes, site-local and multicast fall with the first line.
NOT_PUBLIC_TEXT = """
::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3fff::/20
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 224.0.0.0/3
"""
# Where a machine asks for its own secrets: link-local, and what clouds put elsewhere.
METADATA_TEXT = """
169.254.0.0/16 100.100.100.200/32 168.63.129.16/32 192.0.0.192/32
fe80::/10 fd00:ec2::254/128 fd20:ce::254/128
"""
METADATA_NAMES = frozenset(
    {'metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'}
    | {'instance-data.ec2.internal', 'metadata.tencentyun.com'}
)
IPV4_AT_THE_END_TEXT = '::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48'

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

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
MOST_HOST_LETTERS = 253


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in text.split())


NOT_PUBLIC = _networks(NOT_PUBLIC_TEXT)
METADATA = _networks(METADATA_TEXT)
IPV4_AT_THE_END = _networks(IPV4_AT_THE_END_TEXT)


class Blocked(Exception):
    """The address is not one that may be called."""


class Private(Blocked):
    """The address is of a private network or this machine: only a provider may be there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it as a person would: `localhost:1337`."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f'{host}:{self.port}'


@dataclass(frozen=True, slots=True)
class Address:
    """What may be fetched: whoever checks it and whoever fetches it read these same parts.

    Attributes:
        target: Path and query as they go over the wire.
    """

    origin: Origin
    target: str

    def __str__(self) -> str:
        """Write it out whole."""
        return f'{self.origin.scheme}://{self.origin}{self.target}'


def address_of(url: str) -> Address:
    """Read an absolute http or https address.

    Raises:
        Blocked: It is no such address, or is spelt in a way that two readers may read apart.
    """
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
    """Read the origin of an absolute http or https address.

    Raises:
        Blocked: As `address_of`.
    """
    return address_of(url).origin


def canonical_host(host: str) -> str:
    """Write a host in the one way in which it is compared and looked up.

    Raises:
        ValueError: It is neither a name nor an IP address in its usual spelling.
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
    """Resolve a reference as a browser does; blanks are encoded.

    An existing query is left as it is, since signatures cover it.

    Raises:
        Blocked: It can't be read as an address.
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
    """Resolve what an answer calls a picture's address against the provider's own.

    A path goes to the origin's root, never below the API's path.

    Raises:
        Blocked: It can't be read as an address.
    """
    return str(joined(reference, Address(origin_of(base), '/')))


def is_public(address: str) -> bool:
    """Whether an IP address may be fetched from although nobody named it."""
    ip = _ip(address)
    return ip is not None and ip.is_global and not _within(ip, NOT_PUBLIC) and not _is_isatap(ip)


def is_metadata(address: str) -> bool:
    """Whether an IP address, or the IPv4 one inside it, is where a cloud keeps secrets."""
    ip = _ip(address)
    if ip is None:
        return False
    inside = _ipv4_inside(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    return _within(ip, METADATA) or (inside is not None and _within(inside, METADATA))


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own, seen from inside."""
    ip = _ip(address)
    return ip is not None and ip.is_loopback


def is_local(host: str) -> bool:
    """Whether a canonical host is what every machine calls itself."""
    return host == 'localhost' or is_loopback(host)


def same_server(one: str, other: str) -> bool:
    """Whether two absolute http addresses name one port of one machine, whatever the path."""
    first, second = origin_of(one), origin_of(other)
    both_here = is_local(first.host) and is_local(second.host)
    return first.port == second.port and (both_here or first.host == second.host)


def outside_of(where: str) -> str:
    """Give where a port of a container's `localhost` is on the host: `localhost:1337` or a url."""
    url = where if '://' in where else f'http://{where}'
    try:
        return str(replace(origin_of(url), host=DOCKER_HOST))
    except Blocked:
        return DOCKER_HOST


def is_literal(host: str) -> bool:
    """Whether a canonical host is an IP address and no name."""
    return _ip(host) is not None


def without_query(url: str | None) -> str | None:
    """Leave out what signs an address, for a label that travels with the picture."""
    return url.partition('?')[0] if url else None


def _ip(address: str) -> Ip | None:
    try:
        return ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return None


def _within(ip: Ip, networks: tuple[Network, ...]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)


def _is_isatap(ip: Ip) -> bool:
    """Whether an IPv6 address ends in an IPv4 one by RFC 5214, below any prefix."""
    return ip.version == 6 and int(ip) >> 32 & 0xFDFF_FFFF == 0x5EFE


def _ipv4_inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.sixtofour or ip.teredo:
        return ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if _within(ip, IPV4_AT_THE_END) or _is_isatap(ip):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None


def veiled(url: str) -> str:
    """Show an address and not its query, which may hold a key."""
    return f'{without_query(url)}?…' if '?' in url else url
