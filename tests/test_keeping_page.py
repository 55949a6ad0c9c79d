"""The owner's page about storage: disk use, verification, backups."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.web.context import Services
from tests.support.default_setup import page, post
from tests.support.kept_folder import FIRST, SECOND, kept_folder
from tests.support.raw_requests import HOME, Answered, knock, open_door

JSON = (b'accept', b'application/json')
PART = (b'x-fragment', b'true')
PAGE = '/settings/keeping'


@pytest_asyncio.fixture
async def easel(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    async with kept_folder(tmp_path / 'data'):
        pass
    async with open_door(tmp_path / 'data') as opened:
        yield opened
    assert list_of(tmp_path / 'data' / 'arriving') == []


def list_of(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def json_of(app: ASGIApp) -> dict[str, object]:
    shown: dict[str, object] = json.loads((await knock(app, 'GET', f'{PAGE}.json', HOME)).body)
    return shown


async def finished(services: Services) -> None:
    await services.maintenance.verifier.close()
    await services.maintenance.thumbs.close()


async def test_disk_use_is_told_by_year_and_by_what(easel: tuple[ASGIApp, Services]) -> None:
    app, services = easel
    (services.config.data / 'thumbs' / 'aa').mkdir()
    (services.config.data / 'thumbs' / 'aa' / 'a.webp').write_bytes(b'1234')
    (services.config.data / 'masks').mkdir()
    (services.config.data / 'masks' / 'a.png').write_bytes(b'12345')

    unknown = services.maintenance.thumbs.size_bytes
    await json_of(app)
    await finished(services)
    after = await json_of(app)
    await services.library.images.set_deleted(3, None)
    restored, text = await json_of(app), await page(app, PAGE)

    database = [services.config.data / name for name in ('easel.db', 'easel.db-wal')]
    assert restored['database_bytes'] == sum(file.stat().st_size for file in database)
    assert (unknown, after['thumbs_bytes'], after['masks_bytes']) == (None, 4, 5)
    assert '<dt>Masks</dt>' in text
    assert (after['originals_bytes'], after['trash_bytes']) == (18, 7)
    assert after['years'] == [
        {'year': '2026', 'images': 2, 'size_bytes': 13, 'trashed': 1, 'trashed_bytes': 7},
        {'year': '2025', 'images': 1, 'size_bytes': 5, 'trashed': 0, 'trashed_bytes': 0},
    ]
    assert (restored['originals_bytes'], restored['trash_bytes']) == (18, 0)
    assert '<dt>of which in the trash</dt><dd>0 kB</dd>' in text


async def test_a_verification_runs_beside_and_its_result_stays(
    easel: tuple[ASGIApp, Services],
) -> None:
    app, services = easel
    images = services.config.data / 'images'
    (images / FIRST).write_bytes(b'FIRST')
    (images / SECOND).unlink()
    (images / 'mine.png').touch()

    begun = await post(app, '/settings/verification', PART)
    again = await post(app, '/settings/verification')
    await finished(services)
    shown, text = await json_of(app), await page(app, PAGE)

    assert b'data-running' in begun.body
    assert (again.status, again.headers['location']) == (303, f'{PAGE}#verification')
    found = shown['verification']
    assert isinstance(found, dict)
    counted = [found[name] for name in ('checked', 'total', 'missing', 'cut', 'rotten', 'stranger')]
    assert counted == [3, 3, 1, 0, 1, 1]
    assert {'kind': 'rotten', 'path': f'images/{FIRST}'} in found['files']
    assert '2 pictures have problems: 1 missing, 0 truncated, 1 changed.' in text
    assert 'data-running' not in text


@pytest.mark.skipif(sys.platform in ('win32', 'darwin'), reason='file names are text there')
async def test_a_file_whose_name_is_no_text_costs_no_page(easel: tuple[ASGIApp, Services]) -> None:
    app, services = easel
    (services.config.data / 'images' / os.fsdecode(b'mine-\xff.png')).touch()

    await post(app, '/settings/verification')
    await finished(services)
    shown, text = await json_of(app), await page(app, PAGE)

    found = shown['verification']
    assert isinstance(found, dict)
    assert found['files'] == [{'kind': 'stranger', 'path': 'images/mine-\ufffd.png'}]
    assert 'images/mine-' in text


async def test_a_verification_can_be_stopped(easel: tuple[ASGIApp, Services]) -> None:
    app, services = easel

    await post(app, '/settings/verification')
    await post(app, '/settings/verification/cancellation')
    await finished(services)

    assert 'Stopped after' in await page(app, PAGE)


async def test_a_verification_that_cannot_read_says_why(easel: tuple[ASGIApp, Services]) -> None:
    _, services = easel
    await services.library.database.run('pragma user_version = 999')

    services.maintenance.verifier.start()
    await finished(services)

    last = services.maintenance.verifier.last
    assert last
    assert 'written by a newer Easel' in str(last.failure)


async def test_a_backup_is_downloaded_whole(easel: tuple[ASGIApp, Services]) -> None:
    app, _ = easel

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
        answer = await client.get('/settings/backup.tar')

    assert answer.status_code == 200
    assert answer.headers['content-disposition'].startswith('attachment; filename="easel-20')
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = tar.getnames()
    assert names[0] == 'easel.db'
    assert names[-1] == 'SHA256SUMS'
    assert f'images/{FIRST}' in names


async def test_one_backup_is_downloaded_at_a_time_and_one_that_is_left_ends(
    easel: tuple[ASGIApp, Services],
) -> None:
    app, services = easel

    blocks = await services.maintenance.backup()
    second = await knock(app, 'GET', '/settings/backup.tar', HOME)
    await blocks.aclose()
    third = await knock(app, 'GET', '/settings/backup.tar', HOME)

    assert (second.status, third.status) == (409, 200)


async def test_another_site_cannot_begin_a_backup(easel: tuple[ASGIApp, Services]) -> None:
    app, _ = easel

    answer = await knock(
        app, 'GET', '/settings/backup.tar', HOME, (b'sec-fetch-site', b'cross-site')
    )

    assert answer.status == 403


async def test_a_backup_that_cannot_begin_is_a_sentence(easel: tuple[ASGIApp, Services]) -> None:
    app, services = easel
    await services.library.database.run('pragma user_version = 999')

    answer = await knock(app, 'GET', '/settings/backup.tar', HOME)

    assert answer.status == 507
    assert b'written by a newer Easel' in answer.body


async def save(app: ASGIApp, *headers: tuple[bytes, bytes], **fields: str) -> Answered:
    fields = {'enabled': 'on', 'hour': '4', 'keep': '3'} | fields
    return await post(app, '/settings/nightly', *headers, **fields)


async def test_a_nightly_backup_is_set_and_shown(
    easel: tuple[ASGIApp, Services], tmp_path: Path
) -> None:
    app, services = easel

    saved = await save(app, folder=str(tmp_path))
    shown, text = await json_of(app), await page(app, PAGE)

    assert (saved.status, saved.headers['location']) == (303, f'{PAGE}#nightly')
    expected = {'enabled': True, 'folder': str(tmp_path), 'hour': 4, 'keep': 3, 'last': None}
    assert shown['nightly'] == expected
    assert '<option value="4" selected>04:00</option>' in text
    assert (services.config.data / 'nightly.json').stat().st_mode & 0o777 == 0o600


async def test_a_folder_that_will_not_do_is_told_beside_what_was_typed(
    easel: tuple[ASGIApp, Services],
) -> None:
    app, _ = easel

    as_page = await save(app, folder='/nowhere/at/all', keep='many')
    as_json = await save(app, JSON, folder='/nowhere/at/all')

    assert as_page.status == 422
    text = as_page.body.decode()
    assert 'value="/nowhere/at/all"' in text
    assert text.count('aria-invalid="true"') == 2
    assert 'folder' in json.loads(as_json.body)['error']['fields']
    assert (await json_of(app))['nightly'] != {}


async def test_a_failed_nightly_backup_is_told_on_every_page_of_the_owner(
    easel: tuple[ASGIApp, Services], tmp_path: Path
) -> None:
    app, services = easel
    nightly = services.maintenance.nightly
    (tmp_path / 'backups').mkdir()
    await save(app, folder=str(tmp_path / 'backups'))
    nightly.settings = replace(nightly.settings, since=0.0)
    (tmp_path / 'backups').rmdir()

    await nightly.look()
    home, own = await page(app, '/'), await page(app, PAGE)

    assert 'The last nightly backup failed.' in home
    assert 'No such file or directory' in own
