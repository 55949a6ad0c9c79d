"""The colours of a sketch, chosen in OKLCH so that equal steps look equal."""

import math
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from app.demo.painter.prompt import Ground, Scene, Thing, Time, Weather


class Colour(NamedTuple):
    """A colour in OKLab: lightness 0..1, from green to red, from blue to yellow."""

    lightness: float
    red: float
    yellow: float

    @classmethod
    def of(cls, rgb: tuple[int, int, int]) -> 'Colour':
        """Read 8 bit sRGB."""
        red, green, blue = (_decode(channel) for channel in rgb)
        long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
        medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
        short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
        return cls(
            0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
        )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """8 bit sRGB, clipped. Source: bottosson.github.io/posts/oklab."""
        light, a, b = self
        long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            _encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
            _encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
            _encode(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
        )

    def toward(self, other: 'Colour', share: float) -> 'Colour':
        """Return the colour `share` of the way to the other."""
        return Colour(*(one + (two - one) * share for one, two in zip(self, other, strict=True)))

    def lighter(self, step: float) -> 'Colour':
        return self._replace(lightness=min(0.99, max(0.03, self.lightness + step)))


def _encode(linear: float) -> int:
    if linear <= 0.0031308:
        return round(max(0.0, linear * 12.92 * 255))
    return round(min(255.0, (1.055 * math.pow(linear, 1 / 2.4) - 0.055) * 255))


def _decode(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else math.pow((share + 0.055) / 1.055, 2.4)


def oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """Return a colour from lightness 0..1, chroma 0..0.37 and hue in degrees."""
    turn = math.radians(hue)
    return Colour(lightness, chroma * math.cos(turn), chroma * math.sin(turn))


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours one landscape is painted with."""

    top: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    near: Colour
    cloud: Colour
    snow: Colour


LAMP = oklch(0.90, 0.115, 82)
# top, middle, horizon, near, light: each lightness and chroma in thousandths, hue in degrees.
_TIMES = {
    Time.DAWN: ((600, 85, 268), (780, 75, 345), (910, 75, 68), (310, 60, 278), (975, 60, 88)),
    Time.DAY: ((580, 120, 250), (760, 85, 238), (935, 30, 215), (330, 60, 185), (985, 35, 100)),
    Time.SUNSET: ((420, 105, 292), (655, 150, 30), (865, 130, 74), (200, 55, 320), (965, 80, 83)),
    Time.DUSK: ((250, 75, 270), (440, 105, 305), (720, 125, 42), (145, 40, 280), (930, 70, 80)),
    Time.NIGHT: ((125, 40, 272), (215, 65, 264), (400, 75, 240), (85, 25, 262), (950, 30, 95)),
}
# Turns of the whole palette that stay pleasant; most pictures keep the natural colours.
_TURNS = (0.0, 0.0, 0.0, 0.0, -40.0, 28.0)
# The share of their colour that the sky and the land keep.
_KEPT_COLOUR = {Weather.RAIN: 0.48, Weather.FOG: 0.60, Weather.SNOW: 0.55}


def palette_for(scene: Scene, rng: Random) -> Palette:
    """Choose the palette of a scene: its hour, its weather, and the colours its words name."""
    natural = not scene.world_hues and not scene.grey
    varied = natural and scene.time is not Time.DAY
    turn = rng.uniform(-10, 10) + (rng.choice(_TURNS) if varied else 0.0)
    turns = (turn, turn, turn, turn, 0.0)
    kept = _KEPT_COLOUR.get(scene.weather, 1.0)
    top, middle, horizon, near, light = (
        _named_hue(oklch(lightness / 1000, chroma * kept / 1000, hue + turned), scene)
        for (lightness, chroma, hue), turned in zip(_TIMES[scene.time], turns, strict=True)
    )
    near = _ground_colour(scene, near) if natural else near
    if kept < 1:
        drop = -0.10 if scene.weather is Weather.RAIN else 0.0
        drop = 0.07 if scene.time is Time.NIGHT else drop
        top = top.toward(horizon, 0.28).lighter(drop)
        middle = middle.toward(horizon, 0.22).lighter(drop)
        light, horizon = light.toward(horizon, 0.35), horizon.lighter(drop)
    if scene.ground is Ground.CITY and scene.dark:
        horizon = horizon.toward(oklch(0.60, 0.12, 42), 0.45)
    cloud = middle.toward(horizon, 0.5) if scene.dark else horizon.toward(light, 0.55)
    snow = oklch(0.965, 0.012, 240).toward(middle, 0.42 if scene.dark else 0.16)
    return Palette(top, middle, horizon, light, near, cloud, snow)


def _ground_colour(scene: Scene, near: Colour) -> Colour:
    """Return the colour of the nearest ground: its own by day, nearly black against the light."""
    own = {Time.DAY: 0.75, Time.DAWN: 0.30}.get(scene.time, 0.12)
    if scene.winter:
        return near.toward(oklch(0.36, 0.045, 250), own)
    if Thing.AUTUMN in scene.things:
        return near.toward(oklch(0.40, 0.105, 48), own + 0.1)
    if scene.ground is Ground.DESERT:
        return near.toward(oklch(0.45, 0.105, 42), own + 0.1)
    if scene.ground in {Ground.HILLS, Ground.FOREST}:
        return near.toward(oklch(0.33, 0.075, 148), own)
    return near


def _named_hue(colour: Colour, scene: Scene) -> Colour:
    """Turn a colour to the hue that the prompt names: the first where bright, the last in shade."""
    if not scene.world_hues:
        return colour.toward(Colour(colour.lightness, 0, 0), 0.88) if scene.grey else colour
    hue = scene.world_hues[0] if colour.lightness > 0.5 else scene.world_hues[-1]
    if 75 < hue < 125 and colour.lightness < 0.7:
        hue = 56  # dark yellow is olive; shadows of a yellow world are brown
    chroma = max(math.hypot(colour.red, colour.yellow), 0.085) * 1.1
    return colour.toward(oklch(colour.lightness, chroma, hue), 0.82)
