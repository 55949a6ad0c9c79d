"""How the gallery hangs: its months, its orders, its sizes, and the part that joins."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from tests.support.album_owner import Owner
from tests.support.raw_requests import open_door
from tests.support.rows import pictured

pytestmark = pytest.mark.asyncio(loop_scope='module')

MONTH = r'data-month="([0-9-]+)"[^>]*>\w+\s+<span class="sr">\d+</span>(?:<span>(\d+))?'
MADE = ('2026-10-03', '2026-11-05', '2026-11-04', '2025-12-31', '2026-10-02', '2026-10-01')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Owner]:
    async with open_door(tmp_path_factory.mktemp('wall') / 'data') as (app, services):
        for number, day in enumerate(MADE):
            made_at = datetime.fromisoformat(f'{day}T12:00').replace(tzinfo=UTC).timestamp()
            prompt = 'a heron' if number else 'a heron and a boat'
            await pictured(services.library, prompt, made_at=made_at)
        yield Owner(app, services)


async def shown(owner: Owner, address: str) -> list[int]:
    body = (await owner.get(address)).body.decode()
    return [int(found) for found in re.findall(r'id="image-(\d+)"', body)]


async def test_the_months_beside_the_wall_are_counted_except_those_of_a_search(
    owner: Owner,
) -> None:
    months = re.compile(
        r'data-month="([0-9-]+)"[^>]*>\w+\s+<span class="sr">\d+</span>(?:<span>(\d+))?'
    )

    everything, searched = [
        months.findall((await owner.get(address)).body.decode())
        for address in ('/gallery', '/gallery?q=boat')
    ]

    assert everything == [('2026-11', '2'), ('2026-10', '3'), ('2025-12', '1')]
    assert searched == [(month, '') for month, _ in everything]


@pytest.mark.parametrize(
    ('query', 'first'),
    [
        ('month=2026-10', 1),
        ('month=2026-09', 4),
        ('month=2024-01', 4),
        ('sort=oldest&month=2026-11', 3),
        ('sort=oldest&month=2027-01', 2),
        ('q=boat&month=2026-11', 1),
        ('month=2026-13', 2),
    ],
)
async def test_a_month_leads_to_its_first_picture_or_the_nearest(
    query: str, first: int, owner: Owner
) -> None:
    assert (await shown(owner, f'/gallery?{query}'))[0] == first


async def test_a_sparse_search_is_headed_by_months(owner: Owner) -> None:
    heading = re.compile(r'<h2 class="day">([^<]*)')

    by_day = heading.findall((await owner.get('/gallery')).body.decode())
    by_month = heading.findall((await owner.get('/gallery?q=heron')).body.decode())

    assert by_day[0] == '5 November 2026'
    assert by_month == ['November 2026', 'October 2026', 'December 2025']


async def test_a_random_order_has_its_seed_in_the_address(owner: Owner) -> None:
    unseeded = await owner.get('/gallery?sort=random&q=heron')
    listed = await owner.get('/gallery.json?sort=random')

    seeded = unseeded.headers['location']
    assert re.fullmatch(r'/gallery\?sort=random&shuffle=\d+&q=heron', seeded)
    assert listed.headers['location'].startswith('/gallery.json?sort=random&shuffle=')
    assert sorted(await shown(owner, seeded)) == [1, 2, 3, 4, 5, 6]
    assert b'class="day"' not in (await owner.get(seeded)).body


async def test_a_pictures_neighbours_are_those_of_the_order(owner: Owner) -> None:
    order = await shown(owner, '/gallery?sort=random&shuffle=5')

    page = (await owner.get(f'/images/{order[2]}?sort=random&shuffle=5')).body.decode()

    assert f'data-newer="{order[1]} {order[0]}"' in page
    assert f'data-older="{" ".join(map(str, order[3:]))}"' in page


async def test_the_size_of_pictures_is_kept_without_scripts(owner: Owner) -> None:
    chosen = await owner.post('/gallery/density', density='large', query='?q=boat')
    elsewhere = await owner.post('/gallery/density', density='large', query='.evil.example')

    assert chosen.headers['location'] == '/gallery?q=boat'
    assert 'easel-density=large' in chosen.headers['set-cookie']
    assert elsewhere.headers['location'] == '/gallery'
