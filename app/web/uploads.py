"""Reads a form whose files go straight to our own disk, one after the other, as they come.

Starlette's reader would first write all of them to the system's folder of temporary files.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import N_, InvalidRequest, Malformed, ProviderError, TooLarge, WrongType
from app.storage.files import TempFile
from app.web.forms import MULTIPART

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_TEXT_BYTES = 4_000
MOST_PARTS = 100


@dataclass(slots=True)
class Part:
    """One field of a form: a text, or a file that came with a name."""

    name: str = ''
    filename: str | None = None
    text: bytearray = field(default_factory=bytearray)
    file: TempFile | None = None
    failure: ProviderError | None = None  # the file is too large; its rest was left out
    most_text_bytes: int = MOST_TEXT_BYTES

    def write(self, block: bytes) -> None:
        if self.file is None:
            if len(self.text) + len(block) > self.most_text_bytes:
                raise TooLarge(N_('Too large: at most {most} bytes.'), most=self.most_text_bytes)
            self.text += block
        elif self.failure is None:
            try:
                self.file.write(block)
            except ProviderError as error:
                self.failure = error

    def discard(self) -> None:
        if self.file:
            self.file.discard()


class _Reader:
    """The callbacks of a parser, which collect whole parts."""

    def __init__(self, folder: Path, most_text_bytes: int, most_parts: float) -> None:
        self._folder = folder
        self._most_text_bytes = most_text_bytes
        self._most_parts = most_parts
        self._header = self._value = b''
        self.part = Part()
        self.whole: list[Part] = []
        self.count = 0
        self.has_ended = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            'on_part_begin': self.on_part_begin,
            'on_header_field': self.on_header_field,
            'on_header_value': self.on_header_value,
            'on_header_end': self.on_header_end,
            'on_headers_finished': self.on_headers_finished,
            'on_part_data': self.on_part_data,
            'on_part_end': self.on_part_end,
            'on_end': self.on_end,
        }

    def on_part_begin(self) -> None:
        self.count += 1
        if self.count > self._most_parts:
            raise TooLarge(N_('Too many fields: at most {most}.'), most=self._most_parts)
        self.part = Part(most_text_bytes=self._most_text_bytes)

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b'content-disposition':
            options = parse_options_header(self._value)[1]
            self.part.name = options.get(b'name', b'').decode('utf-8', 'replace')
            if b'filename' in options:
                self.part.filename = options[b'filename'].decode('utf-8', 'replace')
        self._header = self._value = b''

    def on_headers_finished(self) -> None:
        if self.part.filename:
            self.part.file = TempFile(self._folder, can_come_again=True)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.part.write(data[start:end])

    def on_part_end(self) -> None:
        self.whole.append(self.part)
        self.part = Part()

    def on_end(self) -> None:
        self.has_ended = True


async def parts_of(
    request: Request,
    folder: Path,
    most_text_bytes: int = MOST_TEXT_BYTES,
    most_parts: float = MOST_PARTS,
) -> AsyncGenerator[Part, None]:
    """Yield the parts of a form as each is whole; who takes one discards its file in the folder.

    Raise `WrongType` at another form, `TooLarge` at a text that is and at one part too many,
    `Malformed` at what breaks off, `StorageFailed` where the disk takes no file.
    """
    kind, options = parse_options_header(request.headers.get('content-type', ''))
    if kind.decode('latin-1').lower() != MULTIPART or b'boundary' not in options:
        raise WrongType(N_('Send a form: {types}.'), types=MULTIPART)
    reader = _Reader(folder, most_text_bytes, most_parts)
    try:
        parser = MultipartParser(options[b'boundary'], reader.callbacks())
        async for block in request.stream():
            await asyncio.to_thread(parser.write, block)
            while reader.whole:
                yield reader.whole.pop(0)
        if not reader.has_ended:
            raise FormParserError('it breaks off')
    except FormParserError as error:
        raise Malformed(N_("The request couldn't be read.")) from error
    finally:
        for part in (*reader.whole, reader.part):
            part.discard()


@asynccontextmanager
async def uploaded(request: Request, name: str, folder: Path) -> AsyncIterator[TempFile]:
    """Take the first file of that name from a form, for as long as the block lasts.

    Raise what `parts_of` does, `InvalidRequest` without a file, ProviderError at one too large.
    """
    taken = Part()
    try:
        async with aclosing(parts_of(request, folder)) as parts:
            async for part in parts:
                if part.name == name and not taken.file:
                    taken = part
                else:
                    part.discard()
        if taken.failure:
            raise taken.failure
        if not taken.file:
            raise InvalidRequest(N_('Choose a picture first.'))
        yield taken.file
    finally:
        taken.discard()
