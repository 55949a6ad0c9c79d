"""Water: a mirror of what stands above it, broken by ripples and glitter."""

import math
from random import Random

from PIL import Image, ImageFilter

from app.demo.painter.brush import Stencil, veil
from app.demo.painter.prompt import Time
from app.demo.painter.sky import Stage


def paint_water(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Paint from the horizon to the lower edge what the upper part shows."""
    top = round(stage.horizon)
    width, depth = picture.width, picture.height - top
    if depth < 2 or top < 2:
        return
    _reflect(picture, stage, rng, top)
    palette = stage.palette
    deep = palette.top.toward(palette.near, 0.45)
    box = (0, top, width, picture.height)
    picture.paste(deep.rgb, box, veil((width, depth), lambda at: 0.10 + 0.58 * at**0.9))
    _waves(picture, stage, rng, top)
    if stage.scene.time is not Time.DAY or rng.random() < 0.6:
        _glitter(picture, stage, rng, top)
    shine = veil((width, depth), lambda at: 0.55 * math.exp(-at * 22))
    picture.paste(palette.horizon.rgb, box, shine)


def _reflect(picture: Image.Image, stage: Stage, rng: Random, top: int) -> None:
    """Turn the upper part over and shifts it strip by strip, more so towards the viewer."""
    width, depth = picture.width, picture.height - top
    source = picture.crop((0, max(0, top - depth), width, top))
    mirror = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
    mirror = mirror.filter(ImageFilter.BoxBlur((stage.unit * 0.001, stage.unit * 0.006)))
    y, phase = 0, rng.uniform(0, 6.28)
    while y < depth:
        near = y / depth
        thick = max(1, round(stage.unit * (0.001 + 0.004 * near)))
        swing = math.sin(y * 0.9 + phase) + 0.6 * rng.uniform(-1, 1)
        shift = round(swing * stage.unit * (0.0015 + 0.012 * near))
        # The plain strip first: it shows at the side that the shifted one leaves open.
        picture.paste(mirror.crop((0, y, width, y + thick)), (0, top + y))
        moved = mirror.crop((max(0, -shift), y, min(width, width - shift), y + thick))
        picture.paste(moved, (max(0, shift), top + y))
        y += thick


def _waves(picture: Image.Image, stage: Stage, rng: Random, top: int) -> None:
    """Paint thin bright and dark strokes that widen towards the viewer."""
    palette, depth = stage.palette, picture.height - top
    for colour, opacity in ((palette.horizon, 0.24), (palette.near, 0.30), (palette.middle, 0.25)):
        stencil = Stencil(picture, top, picture.height)
        for _ in range(round(260 * picture.width / stage.unit)):
            near = rng.random() ** 1.3
            long = stage.unit * (0.006 + 0.055 * near) * rng.uniform(0.4, 1.3)
            x, y = rng.uniform(-long, picture.width + long), top + 2 + near * depth
            thick = max(0.35, stage.unit * (0.0004 + 0.0011 * near))
            stencil.ellipse(x, y, long, thick, rng.randint(50, 255))
        stencil.fill(colour, opacity)


def _glitter(picture: Image.Image, stage: Stage, rng: Random, top: int) -> None:
    """Paint the reflection of the sun on the water."""
    depth = picture.height - top
    stencil = Stencil(picture, top, picture.height)
    for _ in range(520):
        near = rng.random() ** 1.2
        spread = stage.sun_radius * (0.45 + 1.6 * near)
        x = stage.sun[0] + rng.gauss(0, 0.55) * spread
        long = stage.unit * (0.004 + 0.022 * near) * rng.uniform(0.3, 1)
        thick = max(0.35, stage.unit * (0.0005 + 0.0013 * near))
        stencil.ellipse(x, top + near * depth, long, thick, round(240 * (1 - 0.6 * near)))
    stencil.fill(stage.palette.light, 0.85)
