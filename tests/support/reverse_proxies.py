"""nginx and Caddy in front of Easel, by the examples of this project with ports and keys put in."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme

from tests.support.servers import ROOT
from tests.support.tools import path_of

NAME = 'easel.example.org'
TRIES = 3
START_S = 20
NGINX_AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""
CADDY_BEFORE = """
{{
    admin off
    default_bind 127.0.0.1
    http_port {plain}
    https_port {port}
    storage file_system {folder}/caddy
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy, reached by address and asked by name."""

    port: int
    trusted: ssl.SSLContext

    def client(self, host: str = NAME) -> httpx.Client:
        """Give a client whose TLS is for the right name, whatever Host it sends."""

        def by_name(request: httpx.Request) -> None:
            request.extensions['sni_hostname'] = NAME

        return httpx.Client(
            base_url=f'https://127.0.0.1:{self.port}',
            headers={'host': host},
            verify=self.trusted,
            event_hooks={'request': [by_name]},
            timeout=20,
            trust_env=False,
        )


@contextmanager
def running_proxy(kind: str, easel_url: str, folder: Path, variant: str = '') -> Iterator[Proxy]:
    """Run nginx or Caddy for as long as the block lasts; `-sub-path` is the other example."""
    program = path_of(kind)
    authority = trustme.CA()
    own = authority.issue_cert(NAME)
    own.private_key_and_cert_chain_pem.write_to_path(folder / 'own.pem')
    upstream = easel_url.removeprefix('http://').replace('localhost', '127.0.0.1')
    name, write = {
        'nginx': (f'nginx{variant}.conf', _nginx),
        'caddy': (f'Caddyfile{variant}', _caddy),
    }[kind]
    site = (ROOT / 'deploy' / name).read_text().replace('127.0.0.1:8484', upstream)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    for _ in range(TRIES):  # another test may take a port before the proxy does
        plain, port = _free_port(), _free_port()
        command = [program, *write(folder, site, plain, port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if _listens(port, process):
            break
    try:
        assert process.poll() is None, f'the proxy ended with {process.poll()}'
        yield Proxy(port, trusted)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _nginx(folder: Path, site: str, plain: int, port: int) -> list[str]:
    site = re.sub(r' *listen \[::\]:.*\n', '', site)
    site = site.replace('listen 80;', f'listen 127.0.0.1:{plain};')
    site = site.replace('listen 443 ', f'listen 127.0.0.1:{port} ')
    site = re.sub(r'(ssl_certificate(_key)?) [^;]+;', rf'\1 {folder}/own.pem;', site)
    (folder / 'nginx.conf').write_text(NGINX_AROUND.format(folder=folder, site=site))
    return ['-c', str(folder / 'nginx.conf'), '-e', str(folder / 'nginx.log')]


def _caddy(folder: Path, site: str, plain: int, port: int) -> list[str]:
    own = f'\ttls {folder}/own.pem {folder}/own.pem\n'
    site = site.replace(f'{NAME} {{\n', f'{NAME} {{\n{own}')
    before = CADDY_BEFORE.format(folder=folder, plain=plain, port=port)
    (folder / 'Caddyfile').write_text(before + site)
    return ['run', '--adapter', 'caddyfile', '--config', str(folder / 'Caddyfile')]


def _free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False
