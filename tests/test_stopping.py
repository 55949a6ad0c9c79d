"""How a server ends: what is about to arrive arrives, and nothing else is waited for."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.support.servers import running_easel, start_easel

HALF_A_FORM = (
    b'POST /generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n'
    b'Content-Type: application/x-www-form-urlencoded\r\n\r\nprompt='
)


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX signals')
@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGHUP'])
def test_a_second_signal_ends_it_at_once_and_well_while_something_is_drawn(
    name: str, upstream: str, tmp_path: Path
) -> None:
    easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': upstream})
    running = easel.submit(prompt='slow', model='slow-60')
    easel.wait(running, 'running')
    easel.process.send_signal(getattr(signal, name))

    status = easel.stop(signal.SIGINT if name == 'SIGTERM' else signal.SIGTERM)

    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as again:
        assert again.generation(running)['status'] == 'interrupted'
    assert status == 0


def test_a_stop_waits_for_what_is_about_to_arrive_and_for_no_half_of_a_form(
    upstream: str, tmp_path: Path
) -> None:
    with (tmp_path / 'log').open('w+') as log:
        easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}, log=log)
        with socket.create_connection(('127.0.0.1', int(easel.url.rpartition(':')[2]))) as half:
            half.sendall(HALF_A_FORM)
            running = easel.submit(prompt='soon', model='slow-0.5', size='32x32')
            easel.wait(running, 'running')

            status = easel.stop()

        log.seek(0)
        told = log.read()
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as again:
        assert again.generation(running)['status'] == 'done'
    assert status == 0
    assert 'went away in the middle of a request' in told
    assert 'Traceback' not in told
