"""A library with pictures of everything that the keys of a search ask for."""

from __future__ import annotations

from pathlib import Path

from app.database import Library
from app.database.links import GuestRow
from app.models.request import GenerationRequest
from tests.support.rows import drawn, kept, pictured

DAY = 86_400


async def searched_library(folder: Path) -> Library:
    """Keep three pictures, of the tenth, the twentieth and the thirtieth day of 1970."""
    library = await Library.open(folder / 'easel.db')
    mia = GuestRow(
        name='Mia', token_hash='', makes=True, sees_all=True, created_at=1, expires_at=None
    )
    await library.guests.add(mia)
    fox = await pictured(library, 'a red fox in snow', model='Flux', made_at=DAY * 10)
    await library.images.set_favourite(fox.id, favourite=True)
    await pictured(library, 'two foxes', model='zebra', provider='My server', made_at=DAY * 20)
    request = GenerationRequest(prompt='a castle', negative_prompt='blurry fog', seed=7)
    sent = await library.generations.submit(
        request, provider='g4f', submission=None, now=1.0, guest=1
    )
    claimed = await library.generations.claim('g4f', 2.0, sent.generation.id)
    assert claimed
    picture = kept('castle', seed=7, revised_prompt='an old keep by the sea')
    await library.generations.finish(claimed, drawn(picture, model='zebra'), DAY * 30.5)
    cats = await library.albums.add('My cats', None, 1.0)
    await library.albums.add('Foxes', 'fox', 1.0)
    await library.albums.put(cats.id, [3], 1.0)
    return library
