"""Which layers a scene has: mountains, woods, dunes, a city, or only capes in the sea."""

import math
from random import Random

from PIL import Image, ImageChops

from app.providers.demo.brush import Stencil, fade, profile, ramp
from app.providers.demo.growth import tower_block
from app.providers.demo.land import (
    Line,
    body_of,
    fill_hazy,
    ground_layer,
    range_layer,
    skyline,
    slope_from,
    tone,
)
from app.providers.demo.sky import Stage
from app.providers.demo.words import Ground

_FAR_LAYERS = {Ground.MOUNTAINS: 3, Ground.CITY: 0}
_NEAR_LAYERS = {Ground.MOUNTAINS: 3, Ground.FOREST: 4, Ground.CITY: 5}


def paint_far_land(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paints the ranges along the horizon, or the capes of an open sea."""
    if stage.scene.ground is Ground.SEA:
        _capes(picture, stage, rng)
        return
    far, count = _layers(stage)
    for index in range(far):
        depth = (index / (count - 1)) ** 1.1
        range_layer(picture, stage, rng, _base(picture, stage, depth), depth)


def paint_near_land(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paints what rises between the far ranges and the viewer."""
    ground = stage.scene.ground
    if ground is Ground.SEA:
        return
    far, count = _layers(stage)
    for index in range(far, count):
        depth = (index / (count - 1)) ** 1.1
        base = _base(picture, stage, depth)
        if ground is Ground.CITY:
            _row_of_buildings(picture, stage, rng, base, depth)
        elif ground is Ground.DESERT:
            _dune(picture, stage, rng, base, depth)
        else:
            ground_layer(picture, stage, rng, base, depth)


def _layers(stage: Stage) -> tuple[int, int]:
    """How many layers are far, and how many there are."""
    far = _FAR_LAYERS.get(stage.scene.ground, 2)
    return far, far + _NEAR_LAYERS.get(stage.scene.ground, 4)


def _base(picture: Image.Image, stage: Stage, depth: float) -> float:
    """How low a layer stands; before water all stand on the horizon."""
    if stage.scene.water:
        return stage.horizon
    return stage.horizon + (picture.height - stage.horizon) * 0.86 * depth**1.55


def _dune(picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float) -> None:
    """A dune: a lit slope, and below its crest a crescent in shadow."""
    rise = stage.unit * rng.uniform(0.12, 0.22)
    cells = picture.width / stage.unit * rng.uniform(1.1, 1.9)
    line = skyline(picture, rng, base, rise, (cells, 0.0))
    low = float(picture.height) if not stage.scene.water else stage.horizon
    line = [(x, min(y, low)) for x, y in line]
    body = body_of(picture, line, low)
    mask = body.mask()
    sand = tone(stage, depth)
    fill_hazy(picture, stage, (body, mask), sand, depth)
    lit = ramp(mask.size, [(0, sand.toward(stage.palette.light, 0.45)), (0.7, sand), (1, sand)])
    picture.paste(lit, body.box, fade(mask, 0.85))
    shadows = Stencil(picture, body.box[1], body.box[3])
    reach = max(4, len(line) // 12)
    for index in range(1, len(line) - 1):
        near = line[max(0, index - reach) : index + reach + 1]
        if line[index][1] <= min(y for _, y in near):
            _crescent(shadows, stage, line, index)
    dark = ImageChops.multiply(shadows.mask(0.62), mask)
    picture.paste(sand.toward(stage.palette.top, 0.30).lighter(-0.10).rgb, body.box, dark)


def _crescent(stencil: Stencil, stage: Stage, line: Line, index: int) -> None:
    """The side of a dune that the sun does not reach, below its crest."""
    x, y = line[index]
    away = 1 if x > stage.sun[0] else -1
    ridge = slope_from(line, index, away, stage.unit * 0.003)
    if len(ridge) < 4:
        return
    end_x, end_y = ridge[-1]
    width = abs(end_x - x)
    curve = []
    for step in range(31):
        at = step / 30
        sag = math.sin(math.pi * at**0.75) * min(width * 0.34, stage.unit * 0.16)
        curve.append((x + (end_x - x) * at**1.5, y + (end_y - y) * at + sag))
    stencil.polygon([*ridge, *curve[::-1]])


def _capes(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Low capes on the horizon of an open sea, each from one side."""
    for index in range(rng.choice((1, 2, 3))):
        left = rng.random() < 0.5
        reach = rng.uniform(0.3, 0.75)
        tall = stage.unit * rng.uniform(0.05, 0.12)
        line: Line = []
        for x, level in skyline(picture, rng, 0, 1, (3.5 * picture.width / stage.unit, 0.7)):
            at = x / picture.width if left else 1 - x / picture.width
            taper = max(0.0, 1 - at / reach) ** 0.7
            line.append((x, stage.horizon + (level * tall - tall * 0.35) * taper))
        body = body_of(picture, line, stage.horizon)
        depth = 0.12 + 0.2 * index
        fill_hazy(picture, stage, (body, body.mask()), tone(stage, depth), depth)


def _row_of_buildings(
    picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float
) -> None:
    """A row of buildings; the nearer they are, the better their windows can be told apart."""
    unit, water = stage.unit, stage.scene.water
    low = stage.horizon if water else float(picture.height)
    tall = unit * (0.36 - (0.16 if water else 0.02) * depth)
    bulk = profile(rng, 64, 3.2, 0.6)
    stencil = Stencil(picture, base - tall * 1.6, low)
    windows = Stencil(picture, base - tall * 1.6, low)
    x = -unit * 0.02
    while x < picture.width:
        width = unit * rng.uniform(0.034, 0.078) * (0.75 + (0.4 if water else 1.3) * depth)
        height = tall * (0.25 + 0.8 * bulk[min(63, max(0, round(x / picture.width * 63)))])
        height *= rng.uniform(0.6, 1.15)
        panes = windows if depth > 0.15 else None
        pitch = unit * (0.0075 + (0.0 if water else 0.006) * depth)
        tower_block((stencil, panes), (x, base - height), (width, low - base + height), rng, pitch)
        x += width * rng.uniform(0.82, 1.2)
    mask = stencil.mask()
    fill_hazy(picture, stage, (stencil, mask), tone(stage, depth), depth * 0.9)
    dark = stage.scene.dark
    lamp = stage.palette.lamp if dark else stage.palette.light
    share = (0.95 if dark else 0.25) * (0.30 + 0.70 * depth)
    picture.paste(lamp.rgb, stencil.box, ImageChops.multiply(windows.mask(share), mask))
