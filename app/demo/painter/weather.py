"""What lies over the land: water that mirrors it, fog, rain, snow, darker corners and grain."""

import math

from PIL import Image, ImageChops, ImageFilter

from app.demo.painter.brush import Canvas, Stencil, noise, threshold, veil
from app.demo.painter.palette import oklch
from app.demo.painter.prompt import Weather

_FOG = {Weather.FOG: 0.75, Weather.RAIN: 0.35, Weather.SNOW: 0.30}
# What falls, in layers: how near, how many in a square unit, how opaque.
_RAIN = ((0.4, 230, 0.10), (0.7, 230, 0.14), (1.0, 230, 0.17))
_SNOW = ((0.35, 420, 0.6), (0.7, 170, 0.75), (1.5, 34, 0.5))


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


def paint_weather(canvas: Canvas) -> None:
    """Lay drifting fog over the horizon, and rain or snow over the whole picture."""
    weather, palette, rng, unit = canvas.scene.weather, canvas.palette, canvas.rng, canvas.unit
    if weather not in _FOG:
        return
    strength, level = _FOG[weather], canvas.horizon / canvas.height + 0.06
    bank = veil((320, 320), lambda at: strength * math.exp(-(((at - level) / 0.20) ** 2)))
    fog = ImageChops.multiply(threshold(noise(rng, bank.size, (1.8, 6)), 60, 200), bank)
    fog = fog.resize(canvas.picture.size, Image.Resampling.BICUBIC)
    canvas.lay(palette.horizon.toward(palette.light, 0.3), fog)
    slant, white = rng.uniform(-0.16, 0.16), oklch(0.985, 0.008, 240)
    for near, count, opacity in {Weather.RAIN: _RAIN, Weather.SNOW: _SNOW}.get(weather, ()):
        stencil = Stencil(canvas)
        for _ in range(round(count * canvas.width * canvas.height / unit**2)):
            x, y = rng.uniform(-0.1, 1.1) * canvas.width, rng.uniform(-0.05, 1) * canvas.height
            if weather is Weather.SNOW:
                size = max(0.4, unit * 0.0032 * near * rng.uniform(0.5, 1.2))
                stencil.ellipse(x, y, size, size, rng.randint(110, 255))
            else:
                long = unit * rng.uniform(0.02, 0.05) * near
                head, end = (x + unit * 0.0016 * near, y), (x + slant * long, y + long)
                stencil.polygon([(x, y), head, end], rng.randint(110, 255))
        stencil.fill(white, opacity)


def finish(canvas: Canvas) -> None:
    """Darken the corners a little and add grain, which also keeps gradients from banding."""
    picture, rng = canvas.picture, canvas.rng
    edge = Image.radial_gradient('L').resize(picture.size, Image.Resampling.BICUBIC)
    edge = edge.point([round(max(0.0, value - 120) ** 1.5 / 1600 * 78) for value in range(256)])
    picture.paste((8, 6, 14), (0, 0), edge)
    grain = Image.frombytes('L', picture.size, rng.randbytes(canvas.width * canvas.height))
    grain = grain.point([126 + value // 51 for value in range(256)])  # two levels either way
    bands = [ImageChops.add(band, grain, 1.0, -128) for band in picture.split()]
    picture.paste(Image.merge('RGB', bands))
