"""Tests the address and key of a provider by its list of models, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from app.errors import REFUSED, ErrorKind, Failure
from app.net.api_url import candidates
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.discovery.model_list import models_in
from app.providers.discovery.probe import NoResponse, ProbeResponse, probe
from app.providers.response.images import Json

RESPONSE_S = 5.0
SDAPI = '/sdapi/v1'


class Key(StrEnum):
    """What is known of a provider's key."""

    UNKNOWN = 'unknown'
    NOT_NEEDED = 'not_needed'
    NOT_PROVED = 'not_proved'
    ACCEPTED = 'accepted'
    MISSING = 'missing'
    REFUSED = 'refused'


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What an address answered.

    Attributes:
        better_url: Where the list of models is, if that is elsewhere on the same server; or empty.
        failure: What speaks against a picture; a missing list alone does not.
        lists: Whether a list of models came.
    """

    better_url: str = ''
    failure: Failure | None = None
    lists: bool = False
    key: Key = Key.UNKNOWN
    models: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing at all listens there."""
        return self.failure is not None and self.failure.reason == REFUSED


async def check_up(base_url: str, key: str | None) -> Checkup:
    """Ask for the list of models as `checked` does, with a key as most servers take it."""
    return await checked(base_url, {'Authorization': f'Bearer {key}'} if key else {})


async def checked(base_url: str, secrets: Mapping[str, str]) -> Checkup:
    """Ask for the list of models; where that is not, at the server's other usual places.

    Args:
        base_url: The root of the API.
        secrets: Headers with the key in them; they go to that origin alone.
    """
    where = str(origin_of(base_url))
    http_client = HttpClient([base_url])
    try:
        return await _check(http_client, base_url, secrets)
    except NoResponse as error:
        unreachable = Failure(kind=ErrorKind.UNREACHABLE, where=where, reason=str(error))
        return Checkup(failure=unreachable)
    finally:
        await http_client.close()


async def _check(http_client: HttpClient, base_url: str, secrets: Mapping[str, str]) -> Checkup:
    """Try each spelling; what the first one answers is what went wrong.

    Raises:
        NoResponse: The server does not respond.
    """
    responses: list[ProbeResponse] = []
    for root in candidates(base_url):
        response = await probe(http_client, list_url(root), deadline_s=RESPONSE_S, headers=secrets)
        responses.append(response)
        better = root if len(responses) > 1 else ''
        failure = _failure(responses[0], base_url, better)
        if response.status in (401, 403):
            wrong = Key.REFUSED if secrets else Key.MISSING
            return Checkup(better_url=better, failure=failure, key=wrong)
        if _is_list(response.ok_json):
            return Checkup(
                better_url=better,
                failure=failure,
                lists=True,
                key=await _proved(http_client, root) if secrets else Key.NOT_NEEDED,
                models=tuple(name for name in models_in(response.json) if name.isprintable()),
            )
    return Checkup(failure=_failure(responses[0], base_url, ''))


def _failure(response: ProbeResponse, base_url: str, better_url: str) -> Failure | None:
    """Say what an answer that was no list of models means for a picture."""
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


async def _proved(http_client: HttpClient, root: str) -> Key:
    """Ask once more without the key: a list that anybody gets does not prove it."""
    try:
        response = await probe(http_client, list_url(root), deadline_s=RESPONSE_S)
    except NoResponse:
        return Key.NOT_PROVED
    return Key.ACCEPTED if response.status in (401, 403) else Key.NOT_PROVED


def list_url(root: str) -> str:
    """Give where a root's list of models is."""
    parts = urlsplit(root)
    name = 'sd-models' if parts.path.endswith(SDAPI) else 'models'
    return urlunsplit(parts._replace(path=f'{parts.path}/{name}'))


def _is_list(tree: Json) -> bool:
    if isinstance(tree, dict):
        return isinstance(tree.get('data'), list) or isinstance(tree.get('models'), list)
    return isinstance(tree, list)
