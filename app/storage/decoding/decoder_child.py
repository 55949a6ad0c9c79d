"""The decoder's child: reads one order a line, decodes one picture under limits, and answers.

Each order is worked at by a child of its own, which is confined to that picture and ends with it.
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

    order   {"number": 3, "work": "sent_pictures.mask", "reads": ["..."], "writes": ["..."], ...}:
            a function of a module of this folder, the files that it opens, and what it asks for
    answer  what that function returns, {"refused": "..."} or {"failed": "..."}
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from operator import mul
from pathlib import Path
from typing import NoReturn

from PIL import Image, ImageFile, UnidentifiedImageError

MEMORY_BYTES = 512 * 1024 * 1024
ADDRESSES_BYTES = 1 << 30  # libraries and thread stacks, of which little is ever touched
CPU_S = 5
FILE_BYTES = 72 * 1024 * 1024  # the largest picture, and its label
LIMITS = {
    'RLIMIT_CORE': 0,
    'RLIMIT_DATA': MEMORY_BYTES,
    'RLIMIT_AS': ADDRESSES_BYTES,
    'RLIMIT_FSIZE': FILE_BYTES,
    'RLIMIT_NOFILE': 32,
}
WORK_CPU_S = 20  # for work on up to three pictures, and packing another
WORK_NICENESS = 5  # it may take a while, and pages are asked for meanwhile
READ_MEMORY_BYTES, READ_CPU_S = 256 * 1024 * 1024, 3  # for settings, which seldom need the pixels
# of the texts in pictures; those of Japan load tables at their first letter
CODINGS = ('utf-8-sig', 'utf-16-le', 'utf-16-be', 'iso2022_jp', 'shift_jis')
WEBP_QUALITY = 80
WEBP_METHOD = 2
LONGEST_SIDE_WEBP = 16_383
HEAD = struct.Struct('>QI')  # the order's number, the length; `decoder.py` has both constants too
# Source: the twelve texts of a label and its generator, each cut at 32,000 characters, none of
# which takes more than the 12 bytes of two escaped halves in JSON: 4.6 MB.
MOST_ANSWER_BYTES = 5_000_000
# Pillow's own OSErrors have no number; damaged bytes ask for odd seeks, and ours are the limits.
THE_PICTURES_OWN = (None, errno.EINVAL, errno.ENOMEM, errno.EFBIG)


def main() -> None:
    set_limits()
    sys.path.append(str(Path(__file__).resolve().parents[3]))  # last; for what a label needs
    from app.storage.decoding.sandbox import refuse_sockets
    from app.storage.decoding.shown import MOST_PIXELS

    refuse_sockets()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter('ignore')
    for line in sys.stdin:
        order = json.loads(line)
        load_for(order)
        if hasattr(os, 'fork'):
            follow(os.fork() or work_alone(order['number'], order))
        else:
            send(frame(order['number'], answer(order)))


def set_limits() -> None:
    """Cap memory, files and core dumps, each where the system can."""
    for name, most in LIMITS.items():
        set_limit(name, most, most)


def set_limit(name: str, soft: int, hard: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        resource.setrlimit(getattr(resource, name), (soft, hard))


def load_for(order: dict[str, object]) -> None:
    """Import what an order needs: where it is worked at, no file can be opened any more."""
    from PIL import AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401

    from app.storage.decoding import shown  # noqa: F401

    Image.preinit()
    for name in CODINGS:
        'あ'.encode(name).decode(name)
    if 'read' in order:
        from app.storage.metadata import dates, read  # noqa: F401
    if 'label' in order:
        from app.storage.metadata import copies  # noqa: F401
    if 'work' in order:
        work_of(order)


def work_alone(number: int, order: dict[str, object]) -> NoReturn:
    """Work at one order, able to open its own picture and nothing else, and end.

    So that a process taken over by a picture sees no other picture before or after it.
    """
    status = 1
    try:
        os.close(sys.stdin.fileno())
        if 'read' in order:
            set_limit('RLIMIT_DATA', READ_MEMORY_BYTES, READ_MEMORY_BYTES)
        if 'work' in order:
            os.nice(WORK_NICENESS)
        cpu_s = READ_CPU_S if 'read' in order else WORK_CPU_S if 'work' in order else CPU_S
        set_limit('RLIMIT_CPU', cpu_s, cpu_s + 1)  # at the second the system waits no longer
        send(frame(number, confined(order)))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def follow(worker: int) -> None:
    """Wait for a worker, and end as it did if it came to a bad end."""
    status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    if status < 0:
        os.kill(os.getpid(), -status)
    if status:
        sys.exit(status)


def confined(order: dict[str, object]) -> dict[str, object]:
    from app.storage.decoding.sandbox import confine
    from app.storage.metadata.container import sidecar_of

    if 'work' in order:
        reads, written = paths_in(order, 'reads'), paths_in(order, 'writes')
    else:
        picture = Path(str(order.get('read') or order['path']))
        sidecars = [path for path in [sidecar_of(picture)] if 'read' in order and path.exists()]
        reads, written = [picture, *sidecars], [*paths_in(order, 'thumbs')]
        written += [Path(str(order['labelled']))] if 'labelled' in order else []
    try:
        confine(reads, {target.parent for target in written})
    except OSError as error:
        return {'failed': str(error.strerror)}
    return answer(order)


def paths_in(order: dict[str, object], name: str) -> list[Path]:
    found = order.get(name) or ()
    assert isinstance(found, list | dict | tuple)  # noqa: S101 (the server wrote the order)
    return [Path(str(path)) for path in (found.values() if isinstance(found, dict) else found)]


def work_of(order: dict[str, object]) -> Callable[[dict[str, object]], dict[str, object]]:
    """Import the module of an order's work, and return the function."""
    module, _, name = str(order['work']).partition('.')
    work: Callable[[dict[str, object]], dict[str, object]]
    work = getattr(import_module(f'app.storage.decoding.{module}'), name)
    return work


def send(framed: bytes) -> None:
    sys.stdout.buffer.write(framed)
    sys.stdout.buffer.flush()


def frame(number: int, found: dict[str, object]) -> bytes:
    """Pack an answer; one over the limit becomes a refusal."""
    body = json.dumps(found).encode()
    if len(body) > MOST_ANSWER_BYTES:
        body = json.dumps({'refused': 'too much text'}).encode()
    return HEAD.pack(number, len(body)) + body


def answer(order: dict[str, object]) -> dict[str, object]:
    form = str(order['format'])
    if 'read' in order:
        from app.storage.metadata.dates import when_made
        from app.storage.metadata.read import read_settings, unread_places

        path = str(order['read'])
        settings = read_settings(path, form)
        places = '' if settings else unread_places(path, form)
        return {'settings': when_made(path, form) | ({'unread': places} if places else settings)}
    from app.storage.decoding.shown import RefusedError

    try:
        if 'work' in order:
            return work_of(order)(order)
        thumbs = order['thumbs']
        assert isinstance(thumbs, dict)  # noqa: S101 (the server wrote the order)
        found = decode(str(order['path']), form, thumbs)
        return found | label_copy(order, found) if 'label' in order else found
    except RefusedError as error:
        return {'refused': str(error)}
    except Image.DecompressionBombError:  # from twice as many pixels on Pillow looks no further
        return {'refused': 'over 40 megapixels'}
    except MemoryError:
        return {'refused': 'too large to decode'}
    except UnidentifiedImageError:
        return {'refused': 'damaged'}
    except ImportError:  # one that `load_for` did not foresee: no fault of the picture
        raise
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
    """Decode a whole picture and write its thumbnails, turned as browsers turn it."""
    from app.storage.decoding.shown import shown

    plain, profile = shown(path, form)
    for width, target in thumbs.items():
        save_thumb(plain, int(width), target, profile)
    counts, pixels = plain.histogram(), plain.width * plain.height
    bands = [counts[start : start + 256] for start in (0, 256, 512)]
    mean = bytes(round(sum(map(mul, band, range(256))) / pixels) for band in bands)
    return {'width': plain.width, 'height': plain.height, 'mean_colour': f'#{mean.hex()}'}


def save_thumb(picture: Image.Image, width: int, target: str, profile: bytes) -> None:
    """Write one thumbnail, never larger than the picture."""
    width = min(width, picture.width)
    height = max(1, round(picture.height * width / picture.width))
    if height > LONGEST_SIDE_WEBP:
        width, height = max(1, width * LONGEST_SIDE_WEBP // height), LONGEST_SIDE_WEBP
    small = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    how = {'quality': WEBP_QUALITY, 'method': WEBP_METHOD}
    with open(target, 'wb') as file:  # noqa: PTH123 (Pillow would ask for the right to read it)
        small.save(file, 'WEBP', icc_profile=profile, exif=b'', **how)


if __name__ == '__main__':
    main()
