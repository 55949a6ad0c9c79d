"""Recolouring: other colours for the same light and shade."""

import re
from collections.abc import Sequence
from random import Random

from PIL import Image

from app.demo.painter.palette import Colour, oklch
from app.demo.painter.prompt import named_hues, names_grey, names_scene, names_sepia
from app.demo.request import RECOLOUR

_WISHES = re.compile(r'(?i)\b(recolou?r|repaint|tint|перекрас|раскрас|покрас)')
_STEPS = 1024
_BLACK, _WHITE = Colour(0, 0, 0), Colour(1, 0, 0)
_SIDE = 64  # of a picture whose colours are taken
_COLOURS = 6


def is_wished(model: str, prompt: str, *, has_palette: bool) -> bool:
    """Return whether to recolour: a prompt that names colours and no landscape asks for that."""
    named = has_palette or _named_colours(prompt)
    return bool(model == RECOLOUR or _WISHES.search(prompt) or (named and not names_scene(prompt)))


def colours_for(prompt: str, seed: int) -> list[Colour]:
    """Return the colours that a prompt names, dark to light, else one of the seed's choice."""
    return _named_colours(prompt) or [oklch(0.6, 0.16, Random(seed).uniform(0, 360))]  # noqa: S311


def _named_colours(prompt: str) -> list[Colour]:
    """Return the colours that a prompt names; the first is the one of the light."""
    if names_sepia(prompt):
        return [oklch(0.55, 0.06, 62)]
    hues = named_hues(prompt)[::-1]
    steps = len(hues) + 1
    colours = [oklch(0.3 + 0.6 * at / steps, 0.16, hue) for at, hue in enumerate(hues, start=1)]
    return colours or ([oklch(0.5, 0, 0)] if names_grey(prompt) else [])


def colours_of(pictures: Sequence[Image.Image]) -> list[Colour]:
    """Return the main colours of pictures, dark to light."""
    strip = Image.new('RGB', (_SIDE, _SIDE * len(pictures)))
    for number, picture in enumerate(pictures):
        strip.paste(picture.convert('RGB').resize((_SIDE, _SIDE)), (0, _SIDE * number))
    flat = strip.quantize(_COLOURS).getpalette() or []
    triples = zip(flat[::3], flat[1::3], flat[2::3], strict=False)
    return sorted(Colour.of(triple) for triple in triples)


def recoloured(picture: Image.Image, colours: Sequence[Colour]) -> Image.Image:
    """Return a picture in other colours, each pixel as bright as it was (its luma)."""
    return picture.convert('L').convert('RGB').point(_tones(colours))


def _tones(colours: Sequence[Colour]) -> list[int]:
    """Return the colour of each luma 0..255: all reds, all greens, all blues."""
    stops = [_BLACK, *colours, _WHITE]
    tones: list[tuple[int, int, int]] = []
    for step in range(_STEPS):
        lightness = step / (_STEPS - 1)
        after = next(at for at in range(1, len(stops)) if lightness <= stops[at].lightness)
        before, behind = stops[after - 1], stops[after]
        length = behind.lightness - before.lightness
        share = (lightness - before.lightness) / length if length else 1.0
        rgb = before.toward(behind, share)._replace(lightness=lightness).rgb
        tones += [rgb] * (_luma(rgb) + 1 - len(tones))
    return [tone[channel] for channel in range(3) for tone in tones]


def _luma(rgb: tuple[int, int, int]) -> int:
    """Return how bright Pillow finds a colour. Source: ITU-R 601-2."""
    red, green, blue = rgb
    return (red * 299 + green * 587 + blue * 114) // 1000
