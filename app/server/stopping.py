"""A server that ends well: what is about to arrive has a moment, and so has an open response."""

from __future__ import annotations

import asyncio
import signal
import socket
from functools import partial
from types import FrameType

import uvicorn

from app.server.protocol import ConnectionLimiter, DeadlineProtocol
from app.web.context import Services
from app.web.security.guard import Guard

GRACE_S = 2  # for what is drawn and for open responses, at the same time
KEEP_ALIVE_S = 30
SIGNALS = tuple(
    getattr(signal, name) for name in ('SIGTERM', 'SIGINT', 'SIGHUP') if hasattr(signal, name)
)


class StoppingServer(uvicorn.Server):
    """Stops at a signal, and at a second one without any grace."""

    def __init__(self, app: Guard, services: Services, limiter: ConnectionLimiter) -> None:
        config = uvicorn.Config(
            app,
            http=partial(DeadlineProtocol, limiter=limiter, answer_now=app.answer_now),  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            lifespan='off',
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            ws='none',
        )
        super().__init__(config)
        self._services = services
        self._loop = asyncio.get_running_loop()

    def listen_to_signals(self) -> None:
        """Be told of every signal to end, but of those that whoever started Easel had ignored.

        It counts until uvicorn listens, and after it, when it raises what it caught again.
        """
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle_exit)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; at a second signal stop at once. Live feeds end first."""
        self._services.changes.close()
        self._services.maintenance.end()
        if self.should_exit:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._hurry)
        super().handle_exit(sig, frame)

    def _hurry(self) -> None:
        self._services.worker.hurry()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the connections while what is drawn has its moment."""
        stopping = asyncio.create_task(self._services.worker.stop(GRACE_S))
        await super().shutdown(sockets)
        await stopping
