"""A provider put to the test: what is at its address, and what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.errors import ErrorKind
from app.providers.discovery.connection_test import Checkup, Key, checked
from app.providers.discovery.finding import Finding, Found
from app.providers.discovery.model_list import drawing_in
from app.providers.monitor import MonitoredProvider
from app.providers.transport.headers import own_headers

FOUND = {
    ErrorKind.AUTH: Found.KEY_REFUSED,
    ErrorKind.NOT_JSON: Found.WEB_PAGE,
    ErrorKind.UNREACHABLE: Found.NOTHING,
}


async def tried(watched: MonitoredProvider) -> Finding:
    """Ask for the list of models, and at the other usual places where there is none."""
    settings = watched.settings
    checkup, listing = await asyncio.gather(
        checked(settings.base_url, own_headers(settings)), watched.ask_again()
    )
    finding = _finding_of(checkup)
    if finding.found is Found.NOTHING and not listing.answered:
        return replace(finding, reason=listing.reason)  # it knows of the container, too
    return finding


def _finding_of(checkup: Checkup) -> Finding:
    failure = checkup.failure
    finding = Finding(
        found=FOUND.get(failure.kind, Found.NO_LIST) if failure else Found.NO_LIST,
        models=len(checkup.models),
        drawing=len(drawing_in(list(checkup.models))),
        reason=(failure.reason or f'HTTP {failure.http_status}') if failure else '',
        key_counts=checkup.key is Key.ACCEPTED,
        address=checkup.better_url if checkup.lists else '',
    )
    if finding.address:
        return replace(finding, found=Found.ELSEWHERE)
    return replace(finding, found=Found.LIST) if checkup.lists else finding
