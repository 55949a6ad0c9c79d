"""What was learned of each provider and model, so that no refusal has to be met twice."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.database.providers import LearnedFacts
from app.net.urls import Origin, origin_of
from app.providers.core.base import Dialect

ABSENT = 'absent'
PICTURE_ORIGINS = 'picture_origins'  # the fact's name; it is the owner's word, no refusal ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What is known of one provider and model."""

    dialect: Dialect | None = None  # the one that its responses showed
    base_url: str = ''  # where the API really is, when that is not where the settings say
    response_format: str = ''  # what it takes: `absent`, `b64_json` or `url`
    refused: tuple[str, ...] = ()  # fields that it does not take, by their names in the request
    guidance: str = ''  # `int` or `float`: which kind of number it takes
    # where its pictures may be fetched from although that is private: `http://nas:9000`
    picture_origins: tuple[str, ...] = ()


class CapabilityStore:
    """Holds all that is known, and writes it down."""

    def __init__(self, table: LearnedFacts | None = None) -> None:
        self._table = table
        self._facts: dict[tuple[str, str, str], str] = {}

    async def load(self) -> None:
        """Read what earlier runs learned. Raises `StorageFailed`."""
        if self._table:
            self._facts = await self._table.all()

    def of(self, base_url: str, model: str) -> Capabilities:
        """Return what is known of a model, and of all models of the provider."""
        place = _place(base_url)

        def fact(name: str) -> str:
            return self._facts.get((place, model, name)) or self._facts.get((place, '', name), '')

        dialect = fact('dialect')
        return Capabilities(
            dialect=Dialect(dialect) if dialect in list(Dialect) else None,
            base_url=fact('base_url'),
            response_format=fact('response_format'),
            refused=tuple(fact('refused').split()),
            guidance=fact('guidance'),
            picture_origins=() if model else tuple(fact(PICTURE_ORIGINS).split()),
        )

    def known_of(self, base_url: str) -> dict[str, Capabilities]:
        """Return what is known of a provider, by model; '' is the name for all of them."""
        models = {model for place, model, _ in self._facts if place == _place(base_url)}
        return {model: self.of(base_url, model) for model in sorted(models)}

    async def learn(self, base_url: str, model: str, learned: Capabilities) -> None:
        """Keep what is new. Raises `StorageFailed`."""
        facts = {
            'dialect': str(learned.dialect or ''),
            'base_url': learned.base_url,
            'response_format': learned.response_format,
            'refused': ' '.join(learned.refused),
            'guidance': learned.guidance,
        }
        for name, value in facts.items():
            await self._keep((_place(base_url), model, name), value)

    async def _keep(self, key: tuple[str, str, str], value: str) -> None:
        if value and self._facts.get(key) != value:
            self._facts[key] = value
            if self._table:
                await self._table.keep(*key, value, time.time())

    def trusted(self, base_url: str) -> frozenset[Origin]:
        """Return the origins that the owner trusts for the pictures of a provider."""
        return frozenset(origin_of(one) for one in self.of(base_url, '').picture_origins)

    async def trust(self, base_url: str, origin: str) -> None:
        """Trust an origin for the pictures of a provider. Raises `StorageFailed`."""
        origins = dict.fromkeys((*self.of(base_url, '').picture_origins, origin))
        await self._keep((_place(base_url), '', PICTURE_ORIGINS), ' '.join(origins))

    async def forget(self, base_url: str, model: str | None = None) -> None:
        """Drop what is known of a provider, or of one model of it. Raises `StorageFailed`."""
        place = _place(base_url)
        self._facts = {
            key: value
            for key, value in self._facts.items()
            if key[0] != place
            or model not in (None, key[1])
            or (model is not None and key[2] == PICTURE_ORIGINS)
        }
        if self._table:
            await self._table.forget(place, model)


def with_refused(learned: Capabilities, names: Iterable[str]) -> Capabilities:
    return replace(learned, refused=tuple(dict.fromkeys((*learned.refused, *names))))


def _place(base_url: str) -> str:
    """Return a provider's address without what may be secret in its query."""
    return base_url.partition('?')[0].rstrip('/')
