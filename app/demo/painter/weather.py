"""What lies over a finished sketch: fog, rain, snow, darker corners and grain."""

import math

from PIL import Image, ImageChops

from app.demo.painter.brush import Canvas, Stencil, noise, threshold, veil
from app.demo.painter.palette import oklch
from app.demo.painter.prompt import Weather

_FOG = {Weather.FOG: 0.75, Weather.RAIN: 0.35, Weather.SNOW: 0.30}
# What falls, in layers: how near, how many in a square unit, how opaque.
_RAIN = ((0.4, 230, 0.10), (0.7, 230, 0.14), (1.0, 230, 0.17))
_SNOW = ((0.35, 420, 0.6), (0.7, 170, 0.75), (1.5, 34, 0.5))


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
                end = (x + slant * long, y + long)
                stencil.line([(x, y), end], unit * 0.0012 * near, rng.randint(70, 255))
        stencil.fill(white, opacity)


def finish(canvas: Canvas) -> None:
    """Darken the corners a little and add grain, which also keeps gradients from banding."""
    picture, rng = canvas.picture, canvas.rng
    edge = Image.radial_gradient('L').resize(picture.size, Image.Resampling.BICUBIC)
    edge = edge.point([round(max(0.0, value - 120) ** 1.5 / 1600 * 78) for value in range(256)])
    picture.paste((8, 6, 14), (0, 0), edge)
    count = canvas.width * canvas.height
    even = Image.frombytes('L', picture.size, rng.randbytes(count))
    other = Image.frombytes('L', picture.size, rng.randbytes(count))
    # Two even distributions make a triangular one, of about four levels either way.
    table = [round(124 + value / 255 * 8) for value in range(256)]
    grain = Image.blend(even, other, 0.5).point(table)
    bands = [ImageChops.add(band, grain, 1.0, -128) for band in picture.split()]
    picture.paste(Image.merge('RGB', bands))
