"""What is asked next after a refusal, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping

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


SD: dict[str, object] = {'prompt': 'a fox', 'width': 1536, 'height': 768, 'sampler_name': 'Euler'}
FAULT = Failure(kind=ErrorKind.UPSTREAM_ERROR, http_status=500, words="has no attribute 'dump'")


def refusing(
    name: str | None,
    kind: ErrorKind = ErrorKind.UNSUPPORTED_PARAM,
    words: str = '',
    sent: Mapping[str, object] = FULL,
    status: int = 400,
) -> Failure:
    failure = Failure(kind=kind, param=name, words=words, http_status=status)
    return with_refused_value(failure, '', sent)


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
        ("Unsupported value: 'quality' does not support 'hd' with this model.", 'quality=hd'),
        ('quality hd is not supported', 'quality=hd'),
        ('Invalid quality', 'quality=hd'),
        ('This quality was not found', 'quality=hd'),
        ("Unsupported parameter: 'quality' is not supported with this model.", 'quality'),
        ('quality is not supported by this model', 'quality'),
        ("got an unexpected keyword argument 'quality'", 'quality'),
        ('Additional properties are not allowed', 'quality'),
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


def test_half_a_size_is_never_sent() -> None:
    fallback = ParameterFallback(SD, Capabilities())

    fallback.mend(refusing('width', words="Unknown parameter: 'width'", sent=SD))
    again = ParameterFallback(SD, Capabilities(refused=('width',)))

    assert fallback.body == again.body == {'prompt': 'a fox', 'sampler_name': 'Euler'}
    assert fallback.dropped == ('width', 'height')
    assert fallback.learned().refused == ('width', 'height')


def test_a_size_is_tried_anew_within_what_the_refusal_says() -> None:
    fallback = ParameterFallback(SD, Capabilities())

    fallback.mend(refusing('width', words='width must be at most 1024', sent=SD))
    learned = fallback.learned()
    again = ParameterFallback(SD, learned)
    other = ParameterFallback(SD | {'width': 512}, learned)

    assert fallback.body == again.body == SD | {'width': 1024, 'height': 512}
    assert fallback.dropped == again.dropped == ('width', 'height')
    assert learned.refused == ('size=1536x768→1024x512',)
    assert (other.body['width'], other.dropped) == (512, ())


def test_a_size_that_is_refused_twice_is_left_out_and_said() -> None:
    fallback = ParameterFallback(SD, Capabilities())

    for _ in range(2):
        fallback.mend(refusing('height', words='must be at most 1024', sent=SD))

    assert fallback.body == {'prompt': 'a fox', 'sampler_name': 'Euler'}
    assert fallback.learned().refused == ('size=1536x768',)


@pytest.mark.parametrize(
    ('words', 'status', 'mended'),
    [
        ('size must be at least 1024x1024', 400, True),
        ('height and width have to be divisible by 8 but are 512 and 513', 500, False),
    ],
    ids=['larger: it may cost more', '500: it may have worked'],
)
def test_no_size_is_tried_that_may_cost_more(words: str, status: int, mended: bool) -> None:
    sent: dict[str, object] = {'prompt': 'a', 'size': '512x513'}
    fallback = ParameterFallback(sent, Capabilities())

    went_on = fallback.mend(refusing('size', words=words, sent=sent, status=status))

    assert went_on is mended
    assert fallback.body.get('size') == (None if mended else '512x513')


def test_a_sampler_that_is_refused_is_not_all_samplers() -> None:
    fallback = ParameterFallback(SD, Capabilities())

    fallback.mend(refusing('sampler_name', words='Sampler not found', sent=SD))
    other = ParameterFallback(SD | {'sampler_name': 'Euler a'}, fallback.learned())

    assert fallback.learned().refused == ('sampler_name=Euler',)
    assert other.body['sampler_name'] == 'Euler a'


@pytest.mark.parametrize(
    ('took_s', 'mended', 'refused', 'blamed'),
    [
        (0.1, True, ('stream', 'partial_images'), False),
        (9, False, ('stream', 'partial_images'), True),
    ],
    ids=['at once', 'after the work'],
)
def test_a_stream_that_a_gateway_fails_of_is_left_out(
    took_s: float, mended: bool, refused: tuple[str, ...], blamed: bool
) -> None:
    sent: dict[str, object] = {'prompt': 'a', 'stream': True, 'partial_images': 2}
    fallback = ParameterFallback(sent, Capabilities())

    went_on = fallback.mend_stream(FAULT, took_s)

    assert (went_on, fallback.blames_stream) == (mended, blamed)
    assert ('stream' not in fallback.body) is mended
    assert fallback.learned().refused == refused


def test_a_stream_that_was_left_out_in_vain_was_not_to_blame() -> None:
    sent: dict[str, object] = {'prompt': 'a', 'stream': True, 'partial_images': 2}
    fallback = ParameterFallback(sent, Capabilities())
    fallback.mend_stream(FAULT, 0.1)

    went_on = fallback.mend_stream(FAULT, 0.1)

    assert not went_on
    assert fallback.learned().refused == ()
