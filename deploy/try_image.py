"""Build the image and try it as strictly as Docker can run it, without Docker.

    sudo python3 deploy/try_image.py [--base IMAGE]

`buildah` builds; `unshare`, `chroot` and `setpriv` stand for `docker run --read-only --cap-drop ALL
--security-opt no-new-privileges --user 10001 --tmpfs /tmp --network none`. The demo draws the
picture. Where buildah or the base image is missing, it says so and is content, but not in CI.
`deploy/base-image.sh` makes a base of Debian's packages where no registry is reached.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BASE = 'docker.io/library/python:3.13-slim'
IMAGE = 'easel:try'
USER = 10001
TOKEN = 'a-token-for-the-trial'
DEVICES = ('null', 'zero', 'random', 'urandom')
TOOLS = ('buildah', 'unshare', 'chroot', 'setpriv', 'ip')
START_S, DRAW_S, STOP_S = 20, 30, 8


class Wrong(Exception):
    """The image does not do what it must; the text says what."""


@dataclass(frozen=True)
class Image:
    """The unpacked image, and how it wants to be run."""

    root: Path
    command: list[str]
    environment: dict[str, str]
    health: list[str]


def main() -> int:
    """Build, then go on inside namespaces of our own; returns the exit status."""
    parser = argparse.ArgumentParser(description='Build the image and try it without Docker.')
    parser.add_argument('--base', default=BASE, help=f'the image to build on ({BASE})')
    parser.add_argument('--mounted', type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.mounted:
        return try_all(chosen.mounted)
    missing = reason_to_skip(chosen.base)
    if missing:
        print(f'Skipped: {missing}.')
        return 1 if os.environ.get('CI') else 0
    buildah('build', '--isolation', 'chroot', '--pull-never', '--format', 'docker', '--build-arg',
            f'BASE={chosen.base}', '--tag', IMAGE, str(PROJECT))  # fmt: skip
    container = buildah('from', '--pull-never', IMAGE)
    try:
        root = buildah('mount', container)
        # Mounts and network of our own: they end with this child, whatever happens in it.
        inside = [sys.executable, __file__, '--mounted', root]
        return subprocess.call(['unshare', '--mount', '--net', '--propagation', 'private', *inside])
    finally:
        buildah('rm', container)


def reason_to_skip(base: str) -> str:
    """Say what is missing here; empty when nothing is."""
    if os.geteuid() != 0:
        return 'this needs root, to mount and to become another user'
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f'{", ".join(absent)} is not installed'
    looked = subprocess.run(['buildah', 'inspect', '--type', 'image', base], capture_output=True)
    return '' if looked.returncode == 0 else f'the image {base} is not on this machine'


def buildah(*arguments: str) -> str:
    """Run buildah, showing what it says; returns what it printed last."""
    done = subprocess.run(['buildah', *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().rpartition('\n')[2]


def try_all(root: Path) -> int:
    """Try the mounted image; returns the exit status."""
    try:
        image = read_image(root)
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        (root / 'etc/hosts').touch()
        size = subprocess.check_output(['du', '-sm', root / 'opt/easel'], text=True).split()[0]
        print(f'The virtual environment takes {size} MiB.')
        with tempfile.TemporaryDirectory() as folder:
            for mode in ('rw', 'ro'):  # plain `docker run` first: there a stray file would show
                try_drawing(image, Path(folder), mode)
            try_foreign_data(image, Path(folder))
    except Wrong as wrong:
        print(f'Wrong: {wrong}.')
        return 1
    print('The image is as it must be.')
    return 0


def read_image(root: Path) -> Image:
    """Ask the image itself who runs what in it."""
    asked = ['buildah', 'inspect', '--type', 'image', IMAGE]
    found = json.loads(subprocess.check_output(asked))['Docker']['config']
    if found['User'] != f'{USER}:{USER}':
        raise Wrong(f'the image runs as {found["User"]!r}')
    return Image(
        root=root,
        command=[*found['Entrypoint'], *found['Cmd']],
        environment=dict(pair.split('=', 1) for pair in found['Env']),
        health=found['Healthcheck']['Test'][1:],
    )


def try_drawing(image: Image, folder: Path, mode: str) -> None:
    """Start, draw one picture, stop; the root is mounted `rw` or `ro`."""
    data, secrets = owned(folder / f'data-{mode}'), owned(folder / f'secrets-{mode}')
    for name, text in (('password', 'a password'), ('token', TOKEN)):
        (secrets / name).write_text(text)
        os.chown(secrets / name, USER, USER)
    before = files_of(image.root)
    with confined(image, data, secrets, mode) as tmp, started(image, folder) as process:
        began = time.monotonic()
        wait_for_health(process)
        print(f'{mode}: answers {1000 * (time.monotonic() - began):.0f} ms after the start')
        check(is_healthy(image), 'the health check fails')
        check_stripped(process)
        check(
            generation_request('GET', '/gallery.json', token='')[0] == 401,
            'the password file is not read',
        )
        draw(data)
        check_stop(process)
        check(not is_healthy(image), 'the health check always passes')
        check(not list(tmp.iterdir()), f'{list(tmp.iterdir())} was left behind')
    check(files_of(image.root) == before, 'something was written outside /data and /tmp')


def try_foreign_data(image: Image, folder: Path) -> None:
    """A data folder of root's must be told in one sentence, with the cure."""
    data = folder / 'data-of-root'
    data.mkdir(mode=0o755)
    with confined(image, data, folder / 'secrets-ro', 'ro'), started(image, folder) as process:
        status = process.wait(START_S)
    said = (folder / 'said').read_text()
    print(said.strip())
    check(status == 1, f'it ended with {status} on a data folder of root')
    check(f'chown -R {USER}' in said, 'the cure is not named')
    check(said.count('\n') == 1, 'it is more than one line')


def owned(folder: Path) -> Path:
    """Make a folder of the image's user."""
    folder.mkdir(mode=0o700)
    os.chown(folder, USER, USER)
    return folder


def files_of(root: Path) -> dict[Path, tuple[int, int]]:
    found = ((path, path.lstat()) for path in root.rglob('*'))
    return {path: (status.st_mtime_ns, status.st_size) for path, status in found}


@contextmanager
def confined(image: Image, data: Path, secrets: Path, mode: str) -> Iterator[Path]:
    """Mount the image as Docker would, with a fresh /tmp, /dev and /proc; gives its /tmp."""
    root = image.root
    mounts = (
        ('--bind', root, root),
        ('-t', 'tmpfs', 'tmpfs', root / 'tmp'),
        ('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', root / 'dev'),
        ('-t', 'proc', 'proc', root / 'proc'),
        ('--bind', data, root / 'data'),
        ('--bind', secrets, root / 'mnt'),
        ('--bind', '/etc/hosts', root / 'etc/hosts'),  # Docker brings its own, with `localhost`
        ('-o', f'remount,bind,{mode}', root),
    )
    for mount in mounts:
        subprocess.run(['mount', *mount], check=True)
    for device in DEVICES:
        (root / 'dev' / device).touch()
        subprocess.run(['mount', '--bind', f'/dev/{device}', root / 'dev' / device], check=True)
    try:
        yield root / 'tmp'
    finally:
        subprocess.run(['umount', '--recursive', '--lazy', root], check=True)


@contextmanager
def started(image: Image, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image's own command as process 1; what it says goes to the file `said`."""
    command = ['unshare', '--pid', '--fork', '--kill-child', *stripped(image, image.command)]
    secrets = {'EASEL_PASSWORD_FILE': '/mnt/password', 'EASEL_TOKEN_FILE': '/mnt/token'}
    with (folder / 'said').open('wb') as said:
        environment = {**image.environment, **secrets}
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stripped(image: Image, command: list[str]) -> list[str]:
    """Put a command under the image's user, with no capability and no way to one."""
    who = ['--reuid', str(USER), '--regid', str(USER), '--clear-groups']
    caps = ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs']
    return ['chroot', str(image.root), 'setpriv', *who, *caps, *command]


def wait_for_health(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            if generation_request('GET', '/health')[0] == 200:
                return
        time.sleep(0.01)
    raise Wrong('it does not answer')


def process_in(process: subprocess.Popen[bytes]) -> int:
    """Give the number, out here, of the process that is 1 in there."""
    return int(Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()[0])


def is_healthy(image: Image) -> bool:
    checked = subprocess.run(stripped(image, image.health), stderr=subprocess.DEVNULL)
    return checked.returncode == 0


def check_stripped(process: subprocess.Popen[bytes]) -> None:
    """Read from the kernel that nothing is left to the process."""
    status = Path(f'/proc/{process_in(process)}/status').read_text()
    held = dict(line.split(':\t', 1) for line in status.splitlines() if ':\t' in line)
    check(held['Uid'].split() == [str(USER)] * 4, f'it runs as {held["Uid"]}')
    check(not any(int(held[f'Cap{kind}'], 16) for kind in ('Inh', 'Prm', 'Eff', 'Bnd', 'Amb')),
          'it holds capabilities')  # fmt: skip
    check(held['NoNewPrivs'] == '1', 'it could gain privileges')


def check_stop(process: subprocess.Popen[bytes]) -> None:
    """End it as `docker stop` does."""
    began = time.monotonic()
    os.kill(process_in(process), signal.SIGTERM)
    try:
        status = process.wait(STOP_S)
    except subprocess.TimeoutExpired as error:
        raise Wrong('SIGTERM does not end it') from error
    print(f'SIGTERM ends it with {status} in {1000 * (time.monotonic() - began):.0f} ms')
    check(status == 0, 'it did not end well')


def draw(data: Path) -> None:
    """Have one prompt drawn, and find the picture in the data folder."""
    status, location, _ = generation_request('POST', '/generations', 'prompt=a+fox&size=64x64')
    check(status == 303, f'a prompt is answered with {status}')
    number = location.rpartition('-')[2]
    deadline = time.monotonic() + DRAW_S
    shown = {'status': 'queued'}
    while shown['status'] in ('queued', 'running') and time.monotonic() < deadline:
        time.sleep(0.05)
        shown = json.loads(generation_request('GET', f'/generations/{number}.json')[2])
    check(shown['status'] == 'done', f'the generation is {shown["status"]}')
    pictures = [path for path in (data / 'images').rglob('*') if path.is_file()]
    check(len(pictures) == 1, f'{len(pictures)} pictures lie in /data/images')
    print(f'{pictures[0].name} is drawn, {pictures[0].stat().st_size} bytes')


def generation_request(
    method: str, path: str, body: str = '', token: str = TOKEN
) -> tuple[int, str, bytes]:
    """Ask for a page; gives status, Location and body."""
    headers = {'content-type': 'application/x-www-form-urlencoded'} if body else {}
    headers |= {'authorization': f'Bearer {token}'} if token else {}
    connection = http.client.HTTPConnection('127.0.0.1', 8484, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader('location', ''), answer.read()


def check(holds: bool, wrong: str) -> None:
    if not holds:
        raise Wrong(wrong)


if __name__ == '__main__':
    sys.exit(main())
