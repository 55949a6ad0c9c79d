"""The names that this server answers to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache

from app.errors import N_, Malformed, Misdirected

LONGEST_HOST = 255
MOST_KNOWN = 64

_HOST = re.compile(
    rb'(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[0-9a-zA-Z_-]+(?:\.[0-9a-zA-Z_-]+)*\.?))'
    rb'(?::(?P<port>[0-9]{1,5}))?'
)


class Hosts:
    """The names that this server answers to; any other may be DNS rebinding."""

    def __init__(self, names: Iterable[str]) -> None:
        own = {'localhost', socket.gethostname().lower()}
        self._names = own | {name.lower().rstrip('.') for name in names}

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the host of the one Host header; raise as `check_one` does."""
        found = [value for name, value in headers if name == b'host']
        return self.check_one(found[0] if len(found) == 1 else b'')

    def check_one(self, host: bytes) -> str:
        """Return a host with its port; raise `Malformed`, or `Misdirected` if it is not ours."""
        match = _HOST.fullmatch(host) if len(host) <= LONGEST_HOST else None
        if match is None or (match['port'] and not 0 < int(match['port']) < 65536):
            raise Malformed(N_('The Host header is missing or malformed.'))
        version, name = (6, match['v6']) if match['v6'] else (4, match['name'])
        text = name.decode('ascii').lower()
        is_name = version == 4 and text.removesuffix('.') in self._names
        if not is_name and not _is_canonical_address(text, version):
            raise Misdirected(
                N_("Easel doesn't accept the name {host}. Add it to EASEL_HOSTS."),
                host=host.decode('ascii'),
            )
        return host.decode('ascii')


@lru_cache(MOST_KNOWN)
def _is_canonical_address(text: str, version: int) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped
    return address.version == version and str(address) == text and not mapped
