"""Albums: what they are called, what is in them, and what their pages say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.database.gallery import albums as statements
from app.database.gallery import counters
from app.database.gallery.filters import Filter
from app.gallery.albums import Albums
from tests.support.album_owner import JSON, Owner
from tests.support.raw_requests import open_door
from tests.support.rows import pictured

pytestmark = pytest.mark.asyncio(loop_scope='module')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Owner]:
    async with open_door(tmp_path_factory.mktemp('albums') / 'data') as (app, services):
        yield Owner(app, services)


async def test_an_album_says_how_many_pictures_it_has_and_shows_the_newest(owner: Owner) -> None:
    images = [await pictured(owner.services.library, made_at=made) for made in (50.0, 70.0, 60.0)]
    album = await owner.add(name='  by   hand ')

    added = await owner.put(album, *(image.id for image in images[:2]), images[0].id)
    for deleted_at in (8.0, None, 9.0):
        await owner.services.library.images.set_deleted(images[1].id, deleted_at)
    gallery = await owner.json(f'/gallery.json?album={album}')

    assert added == (images[0].id, images[1].id)
    assert await owner.listed(album) == {
        'id': album,
        'name': 'by hand',
        'q': None,
        'count': 1,
        'cover': images[0].id,
    }
    assert [image['id'] for image in gallery['images']] == [images[0].id]
    assert gallery['images'][0]['albums'] == [album]


async def test_a_picture_is_in_several_albums_and_taken_out_of_one(owner: Owner) -> None:
    image = await pictured(owner.services.library)
    albums = [await owner.add(name=f'several {number}') for number in range(2)]
    form = {'image': str(image.id), 'then': 'picture', 'q': 'cat'}
    for album in albums:
        await owner.post('/images/selection', **form, act='add', album=str(album))
    page = await owner.get(f'/images/{image.id}')

    left = await owner.post('/images/selection', **form, act='remove', album=str(albums[0]))

    found = await owner.services.library.images.one(image.id)
    assert b'aria-label="Remove from several 0"' in page.body
    assert left.headers['location'] == f'/images/{image.id}?q=cat'
    assert found.albums == (albums[1],)
    assert [(await owner.listed(album))['count'] for album in albums] == [0, 1]


async def test_what_is_in_an_album_is_counted_exactly_and_what_a_search_finds_up_to_a_number(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, 'MOST_COUNTED', 1)
    images = [await pictured(owner.services.library, 'counted zebra') for _ in range(2)]
    by_hand, filled = await owner.add(name='counted'), await owner.add(name='zebras', q='zebra')

    await owner.put(by_hand, *(image.id for image in images))
    page = await owner.get(f'/gallery?album={filled}')

    assert [(await owner.listed(album))['count'] for album in (by_hand, filled)] == [2, None]
    assert b'more than 1,000 pictures' in page.body


async def test_a_search_fills_an_album_and_is_combined_with_another(owner: Owner) -> None:
    library = owner.services.library
    foxes = [await pictured(library, f'a quiet fox, {where}') for where in ('snow', 'harbour')]
    album = await owner.add(name='foxes', q='quiet  fox')

    whole = await owner.json(f'/gallery.json?album={album}')
    narrowed = await owner.json(f'/gallery.json?album={album}&q=snow')
    put = await owner.put(album, foxes[0].id)
    page = await owner.get(f'/gallery?album={album}')

    listed = await owner.listed(album)
    assert (listed['q'], listed['count'], listed['cover']) == ('quiet fox', 2, foxes[1].id)
    assert [image['id'] for image in whole['images']] == [foxes[1].id, foxes[0].id]
    assert [image['id'] for image in narrowed['images']] == [foxes[0].id]
    assert put == ()
    assert f'/images/{foxes[0].id}?album={album}"'.encode() in page.body
    assert b'<code><bdi>quiet fox</bdi></code>' in page.body


async def test_albums_stand_by_their_newest_picture(owner: Owner) -> None:
    library = owner.services.library
    albums = [await owner.add(name=f'stands {number}') for number in range(3)]
    for album, made_at in zip(albums, (9e9, 9.2e9, 9.1e9), strict=True):
        await owner.put(album, (await pictured(library, made_at=made_at)).id)

    listed = (await owner.json('/albums.json'))['albums']

    assert [one['id'] for one in listed][:3] == [albums[1], albums[2], albums[0]]


@pytest.mark.parametrize(
    ('fields', 'sentence'),
    [
        ({'name': ' \t', 'q': 'typed'}, b'Enter a name of up to 200 characters.'),
        ({'name': 'x' * 201}, b'Enter a name of up to 200 characters.'),
        ({'name': 'TAKEN Ä'}, 'There is already an album called “taken ä”.'.encode()),
        ({'name': 'typed', 'q': '!!'}, b'Easel can&#39;t search for !!.'),
        ({'name': 'typed', 'q': 'fox size:wide'}, b'Easel can&#39;t search for size:wide.'),
    ],
)
async def test_a_wrong_name_is_refused_and_what_was_typed_stays(
    owner: Owner, fields: dict[str, str], sentence: bytes
) -> None:
    if not any(row.name == 'taken ä' for row in owner.services.albums.all()):
        await owner.add(name='taken ä')

    page = await owner.post('/albums', **fields)
    told = await owner.post('/albums', JSON, **fields)

    assert (page.status, told.status) == (422, 422)
    assert sentence in page.body
    assert fields.get('q', fields['name']).strip().encode() in page.body
    assert len(json.loads(told.body)['error']['fields']) == 1


async def test_an_album_is_renamed_and_given_another_search(owner: Owner) -> None:
    album, other = await owner.add(name='before', q='fox'), await owner.add(name='occupied')

    renamed = await owner.post(f'/albums/{album}', name='Before')
    searched = await owner.post(f'/albums/{album}', name='after', q='heron')
    refused = [
        await owner.post(f'/albums/{album}', name='OCCUPIED'),
        await owner.post(f'/albums/{album}', name='after', q=' '),
        await owner.post('/albums/999999', name='x'),
    ]

    row = owner.services.albums.one(album)
    assert (renamed.headers['location'], searched.status) == (f'/gallery?album={album}', 303)
    assert (row.name, row.q) == ('after', 'heron')
    assert [answer.status for answer in refused] == [422, 422, 404]
    assert owner.services.albums.one(other).name == 'occupied'


async def test_an_album_with_pictures_of_its_own_does_not_begin_to_fill_itself(
    owner: Owner,
) -> None:
    album, empty = await owner.add(name='has some'), await owner.add(name='has none')
    await owner.put(album, (await pictured(owner.services.library)).id)

    refused = await owner.post(f'/albums/{album}', name='has some', q='fox')
    filled = await owner.post(f'/albums/{empty}', name='has none', q='fox')

    assert (refused.status, filled.status) == (422, 303)
    assert b'pictures that were put into it' in refused.body
    assert [owner.services.albums.one(one).q for one in (album, empty)] == [None, 'fox']


async def test_a_deleted_album_leaves_its_pictures_and_frees_its_name(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, 'TAKEN_OUT_AT_ONCE', 1)
    library = owner.services.library
    images = [await pictured(library) for _ in range(3)]
    album = await owner.add(name='to be deleted')
    await owner.put(album, *(image.id for image in images))

    deleted = await owner.post(f'/albums/{album}/deletion')
    again = await owner.add(name='To be deleted')
    while await library.albums.are_left():
        pass

    asked = [f'/gallery?album={album}', f'/gallery.json?album={album}']
    assert (deleted.status, deleted.headers['location']) == (303, '/albums')
    assert {(await owner.get(path)).status for path in asked} == {404}
    assert (await owner.post(f'/albums/{album}/deletion')).status == 404
    assert [(await library.images.one(image.id)).albums for image in images] == [(), (), ()]
    assert await library.counters.total(Filter(album=album)) == 0
    assert again > album


async def test_what_an_earlier_run_left_of_a_deleted_album_goes_at_the_next_start(
    owner: Owner,
) -> None:
    library = owner.services.library
    image, album = await pictured(library), await owner.add(name='left')
    await owner.put(album, image.id)
    await library.albums.mark_deleted(album, 1.0)

    next_start = await Albums(library.albums).load()
    while await library.albums.are_left():
        pass
    await next_start.close()

    assert (await library.images.one(image.id)).albums == ()


@pytest.mark.parametrize('path', ['/gallery?album=4711', '/gallery.json?album=4711'])
async def test_an_album_that_is_not_there_is_not_found(owner: Owner, path: str) -> None:
    assert (await owner.get(path)).status == 404


async def test_what_is_searched_for_can_be_kept_as_an_album(owner: Owner) -> None:
    asked = '/gallery?q=a+fox&favourite=1&model=big+model'

    page, nothing = await owner.get(asked), await owner.get('/gallery')

    question = 'model:&#34;big model&#34; is:favourite a fox'
    assert f'value="{question}"'.encode() in page.body
    assert b'name="q"\n' not in nothing.body
