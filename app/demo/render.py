"""The demo's work with pixels; it runs in threads and is imported only when something is drawn."""

import io

from PIL import Image, ImageChops, ImageFilter, UnidentifiedImageError

from app.demo.painter.brush import veil
from app.demo.painter.scene import coarse, draw
from app.demo.request import MOST_PIXELS, DrawRequest, RequestError

_COMPRESSION = 3  # of 9: twice as quick as 6 for a tenth more bytes


def draw_stages(spec: DrawRequest, index: int) -> list[bytes]:
    """Return one picture as PNG files: the early states that were asked for, then the picture."""
    picture = draw(spec.prompt, spec.seed + index, *spec.size_or_default)
    return _stages(picture, spec.partials if spec.streams else 0)


def edit_stages(spec: DrawRequest, index: int, original: bytes, mask: bytes | None) -> list[bytes]:
    """Return one edited picture, in the same stages.

    Raises:
        RequestError: The picture or the mask cannot be read.
    """
    given = _opened(original, 'image').convert('RGBA')
    size = spec.size or _within_limits(given.size)
    given = given.resize(size, Image.Resampling.LANCZOS)
    sketch = draw(spec.prompt, spec.seed + index, *size)
    cover = _opened(mask, 'mask').convert('RGBA').resize(size) if mask else given
    hole = ImageChops.invert(cover.getchannel('A'))
    base = given.convert('RGB')
    edited = _tinted(base, sketch) if hole.getbbox() is None else _filled(base, sketch, hole)
    return _stages(edited, spec.partials if spec.streams else 0)


def _tinted(base: Image.Image, sketch: Image.Image) -> Image.Image:
    """Return the whole picture in the light of the sketch, whose land fades in at the foot."""
    light = Image.blend(base, ImageChops.soft_light(base, sketch), 0.85)
    foot = veil(base.size, lambda at: 0.6 * max(0.0, at - 0.45) / 0.55)
    return Image.composite(sketch, light, foot)


def _filled(base: Image.Image, sketch: Image.Image, hole: Image.Image) -> Image.Image:
    """Return the picture with the sketch in the hole, joined along a soft edge."""
    edge = hole.filter(ImageFilter.BoxBlur(max(base.size) * 0.004))
    return Image.composite(sketch, base, edge)


def _stages(picture: Image.Image, partials: int) -> list[bytes]:
    early = [coarse(picture, (index + 1) / (partials + 1)) for index in range(partials)]
    return [_png(stage) for stage in (*early, picture)]


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, 'PNG', compress_level=_COMPRESSION)
    return file.getvalue()


def _opened(content: bytes, param: str) -> Image.Image:
    unreadable = RequestError(
        f"'{param}' is not a picture that can be read.", param, 'invalid_image'
    )
    try:
        picture = Image.open(io.BytesIO(content), formats=('PNG', 'JPEG', 'WEBP'))
        if picture.width * picture.height > MOST_PIXELS:
            message = f"'{param}' must have at most {MOST_PIXELS} pixels."
            raise RequestError(message, param, 'image_too_large')
        picture.load()
    except Image.DecompressionBombError as error:
        raise unreadable from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise unreadable from error
    return picture


def _within_limits(size: tuple[int, int]) -> tuple[int, int]:
    """Return a given picture's own size, each side within what can be asked for."""
    longest = max(size)
    scale = min(1.0, 16384 / longest)
    return max(16, round(size[0] * scale)), max(16, round(size[1] * scale))
