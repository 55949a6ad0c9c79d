"""The upper half of a sketch: gradient, sun or moon, stars, clouds, aurora."""

import math
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Point, Stencil, glow, noise, ramp, relief, threshold, veil
from app.demo.painter.palette import Colour, Palette, lab_to_srgb, mix_lab
from app.demo.painter.prompt import Scene, Thing, Time, Weather

_GASES = ((285.0, 330.0, 25.0), (262.0, 300.0, 350.0), (225.0, 195.0, 290.0), (300.0, 20.0, 60.0))
_GRID = 56  # the sky is computed on this many points each way and then enlarged smoothly


@dataclass(frozen=True, slots=True)
class Stage:
    """The scene, its colours and its measures; lengths are pixels."""

    scene: Scene
    palette: Palette
    horizon: float
    sun: Point
    sun_radius: float
    unit: float

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


def paint_sky(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint everything that is behind the land."""
    picture.paste(_gradient(picture.size, stage), (0, 0))
    scene = stage.scene
    if scene.dark and scene.weather in {Weather.CLEAR, Weather.CLOUDS}:
        _stars(picture, stage, rng)
    if Thing.AURORA in scene.things:
        _aurora(picture, rng, stage)
    if scene.weather is not Weather.CLEAR:
        _clouds(picture, stage, rng, behind=True)
    if scene.weather not in {Weather.RAIN, Weather.SNOW}:
        _sun(picture, stage, rng)
    if scene.weather is Weather.CLEAR and rng.random() < 0.7:
        _streaks(picture, stage, rng)
    elif scene.weather is not Weather.CLEAR:
        _clouds(picture, stage, rng, behind=False)


def _gradient(size: tuple[int, int], stage: Stage) -> Image.Image:
    """Return the open sky, warmer around the sun."""
    palette, reach = stage.palette, stage.unit * (0.85 if not stage.scene.dark else 0.6)
    share = 0.75 if stage.scene.time in {Time.SUNSET, Time.DAWN} else 0.45
    warm = palette.light.toward(palette.horizon, 0.35).lab
    stops = (palette.top.lab, palette.middle.lab, palette.horizon.lab)
    bands = [Image.new('F', (_GRID, _GRID)) for _ in range(3)]
    for row in range(_GRID):
        y = row / (_GRID - 1) * size[1]
        at = min(1.0, y / stage.horizon) ** 1.15
        base = (
            mix_lab(stops[0], stops[1], at / 0.58)
            if at < 0.58
            else mix_lab(stops[1], stops[2], (at - 0.58) / 0.42)
        )
        for column in range(_GRID):
            x = column / (_GRID - 1) * size[0]
            away = math.hypot((x - stage.sun[0]) * 0.62, y - stage.sun[1]) / reach
            near = share * math.exp(-3.4 * away)
            for band, level in zip(bands, lab_to_srgb(mix_lab(base, warm, near)), strict=True):
                band.putpixel((column, row), level + 0.5)
    # Enlarged as floats and rounded last: rounded first, the grid would show as a weave.
    even = [band.resize(size, Image.Resampling.BICUBIC).convert('L') for band in bands]
    return Image.merge('RGB', even)


def _stars(picture: Image.Image, stage: Stage, rng: Random) -> None:
    night = stage.scene.time is Time.NIGHT
    depth = stage.horizon * (1.0 if night else 0.55)
    stencil = Stencil(picture, 0, depth)
    tilt = rng.uniform(-0.5, 0.5)
    for _ in range(round((420 if night else 110) * depth / stage.unit + 60)):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, depth) * rng.uniform(0.4, 1)
        if night and rng.random() < 0.45:
            along = (x / picture.width - 0.5) * tilt * depth
            y = depth * 0.38 + along + rng.gauss(0, 0.11) * depth
        size = stage.unit * 0.0007 * (1 + rng.random() ** 6 * 2.2)
        dim = 1 - (max(0.0, y) / depth) ** 2
        value = round((50 + 205 * rng.random() ** 2.5) * max(0.0, dim))
        stencil.ellipse(x, y, max(0.35, size), max(0.35, size), value)
    stencil.fill(Colour(0.97, 0.02, 90))


def _sun(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint the sun, or at night the moon, full or as a crescent, with the light around it."""
    night = stage.scene.time is Time.NIGHT
    hazy = stage.scene.weather is Weather.FOG
    colour, (x, y), radius = stage.palette.light, stage.sun, stage.sun_radius
    glow(picture, stage.sun, radius * 7.0, colour, 0.40)
    glow(picture, stage.sun, radius * 2.6, colour, 0.75)
    disc = Stencil(picture, y - radius - 2, y + radius + 2)
    disc.ellipse(x, y, radius, radius)
    mask = disc.mask(0.55 if hazy else 1.0)
    if night and rng.random() < 0.45:
        shade = Stencil(picture, y - radius - 2, y + radius + 2)
        shade.ellipse(x + radius * 0.46, y - radius * 0.2, radius * 0.92, radius * 0.92)
        mask = ImageChops.subtract(mask, shade.mask())
    picture.paste(colour.lighter(0.02).rgb, disc.box, mask)


def _streaks(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint long thin clouds low in a clear sky."""
    height = max(2, round(stage.horizon))
    field = noise(rng, (384, 256), (1.6, 9))
    mask = threshold(field, 138, 215)
    lowered = veil(mask.size, lambda at: 0.75 * math.exp(-(((at - 0.62) / 0.30) ** 2)))
    mask = ImageChops.multiply(mask, lowered).resize(
        (picture.width, height), Image.Resampling.BICUBIC
    )
    palette = stage.palette
    lit = ramp((picture.width, height), [(0, palette.middle.lighter(0.06)), (1, palette.light)])
    picture.paste(lit, (0, 0), mask)


def _clouds(picture: Image.Image, stage: Stage, rng: Random, *, behind: bool) -> None:
    """Paint heaped clouds; those behind the sun are larger and fainter."""
    palette, scene = stage.palette, stage.scene
    heavy = scene.weather in {Weather.RAIN, Weather.SNOW}
    height = max(2, round(stage.horizon * 1.02))
    field = noise(rng, (448, 300), (2.4, 3.6) if behind else (3.2, 6.5))
    low, high = (96, 190) if heavy else (122, 182)
    dense = (0.85 if heavy else 0.6) * (0.75 if scene.weather is Weather.FOG else 1.0)
    peak = 0.25 if heavy else 0.48
    spread = veil(field.size, lambda at: dense * math.exp(-(((at - peak) / 0.42) ** 2)))
    mask = ImageChops.multiply(threshold(field, low, high), spread)
    toward_sun = -4 if stage.sun[0] < picture.width / 2 else 4
    light = relief(field, (toward_sun, 7 if not scene.dark else -6))
    size = (picture.width, height)
    shade = palette.middle.toward(palette.top, 0.55).lighter(-0.05 if heavy else 0.0)
    bright = palette.cloud.lighter(-0.12) if heavy else palette.cloud
    lumps = Image.composite(
        Image.new('RGB', field.size, bright.rgb), Image.new('RGB', field.size, shade.rgb), light
    )
    picture.paste(
        lumps.resize(size, Image.Resampling.BICUBIC),
        (0, 0),
        mask.resize(size, Image.Resampling.BICUBIC),
    )


def _aurora(picture: Image.Image, rng: Random, stage: Stage) -> None:
    """Paint curtains of light: each is a wavy foot from which streaks rise and fade."""
    wide, high = 168, 96
    total = Image.new('L', (wide, high))
    for _ in range(3):
        foot, swing = rng.uniform(0.45, 0.85), rng.uniform(0.05, 0.14)
        turns, start = rng.uniform(4, 8), rng.uniform(0, 6.28)
        streaks = noise(rng, (wide, 2), (14, 2)).resize((wide, 1)).tobytes()
        curtain = Image.new('L', (wide, high))
        for x in range(wide):
            at = x / wide
            low = foot + swing * math.sin(turns * at + start) + 0.03 * math.sin(19 * at + start)
            bright = min(1.0, math.pow(streaks[x] / 255, 1.6) * 1.7)
            for y in range(high):
                above = low - y / high
                level = math.exp(-above / 0.19) if above > 0 else math.exp(above / 0.018)
                curtain.putpixel((x, y), round(185 * bright * level))
        total = ImageChops.add(total, curtain)
    size = (picture.width, max(2, round(stage.horizon)))
    colours = ramp(
        size,
        [
            (0, Colour(0.58, 0.18, 318)),
            (0.42, Colour(0.72, 0.15, 190)),
            (1, Colour(0.86, 0.20, 150)),
        ],
    )
    picture.paste(colours, (0, 0), total.resize(size, Image.Resampling.BICUBIC))


def paint_space(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint the whole picture, which has no horizon."""
    hues = rng.choice(_GASES)
    if stage.scene.world_hues:
        named = stage.scene.world_hues[0]
        hues = (named - 30, named, named + 30)
    size = picture.size
    picture.paste(Colour(0.125, 0.045, hues[0]).rgb, (0, 0, *size))
    _gas(picture, rng, hues)
    _space_stars(picture, stage, rng)
    _planet(picture, stage, rng, hues)


def _gas(picture: Image.Image, rng: Random, hues: tuple[float, ...]) -> None:
    """Paint three clouds along one tilted band, the brightest the narrowest."""
    tilt, centre = rng.uniform(-0.9, 0.9), rng.uniform(0.35, 0.65)
    for index, hue in enumerate(hues):
        gas = threshold(noise(rng, (420, 420), (2.6, 2.6)), 84 + 12 * index, 205)
        band = Image.new('L', (64, 64))
        narrow = 0.34 - 0.09 * index
        for y in range(64):
            for x in range(64):
                away = (y / 63 - centre - (x / 63 - 0.5) * tilt) / narrow
                band.putpixel((x, y), round(235 * math.exp(-(away**2))))
        band = band.resize(gas.size, Image.Resampling.BICUBIC)
        mask = ImageChops.multiply(gas, band).resize(picture.size, Image.Resampling.BICUBIC)
        picture.paste(Colour(0.40 + 0.18 * index, 0.15, hue).rgb, (0, 0), mask)


def _planet(picture: Image.Image, stage: Stage, rng: Random, hues: tuple[float, ...]) -> None:
    """Paint a ball with bands, a night side and a rim of air."""
    radius = stage.unit * rng.uniform(0.17, 0.26)
    x, y = picture.width * rng.uniform(0.3, 0.7), picture.height * rng.uniform(0.38, 0.58)
    side = max(8, round(radius * 2))
    hue = rng.choice((hues[2], hues[1] + 180, 55.0, 215.0))
    glow(picture, (x, y), radius * 1.7, Colour(0.72, 0.12, hue), 0.75)
    swirl = noise(rng, (256, 256), (1.1, rng.choice((3.0, 9.0))))
    bands = threshold(swirl, 70, 190).resize((side, side), Image.Resampling.BICUBIC)
    ball = Image.composite(
        Image.new('RGB', (side, side), Colour(0.90, 0.07, hue + 20).rgb),
        Image.new('RGB', (side, side), Colour(0.60, 0.135, hue).rgb),
        bands,
    )
    ball.paste(Colour(0.10, 0.04, hues[0]).rgb, (0, 0), _night_side(side))
    disc = Stencil(picture, y - radius, y + radius)
    disc.ellipse(x, y, radius - 0.5, radius - 0.5)
    whole = Image.new('RGB', picture.size)
    whole.paste(ball, (round(x - radius), round(y - radius)))
    picture.paste(whole.crop(disc.box), disc.box, disc.mask())


def _night_side(side: int) -> Image.Image:
    """Return how dark each point of a ball is that is lit from the upper left."""
    grid = 64
    dark = Image.new('L', (grid, grid))
    for row in range(grid):
        for column in range(grid):
            x, y = column / (grid - 1) * 2 - 1, row / (grid - 1) * 2 - 1
            z = math.sqrt(max(0.0, 1 - x * x - y * y))
            lit = min(1.0, max(0.0, -0.62 * x - 0.5 * y + 0.60 * z + 0.06))
            dark.putpixel((column, row), round(245 * (1 - lit**0.75)))
    return dark.resize((side, side), Image.Resampling.BICUBIC)


def _space_stars(picture: Image.Image, stage: Stage, rng: Random) -> None:
    width, height = picture.size
    stencil = Stencil(picture)
    for _ in range(round(900 * width * height / stage.unit**2)):
        radius = max(0.35, stage.unit * 0.0007 * (1 + rng.random() ** 8 * 3))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        stencil.ellipse(x, y, radius, radius, round(40 + 215 * rng.random() ** 3))
    stencil.fill(Colour(0.97, 0.02, 90))
    for _ in range(9):
        star = (rng.uniform(0, width), rng.uniform(0, height))
        glow(picture, star, stage.unit * rng.uniform(0.012, 0.035), Colour(0.97, 0.03, 240), 0.9)
