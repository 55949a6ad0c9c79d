"""Helpers of the tests that look into pictures."""

from __future__ import annotations

import base64
import hashlib
import io

from PIL import Image


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def from_base64(text: str | None) -> Image.Image:
    return opened(base64.b64decode(text or ''))


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, 'PNG')
    return file.getvalue()


def digest(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()
