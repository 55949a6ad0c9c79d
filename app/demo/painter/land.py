"""The land of a sketch, painted from the far to the near: ranges, hills, woods, snow."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import (
    Point,
    Stencil,
    fade,
    noise,
    profile,
    ramp,
    relief,
    threshold,
    veil,
)
from app.demo.painter.palette import Colour
from app.demo.painter.prompt import Ground, Thing
from app.demo.painter.shapes import bush, conifer, tower_block
from app.demo.painter.sky import Stage

Line = list[Point]
_FAR_LAYERS = {Ground.MOUNTAINS: 3, Ground.CITY: 0}
_NEAR_LAYERS = {Ground.MOUNTAINS: 3, Ground.FOREST: 4, Ground.CITY: 5}


def paint_far_land(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint the ranges along the horizon, or the capes of an open sea."""
    if stage.scene.ground is Ground.SEA:
        _capes(picture, stage, rng)
        return
    far, count = _layers(stage)
    for index in range(far):
        depth = (index / (count - 1)) ** 1.1
        range_layer(picture, stage, rng, _base(picture, stage, depth), depth)


def paint_near_land(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint what rises between the far ranges and the viewer."""
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
    """Count the far layers, and all layers."""
    far = _FAR_LAYERS.get(stage.scene.ground, 2)
    return far, far + _NEAR_LAYERS.get(stage.scene.ground, 4)


def _base(picture: Image.Image, stage: Stage, depth: float) -> float:
    """Return the foot of a layer; before water all stand on the horizon."""
    if stage.scene.water:
        return stage.horizon
    return stage.horizon + (picture.height - stage.horizon) * 0.86 * math.pow(depth, 1.55)


def _capes(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint low capes on the horizon of an open sea, each from one side."""
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
        fill_hazy(picture, stage, body, stage.tone(depth), depth)


def _row_of_buildings(
    picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float
) -> None:
    """Paint a row of buildings; the nearer, the better their windows can be told apart."""
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
    mask = fill_hazy(picture, stage, stencil, stage.tone(depth), depth * 0.9)
    dark = stage.scene.dark
    lamp = stage.palette.lamp if dark else stage.palette.light
    share = (0.95 if dark else 0.25) * (0.30 + 0.70 * depth)
    picture.paste(lamp.rgb, stencil.box, ImageChops.multiply(windows.mask(share), mask))


def _dune(picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float) -> None:
    """Paint a dune with a winding crest; the side away from the sun lies in shadow."""
    unit, wide = stage.unit, picture.width
    low = stage.horizon if stage.scene.water else float(picture.height)
    away = 1 if stage.sun[0] < wide / 2 else -1
    crest, rise = rng.uniform(0.15, 0.85) * wide, unit * rng.uniform(0.13, 0.22)
    line = []
    for x, level in skyline(picture, rng, 0, 1, (1.6 * wide / unit, 0.0)):
        hump = math.exp(-1.3 * (abs(x - crest) / (0.55 * unit)) ** 1.25)
        line.append((x, min(low, base - rise * hump + unit * 0.045 * level * (1 - hump))))
    body = body_of(picture, line, low)
    mask, sand = body.mask(), stage.tone(depth)
    lit = [(0.0, sand.toward(stage.palette.light, 0.45)), (0.7, sand), (1.0, sand)]
    picture.paste(ramp(mask.size, lit), body.box, mask)
    top = min(y for _, y in line)
    spine = [
        (crest + away * unit * (0.10 * math.sin(at / 6) + at / 80), top + (low - top) * at / 20)
        for at in range(21)
    ]
    side = float(wide) if away > 0 else 0.0
    shadow = Stencil(picture, body.box[1], body.box[3])
    shadow.polygon([*spine, (side, low), (side, top)])
    dark = ImageChops.multiply(shadow.mask(0.55), mask)
    picture.paste(sand.toward(stage.palette.top, 0.30).lighter(-0.10).rgb, body.box, dark)


def skyline(
    picture: Image.Image, rng: Random, base: float, height: float, shape: tuple[float, float]
) -> Line:
    """Return a ridge line across the picture; `shape` is its number of lumps and its sharpness."""
    count = max(24, min(720, picture.width // 2))
    heights = profile(rng, count + 1, shape[0], shape[1])
    return [
        (index / count * picture.width, base - height * level)
        for index, level in enumerate(heights)
    ]


def body_of(picture: Image.Image, line: Line, low: float) -> Stencil:
    """Return a mask of everything from a skyline down to a level."""
    stencil = Stencil(picture, min(y for _, y in line) - 2, max(low, max(y for _, y in line)))
    stencil.polygon([*line, (picture.width, low), (0, low)])
    return stencil


def fill_hazy(
    picture: Image.Image, stage: Stage, stencil: Stencil, colour: Colour, depth: float
) -> Image.Image:
    """Fill a layer with a colour that thins into haze towards its foot; return its mask."""
    mask = stencil.mask()
    haze = colour.toward(stage.palette.horizon, 0.50 * (1 - depth) ** 0.6)
    picture.paste(ramp(mask.size, [(0.25, colour), (0.8, haze)]), stencil.box, mask)
    return mask


def range_layer(picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float) -> None:
    """Paint a distant range: peaks with a lit side and perhaps snow, or soft hills."""
    peaks = stage.scene.ground is Ground.MOUNTAINS
    height = stage.unit * (rng.uniform(0.22, 0.34) if peaks else rng.uniform(0.07, 0.14))
    height *= 1 - 0.35 * depth
    cells = picture.width / stage.unit * (rng.uniform(2.0, 3.2) if peaks else rng.uniform(1.5, 3))
    shape = (cells, 1.0 if peaks else 0.25)
    line = skyline(picture, rng, base + stage.unit * 0.03, height, shape)
    low = base + stage.unit * 0.16
    if stage.scene.water:
        low = stage.horizon
        line = [(x, min(y, low)) for x, y in line]
    body = body_of(picture, line, low)
    mask = fill_hazy(picture, stage, body, stage.tone(depth), depth)
    if peaks:
        _light_faces(picture, stage, rng, line, (body, mask), depth)


def _light_faces(
    picture: Image.Image,
    stage: Stage,
    rng: Random,
    line: Line,
    shape: tuple[Stencil, Image.Image],
    depth: float,
) -> None:
    """Paint the sunny and the shadowed faces of a range, rock, and snow near the top."""
    body, mask = shape
    colour = stage.tone(depth)
    sheet = ImageChops.multiply(mask, veil(mask.size, lambda at: max(0.0, 1 - at / 0.85) ** 0.8))
    way = 3 if stage.sun[0] > picture.width / 2 else -3
    lumps = (18 * mask.width / stage.unit, 14 * mask.height / stage.unit + 3)
    rock = relief(noise(rng, (512, 256), lumps), (way, 2))
    rock = rock.resize(mask.size, Image.Resampling.BICUBIC)
    if Thing.WINTER in stage.scene.things or rng.random() < 0.7:
        deep = 1.05 if Thing.WINTER in stage.scene.things else rng.uniform(0.35, 0.6)
        cover = veil(mask.size, lambda at: min(1.0, max(0.0, 1.25 - at / deep)))
        gullies = noise(rng, (512, 256), (52, 9)).resize(mask.size, Image.Resampling.BICUBIC)
        ragged = ImageChops.add(Image.blend(gullies, rock, 0.45), cover, 2.0)
        snow = ImageChops.multiply(threshold(ragged, 140, 166), mask)
        bright = colour.toward(stage.palette.snow, 0.50 + 0.35 * depth)
        picture.paste(bright.rgb, body.box, snow)
    shadows = Stencil(picture, body.box[1], body.box[3])
    _shadow_sides(shadows, stage, rng, line)
    dark = ImageChops.multiply(shadows.mask(0.52), sheet)
    picture.paste(colour.toward(stage.palette.top, 0.35).lighter(-0.09).rgb, body.box, dark)
    bright_rock = fade(ImageChops.multiply(threshold(rock, 134, 215), sheet), 0.5)
    picture.paste(colour.toward(stage.palette.light, 0.30).rgb, body.box, bright_rock)


def _shadow_sides(stencil: Stencil, stage: Stage, rng: Random, line: Line) -> None:
    """Draw the shadowed side of each peak, down to a jagged spine."""
    reach, slack = max(3, len(line) // 60), stage.unit * 0.004  # small rises are forgiven
    for index in range(reach, len(line) - reach):
        x, y = line[index]
        if y > min(other for _, other in line[index - reach : index + reach + 1]):
            continue
        away = 1 if x > stage.sun[0] else -1
        end = index
        while 0 < end < len(line) - 1 and line[end + away][1] >= line[end][1] - slack:
            end += away
        ridge = line[index : end + 1] if away > 0 else line[end : index + 1][::-1]
        drop = max(ridge[-1][1] - y, stage.unit * 0.02)
        spine: Line = []
        for step in range(1, 9):
            jag = rng.uniform(-0.10, 0.16) * drop
            spine.append((x + away * (jag + drop * 0.03 * step), y + drop * 0.2 * step))
        stencil.polygon([*ridge, (ridge[-1][0], ridge[-1][1] + drop * 0.3), *spine[::-1]])


def ground_layer(
    picture: Image.Image, stage: Stage, rng: Random, base: float, depth: float
) -> None:
    """Paint rolling ground with what grows on it, or snow on it."""
    ground, winter = stage.scene.ground, Thing.WINTER in stage.scene.things
    rise = stage.unit * rng.uniform(0.05, 0.12)
    cells = picture.width / stage.unit * rng.uniform(1.0, 2.4)
    line = skyline(picture, rng, base + stage.unit * 0.02, rise, (cells, 0.1))
    low = float(picture.height)
    if stage.scene.water:
        low = stage.horizon
        line = [(x, min(y, low)) for x, y in line]
    body = body_of(picture, line, low)
    colour = stage.tone(depth)
    soil = colour.toward(stage.palette.snow, 0.72) if winter else colour
    mask = fill_hazy(picture, stage, body, soil, depth)
    rim = veil(mask.size, lambda at: 0.6 * max(0.0, 1 - at / 0.5) ** 1.5)
    share = 0.14 if stage.scene.dark else 0.34
    lit = soil.toward(stage.palette.light, share)
    picture.paste(lit.rgb, body.box, ImageChops.multiply(rim, mask))
    if ground is Ground.FOREST or (ground is Ground.MOUNTAINS and depth > 0.5):
        tall = stage.unit * (0.05 + 0.20 * depth**2.2) * (1 if ground is Ground.FOREST else 0.6)
        tall = min(tall, stage.unit * 0.10) if stage.scene.water else tall
        _woods(picture, stage, rng, line, tall, depth)
    elif 0.2 < depth < 0.9:
        _bushes(picture, stage, rng, line, depth)


def _woods(
    picture: Image.Image, stage: Stage, rng: Random, line: Line, tall: float, depth: float
) -> None:
    """Paint conifers in clumps, first along the skyline and then down the slope."""
    low = stage.horizon if stage.scene.water else float(picture.height)
    right, grove = line[-1][0], profile(rng, 64, 6, 0.3)
    rows = (0.0,) if stage.scene.water else (0.0, 0.55, 1.2)
    for row in rows:
        high = min(y for _, y in line) + (row - 1.4) * tall
        stencil = Stencil(picture, high, max(low, max(y for _, y in line)))
        x = -tall * rng.uniform(0.1, 0.5)
        while x < right + tall * 0.3:
            at = min(1.0, max(0.0, x / right))
            dense = grove[(round(at * 63) + round(row * 20)) % 64]
            ground = line[round(at * (len(line) - 1))][1] + row * tall * rng.uniform(0.8, 1.2)
            size = tall * (0.45 + 0.75 * dense) * rng.uniform(0.65, 1.15)
            conifer(stencil, (x, ground + stage.unit * 0.006), size, rng)
            x += size * rng.uniform(0.16, 0.46) * (1 + row * 1.6)
        colour = stage.tone(min(1.0, depth + 0.05 * row)).lighter(-0.012 * (1 + row))
        fill_hazy(picture, stage, stencil, colour, depth)


def _bushes(picture: Image.Image, stage: Stage, rng: Random, line: Line, depth: float) -> None:
    """Paint a few clumps of round trees along a hill."""
    size = stage.unit * (0.004 + 0.012 * depth)
    levels = [y for _, y in line]
    stencil = Stencil(picture, min(levels) - size * 4, max(levels) + size * 6)
    for _ in range(rng.randint(3, 8)):
        start = rng.randrange(len(line))
        for _ in range(rng.randint(2, 18)):
            spot = min(len(line) - 1, max(0, start + round(rng.gauss(0, 0.03) * len(line))))
            x, y = line[spot]
            bush(stencil, (x, y + size * rng.uniform(0, 1.6)), size * rng.uniform(0.6, 1.25), rng)
    stencil.fill(stage.tone(min(1.0, depth + 0.06)).lighter(-0.02))
