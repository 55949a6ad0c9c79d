"""The decoder's child: reads one order a line, decodes one picture under limits, and answers.

Run as a file of its own: it loads Pillow, and of Easel only what a label needs. Orders and answers
are JSON and not pickles, so that a child taken over by a picture cannot run code in the server. A
frame is the number of its order, the length of its JSON, and that JSON.

    order   {"number": 1, "path": "...", "format": "PNG", "thumbs": {"480": "...", "960": "..."}},
            with {"label": {"prompt": "...", ...}, "labelled": "..."} for a labelled copy
    answer  {"width": 1024, "height": 768, "mean_colour": "#7f6a55"}, with {"written": {"digest":
            "...", "size_bytes": 1000, "sidecar": false}} or {"unlabelled": "..."} for that copy;
            {"refused": "..."} for a bad picture, {"failed": "..."} where the system failed

    order   {"number": 2, "read": "...", "format": "PNG"}
    answer  {"settings": {"generator": "Easel", "prompt": "..."}} or {"refused": "..."}
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import struct
import sys
import warnings
from operator import mul
from pathlib import Path

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

MOST_PIXELS = 40_000_000
MOST_FRAMES = 200
MEMORY_BYTES = 512 * 1024 * 1024
ADDRESSES_BYTES = 1 << 30  # libraries and thread stacks, of which little is ever touched
CPU_S = 5
FILE_BYTES = 72 * 1024 * 1024  # the largest picture, and its label
WEBP_QUALITY = 80
WEBP_METHOD = 2
LONGEST_SIDE_WEBP = 16_383
MOST_PROFILE_BYTES = 16_384
HEAD = struct.Struct('>QI')  # the order's number, the length; `decoder.py` has both constants too
# Source: the twelve texts of a label and its generator, each cut at 32,000 characters, none of
# which takes more than the 12 bytes of two escaped halves in JSON: 4.6 MB.
MOST_ANSWER_BYTES = 5_000_000
# Pillow's own OSErrors have no number; damaged bytes ask for odd seeks, and ours are the limits.
THE_PICTURES_OWN = (None, errno.EINVAL, errno.ENOMEM, errno.EFBIG)
NEW_NETWORK, NEW_USERS = 0x40000000, 0x10000000  # Source: linux/sched.h


class RefusedError(Exception):
    """The picture is not one we keep; the text says why."""


def main() -> None:
    set_limits()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter('ignore')
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # last; for what a label needs
    for line in sys.stdin:
        allow_cpu()
        order = json.loads(line)
        sys.stdout.buffer.write(frame(order['number'], answer(order)))
        sys.stdout.buffer.flush()


def set_limits() -> None:
    """Cap memory, files and core dumps, and leave the network, where the system can.

    Without a new user namespace for root, who would lose the right to read other people's files.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_BYTES, ADDRESSES_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import ctypes

        unshare = ctypes.CDLL(None).unshare
        if unshare(NEW_NETWORK) and os.geteuid():
            unshare(NEW_USERS | NEW_NETWORK)


def allow_cpu() -> None:
    """Allow 5 s of processor time from now on; past them the system ends the process."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def frame(number: int, found: dict[str, object]) -> bytes:
    """Pack an answer; one over the limit becomes a refusal."""
    body = json.dumps(found).encode()
    if len(body) > MOST_ANSWER_BYTES:
        body = json.dumps({'refused': 'too much text'}).encode()
    return HEAD.pack(number, len(body)) + body


def answer(order: dict[str, object]) -> dict[str, object]:
    form = str(order['format'])
    if 'read' in order:
        from app.storage.metadata.read import read_settings

        return {'settings': read_settings(str(order['read']), form)}
    thumbs = order['thumbs']
    assert isinstance(thumbs, dict)  # noqa: S101 (the server wrote the order)
    try:
        found = decode(str(order['path']), form, thumbs)
        return found | label_copy(order, found) if 'label' in order else found
    except RefusedError as error:
        return {'refused': str(error)}
    except MemoryError:
        return {'refused': 'too large to decode'}
    except UnidentifiedImageError:
        return {'refused': 'damaged'}
    except Exception as error:  # Pillow raises nearly everything on damaged bytes
        if is_systems(error):
            return {'failed': str(getattr(error, 'strerror', error))}
        return {'refused': f'{type(error).__name__}: {error}'[:200]}


def is_systems(error: Exception) -> bool:
    """Check whether the disk or the system failed, and not the picture."""
    return isinstance(error, OSError) and error.errno not in THE_PICTURES_OWN


def label_copy(order: dict[str, object], found: dict[str, object]) -> dict[str, object]:
    from app.storage.metadata.copies import embed
    from app.storage.metadata.label import Label

    fields = order['label']
    assert isinstance(fields, dict)  # noqa: S101 (the server wrote the order)
    label = Label(**{**fields, 'width': found['width'], 'height': found['height']})
    try:
        written = embed(Path(str(order['path'])), Path(str(order['labelled'])), label)
    except Exception as error:  # the picture is good, and is kept as it came
        if is_systems(error):
            raise
        return {'unlabelled': f'{type(error).__name__}: {error}'[:200]}
    parts = {'digest': written.digest, 'size_bytes': written.size_bytes}
    return {'written': {**parts, 'sidecar': written.sidecar is not None}}


def decode(path: str, form: str, thumbs: dict[str, str]) -> dict[str, object]:
    """Decode a whole picture and write its thumbnails."""
    with Image.open(path, formats=[form]) as picture:
        if picture.format != form:
            raise RefusedError(f'really {picture.format}')
        if picture.width * picture.height > MOST_PIXELS:
            raise RefusedError('over 40 megapixels')
        if getattr(picture, 'is_animated', False):
            with contextlib.suppress(EOFError):
                picture.seek(MOST_FRAMES)
                raise RefusedError('over 200 frames')
            picture.seek(0)
        profile = picture.info.get('icc_profile', b'')
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        plain = plain_colours(picture)
    for width, target in thumbs.items():
        save_thumb(plain, int(width), target, profile)
    counts, pixels = plain.histogram(), plain.width * plain.height
    bands = [counts[start : start + 256] for start in (0, 256, 512)]
    mean = bytes(round(sum(map(mul, band, range(256))) / pixels) for band in bands)
    return {'width': plain.width, 'height': plain.height, 'mean_colour': f'#{mean.hex()}'}


def plain_colours(picture: Image.Image) -> Image.Image:
    """Convert to RGB, or RGBA where something shows through; 16-bit greys are scaled, not cut."""
    if picture.mode.startswith('I'):
        picture = picture.point(lambda value: value / 256).convert('L')
    if picture.mode in ('RGB', 'RGBA'):
        return picture
    clear = picture.mode in ('LA', 'PA', 'RGBa', 'La') or 'transparency' in picture.info
    return picture.convert('RGBA' if clear else 'RGB')


def save_thumb(picture: Image.Image, width: int, target: str, profile: bytes) -> None:
    """Write one thumbnail, never larger than the picture."""
    width = min(width, picture.width)
    height = max(1, round(picture.height * width / picture.width))
    if height > LONGEST_SIDE_WEBP:
        width, height = max(1, width * LONGEST_SIDE_WEBP // height), LONGEST_SIDE_WEBP
    small = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    profile = profile if len(profile) <= MOST_PROFILE_BYTES else b''
    how = {'quality': WEBP_QUALITY, 'method': WEBP_METHOD}
    small.save(target, 'WEBP', icc_profile=profile, exif=b'', **how)


if __name__ == '__main__':
    main()
