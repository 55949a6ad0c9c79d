"""What a server is sent to start from: files made for it, of what the gallery keeps as it came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPicture:
    """A picture made for sending: upright, without metadata, 8 bits a channel, RGB or RGBA."""

    path: Path
    mime: str  # `image/png` where there is a mask
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMask:
    """A mask of the first picture's size, as servers read one, each as a PNG.

    `grey` has one channel: white may change, black stays. `dual` has four: what may change is white
    with alpha 0, what stays black with alpha 255, so that it is right by its alpha and by its grey.
    """

    grey: SentPicture
    dual: SentPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class EditInput:
    """The pictures of one request in their order, and the mask of the first."""

    sources: tuple[SentPicture, ...]
    mask: SentMask | None = None
