"""Pages, style sheets and scripts in a third of their bytes, for browsers that undo it."""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse

PAGE_LEVEL = 4  # 0.2 ms for the Create page; the highest takes twice that for 3 % less
GZIP = zlib.MAX_WBITS | 16  # its head and its sum
OWN_SITE = ('none', 'same-origin')


def gzipped(content: bytes, level: int) -> bytes:
    return zlib.compress(content, level, GZIP)  # the module `gzip` is memory that nothing else uses


def takes_gzip(headers: Headers) -> bool:
    return 'gzip' in headers.get('accept-encoding', '')


def page_response(request: Request, html: str, status: int) -> HTMLResponse:
    content = html.encode(errors='replace')  # a file's name: any bytes
    headers = {'Vary': 'Accept-Encoding, X-Fragment'}  # or Back shows a part of a page for it
    # Another site chooses a part of the address: by the length that comes of it, whoever sees TLS
    # pass could guess, letter by letter, what stands beside that part (BREACH).
    is_own = request.headers.get('sec-fetch-site', 'none') in OWN_SITE
    if is_own and takes_gzip(request.headers):
        content = gzipped(content, PAGE_LEVEL)
        headers['Content-Encoding'] = 'gzip'
    return HTMLResponse(content, status, headers)
