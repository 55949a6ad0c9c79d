"""Tests the address and key of a provider by its list of models, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from app.errors import ErrorKind, Failure, Reason
from app.net.api_url import candidates
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.discovery.model_list import models_in
from app.providers.discovery.probe import Reply, Silent, probe
from app.providers.response.images import Json

ANSWER_S = 5.0
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
        return self.failure is not None and self.failure.reason == Reason.CONNECTION_REFUSED


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
    except Silent as silent:
        unreachable = Failure(kind=ErrorKind.UNREACHABLE, where=where, reason=str(silent))
        return Checkup(failure=unreachable)
    finally:
        await http_client.close()


async def _check(http_client: HttpClient, base_url: str, secrets: Mapping[str, str]) -> Checkup:
    """Try each spelling; what the first one answers is what went wrong.

    Raises:
        Silent: The server does not answer.
    """
    replies: list[Reply] = []
    for root in candidates(base_url):
        reply = await probe(http_client, list_url(root), deadline_s=ANSWER_S, headers=secrets)
        replies.append(reply)
        better = root if len(replies) > 1 else ''
        failure = _failure(replies[0], base_url, better)
        if reply.status in (401, 403):
            wrong = Key.REFUSED if secrets else Key.MISSING
            return Checkup(better_url=better, failure=failure, key=wrong)
        if _is_list(reply.said()):
            return Checkup(
                better_url=better,
                failure=failure,
                lists=True,
                key=await _proved(http_client, root) if secrets else Key.NOT_NEEDED,
                models=tuple(name for name in models_in(reply.tree) if name.isprintable()),
            )
    return Checkup(failure=_failure(replies[0], base_url, ''))


def _failure(reply: Reply, base_url: str, better_url: str) -> Failure | None:
    """Say what an answer that was no list of models means for a picture."""
    kind = ErrorKind.ENDPOINT_NOT_FOUND if better_url else _kind(reply)
    where = str(origin_of(base_url))
    return Failure(kind=kind, where=where, http_status=reply.status) if kind else None


def _kind(reply: Reply) -> ErrorKind | None:
    if reply.status in (401, 403):
        return ErrorKind.AUTH
    if 300 <= reply.status < 400:
        return ErrorKind.REDIRECT
    if reply.head.lstrip().startswith('<') or (reply.status == 200 and not _is_list(reply.tree)):
        return ErrorKind.NOT_JSON
    if reply.status == 503:
        return ErrorKind.NOT_READY
    return ErrorKind.UPSTREAM_ERROR if reply.status >= 500 else None


async def _proved(http_client: HttpClient, root: str) -> Key:
    """Ask once more without the key: a list that anybody gets does not prove it."""
    try:
        reply = await probe(http_client, list_url(root), deadline_s=ANSWER_S)
    except Silent:
        return Key.NOT_PROVED
    return Key.ACCEPTED if reply.status in (401, 403) else Key.NOT_PROVED


def list_url(root: str) -> str:
    """Give where a root's list of models is."""
    parts = urlsplit(root)
    name = 'sd-models' if parts.path.endswith(SDAPI) else 'models'
    return urlunsplit(parts._replace(path=f'{parts.path}/{name}'))


def _is_list(tree: Json) -> bool:
    if isinstance(tree, dict):
        return isinstance(tree.get('data'), list) or isinstance(tree.get('models'), list)
    return isinstance(tree, list)
