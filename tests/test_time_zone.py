"""Days are the visitor's, by the zone that their browser names."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request

from app.web.base_path import BasePath
from app.web.static import Static
from app.web.templates import Language, Renderer, zone_of

ROOT = Path(__file__).resolve().parent.parent
AUCKLAND = ZoneInfo('Pacific/Auckland')
NO_ZONES = ('', '../../etc/passwd', '/etc/passwd', 'America', 'Nowhere/At_all', 'a' * 5000, '.')


def asked_with(zone: str) -> Request:
    cookie = f'easel-zone={zone}'.encode()
    return Request({'type': 'http', 'headers': [(b'cookie', cookie)]})


@pytest.fixture(scope='module')
def english() -> Language:
    return Renderer(Static(ROOT / 'static'), Path(tempfile.mkdtemp()), BasePath('')).language('en')


def test_the_zone_is_what_the_browser_names() -> None:
    assert zone_of(asked_with('Pacific/Auckland')) == AUCKLAND


@pytest.mark.parametrize('zone', NO_ZONES)
def test_a_zone_that_is_none_is_the_servers(zone: str) -> None:
    assert zone_of(asked_with(zone)) is None


def test_a_day_begins_at_the_visitors_midnight(english: Language) -> None:
    midnight = datetime.now(AUCKLAND).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + timedelta(seconds=at) for at in (1, -1, -2 * 24 * 3600)]

    days = [english.day(moment.timestamp(), AUCKLAND) for moment in moments]

    assert days[:2] == ['Today', 'Yesterday']
    assert days[2] == english.date(moments[2].timestamp(), AUCKLAND)


def test_the_same_moment_has_another_date_elsewhere(english: Language) -> None:
    moment = datetime(2026, 11, 29, 12, tzinfo=ZoneInfo('UTC')).timestamp()

    dates = [english.date(moment, ZoneInfo(zone)) for zone in ('UTC', 'Pacific/Auckland')]

    assert dates == ['29 November 2026', '30 November 2026']
