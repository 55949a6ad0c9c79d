"""Parts of a form that brings pictures to start from."""

from __future__ import annotations

import io

from PIL import Image

Part = tuple[str, tuple[str | None, bytes]]


def text(name: str, value: str) -> Part:
    return name, (None, value.encode())


def mask(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.new('L', (width, height), 255).save(file, 'PNG')
    return file.getvalue()


PROMPT = text('prompt', 'a fox')
