"""What was learned of each provider and model, so that no refusal has to be met twice."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from app.database.providers import LearnedFacts
from app.net.urls import Origin, origin_of
from app.providers.core.base import Dialect

ABSENT = 'absent'
PICTURE_ORIGINS = 'picture_origins'  # the fact's name; it is the owner's word, no refusal ends it


class Use(StrEnum):
    """What a model is asked for, each with facts of its own, whose names begin with this."""

    IMAGES = ''
    EDITS = 'edit_'
    MASKED_EDITS = 'mask_'


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What is known of one provider and model, for one use."""

    dialect: Dialect | None = None  # the one that its responses showed
    base_url: str = ''  # where the API really is, when that is not where the settings say
    response_format: str = ''  # what it takes: `absent`, `b64_json` or `url`
    refused: tuple[str, ...] = ()  # fields that it does not take, by their names in the request
    guidance: str = ''  # `int` or `float`: which kind of number it takes
    way: str = ''  # the name of the way to edit that it took
    ignored: str = ''  # `yes`: it changed what the last mask protected
    # where its pictures may be fetched from although that is private: `http://nas:9000`
    picture_origins: tuple[str, ...] = ()


IGNORING = 0.05  # of what a mask protects: so much changes where it is not followed
FACTS = ('dialect', 'base_url', 'response_format', 'refused', 'guidance', 'way')


class CapabilityStore:
    """Holds all that is known, and writes it down."""

    def __init__(self, table: LearnedFacts | None = None) -> None:
        self._table = table
        self._facts: dict[tuple[str, str, str], str] = {}

    async def load(self) -> None:
        """Read what earlier runs learned. Raises `StorageFailed`."""
        if self._table:
            self._facts = await self._table.all()

    def of(self, base_url: str, model: str, use: Use = Use.IMAGES) -> Capabilities:
        """Return what is known of a model, and of all models of the provider."""
        place = _place(base_url)

        def fact(name: str) -> str:
            names = ((place, one, f'{use}{name}') for one in (model, ''))
            return next((found for one in names if (found := self._facts.get(one))), '')

        dialect = fact('dialect')
        return Capabilities(
            dialect=Dialect(dialect) if dialect in list(Dialect) else None,
            base_url=fact('base_url'),
            response_format=fact('response_format'),
            refused=tuple(fact('refused').split()),
            guidance=fact('guidance'),
            way=fact('way'),
            ignored=fact('ignored'),
            picture_origins=() if model else tuple(fact(PICTURE_ORIGINS).split()),
        )

    def known_of(self, base_url: str) -> dict[str, dict[str, object]]:
        """Return the facts of a provider, by model; '' is the name for all of them."""
        models = sorted({model for place, model, _ in self._facts if place == _place(base_url)})
        known = {
            model: {
                f'{use}{name}': value
                for use in Use
                for name, value in asdict(self.of(base_url, model, use)).items()
                if value
            }
            for model in models
        }
        return {model: facts for model, facts in known.items() if facts}

    async def learn(
        self, base_url: str, model: str, learned: Capabilities, use: Use = Use.IMAGES
    ) -> None:
        """Keep what is new. Raises `StorageFailed`."""
        for name in FACTS:
            value = getattr(learned, name) or ''
            text = value if isinstance(value, str) else ' '.join(value)
            await self._keep((_place(base_url), model, f'{use}{name}'), text)

    async def _keep(self, key: tuple[str, str, str], value: str) -> None:
        if value and self._facts.get(key) != value:
            self._facts[key] = value
            if self._table:
                await self._table.keep(*key, value, time.time())

    def ignores_masks(self, base_url: str, model: str) -> bool:
        """Whether a model seems to ignore masks, as the last answer to one showed."""
        return bool(self.of(base_url, model, Use.MASKED_EDITS).ignored)

    async def saw_masked(self, base_url: str, model: str, changed: float) -> None:
        """Learn by the share of what a mask protected that an answer changed, 0 to 1.

        Raises `StorageFailed`.
        """
        key = (_place(base_url), model, f'{Use.MASKED_EDITS}ignored')
        if changed >= IGNORING:
            await self._keep(key, 'yes')
        elif self._facts.pop(key, None) and self._table:
            await self._table.forget(*key)

    def trusted(self, base_url: str) -> frozenset[Origin]:
        """Return the origins that the owner trusts for the pictures of a provider."""
        return frozenset(origin_of(one) for one in self.of(base_url, '').picture_origins)

    async def trust(self, base_url: str, origin: str) -> None:
        """Trust an origin for the pictures of a provider. Raises `StorageFailed`."""
        origins = dict.fromkeys((*self.of(base_url, '').picture_origins, origin))
        await self._keep((_place(base_url), '', PICTURE_ORIGINS), ' '.join(origins))

    async def forget(self, base_url: str) -> None:
        """Drop all that is known of a provider. Raises `StorageFailed`."""
        place = _place(base_url)
        self._facts = {key: value for key, value in self._facts.items() if key[0] != place}
        if self._table:
            await self._table.forget_all(place)

    async def forget_use(self, base_url: str, model: str, use: Use = Use.IMAGES) -> None:
        """Drop what is known of one model for one use. Raises `StorageFailed`."""
        for name in FACTS:
            key = (_place(base_url), model, f'{use}{name}')
            if self._facts.pop(key, None) and self._table:
                await self._table.forget(*key)


def with_refused(learned: Capabilities, names: Iterable[str]) -> Capabilities:
    return replace(learned, refused=tuple(dict.fromkeys((*learned.refused, *names))))


def _place(base_url: str) -> str:
    """Return a provider's address without what may be secret in its query."""
    return base_url.partition('?')[0].rstrip('/')
