"""Classifies IP addresses: public, loopback, metadata of clouds."""

from __future__ import annotations

import ipaddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in text.split())


# Our own table, since what `ipaddress` calls global differs between Python's releases and holds
# more than is fit to be fetched from. For IPv6 only 2000::/3 is given out at all, so v4-mapped,
# v4-compatible, SIIT, both NAT64 prefixes, site-local and multicast fall with the first line.
NOT_PUBLIC = _networks("""
::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3fff::/20
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 224.0.0.0/3
""")
# Where a machine asks for its own secrets: link-local, and what clouds put elsewhere.
METADATA = _networks("""
169.254.0.0/16 100.100.100.200/32 168.63.129.16/32 192.0.0.192/32
fe80::/10 fd00:ec2::254/128 fd20:ce::254/128
""")
IPV4_AT_THE_END = _networks('::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48')


def networks_in(text: str) -> tuple[Network, ...]:
    """Parse a comma separated list; raise ValueError at bits beyond a mask, and at everybody."""
    networks = [ipaddress.ip_network(part.strip()) for part in text.split(',') if part.strip()]
    if not all(network.prefixlen for network in networks):
        raise ValueError("every address can't be trusted")
    return tuple(networks)


def is_public(address: str) -> bool:
    """Check whether an IP address is public, and may be fetched from although not named."""
    ip = _ip(address)
    return ip is not None and ip.is_global and not _within(ip, NOT_PUBLIC) and not _is_isatap(ip)


def is_metadata(address: str) -> bool:
    """Check whether an IP address, or the IPv4 one inside it, is for metadata of a cloud."""
    ip = _ip(address)
    if ip is None or _within(ip, METADATA):
        return ip is not None
    inside: ipaddress.IPv4Address | None = None
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is None and (_within(ip, IPV4_AT_THE_END) or _is_isatap(ip)):
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return inside is not None and _within(inside, METADATA)


def is_loopback(address: str) -> bool:
    ip = _ip(address)
    return ip is not None and ip.is_loopback


def is_literal(host: str) -> bool:
    """Check whether a canonical host is an IP address, not a name."""
    return _ip(host) is not None


def _ip(address: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return None


def _within(ip: IpAddress, networks: tuple[Network, ...]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)


def _is_isatap(ip: IpAddress) -> bool:
    """Check whether an IPv6 address ends in an IPv4 one by RFC 5214, below any prefix."""
    return ip.version == 6 and int(ip) >> 32 & 0xFDFF_FFFF == 0x5EFE
