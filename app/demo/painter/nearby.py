"""What stands before the land and the water: boat, house, tree, cat, flowers."""

import math
from random import Random

from PIL import Image

from app.demo.painter.brush import Point, Stencil, glow, profile, ramp
from app.demo.painter.growth import broadleaf, cat, flower
from app.demo.painter.land import Line, tone
from app.demo.painter.palette import Colour
from app.demo.painter.prompt import Thing
from app.demo.painter.sky import Stage


def paint_nearby(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Adds what stands before the land and the water."""
    things = stage.scene.things
    if Thing.BOAT in things:
        _boat(picture, stage, rng)
    if Thing.HOUSE in things:
        _house(picture, stage, rng)
    if Thing.TREE in things:
        _tree(picture, stage, rng)
    if Thing.CAT in things:
        _cat(picture, stage, rng)
    if Thing.FLOWERS in things:
        _flowers(picture, stage, rng)


def _knoll(picture: Image.Image, stage: Stage, rng: Random, at: float, rise: float) -> Point:
    """A dark rise of ground at one's feet, with its top at a share of the width."""
    unit, low = stage.unit, float(picture.height)
    heights = profile(rng, 81, 5, 0.5)
    top = low - unit * rise
    points: Line = []
    for step, level in enumerate(heights):
        x = step / 80 * picture.width
        away = (x - at * picture.width) / unit
        points.append((x, low - unit * (rise * math.exp(-((away / 0.42) ** 2)) + 0.012 * level)))
    stencil = Stencil(picture, top - unit * 0.05, low)
    stencil.polygon([*points, (picture.width, low), (0, low)])
    for _ in range(round(260 * picture.width / unit)):
        x, y = points[rng.randrange(len(points))]
        x += rng.uniform(-1, 1) * picture.width / 80
        tall = unit * rng.uniform(0.006, 0.022)
        lean = rng.uniform(-0.5, 0.5) * tall
        stencil.line([(x, y + unit * 0.01), (x + lean, y - tall)], max(0.6, unit * 0.0011))
    soil = tone(stage, 1.0).lighter(-0.03)
    if Thing.WINTER in stage.scene.things:
        soil = soil.toward(stage.palette.snow, 0.8)
    stencil.fill(soil)
    return at * picture.width, top


def _cat(picture: Image.Image, stage: Stage, rng: Random) -> None:
    side = 0.3 if stage.sun[0] > picture.width / 2 else 0.68
    x, y = _knoll(picture, stage, rng, side, 0.15)
    tall = stage.unit * 0.23
    stencil = Stencil(picture, y - tall * 1.2, y + tall * 0.3)
    cat(stencil, (x, y + tall * 0.05), tall)
    stencil.fill(tone(stage, 1.0).lighter(-0.035))


def _tree(picture: Image.Image, stage: Stage, rng: Random) -> None:
    side = rng.choice((0.24, 0.76))
    x, y = _knoll(picture, stage, rng, side, 0.10)
    tall = stage.unit * rng.uniform(0.36, 0.46)
    stencil = Stencil(picture, y - tall * 1.1, y + tall * 0.1)
    broadleaf(stencil, (x, y + tall * 0.02), tall, rng)
    colour = tone(stage, 1.0)
    if Thing.AUTUMN in stage.scene.things:
        colour = colour.toward(Colour(0.55, 0.15, 45), 0.6)
    stencil.fill(colour)


def _boat(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """A small sail on the water, with its reflection."""
    unit = stage.unit
    depth = picture.height - stage.horizon
    x = picture.width * rng.choice((0.3, 0.66)) + rng.uniform(-0.06, 0.06) * picture.width
    y = stage.horizon + depth * rng.uniform(0.2, 0.34)
    tall = unit * rng.uniform(0.17, 0.22)
    sail = stage.palette.accent if stage.scene.accent_hues else stage.palette.snow
    sail = sail.toward(stage.palette.horizon, 0.15)
    hull = tone(stage, 0.9)
    for way, opacity in ((-0.8, 0.38), (1.0, 1.0)):
        top, bottom = y - tall * 1.2, y + tall * 1.1
        sails, body = Stencil(picture, top, bottom), Stencil(picture, top, bottom)
        sails.polygon(
            [
                *_bent((x, y - tall * way), (x + tall * 0.46, y - tall * 0.14 * way), 0.1 * tall),
                (x + tall * 0.02, y - tall * 0.14 * way),
            ]
        )
        sails.polygon(
            [
                (x - tall * 0.03, y - tall * 0.9 * way),
                (x - tall * 0.03, y - tall * 0.15 * way),
                (x - tall * 0.30, y - tall * 0.15 * way),
            ],
            205,
        )
        body.polygon(
            [
                (x - tall * 0.40, y - tall * 0.10 * way),
                (x + tall * 0.46, y - tall * 0.10 * way),
                (x + tall * 0.34, y + tall * 0.03 * way),
                (x - tall * 0.28, y + tall * 0.03 * way),
            ]
        )
        body.line([(x, y), (x, y - tall * 1.04 * way)], max(0.8, tall * 0.014))
        sails.fill(sail, opacity)
        body.fill(hull, opacity)


def _bent(start: Point, end: Point, bulge: float) -> list[Point]:
    """Points on a bow between two ends."""
    (x1, y1), (x2, y2) = start, end
    return [
        (x1 + (x2 - x1) * t / 12 + bulge * math.sin(math.pi * t / 12), y1 + (y2 - y1) * t / 12)
        for t in range(13)
    ]


def _house(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """A cabin on a near rise with lit windows, its gable to the viewer."""
    x, y = _knoll(picture, stage, rng, rng.choice((0.3, 0.64)), 0.11)
    size = stage.unit * 0.14
    base, eave, ridge = y + size * 0.12, y - size * 0.38, y - size * 0.92
    left, right, far = x - size * 0.42, x + size * 0.42, size * 0.85
    colour = stage.palette.accent if stage.scene.accent_hues else tone(stage, 0.72)
    wall = Stencil(picture, ridge - size * 0.4, base + 2)
    wall.polygon([(left, base), (left, eave), (x, ridge), (right, eave), (right, base)])
    wall.fill(colour.toward(stage.palette.near, 0.25))
    flank = Stencil(picture, ridge - size * 0.4, base + 2)
    flank.block(right, eave, far, base - eave)
    flank.fill(colour.toward(stage.palette.near, 0.55))
    roof = Stencil(picture, ridge - size * 0.4, base + 2)
    roof.block(x + far * 0.55, ridge - size * 0.22, size * 0.14, size * 0.4)
    slab = [(x, ridge), (x + far, ridge), (right + far + size * 0.08, eave + size * 0.1)]
    roof.polygon([*slab, (right + size * 0.06, eave + size * 0.1)])
    gable = [
        (left - size * 0.08, eave + size * 0.1),
        (x, ridge),
        (right + size * 0.08, eave + size * 0.1),
    ]
    roof.line(gable, size * 0.075)
    cold = Thing.WINTER in stage.scene.things
    roof.fill(stage.palette.snow if cold else tone(stage, 1.0).lighter(-0.02))
    panes = Stencil(picture, ridge - size * 0.4, base + 2)
    for at in (x - size * 0.25, x + size * 0.07, right + far * 0.2, right + far * 0.58):
        panes.block(at, eave + size * 0.16, size * 0.18, size * 0.18)
    panes.fill(stage.palette.lamp)
    glow(picture, (x + size * 0.3, base - size * 0.25), size * 1.5, stage.palette.lamp, 0.5)


def _meadow(picture: Image.Image, stage: Stage, rng: Random, top: float) -> None:
    """The grass that the flowers stand in."""
    unit, low = stage.unit, float(picture.height)
    grass = Colour(0.46, 0.10, 138).toward(tone(stage, 0.8), 0.5)
    stencil = Stencil(picture, top - unit * 0.09, low)
    edge = [
        (at / 80 * picture.width, top - unit * 0.05 * level)
        for at, level in enumerate(profile(rng, 81, 2.5, 0.1))
    ]
    stencil.polygon([*edge, (picture.width, low), (0, low)])
    for x, y in edge:
        for _ in range(6):
            blade = x + rng.uniform(-0.5, 0.5) * picture.width / 80
            tall = unit * rng.uniform(0.006, 0.02)
            stencil.line([(blade, y + tall), (blade + tall * 0.3, y - tall)], unit * 0.0012)
    mask = stencil.mask()
    far = grass.toward(stage.palette.horizon, 0.25)
    picture.paste(
        ramp(mask.size, [(0, far), (0.4, grass), (1, grass.lighter(-0.17))]), stencil.box, mask
    )


def _flowers(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """A field of flowers that grow larger towards the viewer."""
    unit, low = stage.unit, float(picture.height)
    first = low - unit * 0.30
    _meadow(picture, stage, rng, first)
    for row in range(7):
        near = (row + 1) / 7
        base = first + (low + unit * 0.06 - first) * near**1.3
        tall = unit * (0.035 + 0.16 * near**1.7)
        stencils = (
            Stencil(picture, base - tall * 1.4, base + 2),
            Stencil(picture, base - tall * 1.4, base + 2),
            Stencil(picture, base - tall * 1.4, base + 2),
        )
        for _ in range(round(picture.width / tall * (2.6 - near))):
            foot = (rng.uniform(0, picture.width), base + rng.uniform(-0.2, 0.1) * tall)
            flower(stencils, foot, tall * rng.uniform(0.6, 1.1), rng)
        leaf = Colour(0.46, 0.11, 138).toward(tone(stage, near), 0.35)
        stencils[0].fill(leaf)
        stencils[1].fill(
            stage.palette.accent.lighter(0.04 * near).toward(
                stage.palette.middle, 0.25 * (1 - near)
            )
        )
        stencils[2].fill(Colour(0.42, 0.09, 70))
