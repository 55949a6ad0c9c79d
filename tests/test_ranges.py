"""Which part of a file is asked for."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from app.web.delivery.ranges import part_of


@pytest.mark.parametrize(
    ('asked', 'start', 'size'),
    [
        ('bytes=0-0', 0, 1),
        ('bytes=10-', 10, 90),
        ('bytes=-7', 93, 7),
        ('bytes=-700', 0, 100),
        ('bytes=3-9999999', 3, 97),
        ('bytes = 3 - 4', 3, 2),
    ],
)
def test_a_part_is_where_it_was_asked_for(asked: str, start: int, size: int) -> None:
    part = part_of(Headers({'range': asked}), '"a"', 100)

    assert (part.status, part.start, part.size_bytes) == (206, start, size)
    assert part.headers['content-range'] == f'bytes {start}-{start + size - 1}/100'


@pytest.mark.parametrize(
    'headers',
    [
        {},
        {'range': 'bytes=5-2'},
        {'range': 'bytes=0-1,4-5'},
        {'range': 'pages=1-2'},
        {'range': 'bytes=-'},
        {'range': 'bytes=0-1', 'if-range': '"another"'},
    ],
)
def test_what_is_no_part_of_this_very_file_is_answered_by_all_of_it(
    headers: dict[str, str],
) -> None:
    part = part_of(Headers(headers), '"a"', 100)

    assert (part.status, part.start, part.size_bytes) == (200, 0, 100)


@pytest.mark.parametrize('asked', ['bytes=100-', 'bytes=-0', 'bytes=100-120'])
def test_a_part_behind_the_end_is_refused(asked: str) -> None:
    part = part_of(Headers({'range': asked, 'if-range': '"a"'}), '"a"', 100)

    assert (part.status, part.size_bytes) == (416, 0)
    assert part.headers == {'content-range': 'bytes */100'}
