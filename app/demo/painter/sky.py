"""The sky of a sketch: gradient, sun or moon, stars, clouds; and open space."""

import math

from PIL import Image, ImageChops, ImageOps

from app.demo.painter.brush import Canvas, Stencil, noise, ramp, relief, threshold, veil
from app.demo.painter.palette import oklch
from app.demo.painter.prompt import Time, Weather

_GASES = ((285.0, 330.0, 25.0), (262.0, 300.0, 350.0), (225.0, 195.0, 290.0), (300.0, 20.0, 60.0))
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


def paint_space(canvas: Canvas) -> None:
    """Paint the whole picture, which has no horizon: gas along a tilted band, stars, a planet."""
    rng, size = canvas.rng, canvas.picture.size
    hues = rng.choice(_GASES)
    if canvas.scene.world_hues:
        named = canvas.scene.world_hues[0]
        hues = (named - 30, named, named + 30)
    canvas.picture.paste(oklch(0.125, 0.045, hues[0]).rgb, (0, 0, *size))
    bands = veil((840, 840), lambda at: math.exp(-(((at - 0.5) / 0.17) ** 2)))
    bands = bands.rotate(rng.uniform(-40, 40), Image.Resampling.BICUBIC)
    bands = bands.crop((210, 210, 630, 630))
    for index, hue in enumerate(hues):
        gas = threshold(noise(rng, (420, 420), (2.6, 2.6)), 84 + 12 * index, 205)
        band = bands.point([round(235 * (at / 255) ** (1 + index)) for at in range(256)])
        mask = ImageChops.multiply(gas, band).resize(size, Image.Resampling.BICUBIC)
        canvas.lay(oklch(0.40 + 0.18 * index, 0.15, hue), mask)
    _stars(canvas, 900 * size[0] * size[1] / canvas.unit**2, canvas.height * 2)
    for _ in range(9):
        star = (rng.uniform(0, size[0]), rng.uniform(0, size[1]))
        canvas.glow(star, canvas.unit * rng.uniform(0.012, 0.035), _WHITE, 0.9)
    _planet(canvas, rng.choice((hues[2], hues[1] + 180, 55.0, 215.0)))


def _planet(canvas: Canvas, hue: float) -> None:
    """Paint a ball with bands, a night side and a rim of air."""
    rng, radius = canvas.rng, canvas.unit * canvas.rng.uniform(0.17, 0.26)
    x, y = canvas.width * rng.uniform(0.3, 0.7), canvas.height * rng.uniform(0.38, 0.58)
    canvas.glow((x, y), radius * 1.7, oklch(0.72, 0.12, hue), 0.75)
    bands = threshold(noise(rng, (256, 256), (1.1, rng.choice((3.0, 9.0)))), 70, 190)
    light, dark = oklch(0.90, 0.07, hue + 20), oklch(0.60, 0.135, hue)
    side = max(8, round(radius * 2))
    ball = ImageOps.colorize(bands, dark.rgb, light.rgb).resize((side, side))
    # The distance from a point to the upper left, which is lit.
    away = Image.radial_gradient('L').resize((800, 800)).crop((280, 300, 680, 700))
    ball.paste(oklch(0.10, 0.04, hue).rgb, (0, 0), threshold(away, 45, 125).resize((side, side)))
    disc = Stencil(canvas, y - radius, y + radius)
    disc.ellipse(x, y, radius - 0.5, radius - 0.5)
    left = round(x - radius)
    mask = disc.mask().crop((left, 0, left + side, side))
    canvas.picture.paste(ball, (left, disc.top), mask)
