"""What a model takes in each field of a request, where its server's list tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# By field of a request, its names at servers; the first that a model's list has is sent.
NAMES = {
    'size': ('size', 'aspect_ratio', 'resolution'),
    'n': ('n',),
    'seed': ('seed',),
    'response_format': ('response_format',),
    'negative_prompt': ('negative_prompt',),
    'quality': ('quality',),
    'steps': ('steps', 'num_inference_steps'),
    'guidance': ('guidance', 'guidance_scale', 'cfg_scale'),
    'sampler': ('sampler', 'sampler_name'),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What one field may hold; a field that is only named may hold anything."""

    values: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    def takes(self, value: object) -> bool:
        if self.values:
            return str(value) in self.values
        if not isinstance(value, int | float):
            return True
        is_enough = self.least is None or value >= self.least
        return is_enough and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """The fields that one model takes, by their names on the wire; no other is taken."""

    fields: Mapping[str, Parameter] = field(default_factory=dict)
    streams: bool = False  # whether partial pictures can be had

    def name_of(self, field_name: str) -> str:
        """Return the name on the wire of a request's field; empty where it is not taken."""
        return next((name for name in NAMES[field_name] if name in self.fields), '')

    def of(self, field_name: str) -> Parameter | None:
        """Return what a request's field may hold; None where it is not taken."""
        return self.fields.get(self.name_of(field_name))
