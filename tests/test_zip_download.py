"""Pictures as a ZIP that is made while it is sent."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request

from app.access.visitors import Visitor
from app.database.links import GuestRow
from app.gallery.names import name_of
from app.gallery.zip_writer import ZipWriter
from app.models import Image
from app.web.context import Services
from app.web.delivery.zips import pictures_among, zip_of
from tests.support.kept_folder import FIRST, SECOND, kept_folder
from tests.support.raw_requests import open_door
from tests.support.rows import kept

MADE_AT = 1_795_000_001.0
IMAGE = Image(
    **asdict(kept()) | {'id': 17, 'created_at': MADE_AT},
    generation_id=1,
    position=0,
    prompt='a fox',
    negative_prompt=None,
    provider='g4f',
    model='flux',
    asked_size=None,
    favourite=False,
    deleted_at=None,
    took_s=None,
)


@pytest_asyncio.fixture
async def easel(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Services]]:
    async with kept_folder(tmp_path / 'data'):
        pass
    async with open_door(tmp_path / 'data') as (app, services):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
            yield client, services
    assert list((tmp_path / 'data/arriving').iterdir()) == []


def archive(files: dict[str, bytes]) -> bytes:
    with tempfile.TemporaryFile() as directory:
        writer, blocks = ZipWriter(directory), list[bytes]()
        for name, content in files.items():
            blocks += writer.add(name, io.BytesIO(content), MADE_AT)
        return b''.join([*blocks, *writer.end()])


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


async def test_the_gallery_comes_flat_with_labels_and_a_list(
    easel: tuple[httpx.AsyncClient, Services],
) -> None:
    client, services = easel
    first, second = [await services.library.images.one(number) for number in (1, 2)]

    response = await client.get('/gallery.zip')

    archive = opened(response.content)
    told = json.loads(archive.read('prompts.json'))
    assert response.headers['content-type'] == 'application/zip'
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == sorted(
        [name_of(first), name_of(second), f'{name_of(second)}.xmp', 'prompts.json']
    )
    assert archive.read(name_of(first)) == b'first'
    assert {one['file']: one['id'] for one in told} == {name_of(first): 1, name_of(second): 2}


async def test_what_is_missing_or_damaged_is_left_out_and_named(
    easel: tuple[httpx.AsyncClient, Services],
) -> None:
    client, services = easel
    services.store.original(FIRST).unlink()
    services.store.original(SECOND).write_bytes(b'sec0nd')

    archive = opened((await client.get('/gallery.zip')).content)

    assert archive.namelist() == ['prompts.json', 'left-out.txt']
    assert archive.read('left-out.txt').decode().splitlines() == [
        f'2\tdamaged\t{SECOND}',
        f'1\tmissing\t{FIRST}',
    ]


async def test_chosen_pictures_come_in_their_order_as_far_as_one_may_see_them(
    easel: tuple[httpx.AsyncClient, Services],
) -> None:
    _, services = easel
    link = GuestRow(
        name='', token_hash='', makes=False, sees_all=True, created_at=0, expires_at=None, id=1
    )
    visitor = Visitor('', 'http', guest=link)  # who sees no trash
    request = Request({'type': 'http', 'headers': [], 'state': {'visitor': visitor}})

    response = zip_of(request, services, pictures_among(services, [2, 99, 1, 3]))
    content = b''.join([bytes(block) async for block in response.body_iterator])  # type: ignore[arg-type]

    told = json.loads(opened(content).read('prompts.json'))
    assert [one['id'] for one in told] == [2, 1]


async def test_another_site_starts_no_download(easel: tuple[httpx.AsyncClient, Services]) -> None:
    client, _ = easel

    refused = await client.get('/gallery.zip', headers={'Sec-Fetch-Site': 'cross-site'})

    assert refused.status_code == 403


def test_an_archive_is_one_to_other_programs(tmp_path: Path) -> None:
    content = archive({'a.png': b'picture', 'кот-猫.png': b'', 'b.png': bytes(300_000)})
    (tmp_path / 'a.zip').write_bytes(content)

    found = opened(content)

    assert found.testzip() is None
    assert found.namelist() == ['a.png', 'кот-猫.png', 'b.png']
    assert found.getinfo('a.png').date_time == time.localtime(MADE_AT - 1)[:6]
    if tool := shutil.which('unzip'):
        subprocess.run([tool, '-tqq', str(tmp_path / 'a.zip')], check=True)


def test_an_archive_may_hold_more_entries_than_16_bits_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('app.gallery.zip_writer.MOST_16', 2)

    found = opened(archive({f'{number}': b'' for number in range(3)}))

    assert found.namelist() == ['0', '1', '2']


def test_an_entry_may_begin_beyond_what_32_bits_reach() -> None:
    far = 5_000_000_000
    with tempfile.TemporaryFile() as whole, tempfile.TemporaryFile() as directory:
        writer = ZipWriter(directory, far)
        whole.truncate(far)
        whole.seek(far)
        for block in (*writer.add('a.png', io.BytesIO(b'picture'), MADE_AT), *writer.end()):
            whole.write(block)

        found = zipfile.ZipFile(whole)

        assert found.read('a.png') == b'picture'


@pytest.mark.parametrize(
    'prompt',
    ['../../etc/passwd', 'a/b\\c', 'CON', 'nul.', 'é' * 200, 'e\u0301 a?*:<>|"', '', '\0\n\x1b'],
)
def test_a_name_can_be_written_everywhere(prompt: str) -> None:
    name = name_of(replace(IMAGE, prompt=prompt))

    assert name[:10].replace('-', '').isdigit()
    assert name.endswith('-17.png')
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert len(name.encode()) < 150
