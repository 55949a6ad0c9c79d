"""Draw a prompt: the same words, seed and size give the same picture everywhere."""

import hashlib
import math
from random import Random

from PIL import Image, ImageFilter

from app.demo.painter.brush import Canvas
from app.demo.painter.land import paint_land, paint_lighthouse
from app.demo.painter.palette import palette_for
from app.demo.painter.prompt import Scene, Thing, Time, read_scene
from app.demo.painter.sky import paint_sky
from app.demo.painter.weather import finish, paint_water, paint_weather

_MOST_PIXELS = 2_200_000  # larger pictures are drawn at this size and enlarged
_LEAST_SIDE = 192  # smaller ones are drawn larger and averaged down
_LONGEST_RATIO = 6.0  # longer ones are stretched


def draw(prompt: str, seed: int, width: int, height: int) -> Image.Image:
    """Draw a landscape chosen by the words of the prompt and varied by the seed."""
    name = f'{prompt}\x1f{seed}'.encode('utf-8', 'replace')
    rng = Random(hashlib.sha256(name).digest())  # noqa: S311
    # Bounded in its ratio, in its short side and in pixels.
    wide, high = max(width, height / _LONGEST_RATIO), max(height, width / _LONGEST_RATIO)
    scale = max(1.0, _LEAST_SIDE / min(wide, high))
    scale = min(scale, math.sqrt(_MOST_PIXELS / (wide * high)))
    canvas = _open_canvas(read_scene(prompt, rng), rng, round(wide * scale), round(high * scale))
    paint_sky(canvas)
    paint_land(canvas)
    if Thing.LIGHTHOUSE in canvas.scene.things:
        paint_lighthouse(canvas)
    if canvas.scene.water:
        paint_water(canvas)
    paint_weather(canvas)
    finish(canvas)
    if canvas.picture.size == (width, height):
        return canvas.picture
    larger = width * height > canvas.width * canvas.height
    how = Image.Resampling.BICUBIC if larger else Image.Resampling.BOX
    return canvas.picture.resize((width, height), how)


def coarse(picture: Image.Image, share: float) -> Image.Image:
    """Return an early state of a picture, the more blurred the lower the share (0..1) done."""
    small = picture.copy()
    side = max(4, round(10 + 90 * share**2))
    small.thumbnail((side, side), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(0.8))
    return soft.resize(picture.size, Image.Resampling.BICUBIC)


def _open_canvas(scene: Scene, rng: Random, width: int, height: int) -> Canvas:
    """Choose the colours, and where the horizon and the sun stand."""
    palette = palette_for(scene, rng)
    unit = min(math.sqrt(width * height), 1.35 * min(width, height))
    horizon = height * (rng.uniform(0.53, 0.62) if scene.water else rng.uniform(0.46, 0.56))
    low = scene.time in {Time.SUNSET, Time.DAWN, Time.DUSK}
    above = unit * (rng.uniform(0.05, 0.30) if low else rng.uniform(0.30, 0.46))
    x = width * rng.choice((rng.uniform(0.2, 0.42), rng.uniform(0.58, 0.8)))
    sun = (x, max(unit * 0.1, horizon - above))
    radius = unit * (rng.uniform(0.034, 0.068) if low else rng.uniform(0.028, 0.05))
    picture = Image.new('RGB', (width, height))
    return Canvas(picture, width, height, rng, scene, palette, horizon, sun, radius, unit)
