"""Draw a prompt: the same words, seed and size give the same picture everywhere."""

import math
from random import Random

from PIL import Image, ImageFilter

from app.demo.painter.brush import dice
from app.demo.painter.land import paint_far_land, paint_near_land
from app.demo.painter.palette import palette_for
from app.demo.painter.prompt import Ground, Scene, Thing, Time, read_scene
from app.demo.painter.shapes import paint_birds, paint_lighthouse
from app.demo.painter.sky import Stage, paint_sky, paint_space
from app.demo.painter.water import paint_water
from app.demo.painter.weather import finish, paint_weather

_MOST_PIXELS = 2_200_000  # larger pictures are drawn at this size and enlarged
_LEAST_SIDE = 192  # smaller ones are drawn larger and averaged down
_LONGEST_RATIO = 6.0  # longer ones are stretched


def draw(prompt: str, seed: int, width: int, height: int) -> Image.Image:
    """Draw a landscape chosen by the words of the prompt and varied by the seed."""
    rng = dice(prompt, seed)
    size = _working_size(width, height)
    picture = _paint(read_scene(prompt, rng), rng, size)
    if size == (width, height):
        return picture
    larger = width * height > size[0] * size[1]
    how = Image.Resampling.BICUBIC if larger else Image.Resampling.BOX
    return picture.resize((width, height), how)


def coarse(picture: Image.Image, share: float) -> Image.Image:
    """Return an early state of a picture, the more blurred the lower the share (0..1) done."""
    side = max(4, round(10 + 90 * share**2))
    scale = side / max(picture.size)
    small = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
        Image.Resampling.BOX,
    )
    soft = small.filter(ImageFilter.GaussianBlur(0.8))
    return soft.resize(picture.size, Image.Resampling.BICUBIC)


def _working_size(width: int, height: int) -> tuple[int, int]:
    """Return the size to draw at: bounded in pixels, in its short side and in its ratio."""
    wide, high = float(width), float(height)
    if wide > high * _LONGEST_RATIO:
        high = wide / _LONGEST_RATIO
    elif high > wide * _LONGEST_RATIO:
        wide = high / _LONGEST_RATIO
    scale = max(1.0, _LEAST_SIDE / min(wide, high))
    scale = min(scale, math.sqrt(_MOST_PIXELS / (wide * high)))
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _paint(scene: Scene, rng: Random, size: tuple[int, int]) -> Image.Image:
    picture = Image.new('RGB', size)
    stage = _set_stage(scene, rng, size)
    if scene.ground is Ground.SPACE:
        paint_space(picture, stage, rng)
        return finish(picture, rng)
    paint_sky(picture, stage, rng)
    paint_far_land(picture, stage, rng)
    if scene.water:
        paint_near_land(picture, stage, rng)
    if rng.random() < 0.4 and scene.time is not Time.NIGHT:
        paint_birds(picture, stage, rng)
    if Thing.LIGHTHOUSE in scene.things:
        paint_lighthouse(picture, stage, rng)
    if scene.water:
        paint_water(picture, stage, rng)
    else:
        paint_near_land(picture, stage, rng)
    paint_weather(picture, stage, rng)
    return finish(picture, rng)


def _set_stage(scene: Scene, rng: Random, size: tuple[int, int]) -> Stage:
    """Choose where the horizon and the sun stand."""
    width, height = size
    palette = palette_for(scene, rng)
    unit = min(math.sqrt(width * height), 1.35 * min(width, height))
    horizon = height * (rng.uniform(0.53, 0.62) if scene.water else rng.uniform(0.46, 0.56))
    low = scene.time in {Time.SUNSET, Time.DAWN, Time.DUSK}
    above = rng.uniform(0.05, 0.30) if low else rng.uniform(0.30, 0.46)
    sun = (width * rng.choice((rng.uniform(0.2, 0.42), rng.uniform(0.58, 0.8))), 0.0)
    sun = (sun[0], max(unit * 0.1, horizon - unit * above))
    radius = unit * (rng.uniform(0.034, 0.068) if low else rng.uniform(0.028, 0.05))
    return Stage(scene, palette, horizon, sun, radius, unit)
