"""Pictures made to hurt whoever opens them: bombs, and good ones with bytes changed by a seed."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image

SEED = 20_240_806
MEGABYTE = 1_000_000
PNG_HEAD = b'\x89PNG\r\n\x1a\n'
FORMS = ('PNG', 'JPEG', 'WEBP', 'GIF', 'AVIF')


@dataclass(frozen=True, slots=True)
class Mutated:
    """One good picture, made bad.

    Attributes:
        number: Its place in the series of a seed.
    """

    number: int
    form: str
    content: bytes


def mutations(count: int, seed: int = SEED) -> Iterator[Mutated]:
    """Change good pictures: flipped bits, cuts, doubled and zeroed runs, lengths past reason."""
    chance = random.Random(seed)
    for number in range(count):
        form = FORMS[number % len(FORMS)]
        content = bytearray(_good(form, chance.randrange(4)))
        for _ in range(chance.choice((1, 1, 2, 5, 40))):
            _spoil(content, chance)
        yield Mutated(number, form, bytes(content))


def _spoil(content: bytearray, chance: random.Random) -> None:
    place = chance.randrange(min(len(content), 400) if chance.random() < 0.5 else len(content))
    run = chance.choice((1, 2, 4, 16, 200))
    match chance.randrange(6):
        case 0:
            content[place] ^= 1 << chance.randrange(8)
        case 1:
            content[place : place + 4] = chance.choice((b'\xff' * 4, b'\x7f\xff\xff\xff', bytes(4)))
        case 2 if len(content) > 100:
            del content[max(place, 60) :]
        case 3:
            content[place:place] = content[place : place + run]
        case 4:
            content[place : place + run] = chance.randbytes(run)
        case _:
            content[place : place + run] = bytes(run)


@cache
def _good(form: str, kind: int) -> bytes:
    """Give a small picture with what its format offers: frames, a profile, EXIF, progression."""
    noise = Image.effect_noise((60, 40), 90).convert('RGB')
    exif = Image.Exif()
    exif[0x010E] = 'a picture'
    exif[0x0112] = 1 + kind
    more: dict[str, object] = {'exif': exif} if form != 'GIF' else {}
    if form == 'JPEG':
        more |= {'progressive': bool(kind % 2), 'quality': 60 + kind}
    elif kind % 2 and form != 'AVIF':
        more |= {'save_all': True, 'append_images': [noise.rotate(90 * turn) for turn in (1, 2)]}
    return saved(noise, form, **more)


def saved(image: Image.Image, form: str = 'PNG', **how: object) -> bytes:
    """Write a picture to bytes."""
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    """Write one chunk of a PNG."""
    checked = name + content
    return struct.pack('>I', len(content)) + checked + struct.pack('>I', zlib.crc32(checked))


def png(width: int, height: int, *chunks: bytes, kind: int = 2, rows: bytes = b'') -> bytes:
    """Write a PNG whose header says what it likes."""
    header = struct.pack('>IIBBBBB', width, height, 8, kind, 0, 0, 0)
    body = chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
    return PNG_HEAD + chunk(b'IHDR', header) + b''.join(chunks) + body


def small_png(*chunks: bytes) -> bytes:
    """Write a good PNG of four pixels, with chunks besides."""
    return png(2, 2, *chunks, rows=(b'\0' + bytes(6)) * 2)


@cache
def squeezed(megabytes: int) -> bytes:
    """Compress so many zeros."""
    return zlib.compress(bytes(megabytes * MEGABYTE), 9)


def animated_png(side: int, frames: int, shown: int) -> bytes:
    """Write a PNG that announces so many frames of a size, and brings some."""
    rows = zlib.compress(bytes((side * 3 + 1) * side), 9)
    head = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    parts = [chunk(b'IHDR', head), chunk(b'acTL', struct.pack('>II', frames, 0))]
    for number in range(shown):
        control = struct.pack('>IIIIIHHBB', max(0, number * 2 - 1), side, side, 0, 0, 1, 10, 0, 0)
        parts.append(chunk(b'fcTL', control))
        pixels = rows if number == 0 else struct.pack('>I', number * 2) + rows
        parts.append(chunk(b'IDAT' if number == 0 else b'fdAT', pixels))
    return PNG_HEAD + b''.join(parts) + chunk(b'IEND', b'')


def gif(side: int, frames: int) -> bytes:
    """Write a GIF whose frames repeat one code stream."""
    first = saved(Image.new('P', (min(side, 6_000), min(side, 6_000))), 'GIF')
    start = first.index(b',')
    frame = first[start:-1]
    screen = struct.pack('<HH', side, side)
    return first[:6] + screen + first[10:start] + frame * frames + b';'


def riff(*parts: tuple[bytes, bytes]) -> bytes:
    """Write a WebP of these chunks."""
    body = b''.join(
        name + struct.pack('<I', len(content)) + content + bytes(len(content) % 2)
        for name, content in parts
    )
    return b'RIFF' + struct.pack('<I', len(body) + 4) + b'WEBP' + body


def webp_canvas(width: int, height: int, *, flags: int = 0) -> tuple[bytes, bytes]:
    """Write the chunk that says how large the whole is."""
    return b'VP8X', bytes([flags, 0, 0, 0]) + _three(width - 1) + _three(height - 1)


def webp_frames(side: int, frames: int) -> bytes:
    """Write an animated WebP of equal frames."""
    inner = saved(Image.new('RGB', (side, side)), 'WEBP', lossless=True)[12:]
    frame = b'\0' * 6 + _three(side - 1) * 2 + _three(10) + b'\0' + inner
    loop = (b'ANIM', bytes(6))
    return riff(webp_canvas(side, side, flags=2), loop, *((b'ANMF', frame),) * frames)


def webp_with(name: bytes, flags: int, content: bytes) -> bytes:
    """Write a small WebP with one chunk more."""
    inner = saved(Image.new('RGB', (4, 4)), 'WEBP', lossless=True)
    pixels = inner[20:]
    return riff(webp_canvas(4, 4, flags=flags), (b'VP8L', pixels), (name, content))


def jpeg_of(width: int, height: int) -> bytes:
    """Write a JPEG whose header says what it likes."""
    content = saved(Image.new('RGB', (16, 16)), 'JPEG')
    start = content.index(b'\xff\xc0') + 5
    return content[:start] + struct.pack('>HH', height, width) + content[start + 4 :]


def jpeg_scans(side: int, scans: int) -> bytes:
    """Write a progressive JPEG that repeats its last scan; each costs the whole picture."""
    content = saved(Image.new('L', (side, side), 99), 'JPEG', progressive=True)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * scans + b'\xff\xd9'


def jpeg_with(marker: int, content: bytes, times: int = 1) -> bytes:
    """Write a JPEG with segments more."""
    segment = bytes([0xFF, marker]) + struct.pack('>H', len(content) + 2) + content
    plain = saved(Image.new('RGB', (4, 4)), 'JPEG')
    return plain[:2] + segment * times + plain[2:]


def looped_exif() -> bytes:
    """Write EXIF whose directory names itself as the next, and thousands of entries."""
    entries = struct.pack('<HHII', 0x8769, 4, 1, 8) * 5_000
    return b'Exif\0\0II*\0' + struct.pack('<IH', 8, 5_000) + entries + struct.pack('<I', 8)


def mpo() -> bytes:
    """Write two JPEGs in one file, which a JPEG's first bytes begin."""
    one = Image.new('RGB', (8, 8))
    return saved(one, 'MPO', save_all=True, append_images=[one.rotate(90)])


def avif_of(width: int, height: int) -> bytes:
    """Write an AVIF whose header says what it likes."""
    content = saved(Image.new('RGB', (16, 16)), 'AVIF')
    place = content.index(b'ispe') + 8
    return content[:place] + struct.pack('>II', width, height) + content[place + 8 :]


def _three(number: int) -> bytes:
    return struct.pack('<I', number)[:3]


QUICK: dict[str, Callable[[], bytes]] = {
    'PNG of 60,000 squared': lambda: png(60_000, 60_000),
    'PNG of 60,000 squared, begun': lambda: png(60_000, 60_000, rows=bytes(20 * MEGABYTE)),
    'PNG one pixel wide and endless': lambda: png(1, 2**31 - 1, rows=bytes(MEGABYTE)),
    'PNG one pixel high and endless': lambda: png(2**31 - 1, 1, rows=bytes(MEGABYTE)),
    'PNG just past 40 megapixels': lambda: png(8_000, 5_001, rows=bytes(MEGABYTE)),
    'PNG with 200 MB of text': lambda: small_png(chunk(b'zTXt', b'a\0\0' + squeezed(200))),
    'PNG with text a hundred times': lambda: small_png(
        *[chunk(b'zTXt', b'a%d\0\0' % number + squeezed(1)) for number in range(100)]
    ),
    'PNG with 200 MB of text in a tongue': lambda: small_png(
        chunk(b'iTXt', b'a\0\1\0\0\0' + squeezed(200))
    ),
    'PNG with a profile of 200 MB': lambda: small_png(chunk(b'iCCP', b'a\0\0' + squeezed(200))),
    'PNG with 20 MB of EXIF': lambda: small_png(chunk(b'eXIf', looped_exif()[6:] * 300)),
    'PNG of 100,000 chunks': lambda: small_png(*[chunk(b'abCd', b'')] * 100_000),
    'PNG of 201 frames': lambda: animated_png(8, 201, 201),
    'PNG that announces 100,000 frames': lambda: animated_png(8, 100_000, 3),
    'GIF of 100,000 frames': lambda: gif(4, 100_000),
    'GIF of 65,535 squared': lambda: gif(65_535, 1),
    'WebP of 16,383 squared': lambda: riff(webp_canvas(16_383, 16_383), (b'VP8L', b'/' * 9)),
    'WebP of 16 million squared': lambda: riff(webp_canvas(1 << 24, 1 << 24), (b'VP8 ', b'x')),
    'WebP of 201 frames': lambda: webp_frames(8, 201),
    'WebP with 20 MB of EXIF': lambda: webp_with(b'EXIF', 8, looped_exif() * 300),
    'WebP with a profile of 20 MB': lambda: webp_with(b'ICCP', 32, bytes(20 * MEGABYTE)),
    'JPEG of 65,500 squared': lambda: jpeg_of(65_500, 65_500),
    'JPEG with EXIF in a circle': lambda: jpeg_with(0xE1, looped_exif()[:60_000]),
    'JPEG with 100 times EXIF': lambda: jpeg_with(0xE1, looped_exif()[:60_000], 100),
    'JPEG with 200,000 comments': lambda: jpeg_with(0xFE, b'', 200_000),
    'JPEG with two pictures': mpo,
    'AVIF of 65,535 squared': lambda: avif_of(65_535, 65_535),
    'AVIF of no size': lambda: avif_of(0, 0),
}  # fmt: skip
SLOW: dict[str, Callable[[], bytes]] = {
    'PNG of 200 large frames': lambda: animated_png(6_000, 200, 201),
    'GIF of 300 large frames': lambda: gif(6_000, 300),
    'WebP of 300 large frames': lambda: webp_frames(6_000, 300),
    'JPEG with 500 times EXIF': lambda: jpeg_with(0xE1, looped_exif()[:60_000], 500),
    'JPEG of 2,000 scans': lambda: jpeg_scans(6_000, 2_000),
}
BOMBS = QUICK | SLOW
