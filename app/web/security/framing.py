"""Where a request ends, and whether that is certain."""

from __future__ import annotations

import re

from starlette.types import Scope

from app.errors import N_, Malformed

MOST_HEAD_BYTES = 65_536

_METHOD = re.compile(r'[A-Z]{1,20}')
_LENGTH = re.compile(rb'[0-9]{1,19}')


def check_framing(scope: Scope) -> int:
    """Return the length of the body; raise `Malformed` where two servers could read it apart.

    Source: RFC 9112, sections 3.2, 6.1 and 6.3.
    """
    lengths, codings, head_bytes = list[bytes](), list[bytes](), 0
    for name, value in scope['headers']:
        head_bytes += len(name) + len(value)
        if name == b'content-length':
            lengths.append(value)
        elif name == b'transfer-encoding':
            codings.append(value)
    target = scope.get('raw_path') or scope['path'].encode()
    certain = (
        scope['http_version'] in ('1.0', '1.1')
        and _METHOD.fullmatch(scope['method'])
        and target.startswith(b'/')
        and len(lengths) + len(codings) <= 1
        and all(_LENGTH.fullmatch(length) for length in lengths)
        and all(coding.lower() == b'chunked' for coding in codings)
        and not (codings and scope['http_version'] == '1.0')
    )
    if not certain:
        raise Malformed(N_("The request couldn't be read."))
    if head_bytes > MOST_HEAD_BYTES:
        raise Malformed(
            N_("The request headers are too long. Clear this site's cookies, then try again.")
        )
    return int(lengths[0]) if lengths else 0
