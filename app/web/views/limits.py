"""What the model of the form takes in each field, where its server's list tells it."""

from __future__ import annotations

from dataclasses import dataclass

from app.providers.core.parameters import NAMES, ModelParameters
from app.providers.dialects.sizes import sizes_in
from app.providers.registry import Providers


@dataclass(frozen=True, slots=True)
class Limit:
    """What one field may hold: one of some values, or a number in a range; else anything."""

    taken: bool = True
    values: tuple[str, ...] = ()
    least: str = ''  # as a form writes it; empty: no limit
    most: str = ''

    @property
    def range(self) -> str:
        """A range in short, `1–50`; empty where there is none."""
        return f'{self.least}–{self.most}' if self.least or self.most else ''

    def allows(self, number: int) -> bool:
        """Whether so many pictures can be asked for; one always can."""
        return number == 1 or (self.taken and not (self.most and number > float(self.most)))


NO_LIMIT = Limit()


class Limits:
    """The limits of every field of a request; none where nothing is told."""

    def __init__(self, told: ModelParameters | None = None) -> None:
        self._fields = {} if told is None else {name: _limit_of(name, told) for name in NAMES}

    def of(self, name: str) -> Limit:
        return self._fields.get(name, NO_LIMIT)

    def as_json(self) -> dict[str, object]:
        return {
            name: {'values': one.values, 'least': one.least, 'most': one.most}
            if one.taken
            else None
            for name, one in self._fields.items()
        }


def limits_of(providers: Providers, provider: str, model: str) -> Limits:
    """Return the limits of a model at the provider that will draw; no name is any provider."""
    for one in providers.eligible(provider, model or None):
        told = one.status.parameters.get(model or one.settings.model)
        if told:
            return Limits(told)
    return Limits()


def _limit_of(name: str, told: ModelParameters) -> Limit:
    parameter = told.of(name)
    if name == 'size':
        is_taken = any(one in told.fields for one in NAMES['size'])
        return Limit(is_taken, tuple(str(size) for size in sizes_in(told)))
    if parameter is None:
        return Limit(taken=False)
    return Limit(True, parameter.values, _written(parameter.least), _written(parameter.most))


def _written(number: float | None) -> str:
    return '' if number is None else f'{number:.15g}'
