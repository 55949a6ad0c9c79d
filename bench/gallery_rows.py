"""Fills a data folder as years of use would have, for anybody who measures; always the same.

The rows go the program's own way into the database, a thousand to a transaction. A few real
pictures, with their thumbnails, stand on the disk; every row names a hard link to one of them.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import apsw
from PIL import Image as Picture

from app.access.guests import hash_of
from app.config import DATABASE, child_environment
from app.database import Library
from app.database.gallery.images import add_images
from app.database.generations import new_row
from app.database.links import GuestRow
from app.database.sqlite.connection import insert
from app.database.sqlite.mapping import generation_of
from app.models import Outcome, Status, StoredImage
from app.models.request import GenerationRequest, Size
from app.storage.decoding.decoder import Decoder
from app.storage.store import Store

FIRST_S, LAST_S = 1_667_260_800, 1_793_491_200  # the Novembers of 2022 and 2026
DISTINCT = 120  # files that the rows share
GRAIN = 6  # pixels; their thumbnails take 20 to 45 kB, as those of photographs do
AT_ONCE = 1_000  # generations
ALONE = 60  # pictures, the last ones, each generation in a transaction of its own
BROUGHT_IN = 0.01  # older pictures, that were imported last
FAVOURITE_EVERY, TRASHED_EVERY = 20, 50
TRASHED_LEAST = 90  # more than a page, so that the trash of a small folder is as long an answer

SIZES = (Size(1024, 1024), Size(832, 1216), Size(1216, 832), Size(512, 512), Size(1536, 640))
# What the questions ask for, and how many prompts in a hundred have it; but at least so many
# pictures as two pages show, so that a question has as long an answer in a small folder.
PHRASE, MIDDLING, CYRILLIC, CJK = 'castle in the snow', 'lighthouse', 'лиса в снегу', '雪の中の狐'
WORDS = {'detailed': 20, 'light': 20, 'portrait': 15, PHRASE: 2, MIDDLING: 0.5, CYRILLIC: 3, CJK: 2}
LEAST = 180
RARE, RARE_PICTURES = 'zeppelin', 24
SCARCE_MODEL = 'hidream'
OTHERS = ('старый замок у моря', 'портрет кота', 'осенний лес', '夜の街', '古い城', '山水画')
MODELS = {
    ('flux', 'studio'): 40,
    ('flux-pro', 'studio'): 12,
    ('sdxl', 'home'): 20,
    ('sd-1.5', 'home'): 8,
    ('turbo', 'home'): 4,
    ('gpt-image-1', 'openai'): 10,
    ('dall-e-3', 'openai'): 4,
    ('qwen-image', 'fal'): 1.5,
    (SCARCE_MODEL, 'fal'): 0.4,
    ('lumina', 'fal'): 0.1,
}
GUEST_SHARES = {None: 94, 1: 4, 2: 1.5, 3: 0.5}
GUEST_TOKENS = ('bench-one', 'bench-two', 'bench-three')
LARGE_ALBUM, SMALL_ALBUM = 1, 2
_SYLLABLES = ('ba', 'cor', 'del', 'fi', 'gra', 'lu', 'mon', 'nar', 'pel', 'ri', 'sto', 'ven')
_WORDS = [''.join(parts) for parts in itertools.product(_SYLLABLES, repeat=3)]
_WORD_SHARES = [*itertools.accumulate(1 / place for place in range(2, len(_WORDS) + 2))]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One generation as it was drawn: what was asked, what came, when and for whom."""

    request: GenerationRequest
    outcome: Outcome
    at: float
    guest: int | None


def main(data: Path, rows: int) -> None:
    """Fill a folder that has no database yet."""
    if (data / DATABASE).exists():
        raise SystemExit(f'{data} has a database already')
    began = time.monotonic()
    asyncio.run(fill(data, rows))
    print(f'{rows} pictures in {time.monotonic() - began:.0f} s', flush=True)


async def fill(data: Path, rows: int) -> None:
    store = Store(data, Decoder(child_environment()))
    store.prepare()
    try:
        originals = await _originals(store)
    finally:
        await store.decoder.close()
    library = await Library.open(data / DATABASE)
    try:
        await _invite(library)
        for some in _portions(_drawn(rows, originals), rows):
            await library.database.write(partial(_write, some))
            await asyncio.to_thread(_link, store, originals, some)
        await library.database.write(partial(_mark, rows))
        while await library.index.merge():  # as a server does that has time
            pass
        while await library.index.merge():  # as a server does when there is time
            pass
    finally:
        await library.close()


async def _originals(store: Store) -> list[StoredImage]:
    """Draw the pictures that the rows share, in all sizes, and make their thumbnails."""
    folder = store.images / 'shared'
    folder.mkdir()
    stored = []
    for number in range(DISTINCT):
        size, path = SIZES[number % len(SIZES)], folder / f'{number:03}.jpg'
        whole = (size.width, size.height)
        angles = (3 * number, 3 * number + 90, 3 * number + 200)
        bands = [Picture.linear_gradient('L').rotate(angle).resize(whole) for angle in angles]
        noise = Picture.effect_noise((size.width // GRAIN, size.height // GRAIN), 40)
        noisy = Picture.blend(bands[1], noise.resize(whole), 0.5)
        Picture.merge('RGB', (bands[0], noisy, bands[2])).save(path, quality=80)
        stored.append(await store.look_again(path))
    return stored


async def _invite(library: Library) -> None:
    for number, token in enumerate(GUEST_TOKENS):
        row = GuestRow(
            name=f'Guest {number + 1}',
            token_hash=hash_of(token),
            makes=number < 2,
            sees_all=number == 0,
            created_at=FIRST_S,
            expires_at=None,
        )
        await library.guests.add(row)


def _drawn(rows: int, originals: Sequence[StoredImage]) -> Iterator[Drawn]:
    """Yield generations of one to four pictures, until there are so many pictures."""
    chance = random.Random(12)
    made, older = 0, rows - int(rows * BROUGHT_IN)
    words = {word: max(share, 100 * LEAST / rows) for word, share in WORDS.items()}
    rare_every = max(4, rows // RARE_PICTURES)
    models = [max(share, 100 * LEAST / rows) for share in MODELS.values()]
    while made < rows:
        count = min(chance.choices((1, 2, 4), (60, 15, 25))[0], rows - made)
        share = made / older if made < older else (made - older) / (rows - older) - 1
        at = FIRST_S + share * (LAST_S - FIRST_S) / (1 if made < older else 4)
        [(model, provider)] = chance.choices([*MODELS], models)
        [guest] = chance.choices([*GUEST_SHARES], [*GUEST_SHARES.values()])
        day = time.strftime('%Y/%m/%d', time.gmtime(at))
        kept = tuple(
            replace(
                originals[(made + position) % len(originals)],
                file=f'{day}/{made + position:07}-{position}.jpg',
                created_at=at + position / 10,
                seed=chance.getrandbits(32),
            )
            for position in range(count)
        )
        negative = 'blurry, low quality, text' if chance.random() < 0.3 else None
        request = GenerationRequest(
            prompt=_prompt(chance, words, has_rare=made % rare_every < count),
            negative_prompt=negative,
            model=model,
            size=Size(kept[0].width, kept[0].height),
            n=count if count > 1 else None,
        )
        done = Outcome(status=Status.DONE, provider=provider, model=model, kept=kept)
        yield Drawn(request, done, at, guest)
        made += count


def _prompt(chance: random.Random, seasoning: dict[str, float], *, has_rare: bool) -> str:
    if chance.random() < 0.1:
        words = [chance.choice(OTHERS)]
    else:
        words = chance.choices(_WORDS, cum_weights=_WORD_SHARES, k=chance.randint(4, 12))
    for word, share in seasoning.items():
        if chance.random() * 100 < share:
            words.insert(chance.randint(0, len(words)), word)
    words += [RARE] if has_rare else []
    return ', '.join([' '.join(words[:5]), *words[5:]])


def _portions(drawn: Iterator[Drawn], rows: int) -> Iterator[list[Drawn]]:
    """Put many together, but not the last ones: those come as they do while somebody draws."""
    made, portion = 0, list[Drawn]()
    for one in drawn:
        portion.append(one)
        made += len(one.outcome.kept)
        if len(portion) == AT_ONCE or made > rows - ALONE:
            yield portion
            portion = []


def _write(drawn: Sequence[Drawn], db: apsw.Connection) -> None:
    for one in drawn:
        row = new_row(one.request, one.outcome.provider, one.at) | {
            'status': Status.DONE,
            'model': one.outcome.model,
            'guest': one.guest,
            'started_at': one.at,
            'finished_at': one.at + 5,
        }
        [added] = insert(db, 'generations', row)
        add_images(db, generation_of(added), one.outcome, one.at)


def _link(store: Store, originals: Sequence[StoredImage], drawn: Sequence[Drawn]) -> None:
    places = {original.digest: store.original(original.file) for original in originals}
    for kept in (kept for one in drawn for kept in one.outcome.kept):
        path = store.original(kept.file)
        try:
            path.hardlink_to(places[kept.digest])
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            path.hardlink_to(places[kept.digest])


def _mark(rows: int, db: apsw.Connection) -> None:
    """Mark favourites, put some into the trash, and make albums, by the program's triggers."""
    db.execute('update images set favourite = 1 where id % ? = 7', (FAVOURITE_EVERY,))
    every = min(TRASHED_EVERY, rows // TRASHED_LEAST)
    db.execute('update images set deleted_at = created_at + 86400 where id % ? = 3', (every,))
    albums = [
        ('Everything good', 'id % 10 = 1'),
        ('A trip', f'id between {rows // 2} and {rows // 2 + 99}'),
    ]
    albums += [(f'Album {number}', f'id % {max(1, rows // 60)} = {number}') for number in range(12)]
    for name, chosen in albums:
        [album] = insert(db, 'albums', {'name': name, 'created_at': LAST_S}, 'returning id')
        db.execute(
            'insert into album_images (album, sort_key, image, added_at) '
            f'select {album["id"]}, sort_key, id, {LAST_S} from images where {chosen}'
        )
    insert(db, 'albums', {'name': 'Castles', 'q': 'castle', 'created_at': LAST_S})
