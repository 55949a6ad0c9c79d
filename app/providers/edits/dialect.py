"""The dialect of the ways that are one body and one path, and what it does about a refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from app.errors import ErrorKind, Failure
from app.models.request import GenerationRequest
from app.providers.core.base import WIRE_NAMES, Run
from app.providers.core.capabilities import Capabilities
from app.providers.dialects.base import INSTEAD, ParameterFallback, filled
from app.providers.dialects.openai import ImagesApi
from app.providers.edits.ways import BodyWay
from app.providers.transport.caller import Caller
from app.providers.transport.collect import ImageCollector

ONLY_ONE = 'image_url'  # a field that holds no list
_OF_THE_NAME = re.compile(
    r'(?i)unknown|unhandled|unrecogni|unexpected|extra|forbidden|missing|required|unsupported|'
    r'(not|n.t) (be )?(allowed|support|permit|known)'
)


class EditsApi(ImagesApi):
    """Asks by one way."""

    def __init__(self, caller: Caller, collector: ImageCollector, way: BodyWay) -> None:
        super().__init__(caller, collector)
        self.encode = way.encode
        self._way = way

    def path_of(self, request: GenerationRequest) -> str:
        model = quote((request.model or '').removeprefix('models/').removesuffix('/edit'))
        return self._way.path.replace('{model}', model)

    def fields(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        if not run.edit:
            raise ValueError('there is nothing to start from')
        fields = filled(self._way.fields(request, run.edit, base_url)).items()
        return {
            name: value
            for name, value in fields
            if WIRE_NAMES.get(name, name) not in self._way.unsupported
        }

    def unused(self, request: GenerationRequest, run: Run) -> list[str]:
        """Name also the size of what it starts from, where a square is drawn of another."""
        way, first = self._way, run.edit and run.edit.sources[0]
        names = (*way.unsupported, *(() if way.takes_mask else ('mask',)))
        unused = [name for name in names if getattr(request, name) not in (None, '', 1)]
        is_scaled = way.side and first and (first.width, first.height) != (way.side, way.side)
        return ['size', *unused] if is_scaled else unused

    def fallback(self, body: dict[str, object], learned: Capabilities) -> ParameterFallback:
        return EditFallback(body, learned, dict(self._way.spellings))


class EditFallback(ParameterFallback):
    """The body of one edit; the field of a picture is spelled otherwise, and never left out."""

    def __init__(
        self, body: dict[str, object], learned: Capabilities, spellings: Mapping[str, str]
    ) -> None:
        super().__init__(body, learned)
        self._spellings = spellings
        for name, other in spellings.items():
            if _as_spelled(name, other) in learned.refused and self._fits(name, other):
                self._rename(name, other)
        self._leave_out_known()  # the other name too, where that is refused as well

    def mend(self, failure: Failure) -> bool:
        """Change the body; a mask is left out only where its field is no field of the server."""
        name = failure.param or ''
        wish = WIRE_NAMES.get(name, name)
        if failure.kind is not ErrorKind.UNSUPPORTED_PARAM or wish not in ('sources', 'mask'):
            return super().mend(failure)
        if not is_of_the_name(failure):
            return False
        other = self._spellings.get(name, '')
        if name in self.body and other and self._fits(name, other):
            self._facts.append(_as_spelled(name, other))
            self._rename(name, other)
            return True
        return wish == 'mask' and super().mend(failure)

    def _fits(self, name: str, other: str) -> bool:
        value = self.body.get(name)
        return other != ONLY_ONE or not isinstance(value, list) or len(value) == 1

    def _rename(self, name: str, other: str) -> None:
        """Send a field by another name, for which there is then no other one."""
        self._spellings = {
            one: second for one, second in self._spellings.items() if one not in (name, other)
        }
        self.body, self.wished = (
            {other if one == name else one: value for one, value in fields.items()}
            for fields in (self.body, self.wished)
        )
        value = self.body.get(other)
        if other == ONLY_ONE and isinstance(value, list):
            self.body[other] = self.wished[other] = value[0]


def is_of_the_name(failure: Failure) -> bool:
    """Whether a refusal means a field's name, and not the picture in it."""
    is_said = failure.http_status == 400 and _OF_THE_NAME.search(failure.words) is not None
    return is_said or failure.http_status == 422


def _as_spelled(name: str, other: str) -> str:
    return f'{name}{INSTEAD}{other}'
