"""Checks what a picture's label says as any input: anybody may have written into the file."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Mapping
from pathlib import Path

from app.models import (
    LONGEST_PROMPT,
    LONGEST_TEXT,
    MOST_SIDE,
    REQUEST_FIELDS,
    FieldKind,
    FieldRule,
    Size,
)
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.label import NAMESPACE, NOT_IN_TEXT, STANDS_IN, Label

Settings = Mapping[str, str | int | float]

MOST_ID = 1 << 48  # above it no room would be left for the ids to come
MOST_POSITION = 1_000
LATEST_S = 253_370_764_800  # the year 9999, the last that a date can be of
LONGEST_ADDRESS = 2_000


def checked_label(settings: Settings, otherwise_at: float) -> Label:
    """Return a label of the values that are within their limits, without the others.

    Args:
        settings: What was read inside the file.
        otherwise_at: When the picture was made if the label cannot tell, in seconds since 1970.

    Returns:
        A label whose ids are 0 and None where they are not known.
    """
    created_at = _real(settings, 'created_at', LATEST_S)
    if created_at is None:
        created_at = min(max(otherwise_at, 0.0), float(LATEST_S))
    asked = {
        name: _checked(settings, name, rule)
        for name, rule in REQUEST_FIELDS.items()
        if rule.in_pictures
    }
    return Label(
        **asked | {'prompt': asked['prompt'] or ''},  # type: ignore[arg-type]
        provider=_text(settings, 'provider', LONGEST_TEXT) or '',
        created_at=created_at,
        generation_id=_whole(settings, 'generation_id', MOST_ID) or 0,
        position=_whole(settings, 'position', MOST_POSITION) or 0,
        image_id=_whole(settings, 'image_id', MOST_ID) or None,
        revised_prompt=_text(settings, 'revised_prompt', LONGEST_PROMPT),
        asked_size=_size(settings),
        source_url=_text(settings, 'source_url', LONGEST_ADDRESS),
    )


def carries_label(picture: Path) -> bool:
    """Check whether Easel wrote a label into a picture or beside it, readable or not."""
    if sidecar_of(picture).exists():
        return NAMESPACE.encode() in sidecar_of(picture).read_bytes()
    with picture.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return whole.find(NAMESPACE.encode()) >= 0


def _checked(settings: Settings, name: str, rule: FieldRule) -> str | int | float | None:
    if rule.kind is FieldKind.WHOLE:
        value = _whole(settings, name, rule.most)
        return value if value is not None and value >= rule.least else None
    if rule.kind is FieldKind.DECIMAL:
        return _real(settings, name, rule.most)
    return _text(settings, name, rule.most)


def _text(settings: Settings, name: str, longest: int) -> str | None:
    value = settings.get(name)
    return None if value is None else NOT_IN_TEXT.sub(STANDS_IN, str(value))[:longest]


def _whole(settings: Settings, name: str, most: int) -> int | None:
    value = settings.get(name)
    return value if isinstance(value, int) and 0 <= value <= most else None


def _real(settings: Settings, name: str, most: float) -> float | None:
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value <= most else None


def _size(settings: Settings) -> str | None:
    with contextlib.suppress(ValueError):
        size = Size.parse(str(settings.get('asked_size', '')))
        if 0 < size.width <= MOST_SIDE and 0 < size.height <= MOST_SIDE:
            return str(size)
    return None
