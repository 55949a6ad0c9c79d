"""What the HTTP client says of a failure, on a machine and in a container."""

from __future__ import annotations

import httpx
import pytest

from app.errors import Reason
from app.net.client import HttpClient
from app.net.urls import origin_of

REFUSED = httpx.ConnectError('connection refused')
LATE = httpx.ConnectTimeout('no answer')


@pytest.mark.parametrize(
    ('in_container', 'url', 'error', 'said'),
    [
        (True, 'http://localhost:1337', REFUSED, Reason.CONNECTION_REFUSED_INSIDE),
        (True, 'http://127.0.0.1:1337', REFUSED, Reason.CONNECTION_REFUSED_INSIDE),
        (True, 'http://a.test', REFUSED, Reason.CONNECTION_REFUSED),
        (True, 'http://localhost:1337', LATE, 'no answer'),
        (False, 'http://localhost:1337', REFUSED, Reason.CONNECTION_REFUSED),
    ],
)
async def test_a_refusal_by_the_container_itself_is_told_from_others(
    in_container: bool, url: str, error: Exception, said: str
) -> None:
    http_client = HttpClient(in_container=in_container)

    seen = http_client.seen(error, origin_of(url))
    await http_client.close()

    assert seen == said
