"""Five secrets through the whole life of an Easel, and everything that it said, wrote or showed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.support.fakes import picture
from tests.support.servers import FINISH_S, NO_TLS, Easel, command, executed, start_easel
from tests.support.static_server import Quiet, serving

SLICE = 8
API_KEY, OWN_KEY, HEADER = 'Qv7xKp2+mWz9tRb4/nYc', 'hG5sJd8fLq3wEu6yTi1o', 'Xn4cVb7zMa2sDk9fPw6e'
PASSWORD, TOKEN = 'rT8yUi3oPl5kJh2gFd9s', 'zA6xSw4cDe7vFr1bGt5n'
SECRETS = (API_KEY, OWN_KEY, HEADER, PASSWORD, TOKEN)
OWN_FILES = ('keys.json', 'secret', 'token')
B64 = base64.b64encode(picture()).decode()

Said = dict[str, bytes]


@contextmanager
def repeating_provider() -> Iterator[str]:
    """Draw, or refuse and repeat what came along in many spellings; gives the address."""

    class Handler(Quiet):
        def get(self) -> None:
            listed = {'data': [{'id': 'flux'}]}
            self.answer(200, 'application/json', json.dumps(listed).encode())

        def post(self) -> None:
            if json.loads(self.body())['prompt'] == 'draw':
                drawn = {'data': [{'b64_json': B64, 'revised_prompt': self._repeated()}]}
                self.answer(200, 'application/json', json.dumps(drawn).encode())
                return
            said = {'error': {'message': self._repeated(), 'param': self._repeated()}}
            self.answer(401, 'application/json', json.dumps(said).encode())

        def _repeated(self) -> str:
            sent = self.headers['authorization'].removeprefix('Bearer ')
            extra = self.headers.get('x-extra', '')
            return ' '.join(
                f'{one} {one[:9]}**** {one[::-1]} {quote(one, safe="")} {one!r} "{one}" {_b64(one)}'
                f' {_b64("me:" + one)} <b>{one}</b>'
                for one in (sent, extra)
                if one
            )

    with serving(Handler) as port:
        yield f'http://127.0.0.1:{port}/v1'


def lived(folder: Path) -> Said:
    """Live a whole life in a new folder; gives what was said, by where."""
    said: Said = {}
    with repeating_provider() as url, (folder / 'log').open('w+') as log:
        settings = {
            'EASEL_API_URL': url, 'EASEL_API_KEY': API_KEY, 'EASEL_PASSWORD': PASSWORD,
            'EASEL_TOKEN': TOKEN, 'EASEL_LOG': 'debug', 'EASEL_LOG_FORMAT': 'json',
        }  # fmt: skip
        easel = start_easel(folder / 'data', settings, log=log, by=executed)
        with _client(easel, said) as client:
            _act(easel, client, url)
            _look(client)
        said |= _processes(easel.process.pid)
        ran = command(
            'generate', 'refuse', '--json', '--data', str(easel.data), environment=settings
        )
        said |= {'generate, output': ran.stdout.encode(), 'generate, log': ran.stderr.encode()}
        easel.stop()
        alone = command(
            'generate', 'refuse', '--json', '--data', str(easel.data), environment=settings
        )
        said |= {'alone, output': alone.stdout.encode(), 'alone, log': alone.stderr.encode()}
    said['log'] = (folder / 'log').read_bytes()
    for path in (folder / 'data').rglob('*'):
        if path.is_file() and path.name not in OWN_FILES:
            said[f'file {path.relative_to(folder)}'] = path.read_bytes()
    return said


def hits(said: Said) -> list[str]:
    """Name where any piece of a secret is."""
    needles = {needle for secret in SECRETS for needle in _needles(secret)}
    return [
        f'{where}: {needle.decode()}'
        for where, content in said.items()
        for needle in needles
        if needle in content
    ]


def _act(easel: Easel, client: httpx.Client, url: str) -> None:
    client.post('/session', data={'password': f'{PASSWORD}!'[1:]})
    client.post('/session', data={'password': PASSWORD})
    own = {'name': 'own', 'base_url': url, 'key': OWN_KEY, 'headers': f'X-Extra: {HEADER}'}
    client.post('/settings/providers', data={**own, 'at_once': 'x'})
    client.post('/settings/providers', data=own)
    client.post('/settings/providers/1', data={'headers': HEADER, 'key': f'{OWN_KEY} {HEADER}'})
    client.post('/settings/providers/1/test', data={'draw': '1'})
    for provider in ('127.0.0.1', 'own'):
        for prompt in ('draw', 'refuse'):
            form = {'prompt': prompt, 'provider': provider if provider == 'own' else ''}
            place = client.post('/generations', data=form).headers['location']
            _wait(client, place.rpartition('-')[2])
    client.post('/generations/3/retry')
    _wait(client, '3')


def _wait(client: httpx.Client, number: str) -> None:
    deadline = time.monotonic() + FINISH_S
    while time.monotonic() < deadline:
        if client.get(f'/generations/{number}.json').json()['status'] in ('done', 'failed'):
            return
    raise AssertionError(number)


def _look(client: httpx.Client) -> None:
    pages = ['/', '/gallery', '/generations', '/settings', '/settings/providers.json', '/nope']
    for number in range(1, 6):
        pages += [f'/generations/{number}', f'/generations/{number}/attempts', f'/images/{number}']
        pages += [f'/generations/{number}/attempts.json', f'/generations/{number}.json']
    pages += ['/settings/providers/1', '/settings/providers/environment', '/health', '/?from=2']
    pages += ['/settings.json', '/gallery.json', '/install', '/settings/providers/1.json']
    pages += ['/share', '/share.json', '/session']
    for page in pages:
        client.get(page)
        client.get(page, headers={'x-fragment': 'true', 'accept-language': 'ru'})


@contextmanager
def _client(easel: Easel, said: Said) -> Iterator[httpx.Client]:
    def note(response: httpx.Response) -> None:
        response.read()
        where = f'{len(said)} {response.request.method} {response.request.url.path}'
        said[where] = repr(response.headers).encode() + response.content

    headers = {'authorization': f'Bearer {TOKEN}'}
    with httpx.Client(
        base_url=easel.url,
        headers=headers,
        event_hooks={'response': [note]},
        trust_env=False,
        verify=NO_TLS,
    ) as client:
        yield client


def _processes(pid: int) -> Said:
    """Read the command lines of a process and its children, and the children's environments."""
    listed = Path(f'/proc/{pid}/task/{pid}/children')
    if not listed.exists():
        return {}
    children = listed.read_text().split()
    said = {f'environment of {one}': Path(f'/proc/{one}/environ').read_bytes() for one in children}
    commands = {
        f'command of {o}': Path(f'/proc/{o}/cmdline').read_bytes() for o in (pid, *children)
    }
    return said | commands


def _needles(secret: str) -> Iterator[bytes]:
    for spelling in (secret, secret[::-1], quote(secret, safe=''), _b64(secret)):
        yield from (spelling[at : at + SLICE].encode() for at in range(len(spelling) - SLICE + 1))


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip('=')
