"""Conversions between rows and models."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import cast

from app.database.connection import Row
from app.errors import ErrorKind, Failure
from app.models import (
    REQUEST_FIELDS,
    Generation,
    GenerationRequest,
    Image,
    ResponseFormat,
    Size,
    Status,
)


def generation_of(row: Row, images: tuple[Image, ...] = ()) -> Generation:
    """Read a row of `generations`."""
    asked: dict[str, object] = {
        name: row[rule.column or name] for name, rule in REQUEST_FIELDS.items()
    }
    asked['size'] = Size.parse(str(row['size'])) if row['size'] else None
    asked['response_format'] = _format_of(row)
    request = GenerationRequest(**asked)  # type: ignore[arg-type]
    return Generation(
        id=cast('int', row['id']),
        status=Status(str(row['status'])),
        attempt=cast('int', row['attempt']),
        request=request,
        provider=cast('str', row['provider']),
        model=cast('str | None', row['model']),
        created_at=cast('float', row['created_at']),
        started_at=cast('float | None', row['started_at']),
        finished_at=cast('float | None', row['finished_at']),
        progress=cast('float | None', row['progress']),
        dropped=tuple(json.loads(str(row['dropped']))),
        item_errors=tuple(_failure_of(item) for item in json.loads(str(row['item_errors']))),
        error=_failure_of(json.loads(str(row['error']))) if row['error'] else None,
        guest=cast('int | None', row['guest']),
        images=images,
    )


def image_of(row: Row) -> Image:
    """Read a row of `images` joined with its generation's prompt."""
    fields = dict(row)
    fields['favourite'] = bool(row['favourite'])
    return Image(**fields)  # type: ignore[arg-type]


def request_columns(request: GenerationRequest) -> Row:
    """Return a request as the columns of `generations`."""
    asked = {rule.column or name: getattr(request, name) for name, rule in REQUEST_FIELDS.items()}
    return asked | {'size': str(request.size) if request.size else None}


def failure_text(failure: Failure) -> str:
    """Return a failure as the JSON of a row."""
    return json.dumps(failure_fields(failure), ensure_ascii=False)


def failure_fields(failure: Failure) -> dict[str, object]:
    """Return a failure's fields without those that are empty."""
    return {name: value for name, value in asdict(failure).items() if value not in (None, '')}


def _format_of(row: Row) -> ResponseFormat | None:
    return ResponseFormat(str(row['response_format'])) if row['response_format'] else None


def _failure_of(fields: dict[str, object]) -> Failure:
    return Failure(**{**fields, 'kind': ErrorKind(str(fields['kind']))})  # type: ignore[arg-type]
