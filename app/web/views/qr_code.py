"""QR codes of an address, for a page and for a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QrCode:
    """The path of an SVG, one unit a module, without the quiet border."""

    side: int
    path: str


def qr_code_of(address: str) -> QrCode:
    import segno  # 20 ms that no other page needs

    rows = [bytes(row) for row in segno.make(address, micro=False).matrix]
    runs = [(run, y) for y, row in enumerate(rows) for run in re.finditer(rb'\x01+', row)]
    path = [f'M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z' for run, y in runs]
    return QrCode(len(rows), ''.join(path))


def terminal_qr_code(address: str) -> str:
    """Return the code in characters of a terminal."""
    import segno

    signs = io.StringIO()
    segno.make(address, micro=False).terminal(signs, compact=True)
    return signs.getvalue()
