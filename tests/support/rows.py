"""Rows for tests: asks, kept pictures and outcomes with every field that matters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from app.database import Library
from app.errors import ErrorKind, Failure
from app.models import Generation, Image, Outcome, Status, StoredImage
from app.models.request import GenerationRequest, ResponseFormat, Size

FULL = GenerationRequest(
    prompt='a cat\nand a dog; кот',
    provider='g4f',
    model='flux',
    size=Size(512, 768),
    n=2,
    seed=0,
    response_format=ResponseFormat.URL,
    negative_prompt='fog',
    quality='hd',
)
_number = itertools.count()


def kept(digest: str = 'd', **labels: object) -> StoredImage:
    seed, revised = labels.get('seed'), labels.get('revised_prompt')
    return StoredImage(
        digest=digest,
        file=f'2026/11/22/{next(_number)}-{digest}.png',
        mime='image/png',
        width=8,
        height=6,
        size_bytes=70,
        mean_colour='#102030',
        seed=seed if isinstance(seed, int) else None,
        revised_prompt=revised if isinstance(revised, str) else None,
    )


def drawn(*pictures: StoredImage, provider: str = 'g4f', model: str | None = 'flux') -> Outcome:
    return Outcome(status=Status.DONE, provider=provider, model=model, kept=pictures)


def failed(failure: Failure | None = None) -> Outcome:
    error = failure or Failure(kind=ErrorKind.UPSTREAM_ERROR)
    return Outcome(status=Status.FAILED, provider='g4f', model='flux', error=error)


async def submitted(library: Library, prompt: str = 'a cat', provider: str = 'g4f') -> Generation:
    request = GenerationRequest(prompt=prompt)
    sent = await library.generations.submit(request, provider=provider, submission=None, now=1.0)
    return sent.generation


async def running(library: Library, provider: str = 'g4f') -> Generation:
    generation = await submitted(library, provider=provider)
    claimed = await library.generations.claim(provider, 2.0, generation.id)
    assert claimed
    return claimed


async def pictured(
    library: Library,
    prompt: str = 'a cat',
    model: str | None = 'flux',
    provider: str = 'g4f',
    made_at: float = 3.0,
) -> Image:
    """Write a whole generation with one picture."""
    generation = await submitted(library, prompt, provider)
    claimed = await library.generations.claim(provider, 2.0, generation.id)
    assert claimed
    outcome = drawn(kept(f'digest-{generation.id}'), provider=provider, model=model)
    await library.generations.finish(claimed, outcome, made_at)
    return (await library.generations.one(generation.id)).images[0]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the database's write lock, as another program would."""
    other = apsw.Connection(str(folder / 'easel.db'))
    other.execute('begin immediate')
    try:
        yield
    finally:
        other.close()
