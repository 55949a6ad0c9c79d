"""What the Create page sends to start from: pictures, and a mask of the first."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.models.request import GenerationRequest
from app.web.context import Services
from tests.support.edit_forms import PROMPT, Part, mask, text
from tests.support.labelled_pictures import animated, saved
from tests.support.raw_requests import open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

JSON = {'accept': 'application/json'}
ADDRESS = '/generations'
FOX, CAT = saved('PNG'), saved('JPEG')


@dataclass(slots=True)
class Easel:
    """The whole app without a worker, and a client of its owner."""

    services: Services
    client: httpx.AsyncClient

    async def send(self, *files: Part) -> httpx.Response:
        return await self.client.post(ADDRESS, files=list(files), headers=JSON)

    async def wrong(self, *files: Part) -> dict[str, str]:
        answer = await self.send(*files)
        assert answer.status_code == 422, answer.text
        fields: dict[str, str] = answer.json()['error']['fields']
        return fields

    async def asked(self, answer: httpx.Response) -> GenerationRequest:
        assert answer.status_code == 303, answer.text
        number = int(answer.headers['location'].rpartition('-')[2])
        return (await self.services.library.generations.one(number)).request


def sent_by(page: str) -> dict[str, list[str]]:
    """Return what a form sends of its pictures, as it is on a page."""
    found: dict[str, list[str]] = {'source': [], 'mask': [], 'strength': [], 'paste_back': []}
    for field in re.findall(r'<input[^>]+>', page):
        name, value = (re.search(f'{one}="([^"]+)"', field) for one in ('name', 'value'))
        is_sent = 'type="checkbox"' not in field or ' checked' in field
        if name and value and name[1] in found and is_sent:
            found[name[1]].append(value[1])
    return found


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def easel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Easel]:
    data: Path = tmp_path_factory.mktemp('sent') / 'data'
    async with open_door(data) as (app, services):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
            yield Easel(services, client)
    assert list((data / 'arriving').iterdir()) == []


async def test_pictures_and_ids_stay_in_the_order_of_the_form(easel: Easel) -> None:
    first = await easel.asked(
        await easel.send(PROMPT, ('source_file', ('fox.png', FOX)), ('source_file', ('', b'')))
    )
    [fox] = first.sources
    kept = await easel.services.library.images.one(fox)
    assert easel.services.changes.serial_of(kept.generation_id)  # open galleries are told

    second = await easel.asked(
        await easel.send(
            *(PROMPT, ('source_file', ('cat.jpg', CAT)), text('source', str(fox))),
            *(('source_file', ('walk.gif', animated('GIF'))), text('strength', '0,6')),
            *(('mask', ('mask.png', mask())), text('paste_back', '1')),
        )
    )

    cat, again, gif = second.sources
    assert again == fox
    assert len({cat, fox, gif}) == 3
    assert (second.strength, second.paste_back) == ('0.6', 1)
    assert easel.services.store.mask(second.mask or '').is_file()
    images = await easel.services.library.images.some([cat, gif])
    assert [image.mime for image in images] == ['image/jpeg', 'image/gif']
    assert (easel.services.store.original(images[1].file)).read_bytes() == animated('GIF')


async def test_the_same_form_again_is_the_same_generation(easel: Easel) -> None:
    form = (PROMPT, text('submission', 'twice'), ('source_file', ('fox.png', FOX)),
            ('mask', ('mask.png', mask())))  # fmt: skip

    sent = [await easel.send(*form) for _ in range(2)]
    other = await easel.send(*form[:3])

    assert sent[0].headers['location'] == sent[1].headers['location']
    assert other.status_code == 409


async def test_a_kept_mask_is_named_by_its_digest(easel: Easel) -> None:
    form = (PROMPT, ('source_file', ('fox.png', FOX)))
    first = await easel.asked(await easel.send(*form, ('mask', ('mask.png', mask()))))
    kept = text('mask', first.mask or '')

    again = await easel.asked(await easel.send(*form, kept))

    assert again.mask == first.mask
    assert 'Paint it again' in (await easel.wrong(*form, text('mask', 'f' * 64)))['mask']
    assert 'Paint it again' in (await easel.wrong(*form, text('mask', '../secret')))['mask']


HEIC = b'\0\0\0\x18ftypheic\0\0\0\0mif1heic'
BAD_SOURCES: dict[str, tuple[list[Part], str]] = {
    'empty': ([('source_file', ('fox.png', b''))], 'fox.png is empty.'),
    'HEIC': (
        [('source_file', ('fox.heic', HEIC))],
        "fox.heic isn't a PNG, JPEG, WebP, GIF or AVIF (HEIC).",
    ),
    'TIFF': (
        [('source_file', ('fox.tif', saved('TIFF')))],
        "fox.tif isn't a PNG, JPEG, WebP, GIF or AVIF (TIFF).",
    ),
    'SVG': (
        [('source_file', ('fox.svg', b'<svg xmlns="http://www.w3.org/2000/svg"/>'))],
        "fox.svg isn't a PNG, JPEG, WebP, GIF or AVIF (svg).",
    ),
    'damaged': ([('source_file', ('fox.png', FOX[:90]))], "fox.png can't be read: "),
    'gone': ([text('source', '999')], 'Picture 999 not found.'),
    'no id': ([text('source', 'x')], '“source” must be a positive number.'),
    'one too many': (
        [*([text('source', '1')] * 16), ('source_file', ('fox.png', FOX))],
        'fox.png is one too many: 16 pictures at most.',
    ),
    'too many': ([text('source', str(n)) for n in range(1, 18)], 'Choose up to 16 pictures.'),
}


@pytest.mark.parametrize('name', BAD_SOURCES)
async def test_a_source_that_cannot_be_used_is_told_at_its_field(name: str, easel: Easel) -> None:
    files, sentence = BAD_SOURCES[name]

    wrong = await easel.wrong(PROMPT, *files, text('strength', '0.5'))

    assert list(wrong) == ['source']
    assert wrong['source'].startswith(sentence)


async def test_a_source_that_is_too_large_is_told(
    easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('app.web.receiving.pictures.MOST_SOURCE_BYTES', len(FOX) - 1)

    wrong = await easel.wrong(PROMPT, ('source_file', ('fox.png', FOX)))

    assert wrong == {'source': 'fox.png is over 50 MB.'}


OTHER_SIZE = 'The mask is 48x64 pixels, the first picture 64x48. Make both the same size.'
BAD_MASKS: dict[str, tuple[list[Part], dict[str, str]]] = {
    'another size': ([('mask', ('m.png', mask(48, 64)))], {'mask': OTHER_SIZE}),
    'no PNG': (
        [('mask', ('m.jpg', CAT))],
        {'mask': "The mask isn't a PNG (image/jpeg). Save it as one, then try again."},
    ),
    'empty': (
        [('mask', ('m.png', b''))],
        {'mask': "The mask isn't a PNG (empty). Save it as one, then try again."},
    ),
    'too strong': ([text('strength', '2')], {'strength': 'Enter a number from 0 to 1, like 0.6.'}),
}


@pytest.mark.parametrize('name', BAD_MASKS)
async def test_a_mask_that_does_not_fit_is_told_at_its_field(name: str, easel: Easel) -> None:
    files, sentences = BAD_MASKS[name]

    wrong = await easel.wrong(PROMPT, ('source_file', ('fox.png', FOX)), *files)

    assert wrong == sentences


@pytest.mark.parametrize('name', ['mask', 'strength', 'paste_back'])
async def test_what_belongs_to_a_picture_needs_one(name: str, easel: Easel) -> None:
    value = ('mask', ('m.png', mask(7, 5))) if name == 'mask' else text(name, '1')
    empty = [text(one, '') for one in ('source', 'mask', 'strength', 'paste_back')]
    before = {*(easel.services.store.data / 'masks').rglob('*')}

    wrong = await easel.wrong(PROMPT, value)
    page = (await easel.client.post(ADDRESS, files=[PROMPT, value])).text
    plain = await easel.asked(await easel.send(PROMPT, *empty, text('paste_back', '0')))

    assert list(wrong) == ['mask']
    assert page.count('name="source_file"') == 1
    assert not plain.sources
    assert {*(easel.services.store.data / 'masks').rglob('*')} == before


async def test_a_failed_try_loses_nothing(easel: Easel) -> None:
    files = [
        *(text('prompt', ''), text('seed', 'x'), ('source_file', ('fox.png', FOX))),
        *(('mask', ('mask.png', mask())), text('strength', '0.3')),
    ]

    page = await easel.client.post(ADDRESS, files=files)

    assert page.status_code == 422
    again = sent_by(page.text)
    fixed = [text(name, value) for name, values in again.items() for value in values]
    request = await easel.asked(await easel.send(PROMPT, *fixed))
    assert request.strength == '0.3'
    assert request.mask
    assert len(request.sources) == 1


async def test_a_picture_in_the_trash_that_is_uploaded_again_comes_out_of_it(easel: Easel) -> None:
    content = saved('WEBP')
    sent = PROMPT, ('source_file', ('fox.webp', content))
    [image] = (await easel.asked(await easel.send(*sent))).sources
    await easel.services.library.images.set_deleted(image, 1.0)

    again = await easel.asked(await easel.send(*sent))

    assert again.sources == (image,)
    assert (await easel.services.library.images.one(image)).deleted_at is None


async def test_long_bodies_are_refused_by_what_they_may_hold(easel: Easel) -> None:
    long = 'x' * 1_000_001
    type_of = {'content-type': 'multipart/form-data; boundary=b'}

    answers = [
        await easel.client.post(ADDRESS, data={'prompt': long}),
        await easel.send(text('prompt', long)),
        await easel.send(*[text('model', 'x' * 900_000)] * 2),
        await easel.send(*[text('x', '')] * 101),
        await easel.send(*[('source_file', ('x', b''))] * 101),
        await easel.client.post(
            ADDRESS, headers=type_of | {'content-length': str(16 * 50 * 2**20 + 1_000_001)}
        ),
    ]
    words = await easel.wrong(text('prompt', '猫' * 32_001))

    assert [answer.status_code for answer in answers] == [413] * 6
    assert 'Too long' in words['prompt']


async def test_an_upload_to_start_from_leads_to_the_form_with_it(easel: Easel) -> None:
    files = [('picture', ('fox.png', FOX)), ('picture', ('cat.jpg', CAT))]

    plain = await easel.client.post('/sources', files=files)
    told = (await easel.client.post('/sources', files=files, headers=JSON)).json()
    partly = await easel.client.post('/sources', files=[*files, ('picture', ('x', b'x'))])
    none = await easel.client.post('/sources', files=[('picture', ('x', b'x'))], headers=JSON)

    ids = [image['id'] for image in told['known']]
    assert (plain.status_code, plain.headers['location']) == (
        303,
        '/?source={}&source={}'.format(*ids),
    )
    assert (told['images'], told['refused']) == ([], [])
    assert partly.status_code == none.status_code == 422
    assert all(f'name="source" value="{one}"' in partly.text for one in ids)
    assert none.json()['error']['message'].startswith('x isn')


async def test_the_form_starts_with_what_its_address_names(easel: Easel) -> None:
    made = await easel.send(
        *(PROMPT, ('source_file', ('fox.png', FOX)), ('source_file', ('cat.jpg', CAT))),
        *(('mask', ('mask.png', mask())), text('strength', '0.3'), text('paste_back', '1')),
    )
    request = await easel.asked(made)
    number = made.headers['location'].rpartition('-')[2]
    fox, cat = request.sources

    async def sent(address: str) -> dict[str, list[str]]:
        return sent_by((await easel.client.get(address)).text)

    whole = {'source': [str(fox), str(cat)], 'mask': [request.mask], 'strength': ['0.3'],
             'paste_back': ['1']}  # fmt: skip
    assert await sent(f'/?from={number}') == whole
    assert await sent(f'/?from={number}&source={fox}') == whole | {'source': [str(fox)]}
    assert (await sent(f'/?from={number}&source={cat}'))['mask'] == []
    assert await sent(f'/?from={number}&bring=settings') == {name: [] for name in whole}
    assert await sent('/') == {name: [] for name in whole}
    assert (await sent(f'/?source={cat}&source={fox}'))['source'] == [str(cat), str(fox)]
    assert (await sent(f'/?source={fox}&mask={request.mask}'))['mask'] == [request.mask]
    assert (await sent(f'/?source={fox}&mask=../../session'))['mask'] == []
    assert (await easel.client.get('/?source=999')).status_code == 404
