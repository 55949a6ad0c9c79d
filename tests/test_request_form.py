"""From what a form sent to an ask, with a sentence for each field that can't be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidRequest
from app.generation.request import chosen_providers, form_fields_of, parse_request
from app.models.request import GenerationRequest, ResponseFormat, Size
from app.web.forms import new_submission, submission_of

FULL = GenerationRequest(
    prompt='a cat\nand a dog',
    provider='g4f',
    model='flux',
    size=Size(512, 768),
    n=10,
    seed=(1 << 64) - 1,
    response_format=ResponseFormat.B64_JSON,
    negative_prompt='fog',
    quality='hd',
    steps=500,
    guidance='7.0',
    sampler='DPM++ 2M',
)


def asked(**fields: str) -> GenerationRequest:
    return parse_request({'prompt': 'a cat'} | fields)


@pytest.mark.parametrize('word', ['', ' ', 'auto', 'AUTO', ' Auto '])
def test_empty_and_auto_mean_automatic(word: str) -> None:
    names = [name for name in form_fields_of(FULL) if name != 'prompt']

    request = asked(**dict.fromkeys(names, word))

    assert request == GenerationRequest(prompt='a cat')


@pytest.mark.parametrize('seed', ['-1', ' -1 ', '', 'auto'])
def test_a_seed_of_minus_one_is_left_to_the_server(seed: str) -> None:
    assert asked(seed=seed).seed is None


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('prompt', '  a cat\r\nat night ', 'a cat\nat night'),
        ('prompt', 'auto', 'auto'),
        ('prompt', 'x' * 32_000, 'x' * 32_000),
        ('prompt', '👨‍👩‍👧 кот 猫\tx', '👨‍👩‍👧 кот 猫\tx'),
        ('model', ' black-forest/flux:1 ', 'black-forest/flux:1'),
        ('size', '1024x768', Size(1024, 768)),
        ('size', '1024X768', Size(1024, 768)),
        ('size', '1024 × 768', Size(1024, 768)),
        ('size', '16x16384', Size(16, 16_384)),
        ('n', '1', 1),
        ('n', '10', 10),
        ('seed', '0', 0),
        ('seed', '18446744073709551615', (1 << 64) - 1),
        ('response_format', 'url', ResponseFormat.URL),
        ('response_format', 'b64_json', ResponseFormat.B64_JSON),
        ('negative_prompt', 'fog\nrain', 'fog\nrain'),
        ('quality', 'hd', 'hd'),
        ('steps', '1', 1),
        ('steps', '500', 500),
        ('guidance', '7', '7'),
        ('guidance', '7.0', '7.0'),
        ('guidance', '7,5', '7.5'),
        ('guidance', '0', '0'),
        ('guidance', '100', '100'),
        ('sampler', 'Euler a', 'Euler a'),
    ],
)
def test_a_field_is_read(name: str, text: str, value: object) -> None:
    request = asked(**{name: text})

    assert getattr(request, name) == value


def test_another_size_is_written_beside() -> None:
    assert asked(size='other', size_other='640x480').size == Size(640, 480)
    assert asked(size='', size_other='640x480').size is None


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('prompt', ''),
        ('prompt', ' \r\n '),
        ('prompt', 'x' * 32_001),
        ('prompt', 'a\x00cat'),
        ('prompt', 'a\x1b[31m cat'),
        ('prompt', 'a \ud800 cat'),
        ('negative_prompt', 'x' * 32_001),
        ('negative_prompt', 'a\x07'),
        ('model', 'x' * 201),
        ('model', 'a\x00'),
        ('quality', 'x' * 201),
        ('size', '1024'),
        ('size', '1024x'),
        ('size', 'x768'),
        ('size', '1024x768x3'),
        ('size', '1024*768'),
        ('size', '-1024x768'),
        ('size', '1024x-768'),
        ('size', '1024x+768'),
        ('size', '1024x7_6_8'),
        ('size', '1024.5x768'),
        ('size', '15x512'),
        ('size', '512x16385'),
        ('size', '٥١٢x512'),
        ('size', '512x٥١٢'),
        ('size', '9' * 5_000 + 'x512'),
        ('size', '512x' + '9' * 5_000),
        ('n', '0'),
        ('n', '11'),
        ('n', '-1'),
        ('n', '1.5'),
        ('n', '1e1'),
        ('n', '٣'),
        ('n', 'two'),
        ('seed', '-2'),
        ('seed', '18446744073709551616'),
        ('seed', '1.0'),
        ('seed', '0x10'),
        ('seed', '1_000'),
        ('seed', '9' * 5_000),
        ('steps', '0'),
        ('steps', '501'),
        ('steps', '1.5'),
        ('steps', '٣'),
        ('guidance', '-1'),
        ('guidance', '100.1'),
        ('guidance', '1e1'),
        ('guidance', '.5'),
        ('guidance', 'seven'),
        ('guidance', 'nan'),
        ('sampler', 'x' * 201),
        ('response_format', 'png'),
        ('response_format', 'URL'),
    ],
)
def test_a_field_that_can_not_be_meant_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked(**{name: text})

    assert list(caught.value.fields) == [name]


def test_every_wrong_field_gets_its_sentence() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request({'prompt': '', 'n': '99', 'seed': 'x', 'size': 'large'})

    assert set(caught.value.fields) == {'prompt', 'n', 'seed', 'size'}
    assert all(str(fault) for fault in caught.value.fields.values())


@given(st.dictionaries(st.sampled_from([*form_fields_of(FULL), 'size_other']), st.text()))
def test_any_form_is_an_ask_or_refused(fields: dict[str, str]) -> None:
    try:
        request = parse_request(fields)
    except InvalidRequest:
        return

    assert request.prompt
    assert parse_request(form_fields_of(request)) == request


def test_an_ask_survives_the_form() -> None:
    assert parse_request(form_fields_of(FULL)) == FULL
    assert parse_request(
        form_fields_of(GenerationRequest(prompt='a', seed=0))
    ) == GenerationRequest(prompt='a', seed=0)


def test_several_servers_are_chosen_by_their_repeated_name() -> None:
    pairs = [('provider', name) for name in ('b', ' a ', '', 'b', 'AUTO')] + [('model', 'c')]

    assert chosen_providers(pairs) == ('b', 'a')


@pytest.mark.parametrize('mark', ['x' * 101, 'a\x00b', '\ud800'])
def test_a_damaged_mark_is_refused(mark: str) -> None:
    with pytest.raises(InvalidRequest):
        submission_of({'submission': mark})


def test_a_mark_is_kept_as_it_is_and_absent_when_empty() -> None:
    mark = new_submission()

    assert submission_of({'submission': mark}) == mark
    assert submission_of({'submission': ''}) is None
    assert submission_of({}) is None
    assert mark != new_submission()
