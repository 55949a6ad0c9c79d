"""Guests who were given one album: they see its pictures and their own, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from app.database.gallery.albums import put_into
from app.web.security.routes import ROUTES
from tests.support.guests import JSON, Party, cookie_in, draw, party

pytestmark = pytest.mark.asyncio(loop_scope='module')

WHO = ('album looker', 'album maker')
# Of each picture, for whoever may look at it.
OF_A_PICTURE = (
    '/images/{id}',
    '/images/{id}.json',
    '/files/{digest}.png',
    '/thumbs/{digest}-480.webp',
    '/images/{id}/plain',
)


@dataclass(slots=True)
class Shown:
    """An album with one of the owner's pictures; another of them is in none."""

    guests: Party
    album: int = 0
    other: int = 0  # an album that no guest was given
    inside: int = 0
    outside: int = 0
    own: int = 0  # of the guest who makes
    addresses: dict[int, list[str]] = field(default_factory=dict)

    async def get(self, who: str, path: str) -> int:
        return (await self.guests.request(who, 'GET', path)).status

    async def json(self, who: str, path: str) -> dict[str, list[dict[str, object]]]:
        answer = await self.guests.request(who, 'GET', path, JSON)
        loaded: dict[str, list[dict[str, object]]] = json.loads(answer.body)
        return loaded

    async def statuses(self, who: str, image: int) -> set[int]:
        return {await self.get(who, path) for path in self.addresses[image]}


async def join(guests: Party, who: str, album: int, *, makes: bool) -> int:
    token = await guests.services.guests.invite(
        who, makes=makes, sees_all=False, for_s=None, album=album
    )
    joined = await guests.request('', 'POST', f'/join/{token}')
    guests.headers[who] = (cookie_in(joined),)
    return guests.services.guests.all()[0].id or 0


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def shown(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shown]:
    async with party(tmp_path_factory.mktemp('album') / 'data') as guests:
        services, found = guests.services, Shown(guests)
        found.album = (await services.albums.add('theirs')).id
        found.other = (await services.albums.add('not theirs')).id
        await join(guests, 'album looker', found.album, makes=False)
        maker = await join(guests, 'album maker', found.album, makes=True)
        found.inside, found.outside = guests.made['owner'], guests.made['both']
        found.own = await draw(services, 'by the album maker', maker)
        images = [found.inside, found.own]
        await services.library.database.write(lambda db: put_into(db, found.album, images, 1.0))
        await services.library.database.write(
            lambda db: put_into(db, found.other, [found.inside, found.outside], 1.0)
        )
        for number in (found.inside, found.outside, found.own):
            image = await services.library.images.one(number)
            found.addresses[number] = [
                path.format(id=number, digest=image.digest) for path in OF_A_PICTURE
            ]
        yield found


@pytest.mark.parametrize('who', WHO)
async def test_a_guest_of_an_album_sees_its_pictures_and_no_other(shown: Shown, who: str) -> None:
    gallery = await shown.json(who, '/gallery.json')
    page = await shown.guests.request(who, 'GET', '/gallery')

    assert {image['id'] for image in gallery['images']} == {shown.inside, shown.own}
    assert all(image['albums'] == [shown.album] for image in gallery['images'])
    assert b'<bdi>theirs</bdi></h1>' in page.body
    assert b'aria-current="page">Gallery' in page.body  # there are no albums to be in
    assert b'not theirs' not in page.body
    assert b'by the both' not in page.body
    assert await shown.statuses(who, shown.inside) == {200}
    assert await shown.statuses(who, shown.outside) == {404}


@pytest.mark.parametrize('who', WHO)
@pytest.mark.parametrize(
    'path',
    [
        *(rule.path for rule in ROUTES if rule.method == 'GET' and '{id}' in rule.path),
        *('/gallery?album={other}', '/gallery.json?album={other}', '/gallery.json?q=both'),
        *('/gallery.json?by=3', '/gallery.json?guest=3', '/albums.json', '/generations.json'),
        *('/?from={id}', '/?from={id}&bring=prompt', '/?from={id}&bring=settings'),
        *('/files/{digest}.png', '/thumbs/{digest}-960.webp', '/prompts.json', '/prompts'),
        *('/compare?image={id}&image={inside}', '/compare.json?image={inside}&image={id}'),
        *('/gallery/suggestions.json?q=-bo', '/gallery/suggestions?q=-bo', '/gallery/total.json'),
        *('/gallery/suggestions.json?q=-album:', '/gallery/suggestions.json?q=album:n'),
        *('/compare?image={inside}&image={id}', '/compare.json?image={id}&image={inside}'),
        *('/gallery?q=both', '/images/{inside}?q=both', '/events?showing={id}&once', '/settings'),
    ],
)
async def test_no_address_tells_a_guest_of_an_album_about_another_picture(
    shown: Shown, who: str, path: str
) -> None:
    image = await shown.guests.services.library.images.one(shown.outside)
    places = {'id': shown.outside, 'digest': image.digest, 'other': shown.other}
    asked = path.format(**places, inside=shown.inside)

    answer = await shown.guests.request(who, 'GET', asked)

    told = [
        b'by the both',
        b'-both',
        b'not theirs',
        image.digest.encode(),
        b'images/%d' % shown.outside,
    ]
    assert [words for words in told if words in answer.body] == []
    assert answer.status != 200 or '{id}' not in path or path.startswith(('/events', '/?'))


@pytest.mark.parametrize('who', WHO)
@pytest.mark.parametrize('act', ['favourite', 'deletion', 'restoration', 'link'])
async def test_a_guest_of_an_album_changes_no_picture_of_others_in_it(
    shown: Shown, who: str, act: str
) -> None:
    answer = await shown.guests.request(who, 'POST', f'/images/{shown.inside}/{act}')

    image = await shown.guests.services.library.images.one(shown.inside)
    assert answer.status in (403, 404)
    assert (image.favourite, image.deleted_at) == (False, None)


async def test_siblings_outside_of_the_album_are_not_shown(shown: Shown) -> None:
    services = shown.guests.services
    generation = await services.library.generations.one(shown.outside)
    inside = await services.library.images.one(shown.inside)
    await services.library.database.run(
        'update images set generation_id = :generation, position = 7 where id = :id',
        generation=generation.id,
        id=inside.id,
    )

    pages = {
        who: (await shown.guests.request(who, 'GET', f'/images/{shown.inside}')).body
        for who in ('owner', *WHO)
    }
    await services.library.database.run(
        'update images set generation_id = :id, position = 0 where id = :id', id=inside.id
    )

    assert {who: b'class="siblings"' in page for who, page in pages.items()} == {
        'owner': True,
        'album looker': False,
        'album maker': False,
    }


async def test_what_a_guest_of_an_album_makes_goes_into_it_whatever_the_form_says(
    shown: Shown,
) -> None:
    sent = await shown.guests.request(
        'album maker', 'POST', '/generations', prompt='a fox', size='16x16', album=str(shown.other)
    )

    number = int(sent.headers['location'].rpartition('-')[2])
    generation = await shown.guests.services.library.generations.one(number)
    assert generation.request.album == shown.album


async def test_another_guest_chooses_no_album(shown: Shown) -> None:
    fields = {'prompt': 'a fox', 'size': '16x16', 'album': str(shown.album)}

    answer = await shown.guests.request('both', 'POST', '/generations', JSON, **fields)
    page = await shown.guests.request('both', 'GET', '/')

    assert answer.status == 422
    assert b'name="album"' not in page.body


@pytest.mark.parametrize(
    ('who', 'listed'), [('owner', 2), ('looker', 2), ('both', 2), ('maker', 0), ('album looker', 1)]
)
async def test_albums_are_listed_for_whom_they_are(shown: Shown, who: str, listed: int) -> None:
    albums = (await shown.json(who, '/albums.json'))['albums']
    opened = await shown.get(who, f'/gallery?album={shown.album}')

    assert len(albums) == listed
    assert opened == (200 if listed else 404)


@pytest.mark.parametrize('who', WHO)
async def test_a_picture_that_leaves_the_album_is_out_of_sight_at_once(
    shown: Shown, who: str
) -> None:
    guests, database = shown.guests, shown.guests.services.library.database
    await database.run('delete from album_images where image = :id', id=shown.inside)
    taken_out = await shown.statuses(who, shown.inside)
    await database.write(lambda db: put_into(db, shown.album, [shown.inside], 1.0))
    put_back = await shown.statuses(who, shown.inside)
    await guests.request('owner', 'POST', f'/images/{shown.inside}/deletion')
    trashed = await shown.statuses(who, shown.inside)
    await guests.request('owner', 'POST', f'/images/{shown.inside}/restoration')

    assert (taken_out, put_back, trashed) == ({404}, {200}, {404})


async def test_the_owner_gives_a_guest_one_album_and_takes_it_back(shown: Shown) -> None:
    guests = shown.guests
    form = {'name': 'Mira', 'album': str(shown.other), 'lifetime': 'week'}
    made = await guests.request('owner', 'POST', '/share/guests', **form)
    row = guests.services.guests.all()[0]
    told = (await shown.json('owner', '/share.json'))['guests'][0]
    page = await guests.request('owner', 'GET', '/share')
    albums = await guests.request('owner', 'GET', '/albums')
    await guests.request('owner', 'POST', f'/share/guests/{row.id}/revocation')

    assert made.status == 201
    assert (row.album, row.sees_all, told['album']) == (shown.other, False, shown.other)
    assert b'<bdi>not theirs</bdi>' in page.body
    assert b'open to 1 guest<' in albums.body
    assert b'open to 2 guests<' in albums.body


@pytest.mark.parametrize(
    'fields',
    [
        {'album': '999'},
        {'album': 'x'},
        {'album': '{album}', 'sees_all': 'on'},
        {'album': '{filled}', 'makes': 'on'},
    ],
)
async def test_an_album_that_a_guest_cannot_be_given_is_refused(
    shown: Shown, fields: dict[str, str]
) -> None:
    filled = await shown.guests.services.albums.named('fills itself')
    await shown.guests.services.albums.change(filled.id, 'fills itself', 'owner')
    form = {
        name: value.format(album=shown.album, filled=filled.id) for name, value in fields.items()
    }

    answer = await shown.guests.request('owner', 'POST', '/share/guests', name='X', **form)
    await shown.guests.services.albums.delete(filled.id)

    assert answer.status == 422


async def test_an_album_that_fills_itself_is_shown_to_its_guest_and_nothing_beside(
    shown: Shown,
) -> None:
    services = shown.guests.services
    filled = await services.albums.add('by a search', 'by the owner')
    await join(shown.guests, 'searcher', filled.id, makes=False)

    gallery = await shown.json('searcher', '/gallery.json')
    narrowed = await shown.json('searcher', '/gallery.json?q=maker')
    inside = await shown.statuses('searcher', shown.inside)
    outside = await shown.statuses('searcher', shown.outside)
    await services.albums.delete(filled.id)

    assert [image['id'] for image in gallery['images']] == [shown.inside]
    assert narrowed['images'] == []
    assert (inside, outside) == ({200}, {404})
    assert await shown.statuses('searcher', shown.inside) == {404}
    assert (await shown.json('searcher', '/gallery.json'))['images'] == []
