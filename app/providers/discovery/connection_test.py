"""Test of a provider's address and key by its list of models, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from app.errors import ErrorKind, Failure, Reason
from app.net.client import HttpClient
from app.net.urls import candidates, origin_of
from app.providers.core.base import KeyState, ProviderState, ProviderStatus
from app.providers.discovery.model_list import aside, drawing_in, models_in, printable, rows_in
from app.providers.discovery.probe import NoResponse, ProbeResponse, probe
from app.providers.response.errors import refuses_key, wants_https
from app.providers.transport.client import MOST_GET_BYTES

RESPONSE_S = 5.0
STATES = {
    ErrorKind.AUTH: ProviderState.KEY_REFUSED,
    ErrorKind.NOT_JSON: ProviderState.WEB_PAGE,
    ErrorKind.UNREACHABLE: ProviderState.NOTHING,
}


async def check_connection(base_url: str, secrets: Mapping[str, str]) -> ProviderStatus:
    """Ask for the list of models with headers of secrets; where it is not, at its usual places."""
    async with HttpClient([base_url]) as http_client:
        try:
            return await _check(http_client, base_url, secrets)
        except NoResponse as error:
            return _failed(ErrorKind.UNREACHABLE, base_url, reason=str(error))


async def add_key_state(
    status: ProviderStatus, base_url: str, secrets: Mapping[str, str]
) -> ProviderStatus:
    """Add to a list of models that came with the key whether it needed that key."""
    async with HttpClient([base_url]) as http_client:
        key = await _key_state(http_client, base_url, secrets)
    models = printable(status.models)
    return replace(status, key=key, models=models, drawing=min(status.drawing, len(models)))


async def _check(
    http_client: HttpClient, base_url: str, secrets: Mapping[str, str]
) -> ProviderStatus:
    """Try each spelling, or raise NoResponse; the first response decides what went wrong."""
    first: ProbeResponse | None = None
    without_list = ProviderStatus(state=ProviderState.NO_LIST)
    for root in candidates(base_url):
        response = await probe(http_client, _list_url(root), RESPONSE_S, secrets, MOST_GET_BYTES)
        if response.status == 400 and wants_https(response.head):
            raise NoResponse(Reason.HTTPS_IS_SPOKEN_THERE)
        better_url = root if first else ''
        first = first or response
        kind = ErrorKind.ENDPOINT_NOT_FOUND if better_url else _kind(first)
        is_keyless_fault = first.status == 500 and not secrets
        reason = Reason.NO_KEY_WAS_SENT if is_keyless_fault and not better_url else ''
        failed = replace(_failed(kind, base_url, first.status, reason), better_url=better_url)
        without_list = without_list if better_url else failed
        if refuses_key(response.status, response.json):
            return replace(failed, key=KeyState.REFUSED if secrets else KeyState.MISSING)
        if rows_in(response.ok_json) is not None:
            state = ProviderState.ELSEWHERE if better_url else ProviderState.LIST
            key = await _key_state(http_client, root, secrets)
            models = printable(await aside(response.json, models_in))
            drawing = len(printable(await aside(response.json, drawing_in)))
            return replace(failed, state=state, key=key, models=models, drawing=drawing)
    return without_list


def _failed(
    kind: ErrorKind | None, base_url: str, http_status: int | None = None, reason: str = ''
) -> ProviderStatus:
    """Return what an address without a list of models means for a picture."""
    if kind is None:
        return ProviderStatus(state=ProviderState.NO_LIST)
    where, state = str(origin_of(base_url)), STATES.get(kind, ProviderState.NO_LIST)
    failure = Failure(kind=kind, where=where, http_status=http_status, reason=reason)
    return ProviderStatus(state=state, reason=reason or f'HTTP {http_status}', failure=failure)


def _kind(response: ProbeResponse) -> ErrorKind | None:
    if refuses_key(response.status, response.json):
        return ErrorKind.AUTH
    if 300 <= response.status < 400:
        return ErrorKind.REDIRECT
    is_no_list = response.status == 200 and rows_in(response.json) is None
    if is_no_list or response.head.lstrip().startswith('<'):
        return ErrorKind.NOT_JSON
    if response.status == 503:
        return ErrorKind.NOT_READY
    return ErrorKind.UPSTREAM_ERROR if response.status >= 500 else None


async def _key_state(http_client: HttpClient, root: str, secrets: Mapping[str, str]) -> KeyState:
    """Ask once more without the key: a list that anybody gets does not prove it."""
    if not secrets:
        return KeyState.NOT_NEEDED
    try:
        response = await probe(http_client, _list_url(root), RESPONSE_S)
    except NoResponse:
        return KeyState.NOT_PROVED
    is_refused = refuses_key(response.status, response.json)
    return KeyState.ACCEPTED if is_refused else KeyState.NOT_PROVED


def _list_url(root: str) -> str:
    parts = urlsplit(root)
    name = 'sd-models' if parts.path.endswith('/sdapi/v1') else 'models'
    return urlunsplit(parts._replace(path=f'{parts.path}/{name}'))
