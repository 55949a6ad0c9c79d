"""Single values as other tools write them."""

from __future__ import annotations

import pytest

from app.storage.metadata.other_tools import real, whole


@pytest.mark.parametrize(
    ('given', 'taken'),
    [
        (7, 7),
        ('7', 7),
        (7.0, 7),
        (7.5, None),
        ('7.5', None),
        (True, None),
        (2**64 - 1, 2**64 - 1),
        (2**64, None),
        (-(2**64), None),
        (None, None),
    ],
)
def test_a_whole_number_is_one_that_a_seed_can_be(given: object, taken: int | None) -> None:
    assert whole(given) == taken


@pytest.mark.parametrize(
    ('given', 'taken'),
    [(7, 7.0), ('7.5', 7.5), ('nan', None), (10**400, None), (True, None), ('x', None)],
)
def test_a_number_is_one_that_can_be_counted_with(given: object, taken: float | None) -> None:
    assert real(given) == taken
