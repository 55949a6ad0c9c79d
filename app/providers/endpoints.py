"""Finds the dialect and root of an API, once a response shows that they are not as configured.

Only by GET, which costs nothing, and only after a call that did nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from app.errors import Failure
from app.net.urls import candidates
from app.providers.core.base import Dialect, ProviderSettings
from app.providers.core.capabilities import CapabilityStore
from app.providers.dialects.asker import names_the_chat
from app.providers.dialects.parameters import LIST, names_in
from app.providers.dialects.sdapi import SDAPI_ROOT, has_checkpoints, sdapi_root
from app.providers.discovery.model_list import draws_in_chats, models_in
from app.providers.transport.client import Client, endpoint


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A dialect, and the root of the API that speaks it."""

    dialect: Dialect
    base_url: str


def configured_endpoint(settings: ProviderSettings) -> Endpoint:
    """Return the endpoint that the settings name, before anything was asked."""
    dialect = settings.dialect
    if dialect is Dialect.AUTO:
        path = urlsplit(settings.base_url).path.rstrip('/')
        dialect = Dialect.SDAPI if path.endswith(SDAPI_ROOT) else Dialect.OPENAI
    root = sdapi_root(settings.base_url) if dialect is Dialect.SDAPI else settings.base_url
    return Endpoint(dialect, root)


def known_endpoint(settings: ProviderSettings, memory: CapabilityStore, model: str) -> Endpoint:
    """Return the endpoint that was learned for a model, else the configured one."""
    configured, known = configured_endpoint(settings), memory.of(settings.base_url, model)
    if settings.dialect is not Dialect.AUTO or not known.dialect:
        return configured
    return Endpoint(known.dialect, known.base_url or configured.base_url)


async def other_endpoints(client: Client, model: str, failure: Failure) -> tuple[Endpoint, ...]:
    """Return where else to ask, likeliest first; empty where nothing shows one."""
    base_url = client.settings.base_url
    roots, chat = candidates(base_url), Endpoint(Dialect.CHAT, base_url)
    if names_the_chat(failure):
        return (chat,)
    listed = await client.find(endpoint(roots[0], 'models'))
    draws_in_chat = draws_in_chats(listed, model)
    in_second = await _second_list(client, base_url)
    if in_second and (model in in_second or not draws_in_chat):
        second = Endpoint(Dialect.OPENROUTER, base_url)
        return (second, chat) if draws_in_chat else (second,)
    if draws_in_chat:
        return (chat,)
    if await has_checkpoints(client, base_url):
        return (Endpoint(Dialect.SDAPI, sdapi_root(base_url)),)
    if models_in(listed):
        return ()
    for root in roots[1:]:
        if models_in(await client.find(endpoint(root, 'models'))):
            is_second = await _second_list(client, root)
            return (Endpoint(Dialect.OPENROUTER if is_second else Dialect.OPENAI, root),)
    return tuple(Endpoint(Dialect.OPENAI, root) for root in roots[1:2])


async def _second_list(client: Client, root: str) -> tuple[str, ...]:
    """Return the models of the second images API; none where there is no such API."""
    return names_in(await client.find(endpoint(root, LIST)))
