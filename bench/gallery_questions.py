"""What is asked of a gallery of any size, and whether a large one answers as a small one does."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode

from bench.gallery_rows import (
    CJK,
    CYRILLIC,
    LARGE_ALBUM,
    MIDDLING,
    PHRASE,
    RARE,
    SCARCE_MODEL,
    SMALL_ALBUM,
)
from bench.measure import Claim, middle_ratio
from tests.support.servers import Easel

Query: TypeAlias = dict[str, str | int]

MOST_TIMES, MOST_BEYOND_MS = 1.2, 5.0
EACH = 20  # times that a question is asked in a round
FILTERS: dict[str, Query] = {
    'model': {'model': 'flux'},
    'scarce model': {'model': SCARCE_MODEL},
    'server': {'provider': 'home'},
    'favourites': {'favourite': 1},
    'trash': {'deleted': 1},
    'a guest': {'guest': 2},
    'large album': {'album': LARGE_ALBUM},
    'small album': {'album': SMALL_ALBUM},
    'favourites of a model': {'model': 'flux', 'favourite': 1},
    'oldest': {'sort': 'oldest'},
    'random': {'sort': 'random', 'shuffle': 7},
}
SEARCHES = {
    'common word': 'detailed',
    'three words': 'detailed light portrait',
    'rare word': RARE,
    'middling word': MIDDLING,
    'beginning': MIDDLING[:6],
    'short beginning': 'de',
    'phrase': f'"{PHRASE}"',
    'Cyrillic': CYRILLIC,
    'Chinese signs': CJK[:1],
    'signs together': CJK,
    'exclusion': 'portrait -detailed',
    'exclusion alone': '-detailed',
    'excluded model': '-model:flux',
    'since': 'detailed since:2024-01-01',
    'until': 'until:2024-01-01',
    'shape': 'shape:square light',
}
BOTH: dict[str, Query] = {
    'word, model': {'q': 'detailed', 'model': 'flux'},
    'word, scarce model': {'q': 'detailed', 'model': SCARCE_MODEL},
    'word, favourites': {'q': 'light', 'favourite': 1},
    'word, large album': {'q': 'light', 'album': LARGE_ALBUM},
    'word, trash': {'q': 'light', 'deleted': 1},
}
PAGES: dict[str, Query] = {
    'first': {},
    'model': {'model': 'flux'},
    'trash': {'deleted': 1},
    'large album': {'album': LARGE_ALBUM},
    'common word': {'q': 'detailed'},
    'phrase': {'q': f'"{PHRASE}"'},
}


@dataclass(slots=True)
class Gallery:
    """A server, how many pictures it has, and a connection to it."""

    rows: int
    easel: Easel
    connection: http.client.HTTPConnection

    @classmethod
    def of(cls, rows: int, easel: Easel) -> Gallery:
        port = int(easel.url.rpartition(':')[2])
        return cls(rows, easel, http.client.HTTPConnection('localhost', port, timeout=60))

    def ask(self, path: str, kind: str = '*/*') -> tuple[float, bytes]:
        """Ask once; give the seconds until all of the answer was there, and the answer."""
        began = time.perf_counter()
        self.connection.request('GET', path, headers={'Accept': kind})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])
        return time.perf_counter() - began, body

    def post(self, path: str, **fields: object) -> tuple[float, str]:
        """Send a form; give the seconds until the answer, and where it leads."""
        began = time.perf_counter()
        kind = {'Content-Type': 'application/x-www-form-urlencoded'}
        self.connection.request('POST', path, urlencode(fields), kind)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 303, (path, answer.status, body[:200])
        return time.perf_counter() - began, answer.headers['location']


@dataclass(slots=True)
class Question:
    """One question, and the seconds that each gallery took for it, by round.

    Attributes:
        images: How many pictures each answers with, where that is known.
    """

    name: str
    path: str
    took_s: dict[int, list[list[float]]] = field(default_factory=dict)
    images: dict[int, int] = field(default_factory=dict)

    def ask(self, gallery: Gallery) -> None:
        path = self.path.replace('MIDDLE', str(gallery.rows // 2))
        _, body = gallery.ask(path)
        if '.json' in path:
            self.images[gallery.rows] = len(json.loads(body).get('images', ()))
        times = [gallery.ask(path)[0] for _ in range(EACH)]
        self.took_s.setdefault(gallery.rows, []).append(times)

    def times_ms(self, rows: int, share: float) -> float:
        """Give the time that this share of the answers stays under."""
        ordered = sorted(second for times in self.took_s[rows] for second in times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def middles(self, rows: int) -> list[float]:
        return [sorted(times)[len(times) // 2] for times in self.took_s[rows]]

    def row(self, sizes: Sequence[int]) -> tuple[str, ...]:
        cells = [
            f'{self.times_ms(rows, 0.5):.2f}/{self.times_ms(rows, 0.99):.1f}' for rows in sizes
        ]
        counts = [str(self.images.get(rows, '')) for rows in sizes]
        return self.name, *cells, ' '.join(counts)

    def claims(self, small: int, large: int, first: Question) -> list[Claim]:
        """Compare with the small gallery: where that has fewer pictures, with its first page."""
        is_fair = self.images.get(small) == self.images.get(large)
        base = self if is_fair else first
        times = middle_ratio(self.middles(large), base.middles(small))
        beyond_ms = self.times_ms(large, 0.99) - base.times_ms(small, 0.99)
        return [
            Claim(f'{self.name}: median, to the small gallery', times, MOST_TIMES, 'times'),
            Claim(f'{self.name}: p99, beyond it', beyond_ms, MOST_BEYOND_MS, 'ms'),
        ]


def questions() -> list[Question]:
    asked: dict[str, Query] = {'first page': {}, 'deep page': {'before': 'MIDDLE'}, **FILTERS}
    asked |= {name: {'q': typed} for name, typed in SEARCHES.items()}
    asked |= {'deep, word': {'q': 'detailed', 'before': 'MIDDLE'}, **BOTH}
    found = [Question(name, _path('/gallery.json', query)) for name, query in asked.items()]
    found += [Question(f'page: {name}', _path('/gallery', query)) for name, query in PAGES.items()]
    deep = _path('/gallery', {'before': 'MIDDLE'})
    return [
        *found,
        Question('page: deep', deep),
        Question('page: a picture', '/images/MIDDLE'),
        Question('page: albums', '/albums'),
    ]


def _path(address: str, query: Query) -> str:
    return f'{address}?{urlencode(query)}' if query else address
