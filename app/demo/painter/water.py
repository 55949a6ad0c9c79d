"""Water: a mirror of what stands above it, broken by ripples and glitter."""

import math

from PIL import Image, ImageFilter

from app.demo.painter.brush import Canvas, Stencil, veil


def paint_water(canvas: Canvas) -> None:
    """Paint from the horizon to the lower edge what the upper part shows."""
    top = round(canvas.horizon)
    size = (canvas.width, canvas.height - top)
    palette, rng = canvas.palette, canvas.rng
    _reflect(canvas, top)
    deep = palette.top.toward(palette.near, 0.45)
    canvas.lay(deep, veil(size, lambda at: 0.10 + 0.58 * at**0.9), top)
    waves = range(round(260 * canvas.width / canvas.unit))
    for colour, opacity in ((palette.horizon, 0.24), (palette.near, 0.30), (palette.middle, 0.25)):
        places = [(rng.uniform(-0.05, 1.05) * canvas.width, rng.random() ** 1.3) for _ in waves]
        _strokes(canvas, top, places, 0.055, 255).fill(colour, opacity)
    nears = [rng.random() ** 1.2 for _ in range(520)]  # the reflection of the sun
    spread = 0.55 * canvas.sun_radius
    places = [(canvas.sun[0] + rng.gauss(0, 0.45 + 1.6 * at) * spread, at) for at in nears]
    _strokes(canvas, top, places, 0.022, 400).fill(palette.light, 0.85)
    canvas.lay(palette.horizon, veil(size, lambda at: 0.55 * math.exp(-at * 22)), top)


def _reflect(canvas: Canvas, top: int) -> None:
    """Turn the upper part over and shift it strip by strip, more so towards the viewer."""
    picture, unit, rng = canvas.picture, canvas.unit, canvas.rng
    width, depth = picture.width, picture.height - top
    source = picture.crop((0, max(0, top - depth), width, top))
    mirror = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
    mirror = mirror.filter(ImageFilter.BoxBlur((unit * 0.001, unit * 0.006)))
    picture.paste(mirror, (0, top))  # it shows at the side that a shifted strip leaves open
    y, phase = 0, rng.uniform(0, 6.28)
    while y < depth:
        near = y / depth
        thick = max(1, round(unit * (0.001 + 0.004 * near)))
        swing = math.sin(y * 0.9 + phase) + 0.6 * rng.uniform(-1, 1)
        shift = round(swing * unit * (0.0015 + 0.012 * near))
        picture.paste(mirror.crop((0, y, width, min(depth, y + thick))), (shift, top + y))
        y += thick


def _strokes(
    canvas: Canvas, top: int, places: list[tuple[float, float]], length: float, bright: int
) -> Stencil:
    """Return thin strokes that widen towards the viewer; a place is x and how near it is (0..1)."""
    stencil, unit, rng = Stencil(canvas, top), canvas.unit, canvas.rng
    for x, near in places:
        long = unit * (0.005 + length * near) * rng.uniform(0.3, 1.2)
        thick = max(0.35, unit * (0.0004 + 0.0012 * near))
        y = top + near * (canvas.height - top)
        stencil.ellipse(x, y, long, thick, min(255, round(bright * rng.uniform(0.2, 1))))
    return stencil
