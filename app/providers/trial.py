"""A provider put to the test: what is at its address, and what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.providers import Providers
from app.providers.base import Listing, ProviderSettings
from app.providers.finding import WRONG_KEY, Finding, Found, finding_of
from app.providers.watched import Watched
from app.spelling import candidates


async def tried(watched: Watched, providers: Providers) -> Finding:
    """Ask for the list of models, and at the other usual places where there is none."""
    listing = await watched.ask_again()
    if listing.models or not listing.reason:
        return finding_of(listing)
    if not listing.answered or listing.reason in WRONG_KEY:
        return finding_of(listing)
    places = candidates(watched.settings.base_url)[1:]
    lists = await asyncio.gather(
        *(_list_at(place, watched.settings, providers) for place in places)
    )
    for place, other in zip(places, lists, strict=True):
        if other.models:
            return replace(finding_of(other), found=Found.ELSEWHERE, address=place)
    return finding_of(listing)


async def _list_at(place: str, settings: ProviderSettings, providers: Providers) -> Listing:
    return await providers.made(replace(settings, base_url=place)).list_models()
