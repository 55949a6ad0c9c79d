"""Reads the ids in a label without the decoder's child: by the file's layout alone, and quickly."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from app.models import PictureIds
from app.storage.metadata.container import MOST_PACKET_BYTES, DamagedContainer, sidecar_of
from app.storage.metadata.copies import FORMATS, HEAD_BYTES
from app.storage.metadata.label import MOST_ID
from app.storage.metadata.mime import mime_of

# In a packet every text is escaped, so no prompt looks like this.
ID = re.compile(rb'<easel:(image|generation)_id>(\d{1,15})<')


def ids_told(picture: Path) -> PictureIds:
    """Return the ids that Easel wrote into a picture or beside it; 0 where it did not."""
    packet = b''
    with contextlib.suppress(OSError, DamagedContainer), picture.open('rb') as opened:
        mime = mime_of(opened.read(HEAD_BYTES))
        if mime in FORMATS:
            packet = FORMATS[mime].xmp(opened)
    with contextlib.suppress(OSError), sidecar_of(picture).open('rb') as beside:
        packet += beside.read(MOST_PACKET_BYTES)  # last, since what it says counts
    found = {name.decode(): int(number) for name, number in ID.findall(packet)}
    return PictureIds(**{name: number for name, number in found.items() if number <= MOST_ID})
