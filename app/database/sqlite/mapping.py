"""Conversions between rows and models."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import cast

from app.cost import read_cost
from app.database.sqlite.connection import Row, Value, builder
from app.errors import ErrorKind, Failure
from app.models import Call, Generation, Image, Status
from app.models.request import REQUEST_FIELDS, GenerationRequest, ResponseFormat, Size

SEEDS = 1 << 64
PLAIN_COLUMNS = (
    *('id', 'attempt', 'provider', 'model', 'progress', 'guest'),
    *('created_at', 'started_at', 'finished_at', 'dismissed_at', 'destroyed'),
)


def image_of(row: Row) -> Image:
    albums = tuple(json.loads(str(row['albums'])))
    sources = _ids_of(row['sources'])
    told = {'seed': _unsigned(row['seed']), 'albums': albums, 'sources': sources}
    image = _image_of({**row, **told})
    return replace(image, cost=read_cost(str(image.cost))) if image.cost else image


def generation_of(row: Row, images: tuple[Image, ...] = ()) -> Generation:
    asked: dict[str, object] = {
        name: row[rule.column or name] for name, rule in REQUEST_FIELDS.items()
    }
    asked['size'] = Size.parse(str(row['size'])) if row['size'] else None
    asked['sources'] = _ids_of(row['sources'])
    chosen = row['response_format']
    asked['response_format'] = ResponseFormat(str(chosen)) if chosen else None
    asked['seed'] = _unsigned(row['seed'])
    own: dict[str, object] = {name: row[name] for name in PLAIN_COLUMNS}
    return Generation(
        **own,  # type: ignore[arg-type]
        status=Status(str(row['status'])),
        request=GenerationRequest(**asked),  # type: ignore[arg-type]
        dropped=tuple(json.loads(str(row['dropped']))),
        item_errors=tuple(_failure_of(item) for item in json.loads(str(row['item_errors']))),
        error=_failure_of(json.loads(str(row['error']))) if row['error'] else None,
        images=images,
    )


def call_of(row: Row) -> Call:
    fields = dict(row)
    pairs = cast('list[list[str]]', json.loads(str(row['headers'])))
    fields['headers'] = tuple((name, value) for name, value in pairs)  # type: ignore[assignment]
    fields['dropped'] = tuple(json.loads(str(row['dropped'])))  # type: ignore[assignment]
    fields['cost'] = read_cost(str(row['cost'] or ''))  # type: ignore[assignment]
    return Call(**fields)  # type: ignore[arg-type]


def request_columns(request: GenerationRequest) -> Row:
    asked = {rule.column or name: getattr(request, name) for name, rule in REQUEST_FIELDS.items()}
    size = str(request.size) if request.size else None
    sources = json.dumps(request.sources) if request.sources else None
    return asked | {'size': size, 'seed': signed(request.seed), 'sources': sources}


def signed(seed: int | None) -> int | None:
    """Return the number that SQLite keeps for a seed: it has 64 bits, but a sign."""
    return seed if seed is None or seed < SEEDS // 2 else seed - SEEDS


def failure_fields(failure: Failure) -> dict[str, object]:
    """Return a failure's fields without those that are empty."""
    return {name: value for name, value in asdict(failure).items() if value not in (None, '', ())}


def _ids_of(kept: Value) -> tuple[int, ...]:
    return tuple(json.loads(str(kept))) if kept else ()


def _unsigned(kept: Value) -> int | None:
    return kept % SEEDS if isinstance(kept, int) else None


_image_of = builder(Image, 'favourite')


def _failure_of(fields: dict[str, object]) -> Failure:
    kind, offers = ErrorKind(str(fields['kind'])), cast('list[str]', fields.get('offers', []))
    return Failure(**{**fields, 'kind': kind, 'offers': tuple(offers)})  # type: ignore[arg-type]
