"""`easel generate --source --mask`: the same whether a server holds the data folder or not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.cli.generate import Order, generate, submitted
from app.cli.sources import SourceFiles
from app.config import config_from
from app.errors import InvalidRequest
from app.generation.request import parse_request
from tests.support.edit_forms import mask
from tests.support.labelled_pictures import saved
from tests.support.raw_requests import open_door

FIELDS = {'prompt': 'a fox', 'strength': '0.6', 'paste_back': '1'}


@pytest.fixture
def files(tmp_path: Path) -> SourceFiles:
    for name, content in (('fox.png', saved('PNG')), ('cat.jpg', saved('JPEG')), ('m', mask())):
        (tmp_path / name).write_bytes(content)
    (tmp_path / 'linked').symlink_to('cat.jpg')
    return SourceFiles([tmp_path / 'fox.png', tmp_path / 'linked'], tmp_path / 'm')


async def test_files_are_sent_or_added_to_the_same_effect(
    files: SourceFiles, tmp_path: Path
) -> None:
    async with open_door(tmp_path / 'data') as (app, services):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
            client.headers['Accept'] = 'application/json'
            sent = await submitted(client, Order(FIELDS, None, as_json=True, sources=files))
            (tmp_path / 'text').write_text('dear reader')
            odd = Order(FIELDS, None, as_json=True, sources=SourceFiles([tmp_path / 'text']))
            with pytest.raises(InvalidRequest, match="text isn't a PNG"):
                await submitted(client, odd)
        there = (await services.library.generations.one(sent)).request
        await services.library.images.set_deleted(there.sources[0], 1.0)

        here = parse_request({**FIELDS, **await files.add_to(services)})

        assert here == there
        assert (len(here.sources), here.strength, here.paste_back) == (2, '0.6', 1)
        assert services.store.mask(here.mask or '').is_file()
        assert not (await services.library.images.one(here.sources[0])).deleted_at
        assert list(services.store.arriving.iterdir()) == []


@pytest.mark.parametrize(
    ('pictures', 'masks', 'fields', 'sentence'),
    [
        (['none.png'], [], {}, '--source {}/none.png: No such file or directory.'),
        (['fox.png'], ['.'], {}, '--mask {}: Is a directory.'),
        (['fox.png'], [], {'strength': '2'}, 'strength: Enter a number from 0 to 1, like 0.6.'),
        ([], ['m'], {}, 'mask: Choose a picture to start from first'),
        (['fox.png'] * 17, [], {}, 'source: Choose up to 16 pictures.'),
        (['text'], [], {}, '--source {}/text: not a PNG, JPEG, WebP, GIF or AVIF (unknown).'),
        (['fox.png'], ['small'], {}, '--mask {}/small: it is 4x4 pixels, the picture 64x48.'),
        (['fox.png'], ['cat.jpg'], {}, '--mask {}/cat.jpg: not a PNG (image/jpeg).'),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_asked(
    pictures: list[str],
    masks: list[str],
    fields: dict[str, str],
    sentence: str,
    files: SourceFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / 'text').write_text('dear reader')
    (tmp_path / 'small').write_bytes(mask(4, 4))
    chosen = SourceFiles([tmp_path / one for one in pictures], *(tmp_path / one for one in masks))
    order = Order({'prompt': 'a fox', **fields}, None, as_json=True, sources=chosen)

    status = generate(config_from({}, data=str(tmp_path / 'data')), order)

    told = capsys.readouterr()
    assert (status, told.out) == (2, '')
    assert told.err.startswith(sentence.format(tmp_path))
