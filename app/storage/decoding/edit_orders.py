"""What the decoder's child is asked for where pictures start from others."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from app.storage.decoding.decoder import Answer, Decoder, work_order
from app.storage.edit_input import SentMask, SentPicture

WORK_TIMEOUT_S = 60.0  # of a busy machine; the child may use 20 s of its processor
PNG = 'image/png'


async def make_sent_picture(
    decoder: Decoder, path: Path, mime: str, target: Path, *, as_png: bool
) -> SentPicture:
    """Make of a kept picture what a server is sent; raises as `Decoder.answered`."""
    order = work_order('sent_pictures.picture', {'path': path}, {'target': target}, as_png=as_png)
    return await decoder.answered(order, mime, partial(_sent, target))


async def make_sent_mask(
    decoder: Decoder, path: Path, of: SentPicture, grey: Path, dual: Path, *, inverted: bool
) -> SentMask:
    """Make of a kept mask, of a picture's size, both that a server is sent; raises likewise."""
    order = work_order(
        'sent_pictures.mask',
        {'path': path},
        {'grey': grey, 'dual': dual},
        size=(of.width, of.height),
        inverted=inverted,
    )

    def parse(answer: Answer) -> SentMask:
        return SentMask(grey=_sent(grey, answer), dual=_sent(dual, answer))

    return await decoder.answered(order, PNG, parse)


def _sent(path: Path, answer: Answer) -> SentPicture:
    """Parse the answer about a file that was written; raise ValueError where it is none."""
    match answer:
        case {'mime': 'image/png' | 'image/jpeg' as mime, 'width': int(width), 'height': int(high)}:
            if width > 0 < high and path.is_file():
                size_bytes = path.stat().st_size
                return SentPicture(
                    path=path, mime=mime, width=width, height=high, size_bytes=size_bytes
                )
    raise ValueError('no picture')
