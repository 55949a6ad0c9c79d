"""TLS of the HTTP client: its one context, and what is said of a handshake that failed."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import cache

from app.errors import Reason

PROBE_S = 0.5
# Certificates that are not taken, by OpenSSL's numbers. Source: openssl/x509_vfy.h
BY_VERIFY_CODE = {
    9: Reason.CERTIFICATE_NOT_VALID_YET,
    10: Reason.CERTIFICATE_EXPIRED,
    18: Reason.CERTIFICATE_SELF_SIGNED,
    **dict.fromkeys((2, 19, 20, 21), Reason.CERTIFICATE_OF_UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), Reason.CERTIFICATE_FOR_ANOTHER_NAME),
}
# What OpenSSL calls bytes that are no TLS: those of an HTTP server that answers `400 Bad Request`.
NO_TLS = ('WRONG_VERSION_NUMBER', 'RECORD_LAYER_FAILURE', 'PACKET_LENGTH_TOO_LONG', 'HTTP_REQUEST')
TLS_RECORDS = (b'\x15', b'\x16')  # an alert, and a handshake. Source: RFC 8446, 5.1
HTTP = b'HTTP/'


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS context, made for the first https address: 25 ms and 1.6 MB.

    OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR itself.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(['http/1.1'])
    return context


def tls_reason(error: ssl.SSLError) -> Reason:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BY_VERIFY_CODE.get(error.verify_code, Reason.CERTIFICATE_IS_NOT_TRUSTED)
    is_no_tls = error.reason in NO_TLS
    return Reason.HTTP_IS_SPOKEN_THERE if is_no_tls else Reason.TLS_CANNOT_BE_AGREED_ON


async def speaks_http(host: str, port: int) -> bool:
    """Check whether a server that broke a handshake off answers plain HTTP instead."""
    return await _answer_of(host, port, b'GET / HTTP/1.0\r\n\r\n') == HTTP


async def speaks_tls(host: str, port: int) -> bool:
    """Check whether a server that closed a plain connection unanswered begins a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
        incoming, outgoing, server_hostname=host
    )
    with suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    return (await _answer_of(host, port, outgoing.read()))[:1] in TLS_RECORDS


async def _answer_of(host: str, port: int, hello: bytes) -> bytes:
    """Return the first bytes of what a server answers; empty where it answers nothing."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(hello)
                return await reader.readexactly(len(HTTP))
            finally:
                writer.transport.abort()
    return b''
