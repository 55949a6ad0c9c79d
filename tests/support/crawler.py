"""Follows every address of every page, as far as they lead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag

import httpx

NOT_ADDRESSES = (
    *('aria-keyshortcuts', 'aria-label', 'value', 'alt', 'title', 'data-word', 'data-title'),
    'data-pages',  # what addresses begin with
)


@dataclass
class Shown(HTMLParser):
    """What one page shows: each address in it, and where its forms go."""

    addresses: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        for name, value in attrs:
            if name not in NOT_ADDRESSES:
                is_post = name == 'action' and named.get('method') == 'post'
                is_post |= name == 'formaction' and named.get('formmethod') != 'get'
                found = re.findall(r'(?:^|, |; url=)(/\S*)', value or '')
                (self.posts if is_post else self.addresses).extend(found)


def crawl(client: httpx.Client, start: str) -> tuple[dict[str, int], set[str]]:
    """Follow every address from a page on; gives each one's status, and where forms post to.

    What differs from an address before in the order of its question alone is not asked again.
    """
    statuses: dict[str, int] = {}
    posts: set[str] = set()
    waiting, asked = [start], set[tuple[str, ...]]()
    while waiting:
        address = waiting.pop()
        if (kind := tuple(sorted(re.split('[?&]', address)))) in asked:
            continue
        asked.add(kind)
        answer = client.get(address)
        statuses[address] = answer.status_code
        if answer.headers.get('content-type', '').startswith('text/html'):
            shown = Shown()
            shown.feed(answer.text)
            waiting += [urldefrag(found).url for found in shown.addresses]
            posts |= set(shown.posts)
    return statuses, posts
