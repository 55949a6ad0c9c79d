"""Bodies of requests, whose pictures are read from their files only as they are sent."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.storage.edit_input import SentPicture

BLOCK_BYTES = 192 * 1024  # of a file; a multiple of 3, so that base64 goes on without a seam
FORM = 'multipart/form-data'


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture within JSON, in base64."""

    picture: SentPicture
    prefix: str = ''

    @property
    def size_bytes(self) -> int:
        return 4 * ((self.picture.size_bytes + 2) // 3)


Piece = bytes | SentPicture | Inline


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, in pieces, and what is shown of it: `<image 2.1 MB>` for each picture."""

    pieces: tuple[Piece, ...] = ()
    content_type: str = ''
    shown: str = ''

    @property
    def size_bytes(self) -> int:
        return sum(len(one) if isinstance(one, bytes) else one.size_bytes for one in self.pieces)

    async def blocks(self) -> AsyncIterator[bytes]:
        """Read it from the beginning, as often as it is sent."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            picture = piece.picture if isinstance(piece, Inline) else piece
            encode = base64.b64encode if isinstance(piece, Inline) else bytes
            with await asyncio.to_thread(picture.path.open, 'rb') as file:
                while block := await asyncio.to_thread(_read, file):
                    yield encode(block)


def data_url(picture: SentPicture) -> Inline:
    return Inline(picture, f'data:{picture.mime};base64,')


def json_body(fields: Mapping[str, object]) -> Body:
    """Write fields as JSON, in which pictures stand as `Inline`."""
    mark, inlines = secrets.token_hex(16), list[Inline]()

    def place(value: object) -> str:
        if not isinstance(value, Inline):
            raise TypeError(type(value).__name__)
        inlines.append(value)
        return f'{value.prefix}{mark}'

    texts = json.dumps(fields, ensure_ascii=False, default=place).split(mark)
    shown = [text + _shown(one.picture) for text, one in zip(texts, inlines, strict=False)]
    pieces: list[Piece] = [_encoded(texts[0])]
    for inline, text in zip(inlines, texts[1:], strict=True):
        pieces += (inline, _encoded(text))
    return Body(tuple(pieces), 'application/json', ''.join((*shown, texts[-1])))


def form_body(fields: Mapping[str, object]) -> Body:
    """Write fields as parts of a form, in which pictures stand as `SentPicture`, or several.

    A server takes a part with a file's name and a picture's type for a picture, and no other.
    """
    boundary, pieces, shown = secrets.token_hex(16), list[Piece](), dict[str, object]()
    for name, value in fields.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        for number, one in enumerate(several, start=1):
            pieces.append(_encoded(f'--{boundary}\r\n{_head(name, one, number)}\r\n\r\n'))
            pieces += (one if isinstance(one, SentPicture) else _encoded(_text(one)), b'\r\n')
        parts = [_shown(one) if isinstance(one, SentPicture) else one for one in several]
        shown[name] = parts if len(parts) > 1 else parts[0]
    pieces.append(_encoded(f'--{boundary}--\r\n'))
    told = json.dumps(shown, ensure_ascii=False)
    return Body(tuple(pieces), f'{FORM}; boundary={boundary}', told)


def _head(name: str, value: object, number: int) -> str:
    head = f'Content-Disposition: form-data; name="{name}"'
    if not isinstance(value, SentPicture):
        return head
    stem = re.sub(r'\W', '', name)
    ending = value.mime.partition('/')[2]
    return f'{head}; filename="{stem}-{number}.{ending}"\r\nContent-Type: {value.mime}'


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _shown(picture: SentPicture) -> str:
    size_bytes = picture.size_bytes
    is_large = size_bytes >= 100_000
    size = f'{size_bytes / 1e6:.1f} MB' if is_large else f'{size_bytes / 1000:.1f} kB'
    return f'<image {size}>'


def _encoded(text: str) -> bytes:
    return text.encode('utf-8', 'replace')


def _read(file: BinaryIO) -> bytes:
    return file.read(BLOCK_BYTES)
