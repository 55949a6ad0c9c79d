"""Rows for pictures whose files are there: ids stay where they can, nothing is taken over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.database import Library
from app.database.gallery.filters import Filter
from app.database.recovery import Attached, Fate, ToldImage, highest_ids_in
from app.models import Generation, PictureIds, Status
from app.models.request import GenerationRequest
from tests.support.rows import drawn, failed, kept, pictured, running, submitted

TOLD = Generation(
    id=17,
    status=Status.DONE,
    attempt=1,
    request=GenerationRequest(prompt='a cat'),
    provider='g4f',
    model='flux',
    created_at=5.0,
)


def told(
    digest: str = 'd', image: int | None = None, position: int = 0, **changes: object
) -> ToldImage:
    generation = replace(TOLD, **changes)  # type: ignore[arg-type]
    return ToldImage(generation, replace(kept(digest), id=image, created_at=5.0), position)


async def attach(library: Library, *images: ToldImage) -> list[tuple[str, int, int]]:
    attached = await library.recovery.attach(images)
    return [(str(one.fate), one.image_id, one.generation_id) for one in attached]


async def test_a_generation_that_is_missing_is_written_with_the_ids_that_it_had(
    library: Library,
) -> None:
    attached = await attach(library, told('a', 31), told('b', 33, position=2))

    found = await library.generations.one(17)
    assert attached == [('attached', 31, 17), ('attached', 33, 17)]
    assert (found.status, found.model, found.finished_at) == (Status.DONE, 'flux', 5.0)
    assert (found.request.n, found.created_at) == (2, 5.0)
    assert [(image.id, image.position) for image in found.images] == [(31, 0), (33, 2)]
    assert await library.counters.total(Filter()) == 2


async def test_ids_and_positions_that_are_taken_are_replaced_by_new_ones(library: Library) -> None:
    await library.recovery.raise_ids(PictureIds(image=40))

    attached = await attach(library, told('a', 31), told('b', 31), told('c'))

    images = (await library.generations.one(17)).images
    assert attached == [('attached', 31, 17), ('attached', 41, 17), ('attached', 42, 17)]
    assert [image.position for image in images] == [0, 1, 2]


async def test_another_prompt_under_the_same_id_is_a_generation_of_its_own(
    library: Library,
) -> None:
    dog = GenerationRequest(prompt='a dog')

    first, *others = await attach(
        library, told('a'), told('b', request=dog), told('c', position=1, request=dog)
    )

    assert first[2] == 17
    assert [generation_id for *_, generation_id in others] == [18, 18]
    assert (await library.generations.one(18)).request == replace(dog, n=2)


async def test_a_copy_of_a_picture_that_has_a_row_is_known(library: Library) -> None:
    [first] = await library.recovery.attach([told('a', 31)])

    again = await library.recovery.attach([told('a', 31), told('a', 99), told('b', 31)])

    assert first.fate is Fate.ATTACHED
    assert [one.fate for one in again] == [Fate.COPY, Fate.COPY, Fate.ATTACHED]


async def test_what_was_interrupted_or_failed_is_done_with_what_came(library: Library) -> None:
    claimed = await running(library)
    await library.generations.interrupt_running(9.0)
    lost = await running(library)
    await library.generations.finish(lost, failed(), 9.0)

    attached = await attach(
        library, told('a', id=claimed.id), told('b', id=lost.id, created_at=4.0)
    )

    assert [fate for fate, *_ in attached] == ['attached', 'attached']
    for one in (claimed, lost):
        found = await library.generations.one(one.id)
        assert (found.status, found.error, len(found.images)) == (Status.DONE, None, 1)
        assert found.started_at == 2.0
    assert found.finished_at == 4.0


async def test_what_waits_or_runs_is_left_alone(library: Library) -> None:
    waiting, claimed = await submitted(library), await running(library)

    attached = await attach(library, told('a', id=waiting.id), told('b', id=claimed.id))

    assert [fate for fate, *_ in attached] == ['waits', 'waits']
    assert await library.generations.finish(claimed, drawn(kept('c')), 9.0)


async def test_one_that_is_refused_costs_no_other(library: Library) -> None:
    bad = replace(kept('bad'), width=None)  # type: ignore[arg-type]

    refused, attached = await library.recovery.attach(
        [ToldImage(TOLD, bad, 0), told('a', 31, request=GenerationRequest(prompt='a fox'))]
    )

    assert refused.fate is Fate.REFUSED
    assert 'width' in refused.reason
    assert attached == Attached(Fate.ATTACHED, 31, 17)


async def test_ids_up_to_the_highest_are_never_given(library: Library, tmp_path: Path) -> None:
    nothing = highest_ids_in(tmp_path / 'none.db')
    await library.recovery.raise_ids(PictureIds(image=50, generation=60))
    await library.recovery.raise_ids(PictureIds(image=7, generation=7))

    image = await pictured(library)
    reserved = await library.images.reserve()

    assert nothing == PictureIds()
    assert (image.id, image.generation_id, reserved) == (51, 61, 52)
    assert highest_ids_in(tmp_path / 'easel.db') == PictureIds(52, 61)
