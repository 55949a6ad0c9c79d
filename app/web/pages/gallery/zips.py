"""The gallery as a download."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from app.database.gallery.filters import Filter
from app.models import Image
from app.web.context import Services, TheServices
from app.web.delivery.zips import READ_AT_ONCE, zip_of
from app.web.pages.gallery.query import read_filter
from app.web.security.permissions import check_same_site


async def download_zip(request: Request, services: TheServices) -> Response:
    """Send everything that the gallery shows for a query, an album or a search as well."""
    check_same_site(request)
    return zip_of(request, services, _all_of(services, read_filter(request)))


async def _all_of(services: Services, chosen: Filter) -> AsyncIterator[Sequence[Image]]:
    last: int | None = None
    while found := await services.library.images.page(chosen, last, READ_AT_ONCE):
        yield found
        last = found[-1].id
