"""What a picture's page tells of where it came from and what was made of it, and whom."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import apsw
import pytest
import pytest_asyncio

from app.database.gallery.versions import CHILDREN
from app.errors import ErrorKind, Failure
from app.models import Outcome, Status
from app.models.request import GenerationRequest
from tests.support.edit_forms import mask
from tests.support.guests import Party, draw, party

pytestmark = pytest.mark.asyncio(loop_scope='module')

SHARE = 0.124


@dataclass(slots=True)
class Edits:
    """Pictures of the owner, by their ids, and what was made of each other."""

    house: Party

    async def picture(self, prompt: str, *sources: int, guest: int | None = None) -> int:
        number = await draw(self.house.services, prompt, guest)
        if sources:
            await self.set('generations', number, sources=json.dumps(sources))
        return number

    async def set(self, table: str, number: int, **values: str | float | None) -> None:
        columns = ', '.join(f'{name} = :{name}' for name in values)

        def change(db: apsw.Connection) -> None:
            db.execute(f'update {table} set {columns} where id = :id', {'id': number, **values})

        await self.house.services.library.database.write(change)

    async def page(self, number: int, who: str = 'owner') -> str:
        answer = await self.house.request(who, 'GET', f'/images/{number}')
        assert answer.status == 200
        return answer.body.decode()

    async def tree(self, number: int, who: str = 'owner') -> list[int]:
        answer = await self.house.request(who, 'GET', f'/images/{number}.json')
        found: list[int] = json.loads(answer.body)['versions']
        return found

    def keep_mask(self, digest: str) -> str:
        path = self.house.services.store.mask(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mask())
        return digest


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def edits(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edits]:
    async with party(tmp_path_factory.mktemp('versions') / 'data') as house:
        yield Edits(house)


def rows_of(page: str) -> dict[int, str]:
    """Return what the tree says of each picture."""
    section = page.partition('class="versions"')[2].partition('</section>')[0]
    found = re.findall(r'href="/images/(\d+)"(.*?)</a>', section, re.DOTALL)
    return {int(number): ' '.join(text.split()) for number, text in found}


async def test_versions_hang_below_what_they_were_made_of(edits: Edits) -> None:
    first = await edits.picture('a boat')
    red = await edits.picture('a boat, red sails', first)
    gold = await edits.picture('a boat, gold sails', first)
    again = await edits.picture('a boat, red sails', red, first)
    laid_back = await edits.picture('a boat, red sails', first)
    await edits.set('images', laid_back, laid_back_from=red, changed_outside_mask=0.0)

    trees = {number: await edits.tree(number) for number in (first, red, gold, again, laid_back)}
    rows = rows_of(await edits.page(red))

    assert trees == {one: [first, red, again, laid_back, gold] for one in trees}
    assert list(rows) == [first, red, again, laid_back, gold]
    assert 'original</small>' in rows[first]
    assert 'aria-current="true"' in rows[red]
    assert 'a boat<ins>, red sails</ins>' in rows[red]
    assert 'same prompt' in rows[again]
    assert 'original laid back' in rows[laid_back]
    assert '0 % outside' in rows[laid_back]
    assert rows_of(await edits.page(edits.house.made['owner'])) == {}


async def test_the_trash_shows_only_what_others_came_of(edits: Edits) -> None:
    first = await edits.picture('a cat')
    holder, leaf = [await edits.picture('a hat', first) for _ in range(2)]
    last = await edits.picture('a green hat', holder)
    for number in (holder, leaf):
        await edits.house.request('owner', 'POST', f'/images/{number}/deletion')

    rows = rows_of(await edits.page(first))

    assert list(rows) == [first, holder, last]
    assert 'in the trash' in rows[holder]
    assert await edits.tree(leaf) == [first, holder, last, leaf]


async def test_a_source_that_is_deleted_for_good_keeps_what_came_of_it(edits: Edits) -> None:
    first = await edits.picture('a dog')
    edited = await edits.picture('a wolf', first)
    await edits.house.request('owner', 'POST', f'/images/{first}/deletion')
    gone = await edits.house.request('owner', 'POST', f'/images/{first}/destruction')

    page = await edits.page(edited)

    assert gone.status == 303
    assert '<span>was deleted</span>' in page
    assert rows_of(page) == {}


async def test_a_guest_sees_of_versions_what_is_theirs(edits: Edits) -> None:
    hidden = await edits.picture('by the owner')
    own = await edits.picture('mine', hidden, guest=1)
    below = await edits.picture('mine again', own, guest=1)
    others = await edits.picture('not mine', own)

    page = await edits.page(own, 'maker')

    assert await edits.tree(below, 'maker') == [own, below]
    assert await edits.tree(below, 'owner') == [hidden, own, below, others]
    assert f'/images/{hidden}"' not in page
    assert 'was deleted' not in page.partition('class="started-from"')[2].partition('</ul>')[0]


async def test_pictures_that_name_each_other_end_somewhere(edits: Edits) -> None:
    one = await edits.picture('an egg')
    other = await edits.picture('a hen', one)
    await edits.set('generations', one, sources=json.dumps([other]))

    assert sorted(await edits.tree(one)) == [one, other]
    assert sorted(await edits.tree(other)) == [one, other]


def many_versions(db: apsw.Connection, first: int) -> None:
    """Write 850 versions of a picture, 223 of which are some of the last one."""
    db.execute(
        """
        insert into generations (status, prompt, asked_provider, provider, created_at, sources)
        select 'done', 'a field of ' || value, 'g4f', 'g4f', 1.0, json_array(:first)
        from json_each(:numbers)
        """,
        {'first': first, 'numbers': json.dumps([*range(850)])},
    )
    db.execute(
        """
        insert into images (
          generation_id, position, digest, file, mime, width, height, size_bytes, mean_colour,
          provider, model, created_at, sort_key
        )
        select id, 0, 'm' || id, 'm' || id, 'image/png', 8, 6, 70, '#102030', 'g4f', 'flux',
          id, id * 1000000000
        from generations
        where parent_id = :first
        """,
        {'first': first},
    )
    db.execute(
        """
        update generations
        set sources = json_array((select max(id) from images))
        where parent_id = :first and prompt < 'a field of 3'
        """,
        {'first': first},
    )


async def test_many_versions_are_some_and_a_number(edits: Edits) -> None:
    services = edits.house.services
    first = await edits.picture('a field')
    await services.library.database.write(lambda db: many_versions(db, first))
    last = await services.library.images.newest_id()
    below = await edits.picture('a mole, ' * 900, last)

    page, above = await edits.page(below), await edits.page(last)

    shown = [one for one in rows_of(page) if one in (first, last, below)]
    assert shown == [first, last, below]
    assert len(rows_of(page)) == len(rows_of(above)) == 200
    assert [one.count('>652 more<') for one in (page, above)] == [1, 1]
    assert len(rows_of(page)[below]) < 800


async def test_no_version_costs_a_look_at_all_pictures(edits: Edits) -> None:
    plan = await edits.house.services.library.database.read(
        lambda db: [
            str(row)
            for row in db.execute(f'explain query plan {CHILDREN}', {'ids': '[1]', 'limit': 9})
        ]
    )

    assert [step for step in plan if 'SCAN' in step and 'json_each' not in step] == []
    assert any('generations_parent' in step for step in plan)
    assert any('images_laid_back' in step for step in plan)


async def test_what_changed_of_what_is_protected_is_told_with_what_can_be_done(
    edits: Edits,
) -> None:
    first = await edits.picture('a harbour')
    answer = await edits.picture('red sails', first, 1 << 40)
    digest = edits.keep_mask('a' * 64)
    await edits.set('generations', answer, mask=digest, strength='0.60')
    await edits.set('images', answer, changed_outside_mask=SHARE)

    page, guests_page = await edits.page(answer), await edits.page(answer, 'looker')
    laid_back = await edits.picture('red sails', first)
    await edits.set('images', laid_back, laid_back_from=answer, changed_outside_mask=0.0)
    after, its_page = await edits.page(answer), await edits.page(laid_back)

    assert '12 % of what you protected changed. This server seems to ignore masks.' in page
    assert f'action="/images/{answer}/laying-back"' in page
    assert 'laying-back' not in guests_page
    assert f'data-mask="/masks/{digest}.png"' in page
    assert '<dd><bdi>0.60</bdi></dd>' in page
    assert page.count('<span>was deleted</span>') == 1
    assert 'laying-back' not in after
    assert f'href="/images/{laid_back}"' in after.partition('class="outside-mask"')[2][:900]
    assert 'The original is laid back over what you protected.' in its_page
    assert f'href="/images/{answer}"' in its_page.partition('class="outside-mask"')[2][:900]


async def test_before_and_after_need_a_file_of_each(edits: Edits) -> None:
    first = await edits.picture('a tree')
    edited = await edits.picture('a tree in snow', first)
    services = edits.house.services
    image = await services.library.images.one(first)

    page = await edits.page(edited)
    services.store.original(image.file).unlink()
    without = await edits.page(edited)

    assert '<compare-slider class="before-after">' in page
    assert f'src="/files/{image.digest}.png"' in page
    assert 'compare-slider' not in without.partition('<main')[2]


async def test_an_edit_is_tried_at_another_server_with_all_that_it_had(edits: Edits) -> None:
    first = await edits.picture('a house')
    edited = await edits.picture('a castle', first)

    page, plain = await edits.page(edited), await edits.page(first)
    [address] = re.findall(r'href="(/\?from=[^"]*provider=[^"]*)"', page)
    form = await edits.house.request('owner', 'GET', address.replace('&amp;', '&'))

    assert 'provider=' not in plain.partition('id="more"')[2].partition('</div>')[0]
    assert f'from={edited}&amp;model=&amp;provider=' in address
    assert f'name="source" value="{first}"' in form.body.decode()
    assert 'a castle</textarea>' in form.body.decode()


async def test_what_failed_tells_what_it_started_from(edits: Edits) -> None:
    library, first = edits.house.services.library, await edits.picture('a moon')
    asked = GenerationRequest(prompt='a red moon', sources=(first,), mask=edits.keep_mask('b' * 64))
    sent = await library.generations.submit(asked, provider='fake', submission=None, now=1.0)
    waiting = await edits.house.request('owner', 'GET', f'/generations/{sent.generation.id}')
    claimed = await library.generations.claim('fake', 2.0, sent.generation.id)
    assert claimed
    fault = Failure(kind=ErrorKind.UPSTREAM_ERROR)
    outcome = Outcome(status=Status.FAILED, provider='fake', model='flux', error=fault)
    await library.generations.finish(claimed, outcome, 3.0)
    failed = await edits.house.request('owner', 'GET', f'/generations/{sent.generation.id}')

    assert f'from={claimed.id}&amp;model=&amp;provider=' in failed.body.decode()
    for page in (waiting, failed):
        assert f'href="/images/{first}"' in page.body.decode()
        assert f'/masks/{"b" * 64}.png' in page.body.decode()
