"""A picture to edit, the mask of its middle as OpenAI reads one, and what an edit made of it."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageStat

SIZE = (96, 64)
INSIDE = (32, 16, 80, 56)


def photo() -> Image.Image:
    """Give a slope of light in one hue."""
    light = Image.linear_gradient('L').resize(SIZE)
    return Image.merge('RGB', (light, light.point(lambda at: at // 2), Image.new('L', SIZE, 40)))


def mask(mode: str = 'RGBA', size: tuple[int, int] = SIZE) -> Image.Image:
    """Give a mask whose hole may change."""
    whole = Image.new('RGBA', size, (0, 0, 0, 255))
    whole.paste((255, 255, 255, 0), INSIDE)
    return whole.convert(mode)


def is_kept_outside(edited: Image.Image) -> bool:
    """Whether no pixel differs that the mask protects."""
    difference = ImageChops.difference(edited.convert('RGB'), photo())
    difference.paste(0, INSIDE)
    return difference.getbbox() is None


def mean_of(picture: Image.Image) -> tuple[float, float, float]:
    red, green, blue = ImageStat.Stat(picture.convert('RGB')).mean
    return red, green, blue
