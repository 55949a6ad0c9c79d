"""Requests whose edges two servers could see in different places: refused, and the line closed.

Source: RFC 9112, sections 3.2, 6.1 and 6.3.
"""

from __future__ import annotations

import re

from starlette.types import Scope

from app.errors import N_, Malformed

MOST_HEAD_BYTES = 65_536

_METHOD = re.compile(r'[A-Z]{1,20}')
_LENGTH = re.compile(rb'[0-9]{1,19}')


def check_framing(scope: Scope) -> int:
    """Return the announced length of the body, 0 without one; raise `Malformed` when in doubt."""
    headers = scope['headers']
    lengths = [value for name, value in headers if name == b'content-length']
    codings = [value for name, value in headers if name == b'transfer-encoding']
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
        raise Malformed(N_('The request could not be read.'))
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEAD_BYTES:
        raise Malformed(N_('The headers are too long; cookies of this host may be why.'))
    return int(lengths[0]) if lengths else 0
