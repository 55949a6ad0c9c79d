"""What the demo draws."""

from __future__ import annotations

from itertools import cycle

import pytest
from PIL import Image

from app.demo.painter.scene import coarse, draw
from tests.support.picture_checks import digest, png

SUBJECTS = (
    '',
    '\ud800',
    'mountains and a lake at dawn',
    'зимний лес, снегопад, ночь',
    'пустыня на закате',
    'city at night in the rain',
    'red boat, lighthouse and birds on a foggy sea',
    'a galaxy with a planet',
    'aurora over a cabin in the snow',
    'balloons over a castle and an oak tree in autumn',
    'a cat among tulips',
)


def test_the_same_prompt_and_seed_draw_the_same_pixels() -> None:
    first = draw('a lighthouse at dusk', 7, 200, 160)

    again = draw('a lighthouse at dusk', 7, 200, 160)

    assert digest(first) == digest(again)


def test_another_seed_or_prompt_draws_another_picture() -> None:
    requests = [('hills', 1), ('hills', 2), ('холмы', 1)]

    drawn = {digest(draw(prompt, seed, 64, 64)) for prompt, seed in requests}

    assert len(drawn) == 3


@pytest.mark.parametrize(
    ('prompt', 'size'), list(zip(SUBJECTS, cycle(((16, 16), (300, 200), (90, 400))), strict=False))
)
def test_every_subject_is_drawn_whatever_its_shape(prompt: str, size: tuple[int, int]) -> None:
    picture = draw(prompt, 3, *size)

    shades = set(picture.convert('L').tobytes())

    assert picture.size == size
    assert picture.mode == 'RGB'
    assert len(shades) > 8


@pytest.mark.parametrize('size', [(16384, 16), (16, 16384), (8000, 5000)])
def test_extreme_sizes_are_drawn(size: tuple[int, int]) -> None:
    picture = draw('море, мост', 1, *size)

    drawn_size = picture.size

    assert drawn_size == size


def test_night_is_darker_than_day() -> None:
    night = draw('mountains at night', 5, 96, 96).convert('L').resize((1, 1))

    day = draw('mountains on a sunny day', 5, 96, 96).convert('L').resize((1, 1))

    assert night.tobytes() < day.tobytes()


@pytest.mark.parametrize(('word', 'band'), [('red', 0), ('зелёные', 1), ('blue', 2)])
def test_a_named_colour_rules_the_picture(word: str, band: int) -> None:
    picture = draw(f'{word} hills in the morning', 4, 96, 96)

    mean = picture.resize((1, 1), Image.Resampling.BOX).tobytes()

    assert max(range(3), key=lambda index: mean[index]) == band


def test_an_early_state_is_like_the_picture_and_coarser() -> None:
    picture = draw('hills', 1, 256, 256)

    early = coarse(picture, 0.3)

    assert early.size == picture.size
    assert len(png(early)) < len(png(picture)) / 2
