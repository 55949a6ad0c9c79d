"""Origins of pictures that only the owner's word allows to fetch from."""

from __future__ import annotations

from app.access.visitors import Visitor
from app.errors import N_, ErrorKind, Failure, Forbidden, InvalidRequest, Reason
from app.generation.runner import failures_of
from app.models import Generation
from app.net.urls import Blocked, address_of
from app.web.context import Services


def private_origin_of(failure: Failure) -> str:
    """Return the origin that keeps a picture from being fetched for being private, or nothing."""
    is_private = failure.reason == Reason.NOT_A_PUBLIC_ADDRESS
    if failure.kind is not ErrorKind.BLOCKED_URL or not is_private or not failure.picture_url:
        return ''
    try:
        origin = address_of(failure.url or '').origin
    except Blocked:
        return ''
    return f'{origin.scheme}://{origin}'


def private_origins_of(generation: Generation) -> list[str]:
    """List, each once, the private origins that pictures of a generation wait at."""
    return [*dict.fromkeys(filter(None, map(private_origin_of, failures_of(generation))))]


async def trust_origin(
    services: Services, generation: Generation, visitor: Visitor, origin: str
) -> None:
    """Trust an origin for the pictures of a generation's server.

    Raises `Forbidden` for a guest, and `InvalidRequest` for any other origin than the one that a
    picture of this very generation waits at, or where the server is gone.
    """
    if not visitor.owner:
        raise Forbidden(N_('Only the owner can trust an address.'))
    if origin not in private_origins_of(generation):
        raise InvalidRequest(N_('No picture of this generation is waiting at that address.'))
    services.providers.expected(generation.provider, None)
    for one in services.providers.eligible(generation.provider, None):
        await services.providers.memory.trust(one.settings.base_url, origin)
