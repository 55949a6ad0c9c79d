"""What guests start from: what they may see, and uploads that are theirs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.errors import ProviderError, Reason
from app.gallery.importing import ExaminedPicture, examine
from app.models import Outcome, Received, Status
from app.models.request import GenerationRequest
from app.storage.health import unwritable
from app.storage.store import Store
from app.web.security.permissions import seen_by
from tests.support.edit_forms import PROMPT, Part, mask, text
from tests.support.fakes import received_in
from tests.support.guests import Party, draw, party
from tests.support.labelled_pictures import LABEL, label_of, labelled, saved, source_of

pytestmark = pytest.mark.asyncio(loop_scope='module')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('party') / 'data') as opened:
        yield opened


async def asked_by(
    house: Party, who: str, *files: Part, address: str = '/generations'
) -> httpx.Response:
    transport = httpx.ASGITransport(house.app, client=('192.168.1.20', 5))
    [(name, value)] = house.headers[who]
    headers = {
        name.decode(): value.decode(),
        'origin': 'http://localhost',
        'accept': 'application/json',
    }
    async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
        return await client.post(address, files=list(files), headers=headers)


async def test_a_guest_starts_from_what_they_may_see_alone(house: Party) -> None:
    owners, theirs = house.made['owner'], house.made['maker']

    hidden = await asked_by(house, 'maker', PROMPT, text('source', str(owners)))
    missing = await asked_by(house, 'maker', PROMPT, text('source', '999'))
    own = await asked_by(house, 'maker', PROMPT, text('source', str(theirs)))
    seen = await asked_by(house, 'both', PROMPT, text('source', str(owners)))

    sentences = [one.json()['error']['fields']['source'] for one in (hidden, missing)]
    assert sentences == [f'Picture {owners} not found.', 'Picture 999 not found.']
    assert own.status_code == seen.status_code == 303
    assert (await house.request('looker', 'POST', '/sources')).status == 403


async def test_a_guest_who_uploads_what_the_owner_has_gets_a_picture_of_their_own(
    house: Party,
) -> None:
    content = saved('PNG', 'L', comment=b'twin')
    made = await draw(house.services, 'a twin', None, content=content)
    [image] = (await house.services.library.generations.one(made)).images
    owners = image.id
    kept = house.services.store.original(image.file).read_bytes()

    ids = list[int]()
    for who in ('maker', 'maker', 'both', 'owner'):
        sent = await asked_by(house, who, PROMPT, ('source_file', ('twin.png', kept)))
        number = int(sent.headers['location'].rpartition('-')[2])
        ids += (await house.services.library.generations.one(number)).request.sources

    own = await house.services.library.images.one(ids[0])
    assert ids == [own.id, own.id, owners, owners]
    assert own.id != owners
    assert (own.guest, own.digest) == (house.ids['maker'], image.digest)
    assert own.generation_id != image.generation_id
    generation = await house.services.library.generations.one(own.generation_id)
    assert generation.guest == house.ids['maker']
    page = await house.request('maker', 'GET', f'/images/{own.id}')
    assert page.status == 200


async def test_of_a_guest_s_file_nothing_is_believed_of_the_edit_that_made_it(
    house: Party, tmp_path: Path
) -> None:
    content = labelled(source_of('PNG with alpha', tmp_path)).path.read_bytes()

    sent = await asked_by(house, 'maker', PROMPT, ('source_file', ('edited.png', content)))

    number = int(sent.headers['location'].rpartition('-')[2])
    [image_id] = (await house.services.library.generations.one(number)).request.sources
    image = await house.services.library.images.one(image_id)
    asked = (await house.services.library.generations.one(image.generation_id)).request
    assert image.prompt == LABEL.prompt
    assert (asked.sources, asked.mask, asked.strength, asked.paste_back) == ((), None, None, None)
    assert (image.changed_outside_mask, image.laid_back_from, image.cost) == (None, None, None)


async def test_a_mask_is_shown_to_whom_its_generation_is_and_no_other_may_name_it(
    house: Party,
) -> None:
    theirs = text('source', str(house.made['maker']))
    sent = await asked_by(house, 'maker', PROMPT, theirs, ('mask', ('m.png', mask())))
    number = int(sent.headers['location'].rpartition('-')[2])
    digest = (await house.services.library.generations.one(number)).request.mask

    answers = {
        who: await house.request(who, 'GET', f'/masks/{digest}.png')
        for who in ('owner', 'maker', 'both', '')
    }

    assert {who: one.status for who, one in answers.items()} == {
        'owner': 200, 'maker': 200, 'both': 404, '': 401,
    }  # fmt: skip
    assert answers['maker'].headers['content-type'] == 'image/png'
    assert answers['maker'].body.startswith(b'\x89PNG')
    assert (await house.request('owner', 'GET', '/masks/..%2Fx.png')).status == 404

    named = {
        who: await asked_by(
            *(house, who, PROMPT, text('source', str(house.made[who]))), text('mask', str(digest))
        )
        for who in ('maker', 'both')
    }
    unknown = await asked_by(house, 'both', PROMPT, text('mask', '0' * 64))
    assert named['maker'].status_code == 303
    sentences = [one.json()['error']['fields']['mask'] for one in (named['both'], unknown)]
    assert sentences == ["This mask isn't there any more. Paint it again."] * 2


async def test_a_mask_of_a_refused_form_is_shown_in_the_form_that_comes_back(house: Party) -> None:
    def kept() -> set[str]:
        return {path.name for path in (house.services.store.data / 'masks').rglob('*.png')}

    theirs, before = text('source', str(house.made['maker'])), kept()

    refused = await asked_by(house, 'maker', theirs, ('mask', ('m.png', saved('PNG', 'L'))))

    [name] = kept() - before
    statuses = [
        (await house.request(who, 'GET', f'/masks/{name}')).status for who in ('maker', 'looker')
    ]
    assert (refused.status_code, statuses) == (422, [200, 404])


async def test_a_form_shows_of_the_pictures_that_are_named_what_one_may_see(house: Party) -> None:
    owners, theirs = house.made['owner'], house.made['maker']
    address = f'/sources?source={theirs}&source={owners}&source=999'

    own = await house.request('maker', 'GET', address)
    both = await house.request('owner', 'GET', address)
    looking = await house.request('looker', 'GET', address)

    names = [re.findall(r'name="source" value="(\d+)"', one.body.decode()) for one in (own, both)]
    assert names == [[str(theirs)], [str(theirs), str(owners)]]
    assert looking.status == 403


async def test_a_form_tells_of_a_server_that_seems_to_ignore_masks(house: Party) -> None:
    providers = house.services.providers
    drawing = providers.all()[0].settings
    told = list[bool]()

    for changed in (0.0, 1.0):
        await providers.memory.saw_masked(drawing.base_url, 'other', changed)
        for query in ('?model=other', '?model=flux'):
            row = await house.request('owner', 'GET', f'/sources{query}')
            told.append(b'seems to ignore masks' in row.body)

    assert told == [False, False, True, False]


@pytest.mark.parametrize(('who', 'is_sent'), [('maker', False), ('both', True)])
async def test_what_a_guest_no_longer_sees_is_neither_sent_nor_laid_back(
    who: str, is_sent: bool, house: Party
) -> None:
    services, guest = house.services, house.ids[who]
    asked = GenerationRequest(prompt='an edit', sources=(house.made['owner'],))
    sent = await services.library.generations.submit(
        asked, provider='fake', submission=None, now=1.0, guest=guest
    )
    claimed = await services.library.generations.claim('fake', 2.0, sent.generation.id)
    assert claimed
    kept = await services.store.keep(
        received_in(services.store, saved('PNG', comment=who.encode())), label_of('an edit', 1.0)
    )
    outcome = Outcome(status=Status.DONE, provider='fake', model='flux', kept=(kept,))
    await services.library.generations.finish(claimed, outcome, 3.0)
    [image] = (await services.library.generations.one(claimed.id)).images

    reason, parts = None, 0
    try:
        async with services.editing.sent_files.made(claimed, mask_inverted=False) as edit:
            parts = len(edit.sources) if edit else 0
    except ProviderError as error:
        reason = error.failure.reason
    answer = await house.request(who, 'POST', f'/images/{image.id}/laying-back')

    found = (parts, reason, answer.status)
    assert found == ((1, None, 409) if is_sent else (0, Reason.SOURCE_WAS_DELETED, 404))


async def test_whoever_is_neither_the_owner_nor_a_guest_sees_no_picture(house: Party) -> None:
    image = await house.services.library.images.one(house.made['owner'])

    seen = [await seen_by(house.services, guest, [image]) for guest in (None, 999)]

    assert seen == [[image], []]


async def test_a_guest_with_many_connections_holds_nobody_up(
    house: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list[str]()

    async def noted(store: Store, received: Received, name: str, at: float) -> ExaminedPicture:
        order.append(name)
        try:
            return await examine(store, received, name, at)
        finally:
            order.append(name)

    monkeypatch.setattr('app.web.receiving.pictures.examine', noted)
    content = saved('PNG', comment=b'many')

    await asyncio.gather(
        *[
            asked_by(house, 'maker', PROMPT, ('source_file', (f'{n}.png', content)))
            for n in range(3)
        ]
    )

    assert len(order) == 6
    assert order[::2] == order[1::2]


async def test_nobody_takes_the_last_room_of_a_disk(
    house: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_well() -> bool:
        return False

    monitor, arriving = house.services.storage_monitor, house.services.store.arriving
    monkeypatch.setattr(monitor, 'check', is_well)
    monkeypatch.setattr(monitor, 'problem', unwritable('', 'full'))
    content = saved('PNG', comment=b'the last straw')

    answer = await asked_by(house, 'maker', PROMPT, ('source_file', ('a.png', content)))

    assert (answer.status_code, answer.json()['error']['kind']) == (507, 'storage')
    assert list(arriving.glob('*.part')) == []
