"""Texts of 100 kB, made to keep a pattern busy: everything that reads text is done at once."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers import ROOT, clean_environment

PATIENCE_S = 15

# Texts of 100 kB at all that reads text, in a process that may use so many seconds and no more.
READERS = f"""
import resource
resource.setrlimit(resource.RLIMIT_CPU, ({PATIENCE_S}, {PATIENCE_S}))
from contextlib import suppress
from app.net.urls import Blocked, origin_of
from app.errors import AppError
from app.database.search.query import refusals_in
from app.database.search.words import index_words
from app.log import escape
from app.models.request import Size
from app.providers.transport.redaction import SecretRedactor
from app.providers.core.base import ProviderSettings
from app.providers.response.errors import refusal
from app.providers.response.images import find_items
from app.providers.response.messages import clean, scrub, words_of
from app.providers.response.parser import ApiResponse
from app.providers.response.stream import ResponseStream
from app.net.ip import networks_in
from app.web.security.routes import rule_of
from app.generation.request import parse_request
from app.web.security.hosts import Hosts
from app.web.views.provider_form import draft_of
from app.web.pages.sign_in import OWN_PAGE
settings = ProviderSettings(name='a', base_url='http://a', model='', timeout_s=1, key='k' * 40)
redactor, stream = SecretRedactor(settings), ResponseStream(list)
names = ('prompt', 'size', 'n', 'seed', 'steps', 'guidance', 'quality', 'submission', 'headers',
         'base_url', 'name', 'key', 'timeout_s', 'at_once')
texts = [unit * (100_000 // len(unit)) for unit in (
    'a', ' ', '<', '<a', '/', '\\\\', '%', '9', '9x', '9.', ':', ':,', '=', '&', '"', '(', '-', '.',
    'a.', 'k', 'kkkkkkk.', 'eyJaaaaa-', '-/a.',
    'violat', 'insufficient', '.png?', '\\t', '\\n', 'Bearer ',
    'sk-', 'data:', '/home/', 'http://', '\\u0301')]
for text in texts:
    for read in (origin_of, index_words, refusals_in, escape, Size.parse, redactor.text, clean,
                 scrub, networks_in, OWN_PAGE.fullmatch, lambda text: rule_of('GET', text),
                 lambda text: words_of(None, text), lambda text: words_of([text], text),
                 lambda text: find_items([text]),
                 lambda text: refusal(ApiResponse(500, {{}}, text, [text], stream),
                                      where='', sent=()),
                 lambda text: Hosts(()).check_one(text.encode()),
                 lambda text: parse_request(dict.fromkeys(names, text)),
                 lambda text: draft_of([(name, text) for name in names])):
        with suppress(AppError, Blocked, ValueError):
            read(text + '!')
print('read')
"""


def test_cve_2024_10624_no_text_keeps_a_reader_busy() -> None:
    ran = subprocess.run(
        [sys.executable, '-c', READERS],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr == ''
    assert ran.stdout == 'read\n'
