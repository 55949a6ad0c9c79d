"""What stands on the land: woods and the lighthouse."""

from PIL import ImageChops

from app.demo.painter.brush import Canvas, Point, Stencil, profile
from app.demo.painter.palette import LAMP, oklch


def paint_woods(
    canvas: Canvas, line: list[Point], tall: float, depth: float, sparse: float
) -> None:
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
