"""Starting, stopping, crashing, and starting again."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.database import Library
from app.storage.lock import holder_of
from tests.support.servers import (
    CLOSED_PORT_URL,
    ROOT,
    clean_environment,
    command,
    executed,
    running_easel,
    start_easel,
)


def test_what_was_kept_is_there_after_a_restart(upstream: str, tmp_path: Path) -> None:
    settings = {'EASEL_API_URL': upstream}
    with running_easel(tmp_path / 'data', settings, executed) as easel:
        drawn = easel.draw(prompt='tomorrow', size='32x32')

    with running_easel(tmp_path / 'data', settings, executed) as easel, easel.client() as client:
        page = client.get('/gallery?q=tomorrow').text

    assert drawn['status'] == 'done'
    assert 'tomorrow' in page


def test_a_crash_interrupts_what_ran_and_runs_what_waited(upstream: str, tmp_path: Path) -> None:
    easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}, by=executed)
    running = [easel.submit(prompt='slow', model='slow-60') for _ in range(4)]
    for one in running:
        easel.wait(one, 'running')
    waiting = easel.submit(prompt='waits', size='32x32')
    easel.stop(signal.SIGKILL)

    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as again:
        statuses = [again.wait(one)['status'] for one in [*running, waiting]]

    assert statuses == ['interrupted'] * 4 + ['done']
    assert not list((tmp_path / 'data' / 'arriving').iterdir())


@pytest.mark.parametrize('redirected', ['>/dev/full 2>&1', '>&- 2>&-'])
def test_a_terminal_that_is_full_or_gone_stops_nothing(tmp_path: Path, redirected: str) -> None:
    data, python = tmp_path / 'data', shlex.quote(sys.executable)
    started = f'exec {python} -m app --no-browser --data {shlex.quote(str(data))} --port 0'
    with subprocess.Popen(
        ['/bin/sh', '-c', f'{started} {redirected}'], cwd=ROOT, env=clean_environment()
    ) as process:
        deadline = time.monotonic() + 20
        while not holder_of(data).port and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()

    assert process.returncode == 0


def test_everything_in_the_data_folder_is_private(upstream: str, tmp_path: Path) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as easel:
        easel.draw(prompt='secret plans', size='32x32')

        modes = {
            path: stat.S_IMODE(path.stat().st_mode) for path in [easel.data, *easel.data.rglob('*')]
        }

    assert {path for path, mode in modes.items() if mode & 0o077} == set()


def test_a_second_start_on_the_same_data_opens_the_first(tmp_path: Path) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': CLOSED_PORT_URL}) as easel:
        port = easel.url.rpartition(':')[2]

        same = command('--no-browser', '--data', str(data), '--port', port)
        other = command('--no-browser', '--data', str(data), '--port', str(int(port) + 1))

    assert (same.returncode, other.returncode) == (0, 1)
    assert 'already running' in same.stdout
    assert port in other.stderr
    assert str(int(port) + 1) in other.stderr


def test_a_port_held_by_another_program_names_the_next_free_one(tmp_path: Path) -> None:
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]

        refused = command('--no-browser', '--data', str(tmp_path), '--port', str(port))

    assert refused.returncode == 1
    assert f'Port {port} is taken' in refused.stderr
    assert '--port ' in refused.stderr


@pytest.mark.parametrize(
    ('environment', 'named'),
    [
        ({'EASEL_PORT': 'high'}, 'EASEL_PORT'),
        ({'EASEL_API_URL': 'ftp://x'}, 'EASEL_API_URL'),
        ({'EASEL_LOG': 'loud'}, 'EASEL_LOG'),
        ({'EASEL_HOST': '0.0.0.0'}, 'EASEL_PASSWORD'),
    ],
)
def test_a_wrong_variable_ends_with_its_name(
    tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    refused = command('--no-browser', '--data', str(tmp_path), environment=environment)

    assert refused.returncode == 2
    assert named in refused.stderr
    assert 'Traceback' not in refused.stderr


def test_generate_prints_one_object_and_keeps_the_picture(upstream: str, tmp_path: Path) -> None:
    done = command(
        *(
            'generate',
            '-',
            '--json',
            '--data',
            str(tmp_path / 'data'),
            '--out',
            str(tmp_path / 'out'),
        ),
        *('--size', '48x32', '-n', '2', '--seed', '5'),
        environment={'EASEL_API_URL': upstream},
        typed='a fox from standard input',
    )

    result = json.loads(done.stdout)

    assert done.returncode == 0
    assert result['status'] == 'done'
    assert [(image['width'], image['height']) for image in result['images']] == [(48, 32)] * 2
    assert all(Path(image['path']).parent == tmp_path / 'out' for image in result['images'])
    assert all(
        Path(image['path']).read_bytes().startswith(b'\x89PNG') for image in result['images']
    )


def test_generate_asks_the_server_that_holds_the_data(upstream: str, tmp_path: Path) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream, 'EASEL_PASSWORD': 'open sesame'}) as easel:
        done = command('generate', 'кот на крыше', '--json', '--size', '32x32', '--data', str(data))

        token = (data / 'token').read_text()
        answer = httpx.get(
            f'{easel.url}/gallery.json', headers={'Authorization': f'Bearer {token}'}
        )

    path = Path(json.loads(done.stdout)['images'][0]['path'])
    assert path.is_file()
    assert data in path.parents
    assert answer.json()['images'][0]['prompt'] == 'кот на крыше'


def test_generate_says_why_it_failed(tmp_path: Path) -> None:
    failed = command(
        *('generate', 'x', '--json', '--data', str(tmp_path)),
        environment={'EASEL_API_URL': CLOSED_PORT_URL},
    )

    result = json.loads(failed.stdout)

    assert failed.returncode == 1
    assert result['status'] == 'failed'
    assert result['images'] == []
    assert result['error']['kind'] == 'unreachable'
    assert set(result['error']) == {'kind', 'message', 'hint', 'param', 'retry_after_s', 'job_id'}


def test_generate_names_the_server_that_is_to_draw(upstream: str, tmp_path: Path) -> None:
    arguments = ('generate', 'x', '--json', '--data', str(tmp_path), '--size', '32x32')
    settings = {'EASEL_API_URL': upstream}

    drawn = command(*arguments, '--provider', 'demo', environment=settings)
    refused = command(*arguments, '--provider', 'nobody', environment=settings)

    assert json.loads(drawn.stdout)['provider'] == 'demo'
    assert refused.returncode == 2
    assert 'nobody' in refused.stderr


async def teach(data: Path, base_url: str) -> None:
    """Write down something that was learned of a server."""
    library = await Library.open(data / 'easel.db')
    await library.learned.keep(base_url, '', 'response_format', 'url', 1.0)
    await library.close()


async def learned(data: Path) -> set[str]:
    library = await Library.open(data / 'easel.db')
    facts = await library.learned.all()
    await library.close()
    return set(facts.values())


@pytest.mark.parametrize('name', ['', 'demo'], ids=['in use', 'another'])
def test_generate_forgets_what_was_learned_of_the_server_in_use(
    name: str, upstream: str, tmp_path: Path
) -> None:
    data = tmp_path
    asyncio.run(teach(data, upstream))
    arguments = ('generate', 'x', '--data', str(data), '--size', '32x32', '--provider', name)

    command(*arguments, '--forget', environment={'EASEL_API_URL': upstream})

    assert ('url' in asyncio.run(learned(data))) is (name == 'demo')


def test_generate_has_the_server_forget_that_holds_the_data(upstream: str, tmp_path: Path) -> None:
    data = tmp_path / 'data'
    data.mkdir()
    asyncio.run(teach(data, upstream))
    with running_easel(data, {'EASEL_API_URL': upstream}):
        done = command('generate', 'x', '--data', str(data), '--size', '32x32', '--forget')

    assert done.returncode == 0
    assert 'url' not in asyncio.run(learned(data))


@pytest.mark.parametrize(
    'arguments', [['--size', 'big'], ['-n', '11'], ['--bogus'], ['--seed', 'x']]
)
def test_generate_with_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    refused = command('generate', 'x', '--data', str(tmp_path), *arguments)

    assert refused.returncode == 2
    assert refused.stdout == ''
    assert refused.stderr


def test_the_users_own_script_runs_against_the_demo(upstream: str) -> None:
    answer = httpx.post(
        f'{upstream}/images/generations',
        json={'model': 'flux', 'prompt': 'hello world user', 'response_format': None},
    ).json()

    assert httpx.get(answer['data'][0]['url']).content.startswith(b'\x89PNG')


def test_the_demo_stands_in_only_where_nobody_set_an_address(tmp_path: Path) -> None:
    refused = command(
        *('generate', 'x', '--json', '--data', str(tmp_path / 'a')),
        environment={'EASEL_API_URL': 'http://localhost:1/v1'},
    )

    assert json.loads(refused.stdout)['provider'] != 'demo'
    assert refused.returncode == 1
