"""Which layers a scene has: mountains, woods, dunes, a city, or only capes in the sea."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Point, Stencil, fade, profile, ramp
from app.demo.painter.growth import tower_block
from app.demo.painter.land import (
    Line,
    body_of,
    fill_hazy,
    ground_layer,
    range_layer,
    skyline,
    tone,
)
from app.demo.painter.prompt import Ground
from app.demo.painter.sky import Stage

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
    return stage.horizon + (picture.height - stage.horizon) * 0.86 * math.pow(depth, 1.55)


def _dune(picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float) -> None:
    """A dune: a lit slope, and below its crest a crescent in shadow."""
    unit, wide = stage.unit, picture.width
    low = float(picture.height) if not stage.scene.water else stage.horizon
    away = 1 if stage.sun[0] < wide / 2 else -1
    crest, rise = rng.uniform(0.15, 0.85) * wide, unit * rng.uniform(0.13, 0.22)
    reach = unit * rng.uniform(0.42, 0.7)
    roll = profile(rng, 241, 1.6 * wide / unit, 0.0)
    line: Line = []
    for step in range(241):
        x = step / 240 * wide
        side = (x - crest) * away / reach
        hump = math.exp(-(abs(side) ** 1.25) * (1.5 if side > 0 else 1.0))
        line.append((x, min(low, base - rise * hump - unit * 0.045 * roll[step] * (1 - hump))))
    body = body_of(picture, line, low)
    mask = body.mask()
    sand = tone(stage, depth)
    fill_hazy(picture, stage, (body, mask), sand, depth)
    lit = ramp(mask.size, [(0, sand.toward(stage.palette.light, 0.45)), (0.7, sand), (1, sand)])
    picture.paste(lit, body.box, fade(mask, 0.85))
    shadow = Stencil(picture, body.box[1], body.box[3])
    top = min(range(241), key=lambda step: line[step][1])
    end = min(240, max(0, top + away * round(1.35 * reach / wide * 240)))
    ridge = line[top : end + 1] if away > 0 else line[end : top + 1][::-1]
    shadow.polygon([*ridge, *_lee_edge(ridge[0], ridge[-1], rise)])
    dark = ImageChops.multiply(shadow.mask(0.66), mask)
    picture.paste(sand.toward(stage.palette.top, 0.30).lighter(-0.10).rgb, body.box, dark)


def _lee_edge(crest: Point, end: Point, rise: float) -> Line:
    """The lower edge of a dune's shadow, from its far end back to the crest, in one long curve."""
    edge = []
    for step in range(41):
        at = 1 - step / 40
        sag = math.sin(math.pi * at**0.8) * rise * 0.75
        bend = math.sin(math.pi * at) * 0.22
        x = crest[0] + (end[0] - crest[0]) * max(0.0, at - bend * (1 - at))
        edge.append((x, crest[1] + (end[1] - crest[1]) * at + sag))
    return edge


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
