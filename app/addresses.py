"""Addresses: one strict reading, and which may be fetched from although nobody named them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

MOST_LETTERS = 8_192

# What `ipaddress` calls global and is not fit to be fetched from: 6to4, Teredo, both NAT64
# prefixes, SIIT, v4-compatible, site-local, documentation, SRv6, multicast.
NOT_PUBLIC_TEXT = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
224.0.0.0/3 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64
2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/9 ff00::/8
"""
NOT_PUBLIC = tuple(ipaddress.ip_network(text) for text in NOT_PUBLIC_TEXT.split())

_NETLOC = re.compile(r'(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:@%\\]+)(?::(?P<port>[0-9]{1,5}))?')


class Blocked(Exception):
    """The address is not one that may be called."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it as a person would: `localhost:1337`."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        usual = {'http': 80, 'https': 443}[self.scheme]
        return host if self.port == usual else f'{host}:{self.port}'


def origin_of(url: str) -> Origin:
    """Read the origin of an absolute http or https address.

    Raises:
        Blocked: It is no such address, or is spelt in a way that two readers may read apart.
    """
    if len(url) > MOST_LETTERS or any(ord(sign) <= 32 or sign == '\\' for sign in url):
        raise Blocked('odd spelling')
    try:
        parts = urlsplit(url)
        netloc = _NETLOC.fullmatch(parts.netloc)
        if parts.scheme not in ('http', 'https') or netloc is None:
            raise Blocked('not a plain http address')
        host = netloc['host'].strip('[]').lower()
        _refuse_odd_host(netloc['host'])
        port = int(netloc['port'] or {'http': 80, 'https': 443}[parts.scheme])
    except ValueError as error:
        raise Blocked('odd spelling') from error
    if not 0 < port < 65536:
        raise Blocked('odd spelling')
    return Origin(parts.scheme, host, port)


def _refuse_odd_host(host: str) -> None:
    """Check a host as far as it can be without looking it up.

    Raises:
        ValueError: The brackets hold no IPv6 address, or the name can't be one.
    """
    if host.startswith('['):
        ipaddress.IPv6Address(host[1:-1])
    else:
        host.rstrip('.').encode('idna')


def absolute(reference: str, base: str) -> str:
    """Resolve what an answer calls a picture's address against the provider's own.

    A path goes to the origin's root, never below the API's path; blanks are encoded, and an
    existing query is left as it is, since signatures cover it.

    Raises:
        Blocked: It can't be read as an address.
    """
    parts = urlsplit(base)
    try:
        text = quote(reference.strip(), safe="%/:=&?~#+!$,;'@()*[]")
        return urljoin(f'{parts.scheme}://{parts.netloc}/', text)
    except ValueError as error:
        raise Blocked('odd spelling') from error


def is_public(address: str) -> bool:
    """Whether an IP address may be fetched from although nobody named it."""
    try:
        ip = ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return False
    return ip.is_global and not any(
        ip in network for network in NOT_PUBLIC if network.version == ip.version
    )


def without_query(url: str | None) -> str | None:
    """Leave out what signs an address, for a label that travels with the picture."""
    return url.partition('?')[0] if url else None
