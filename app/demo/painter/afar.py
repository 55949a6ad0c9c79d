"""What stands on the horizon or hangs in the sky: lighthouse, castle, balloons, birds."""

import math
from random import Random

from PIL import Image, ImageChops

from app.demo.painter.brush import Point, Stencil, glow, profile, ramp
from app.demo.painter.growth import bird
from app.demo.painter.land import Line, tone
from app.demo.painter.palette import Colour
from app.demo.painter.prompt import Thing, Time
from app.demo.painter.sky import Stage


def paint_afar(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Adds what stands on the horizon or hangs in the sky, before water mirrors it."""
    things = stage.scene.things
    if Thing.CASTLE in things:
        _castle(picture, stage, rng)
    if Thing.BALLOON in things:
        _balloons(picture, stage, rng)
    if Thing.BIRDS in things or (rng.random() < 0.4 and stage.scene.time is not Time.NIGHT):
        _birds(picture, stage, rng)
    if Thing.LIGHTHOUSE in things:
        _lighthouse(picture, stage, rng)


def _birds(picture: Image.Image, stage: Stage, rng: Random) -> None:
    flock_x = rng.uniform(0.2, 0.8) * picture.width
    flock_y = rng.uniform(0.22, 0.6) * stage.horizon
    stencil = Stencil(picture, 0, stage.horizon)
    for _ in range(rng.randint(3, 9)):
        x = flock_x + rng.gauss(0, 0.09) * stage.unit
        y = flock_y + rng.gauss(0, 0.04) * stage.unit
        bird(stencil, (x, y), stage.unit * rng.uniform(0.014, 0.03), rng)
    dark = stage.palette.near if not stage.scene.dark else stage.palette.near.lighter(0.02)
    stencil.fill(dark, 0.75)


def _lighthouse(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """A banded tower on a rock at the edge of the water, its lamp lit in the dark."""
    unit, side = stage.unit, rng.choice((0.24, 0.76))
    x, foot = picture.width * side, stage.horizon + 1
    rock: Line = []
    for step, level in enumerate(profile(rng, 61, 9, 0.95)):
        at = step / 60 * 2 - 1
        bulk = (1 - abs(at) ** 1.6) * (0.055 + 0.035 * level)
        rock.append((x + at * unit * 0.30, foot - unit * bulk))
    stencil = Stencil(picture, foot - unit * 0.1, foot)
    stencil.polygon(rock)
    tall, half = unit * 0.33, unit * 0.031
    base = foot - unit * 0.06
    lamp = (x, base - tall * 1.045)
    if stage.scene.dark:
        _beam(picture, lamp, stage, 1 if side < 0.5 else -1)
    _tower(picture, stage, (x, base), tall, half)
    stencil.fill(tone(stage, 0.93))
    if stage.scene.dark:
        glow(picture, lamp, unit * 0.13, stage.palette.lamp, 1.0)
        glow(picture, lamp, unit * 0.03, Colour(0.98, 0.03, 95), 1.0)


def _tower(picture: Image.Image, stage: Stage, foot: Point, tall: float, half: float) -> None:
    x, base = foot
    top = base - tall
    body = Stencil(picture, top - tall * 0.2, base + 2)
    body.polygon(
        [(x - half, base), (x - half * 0.66, top), (x + half * 0.66, top), (x + half, base)]
    )
    mask = body.mask()
    wall = stage.palette.snow.toward(stage.palette.horizon, 0.2)
    wall = wall.lighter(-0.02) if not stage.scene.dark else wall.toward(stage.palette.near, 0.18)
    picture.paste(wall.rgb, body.box, mask)
    bands = Stencil(picture, body.box[1], body.box[3])
    for band in range(3):
        bands.block(x - half * 2, base - tall * (0.28 + 0.28 * band), half * 4, tall * 0.13)
    red = stage.palette.accent.toward(stage.palette.near, 0.15)
    picture.paste(red.rgb, body.box, ImageChops.multiply(bands.mask(), mask))
    shade = Stencil(picture, body.box[1], body.box[3])
    away = 1 if x > stage.sun[0] else -1
    shade.polygon([(x, base), (x, top), (x + away * half, top), (x + away * half, base)])
    picture.paste(stage.palette.near.rgb, body.box, ImageChops.multiply(shade.mask(0.34), mask))
    head = Stencil(picture, body.box[1], body.box[3])
    head.block(x - half * 0.95, top - tall * 0.012, half * 1.9, tall * 0.026)
    head.polygon(
        [
            (x - half * 0.62, top - tall * 0.085),
            (x, top - tall * 0.16),
            (x + half * 0.62, top - tall * 0.085),
        ]
    )
    for post in (-0.5, 0.0, 0.5):
        head.line([(x + half * post, top), (x + half * post, top - tall * 0.09)], half * 0.09)
    lamp = Stencil(picture, body.box[1], body.box[3])
    lamp.block(x - half * 0.5, top - tall * 0.088, half, tall * 0.082)
    lamp.fill(stage.palette.lamp if stage.scene.dark else stage.palette.cloud)
    head.fill(tone(stage, 0.95))


def _beam(picture: Image.Image, lamp: Point, stage: Stage, way: int) -> None:
    """A cone of light that fades as it leaves the lamp."""
    x, y = lamp
    reach = stage.unit * 0.8
    cone = Stencil(picture, y - reach * 0.3, y + reach * 0.3)
    for step in range(16):
        spread = reach * 0.085 * (1 - step / 16)
        end = y - reach * 0.05
        cone.polygon(
            [(x, y), (x + way * reach, end - spread), (x + way * reach, end + spread)],
            16 + step * 15,
        )
    fall = Image.new('L', (64, 1))
    for step in range(64):
        fall.putpixel((step if way > 0 else 63 - step, 0), round(255 * (1 - step / 63) ** 1.6))
    whole = Image.new('L', picture.size)
    left = round(x if way > 0 else x - reach)
    long = fall.resize((max(1, round(reach)), picture.height), Image.Resampling.BICUBIC)
    whole.paste(long, (left, 0))
    mask = ImageChops.multiply(cone.mask(0.62), whole.crop(cone.box))
    picture.paste(stage.palette.lamp.rgb, cone.box, mask)


def _balloons(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Hot-air balloons, the largest in the named colour."""
    count = rng.randint(2, 5)
    for index in range(count):
        size = stage.unit * (0.035 + 0.075 * (index / (count - 1)) ** 1.6)
        x = picture.width * (0.12 + 0.76 * ((index * 0.618 + rng.random() * 0.15) % 1))
        y = stage.horizon * rng.uniform(0.22, 0.62)
        air = 0.55 * (1 - index / (count - 1)) ** 0.8
        hue = stage.palette.accent.hue + (0 if index == count - 1 else rng.uniform(-70, 70))
        colour = Colour(0.62, 0.17, hue).toward(stage.palette.middle, air)
        _balloon(picture, stage, (x, y), size, colour)


def _balloon(
    picture: Image.Image, stage: Stage, centre: Point, size: float, colour: Colour
) -> None:
    x, y = centre
    shape = Stencil(picture, y - size * 1.1, y + size * 1.9)
    shape.ellipse(x, y, size, size)
    shape.polygon(
        [
            (x - size * 0.93, y + size * 0.36),
            (x + size * 0.93, y + size * 0.36),
            (x + size * 0.17, y + size * 1.3),
            (x - size * 0.17, y + size * 1.3),
        ]
    )
    mask = shape.mask()
    high = mask.size
    picture.paste(
        ramp(high, [(0, colour.toward(stage.palette.light, 0.35)), (1, colour.lighter(-0.14))]),
        shape.box,
        mask,
    )
    gores = Stencil(picture, y - size * 1.1, y + size * 1.9)
    for width in (0.78, 0.28):
        gores.ellipse(x, y + size * 0.15, size * width, size * 1.18, 255)
        gores.ellipse(x, y + size * 0.15, size * (width - 0.25), size * 1.18, 0)
    stripe = colour.toward(stage.palette.light, 0.6)
    picture.paste(stripe.rgb, shape.box, ImageChops.multiply(gores.mask(0.62), mask))
    basket = Stencil(picture, y - size * 1.1, y + size * 1.9)
    basket.block(x - size * 0.13, y + size * 1.52, size * 0.26, size * 0.2)
    for way in (-1, 1):
        basket.line(
            [(x + way * size * 0.15, y + size * 1.28), (x + way * size * 0.11, y + size * 1.54)],
            max(0.6, size * 0.02),
        )
    basket.fill(stage.palette.near.toward(colour, 0.2))


def _castle(picture: Image.Image, stage: Stage, rng: Random) -> None:
    """Towers with pointed roofs on a hill in the middle distance."""
    unit, x = stage.unit, picture.width * rng.uniform(0.36, 0.64)
    foot = stage.horizon + unit * (0.06 if not stage.scene.water else 0.0)
    stencil = Stencil(picture, foot - unit * 0.5, foot + (0 if stage.scene.water else unit * 0.3))
    hill = [
        (x + unit * 0.42 * at / 20, foot - unit * 0.12 * math.exp(-((at / 9) ** 2)))
        for at in range(-20, 21)
    ]
    stencil.polygon(
        [*hill, (x + unit * 0.6, foot + unit * 0.3), (x - unit * 0.6, foot + unit * 0.3)]
    )
    lamps = Stencil(picture, foot - unit * 0.5, foot + (0 if stage.scene.water else unit * 0.3))
    for way, wide, tall in (
        (0, 0.050, 0.21),
        (-0.075, 0.036, 0.15),
        (0.08, 0.040, 0.17),
        (-0.13, 0.03, 0.10),
        (0.135, 0.03, 0.11),
        (0.03, 0.025, 0.26),
    ):
        left, top = x + unit * (way - wide / 2), foot - unit * (tall + 0.09)
        stencil.block(left, top, unit * wide, unit * tall)
        stencil.polygon(
            [
                (left - unit * 0.008, top + 1),
                (left + unit * (wide + 0.008), top + 1),
                (left + unit * wide / 2, top - unit * wide * 1.5),
            ]
        )
        lamps.block(left + unit * wide * 0.38, top + unit * 0.025, unit * wide * 0.24, unit * 0.016)
    stencil.block(x - unit * 0.14, foot - unit * 0.16, unit * 0.28, unit * 0.09)
    stencil.fill(tone(stage, 0.45))
    lamps.fill(stage.palette.lamp if stage.scene.dark else stage.palette.horizon, 0.9)
