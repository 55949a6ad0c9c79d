"""What lies over a finished sketch: fog, rain, snow, darker corners and grain."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Stencil, noise, threshold, veil
from app.demo.painter.palette import Colour
from app.demo.painter.prompt import Weather
from app.demo.painter.sky import Stage


def paint_weather(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Add what falls or drifts before the land."""
    weather = stage.scene.weather
    if weather is Weather.FOG:
        fog_bank(picture, stage, rng, 0.75)
    elif weather is Weather.RAIN:
        fog_bank(picture, stage, rng, 0.35)
        _rain(picture, stage, rng)
    elif weather is Weather.SNOW:
        fog_bank(picture, stage, rng, 0.30)
        _snow(picture, stage, rng)


def fog_bank(picture: Image.Image, stage: Stage, rng: Random, strength: float) -> None:
    """Lay drifting fog over the lower half, thickest at the horizon."""
    at_horizon = stage.horizon / picture.height
    drift = threshold(noise(rng, (320, 320), (1.8, 6)), 60, 200)
    spread = veil(
        drift.size, lambda at: strength * math.exp(-(((at - at_horizon - 0.06) / 0.20) ** 2))
    )
    mask = ImageChops.multiply(drift, spread).resize(picture.size, Image.Resampling.BICUBIC)
    colour = stage.palette.horizon.toward(stage.palette.light, 0.3)
    picture.paste(colour.rgb, (0, 0), mask)


def _rain(picture: Image.Image, stage: Stage, rng: Random) -> None:
    slant = rng.uniform(-0.16, 0.16)
    for near, opacity in ((0.4, 0.16), (0.7, 0.22), (1.0, 0.26)):
        stencil = Stencil(picture)
        for _ in range(round(230 * picture.width * picture.height / stage.unit**2)):
            long = stage.unit * rng.uniform(0.02, 0.05) * near
            x = rng.uniform(-0.1, 1.1) * picture.width
            y = rng.uniform(-0.05, 1) * picture.height
            end = (x + slant * long, y + long)
            stencil.line([(x, y), end], stage.unit * 0.0012 * near, rng.randint(70, 255))
        stencil.fill(stage.palette.horizon.toward(Colour(0.98, 0.01, 240), 0.5), opacity)


def _snow(picture: Image.Image, stage: Stage, rng: Random) -> None:
    for near, count, opacity in ((0.35, 420, 0.6), (0.7, 170, 0.75), (1.5, 34, 0.5)):
        stencil = Stencil(picture)
        for _ in range(round(count * picture.width * picture.height / stage.unit**2)):
            size = max(0.4, stage.unit * 0.0032 * near * rng.uniform(0.5, 1.2))
            x, y = rng.uniform(0, picture.width), rng.uniform(0, picture.height)
            stencil.ellipse(x, y, size, size, rng.randint(110, 255))
        stencil.fill(Colour(0.985, 0.006, 240), opacity)


def finish(picture: Image.Image, rng: Random) -> Image.Image:
    """Darken the corners a little and adds grain, which also keeps gradients from banding."""
    edge = Image.radial_gradient('L').resize(picture.size, Image.Resampling.BICUBIC)
    edge = edge.point([round(max(0.0, value - 120) ** 1.5 / 1600 * 78) for value in range(256)])
    picture.paste((8, 6, 14), (0, 0), edge)
    return _grain(picture, rng)


def _grain(picture: Image.Image, rng: Random) -> Image.Image:
    side = 256
    tile = Image.frombytes('L', (side, side), rng.randbytes(side * side))
    other = Image.frombytes('L', (side, side), rng.randbytes(side * side))
    # Two even distributions make a triangular one, of about four levels either way.
    tile = Image.blend(tile, other, 0.5).point(
        [round(124 + value / 255 * 8) for value in range(256)]
    )
    sheet = Image.new('L', picture.size)
    for top in range(0, picture.height, side):
        for left in range(0, picture.width, side):
            sheet.paste(tile, (left, top))
    bands = [ImageChops.add(band, sheet, 1.0, -128) for band in picture.split()]
    return Image.merge('RGB', bands)
