"""Rows of many pictures at once, without files; nothing is destroyed where there are none."""

from __future__ import annotations

import json
from pathlib import Path

import apsw

from app.database import Library


async def many(library: Library, count: int, prompt: str = 'a cat') -> None:
    """Write pictures with ids from 1 on, four to a generation, made a second after each other."""

    def write(db: apsw.Connection) -> None:
        numbers = json.dumps([*range(1, count + 1)])
        values = {'numbers': numbers, 'prompt': prompt}
        db.execute(
            """
            insert into generations (status, prompt, asked_provider, provider, created_at)
            select 'done', :prompt, 'g4f', 'g4f', value
            from json_each(:numbers)
            where value <= (json_array_length(:numbers) + 3) / 4
            """,
            values,
        )
        db.execute(
            """
            insert into images (
              generation_id, position, digest, file, mime, width, height, size_bytes, mean_colour,
              provider, model, created_at, sort_key
            )
            select (value + 3) / 4, value % 4, 'd' || value, '2026/11/29/' || value || '.png',
              'image/png', 8, 6, 70, '#102030', 'g4f', 'flux', value, value * 1000000
            from json_each(:numbers)
            """,
            values,
        )

    await library.database.write(write)


def put_files(images: Path, count: int = 4) -> None:
    """Put empty files in the places of the first pictures."""
    folder = images / '2026/11/29'
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        (folder / f'{number}.png').touch()
