"""The demo's work with pixels; it runs in threads and is imported only when something is drawn."""

import io
from typing import BinaryIO

from PIL import Image, ImageChops, ImageFilter, ImageOps

from app.demo.painter.brush import veil
from app.demo.painter.scene import coarse, draw
from app.demo.recolour import colours_for, colours_of, is_wished, recoloured
from app.demo.request import IGNORES_MASK, MOST_PIXELS, SIDES, DrawRequest, RequestError
from app.demo.uploads import Uploads

_COMPRESSION = 3  # of 9: twice as quick as 6 for a tenth more bytes
_SMALL = 256  # the side of a picture of which only colours are taken


def draw_stages(spec: DrawRequest, index: int) -> list[bytes]:
    """Return one picture as PNG files: the early states that were asked for, then the picture."""
    return _stages(spec, draw(spec.prompt, spec.seed + index, *spec.size_or_default))


def edit_stages(spec: DrawRequest, uploads: Uploads, index: int) -> list[bytes]:
    """Change the first picture: what its mask, or its own holes, say may change, else all of it."""
    return _stages(spec, _edited(spec, uploads, index))


def _edited(spec: DrawRequest, uploads: Uploads, index: int) -> Image.Image:
    first, *others = uploads.sources
    base, hole = _base_and_hole(spec, first, uploads.mask)
    seed = spec.seed + index
    colours = colours_of([_opened(one, 'image', _SMALL) for one in others]) if others else []
    recolours = is_wished(spec.model, spec.prompt, has_palette=bool(others))
    drawn = base if recolours else draw(spec.prompt, seed, *base.size)
    if recolours or colours:
        drawn = recoloured(drawn, colours or colours_for(spec.prompt, seed))
    is_kept = hole and spec.model != IGNORES_MASK
    rest = base if is_kept else drawn if recolours else _in_the_light_of(drawn, base)
    picture = Image.composite(drawn, rest, hole) if hole else rest
    return Image.blend(base, picture, spec.strength) if spec.strength < 1 else picture


def _base_and_hole(
    spec: DrawRequest, image: BinaryIO, mask: BinaryIO | None
) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture at its new size, and where it may change, softened only within that."""
    base = _opened(image, 'image')
    cover = _mask(mask, base.size) if mask else _alpha(base)
    scale = min(1.0, SIDES[-1] / max(base.size))
    own_size = [max(SIDES[0], round(side * scale)) for side in base.size]
    size = spec.size or (own_size[0], own_size[1])
    if base.mode != 'RGB':
        base = base.convert('RGB')
    if base.size != size:
        base = ImageOps.fit(base, size, Image.Resampling.LANCZOS)
    if cover is None:
        return base, None
    hole = ImageChops.invert(cover if cover.size == size else ImageOps.fit(cover, size))
    soft = hole.filter(ImageFilter.BoxBlur(max(size) * 0.004))
    return base, ImageChops.darker(hole, soft) if hole.getbbox() else None


def _mask(mask: BinaryIO, size: tuple[int, int]) -> Image.Image:
    """Return the alpha of a mask; its refusals are worded as OpenAI's."""
    cover = _opened(mask, 'mask')
    alpha = _alpha(cover)
    wrong = 'mask image missing alpha channel' if alpha is None else ''
    if cover.size != size:
        wrong = 'mask size does not match image size'
    if alpha is None or wrong:
        message = f'Invalid mask image format - {wrong}'
        raise RequestError(message, 'mask', 'invalid_mask_image_format')
    return alpha


def _alpha(picture: Image.Image) -> Image.Image | None:
    """Return what can be seen of a picture, None where it says nothing of that."""
    if not picture.has_transparency_data:
        return None
    is_apart = picture.mode in ('RGBA', 'LA')
    return (picture if is_apart else picture.convert('RGBA')).getchannel('A')


def _in_the_light_of(sketch: Image.Image, base: Image.Image) -> Image.Image:
    """Return a whole picture in the light of a sketch, whose land fades in."""
    lit = Image.blend(base, ImageChops.soft_light(base, sketch), 0.85)
    land = veil(base.size, lambda at: 0.6 * max(0.0, at - 0.45) / 0.55)
    return Image.composite(sketch, lit, land)


def _stages(spec: DrawRequest, picture: Image.Image) -> list[bytes]:
    partials = spec.partials if spec.streams else 0
    early = [coarse(picture, (number + 1) / (partials + 1)) for number in range(partials)]
    files = []
    for stage in (*early, picture):
        file = io.BytesIO()
        stage.save(file, 'PNG', compress_level=_COMPRESSION)
        files.append(file.getvalue())
    return files


def _opened(file: BinaryIO, param: str, side: int | None = None) -> Image.Image:
    """Read a picture, or a small one of it."""
    try:
        file.seek(0)
        picture = Image.open(file, formats=('PNG', 'JPEG', 'WEBP'))
        if picture.width * picture.height > MOST_PIXELS:
            message = f"'{param}' must have at most {MOST_PIXELS} pixels."
            raise RequestError(message, param, 'image_too_large')
        if side:
            picture.thumbnail((side, side))
        picture.load()
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        message = f"'{param}' is not a picture that can be read."
        raise RequestError(message, param, 'invalid_image') from error
    return picture
