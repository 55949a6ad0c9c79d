"""Test of a provider's address and key by its list of models, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from app.errors import ErrorKind, Failure
from app.net.api_url import candidates
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.core.base import KeyState, ProviderState, ProviderStatus
from app.providers.discovery.model_list import count_drawing, models_in
from app.providers.discovery.probe import NoResponse, ProbeResponse, probe
from app.providers.response.images import Json

RESPONSE_S = 5.0
SDAPI = '/sdapi/v1'
STATES = {
    ErrorKind.AUTH: ProviderState.KEY_REFUSED,
    ErrorKind.NOT_JSON: ProviderState.WEB_PAGE,
    ErrorKind.UNREACHABLE: ProviderState.NOTHING,
}


def bearer(key: str | None) -> dict[str, str]:
    """Build the header that most servers read a key from."""
    return {'Authorization': f'Bearer {key}'} if key else {}


async def check_connection(base_url: str, secrets: Mapping[str, str]) -> ProviderStatus:
    """Ask for the list of models; where that is not, at the server's other usual places.

    The secrets are headers with the key in them; they go to that origin alone.
    """
    http_client = HttpClient([base_url])
    try:
        return await _check(http_client, base_url, secrets)
    except NoResponse as error:
        where = str(origin_of(base_url))
        return _failed(Failure(kind=ErrorKind.UNREACHABLE, where=where, reason=str(error)))
    finally:
        await http_client.close()


async def add_key_state(
    status: ProviderStatus, base_url: str, secrets: Mapping[str, str]
) -> ProviderStatus:
    """Add to a list of models that came with the key whether it needed that key."""
    http_client = HttpClient([base_url])
    try:
        key = await _key_state(http_client, base_url, secrets)
    finally:
        await http_client.close()
    return _with_models(replace(status, key=key), status.models)


async def _check(
    http_client: HttpClient, base_url: str, secrets: Mapping[str, str]
) -> ProviderStatus:
    """Try each spelling, or raise NoResponse; the first response decides what went wrong."""
    first: ProbeResponse | None = None
    for root in candidates(base_url):
        response = await probe(http_client, list_url(root), RESPONSE_S, secrets)
        better_url = root if first else ''
        first = first or response
        failed = replace(_failed(_failure(first, base_url, better_url)), better_url=better_url)
        if response.status in (401, 403):
            return replace(failed, key=KeyState.REFUSED if secrets else KeyState.MISSING)
        if _is_list(response.ok_json):
            state = ProviderState.ELSEWHERE if better_url else ProviderState.LIST
            key = await _key_state(http_client, root, secrets)
            return _with_models(replace(failed, state=state, key=key), models_in(response.json))
    return _failed(_failure(first, base_url, '') if first else None)


def _with_models(status: ProviderStatus, models: tuple[str, ...]) -> ProviderStatus:
    models = tuple(name for name in models if name.isprintable())
    return replace(status, models=models, drawing=count_drawing(models))


def _failed(failure: Failure | None) -> ProviderStatus:
    if failure is None:
        return ProviderStatus(state=ProviderState.NO_LIST)
    return ProviderStatus(
        state=STATES.get(failure.kind, ProviderState.NO_LIST),
        reason=failure.reason or f'HTTP {failure.http_status}',
        failure=failure,
    )


def _failure(response: ProbeResponse, base_url: str, better_url: str) -> Failure | None:
    """Return what a response that was no list of models means for a picture."""
    kind = ErrorKind.ENDPOINT_NOT_FOUND if better_url else _kind(response)
    where = str(origin_of(base_url))
    return Failure(kind=kind, where=where, http_status=response.status) if kind else None


def _kind(response: ProbeResponse) -> ErrorKind | None:
    if response.status in (401, 403):
        return ErrorKind.AUTH
    if 300 <= response.status < 400:
        return ErrorKind.REDIRECT
    if response.head.lstrip().startswith('<') or (
        response.status == 200 and not _is_list(response.json)
    ):
        return ErrorKind.NOT_JSON
    if response.status == 503:
        return ErrorKind.NOT_READY
    return ErrorKind.UPSTREAM_ERROR if response.status >= 500 else None


async def _key_state(http_client: HttpClient, root: str, secrets: Mapping[str, str]) -> KeyState:
    """Ask once more without the key: a list that anybody gets does not prove it."""
    if not secrets:
        return KeyState.NOT_NEEDED
    try:
        response = await probe(http_client, list_url(root), RESPONSE_S)
    except NoResponse:
        return KeyState.NOT_PROVED
    return KeyState.ACCEPTED if response.status in (401, 403) else KeyState.NOT_PROVED


def list_url(root: str) -> str:
    """Return the address of an API root's list of models."""
    parts = urlsplit(root)
    name = 'sd-models' if parts.path.endswith(SDAPI) else 'models'
    return urlunsplit(parts._replace(path=f'{parts.path}/{name}'))


def _is_list(tree: Json) -> bool:
    if isinstance(tree, dict):
        return isinstance(tree.get('data'), list) or isinstance(tree.get('models'), list)
    return isinstance(tree, list)
