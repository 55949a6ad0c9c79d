"""What is shown above every page while it lasts; a part that has something to say adds it here."""

from __future__ import annotations

from app.access.visitors import Visitor
from app.errors import N_, Notice
from app.web.context import Services
from app.web.templates import Language


def notices_of(services: Services) -> tuple[Notice, ...]:
    """List what is to be noticed now; whoever changes it calls `Changes.announce_notices`."""
    found = (services.storage_monitor.problem, services.maintenance.nightly.problem)
    hanging = services.worker.scheduler.hanging()
    silent = (_silence(server, silent_s) for server, silent_s in hanging.items())
    notices = (*services.recovery.notices, *(notice for notice in found if notice), *silent)
    return tuple(one for one in notices if str(one) not in services.closed_notices)


def _silence(server: str, silent_s: float) -> Notice:
    return Notice(
        sentence=N_("{server} hasn't answered for {minutes} min. Prompts for it are waiting."),
        cure=N_(
            "Wait, cancel what it's generating, or turn it off in Settings. Easel sends it "
            'one prompt at a time, and continues by itself once it answers.'
        ),
        places={'server': server, 'minutes': max(1, int(silent_s) // 60)},
        link='/settings',
        link_text=N_('Settings'),
        owner_only=True,
    )


def notices_json(
    services: Services, viewer: Visitor, language: Language
) -> list[dict[str, str | None]]:
    """Return the notices as public JSON; what to do is for the owner."""
    return [
        {
            'sentence': language.translate(notice.sentence).format(**notice.places),
            'cure': language.translate(notice.cure).format(**notice.places)
            if viewer.owner and notice.cure
            else None,
        }
        for notice in notices_of(services)
        if viewer.owner or not notice.owner_only
    ]
