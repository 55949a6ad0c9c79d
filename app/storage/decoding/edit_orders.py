"""What the decoder's child is asked for where pictures start from others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.models.request import Size
from app.storage.decoding.decoder import Answer, Decoder, Order, format_of, work_order
from app.storage.edit_input import SentMask, SentPicture
from app.storage.metadata.mime import PNG

WORK_TIMEOUT_S = 120.0  # of a busy machine; the child may use 20 s of its processor


async def write_grey(decoder: Decoder, mask: Path, target: Path) -> Size:
    """Write a mask, which is a PNG, as it is kept; raises as `Decoder.answered`."""
    order = work_order('masks.write_grey', {'path': mask}, {'target': target})
    return await decoder.answered(order, PNG, _size)


async def make_sent_picture(
    decoder: Decoder, path: Path, mime: str, target: Path, *, as_png: bool
) -> SentPicture:
    """Make of a kept picture what a server is sent; raises likewise."""
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


@dataclass(frozen=True, slots=True)
class Protected:
    """A picture that was edited and its mask, as they are kept."""

    source: Path
    mime: str
    mask: Path


async def measure_change(decoder: Decoder, of: Protected, answer: Path, mime: str) -> float:
    """Return the share, 0 to 1, of what a mask protects that an answer changed; raises likewise."""
    return await decoder.answered(_order('changed', of, answer), mime, _share)


async def lay_back(decoder: Decoder, of: Protected, answer: Path, mime: str, target: Path) -> bool:
    """Write what a mask protects, with an answer inside it, as a PNG; raises likewise.

    Return whether that differs from the answer: else nothing is written.
    """
    order = _order('lay_back', of, answer, target=target)
    return await decoder.answered(order, mime, partial(_written, target))


def _order(work: str, of: Protected, answer: Path, **writes: Path) -> Order:
    reads = {'path': answer, 'source': of.source, 'mask': of.mask}
    return work_order(f'protected.{work}', reads, writes, source_format=format_of(of.mime))


def _size(answer: Answer) -> Size:
    match answer:
        case {'width': int(width), 'height': int(height)}:
            return Size(width, height)
    raise ValueError('no size')


def _share(answer: Answer) -> float:
    match answer:
        case {'changed': int() | float() as share} if 0 <= share <= 1:
            return float(share)
    raise ValueError('no share')


def _written(target: Path, answer: Answer) -> bool:
    match answer:
        case {'differs': bool(differs)} if not differs or target.is_file():
            return differs
    raise ValueError('no picture')


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
