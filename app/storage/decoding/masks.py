"""Reads a mask however it was made, and writes it as Easel keeps it: one channel, white = change.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

from PIL import Image, ImageChops

from app.storage.decoding.shown import Order, save, shown

BLACK, WHITE = 64, 192  # what is darker, and what is brighter, is taken for one of them
LEAST_SEEN = 16  # of alpha: below, nothing is left of what the colour was
MOST_BETWEEN = 0.05  # of the pixels of a drawing in black and white
COMPRESS_LEVEL = 6  # never changed: a mask is known by the bytes of its file


def grey_of(plain: Image.Image) -> Image.Image:
    """Return what may change in white, of a mask in RGB or RGBA.

    Alpha counts only where it is not the same everywhere: strokes of black and white on nothing
    leave the rest as it is, holes in anything else may change, as OpenAI reads them.
    """
    grey = plain.convert('RGB').convert('L')
    if plain.mode != 'RGBA':
        return grey
    alpha = plain.getchannel('A')
    least, most = alpha.getextrema()
    if least == most:
        return grey
    return ImageChops.multiply(grey, alpha) if _is_drawn(grey, alpha) else ImageChops.invert(alpha)


def _is_drawn(grey: Image.Image, alpha: Image.Image) -> bool:
    """Whether what can be seen of a picture is black and white, or white alone."""
    counts = grey.histogram(alpha.point(lambda value: 255 * (value >= LEAST_SEEN)).convert('1'))
    white, between = sum(counts[WHITE:]), sum(counts[BLACK:WHITE])
    return white > 0 and between <= MOST_BETWEEN * sum(counts)


def write_grey(order: Order) -> dict[str, object]:
    """Write a mask to a file that is the same for the same mask; return its size."""
    plain, _ = shown(str(order['path']), str(order['format']))
    save(grey_of(plain), str(order['target']), 'PNG', compress_level=COMPRESS_LEVEL)
    return {'width': plain.width, 'height': plain.height}
