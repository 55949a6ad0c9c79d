"""Acts on many pictures: in pieces, taken back exactly, and gone on with after a restart."""

from __future__ import annotations

import pytest

from app.database import Library
from app.database.acts.kinds import ABOVE_ALL, PIECE, Act, ActKind, ActState, NewAct
from app.database.acts.pieces import UNDOES
from app.database.gallery.filters import Filter
from app.database.search.index import MOST_OF_AN_ACT
from app.database.sqlite.connection import select
from app.errors import Conflict, NotFound
from app.gallery.acts import PIECE_S, next_limit
from tests.support.many_pictures import many

COUNT = 2 * PIECE + 10
UNDOABLE = tuple(UNDOES)


async def begun(library: Library, kind: ActKind, album: int | None = None) -> Act:
    """Begin an act on all pictures, in the trash or not."""
    act = await library.acts.begin(new := NewAct(kind=kind, album=album), COUNT, 9.0)
    shown = Filter(deleted=kind in (ActKind.RESTORE, ActKind.DESTROY))
    parts = await library.acts.chosen(shown, ABOVE_ALL) or ['[]']
    for number, part in enumerate(parts, start=1):
        act = await library.acts.choose(act.id, new, part, last=number == len(parts))
    return act


async def finished(library: Library, act: Act) -> Act:
    while act.state.unfinished:
        act = (await library.acts.step(act.id, 9.0)).act
    return act


async def state_of(library: Library) -> list[object]:
    """Return all that acts change of every picture, and the counters that triggers keep."""

    def read(db: object) -> list[object]:
        return [
            [tuple(row.values()) for row in select(db, sql)]  # type: ignore[arg-type]
            for sql in (
                'select id, favourite, deleted_at from images order by id',
                'select album, image, added_at from album_images order by 1, 2',
                'select * from tallies where images > 0 order by 1, 2, 3, 4, 5, 6, 7',
                'select * from disk_use where images > 0 order by 1, 2',
            )
        ]

    return await library.database.read(read)


async def prepared(library: Library) -> int:
    """Keep pictures of every kind: some favourites, some in the trash, some in an album."""
    await many(library, COUNT)
    await library.database.run("insert into albums (id, name, created_at) values (5, 'cats', 1.0)")
    await library.database.run('update images set favourite = 1 where id % 3 = 0')
    await library.database.run('update images set deleted_at = 1000.5 + id where id % 4 = 0')
    await library.database.run(
        """
        insert into album_images (album, sort_key, image, added_at)
        select 5, sort_key, id, id + 0.5
        from images
        where id % 5 = 0
        """
    )
    return 5


@pytest.mark.parametrize('kind', UNDOABLE)
async def test_an_act_is_taken_back_exactly(kind: ActKind, library: Library) -> None:
    album = await prepared(library)
    before = await state_of(library)

    done = await finished(library, await begun(library, kind, album))
    between = await state_of(library)
    undone = await finished(library, await library.acts.undo(done.id))

    assert (done.state, undone.state) == (ActState.DONE, ActState.UNDONE)
    assert 0 < done.changed == done.handled
    assert between != before
    assert await state_of(library) == before


@pytest.mark.parametrize('kind', UNDOABLE)
async def test_an_act_that_runs_is_taken_back_as_far_as_it_came(
    kind: ActKind, library: Library
) -> None:
    await prepared(library)
    for other in (UNDOES[kind], UNDOES[kind]):  # so that there is enough to do
        await finished(library, await begun(library, other, 5))
    before = await state_of(library)
    act = await begun(library, kind, 5)

    first = (await library.acts.step(act.id, 9.0)).act
    between = await state_of(library)
    await finished(library, await library.acts.undo(act.id))

    assert (first.state, first.changed) == (ActState.RUNNING, PIECE)
    assert between != before
    assert await state_of(library) == before


async def test_what_was_changed_since_stays_as_it_is(library: Library) -> None:
    await many(library, 4)
    act = await finished(library, await begun(library, ActKind.DELETE))
    await library.images.set_deleted(2, None)
    await library.images.set_deleted(2, 77.0)
    await library.images.set_deleted(3, None)

    await finished(library, await library.acts.undo(act.id))

    deleted = [(await library.images.one(number)).deleted_at for number in (1, 2, 3, 4)]
    assert deleted == [None, 77.0, None, None]


async def test_an_act_leaves_alone_what_a_later_one_was_about(library: Library) -> None:
    await many(library, COUNT)
    long = await begun(library, ActKind.FAVOURITE)
    new = NewAct(kind=ActKind.UNFAVOURITE)

    short = await library.acts.begin(new, 2, 9.0)
    await finished(library, await library.acts.choose(short.id, new, '[1, 2]', last=True))
    await finished(library, long)

    marked = [(await library.images.one(number)).favourite for number in (1, 2, 3)]
    assert marked == [False, False, True]


@pytest.mark.parametrize('kind', [ActKind.DELETE, ActKind.ADD])
async def test_an_act_that_is_asked_for_twice_leaves_the_first_to_be_undone(
    kind: ActKind, library: Library
) -> None:
    await prepared(library)
    before = await state_of(library)

    first = await begun(library, kind, 5)
    await library.acts.step(first.id, 9.0)
    second = await finished(library, await begun(library, kind, 5))
    await finished(library, first)

    for act in (second, first):
        await finished(library, await library.acts.undo(act.id))
    assert await state_of(library) == before


async def test_an_act_is_undone_once(library: Library) -> None:
    await many(library, 3)
    act = await finished(library, await begun(library, ActKind.DELETE))
    await finished(library, await library.acts.undo(act.id))
    await finished(library, await begun(library, ActKind.DELETE))

    again = await library.acts.undo(act.id)

    assert again.state is ActState.UNDONE
    assert (await library.images.one(1)).deleted_at == 9.0


async def test_only_what_was_there_is_among_all_that_match(library: Library) -> None:
    await many(library, 6)

    parts = await library.acts.chosen(Filter(), 4)

    assert parts == ('[1,2,3,4]',)


async def test_a_guests_act_is_about_their_own(library: Library) -> None:
    await many(library, 3)
    await library.database.run("""
        insert into guests (id, name, token_hash, makes, sees_all, created_at)
        values (7, 'g', 't', 1, 1, 0)
        """)
    await library.database.run('update images set guest = 7 where id = 2')
    new = NewAct(kind=ActKind.DELETE, guest=7)

    act = await library.acts.begin(new, 3, 9.0)
    act = await finished(library, await library.acts.choose(act.id, new, '[1,2,3]', last=True))

    assert act.changed == 1
    assert [(await library.images.one(n)).deleted_at for n in (1, 2, 3)] == [None, 9.0, None]


async def test_a_guest_takes_nothing_out_of_the_owners_acts(library: Library) -> None:
    await many(library, 3)
    owners = await library.acts.begin(new := NewAct(kind=ActKind.DELETE), 3, 9.0)
    owners = await library.acts.choose(owners.id, new, '[1,2,3]', last=True)
    await library.database.run("""
        insert into guests (id, name, token_hash, makes, sees_all, created_at)
        values (7, 'g', 't', 1, 1, 0)
        """)

    guests = await library.acts.begin(new := NewAct(kind=ActKind.RESTORE, guest=7), 3, 9.0)
    await library.acts.choose(guests.id, new, '[1,2,3]', last=True)

    assert (await finished(library, owners)).changed == 3


async def test_pictures_without_a_file_are_not_restored(library: Library) -> None:
    await many(library, 3)
    await finished(library, await begun(library, ActKind.DELETE))
    act = await begun(library, ActKind.RESTORE)

    files = await library.acts.next_files(act.id)
    act = (await library.acts.step(act.id, 9.0, [2])).act

    assert files[0] == (3, '2026/11/29/3.png')
    assert (act.state, act.changed, act.missing) == (ActState.DONE, 2, 1)
    assert [(await library.images.one(n)).deleted_at for n in (1, 2, 3)] == [None, 9.0, None]


async def test_what_was_done_long_ago_cannot_be_undone(library: Library) -> None:
    await many(library, 3)
    old = await finished(library, await begun(library, ActKind.DELETE))
    running = await begun(library, ActKind.RESTORE)

    while await library.acts.forget(10.0):
        pass

    with pytest.raises(NotFound):
        await library.acts.undo(old.id)
    assert (await library.acts.undo(running.id)).state is ActState.UNDOING


async def test_destroying_leaves_nothing_but_a_word_and_the_files_to_remove(
    library: Library,
) -> None:
    await prepared(library)
    deleted = await library.acts.chosen(Filter(deleted=True), ABOVE_ALL)

    act = await finished(library, await begun(library, ActKind.DESTROY))

    left = await state_of(library)
    assert act.changed == COUNT // 4
    with pytest.raises(NotFound):
        await library.images.one(4)
    with pytest.raises(Conflict):
        await library.acts.undo(act.id)
    assert (await library.removals.after(''))[0].file.startswith('2026/11/29/')
    assert await library.database.all(
        lambda row: row['destroyed'], 'select distinct destroyed from generations'
    ) == (1, 0)
    assert await library.acts.chosen(Filter(deleted=True), ABOVE_ALL) == ()
    assert sum(row[-1] for row in left[2] if row[:2] == (5, 1)) == 0  # type: ignore[attr-defined]
    assert deleted


async def test_the_pieces_of_an_act_leave_few_segments_in_the_index(library: Library) -> None:
    await prepared(library)
    await library.database.run(
        "insert into image_words (image_words, rank) values ('crisismerge', 1000)"
    )
    act = await begun(library, ActKind.FAVOURITE)

    while act.state.unfinished:
        act = (await library.acts.step(act.id, 9.0, limit=4)).act

    rows = await library.database.all(dict, 'select distinct segid from image_words_idx')
    assert len(rows) <= MOST_OF_AN_ACT + 1


@pytest.mark.parametrize(
    ('took_s', 'limit'), [(PIECE_S, 100), (0.0, 100), (0.001, 200), (2 * PIECE_S, 50), (9.0, 20)]
)
def test_the_next_piece_of_an_act_is_as_large_as_its_time_allows(took_s: float, limit: int) -> None:
    assert next_limit(100, took_s) == limit
