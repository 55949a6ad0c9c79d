"""The nightly backup: when it is due, what it keeps, and what is told of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import pytest

from app.errors import InvalidRequest
from app.maintenance.background import Background
from app.maintenance.nightly import LastBackup, NightlyBackup, NightlySettings
from tests.support.kept_folder import KeptFolder, members_of

NIGHT = datetime(2026, 11, 29, 3, 0).timestamp()
HOUR_S, DAY_S = 3_600.0, 24 * 3_600.0
FAILED = LastBackup(NIGHT, sentence='It failed: {reason}.', places={'reason': 'no disk'})


class Clock:
    def __init__(self) -> None:
        self.now = NIGHT - HOUR_S
        self.results = 0

    def __call__(self) -> float:
        return self.now

    def count(self) -> None:
        self.results += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nightly(kept: KeptFolder, clock: Clock) -> NightlyBackup:
    return NightlyBackup(kept.data, Background(), clock.count, clock)


@pytest.fixture
def settings(tmp_path: Path) -> NightlySettings:
    (tmp_path / 'backups').mkdir()
    return NightlySettings(enabled=True, folder=str(tmp_path / 'backups'), hour=3, keep=2)


def backups_in(settings: NightlySettings) -> list[str]:
    return sorted(path.name for path in Path(settings.folder).iterdir())


@pytest.mark.parametrize(
    ('since', 'last', 'due'),
    [
        (NIGHT - 1, None, True),
        (NIGHT + 1, None, False),  # set after that hour: no earlier night is made up for
        (NIGHT - DAY_S, LastBackup(NIGHT + 5), False),
        (NIGHT - DAY_S, LastBackup(NIGHT - 5), True),  # Easel was off at that hour
        (NIGHT - DAY_S, FAILED, False),
        (NIGHT - DAY_S, replace(FAILED, at=NIGHT - 1_800), True),
        (NIGHT - DAY_S, LastBackup(NIGHT + 400 * DAY_S), True),  # the clock was set back since
        (NIGHT + 400 * DAY_S, LastBackup(NIGHT + 5), False),
    ],
)
def test_it_is_due_once_a_night_and_an_hour_after_a_failure(
    since: float, last: LastBackup | None, due: bool
) -> None:
    settings = NightlySettings(enabled=True, hour=3, since=since, last=last)

    assert settings.is_due(NIGHT + 1_800) is due
    assert replace(settings, hour=4, since=0.0, last=None).is_due(NIGHT)
    assert not replace(settings, enabled=False).is_due(NIGHT + 1_800)


async def test_each_night_has_a_backup_and_the_oldest_go(
    nightly: NightlyBackup, settings: NightlySettings, clock: Clock
) -> None:
    folder = Path(settings.folder)
    await nightly.change(settings)
    mark = nightly.settings.mark
    others = ['.easel-0badcafe-20261128-030000.tar-abc.part', 'easel-0badcafe-20261128-030000.tar']
    for name in (*others, 'easel-of-mine.tar', f'.easel-{mark}-20261128-030000.tar-abc.part'):
        folder.joinpath(name).touch()

    for _ in range(4):
        await nightly.look()
        clock.now += DAY_S
        await nightly.look()

    names = [f'easel-{mark}-20261202-020000.tar', f'easel-{mark}-20261203-020000.tar']
    assert backups_in(settings) == sorted([*others, *names, 'easel-of-mine.tar'])
    last = nightly.settings.last
    assert last
    assert (last.at, last.file) == (clock.now, str(folder / names[-1]))
    assert members_of(Path(last.file))['images/2025/12/31/a.png'] == b'first'
    assert clock.results == 1 + 4  # of the change, and of each backup
    assert nightly.problem is None


async def test_a_failure_is_told_until_one_succeeds_also_after_a_start(
    kept: KeptFolder,
    nightly: NightlyBackup,
    settings: NightlySettings,
    clock: Clock,
    tmp_path: Path,
) -> None:
    await nightly.change(settings)
    clock.now += 2 * HOUR_S
    folder = tmp_path / 'backups'
    folder.rmdir()

    await nightly.look()
    started = NightlyBackup(kept.data, Background(), clock.count, clock)
    started.load()
    told = started.problem
    folder.mkdir()
    clock.now += HOUR_S
    await started.look()

    assert told
    assert told.owner_only
    assert 'No such file' in told.cure.format(**told.places)
    assert started.problem is None
    assert len(backups_in(settings)) == 1


async def test_a_failure_is_not_told_any_more_once_other_settings_are_saved(
    nightly: NightlyBackup, settings: NightlySettings, clock: Clock
) -> None:
    nightly.settings = replace(settings, last=FAILED)
    before = nightly.problem

    await nightly.change(replace(settings, enabled=False, folder=''))

    assert before
    assert nightly.problem is None
    assert clock.results == 1


async def test_an_ended_server_leaves_no_part_and_makes_it_at_its_next_start(
    kept: KeptFolder, settings: NightlySettings, clock: Clock
) -> None:
    background = Background()
    nightly = NightlyBackup(kept.data, background, clock.count, clock)
    await nightly.change(settings)
    clock.now += 2 * HOUR_S

    background.end()
    await nightly.look()

    assert backups_in(settings) == []
    assert nightly.settings.is_due(clock.now)


@pytest.mark.parametrize(
    ('wrong', 'field', 'sentence'),
    [
        ({'folder': 'backups'}, 'folder', 'full path'),
        ({'folder': '/nowhere/at/all'}, 'folder', "doesn't exist"),
        ({'folder': ''}, 'folder', 'full path'),
        ({'hour': 24}, 'hour', '0 to 23'),
        ({'keep': 0}, 'keep', '1 to 365'),
    ],
)
async def test_what_cannot_be_done_is_refused_when_it_is_saved(
    nightly: NightlyBackup,
    settings: NightlySettings,
    wrong: dict[str, str | int],
    field: str,
    sentence: str,
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await nightly.change(NightlySettings(**asdict(settings) | wrong))

    assert sentence in str(caught.value.fields[field])
    assert nightly.settings == NightlySettings()


async def test_backups_never_go_into_the_data_folder_also_not_by_a_link(
    kept: KeptFolder, nightly: NightlyBackup, settings: NightlySettings, tmp_path: Path
) -> None:
    (tmp_path / 'link').symlink_to(kept.data / 'images')

    for folder in (kept.data, kept.data / 'images', tmp_path / 'link'):
        with pytest.raises(InvalidRequest) as caught:
            await nightly.change(replace(settings, folder=str(folder)))
        assert 'inside the data folder' in str(caught.value.fields['folder'])


@pytest.mark.parametrize('text', ['', '[]', '{"hour": 3, "other": 1}', json.dumps({'last': 5})])
async def test_damaged_settings_are_told_and_stop_no_start(
    kept: KeptFolder, nightly: NightlyBackup, text: str
) -> None:
    (kept.data / 'nightly.json').write_text(text)

    nightly.load()

    assert nightly.problem
    assert 'damaged' in nightly.problem.cure
    assert not nightly.settings.enabled
