"""Smooth shapes, soft light and noise: what the scenes are painted with."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw

from app.demo.painter.palette import Colour, Palette
from app.demo.painter.prompt import Scene

Point = tuple[float, float]
_FINER = 3  # shapes are drawn three times as large and averaged down, so that no edge is jagged


@dataclass(frozen=True, slots=True)
class Canvas:
    """The picture, its scene, colours and measures; lengths are pixels."""

    picture: Image.Image
    width: int
    height: int
    rng: Random
    scene: Scene
    palette: Palette
    horizon: float
    sun: Point
    sun_radius: float
    unit: float

    @property
    def shore(self) -> float:
        """Where the land ends: at the water, or at the lower edge."""
        return self.horizon if self.scene.water else self.height

    def tone(self, depth: float) -> Colour:
        """Return the colour of land at a depth: 0 is lost in the air, 1 is at the viewer's feet."""
        palette = self.palette
        air = palette.horizon.toward(palette.middle, 0.42)
        # Through the hue of the sky: a straight mix from peach to plum passes through grey.
        body = palette.middle.toward(palette.near, 0.55)
        share = 0.17 + 0.83 * depth**0.85
        if share < 0.6:
            return air.toward(body, share / 0.6)
        return body.toward(palette.near, (share - 0.6) / 0.4)

    def lay(self, paint: Colour | Image.Image, mask: Image.Image, top: int = 0) -> None:
        """Lay a colour or a picture where the mask is white."""
        self.picture.paste(paint.rgb if isinstance(paint, Colour) else paint, (0, top), mask)

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float) -> None:
        """Lay a soft round light around a point."""
        shares = [min(1.0, value / 180) for value in range(256)]  # 181 in the middle of each edge
        table = [round(255 * strength * (1 - at) ** 2 * math.exp(-1.6 * at)) for at in shares]
        side = max(2, round(radius * 2))
        halo = Image.radial_gradient('L').resize((side, side), Image.Resampling.BICUBIC)
        corner = (round(centre[0] - radius), round(centre[1] - radius))
        self.picture.paste(colour.rgb, corner, halo.point(table))


class Stencil:
    """A mask with smooth edges over one band of the picture."""

    def __init__(self, canvas: Canvas, top: float = 0, bottom: float = math.inf) -> None:
        """Open a band of the picture; a band outside of it is one row at its edge."""
        self.top = min(max(0, math.floor(top)), canvas.height - 1)
        last = max(self.top + 1, math.ceil(min(bottom, canvas.height)))
        self._sheet = Image.new('L', (canvas.width * _FINER, (last - self.top) * _FINER))
        self._pen = ImageDraw.Draw(self._sheet)
        self._canvas = canvas

    def polygon(self, points: Sequence[Point], value: int = 255) -> None:
        self._pen.polygon([self._at(x, y) for x, y in points], value)

    def ellipse(self, x: float, y: float, across: float, down: float, value: int = 255) -> None:
        """Fill an ellipse of the given half axes."""
        self._pen.ellipse((*self._at(x - across, y - down), *self._at(x + across, y + down)), value)

    def block(self, x: float, y: float, width: float, height: float, value: int = 255) -> None:
        """Fill an upright rectangle from its upper left corner."""
        left, top = self._at(x, y)
        right, bottom = self._at(x + width, y + height)
        self._pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), value)

    def mask(self, opacity: float = 1.0) -> Image.Image:
        """Return what was drawn, averaged down."""
        return self._sheet.reduce(_FINER).point([round(at * opacity) for at in range(256)])

    def fill(self, colour: Colour, opacity: float = 1.0) -> None:
        self._canvas.lay(colour, self.mask(opacity), self.top)

    def fill_hazy(self, colour: Colour, depth: float) -> Image.Image:
        """Fill with a colour that thins into haze towards the foot; return the mask."""
        mask = self.mask()
        haze = colour.toward(self._canvas.palette.horizon, 0.50 * (1 - depth) ** 0.6)
        self._canvas.lay(ramp(mask.size, [(0.25, colour), (0.8, haze)]), mask, self.top)
        return mask

    def _at(self, x: float, y: float) -> Point:
        return x * _FINER, (y - self.top) * _FINER


def ramp(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Return a picture that runs from colour to colour downwards; the stops are 0..1, ascending."""
    rows = max(2, min(size[1], 160))
    column = Image.new('RGB', (1, rows))
    for row in range(rows):
        at = min(max(row / (rows - 1), stops[0][0]), stops[-1][0])
        place = next(place for place in range(1, len(stops)) if at <= stops[place][0])
        (start, before), (end, after) = stops[place - 1 : place + 1]
        column.putpixel((0, row), before.toward(after, (at - start) / (end - start)).rgb)
    return column.resize(size, Image.Resampling.BICUBIC)


def veil(size: tuple[int, int], opacity: Callable[[float], float]) -> Image.Image:
    """Return a mask whose opacity (0..1) is a function of the share of the way down."""
    rows = max(2, min(size[1], 256))
    levels = [min(255, max(0, round(255 * opacity(row / (rows - 1))))) for row in range(rows)]
    return Image.frombytes('L', (1, rows), bytes(levels)).resize(size, Image.Resampling.BICUBIC)


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
    shares = [min(1.0, max(0.0, (value - low) / (high - low))) for value in range(256)]
    return field.point([round(255 * at * at * (3 - 2 * at)) for at in shares])


def relief(field: Image.Image, step: tuple[int, int]) -> Image.Image:
    """Return grey noise lit from one side: 128 is flat, brighter faces the light."""
    lit = ImageChops.subtract(field, ImageChops.offset(field, *step), 0.35, 128)
    rim = max(abs(step[0]), abs(step[1]))  # what was moved round the edge
    return lit.crop((rim, rim, field.width - rim, field.height - rim)).resize(field.size)


def profile(rng: Random, count: int, cells: float, sharp: float) -> list[float]:
    """Return a skyline of `count` heights within 0..1; `sharp` 0 rolls, 1 has peaks."""
    heights = [0.0] * count
    weight = 1.0
    while weight > 0.012 and cells < count / 2:
        lattice = [rng.random() for _ in range(math.ceil(cells) + 2)]
        start = rng.random()
        for index in range(count):
            part, cell = math.modf(start + index / count * cells)
            part += (part * part * (3 - 2 * part) - part) * (1 - sharp)
            before, after = lattice[int(cell) : int(cell) + 2]
            level = before + (after - before) * part
            if sharp > 0.9 and weight > 0.4:
                level = 1 - abs(2 * level - 1) ** 0.85
            heights[index] += weight * level
        cells, weight = cells * 2.03, weight * (0.36 + 0.12 * sharp)
    low, high = min(heights), max(heights)
    return [(height - low) / max(1e-6, high - low) for height in heights]
