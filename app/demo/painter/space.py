"""A view away from the ground: stars, clouds of gas and a lit planet."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Point, Stencil, glow, noise, threshold
from app.demo.painter.palette import Colour
from app.demo.painter.sky import Stage

_GASES = ((285.0, 330.0, 25.0), (262.0, 300.0, 350.0), (225.0, 195.0, 290.0), (300.0, 20.0, 60.0))


def paint_space(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paints the whole picture, which has no horizon."""
    hues = rng.choice(_GASES)
    if stage.scene.world_hues:
        named = stage.scene.world_hues[0]
        hues = (named - 30, named, named + 30)
    size = picture.size
    picture.paste(Colour(0.125, 0.045, hues[0]).rgb, (0, 0, *size))
    _gas(picture, rng, hues)
    _stars(picture, stage, rng)
    _planet(picture, stage, rng, hues)


def _gas(picture: Image.Image, rng: Random, hues: tuple[float, ...]) -> None:
    """Three clouds along one tilted band, the brightest the narrowest."""
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


def _stars(picture: Image.Image, stage: Stage, rng: Random) -> None:
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


def _planet(picture: Image.Image, stage: Stage, rng: Random, hues: tuple[float, ...]) -> None:
    """A ball with bands, a night side, a rim of air and perhaps a ring."""
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
    if rng.random() < 0.6:
        _ring(picture, (x, y), radius, Colour(0.88, 0.06, hue + 30))


def _night_side(side: int) -> Image.Image:
    """How dark each point of a ball is that is lit from the upper left."""
    grid = 64
    dark = Image.new('L', (grid, grid))
    for row in range(grid):
        for column in range(grid):
            x, y = column / (grid - 1) * 2 - 1, row / (grid - 1) * 2 - 1
            z = math.sqrt(max(0.0, 1 - x * x - y * y))
            lit = min(1.0, max(0.0, -0.62 * x - 0.5 * y + 0.60 * z + 0.06))
            dark.putpixel((column, row), round(245 * (1 - lit**0.75)))
    return dark.resize((side, side), Image.Resampling.BICUBIC)


def _ring(picture: Image.Image, centre: Point, radius: float, colour: Colour) -> None:
    """Thin tilted rings that pass behind the upper half of the ball."""
    x, y = centre
    for width, opacity in ((2.05, 0.45), (1.93, 0.7), (1.80, 0.35), (1.68, 0.6), (1.58, 0.3)):
        stencil = Stencil(picture, y - radius * 1.2, y + radius * 1.2)
        run: list[Point] = []
        for step in range(361):
            turn = math.radians(step)
            across, down = math.cos(turn) * radius * width, math.sin(turn) * radius * width * 0.2
            point = (x + across, y + down - across * 0.28)
            behind = step >= 180 and math.hypot(point[0] - x, point[1] - y) < radius
            if not behind:
                run.append(point)
            if run and (behind or step == 360):
                if len(run) > 1:
                    stencil.line(run, radius * 0.05)
                run = []
        stencil.fill(colour, opacity)
