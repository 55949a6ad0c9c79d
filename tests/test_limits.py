"""What a refusal says that a server takes: sizes, numbers and words."""

from __future__ import annotations

import pytest

from app.models.request import Size
from app.providers.response.limits import choices_in, limits_in


@pytest.mark.parametrize(
    ('words', 'wished', 'near'),
    [
        (
            'height and width have to be divisible by 8 but are 204 and 500',
            '204x500',
            ['208x504', '200x496', '208x496', '200x504'],
        ),
        ('width and height must be multiples of 64', '1000x640', ['1024x640', '960x640']),
        ('width must be at most 1024', '1536x768', ['1024x512']),
        ('Input should be less than or equal to 1024', '768x1536', ['512x1024']),
        ('maximum resolution is 1024x1024', '1536x768', ['1024x512']),
        ('too large: max side is 1,024', '2048x2048', ['1024x1024']),
        ('The size 4096x4096 exceeds the maximum of 4 megapixels', '4096x4096', ['2000x2000']),
        ('image size must be at least 3686400 pixels.', '1024x1024', ['1920x1920']),
        ('min side is 512, got 256', '256x256', ['512x512']),
        ('Width must be between 256 and 2048', '4096x1024', ['2048x512']),
        (
            'divisible by 16 and the total pixels must be between 655360 and 8294400',
            '100x100',
            ['816x816'],
        ),
        ('The aspect ratio must be between 1:3 and 3:1', '2048x256', ['768x256']),
        (
            "Size 512x512 isn't supported: use 1024x1024, 1792x1024 or 1024x1792.",
            '512x512',
            ['1024x1024', '1792x1024', '1024x1792'],
        ),
        ('must be one of 1024x1024, 1536x1024', '1200x800', ['1536x1024', '1024x1024']),
        ('this size is not supported', '512x512', []),
        ('not enough room: 3 of 8', '512x512', []),
        ('must be in 1.2.3 to 2.0, a multiple of ' + '9' * 5_000, '512x512', []),
        ('must be at least 0x0, 00x00 or ' + '9' * 5_000, '512x512', []),
    ],
)
def test_the_nearest_sizes_that_a_refusal_allows(words: str, wished: str, near: list[str]) -> None:
    size = Size.parse(wished)

    assert [str(one) for one in limits_in(words, size).sizes_near(size)] == near


@pytest.mark.parametrize(
    ('words', 'wished', 'near'),
    [
        ('You must provide n=1 for this model.', 2, 1),
        ('n must be 1', 3, 1),
        ('Input should be less than or equal to 4', 6, 4),
        ('num_inference_steps must be between 1 and 4', 20, 4),
        ('28 is greater than the maximum of 12', 28, 12),
        ('at least 2 steps', 1, 2),
        ('n must be between 1 and 4', 3, None),
        ('no such thing', 3, None),
        ('n must be ' + '9' * 5_000, 3, None),
        ('at least ' + '9' * 5_000, 3, None),
    ],
)
def test_the_nearest_number_that_a_refusal_allows(words: str, wished: int, near: int) -> None:
    assert limits_in(words).number_near(wished) == near


@pytest.mark.parametrize(
    ('words', 'choices'),
    [
        ('quality must be one of high, low', ('high', 'low')),
        ("Invalid value: 'hd'. Supported values are: 'low' and 'high'.", ('low', 'high')),
        ("Input should be 'high', 'medium' or 'low'", ('high', 'medium', 'low')),
        ('sampler_name not in ["DPM++ 2M","Euler a"]', ('DPM++ 2M', 'Euler a')),
        ('Available samplers: Euler a, DPM++ 2M', ('Euler a', 'DPM++ 2M')),
        ('unknown sampler, must be: euler, euler_a', ('euler', 'euler_a')),
        ("quality 'hd' is not supported", ()),
        ('Sampler not found', ()),
    ],
)
def test_the_values_that_a_refusal_names(words: str, choices: tuple[str, ...]) -> None:
    assert choices_in(words) == choices
