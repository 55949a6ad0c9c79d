"""What is shown above every page while it lasts; a part that has something to say adds it here."""

from __future__ import annotations

from app.access.visitors import Visitor
from app.errors import Notice
from app.web.context import Services
from app.web.templates import Language


def notices_of(services: Services) -> tuple[Notice, ...]:
    """List what is to be noticed now; whoever changes it calls `Changes.announce_notices`."""
    found = (services.storage_monitor.problem, services.worker.recovery.notice)
    return tuple(notice for notice in found if notice)


def notices_json(
    services: Services, viewer: Visitor, language: Language
) -> list[dict[str, str | None]]:
    """Return the notices as public JSON; what to do is for the owner."""
    return [
        {
            'sentence': language.translate(notice.sentence).format(**notice.places),
            'cure': language.translate(notice.cure).format(**notice.places)
            if viewer.owner
            else None,
        }
        for notice in notices_of(services)
    ]
