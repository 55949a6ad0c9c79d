"""The sky of a sketch: gradient, sun or moon, stars, clouds."""

import math

from PIL import Image, ImageChops, ImageOps

from app.demo.painter.brush import Canvas, Stencil, noise, ramp, relief, threshold, veil
from app.demo.painter.palette import oklch
from app.demo.painter.prompt import Time, Weather

_WHITE = oklch(0.97, 0.02, 90)


def paint_sky(canvas: Canvas) -> None:
    """Paint everything that is behind the land."""
    scene, palette = canvas.scene, canvas.palette
    end = canvas.horizon / canvas.height
    stops = [(0.0, palette.top), (0.62 * end, palette.middle), (end, palette.horizon)]
    canvas.picture.paste(ramp(canvas.picture.size, stops))
    warm = palette.light.toward(palette.horizon, 0.35)
    share = 0.75 if scene.time in {Time.SUNSET, Time.DAWN} else 0.45
    canvas.glow(canvas.sun, canvas.unit * (0.8 if scene.dark else 1.2), warm, share)
    if scene.dark and scene.weather in {Weather.CLEAR, Weather.CLOUDS}:
        depth, count = (1.0, 400) if scene.time is Time.NIGHT else (0.6, 60)
        _stars(canvas, count * canvas.horizon / canvas.unit, depth * canvas.horizon)
    if scene.weather is not Weather.CLEAR:
        _clouds(canvas, (2.4, 3.6))
    if scene.weather not in {Weather.RAIN, Weather.SNOW}:
        _sun(canvas)
    _clouds(canvas, (1.6, 9) if scene.weather is Weather.CLEAR else (3.2, 6.5))


def _stars(canvas: Canvas, count: float, depth: float) -> None:
    """Strew stars, the fainter the nearer they are to `depth`."""
    rng, stencil = canvas.rng, Stencil(canvas, 0, depth)
    for _ in range(round(count)):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, min(depth, canvas.height))
        size = max(0.35, canvas.unit * 0.0007 * (1 + rng.random() ** 6 * 2.4))
        value = (45 + 210 * rng.random() ** 2.5) * (1 - (y / depth) ** 2)
        stencil.ellipse(x, y, size, size, round(value))
    stencil.fill(_WHITE)


def _sun(canvas: Canvas) -> None:
    """Paint the sun, or at night the moon, full or as a crescent, with the light around it."""
    colour, (x, y), radius = canvas.palette.light, canvas.sun, canvas.sun_radius
    canvas.glow(canvas.sun, radius * 7.0, colour, 0.40)
    canvas.glow(canvas.sun, radius * 2.6, colour, 0.75)
    disc = Stencil(canvas, y - radius - 2, y + radius + 2)
    disc.ellipse(x, y, radius, radius)
    mask = disc.mask(0.55 if canvas.scene.weather is Weather.FOG else 1.0)
    if canvas.scene.time is Time.NIGHT and canvas.rng.random() < 0.45:
        shade = Stencil(canvas, y - radius - 2, y + radius + 2)
        shade.ellipse(x + radius * 0.46, y - radius * 0.2, radius * 0.92, radius * 0.92)
        mask = ImageChops.subtract(mask, shade.mask())
    canvas.lay(colour.lighter(0.02), mask, disc.top)


def _clouds(canvas: Canvas, cells: tuple[float, float]) -> None:
    """Paint clouds lit by the sun, of so many lumps across and down."""
    palette, scene = canvas.palette, canvas.scene
    heavy = scene.weather in {Weather.RAIN, Weather.SNOW}
    level, dense, dim = (0.25, 0.85, 0.1) if heavy else (0.5, 0.6, 0.0)
    field = noise(canvas.rng, (448, 300), cells)
    spread = veil(field.size, lambda at: dense * math.exp(-(((at - level) / 0.4) ** 2)))
    mask = ImageChops.multiply(threshold(field, 96 if heavy else 126, 190), spread)
    toward_sun = -4 if canvas.sun[0] < canvas.width / 2 else 4
    light = relief(field, (toward_sun, -6 if scene.dark else 7))
    shade = palette.middle.toward(palette.top, 0.55).lighter(-dim / 2)
    lumps = ImageOps.colorize(light, shade.rgb, palette.cloud.lighter(-dim).rgb)
    size = (canvas.width, max(2, round(canvas.horizon * 1.02)))
    canvas.lay(lumps.resize(size), mask.resize(size, Image.Resampling.BICUBIC))
