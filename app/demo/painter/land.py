"""The land of a sketch, from the far to the near: ranges, hills, woods, streets, a lighthouse."""

import math

from PIL import Image, ImageChops

from app.demo.painter.brush import Canvas, Point, Stencil, noise, profile, relief, threshold, veil
from app.demo.painter.palette import LAMP, oklch
from app.demo.painter.prompt import Ground

# How many layers are far ranges, and how many lie nearer.
_LAYERS = {Ground.MOUNTAINS: (3, 3), Ground.FOREST: (2, 4), Ground.CITY: (0, 5), Ground.SEA: (2, 0)}


def paint_land(canvas: Canvas) -> None:
    """Paint layer after layer; before water all of them stand on the horizon."""
    ground = canvas.scene.ground
    far, near = _LAYERS.get(ground, (2, 4))
    for index in range(far + near):
        depth = (index / max(3, far + near - 1)) ** 1.1
        fall = 0.0 if canvas.scene.water else 0.86 * math.pow(depth, 1.55)
        base = canvas.horizon + (canvas.height - canvas.horizon) * fall
        if index < far:
            _range(canvas, base, depth)
        elif ground is Ground.CITY:
            _buildings(canvas, base, depth)
        else:
            _hill(canvas, base, depth)


def _skyline(canvas: Canvas, base: float, height: float, lumps: float, sharp: float) -> list[Point]:
    """Return a ridge line across the picture with so many lumps to a unit."""
    count = max(24, min(720, canvas.width // 2))
    heights = profile(canvas.rng, count + 1, lumps * canvas.width / canvas.unit, sharp)
    return [
        (index / count * canvas.width, min(canvas.shore, base - height * level))
        for index, level in enumerate(heights)
    ]


def _body(canvas: Canvas, line: list[Point], low: float) -> Stencil:
    """Return a stencil of everything from a skyline down to a level."""
    stencil = Stencil(canvas, min(y for _, y in line) - 2, low)
    stencil.polygon([*line, (canvas.width, low), (0, low)])
    return stencil


def _range(canvas: Canvas, base: float, depth: float) -> None:
    """Paint a distant range: peaks with a lit side and perhaps snow, or soft hills."""
    rng, unit, peaks = canvas.rng, canvas.unit, canvas.scene.ground is Ground.MOUNTAINS
    height = unit * (rng.uniform(0.22, 0.34) if peaks else rng.uniform(0.07, 0.14))
    lumps, sharp = (rng.uniform(2.0, 3.2), 1.0) if peaks else (rng.uniform(1.5, 3), 0.25)
    line = _skyline(canvas, base + unit * 0.03, height * (1 - 0.35 * depth), lumps, sharp)
    body = _body(canvas, line, min(canvas.shore, base + unit * 0.16))
    mask = body.fill_hazy(canvas.tone(depth), depth)
    if peaks:
        _light_faces(canvas, line, mask, body.top, depth)


def _light_faces(
    canvas: Canvas, line: list[Point], mask: Image.Image, top: int, depth: float
) -> None:
    """Paint the sunny and the shadowed faces of a range, rock, and snow near the top."""
    rng, palette, colour = canvas.rng, canvas.palette, canvas.tone(depth)
    lumps = (18 * mask.width / canvas.unit, 14 * mask.height / canvas.unit + 3)
    way = 3 if canvas.sun[0] > canvas.width / 2 else -3
    rock = relief(noise(rng, (512, 256), lumps), (way, 2))
    rock = rock.resize(mask.size, Image.Resampling.BICUBIC)
    if canvas.scene.winter or rng.random() < 0.7:
        deep = 1.05 if canvas.scene.winter else rng.uniform(0.35, 0.6)
        cover = veil(mask.size, lambda at: 1.25 - at / deep)
        gullies = noise(rng, (512, 256), (52, 9)).resize(mask.size, Image.Resampling.BICUBIC)
        ragged = ImageChops.add(Image.blend(gullies, rock, 0.45), cover, 2.0)
        bright = colour.toward(palette.snow, 0.50 + 0.35 * depth)
        canvas.lay(bright, ImageChops.multiply(threshold(ragged, 140, 166), mask), top)
    upper = ImageChops.multiply(mask, veil(mask.size, lambda at: max(0.0, 1 - at / 0.85) ** 0.8))
    shadows = ImageChops.multiply(_shadow_sides(canvas, line, top, mask.height), upper)
    canvas.lay(colour.toward(palette.top, 0.35).lighter(-0.09), shadows, top)
    lit = ImageChops.multiply(threshold(rock, 134, 215), upper)
    canvas.lay(colour.toward(palette.light, 0.30), lit.point([at // 2 for at in range(256)]), top)


def _shadow_sides(canvas: Canvas, line: list[Point], top: int, height: int) -> Image.Image:
    """Return a mask of the shadowed side of each peak, down to a jagged spine."""
    stencil, rng = Stencil(canvas, top, top + height), canvas.rng
    reach, slack = max(3, len(line) // 60), canvas.unit * 0.004  # small rises are forgiven
    for index in range(reach, len(line) - reach):
        x, y = line[index]
        if y > min(other for _, other in line[index - reach : index + reach + 1]):
            continue
        away = 1 if x > canvas.sun[0] else -1
        end = index
        while 0 < end < len(line) - 1 and line[end + away][1] >= line[end][1] - slack:
            end += away
        (foot_x, foot_y), ridge = line[end], line[index:end:away]
        drop = max(foot_y - y, canvas.unit * 0.02)
        spine = [
            (x + away * drop * (rng.uniform(-0.10, 0.16) + 0.03 * step), y + drop * 0.2 * step)
            for step in range(8, 0, -1)
        ]
        stencil.polygon([*ridge, (foot_x, foot_y), (foot_x, foot_y + drop * 0.3), *spine])
    return stencil.mask(0.52)


def _hill(canvas: Canvas, base: float, depth: float) -> None:
    """Paint rolling ground with what grows on it, or snow on it."""
    rng, unit, scene = canvas.rng, canvas.unit, canvas.scene
    rise, lumps = unit * rng.uniform(0.05, 0.12), rng.uniform(1.0, 2.4)
    line = _skyline(canvas, base + unit * 0.02, rise, lumps, 0.1)
    body, soil = _body(canvas, line, canvas.shore), canvas.tone(depth)
    if scene.winter:
        soil = soil.toward(canvas.palette.snow, 0.72)
    mask = body.fill_hazy(soil, depth)
    rim = veil(mask.size, lambda at: 0.6 * max(0.0, 1 - at / 0.5) ** 1.5)
    lit = soil.toward(canvas.palette.light, 0.14 if scene.dark else 0.34)
    canvas.lay(lit, ImageChops.multiply(rim, mask), body.top)
    forest, peaks = scene.ground is Ground.FOREST, scene.ground is Ground.MOUNTAINS
    if scene.ground is Ground.DESERT or (not forest and depth < (0.5 if peaks else 0.2)):
        return
    tall = unit * (0.05 + 0.20 * depth**2.2) * (1.0 if forest else 0.6)
    tall = min(tall, unit * 0.10) if scene.water else tall
    _woods(canvas, line, tall, depth, 0.0 if forest or peaks else 0.65)


def _woods(canvas: Canvas, line: list[Point], tall: float, depth: float, sparse: float) -> None:
    """Paint conifers along the skyline and then down the slope, in groves denser than `sparse`."""
    rng, right, grove = canvas.rng, canvas.width, profile(canvas.rng, 64, 6, 0.3)
    for row in (0.0,) if canvas.scene.water else (0.0, 0.55, 1.2):
        high = min(y for _, y in line) + (row - 1.4) * tall
        stencil = Stencil(canvas, high, canvas.shore)
        x = -tall * rng.uniform(0.1, 0.5)
        while x < right + tall * 0.3:
            at = min(1.0, max(0.0, x / right))
            dense = grove[(round(at * 63) + round(row * 20)) % 64]
            foot = line[round(at * (len(line) - 1))][1] + row * tall * rng.uniform(0.8, 1.2)
            size = tall * (0.45 + 0.75 * dense) * rng.uniform(0.65, 1.15)
            if dense >= sparse:
                _conifer(canvas, stencil, (x, foot + canvas.unit * 0.006), size)
            x += size * rng.uniform(0.16, 0.46) * (1 + row * 1.6)
        colour = canvas.tone(min(1.0, depth + 0.05 * row)).lighter(-0.012 * (1 + row))
        stencil.fill_hazy(colour, depth)


def _conifer(canvas: Canvas, stencil: Stencil, foot: Point, tall: float) -> None:
    """Draw a fir: tiers of drooping branches, a little uneven."""
    (x, y), rng = foot, canvas.rng
    half, lean = tall * rng.uniform(0.15, 0.21), rng.uniform(-0.02, 0.02) * tall
    tiers = max(3, min(9, round(tall / 9)))
    left, right = [(x + lean, y - tall)], [(x + lean, y - tall)]
    for tier in range(1, tiers + 1):
        at = tier / tiers
        level, centre = y - tall * 0.94 * (1 - at), x + lean * (1 - at)
        for side, edge in ((-1, left), (1, right)):
            reach = side * half * (0.12 + 0.88 * at) * rng.uniform(0.8, 1.1)
            edge.append((centre + reach, level + tall * 0.012))
            edge.append((centre + reach * 0.55, level - tall * 0.01))
    stencil.polygon([*right, *left[::-1]])
    stencil.block(x - tall * 0.014, y - tall * 0.02, tall * 0.028, tall * 0.06)


def _buildings(canvas: Canvas, base: float, depth: float) -> None:
    """Paint a row of buildings; the nearer, the better their windows can be told apart."""
    rng, unit, scene, low = canvas.rng, canvas.unit, canvas.scene, canvas.shore
    tall = unit * (0.36 - (0.16 if scene.water else 0.02) * depth)
    pitch = max(2.4, unit * (0.0075 + (0.0 if scene.water else 0.006) * depth))
    bulk = profile(rng, 65, 3.2, 0.6)
    houses, windows = (Stencil(canvas, base - tall * 1.6, low) for _ in range(2))
    x = 0.0
    while x < canvas.width:
        width = unit * rng.uniform(0.034, 0.078) * (0.75 + (0.4 if scene.water else 1.3) * depth)
        height = tall * (0.25 + 0.8 * bulk[round(x / canvas.width * 64)])
        top = base - height * rng.uniform(0.6, 1.15)
        houses.block(x, top, width, low - top)
        if rng.random() < 0.4:
            ridge = (x + width * rng.choice((0.5, 1)), top - pitch * 4)
            houses.polygon([(x, top + 1), (x + width, top + 1), ridge])
        if depth > 0.15:
            _windows(canvas, windows, (x, top), (width, low - top), pitch)
        x += width * rng.uniform(0.82, 1.2)
    mask = houses.fill_hazy(canvas.tone(depth), depth * 0.9)
    share = (0.95 if scene.dark else 0.25) * (0.30 + 0.70 * depth)
    lamp = LAMP if scene.dark else canvas.palette.light
    canvas.lay(lamp, ImageChops.multiply(windows.mask(share), mask), houses.top)


def _windows(
    canvas: Canvas, stencil: Stencil, corner: Point, size: tuple[float, float], pitch: float
) -> None:
    """Draw the lit windows of one building, which are `pitch` apart."""
    rng, across = canvas.rng, max(1, int(size[0] * 0.8 / pitch))
    left, busy = corner[0] + (size[0] - across * pitch) / 2, rng.uniform(0.15, 0.6)
    for row in range(1, min(70, int((size[1] - pitch) / (pitch * 1.35)))):
        for column in range(across):
            if rng.random() < busy:
                x, y = left + (column + 0.2) * pitch, corner[1] + (row * 1.35 - 0.35) * pitch
                stencil.block(x, y, pitch * 0.55, pitch * 0.75, rng.randint(90, 255))


def paint_lighthouse(canvas: Canvas) -> None:
    """Paint a banded tower on a rock at the edge of the water, its lamp lit in the dark."""
    unit, side = canvas.unit, canvas.rng.choice((0.24, 0.76))
    x, foot = canvas.width * side, canvas.horizon + 1
    lamp = (x, foot - unit * 0.405)
    if canvas.scene.dark:
        _beam(canvas, lamp, 1 if side < 0.5 else -1)
    _tower(canvas, (x, foot - unit * 0.06), unit * 0.33, unit * 0.031)
    rock = Stencil(canvas, foot - unit * 0.1, foot)
    outline = []
    for step, level in enumerate(profile(canvas.rng, 61, 9, 0.95)):
        bulk = (1 - abs(step / 30 - 1) ** 1.6) * (0.055 + 0.035 * level)
        outline.append((x + unit * (0.01 * step - 0.3), foot - unit * bulk))
    rock.polygon(outline)
    rock.fill(canvas.tone(0.93))
    if canvas.scene.dark:
        canvas.glow(lamp, unit * 0.13, LAMP, 1.0)
        canvas.glow(lamp, unit * 0.03, LAMP.lighter(0.08), 1.0)


def _tower(canvas: Canvas, foot: Point, tall: float, half: float) -> None:
    (x, base), palette, dark = foot, canvas.palette, canvas.scene.dark
    top = base - tall
    body, bands, shade, lamp, head = (Stencil(canvas, top - tall * 0.2, base + 2) for _ in range(5))
    body.polygon(
        [(x - half, base), (x - half * 0.66, top), (x + half * 0.66, top), (x + half, base)]
    )
    for band in range(3):
        bands.block(x - half * 2, base - tall * (0.28 + 0.28 * band), half * 4, tall * 0.13)
    away = half if x > canvas.sun[0] else -half
    shade.polygon([(x, base), (x, top), (x + away, top), (x + away, base)])
    wall, mask = palette.snow.toward(palette.near if dark else palette.horizon, 0.2), body.mask()
    canvas.lay(wall, mask, body.top)
    red = oklch(0.44 if dark else 0.53, 0.165, canvas.scene.accent_hue)
    canvas.lay(red, ImageChops.multiply(bands.mask(), mask), body.top)
    canvas.lay(palette.near, ImageChops.multiply(shade.mask(0.34), mask), body.top)
    lamp.block(x - half * 0.5, top - tall * 0.088, half, tall * 0.082)
    lamp.fill(LAMP if dark else palette.cloud)
    head.block(x - half * 0.95, top - tall * 0.012, half * 1.9, tall * 0.026)
    eaves = top - tall * 0.085
    head.polygon([(x - half * 0.62, eaves), (x, top - tall * 0.16), (x + half * 0.62, eaves)])
    head.fill(canvas.tone(0.95))


def _beam(canvas: Canvas, lamp: Point, way: int) -> None:
    """Paint a cone of light that fades as it leaves the lamp."""
    (x, y), reach = lamp, canvas.unit * 0.8
    cone = Stencil(canvas, y - reach * 0.15, y + reach * 0.1)
    for step in range(50):
        far = reach * (1 - step / 50)
        edges = [(x + way * far, y - far * 0.13), (x + way * far, y + far * 0.03)]
        cone.polygon([(x, y), *edges], round(150 * (step / 50) ** 1.6))
    cone.fill(LAMP)
