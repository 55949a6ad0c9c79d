"""Smooth shapes, soft light and noise: what the scenes are painted with."""

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw

from app.demo.painter.palette import Colour, lab_to_rgb, mix_lab

Point = tuple[float, float]
Box = tuple[int, int, int, int]
_FINER = 3  # shapes are drawn three times as large and averaged down, so that no edge is jagged


def dice(*names: object) -> Random:
    """Return a generator that is seeded by the names, the same on every machine."""
    text = '\x1f'.join(str(name) for name in names)
    return Random(hashlib.sha256(text.encode('utf-8', 'replace')).digest())  # noqa: S311


class Stencil:
    """A mask with smooth edges over one box of the picture."""

    def __init__(self, picture: Image.Image, top: float = 0, bottom: float | None = None) -> None:
        """Open a band of the picture; a band outside of it is one row at its edge."""
        width, height = picture.size
        low = height if bottom is None else math.ceil(bottom)
        first = min(max(0, math.floor(top)), height - 1)
        last = min(max(first + 1, low), height)
        self.box: Box = (0, first, width, last)
        self._sheet = Image.new('L', (width * _FINER, (last - first) * _FINER))
        self._pen = ImageDraw.Draw(self._sheet)
        self._picture = picture

    def polygon(self, points: Sequence[Point], value: int = 255) -> None:
        self._pen.polygon([self._at(x, y) for x, y in points], fill=value)

    def ellipse(self, x: float, y: float, across: float, down: float, value: int = 255) -> None:
        """Fill an ellipse of the given half axes."""
        left, top = self._at(x - across, y - down)
        right, bottom = self._at(x + across, y + down)
        self._pen.ellipse((left, top, max(left, right), max(top, bottom)), fill=value)

    def block(self, x: float, y: float, width: float, height: float, value: int = 255) -> None:
        """Fill an upright rectangle from its upper left corner."""
        left, top = self._at(x, y)
        right, bottom = self._at(x + width, y + height)
        self._pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), fill=value)

    def line(self, points: Sequence[Point], width: float, value: int = 255) -> None:
        thick = max(1, round(width * _FINER))
        self._pen.line([self._at(x, y) for x, y in points], fill=value, width=thick, joint='curve')

    def mask(self, opacity: float = 1.0) -> Image.Image:
        """Return what was drawn, averaged down."""
        mask = self._sheet.reduce(_FINER)
        return mask if opacity >= 1 else fade(mask, opacity)

    def fill(self, colour: Colour, opacity: float = 1.0) -> None:
        self._picture.paste(colour.rgb, self.box, self.mask(opacity))

    def _at(self, x: float, y: float) -> Point:
        return (x - self.box[0]) * _FINER, (y - self.box[1]) * _FINER


def fade(mask: Image.Image, opacity: float) -> Image.Image:
    """Return the same mask, more transparent."""
    return mask.point([round(value * opacity) for value in range(256)])


def ramp(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Return a picture that runs from colour to colour downwards; the stops are 0..1, ascending."""
    rows = max(2, min(size[1], 160))
    column = Image.new('RGB', (1, rows))
    for row in range(rows):
        column.putpixel((0, row), lab_to_rgb(_stop_at(stops, row / (rows - 1))))
    return column.resize(size, Image.Resampling.BICUBIC)


def _stop_at(stops: Sequence[tuple[float, Colour]], at: float) -> tuple[float, float, float]:
    before = stops[0]
    for after in stops:
        if at <= after[0]:
            span = after[0] - before[0]
            return mix_lab(before[1].lab, after[1].lab, (at - before[0]) / span if span else 1.0)
        before = after
    return before[1].lab


def veil(size: tuple[int, int], opacity: Callable[[float], float]) -> Image.Image:
    """Return a mask whose opacity (0..1) is a function of the share of the way down."""
    rows = max(2, min(size[1], 256))
    column = Image.new('L', (1, rows))
    for row in range(rows):
        column.putpixel((0, row), min(255, max(0, round(255 * opacity(row / (rows - 1))))))
    return column.resize(size, Image.Resampling.BICUBIC)


def glow(
    picture: Image.Image, centre: Point, radius: float, colour: Colour, strength: float
) -> None:
    """Lay a soft round light around a point."""
    side = max(2, round(radius * 2))
    left, top = round(centre[0] - radius), round(centre[1] - radius)
    mask = _halo().resize((side, side), Image.Resampling.BICUBIC)
    mask = _within(picture, fade(mask, strength), left, top)
    picture.paste(colour.rgb, (0, 0), mask)


def _within(picture: Image.Image, mask: Image.Image, left: int, top: int) -> Image.Image:
    whole = Image.new('L', picture.size)
    whole.paste(mask, (left, top))
    return whole


@lru_cache(maxsize=1)
def _halo() -> Image.Image:
    """Return a round light that has faded to nothing at the rim of its square."""
    side = 72
    halo = Image.new('L', (side, side))
    middle = (side - 1) / 2
    for y in range(side):
        for x in range(side):
            away = math.hypot(x - middle, y - middle) / (middle - 1)
            if away < 1:
                halo.putpixel((x, y), round(255 * (1 - away) ** 2 * math.exp(-1.6 * away)))
    return halo


def noise(rng: Random, size: tuple[int, int], cells: tuple[float, float]) -> Image.Image:
    """Return cloudy grey noise; `cells` is how many lumps fit across and down."""
    total, weight = 0.0, 1.0
    field = Image.new('L', size, 128)
    across, down = cells
    while across <= size[0] and down <= size[1] and weight > 0.04:
        grid = (max(2, round(across)), max(2, round(down)))
        lumps = Image.frombytes('L', grid, rng.randbytes(grid[0] * grid[1]))
        total += weight
        field = Image.blend(field, lumps.resize(size, Image.Resampling.BICUBIC), weight / total)
        across, down, weight = across * 2, down * 2, weight * 0.55
    return field


def threshold(field: Image.Image, low: float, high: float) -> Image.Image:
    """Turn noise into a mask: nothing below `low`, all above `high` (0..255), smooth between."""
    table = []
    for value in range(256):
        at = min(1.0, max(0.0, (value - low) / (high - low)))
        table.append(round(255 * at * at * (3 - 2 * at)))
    return field.point(table)


def relief(field: Image.Image, step: tuple[int, int]) -> Image.Image:
    """Return grey noise lit from one side: 128 is flat, brighter faces the light."""
    moved = ImageChops.offset(field, *step)
    rim = max(abs(step[0]), abs(step[1]))  # what was moved round the edge
    inner = (rim, rim, field.width - rim, field.height - rim)
    return ImageChops.subtract(field, moved, 0.35, 128).crop(inner).resize(field.size)


def profile(rng: Random, count: int, cells: float, sharp: float) -> list[float]:
    """Return a skyline of `count` heights within 0..1; `sharp` 0 rolls, 1 has peaks."""
    heights = [0.0] * count
    total, weight = 0.0, 1.0
    while weight > 0.012 and cells < count / 2:
        lattice = [rng.random() for _ in range(math.ceil(cells) + 2)]
        start = rng.random()
        for index in range(count):
            at = start + index / count * cells
            cell = int(at)
            part = at - cell
            part += (part * part * (3 - 2 * part) - part) * (1 - sharp)
            level = lattice[cell] + (lattice[cell + 1] - lattice[cell]) * part
            if sharp > 0.9 and weight > 0.4:
                level = 1 - abs(2 * level - 1) ** 0.85
            heights[index] += weight * level
        total += weight
        cells, weight = cells * 2.03, weight * (0.36 + 0.12 * sharp)
    low, high = min(heights), max(heights)
    span = max(1e-6, high - low)
    return [(height - low) / span for height in heights]
