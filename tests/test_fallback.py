"""What is asked next after a refusal, and what is remembered of it."""

from __future__ import annotations

import pytest

from app.errors import ErrorKind, Failure
from app.providers.core.capabilities import Capabilities
from app.providers.dialects.base import ParameterFallback
from app.providers.response.refused import with_refused_value

FULL: dict[str, object] = {
    'model': 'flux',
    'prompt': 'a cat',
    'size': '512x512',
    'seed': 7,
    'quality': 'hd',
    'negative_prompt': 'dogs',
}


def refusing(
    name: str | None, kind: ErrorKind = ErrorKind.UNSUPPORTED_PARAM, words: str = ''
) -> Failure:
    return with_refused_value(Failure(kind=kind, param=name, words=words), '', FULL)


def test_a_refused_format_goes_down_each_rung_once() -> None:
    fallback = ParameterFallback({'prompt': 'a cat', 'response_format': 'url'}, Capabilities())
    seen = []

    while fallback.mend(refusing('response_format')):
        seen.append(fallback.body.get('response_format'))

    assert seen == [None, 'b64_json']


def test_a_format_that_was_not_sent_can_be_asked_for() -> None:
    fallback = ParameterFallback({'prompt': 'a cat'}, Capabilities())

    fallback.mend(refusing('response_format'))

    assert fallback.body['response_format'] == 'b64_json'
    assert fallback.learned().response_format == 'b64_json'


def test_a_refused_field_is_left_out_and_said() -> None:
    fallback = ParameterFallback(FULL, Capabilities())

    mended = fallback.mend(refusing('quality'))

    assert mended
    assert 'quality' not in fallback.body
    assert fallback.dropped == ('quality',)
    assert fallback.learned().refused == ('quality',)


def test_after_two_drops_only_what_must_be_is_sent() -> None:
    fallback = ParameterFallback(FULL, Capabilities())

    for name in ('quality', 'seed', 'negative_prompt'):
        fallback.mend(refusing(name))

    assert set(fallback.body) == {'model', 'prompt'}
    assert fallback.dropped == ('size', 'seed', 'quality', 'negative_prompt')
    assert fallback.learned().refused == ('quality', 'seed', 'negative_prompt')


@pytest.mark.parametrize('name', ['prompt', 'model', 'messages', 'override_settings', None])
def test_what_must_be_sent_is_never_dropped(name: str | None) -> None:
    full = {**FULL, 'messages': [], 'override_settings': {'sd_model_checkpoint': 'dream'}}
    fallback = ParameterFallback(full, Capabilities())

    mended = fallback.mend(refusing(name))

    assert not mended
    assert fallback.body == full


@pytest.mark.parametrize(
    'kind', [kind for kind in ErrorKind if kind is not ErrorKind.UNSUPPORTED_PARAM]
)
def test_no_other_failure_is_asked_again(kind: ErrorKind) -> None:
    fallback = ParameterFallback(FULL, Capabilities())

    mended = fallback.mend(refusing('quality', kind))

    assert not mended


def test_guidance_is_tried_as_the_other_kind_of_number_before_it_is_dropped() -> None:
    fallback = ParameterFallback({'prompt': 'a cat', 'guidance_scale': 7}, Capabilities())

    fallback.mend(refusing('guidance_scale'))
    as_float = fallback.body['guidance_scale']
    learned = fallback.learned()
    fallback.mend(refusing('guidance_scale'))

    assert repr(as_float) == '7.0'
    assert learned.guidance == 'float'
    assert 'guidance_scale' not in fallback.body


def test_what_was_learned_is_not_tried_again() -> None:
    fallback = ParameterFallback(
        FULL, Capabilities(refused=('quality',), response_format='b64_json')
    )

    again = ParameterFallback(
        {**FULL, 'response_format': 'url'},
        Capabilities(refused=('response_format=url',), response_format='absent'),
    )

    assert fallback.dropped == ('quality',)
    assert 'response_format' not in again.body
    assert again.dropped == ('response_format',)


def test_a_refused_stream_is_no_setting_that_somebody_misses() -> None:
    fallback = ParameterFallback(
        {'prompt': 'a cat', 'stream': True, 'partial_images': 2}, Capabilities()
    )

    fallback.mend(refusing('partial_images'))

    assert fallback.body == {'prompt': 'a cat'}
    assert fallback.dropped == ()
    assert fallback.learned().refused == ('stream', 'partial_images')


@pytest.mark.parametrize(
    ('words', 'fact'),
    [
        ("Unknown parameter: 'quality'.", 'quality'),
        ('Extra inputs are not permitted', 'quality'),
        ('quality must be one of high, low', 'quality=hd'),
        ("Invalid value: 'hd'. Supported values are: 'low' and 'high'.", 'quality=hd'),
        ("Input should be 'high', 'medium' or 'low'", 'quality=hd'),
        ('', 'quality'),
    ],
)
def test_a_value_that_is_refused_is_not_the_field(words: str, fact: str) -> None:
    fallback = ParameterFallback(FULL, Capabilities())

    fallback.mend(refusing('quality', words=words))
    learned = fallback.learned()
    again, other = (
        ParameterFallback(FULL, learned),
        ParameterFallback({**FULL, 'quality': 'low'}, learned),
    )

    assert learned.refused == (fact,)
    assert 'quality' not in again.body
    assert ('quality' in other.body) == (fact == 'quality=hd')


def test_each_refusal_teaches_at_once() -> None:
    fallback = ParameterFallback(FULL, Capabilities())

    fallback.mend(refusing('quality'))
    first = fallback.learned()
    fallback.mend(refusing('seed'))

    assert first.refused == ('quality',)
    assert fallback.learned().refused == ('quality', 'seed')
