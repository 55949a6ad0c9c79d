"""Shapes that stand on the land: conifers, bushes, towers, birds, the lighthouse."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Point, Stencil, glow, profile
from app.demo.painter.palette import Colour
from app.demo.painter.sky import Stage


def conifer(stencil: Stencil, foot: Point, tall: float, rng: Random) -> None:
    """Draw a fir: tiers of drooping branches, a little uneven."""
    x, y = foot
    half, lean = tall * rng.uniform(0.15, 0.21), rng.uniform(-0.02, 0.02) * tall
    tiers = max(3, min(9, round(tall / 9)))
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        at = (tier + 1) / tiers
        level = y - tall * 0.94 * (1 - at)
        centre = x + lean * (1 - at)
        for side, edge in ((-1, left), (1, right)):
            reach = half * (0.12 + 0.88 * at) * rng.uniform(0.8, 1.1)
            edge.append((centre + side * reach, level + tall * 0.012))
            edge.append((centre + side * reach * 0.55, level - tall * 0.01))
    stencil.polygon([(x + lean, y - tall), *right, *left[::-1]])
    stencil.block(x - tall * 0.014, y - tall * 0.02, tall * 0.028, tall * 0.06)


def bush(stencil: Stencil, foot: Point, size: float, rng: Random) -> None:
    """Draw a small round tree seen from afar."""
    x, y = foot
    for _ in range(4):
        lump = size * rng.uniform(0.45, 0.8)
        stencil.ellipse(
            x + rng.uniform(-0.6, 0.6) * size, y - size * rng.uniform(0.3, 1.1), lump, lump * 0.9
        )


def tower_block(
    stencils: tuple[Stencil, Stencil | None],
    corner: Point,
    size: tuple[float, float],
    rng: Random,
    pitch: float,
) -> None:
    """Draw a building and, where there is a stencil for them, windows that are `pitch` apart."""
    unit = pitch * 110
    body, panes = stencils
    (x, y), (width, height) = corner, size
    body.block(x, y, width, height)
    roof = rng.randrange(4)
    if roof == 0:
        body.line([(x + width / 2, y), (x + width / 2, y - unit * rng.uniform(0.02, 0.06))], 1.2)
    elif roof == 1:
        body.block(x + width * 0.2, y - unit * 0.015, width * 0.6, unit * 0.02)
    elif roof == 2:
        ridge = x + width * rng.choice((0.5, 1))
        body.polygon([(x, y + 1), (x + width, y + 1), (ridge, y - unit * 0.04)])
    if panes is not None:
        _windows(panes, (x, y), (width, height), rng, max(2.4, pitch))


def _windows(
    panes: Stencil, corner: Point, size: tuple[float, float], rng: Random, pitch: float
) -> None:
    across = max(1, int(size[0] * 0.8 / pitch))
    down = max(1, int((size[1] - pitch) / (pitch * 1.35)))
    left = corner[0] + (size[0] - across * pitch) / 2
    busy = rng.uniform(0.15, 0.6)
    for row in range(min(down, 70)):
        for column in range(across):
            if rng.random() < busy:
                x, y = left + column * pitch, corner[1] + pitch + row * pitch * 1.35
                panes.block(x + pitch * 0.2, y, pitch * 0.55, pitch * 0.75, rng.randint(90, 255))


def paint_birds(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint a flock whose birds are two curved wings each."""
    flock_x, flock_y = rng.uniform(0.2, 0.8) * picture.width, rng.uniform(0.22, 0.6) * stage.horizon
    stencil = Stencil(picture, 0, stage.horizon)
    for _ in range(rng.randint(3, 9)):
        x, y = rng.gauss(flock_x, 0.09 * stage.unit), rng.gauss(flock_y, 0.04 * stage.unit)
        span = stage.unit * rng.uniform(0.014, 0.03)
        lift = span * rng.uniform(0.18, 0.38)
        for side in (-0.5, 0.5):
            wing = [(x + side * span * at / 8, y - lift * math.sin(at * 0.29)) for at in range(9)]
            stencil.line(wing, max(0.7, span * 0.055))
    stencil.fill(stage.palette.near, 0.75)


def paint_lighthouse(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint a banded tower on a rock at the edge of the water, its lamp lit in the dark."""
    unit, side = stage.unit, rng.choice((0.24, 0.76))
    x, foot = picture.width * side, stage.horizon + 1
    rock: list[Point] = []
    for step, level in enumerate(profile(rng, 61, 9, 0.95)):
        at = step / 60 * 2 - 1
        bulk = (1 - abs(at) ** 1.6) * (0.055 + 0.035 * level)
        rock.append((x + at * unit * 0.30, foot - unit * bulk))
    stencil = Stencil(picture, foot - unit * 0.1, foot)
    stencil.polygon(rock)
    tall, half = unit * 0.33, unit * 0.031
    base = foot - unit * 0.06
    lamp = (x, base - tall * 1.045)
    if stage.scene.dark:
        _beam(picture, lamp, stage, 1 if side < 0.5 else -1)
    _tower(picture, stage, (x, base), tall, half)
    stencil.fill(stage.tone(0.93))
    if stage.scene.dark:
        glow(picture, lamp, unit * 0.13, stage.palette.lamp, 1.0)
        glow(picture, lamp, unit * 0.03, Colour(0.98, 0.03, 95), 1.0)


def _tower(picture: Image.Image, stage: Stage, foot: Point, tall: float, half: float) -> None:
    x, base = foot
    top = base - tall
    body = Stencil(picture, top - tall * 0.2, base + 2)
    body.polygon(
        [(x - half, base), (x - half * 0.66, top), (x + half * 0.66, top), (x + half, base)]
    )
    mask = body.mask()
    wall = stage.palette.snow.toward(stage.palette.horizon, 0.2)
    wall = wall.lighter(-0.02) if not stage.scene.dark else wall.toward(stage.palette.near, 0.18)
    picture.paste(wall.rgb, body.box, mask)
    bands = Stencil(picture, body.box[1], body.box[3])
    for band in range(3):
        bands.block(x - half * 2, base - tall * (0.28 + 0.28 * band), half * 4, tall * 0.13)
    red = stage.palette.accent.toward(stage.palette.near, 0.15)
    picture.paste(red.rgb, body.box, ImageChops.multiply(bands.mask(), mask))
    shade = Stencil(picture, body.box[1], body.box[3])
    away = 1 if x > stage.sun[0] else -1
    shade.polygon([(x, base), (x, top), (x + away * half, top), (x + away * half, base)])
    picture.paste(stage.palette.near.rgb, body.box, ImageChops.multiply(shade.mask(0.34), mask))
    head = Stencil(picture, body.box[1], body.box[3])
    head.block(x - half * 0.95, top - tall * 0.012, half * 1.9, tall * 0.026)
    head.polygon(
        [
            (x - half * 0.62, top - tall * 0.085),
            (x, top - tall * 0.16),
            (x + half * 0.62, top - tall * 0.085),
        ]
    )
    for post in (-0.5, 0.0, 0.5):
        head.line([(x + half * post, top), (x + half * post, top - tall * 0.09)], half * 0.09)
    lamp = Stencil(picture, body.box[1], body.box[3])
    lamp.block(x - half * 0.5, top - tall * 0.088, half, tall * 0.082)
    lamp.fill(stage.palette.lamp if stage.scene.dark else stage.palette.cloud)
    head.fill(stage.tone(0.95))


def _beam(picture: Image.Image, lamp: Point, stage: Stage, way: int) -> None:
    """Paint a cone of light that fades as it leaves the lamp."""
    x, y = lamp
    reach = stage.unit * 0.8
    cone = Stencil(picture, y - reach * 0.3, y + reach * 0.3)
    for step in range(16):
        spread = reach * 0.085 * (1 - step / 16)
        end = y - reach * 0.05
        cone.polygon(
            [(x, y), (x + way * reach, end - spread), (x + way * reach, end + spread)],
            16 + step * 15,
        )
    fall = Image.new('L', (64, 1))
    for step in range(64):
        fall.putpixel((step if way > 0 else 63 - step, 0), round(255 * (1 - step / 63) ** 1.6))
    whole = Image.new('L', picture.size)
    left = round(x if way > 0 else x - reach)
    long = fall.resize((max(1, round(reach)), picture.height), Image.Resampling.BICUBIC)
    whole.paste(long, (left, 0))
    mask = ImageChops.multiply(cone.mask(0.62), whole.crop(cone.box))
    picture.paste(stage.palette.lamp.rgb, cone.box, mask)
