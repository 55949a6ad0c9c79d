"""Lists the addresses under which other machines reach this one."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

from app.log import logger

log = logger(__name__)

# Bridges to containers and virtual machines: no person is at their other end.
BRIDGES = ('docker', 'br-', 'veth', 'virbr', 'vmnet', 'lxc', 'cni', 'podman')
WILDCARDS = ('0.0.0.0', '::')  # noqa: S104 (only compared)
# Connecting a datagram socket sends nothing; it only asks which own address would be used.
FAR = ((socket.AF_INET, '192.0.2.1'), (socket.AF_INET6, '2001:db8::1'))


def addresses() -> tuple[str, ...]:
    """Return this machine's addresses: IPv4 first, of each kind that of the default route first."""
    listed = list[str]()
    for family, far in FAR:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((far, 9))
            listed.append(str(asking.getsockname()[0]))
    listed += _by_interface()
    ips = {text: ipaddress.ip_address(text.partition('%')[0]) for text in listed}
    usable = [
        text
        for text, ip in ips.items()
        if not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast)
    ]
    return tuple(sorted(usable, key=lambda text: ips[text].version))


def origins(host: str, port: int) -> tuple[str, ...]:
    """Return the origins for browsers of other machines; `::` stands for every address."""
    listed = [one for one in addresses() if host == '::' or ':' not in one]
    listed = listed if host in WILDCARDS else [host]
    named = (f'[{one}]' if ':' in one else one for one in listed)
    return tuple(f'http://{name}:{port}' for name in named)


def _by_interface() -> list[str]:
    try:
        import ifaddr  # loads ctypes, which no start needs that stays on this machine

        adapters = list(ifaddr.get_adapters())
    except (OSError, MemoryError) as error:  # systemd's MemoryDenyWriteExecute can stop ctypes
        log.warning('the addresses of this machine cannot be listed: %s', error)
        return []
    people = [one for one in adapters if not one.nice_name.startswith(BRIDGES)]
    ips = [address.ip for adapter in people for address in adapter.ips]
    return [ip if isinstance(ip, str) else str(ip[0]) for ip in ips]
