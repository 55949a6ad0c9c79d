"""The names of pictures that leave the gallery: one each, which every system can write."""

from __future__ import annotations

import time
import unicodedata

from app.models import Image
from app.storage.place import words_of


def name_of(image: Image) -> str:
    """Return `2026-11-18-a-red-fox-17.png`; its id makes it the only one."""
    day = time.strftime('%Y-%m-%d', time.localtime(image.created_at))
    parts = (day, words_of(image.prompt), str(image.id))
    name = '-'.join(part for part in parts if part)
    return unicodedata.normalize('NFC', f'{name}.{image.extension}')


def plain_name(image: Image) -> str:
    """Return a name that says nothing of the prompt."""
    return f'picture-{image.id}.{image.extension}'
