"""What the gallery is asked to show, as conditions of a statement."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from app.database.gallery.search import fts_query
from app.database.sqlite.connection import Value


class Order(StrEnum):
    """What stands first in the gallery."""

    NEWEST = 'newest'
    OLDEST = 'oldest'
    RANDOM = 'random'


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the gallery shows; the fields combine by *and*, a `guest` of None is everybody.

    `shuffle` is the seed of a random order.
    """

    words: str = ''
    model: str = ''
    provider: str = ''
    favourite: bool = False
    deleted: bool = False
    guest: int | None = None
    album: int | None = None
    sort: Order = Order.NEWEST
    shuffle: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """The pictures of a filter as a part of a statement, with the values that it names.

    `keys` are the columns to compare and order by: those of the table which is walked through.
    """

    source: str
    where: str
    keys: tuple[str, ...]
    values: dict[str, Value]

    def order(self, direction: str) -> str:
        return ', '.join(f'{key} {direction}' for key in self.keys)

    def beyond(self, side: str) -> str:
        """Return the condition of being on a side of the values `edge_0` and following."""
        edge = ', '.join(f':edge_{number}' for number in range(len(self.keys)))
        return f'({", ".join(self.keys)}) {side} ({edge})'


def selection_of(chosen: Filter) -> Selection | None:
    """Return how to select what a filter asks for; None where nothing can match."""
    source, key = 'images', 'images.sort_key'
    clauses = [f'images.deleted_at is {"not null" if chosen.deleted else "null"}']
    values: dict[str, Value] = asdict(chosen)
    if chosen.album is not None:
        source = 'album_images join images on images.id = album_images.image'
        key = 'album_images.sort_key'
        clauses.append('album_images.album = :album')
    if chosen.words:
        values['words'] = fts_query(chosen.words)
        if values['words'] is None:
            return None
        source += ' join image_words on image_words.rowid = images.sort_key'
        key = key if chosen.album is not None else 'image_words.rowid'
        clauses.append('image_words match :words')
    named = [name for name in ('model', 'provider', 'guest') if values[name] not in ('', None)]
    clauses += [f'images.{name} = :{name}' for name in named]
    if chosen.favourite:
        clauses.append('images.favourite = 1')
    keys = ('images.deleted_at', 'images.sort_key') if chosen.deleted else (key,)
    return Selection(source, ' and '.join(clauses), keys, values)
