"""What a decoded picture looks like in browsers: its colours, and which side of it is up.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

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
    own = PROFILED.get(profile[16:20], ())
    if picture.mode not in own:
        return _plain(picture), b''
    if own[0] == 'RGB' and len(profile) <= MOST_PROFILE_BYTES:
        return _plain(picture), profile
    try:
        return _in_srgb(picture, own[0], profile), b''
    except (ImageCms.PyCMSError, OSError, MemoryError):
        return _plain(picture), b''


def _in_srgb(picture: Image.Image, mode: str, profile: bytes) -> Image.Image:
    """Follow a profile of a mode's colours; raise PyCMSError, OSError or MemoryError."""
    own = ImageCms.ImageCmsProfile(BytesIO(profile))
    colours = picture if picture.mode == mode else picture.convert(mode)
    shown = ImageCms.profileToProfile(
        colours, own, ImageCms.createProfile('sRGB'), outputMode='RGB'
    )
    if shown is None:
        raise ImageCms.PyCMSError('no picture')
    if _shows_through(picture):
        shown.putalpha(_plain(picture).getchannel('A'))
    return shown


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode in ('RGB', 'RGBA'):
        return picture
    return picture.convert('RGBA' if _shows_through(picture) else 'RGB')


def _shows_through(picture: Image.Image) -> bool:
    return 'A' in picture.mode.upper() or 'transparency' in picture.info
