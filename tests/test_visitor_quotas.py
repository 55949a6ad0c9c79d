"""What a visitor may do, how much at once, and how often they may guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.access.visitors import HERE, WINDOW_S, QuotaCounter, Throttle, Visitor
from app.database.links import GuestRow

GUEST = GuestRow(
    id=1, name='Ann', token_hash='h', makes=False, sees_all=False, created_at=1.0, expires_at=None
)


def test_a_share_is_full_at_its_limit_and_empties_again() -> None:
    quotas = QuotaCounter(2)

    taken = [quotas.take('a'), quotas.take('a'), quotas.take('a'), quotas.take('b')]
    quotas.give_back('a')
    quotas.give_back('a')

    assert taken == [True, True, False, True]
    assert quotas.take('a')


def test_one_place_given_back_leaves_the_others_taken() -> None:
    quotas = QuotaCounter(2)
    for _ in range(3):
        quotas.take('a')

    quotas.give_back('a')

    assert quotas.held('a') == 2


def test_a_guess_a_whole_minute_later_counts_anew() -> None:
    moments = iter((0.0, WINDOW_S, WINDOW_S))
    throttle = Throttle(1, 9, clock=lambda: next(moments))

    waits = [throttle.take('a') for _ in range(3)]

    assert waits == [0, 0, WINDOW_S]


def test_who_guessed_right_may_guess_anew() -> None:
    throttle = Throttle(1, 1, clock=lambda: 5.0)
    throttle.take('a')

    throttle.trust('a')

    assert [throttle.take(who) for who in ('a', 'b', 'b')] == [0, 0, WINDOW_S]


@pytest.mark.parametrize(
    ('visitor', 'makes', 'only', 'changes'),
    [
        (Visitor(HERE, 'http'), False, None, []),
        (Visitor(HERE, 'http', owner=True), True, None, [None, 1, 2]),
        (Visitor(HERE, 'http', guest=replace(GUEST, makes=True)), True, 1, [1]),
        (Visitor(HERE, 'http', guest=replace(GUEST, sees_all=True)), False, None, []),
        (Visitor(HERE, 'http', guest=replace(GUEST, makes=True, sees_all=True)), True, None, [1]),
    ],
    ids=['stranger', 'owner', 'maker', 'looker', 'both'],
)
def test_what_a_visitor_may_see_and_change(
    visitor: Visitor, makes: bool, only: int | None, changes: list[int | None]
) -> None:
    assert (visitor.makes, visitor.only) == (makes, only)
    assert [one for one in (None, 1, 2) if visitor.may_change(one)] == changes


@pytest.mark.parametrize(('quota_key', 'key'), [('', HERE), ('192.168.1.20', '192.168.1.20')])
def test_guesses_from_this_machine_are_counted_together(quota_key: str, key: str) -> None:
    assert Visitor('a', 'http', quota_key=quota_key).throttle_key == key
