"""Requests at random: whatever comes, nothing is a fault of Easel itself."""

from __future__ import annotations

from pathlib import Path

from tests.support.fuzz_requests import shots
from tests.support.raw_requests import Address, open_door
from tests.support.request_fuzzer import Fired, fire, furnish, targets


async def test_no_random_request_is_answered_by_a_fault(tmp_path: Path) -> None:
    fired = Fired()

    async with open_door(tmp_path / 'data') as (app, services):
        await furnish(services)
        await fire(app, shots(targets(services), 2_000), fired)

    assert fired.faults == []
    assert {200, 303, 400, 401, 403, 404, 405, 409, 415, 422} - set(fired.statuses) == set()


def test_a_seed_gives_the_same_requests_again() -> None:
    addresses = [Address('POST', '/generations'), Address('GET', '/images/{}')]

    first, again, other = (list(shots(addresses, 50, seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other
