"""What a decoded picture looks like in browsers: its colours, and which side of it is up.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

import contextlib
from io import BytesIO

from PIL import Image, ImageCms

MOST_PROFILE_BYTES = 16_384  # that a thumbnail takes along
# The modes of pictures, by the colour space that a profile names in its header.
PROFILED = {
    b'RGB ': ('RGB', 'RGBA', 'L', 'LA', 'P', 'PA'),
    b'GRAY': ('L', 'LA'),
    b'CMYK': ('CMYK',),
}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(picture: Image.Image, side: int) -> Image.Image:
    """Turn or mirror a picture by an orientation of EXIF."""
    return picture.transpose(TURNS[side]) if side in TURNS else picture


def shown_colours(picture: Image.Image, profile: bytes) -> tuple[Image.Image, bytes]:
    """Convert to RGB or RGBA; return the profile that its colours are in too, empty for sRGB.

    A profile is followed where it is one of the picture's own colours, as browsers do; 16-bit greys
    are scaled, not cut.
    """
    if picture.mode.startswith('I'):
        picture = picture.point(lambda value: value / 256).convert('L')
    plain, own = plain_colours(picture), PROFILED.get(profile[16:20], ())
    if 'RGB' in own and len(profile) <= MOST_PROFILE_BYTES:
        return plain, profile
    if picture.mode not in own:
        return plain, b''
    colours = (plain if 'RGB' in own else picture).convert(own[0])
    with contextlib.suppress(ImageCms.PyCMSError, OSError):
        opened = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.createProfile('sRGB')
        shown = ImageCms.profileToProfile(colours, opened, srgb, outputMode='RGB')
        if shown and plain.mode == 'RGBA':
            shown.putalpha(plain.getchannel('A'))
        return shown or plain, b''
    return plain, b''


def plain_colours(picture: Image.Image) -> Image.Image:
    """Convert to RGB, or RGBA where something shows through."""
    if picture.mode in ('RGB', 'RGBA'):
        return picture
    clear = picture.mode in ('LA', 'PA', 'RGBa', 'La') or 'transparency' in picture.info
    return picture.convert('RGBA' if clear else 'RGB')
