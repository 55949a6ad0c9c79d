"""A data folder with hostile text in every place that text can have, and where pages show it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.access.guests import hash_of
from app.database import Library
from app.database.links import GuestRow, ShownRow
from app.database.providers import ProviderRow
from app.errors import ErrorKind, Failure
from app.models import Call, Outcome, Status, StoredImage
from app.models.request import GenerationRequest
from tests.support.fakes import picture, sha256
from tests.support.rows import kept
from tests.support.script_payloads import joined
from tests.support.static_server import Quiet, serving

MODELS_A_SERVER = 200
LONGEST_NAME = 60
MOST_ENABLED = 40
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Stuffed:
    """What is where; generations and pictures have their ids in this order, from 1.

    Attributes:
        short: One text for each picture of the walls.
        long: Many texts in one, for each picture that is looked at alone, and each failure; links
            to these pictures end in `shown-0` and so on.
        names: Of providers, and of guests, whose links end in `guest-0` and so on.
        models: What each of the first providers lists.
    """

    short: tuple[str, ...]
    long: tuple[str, ...]
    names: tuple[str, ...]
    models: tuple[tuple[str, ...], ...]

    def model(self, number: int) -> str:
        """Give the default model of a provider."""
        return self.models[number % len(self.models)][0]


async def stuff(data: Path, stuffed: Stuffed, lists_url: str) -> None:
    """Write all of it."""
    library = await Library.open(data / 'easel.db')
    try:
        for text in stuffed.short:
            await _write(library, text, (_kept(text),))
        for number, text in enumerate(stuffed.long):
            await _write(library, text, (made := _kept(text),))
            await asyncio.to_thread(_write_file, data / 'images' / made.file)
            await library.shown.add(_shown(number, len(stuffed.short) + number + 1))
        for number, name in enumerate(stuffed.names):
            await library.guests.add(_guest(number, name))
        for text in stuffed.long:
            await _write(library, text, ())
        for number, name in enumerate(stuffed.names):
            base_url = f'{lists_url}/{number}/v1'
            await library.providers.add(
                _provider(name, base_url, stuffed.model(number), enabled=number < MOST_ENABLED)
            )
    finally:
        await library.close()


async def _write(library: Library, text: str, pictures: tuple[StoredImage, ...]) -> None:
    request = GenerationRequest(
        prompt=text, negative_prompt=text, model=text, quality=text, sampler=text
    )
    sent = await library.generations.submit(request, provider=text, submission=None, now=1.0)
    claimed = await library.generations.claim(text, 2.0, sent.generation.id)
    assert claimed
    fault = Failure(
        kind=ErrorKind.INVALID_REQUEST, words=text, reason=text, where=text, param=text, url=text
    )
    call = Call(
        method='POST', url=text, headers=(('X', text),), body=text, status=400, answer=text,
        reason=text, dropped=(text,), began_at=1.0, took_s=1.0,
    )  # fmt: skip
    outcome = Outcome(
        status=Status.DONE if pictures else Status.FAILED, provider=text, model=text,
        kept=pictures, item_errors=(fault,), dropped=(text,), calls=(call,),
        error=None if pictures else fault,
    )  # fmt: skip
    await library.generations.finish(claimed, outcome, 3.0)


def _kept(text: str) -> StoredImage:
    made = kept(sha256(picture()), revised_prompt=f'{text}!')
    return replace(made, source_url=text[:80], size_bytes=len(picture()))


def _write_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture())


def _shown(number: int, image_id: int) -> ShownRow:
    return ShownRow(
        image_id=image_id, token_hash=hash_of(f'shown-{number}'), tells_prompt=True,
        created_at=1.0, expires_at=None,
    )  # fmt: skip


def _guest(number: int, name: str) -> GuestRow:
    return GuestRow(
        name=name, token_hash=hash_of(f'guest-{number}'), makes=True, sees_all=True,
        created_at=1.0, expires_at=None,
    )  # fmt: skip


def _provider(name: str, base_url: str, model: str, *, enabled: bool) -> ProviderRow:
    return ProviderRow(
        name=name, base_url=base_url, dialect='openai', model=model, at_once=1, timeout_s=9.0,
        tops_up=False, waits=False, previews=False, enabled=enabled,
    )  # fmt: skip


def stuffed_with(texts: Sequence[str], pages: int, servers: int, together: int = 1) -> Stuffed:
    """Spread texts over every place.

    Args:
        texts: All of them.
        pages: Over how many pictures that are looked at alone.
        servers: At most so many are names.
        together: How many are in one on a wall.
    """
    step = -(-len(texts) // pages)
    lists = [texts[at : at + MODELS_A_SERVER] for at in range(0, len(texts), MODELS_A_SERVER)]
    names = [text for text in texts if len(text) <= LONGEST_NAME][:servers]
    return Stuffed(
        short=tuple(joined(texts, together)),
        long=tuple(joined(texts, step)),
        names=tuple(names),
        models=tuple(tuple(one) for one in lists),
    )


@contextmanager
def hostile_provider(stuffed: Stuffed, go: threading.Event | None = None) -> Iterator[str]:
    """Serve the lists of models, and refuse each prompt in its own words; gives the address.

    Args:
        stuffed: What it lists.
        go: What a refusal waits for.
    """

    class Handler(Quiet):
        def get(self) -> None:
            number = self.path.split('/')[1]
            listed = stuffed.models[int(number) % len(stuffed.models)]
            self._say(200, {'data': [{'id': one} for one in listed]})

        def post(self) -> None:
            prompt = json.loads(self.body())['prompt']
            if go:
                go.wait(PATIENCE_S)
            self._say(400, {'error': {'message': prompt, 'code': prompt[:90], 'type': prompt}})

        def _say(self, status: int, answer: object) -> None:
            self.answer(status, 'application/json', json.dumps(answer).encode())

    with serving(Handler) as port:
        yield f'http://127.0.0.1:{port}'


def write_folder(data: Path, stuffed: Stuffed, lists_url: str) -> None:
    """Make the folder, in a thread: Playwright's loop may run in this one."""
    data.mkdir(mode=0o700)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, stuff(data, stuffed, lists_url)).result()
