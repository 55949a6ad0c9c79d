"""The demo's work with pixels; it runs in threads and is imported only when something is drawn."""

import io

from PIL import Image, ImageChops, ImageFilter

from app.demo.painter.brush import veil
from app.demo.painter.scene import coarse, draw
from app.demo.request import MOST_PIXELS, SIDES, DrawRequest, RequestError

_COMPRESSION = 3  # of 9: twice as quick as 6 for a tenth more bytes


def draw_stages(spec: DrawRequest, index: int) -> list[bytes]:
    """Return one picture as PNG files: the early states that were asked for, then the picture."""
    return _stages(spec, draw(spec.prompt, spec.seed + index, *spec.size_or_default))


def edit_stages(spec: DrawRequest, original: bytes, mask: bytes | None, index: int) -> list[bytes]:
    given = _opened(original, 'image').convert('RGBA')
    scale = min(1.0, SIDES[-1] / max(given.size))
    own_size = [max(SIDES[0], round(side * scale)) for side in given.size]
    size = spec.size or (own_size[0], own_size[1])
    given = given.resize(size, Image.Resampling.LANCZOS)
    sketch = draw(spec.prompt, spec.seed + index, *size)
    cover = _opened(mask, 'mask').convert('RGBA').resize(size) if mask else given
    hole = ImageChops.invert(cover.getchannel('A'))
    base = given.convert('RGB')
    if hole.getbbox() is None:  # the whole picture in the light of the sketch, whose land fades in
        base = Image.blend(base, ImageChops.soft_light(base, sketch), 0.85)
        hole = veil(size, lambda at: 0.6 * max(0.0, at - 0.45) / 0.55)
    else:
        hole = hole.filter(ImageFilter.BoxBlur(max(size) * 0.004))
    return _stages(spec, Image.composite(sketch, base, hole))


def _stages(spec: DrawRequest, picture: Image.Image) -> list[bytes]:
    partials = spec.partials if spec.streams else 0
    early = [coarse(picture, (number + 1) / (partials + 1)) for number in range(partials)]
    files = []
    for stage in (*early, picture):
        file = io.BytesIO()
        stage.save(file, 'PNG', compress_level=_COMPRESSION)
        files.append(file.getvalue())
    return files


def _opened(content: bytes, param: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content), formats=('PNG', 'JPEG', 'WEBP'))
        if picture.width * picture.height > MOST_PIXELS:
            message = f"'{param}' must have at most {MOST_PIXELS} pixels."
            raise RequestError(message, param, 'image_too_large')
        picture.load()
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        message = f"'{param}' is not a picture that can be read."
        raise RequestError(message, param, 'invalid_image') from error
    return picture
