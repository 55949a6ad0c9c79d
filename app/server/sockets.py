"""Takes a port, or says in one sentence why it can't."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys

BACKLOG = 512
PORTS_TRIED = 50


class PortTaken(Exception):
    """The port can't be listened on; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Listen at once, so that whoever reads the address can connect; raise PortTaken."""
    try:
        listening = _bind(host, port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            reason = error.strerror or str(error)
            raise PortTaken(f'{host}:{port} can not be listened on: {reason}.') from error
        raise PortTaken(
            f'Port {port} is taken by another program. '
            f'Use the next free one: --port {_next_free(host, port)}'
        ) from error
    listening.listen(BACKLOG)
    return listening


def listen_everywhere(port: int) -> list[socket.socket]:
    """Listen on every address of this machine; IPv6 only where there is any."""
    sockets = [listen('0.0.0.0', port)]  # noqa: S104 (the network is let in on purpose)
    try:
        sockets.append(listen('::', sockets[0].getsockname()[1]))
    except PortTaken as error:
        if socket.has_ipv6 and getattr(error.__cause__, 'errno', 0) == errno.EADDRINUSE:
            sockets[0].close()
            raise
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != 'win32':
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == '::':
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _next_free(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65536)):
        with contextlib.suppress(OSError):
            _bind(host, candidate).close()
            return candidate
    return 0
