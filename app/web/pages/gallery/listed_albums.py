"""What pages say of albums."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.visitors import Visitor
from app.database.gallery.albums import AlbumRow
from app.database.gallery.filters import Filter
from app.database.search.query import FAVOURITE, Key, written
from app.models import Image
from app.web.context import Services
from app.web.security.permissions import albums_for, choosable_albums


@dataclass(frozen=True, slots=True)
class ListedAlbum:
    """An album with how many pictures it shows, None where they are too many to be counted."""

    row: AlbumRow
    count: int | None
    cover: Image | None  # the newest of them

    @property
    def may_fill(self) -> bool:
        """Whether it can still become one that fills itself."""
        return not self.count

    def as_json(self) -> dict[str, object]:
        return {
            'id': self.row.id,
            'name': self.row.name,
            'q': self.row.q,
            'count': self.count,
            'cover': self.cover.id if self.cover else None,
        }


def albums_to_join(viewer: Visitor, services: Services, image: Image) -> list[AlbumRow]:
    """Return the albums that a visitor may put a picture into, and that do not have it."""
    return [row for row in choosable_albums(viewer, services) if row.id not in image.albums]


async def listed_albums(viewer: Visitor, services: Services) -> list[ListedAlbum]:
    """List the albums that a visitor may look at, those with the newest pictures first."""
    library = services.library
    contents = {one.album: one for one in await library.albums.contents()}
    newest = [one.newest for one in contents.values() if one.newest]
    covers = {image.id: image for image in await library.images.some(newest)}
    listed = []
    for row in albums_for(viewer, services):
        if one := contents.get(row.id):
            listed.append(ListedAlbum(row, one.images, covers.get(one.newest or 0)))
        elif row.q is not None:
            shown = services.albums.filter_of(row.id)
            first = await library.images.page(shown, None, 1)
            count = await library.counters.total(shown)
            listed.append(ListedAlbum(row, count, first[0] if first else None))
    return sorted(listed, key=_newest_first)


async def album_values(viewer: Visitor, services: Services, chosen: Filter) -> dict[str, object]:
    """Return what the gallery says of the album that it shows, and of a search to keep as one."""
    row, shown = services.albums.get(chosen.album or 0), None
    if row:
        count = await services.library.counters.total(services.albums.filter_of(row.id))
        shown = ListedAlbum(row, count, None)
    return {'album': shown, 'question': question_of(chosen, services) if viewer.owner else ''}


def question_of(chosen: Filter, services: Services) -> str:
    """Write what was searched for as one search; empty for the trash, and within an album."""
    if chosen.deleted or chosen.album:
        return ''
    guest = services.guests.name_of(chosen.guest) if chosen.guest else ''
    keys = {Key.MODEL: chosen.model, Key.SERVER: chosen.provider, Key.BY: guest}
    parts = [written(key, value) for key, value in keys.items() if value]
    parts += [written(Key.IS, FAVOURITE)] if chosen.favourite else []
    return ' '.join([*parts, chosen.words]).strip()


def _newest_first(album: ListedAlbum) -> tuple[float, int]:
    return (-album.cover.created_at if album.cover else 0.0, -album.row.id)
