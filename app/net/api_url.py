"""Normalizes the address of an API as a person may have copied it from anywhere."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from app.errors import N_, InvalidRequest
from app.net.urls import Blocked, origin_of

# What an address that was copied whole ends in, beyond the API's root.
CALLS = (
    'images/generations',
    'images/edits',
    'images/variations',
    'chat/completions',
    'models',
    'sdapi/v1/txt2img',
    'sdapi/v1/img2img',
    'sdapi/v1/sd-models',
    'sdapi/v1/options',
)
# What the root of an API ends in. Source: the addresses of some thirty servers, and of Azure.
ROOTS = ('/engines/v1', '/openai/v1', '/sdapi/v1', '/api/v1', '/v1', '/v3')
USUAL_ROOTS = ('/v1', '', '/api/v1', '/v3', '/engines/v1', '/sdapi/v1')
PRIVATE_ENDINGS = ('.local', '.localhost', '.lan', '.home', '.internal', '.home.arpa', '.test')

_SLASHES = re.compile('/{2,}')
_TWICE = re.compile('(/v[13])(?:/v[13])+$')


def normalize_api_url(text: str) -> str:
    """Return the root of an API for any of its addresses: `http://host:1337/v1`.

    A query is kept. A bare host gets `/v1`; a public name without a scheme gets https.

    Raises:
        InvalidRequest: It is no such address, with a sentence for the form.
    """
    whole = _with_scheme(text.strip())
    parts = _parts_of(whole)
    path = _SLASHES.sub('/', parts.path).rstrip('/')
    if '..' in path.split('/'):
        raise InvalidRequest(N_('Write the address without “..” in it.'))
    path = _TWICE.sub(r'\1', _without_call(path))
    return _with_path(parts, path or '/v1')


def candidates(base_url: str) -> tuple[str, ...]:
    """Return where an API may be, likeliest first: as given, then the roots that servers use."""
    parts = urlsplit(base_url)
    given = parts.path.rstrip('/')
    ending = next((root for root in ROOTS if given.endswith(root)), '')
    start = given.removesuffix(ending)
    paths = (given, *(start + root for root in USUAL_ROOTS))
    return tuple(dict.fromkeys(_with_path(parts, path) for path in paths))


def _parts_of(whole: str) -> SplitResult:
    """Split an address that no two parsers can split differently.

    Raises:
        InvalidRequest: It is none, with a sentence for the form.
    """
    scheme, _, rest = whole.partition('://')
    if scheme.lower() not in ('http', 'https'):
        raise InvalidRequest(N_('Write an address that begins with http:// or https://.'))
    if '@' in re.split(r'[/?#]', rest, maxsplit=1)[0]:
        raise InvalidRequest(
            N_('Write the address without a user name in it; the key has its own field.')
        )
    try:
        origin_of(whole)
    except Blocked as error:
        raise InvalidRequest(N_('Write an address like http://localhost:1337/v1.')) from error
    return urlsplit(whole)


def _with_scheme(text: str) -> str:
    if '://' in text:
        return text
    host = re.split(r'[/?#]', text, maxsplit=1)[0].lower()
    return f'https://{text}' if _is_public_name(host) else f'http://{text}'


def _is_public_name(host: str) -> bool:
    """Check whether a host without a port is a public name, which gets https."""
    if '.' not in host or ':' in host or host.endswith(PRIVATE_ENDINGS):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _without_call(path: str) -> str:
    for call in CALLS:
        if path.lower().endswith(f'/{call}'):
            kept = '/sdapi/v1' if call.startswith('sdapi') else ''
            return path[: -len(call) - 1] + kept
    return path


def _with_path(parts: SplitResult, path: str) -> str:
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, parts.query, ''))
