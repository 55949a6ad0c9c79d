"""A label that is read from a file, into which anybody may have written."""

from __future__ import annotations

import math

import pytest

from app.storage.metadata.label import checked_label


@pytest.mark.parametrize(
    ('size', 'taken'),
    [
        ('512x384', '512x384'),
        ('16384x1', '16384x1'),
        ('0x384', None),
        ('512x0', None),
        ('16385x1', None),
        ('1x16385', None),
        ('512', None),
    ],
)
def test_a_size_is_taken_where_a_picture_can_have_it(size: str, taken: str | None) -> None:
    assert checked_label({'asked_size': size}, 1.0).asked_size == taken


@pytest.mark.parametrize(
    ('guidance', 'taken'), [(7.5, 7.5), (4, 4.0), (math.nan, None), (math.inf, None), ('7', None)]
)
def test_a_number_is_taken_where_it_can_be_meant(
    guidance: str | float, taken: float | None
) -> None:
    assert checked_label({'guidance': guidance}, 1.0).guidance == taken
