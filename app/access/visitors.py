"""Who is at the other end: the address behind trusted proxies, its quota, and its guesses.

A header that any visitor can write is believed only from a peer that the operator named. Of those
headers `Forwarded` is never read: one way of saying it is enough, and two can disagree.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from app.database.links import GuestRow
from app.errors import N_, Malformed
from app.net.ip import IpAddress, Network

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]

MOST_CONNECTIONS_A_VISITOR = 64
HERE = 'this machine'
WINDOW_S = 60.0  # guesses are counted over it
HOME_BITS = 64  # one IPv6 customer can use every address of such a network

_HOP = re.compile(
    r'\[([0-9a-fA-F:.]+)\](?::\d{1,5})?|(\d+(?:\.\d+){3})(?::\d{1,5})?|([0-9a-fA-F:.]+)'
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the owner, a guest, or a stranger who is neither."""

    address: str  # as far as trusted proxies name it
    scheme: str  # what the browser used to reach the outermost of them
    forwarded_host: bytes = b''  # what the browser asked for, by a trusted proxy
    quota_key: str = ''  # whose limits this counts against; empty where there are none
    behind_proxy: bool = False
    owner: bool = False
    guest: GuestRow | None = None

    @property
    def throttle_key(self) -> str:
        """Whose guesses are counted together."""
        return self.quota_key or HERE

    @property
    def reader_key(self) -> str:
        """Whose pictures are read one after the other."""
        return f'guest {self.guest.id}' if self.guest else self.throttle_key

    @property
    def makes(self) -> bool:
        """Whether they may have pictures drawn."""
        return self.owner or (self.guest is not None and self.guest.makes)

    @property
    def guest_id(self) -> int | None:
        return self.guest.id if self.guest else None

    @property
    def sees_all(self) -> bool:
        return self.owner or (self.guest is not None and self.guest.sees_all)

    @property
    def only(self) -> int | None:
        """The one guest whose pictures they may look at besides an album; None: everybody's."""
        return self.guest.id if self.guest and not self.guest.sees_all else None

    @property
    def album(self) -> int | None:
        """The one album that they may look at; None: as `sees_all` says."""
        return self.guest.album if self.guest else None

    def may_change(self, made_by: int | None) -> bool:
        """Whether a picture or a generation is theirs to change."""
        return self.owner or (self.makes and made_by is not None and made_by == self.guest_id)


class QuotaCounter:
    """How much each visitor holds at this moment."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()

    def held(self, quota_key: str) -> int:
        return self._held[quota_key]

    def is_full(self, quota_key: str) -> bool:
        """Whether one more is one too many; an empty key has no limit."""
        return bool(quota_key) and self._held[quota_key] >= self._most

    def take(self, quota_key: str) -> bool:
        """Hold one more; False if that is one too many, and it is held all the same."""
        self._held[quota_key] += 1
        return self._held[quota_key] <= self._most

    def give_back(self, quota_key: str) -> None:
        self._held[quota_key] -= 1
        if not self._held[quota_key]:
            del self._held[quota_key]


class Throttle:
    """Counts guesses within the last minute.

    Past the common limit, a visitor who never guessed right has one guess a minute: a crowd of
    addresses is slowed, and can't keep the owner out, whatever address the owner comes from.
    """

    def __init__(
        self,
        each: int,
        everybody: int | None = None,
        known: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each = each
        self._everybody = everybody
        self._clock = clock
        self._own: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()
        self._known = set(known)

    def wait_of(self, who: str) -> float:
        """Return the seconds until this visitor may guess, 0 for now."""
        return self._wait_of(who, self._clock())

    def take(self, who: str) -> float:
        """Count one guess; return the seconds to wait before it may be made, 0 for now."""
        now = self._clock()
        wait_s = self._wait_of(who, now)
        if not wait_s:
            self._own.setdefault(who, deque()).append(now)
            if not self.knows(who):
                self._all.append(now)
        return wait_s

    def _wait_of(self, who: str, now: float) -> float:
        self._forget(now - WINDOW_S)
        own = self._own.get(who, deque())
        if len(own) >= self._each:
            return own[0] + WINDOW_S - now
        is_crowded = self._everybody is not None and len(self._all) >= self._everybody
        if own and is_crowded and not self.knows(who):
            return own[-1] + WINDOW_S - now
        return 0.0

    def knows(self, who: str) -> bool:
        return who in self._known

    def know(self, who: str) -> None:
        """Note that the common limit does not count for one."""
        self._known.add(who)

    def trust(self, who: str) -> None:
        """Note that one guessed right."""
        self.know(who)
        self._own.pop(who, None)

    def _forget(self, before: float) -> None:
        for guesses in (self._all, *self._own.values()):
            while guesses and guesses[0] <= before:
                guesses.popleft()
        self._own = {who: own for who, own in self._own.items() if own}


class Proxies:
    """The reverse proxies whose headers are trusted."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)

    def quota_key_of(self, peer: str) -> str:
        """Return the key of a peer's quota; loopback and trusted proxies have none."""
        address = _address(peer)
        if address is None or address.is_loopback or self._trusts(address):
            return ''
        if address.version == 4:
            return str(address)
        return str(ipaddress.IPv6Network((address, HOME_BITS), strict=False))

    def visitor(self, peer: str, scheme: str, headers: RawHeaders) -> Visitor:
        """Read who asks; raise `Malformed` where a trusted proxy wrote what can't be meant."""
        address = _address(peer)
        if address is None or not self._trusts(address):
            return Visitor(str(address or peer), scheme, quota_key=self.quota_key_of(peer))
        headers = list(headers)
        client = str(self._client(address, _values(headers, b'x-forwarded-for')))
        for value in _values(headers, b'x-forwarded-proto')[-1:]:
            scheme = value.decode('latin-1').lower()
        if scheme not in ('http', 'https'):
            raise _malformed('X-Forwarded-Proto')
        return Visitor(
            client,
            scheme,
            forwarded_host=b''.join(_values(headers, b'x-forwarded-host')[-1:]),
            quota_key=self.quota_key_of(client),
            behind_proxy=client != str(address),
        )

    def _trusts(self, address: IpAddress) -> bool:
        return any(address in network for network in self._networks)

    def _client(self, peer: IpAddress, hops: list[bytes]) -> IpAddress:
        """Walk from the nearest hop outwards to the first that is not a proxy of ours."""
        client = peer
        for hop in reversed(hops):
            match = _HOP.fullmatch(hop.decode('latin-1'))
            address = _address(match[1] or match[2] or match[3]) if match else None
            if address is None:
                raise _malformed('X-Forwarded-For')
            client = address
            if not self._trusts(client):
                break
        return client


def _values(headers: RawHeaders, wanted: bytes) -> list[bytes]:
    """Return a list header's parts in order, over all its lines."""
    found = [value for name, value in headers if name == wanted]
    return [part.strip(b' \t') for part in b','.join(found).split(b',') if part.strip(b' \t')]


@lru_cache(256)  # each connection's requests have the same
def _address(text: str) -> IpAddress | None:
    """Parse an address; one of IPv4 that is mapped into IPv6 is the IPv4 one."""
    try:
        address = ipaddress.ip_address(text.partition('%')[0])
    except ValueError:
        return None
    return getattr(address, 'ipv4_mapped', None) or address


def _malformed(name: str) -> Malformed:
    return Malformed(N_("A trusted proxy sent an {name} header that can't be read."), name=name)
