"""What is known of a picture besides its words, as words of the index that nobody can type.

They stand in the same rows as the words, so that the index goes through all of them at once,
newest first, however many pictures there are.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from app.models.request import Size

FACT = '\ue000'  # for private use: no text has it left after it is folded
NOTHING = f'{FACT}x'  # what no picture is
SHOWN, IN_TRASH = f'{FACT}n', f'{FACT}t'
FAVOURITE, NO_FAVOURITE = f'{FACT}v', f'{FACT}w'
IN_ALBUM, IN_NO_ALBUM = f'{FACT}i', f'{FACT}o'
EDITED = f'{FACT}e'
OWNER = 0  # in place of a guest
# What is in the trash stands this far below its place in the gallery, and so below all of that.
TRASH_BELOW = 1 << 62
ABOVE_TRASH = -(1 << 61)


def model_fact(model: str) -> str:
    return f'{FACT}m{_digest(model)}'


def server_fact(server: str) -> str:
    return f'{FACT}p{_digest(server)}'


def size_fact(size: str) -> str:
    return f'{FACT}z{size}'


def shape_fact(shape: str) -> str:
    return f'{FACT}h{shape}'


def seed_fact(seed: int) -> str:
    return f'{FACT}s{seed}'


def guest_fact(guest: int) -> str:
    return f'{FACT}g{guest}'


def album_fact(album: int) -> str:
    return f'{FACT}a{album}'


def index_facts(facts: str) -> str:
    """Return the facts of a picture that the view `image_terms` gives as JSON."""
    known = json.loads(facts)
    size = Size(known['width'], known['height'])
    albums = known['albums']
    return ' '.join(
        [
            IN_TRASH if known['in_trash'] else SHOWN,
            FAVOURITE if known['favourite'] else NO_FAVOURITE,
            IN_ALBUM if albums else IN_NO_ALBUM,
            *([EDITED] if known.get('edited') else []),  # 0012 does not tell it
            model_fact(known['model'] or ''),
            server_fact(known['provider']),
            size_fact(str(size)),
            shape_fact(_shape_of(size)),
            guest_fact(known['guest'] or OWNER),
            *([] if known['seed'] is None else [seed_fact(known['seed'] % (1 << 64))]),
            *map(album_fact, albums),
        ]
    )


def _shape_of(size: Size) -> str:
    if size.width == size.height:
        return 'square'
    return 'landscape' if size.width > size.height else 'portrait'


def _digest(name: str) -> str:
    """Return letters for a name, which may have blanks and any signs."""
    return blake2b(name.encode(), digest_size=6).hexdigest()
