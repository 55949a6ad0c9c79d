"""The three ways to one Easel that a browser treats differently, and the evil next door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import chromium
from tests.support.servers import Easel, running_easel
from tests.support.static_server import Quiet, serving
from tests.support.tls_proxy import tls_before

NAME = 'easel.test'
KINDS = ('localhost', 'a plain-http name', 'behind TLS')


@dataclass(frozen=True, slots=True)
class Worlds:
    """A running Easel, its address in each world, and a browser that knows the names."""

    easel: Easel
    browser: Browser
    urls: Mapping[str, str]


@contextmanager
def running_worlds(data: Path, environment: Mapping[str, str]) -> Iterator[Worlds]:
    """Run Easel for all three, with a browser."""
    with chromium() as browser, worlds_of(browser, data, environment) as worlds:
        yield worlds


@contextmanager
def worlds_of(browser: Browser, data: Path, environment: Mapping[str, str]) -> Iterator[Worlds]:
    """Run Easel for all three, beside a browser."""
    settings = {'EASEL_HOSTS': NAME, 'EASEL_TRUSTED_PROXIES': '127.0.0.1', **environment}
    with running_easel(data, settings) as easel, tls_before(easel.url, NAME) as https:
        by_name = easel.url.replace('localhost', NAME)
        yield Worlds(easel, browser, dict(zip(KINDS, (easel.url, by_name, https), strict=True)))


@dataclass
class Evil:
    """A web server of somebody else's: its pages by path, and what it was asked for."""

    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def running_evil() -> Iterator[Evil]:
    """Serve evil pages for as long as the block lasts."""
    evil = Evil()

    class Handler(Quiet):
        def get(self) -> None:
            evil.asked.append(self.path)
            content = evil.pages.get(self.path, '').encode()
            headers = evil.headers.get(self.path, [])
            self.answer(200 if content else 404, 'text/html; charset=utf-8', content, *headers)

    with serving(Handler) as port:
        evil.port = port
        yield evil
