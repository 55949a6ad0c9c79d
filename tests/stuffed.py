"""A data folder with hostile text in every place that text can have, and where pages show it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import ErrorKind, Failure
from app.library import Library
from app.library.providers import ProviderRow
from app.models import Ask, Attempt, Kept, Outcome, Status
from tests.libraries import kept
from tests.plain_server import Quiet, serving

MODELS_A_SERVER = 200
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Stuffed:
    """What is where; generations and pictures have their ids in this order, from 1.

    Attributes:
        short: One text for each picture of the walls.
        long: Many texts in one, for each picture that is looked at alone, and each failure.
        names: Of providers.
        models: What each of the first providers lists.
    """

    short: tuple[str, ...]
    long: tuple[str, ...]
    names: tuple[str, ...]
    models: tuple[tuple[str, ...], ...]


async def stuff(data: Path, stuffed: Stuffed, lists_url: str) -> None:
    """Write all of it."""
    library = await Library.open(data / 'easel.db')
    try:
        for text in (*stuffed.short, *stuffed.long):
            await _write(library, text, (_kept(text),))
        for text in stuffed.long:
            await _write(library, text, ())
        for number, name in enumerate(stuffed.names):
            base_url = f'{lists_url}/{number}/v1'
            await library.providers.add(_provider(name, base_url, stuffed.short[number]))
    finally:
        await library.close()


async def _write(library: Library, text: str, pictures: tuple[Kept, ...]) -> None:
    ask = Ask(prompt=text, negative_prompt=text, model=text, quality=text, sampler=text)
    sent = await library.generations.submit(ask, provider=text, submission=None, now=1.0)
    claimed = await library.generations.claim(text, 2.0, sent.generation.id)
    assert claimed
    fault = Failure(
        kind=ErrorKind.INVALID_REQUEST, words=text, reason=text, where=text, param=text, url=text
    )
    call = Attempt(
        method='POST', url=text, headers=(('X', text),), body=text, status=400, answer=text,
        reason=text, dropped=(text,), began_at=1.0, took_s=1.0,
    )  # fmt: skip
    outcome = Outcome(
        status=Status.DONE if pictures else Status.FAILED, provider=text, model=text,
        kept=pictures, item_errors=(fault,), dropped=(text,), attempts=(call,),
        error=None if pictures else fault,
    )  # fmt: skip
    await library.generations.finish(claimed, outcome, 3.0)


def _kept(text: str) -> Kept:
    made = kept('f' * 64, revised_prompt=f'{text}!')
    return replace(made, source_url=text[:80])


def _provider(name: str, base_url: str, model: str) -> ProviderRow:
    return ProviderRow(
        name=name, base_url=base_url, dialect='openai', model=model, at_once=1, timeout_s=9.0,
        tops_up=False, waits=False, previews=False, enabled=True,
    )  # fmt: skip


def stuffed_with(texts: Sequence[str], pages: int, servers: int) -> Stuffed:
    """Spread texts over every place: all of them over so many pages, and as names of servers."""
    step = -(-len(texts) // pages)
    lists = [texts[at : at + MODELS_A_SERVER] for at in range(0, len(texts), MODELS_A_SERVER)]
    names = [text for text in texts if len(text) <= LONGEST_NAME][:servers]
    return Stuffed(
        short=tuple(texts),
        long=tuple('\n'.join(texts[at : at + step]) for at in range(0, len(texts), step)),
        names=tuple(names),
        models=tuple(tuple(one) for one in lists),
    )


@contextmanager
def hostile_provider(stuffed: Stuffed) -> Iterator[str]:
    """Serve the lists of models, and refuse each prompt in its own words; gives the address."""

    class Handler(Quiet):
        def get(self) -> None:
            number = self.path.split('/')[1]
            listed = stuffed.models[int(number) % len(stuffed.models)]
            self._say(200, {'data': [{'id': one} for one in listed]})

        def post(self) -> None:
            prompt = json.loads(self.body())['prompt']
            self._say(400, {'error': {'message': prompt, 'code': prompt[:90], 'type': prompt}})

        def _say(self, status: int, answer: object) -> None:
            self.answer(status, 'application/json', json.dumps(answer).encode())

    with serving(Handler) as port:
        yield f'http://127.0.0.1:{port}'


def write_folder(data: Path, stuffed: Stuffed, lists_url: str) -> None:
    """Make the folder, from outside a loop."""
    data.mkdir(mode=0o700)
    asyncio.run(stuff(data, stuffed, lists_url))
