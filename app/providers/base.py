"""What every provider is to the rest of the house."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.incoming import Incoming
from app.models import Answer, Ask

AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """A configured image API.

    Attributes:
        base_url: The API's root, `http://localhost:1337/v1`; a query in it goes with every call.
        model: What is asked for when nobody chose; empty: no model is sent.
        at_once: How many generations may be under way at the same time.
        timeout_s: From the request to the last byte of the answer.
    """

    name: str
    base_url: str
    model: str
    timeout_s: float
    key: str | None = field(default=None, repr=False)
    at_once: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class Listing:
    """What a provider said to `GET /models`.

    Attributes:
        answered: Whether anything spoke HTTP there.
        refused: Whether nothing at all listens there.
        reason: What was seen, when it was not a list.
        models: Names to suggest; those that draw, if that can be told.
    """

    answered: bool
    refused: bool = False
    reason: str = ''
    models: tuple[str, ...] = ()


class Provider(Protocol):
    """One image API that can be asked."""

    @property
    def settings(self) -> ProviderSettings:
        """What is known of it beforehand."""

    async def generate(self, ask: Ask, incoming: Callable[[], Incoming]) -> Answer:
        """Ask once and read what comes.

        Args:
            ask: What to draw.
            incoming: Opens a place for a picture that is about to arrive.

        Raises:
            ProviderError: Nothing usable came; no file is left behind.
        """

    async def list_models(self) -> Listing:
        """Ask what it offers; never raises for what the other side does."""
