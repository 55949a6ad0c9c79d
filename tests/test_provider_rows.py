"""The table of the providers that were added in Settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Library
from app.database.providers import ProviderRow
from app.errors import NotFound
from app.models.request import GenerationRequest
from app.web.views.provider_form import NEW


def row(name: str) -> ProviderRow:
    return replace(NEW, name=name, base_url=f'http://{name}/v1')


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    opened = await Library.open(tmp_path / 'easel.db')
    yield opened
    await opened.close()


async def names(library: Library) -> list[str]:
    return [one.name for one in await library.providers.all()]


async def test_a_row_is_read_back_whole(library: Library) -> None:
    full = replace(
        row('a'), dialect='sdapi', model='flux', at_once=1, timeout_s=0.5, tops_up=True, waits=True
    )

    added = await library.providers.add(full)

    assert added == replace(full, id=added.id)
    assert await library.providers.all() == (added,)


async def test_an_id_is_never_used_again(library: Library) -> None:
    first = await library.providers.add(row('a'))
    await library.providers.remove(first.id or 0)

    second = await library.providers.add(row('b'))

    assert second.id != first.id


@pytest.mark.parametrize(
    ('moved', 'by', 'order'), [('c', -1, 'acb'), ('a', 1, 'bac'), ('a', -1, 'abc'), ('c', 1, 'abc')]
)
async def test_the_order_is_the_person_s(moved: str, by: int, order: str, library: Library) -> None:
    ids = {name: (await library.providers.add(row(name))).id for name in 'abc'}

    await library.providers.move(ids[moved] or 0, by)

    assert await names(library) == list(order)


async def test_what_waits_for_it_follows_a_new_name(library: Library) -> None:
    added = await library.providers.add(row('old'))
    request = GenerationRequest(prompt='a', provider='old')
    sent = await library.generations.submit(request, provider='old', submission=None, now=1.0)

    await library.providers.change(replace(added, name='new'))

    waiting = await library.generations.one(sent.generation.id)
    assert (waiting.request.provider, waiting.provider) == ('new', 'new')


async def test_what_floats_still_floats_after_a_new_name(library: Library) -> None:
    added = await library.providers.add(row('old'))
    sent = await library.generations.submit(
        GenerationRequest(prompt='a'), provider='old', submission=None, now=1.0
    )

    await library.providers.change(replace(added, name='new'))

    waiting = await library.generations.one(sent.generation.id)
    assert (waiting.request.provider, waiting.provider) == ('', 'new')


async def test_what_is_not_there_is_named(library: Library) -> None:
    for act in (
        library.providers.change(replace(row('a'), id=7)),
        library.providers.remove(7),
        library.providers.move(7, 1),
    ):
        with pytest.raises(NotFound):
            await act


async def test_a_new_one_comes_last_whatever_was_moved(library: Library) -> None:
    ids = {name: (await library.providers.add(row(name))).id for name in 'abc'}
    await library.providers.move(ids['c'] or 0, -1)

    await library.providers.add(row('d'))

    assert await names(library) == list('acbd')
