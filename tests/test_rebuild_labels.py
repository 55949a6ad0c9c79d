"""`rebuild` over labels that were copied, edited or made up: one costs no other."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Library
from app.models import Image
from app.storage.metadata.label import LATEST_S
from tests.rebuilding import DAY, OURS, rebuilt, rows, write, write_saying

# What a label can say that no Easel would write: the text, and what it says.
STRANGE = [
    *[('image_id', value) for value in ('0', '-7', str(2**63 - 1), str(2**63), '1.5', 'x')],
    *[('generation_id', value) for value in ('0', '-7', str(2**63 - 1), str(2**63), '1.5')],
    *[('position', value) for value in (str(10**18), '-1', str(2**64))],
    *[('asked_size', value) for value in ('99999999999x1', 'junk', f'{"9" * 5000}x1', '0x0')],
    *[('created_at', value) for value in ('NaN', 'inf', '1e300', '-1e18', 'yesterday', '')],
    *[('seed', value) for value in (str(2**64), '-1', 'x')],
    ('prompt', 'long ' * 200_000),
    ('exact', json.dumps({'prompt': 'a\0b \ud800', 'model': '\udfff\0'})),
    *[(name, 'y' * 30_000) for name in ('provider', 'model', 'sampler', 'source_url')],
    *[('steps', '99999999999'), ('guidance', '1e308')],
    *[('sources', text) for text in ('junk', f'{2**63}:{"a" * 64}', f'7:{"a" * 64} ' * 999)],
    *[('mask', '../../secret'), ('changed_outside_mask', 'inf'), ('laid_back_from', '7:')],
]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder of one day, with one whole picture of Easel's in it."""
    folder = tmp_path / 'images' / DAY
    folder.mkdir(parents=True)
    write(folder / 'm.png', OURS)
    return folder


def test_a_copy_of_a_picture_is_named_and_left_alone(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(images / 'm.png', images / 'n.png')
    write(images / 'other.png', replace(OURS, generation_id=4, image_id=6))

    status = rebuilt(tmp_path)

    assert status == 0
    assert sorted(rows(tmp_path)) == ['m.png', 'other.png']
    assert f'{DAY}/n.png is a copy of {DAY}/m.png' in capsys.readouterr().err
    assert (images / 'n.png').exists()


def test_another_picture_with_the_same_ids_gets_new_ones(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(images / 'n.png', OURS, shade=90)
    write(images / 'o.png', replace(OURS, image_id=9, position=1), shade=120)

    status = rebuilt(tmp_path)

    found = rows(tmp_path)
    assert status == 0
    assert [found[name].id for name in ('m.png', 'n.png', 'o.png')] == [5, 10, 9]
    assert {image.generation_id for image in found.values()} == {3}
    assert len({image.position for image in found.values()}) == 3
    assert f'{DAY}/n.png now has the id 10' in capsys.readouterr().err


def test_two_prompts_under_one_generation_s_id_are_two_generations(
    images: Path, tmp_path: Path
) -> None:
    write(images / 'n.png', replace(OURS, image_id=6, prompt='from another folder'))

    status = rebuilt(tmp_path)

    found = rows(tmp_path)
    assert status == 0
    assert [(found[name].generation_id, found[name].prompt) for name in sorted(found)] == [
        (3, OURS.prompt),
        (4, 'from another folder'),
    ]


def test_labels_that_can_not_be_meant_cost_no_picture(images: Path, tmp_path: Path) -> None:
    for number, (name, value) in enumerate(STRANGE, 10):
        said = {'generation_id': f'{number}', 'image_id': f'{number}', 'prompt': 'a fox'}
        write_saying(images / f'{number}.gif', {**said, 'provider': 'p', name: value})

    status = rebuilt(tmp_path)

    found = rows(tmp_path)
    ours = found.pop('m.png')
    assert status == 0
    assert (ours.id, ours.generation_id) == (5, 3)
    assert len(found) == len(STRANGE)
    assert [image for image in found.values() if not is_possible(image)] == []


def is_possible(image: Image) -> bool:
    ids = (image.id, image.generation_id)
    return (
        all(0 < one < 1 << 49 for one in ids)
        and 0 <= image.created_at <= LATEST_S
        and len(image.prompt) <= 32_000
        and len(image.provider) <= 200
    )


def test_a_new_picture_can_be_kept_after_the_largest_id_that_is_believed(
    images: Path, tmp_path: Path
) -> None:
    write_saying(images / 'n.gif', {'generation_id': str(1 << 48), 'image_id': str(1 << 48)})
    rebuilt(tmp_path)

    async def reserve() -> int:
        library = await Library.open(tmp_path / 'easel.db')
        try:
            return await library.images.reserve()
        finally:
            await library.close()

    assert asyncio.run(reserve()) == (1 << 48) + 1
