"""A label that is read from a file, into which anybody may have written."""

from __future__ import annotations

import math

import pytest

from app.storage.metadata.label import MOST_ID, checked_label


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


DIGEST = 'a' * 64


@pytest.mark.parametrize(
    ('name', 'text', 'is_taken'),
    [
        ('sources', f'7:{DIGEST} 9:', True),
        ('sources', f'{MOST_ID}:{DIGEST}', True),
        ('sources', f'{MOST_ID + 1}:{DIGEST}', False),
        ('sources', f'0:{DIGEST}', False),
        ('sources', f'-7:{DIGEST}', False),
        ('sources', f'7:{DIGEST[1:]}', False),
        ('sources', f'7:{DIGEST.upper()}', False),
        ('sources', '7', False),
        ('sources', f'٧:{DIGEST}', False),
        ('sources', ' '.join(f'{number}:{DIGEST}' for number in range(1, 18)), False),
        ('laid_back_from', f'7:{DIGEST}', True),
        ('laid_back_from', f'7:{DIGEST} 9:{DIGEST}', False),
        ('mask', DIGEST, True),
        ('mask', f'../{DIGEST}', False),
        ('mask', DIGEST.upper(), False),
        ('paste_back', 1, True),
        ('paste_back', 2, False),
        ('strength', 0.6, True),
        ('strength', 1.1, False),
        ('changed_outside_mask', 1.0, True),
        ('changed_outside_mask', -0.1, False),
        ('changed_outside_mask', math.nan, False),
    ],
)
def test_an_origin_is_taken_where_it_can_be_meant(
    name: str, text: str | float, *, is_taken: bool
) -> None:
    label = checked_label({name: text}, 1.0)

    assert getattr(label, name) == (text if is_taken else None)
