"""How long each part of a request may take, and how many connections the server carries."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.visitors import MOST_CONNECTIONS_A_VISITOR, Proxies, QuotaCounter

SPARE_FILES = 200  # for pictures, the database and calls to providers


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of a request may take."""

    head_s: float = 10.0  # from the connection, or the first byte of a later request
    body_s: float = 10.0  # and beyond that by its size, at `body_bytes_a_s`
    body_bytes_a_s: float = 8_000.0
    crowded_s: float = 2.0  # for the head on a connection that is one too many
    leftover_s: float = 10.0  # for the rest of a request that has its response, and the next head
    stalled_s: float = 300.0  # without progress of a response that the other end does not read


class ConnectionLimiter:
    """Counts connections, all and by quota key; those with an empty key have no limit."""

    def __init__(
        self,
        proxies: Proxies,
        most: int,
        a_visitor: int = MOST_CONNECTIONS_A_VISITOR,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.proxies = proxies
        self._most = most
        self._a_visitor = a_visitor
        self._all = 0
        self._quotas = QuotaCounter(a_visitor)

    def is_full(self, quota_key: str) -> bool:
        """Check whether there are too many connections even to refuse one more."""
        return self._all >= self._most or self._quotas.held(quota_key) >= 2 * self._a_visitor

    def add(self, quota_key: str) -> bool:
        """Count a connection; return False if it is one too many for this visitor."""
        self._all += 1
        return not quota_key or self._quotas.take(quota_key)

    def remove(self, quota_key: str) -> None:
        self._all -= 1
        if quota_key:
            self._quotas.give_back(quota_key)
