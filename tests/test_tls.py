"""An image server behind https, with a certificate that is trusted and with one that is not."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import uvicorn

from app.demo.server import create_demo
from tests.support.servers import START_S, running_easel


@pytest.fixture(scope='module')
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate authority, and a server's certificate by it."""
    folder: Path = tmp_path_factory.mktemp('tls')
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / 'authority.pem')
    authority.issue_cert('localhost', '127.0.0.1').private_key_and_cert_chain_pem.write_to_path(
        folder / 'server.pem'
    )
    return folder


@pytest.fixture(scope='module')
def https_upstream(authority: Path) -> Iterator[str]:
    pem = str(authority / 'server.pem')
    config = uvicorn.Config(
        create_demo(), port=0, log_level='error', ssl_certfile=pem, ssl_keyfile=pem
    )
    config.load()
    assert isinstance(config.ssl, ssl.SSLContext)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f'https://localhost:{server.servers[0].sockets[0].getsockname()[1]}/v1'
    server.should_exit = True
    thread.join(timeout=10)


def test_a_trusted_https_server_draws(https_upstream: str, authority: Path, tmp_path: Path) -> None:
    settings = {'EASEL_API_URL': https_upstream, 'SSL_CERT_FILE': str(authority / 'authority.pem')}
    with running_easel(tmp_path / 'data', settings) as easel:
        generation = easel.draw(prompt='safe', size='48x48', response_format='url')

    assert generation['status'] == 'done', generation


def test_an_untrusted_certificate_is_said_and_nothing_is_sent(
    https_upstream: str, tmp_path: Path
) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': https_upstream}) as easel:
        generation = easel.draw(prompt='unsafe', size='48x48')

    error = generation['error']
    assert isinstance(error, dict)
    assert error['kind'] == 'unreachable'
    assert "certificate isn't trusted" in error['message']
