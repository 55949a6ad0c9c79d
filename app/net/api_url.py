"""Normalizes the address of an API as a person may have copied it from anywhere."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from app.errors import N_, InvalidRequest
from app.net.ip import is_literal
from app.net.urls import Blocked, origin_of

# What an address that was copied whole ends in, beyond the API's root.
CALLS = (
    *('images/generations', 'images/edits', 'images/variations', 'chat/completions', 'models'),
    *(f'sdapi/v1/{call}' for call in ('txt2img', 'img2img', 'sd-models', 'options')),
)
# What the root of an API ends in. Source: the addresses of some thirty servers, and of Azure.
ROOTS = ('/engines/v1', '/openai/v1', '/sdapi/v1', '/api/v1', '/v1', '/v3')
USUAL_ROOTS = ('/v1', '', '/api/v1', '/v3', '/engines/v1', '/sdapi/v1')
PRIVATE_ENDINGS = ('.local', '.localhost', '.lan', '.home', '.internal', '.home.arpa', '.test')

_SLASHES = re.compile('/{2,}')
_TWICE = re.compile('(/v[13])(?:/v[13])+$')


def normalize_api_url(text: str) -> str:
    """Return the root of an API for any of its addresses: `http://host:1337/v1`.

    A query is kept. A bare host gets `/v1`; a public name without a scheme gets https. Raise
    InvalidRequest at what no two parsers would split alike.
    """
    text = text.strip()
    scheme, separator, rest = text.partition('://')
    if not separator:
        host = _host_of(text)
        is_name = '.' in host and ':' not in host and not is_literal(host)
        is_public = is_name and not host.endswith(PRIVATE_ENDINGS)
        scheme, rest = 'https' if is_public else 'http', text
    if scheme.lower() not in ('http', 'https'):
        raise InvalidRequest(N_('Write an address that begins with http:// or https://.'))
    if '@' in _host_of(rest):
        raise InvalidRequest(
            N_('Write the address without a user name in it; the key has its own field.')
        )
    try:
        origin_of(f'{scheme}://{rest}')
    except Blocked as error:
        raise InvalidRequest(N_('Write an address like http://localhost:1337/v1.')) from error
    parts = urlsplit(f'{scheme}://{rest}')
    path = _SLASHES.sub('/', parts.path).rstrip('/')
    if '..' in path.split('/'):
        raise InvalidRequest(N_('Write the address without “..” in it.'))
    call = next((one for one in CALLS if path.lower().endswith(f'/{one}')), '')
    if call:
        path = path[: -len(call) - 1] + ('/sdapi/v1' if call.startswith('sdapi') else '')
    return _with_path(parts, _TWICE.sub(r'\1', path) or '/v1')


def candidates(base_url: str) -> tuple[str, ...]:
    """Return where an API may be, likeliest first: as given, then the roots that servers use."""
    parts = urlsplit(base_url)
    given = parts.path.rstrip('/')
    ending = next((root for root in ROOTS if given.endswith(root)), '')
    start = given.removesuffix(ending)
    paths = (given, *(start + root for root in USUAL_ROOTS))
    return tuple(dict.fromkeys(_with_path(parts, path) for path in paths))


def _host_of(text: str) -> str:
    return re.split(r'[/?#]', text, maxsplit=1)[0].lower()


def _with_path(parts: SplitResult, path: str) -> str:
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, parts.query, ''))
