"""Log lines: no text from outside can forge one, and none is lost."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.log import JsonLines, TextLines, escape
from app.log import logger as logger_of
from app.maintenance.background import Background
from app.maintenance.verifier import Verifier

T = TypeVar('T')
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class NoThreads(Background):
    """A background as a system without room for another thread leaves it."""

    async def run(self, work: Callable[[], T]) -> T:
        raise RuntimeError("can't start new thread")


def line(form: logging.Formatter, text: str, *places: object, fault: ExcInfo | None = None) -> str:
    record = logging.LogRecord('app.x', logging.WARNING, __file__, 1, text, places, fault)
    return form.format(record)


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-c', program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fault_of(words: str) -> ExcInfo:
    try:
        raise ValueError(words)
    except ValueError as error:
        return type(error), error, error.__traceback__


def test_a_line_has_time_level_module_and_message() -> None:
    shown = line(TextLines(), '%s: attempt %s begins', 17, 2)

    assert shown[2] == shown[5] == ':'
    assert shown[8:] == ' warning app.x: 17: attempt 2 begins'


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('a\nb', 'a\\nb'),
        ('a\r\nb', 'a\\r\\nb'),
        ('\x1b[2J', '\\x1b[2J'),
        ('\x00\x07\x08', '\\x00\\x07\\x08'),
        ('\x7f\x9b', '\\x7f\\x9b'),
        ('a\u2028b\u2029', 'a\\u2028b\\u2029'),
        ('\u202egnp.exe', '\\u202egnp.exe'),
        ('\u2066x\u2069', '\\u2066x\\u2069'),
        ('\x0b\x0c\x1c\x85', '\\x0b\\x0c\\x1c\\x85'),
        ('кот 猫 🐈\tx', 'кот 猫 🐈\tx'),
    ],
)
def test_control_signs_are_shown_and_not_sent(text: str, shown: str) -> None:
    assert line(TextLines(), '%s', text).endswith(f': {shown}')


@given(st.text())
def test_any_text_is_one_line_of_either_form(text: str) -> None:
    plain, as_json = line(TextLines(), '%s', text), line(JsonLines(), '%s', text)

    assert len(plain.splitlines()) == 1
    assert len(as_json.splitlines()) == 1
    assert json.loads(as_json)['message'] == text


@pytest.mark.parametrize('form', [TextLines(), JsonLines()], ids=['text', 'json'])
def test_half_a_sign_can_be_written_to_a_file(form: logging.Formatter) -> None:
    shown = line(form, '%s', 'a \ud800 cat')

    assert shown.encode('utf-8')


def test_a_traceback_is_indented_so_that_no_line_of_it_looks_like_an_event() -> None:
    forged = 'x\n12:00:00 error app.x: forged\x1b[0m'

    shown = line(TextLines(), 'broke', fault=fault_of(forged))

    assert all(row.startswith('    ') for row in shown.split('\n')[1:])
    assert '\x1b' not in shown
    assert 'ValueError' in shown


def test_json_keeps_the_traceback_inside_the_one_object() -> None:
    shown = line(JsonLines(), 'broke %s', 'x', fault=fault_of('a\nb'))

    event = json.loads(shown)
    assert len(shown.splitlines()) == 1
    assert set(event) == {'at', 'level', 'logger', 'message', 'trace'}
    assert (event['level'], event['logger']) == ('warning', 'app.x')
    assert 'ValueError: a\nb' in event['trace']


def test_escape_leaves_what_is_harmless() -> None:
    assert escape('a b\tc\nd — é') == 'a b\tc\nd — é'


def test_a_module_has_one_logger_below_the_root() -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)

    logger_of('app.test').warning('heard')
    logging.getLogger().removeHandler(handler)

    assert heard.getvalue() == 'heard\n'


@pytest.mark.parametrize(
    ('level', 'said'), [('debug', 3), ('info', 2), ('warning', 1), ('error', 0)]
)
def test_starting_sets_the_level_and_writes_to_standard_error(level: str, said: int) -> None:
    program = (
        f'from app.log import logger, start\nstart({level!r}, "json")\nlog = logger("app.x")\n'
        'log.debug("d"); log.info("i"); log.warning("w")\n'
        'logger("httpx").info("a request to an address with a key")\n'
    )

    ended = run(program)

    assert (ended.returncode, ended.stdout) == (0, '')
    assert len([json.loads(row) for row in ended.stderr.splitlines()]) == said


def test_a_closed_standard_error_does_not_stop_the_work() -> None:
    program = (
        'import sys\nfrom app.log import logger, start\nstart("info", "text")\n'
        'sys.stderr.close()\nlogger("app.x").info("nobody hears this")\nprint("went on")'
    )

    ended = run(program)

    assert ended.stdout == 'went on\n'


async def test_what_fails_beside_the_pages_is_logged_and_no_stop_fails_by_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    verifier = Verifier(tmp_path, NoThreads())

    verifier.start()
    await verifier.close()

    assert verifier.last
    assert not verifier.last.running
    assert "can't start new thread" in caplog.text
