"""The colours of a sketch, chosen in OKLCH so that equal steps look equal."""

import math
from dataclasses import dataclass, replace
from random import Random

from app.demo.painter.prompt import Ground, Scene, Thing, Time, Weather

Lab = tuple[float, float, float]
Rgb = tuple[int, int, int]


def lab_to_rgb(lab: Lab) -> Rgb:
    """Convert OKLab to 8 bit sRGB, clipped."""
    red, green, blue = lab_to_srgb(lab)
    return round(red), round(green), round(blue)


def lab_to_srgb(lab: Lab) -> tuple[float, float, float]:
    """Convert OKLab to sRGB within 0..255, not rounded. Source: bottosson.github.io/posts/oklab."""
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _encode(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def mix_lab(one: Lab, other: Lab, share: float) -> Lab:
    """Return the colour `share` of the way from one to the other."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def _encode(linear: float) -> float:
    if linear <= 0.0031308:
        return max(0.0, linear * 12.92 * 255)
    return min(255.0, (1.055 * math.pow(linear, 1 / 2.4) - 0.055) * 255)


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in OKLCH: lightness 0..1, chroma 0..0.37, hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    @property
    def lab(self) -> Lab:
        turn = math.radians(self.hue)
        return (self.lightness, self.chroma * math.cos(turn), self.chroma * math.sin(turn))

    @property
    def rgb(self) -> Rgb:
        return lab_to_rgb(self.lab)

    def toward(self, other: 'Colour', share: float) -> 'Colour':
        """Return the colour `share` of the way to the other, straight through OKLab."""
        light, a, b = mix_lab(self.lab, other.lab, share)
        return Colour(light, math.hypot(a, b), math.degrees(math.atan2(b, a)))

    def lighter(self, step: float) -> 'Colour':
        """Return the same hue, lighter by a step, or darker by a negative one."""
        return replace(self, lightness=min(0.99, max(0.03, self.lightness + step)))


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours one landscape is painted with."""

    top: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    near: Colour
    cloud: Colour
    accent: Colour
    snow: Colour
    lamp: Colour


# top, middle, horizon, light, near: each lightness, chroma, hue.
_TIMES: dict[Time, tuple[tuple[float, float, float], ...]] = {
    Time.DAWN: (
        (0.60, 0.085, 268), (0.78, 0.075, 345), (0.91, 0.075, 68), (0.975, 0.060, 88),
        (0.31, 0.060, 278),
    ),
    Time.DAY: (
        (0.58, 0.120, 250), (0.76, 0.085, 238), (0.935, 0.030, 215), (0.985, 0.035, 100),
        (0.33, 0.060, 185),
    ),
    Time.SUNSET: (
        (0.42, 0.105, 292), (0.655, 0.150, 30), (0.865, 0.130, 74), (0.965, 0.080, 83),
        (0.20, 0.055, 320),
    ),
    Time.DUSK: (
        (0.25, 0.075, 270), (0.44, 0.105, 305), (0.72, 0.125, 42), (0.93, 0.070, 80),
        (0.145, 0.040, 280),
    ),
    Time.NIGHT: (
        (0.125, 0.040, 272), (0.215, 0.065, 264), (0.40, 0.075, 240), (0.95, 0.030, 95),
        (0.085, 0.025, 262),
    ),
}  # fmt: skip
# Whole-sky turns that stay pleasant; most pictures keep the natural colours.
_TURNS = (0.0, 0.0, 0.0, 0.0, -40.0, 28.0)


def palette_for(scene: Scene, rng: Random) -> Palette:
    """Choose the palette of a scene: its hour, its weather, and the colours its words name."""
    free = not scene.world_hues and not scene.grey and scene.time is not Time.DAY
    turn = rng.uniform(-10, 10) + (rng.choice(_TURNS) if free else 0.0)
    top, middle, horizon, light, near = (
        Colour(lightness + rng.uniform(-0.015, 0.015), chroma * rng.uniform(0.92, 1.12), hue + turn)
        for lightness, chroma, hue in _TIMES[scene.time]
    )
    light = replace(light, hue=light.hue - turn)
    near = _ground_colour(scene, near)
    sky = _dressed((top, middle, horizon, light, near), scene)
    top, middle, horizon, light, near = (_named_hue(colour, scene) for colour in sky)
    if scene.ground is Ground.CITY and scene.dark:
        horizon = horizon.toward(Colour(0.60, 0.12, 42), 0.45)
    cloud = horizon.toward(light, 0.55) if not scene.dark else middle.toward(horizon, 0.5)
    accent_hue = scene.accent_hues[0] if scene.accent_hues else rng.choice((18.0, 28.0, 60.0))
    shade = 0.57 if not scene.dark else 0.48
    return Palette(
        top=top, middle=middle, horizon=horizon, light=light, near=near, cloud=cloud,
        accent=Colour(shade, 0.185, accent_hue),
        snow=Colour(0.965, 0.012, 240).toward(middle, 0.16 if not scene.dark else 0.42),
        lamp=Colour(0.90, 0.115, 82),
    )  # fmt: skip


def _ground_colour(scene: Scene, near: Colour) -> Colour:
    """Return the colour of the nearest ground: its own by day, nearly black against the light."""
    own = {Time.DAY: 0.75, Time.DAWN: 0.30}.get(scene.time, 0.12)
    if Thing.WINTER in scene.things:
        return near.toward(Colour(0.36, 0.045, 250), own)
    if Thing.AUTUMN in scene.things:
        return near.toward(Colour(0.40, 0.105, 48), own + 0.1)
    if scene.ground is Ground.DESERT:
        return near.toward(Colour(0.45, 0.105, 42), own + 0.1)
    if scene.ground in {Ground.HILLS, Ground.FOREST}:
        return near.toward(Colour(0.33, 0.075, 148), own)
    return near


def _dressed(colours: tuple[Colour, ...], scene: Scene) -> tuple[Colour, ...]:
    """Dull and even the colours of the sky in bad weather."""
    keep = {Weather.RAIN: 0.48, Weather.FOG: 0.60, Weather.SNOW: 0.55}.get(scene.weather, 1.0)
    if keep == 1.0:
        return colours
    top, middle, horizon, light, near = (
        replace(colour, chroma=colour.chroma * keep) for colour in colours
    )
    drop = -0.10 if scene.weather is Weather.RAIN else 0.0
    if scene.time is Time.NIGHT:
        drop = 0.07
    return (
        top.toward(horizon, 0.28).lighter(drop),
        middle.toward(horizon, 0.22).lighter(drop),
        horizon.lighter(drop),
        light.toward(horizon, 0.35),
        near,
    )


def _named_hue(colour: Colour, scene: Scene) -> Colour:
    """Turn a colour to the hue that the prompt names."""
    if scene.grey and not scene.world_hues:
        return replace(colour, chroma=colour.chroma * 0.12)
    if not scene.world_hues:
        return colour
    # The darker half takes the second named hue, the brighter half the first.
    hue = scene.world_hues[0] if colour.lightness > 0.5 else scene.world_hues[-1]
    if 75 < hue < 125 and colour.lightness < 0.7:
        hue = 56  # dark yellow is olive; shadows of a yellow world are brown
    pull = Colour(colour.lightness, max(colour.chroma, 0.085) * 1.1, hue)
    return colour.toward(pull, 0.82)
