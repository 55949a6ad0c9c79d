"""What is said where TLS fails: certificates of every fault, and one protocol spoken to another."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.messages import LANGUAGES, describe, translations
from app.models.request import GenerationRequest
from app.net.tls import tls_context
from app.providers.core.base import Run
from app.providers.discovery.connection_test import check_connection
from app.storage.files import TempFile
from tests.support.fakes import Reply, asking, upstream

HANDSHAKE = b'\x16'
NO = b'HTTP/1.1 400 Bad Request\r\n\r\n'
NOW = datetime.now(UTC)
PAGES = {
    'nginx': b'<html><head><title>400 The plain HTTP request was sent to HTTPS port</title>',
    'Go': b'Client sent an HTTP request to an HTTPS server.\n',
    'Apache': b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
}
OF_TLS = (
    *(Reason.CERTIFICATE_OF_UNKNOWN_AUTHORITY, Reason.CERTIFICATE_SELF_SIGNED),
    *(Reason.CERTIFICATE_EXPIRED, Reason.CERTIFICATE_NOT_VALID_YET),
    *(Reason.CERTIFICATE_FOR_ANOTHER_NAME, Reason.HTTP_IS_SPOKEN_THERE),
    *(Reason.HTTPS_IS_SPOKEN_THERE, Reason.TLS_CANNOT_BE_AGREED_ON),
)


@pytest.fixture(scope='module')
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[trustme.CA]:
    """The authority that SSL_CERT_FILE names."""
    known = trustme.CA()
    path = tmp_path_factory.mktemp('tls') / 'authority.pem'
    known.cert_pem.write_to_path(path)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv('SSL_CERT_FILE', str(path))
        tls_context.cache_clear()
        yield known
    tls_context.cache_clear()


def self_signed() -> ssl.SSLContext:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer = trustme.CA()
    both = trustme.Blob(signer.private_key_pem.bytes() + signer.cert_pem.bytes())
    with both.tempfile() as path:
        own.load_cert_chain(path)
    return own


def signed_by(
    authority: trustme.CA, name: str = '127.0.0.1', days: tuple[int, int] = (-9, 9)
) -> ssl.SSLContext:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    begin, end = (NOW + timedelta(days=day) for day in days)
    authority.issue_cert(name, not_before=begin, not_after=end).configure_cert(own)
    return own


@asynccontextmanager
async def listening(
    own: ssl.SSLContext | None, said: bytes = b'', to_tls: bytes = b''
) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(9_999)
        writer.write(to_tls if hello.startswith(HANDSHAKE) else said)
        writer.close()

    server = await asyncio.start_server(answer, '127.0.0.1', 0, ssl=own)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def failure_of(url: str, folder: Path) -> Failure:
    async with asking(url) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.generate(GenerationRequest(prompt='x'), Run(lambda: TempFile(folder)))
    return caught.value.failure


async def test_each_fault_of_a_certificate_has_its_own_reason(
    authority: trustme.CA, tmp_path: Path
) -> None:
    faults = {
        Reason.CERTIFICATE_OF_UNKNOWN_AUTHORITY: signed_by(trustme.CA()),
        Reason.CERTIFICATE_SELF_SIGNED: self_signed(),
        Reason.CERTIFICATE_EXPIRED: signed_by(authority, days=(-9, -1)),
        Reason.CERTIFICATE_NOT_VALID_YET: signed_by(authority, days=(1, 9)),
        Reason.CERTIFICATE_FOR_ANOTHER_NAME: signed_by(authority, 'studio.test'),
    }
    found = dict[str, str]()

    for reason, own in faults.items():
        async with listening(own) as port:
            failure = await failure_of(f'https://127.0.0.1:{port}/v1', tmp_path)
            status = await check_connection(f'https://127.0.0.1:{port}/v1', {})
        assert failure.kind is ErrorKind.UNREACHABLE
        assert status.reason == failure.reason
        found[reason] = failure.reason

    assert found == {reason: reason for reason in faults}


async def test_a_certificate_by_the_authority_of_the_environment_is_taken(
    authority: trustme.CA, tmp_path: Path
) -> None:
    async with listening(signed_by(authority), b'HTTP/1.1 401 No\r\n\r\n') as port:
        failure = await failure_of(f'https://127.0.0.1:{port}/v1', tmp_path)

    assert failure.kind is ErrorKind.AUTH


@pytest.mark.parametrize('to_tls', [NO, b''], ids=['refuses', 'hangs up'])
async def test_https_spoken_to_a_plain_port_is_told(to_tls: bytes, tmp_path: Path) -> None:
    async with listening(None, NO, to_tls) as port:
        failure = await failure_of(f'https://127.0.0.1:{port}/v1', tmp_path)

    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, Reason.HTTP_IS_SPOKEN_THERE)


async def test_a_handshake_that_breaks_off_was_no_request(tmp_path: Path) -> None:
    async with listening(None) as port:
        failure = await failure_of(f'https://127.0.0.1:{port}/v1', tmp_path)

    assert failure.reason == Reason.TLS_CANNOT_BE_AGREED_ON


@pytest.mark.parametrize('page', [None, *PAGES.values()], ids=['silent', *PAGES])
async def test_http_spoken_to_a_port_for_tls_is_told(
    page: bytes | None, authority: trustme.CA, tmp_path: Path
) -> None:
    said = NO + page if page else b''
    async with listening(None if page else signed_by(authority), said) as port:
        failure = await failure_of(f'http://127.0.0.1:{port}/v1', tmp_path)
        status = await check_connection(f'http://127.0.0.1:{port}/v1', {})

    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, Reason.HTTPS_IS_SPOKEN_THERE)
    assert status.reason == Reason.HTTPS_IS_SPOKEN_THERE


async def test_an_alert_in_the_place_of_a_head_is_no_answer(tmp_path: Path) -> None:
    alert = b'\x15\x03\x01\x00\x02\x02\x46'
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=None, rest=(alert,))
        failure = await failure_of(f'{server.origin}/v1', tmp_path)

    assert failure.reason == Reason.HTTPS_IS_SPOKEN_THERE


@pytest.mark.parametrize('language', LANGUAGES)
def test_each_has_a_sentence_and_a_hint_in_each_language(language: str) -> None:
    translate = translations(language).gettext
    usual = describe(Failure(kind=ErrorKind.UNREACHABLE, reason='x'), translate)

    texts = [
        describe(Failure(kind=ErrorKind.UNREACHABLE, where='a.test', reason=reason), translate)
        for reason in OF_TLS
    ]

    assert len({text.message for text in texts}) == len(OF_TLS)
    assert usual.hint not in {text.hint for text in texts}
