"""Guests' links, without a server: how long each opens, and for whom."""

from __future__ import annotations

import pytest

from app.access.guests import Guests
from app.database import Library
from app.errors import NotFound


@pytest.mark.parametrize(
    ('for_s', 'later_s', 'opens'),
    [(10.0, 9.0, True), (10.0, 10.0, False), (None, 1e9, True)],
    ids=['before its end', 'at its end', 'for ever'],
)
async def test_a_link_opens_for_as_long_as_it_was_made(
    for_s: float | None, later_s: float, opens: bool, library: Library
) -> None:
    now = [100.0]
    guests = Guests(library.guests, clock=lambda: now[0])
    token = await guests.invite('Ann', makes=True, sees_all=False, for_s=for_s)

    now[0] += later_s

    assert (guests.by_token(token) is not None) is opens
    assert (guests.one(1) is not None) is opens
    assert guests.name_of(1) == 'Ann'


async def test_a_link_opens_for_its_own_guest_alone(library: Library) -> None:
    guests = Guests(library.guests)
    tokens = [
        await guests.invite(name, makes=makes, sees_all=not makes, for_s=None)
        for name, makes in (('Ann', True), ('Ben', False))
    ]

    found = [guests.by_token(token) for token in (*tokens, 'a guess')]

    assert [one and (one.name, one.makes, one.sees_all) for one in found] == [
        ('Ann', True, False),
        ('Ben', False, True),
        None,
    ]


async def test_a_revoked_link_opens_nothing_and_its_name_stays(library: Library) -> None:
    guests = Guests(library.guests)
    tokens = [
        await guests.invite(name, makes=True, sees_all=True, for_s=None) for name in ('Ann', 'Ben')
    ]

    await guests.revoke(1)

    assert [guests.by_token(token) is None for token in tokens] == [True, False]
    assert guests.name_of(1) == 'Ann'
    assert guests.name_of(3) == ''
    with pytest.raises(NotFound):
        await guests.revoke(3)


async def test_guests_are_known_after_the_next_start(library: Library) -> None:
    token = await Guests(library.guests).invite('Ann', makes=True, sees_all=True, for_s=None)

    again = await Guests(library.guests).load()

    assert again.by_token(token)
    assert [row.name for row in again.all()] == ['Ann']
    assert token not in repr(again.all())
