"""What a mask protects of a picture: how much of it an answer changed, and laid back over it.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import TypeAlias

from PIL import Image, ImageChops, ImageFilter

from app.storage.decoding.colours import from_srgb
from app.storage.decoding.shown import (
    PNG_LEVEL,
    Order,
    RefusedError,
    opened,
    save,
    shown,
    shown_size,
)

Picture: TypeAlias = tuple[str, str]  # its path and format
Box: TypeAlias = tuple[float, float, float, float]

FEATHERS = 256  # that the shorter side is long
NOTICED = 16  # of 255: by more than this a channel differs
STRIP_PIXELS = 2_000_000  # that are compared at once


def changed(order: Order) -> dict[str, object]:
    """Return the share of what a mask protects that differs between its picture and an answer."""
    return {'changed': _compared(order, *_pictures_of(order))[0]}


def lay_back(order: Order) -> dict[str, object]:
    """Write a picture as a PNG of its own size and colours, with an answer where it may change.

    Nothing where that shows what the answer itself does, pixel for pixel.
    """
    its_source, its_answer = _pictures_of(order)
    left, top, right, bottom = map(round, _shown_part(order, its_source, its_answer))
    answer, _ = shown(*its_answer, most_profile_bytes=0)
    source, profile = shown(*its_source)
    is_alike = answer.size == source.size and not profile
    if answer.size != (right - left, bottom - top):
        answer = answer.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    answer = from_srgb(answer, profile)
    answer = _with_alpha_of(source, answer)
    source = _with_alpha_of(answer, source)
    part = (left, top, right, bottom)
    source.paste(answer, part, _weights(order, source.size).crop(part))
    if is_alike and _is_same(source, answer):
        return {'differs': False}
    save(source, str(order['target']), 'PNG', compress_level=PNG_LEVEL, icc_profile=profile)
    return {'differs': True}


def _with_alpha_of(other: Image.Image, picture: Image.Image) -> Image.Image:
    """Add alpha where the other has some; a copy of a large one alike would be too much."""
    return picture if picture.mode in (other.mode, 'RGBA') else picture.convert('RGBA')


def _pictures_of(order: Order) -> tuple[Picture, Picture]:
    """Return the picture that was edited, and the answer."""
    return (
        (str(order['source']), str(order['source_format'])),
        (str(order['path']), str(order['format'])),
    )


def _shown_part(order: Order, source: Picture, answer: Picture) -> Box:
    """Return which part of its picture an answer shows; seldom must they be compared for that."""
    boxes = _possible_parts(shown_size(*source), shown_size(*answer))
    return boxes[0] if len(boxes) == 1 else _compared(order, source, answer)[1]


def _weights(order: Order, size: tuple[int, int]) -> Image.Image:
    """Return how much of an answer is laid over its picture at each pixel: 255 is all of it.

    That is where the mask is at least half white; from there it falls to nothing within a feather,
    or as slowly as the mask itself does. What is 0 is protected.
    """
    with opened(str(order['mask']), 'PNG') as kept:
        mask = kept.convert('L')
    if mask.size != size:
        raise RefusedError('another size')
    feather = max(1, round(min(size) / FEATHERS))
    soft = ImageChops.lighter(mask, mask.filter(ImageFilter.BoxBlur(feather)))
    return soft.point(lambda value: min(255, 2 * value))


def _possible_parts(source: tuple[int, int], answer: tuple[int, int]) -> list[Box]:
    """Return which parts of a picture an answer may show: all of it, or its middle.

    stable-diffusion.cpp cuts what is too wide or too high, LocalAI and others squeeze it.
    """
    (width, height), (wide, high) = source, answer
    boxes: list[Box] = [(0, 0, width, height)]
    if width * high > height * wide:
        margin = (width - height * wide / high) / 2
        boxes.append((margin, 0, width - margin, height))
    elif width * high < height * wide:
        margin = (height - width * high / wide) / 2
        boxes.append((0, margin, width, height - margin))
    return [box for box in boxes if round(box[0]) < round(box[2]) and round(box[1]) < round(box[3])]


def _compared(order: Order, its_source: Picture, its_answer: Picture) -> tuple[float, Box]:
    """Return the share that differs at the answer's size, and the part it shows: the likest."""
    source, _ = shown(*its_source, most_profile_bytes=0)
    answer, _ = shown(*its_answer, most_profile_bytes=0)
    weights = _weights(order, source.size)
    found = []
    for box in _possible_parts(source.size, answer.size):
        alike, protects = source, weights
        if source.size != answer.size:
            alike = source.resize(answer.size, Image.Resampling.LANCZOS, box)
            protects = weights.resize(answer.size, Image.Resampling.BILINEAR, box)
        found.append((_share(alike, answer, protects), box))
    return min(found)


def _share(source: Image.Image, answer: Image.Image, weights: Image.Image) -> float:
    """Return the share of what has no weight where two pictures of one size differ."""
    differing = protected = 0
    for strip in _strips(source.size):
        one, other = (_on_white(picture.crop(strip)) for picture in (source, answer))
        bands = ImageChops.difference(one, other).split()
        differs = reduce(ImageChops.lighter, bands).point(lambda value: value > NOTICED)
        counts = differs.histogram(weights.crop(strip).point(lambda value: value == 0))
        differing, protected = differing + counts[1], protected + sum(counts)
    return differing / protected if protected else 0.0


def _is_same(one: Image.Image, other: Image.Image) -> bool:
    """Check whether two pictures of one size and mode have the same pixels."""
    return not any(
        ImageChops.difference(one.crop(strip), other.crop(strip)).getbbox(alpha_only=False)
        for strip in _strips(one.size)
    )


def _strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    width, height = size
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield (0, top, width, min(height, top + rows))


def _on_white(picture: Image.Image) -> Image.Image:
    """Return what a picture shows, however see-through it is."""
    if picture.mode == 'RGB':
        return picture
    white = Image.new('RGBA', picture.size, 'white')
    return Image.alpha_composite(white, picture).convert('RGB')
