"""What a decoded picture looks like in browsers: its colours, and which side of it is up.

For the decoder's child, where Pillow is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from operator import mul, truediv
from typing import TypeAlias

from PIL import Image, ImageCms

MOST_PROFILE_BYTES = 16_384  # that a picture of ours takes along
# The modes of pictures, by the colour space that a profile names in its header.
PROFILED = {
    b'RGB ': ('RGB', 'RGBA', 'L', 'LA', 'P', 'PA'),
    b'GRAY': ('L', 'LA'),
    b'CMYK': ('CMYK',),
}
Triple: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Triple, Triple, Triple]

D50: Triple = (0.9642, 1.0, 0.8249)
# Source: ICC.1:2022, E.3, the linear Bradford transform.
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
# x and y of white, red, green and blue in sRGB, and its gamma; both as PNG has them.
SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
SRGB_GAMMA, SAME = 0.45455, 0.002
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


def profile_of(picture: Image.Image) -> bytes:
    """Return a picture's profile, of a PNG one that says the same as its other chunks; or none."""
    profile = picture.info.get('icc_profile') or b''  # None: a damaged one
    gamma = picture.info.get('gamma')
    if profile or not gamma or 'srgb' in picture.info:
        return bytes(profile)
    places = picture.info.get('chromaticity', SRGB_CHROMATICITIES)
    told, srgb = (gamma, *places), (SRGB_GAMMA, *SRGB_CHROMATICITIES)
    if all(abs(one - other) < SAME for one, other in zip(told, srgb, strict=True)):
        return b''
    try:
        return _matrix_profile(gamma, _colorants(places))
    except (ArithmeticError, struct.error):  # of colours that can not be
        return b''


def shown_colours(
    picture: Image.Image, profile: bytes, most_profile_bytes: int = MOST_PROFILE_BYTES
) -> tuple[Image.Image, bytes]:
    """Convert to RGB or RGBA; return the profile that its colours are in too, empty for sRGB.

    A profile is followed where it is one of the picture's own colours, as browsers do, and left to
    them where it is small; 16-bit greys are scaled, not cut.
    """
    if picture.mode.startswith('I'):
        picture = picture.point(lambda value: value / 256).convert('L')
    own = PROFILED.get(profile[16:20], ())
    if picture.mode not in own:
        return _plain(picture), b''
    if own[0] == 'RGB' and len(profile) <= most_profile_bytes:
        return _plain(picture), profile
    try:
        return _in_srgb(picture, own[0], profile), b''
    except (ImageCms.PyCMSError, OSError, MemoryError):
        return _plain(picture), b''


def from_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert from sRGB to the colours of an RGB profile; without one, or a good one, to none."""
    if not profile:
        return picture
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        colours = picture if picture.mode == 'RGB' else picture.convert('RGB')
        shown = ImageCms.profileToProfile(colours, ImageCms.createProfile('sRGB'), own)
    except (ImageCms.PyCMSError, OSError, MemoryError):
        return picture
    if shown and picture.mode == 'RGBA':
        shown.putalpha(picture.getchannel('A'))
    return shown or picture


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


def _colorants(places: tuple[float, ...]) -> Iterator[Triple]:
    """Yield red, green and blue as XYZ under D50; raise ArithmeticError at impossible ones."""
    pairs = zip(places[::2], places[1::2], strict=True)
    white, red, green, blue = [(x / y, 1.0, (1 - x - y) / y) for x, y in pairs]
    shares = _applied(_inverse(_turned(red, green, blue)), white)
    cones = list(map(truediv, _applied(BRADFORD, D50), _applied(BRADFORD, white)))
    for share, colour in zip(shares, (red, green, blue), strict=True):
        long, middle, short = map(mul, cones, _applied(BRADFORD, colour))
        yield _applied(_inverse(BRADFORD), (share * long, share * middle, share * short))


def _applied(matrix: Matrix, to: Triple) -> Triple:
    first, second, third = (sum(map(mul, row, to)) for row in matrix)
    return first, second, third


def _turned(first: Triple, second: Triple, third: Triple) -> Matrix:
    one, two, three = zip(first, second, third, strict=True)
    return one, two, three


def _inverse(matrix: Matrix) -> Matrix:
    first, second, third = matrix
    crossed = [_cross(second, third), _cross(third, first), _cross(first, second)]
    size = sum(map(mul, first, crossed[0]))
    one, two, three = ((a / size, b / size, c / size) for a, b, c in crossed)
    return _turned(one, two, three)


def _cross(one: Triple, other: Triple) -> Triple:
    (a, b, c), (d, e, f) = one, other
    return b * f - c * e, c * d - a * f, a * e - b * d


def _matrix_profile(gamma: float, colorants: Iterable[Triple]) -> bytes:
    """Write an ICC profile of three colorants and one curve, which all of them share."""
    curve = b'curv' + struct.pack('>IIHH', 0, 1, round(256 / gamma), 0)
    blocks = [
        b'XYZ ' + struct.pack('>I3i', 0, *(round(part * 65_536) for part in one))
        for one in (D50, *colorants)
    ]
    start = 128 + 4 + 7 * 12
    tags = {
        name: (start + at * 20, 20) for at, name in enumerate((b'wtpt', b'rXYZ', b'gXYZ', b'bXYZ'))
    }
    tags |= dict.fromkeys((b'rTRC', b'gTRC', b'bTRC'), (start + 80, 14))
    table = b''.join(struct.pack('>4sII', name, *place) for name, place in tags.items())
    content = struct.pack('>I', len(tags)) + table + b''.join(blocks) + curve
    head = struct.pack('>I4xI4s4s4s', 128 + len(content), 0x02100000, b'mntr', b'RGB ', b'XYZ ')
    head = head.ljust(36, b'\0') + b'acsp'
    light = struct.pack('>3i', *(round(part * 65_536) for part in D50))
    return head.ljust(68, b'\0') + light.ljust(60, b'\0') + content
