"""Secrets through a whole life: no piece of one is anywhere but in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.doctor import doctor
from app.config import config_from
from tests.support.secret_canary import (
    API_KEY,
    HEADER,
    OWN_KEY,
    PASSWORD,
    TOKEN,
    hits,
    lived,
    repeating_provider,
)
from tests.test_doctor import AT_HOME


def test_cve_2024_9606_no_piece_of_a_secret_is_anywhere(tmp_path: Path) -> None:
    said = lived(tmp_path)

    names = ' '.join(said)
    kept = (tmp_path / 'data' / 'keys.json').read_text()
    assert all(part in names for part in ('easel.db', 'images/', 'attempts.json', 'command of'))
    assert all(b'"status": "failed"' in said[f'{one}, output'] for one in ('generate', 'alone'))
    assert OWN_KEY in kept
    assert HEADER in kept
    assert b'auth' in said['log']
    assert hits(said) == []


def test_cve_2025_11203_the_doctor_tells_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {'EASEL_API_KEY': API_KEY, 'EASEL_PASSWORD': PASSWORD, 'EASEL_TOKEN': TOKEN}
    with repeating_provider() as url:
        config = config_from({'EASEL_DATA': str(tmp_path), 'EASEL_API_URL': url, **secrets})
        statuses = [doctor(config, AT_HOME, {}, as_json=one) for one in (True, False)]

    captured = capsys.readouterr()
    assert statuses == [0, 0]
    assert hits({'output': captured.out.encode(), 'log': captured.err.encode()}) == []


def test_a_piece_of_a_secret_would_be_found() -> None:
    said = {'page': b'key ' + API_KEY[3:11].encode(), 'log': PASSWORD[::-1].encode(), 'else': b'x'}

    assert {one.partition(':')[0] for one in hits(said)} == {'page', 'log'}
