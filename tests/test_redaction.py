"""A provider that repeats our key: nothing of it is shown, in any spelling."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ErrorKind, Failure
from app.providers.response.messages import LONGEST_WORDS, MOST_CLEANED_LETTERS
from app.providers.transport.caller import CallRecorder
from app.providers.transport.redaction import MOST_RESPONSE_LETTERS, SLICE, SecretRedactor
from tests.support.fakes import provider_settings

KEY = 'canary/Zq7+secret=token~Plumage'
HEADER = 'a-header-Value-3141592653'
REDACTOR = SecretRedactor(replace(provider_settings(), key=KEY, headers=(('X-Extra', HEADER),)))
SPELLINGS = {
    'itself': KEY,
    'a header': HEADER,
    'backwards': KEY[::-1],
    'percent-encoded': quote(KEY, safe=''),
    'base64': base64.b64encode(KEY.encode()).decode(),
    'base64 for addresses': base64.urlsafe_b64encode(KEY.encode()).decode(),
    'base64 behind one letter': base64.b64encode(f'u{KEY}'.encode()).decode(),
    'base64 behind a name': base64.b64encode(f'me:{KEY}'.encode()).decode(),
    'base64 between': base64.b64encode(f'user:{KEY}:x'.encode()).decode(),
    'escaped': ''.join(f'\\u{ord(sign):04X}' for sign in KEY),
    'escaped in part': KEY.replace('e', '\\x65').replace('/', '\\/'),
    'escaped twice': ''.join(f'\\\\u{ord(sign):04x}' for sign in KEY),
    'percent-encoded whole': ''.join(f'%{ord(sign):02x}' for sign in KEY),
    'as entities': ''.join(f'&#{ord(sign)};' for sign in KEY),
    'hex': KEY.encode().hex(),
    'hex in capitals': KEY.encode().hex().upper(),
    'with blanks': ' '.join(KEY),
    'with line breaks': '\n'.join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
    'its first letters': KEY[:SLICE],
    'its last letters': KEY[-SLICE:],
}


def slices(secret: str) -> set[str]:
    return {secret[at : at + SLICE] for at in range(len(secret) - SLICE + 1)}


@pytest.mark.parametrize('name', SPELLINGS)
def test_cve_2024_9606_a_key_that_a_provider_repeats_is_not_shown(name: str) -> None:
    said = REDACTOR.text(f'Incorrect key: "{SPELLINGS[name]}". Try another.')

    every = {KEY, HEADER, KEY[::-1], quote(KEY, safe=''), base64.b64encode(KEY.encode()).decode()}
    assert not [one for secret in every for one in slices(secret) if one in said]
    assert said.startswith('Incorrect key: "')
    assert said.endswith('". Try another.')
    assert '…' in said


@given(st.text(), st.integers(0, len(KEY)), st.integers(0, len(KEY)))
def test_no_slice_of_a_key_passes_in_any_text(text: str, first: int, last: int) -> None:
    shown = REDACTOR.text(f'{text}{KEY[first:last]}{KEY}{text}')

    assert not slices(KEY) & slices(shown)


@pytest.mark.parametrize('key', [None, '', 'x', 'none'])
def test_without_a_key_worth_the_name_words_stay_as_they_are(key: str | None) -> None:
    quiet = SecretRedactor(
        replace(provider_settings(), key=key, headers=(('Referer', 'http://localhost'),))
    )
    words = 'none of x at http://localhost:1337/v1 ……'

    assert quiet.text(words) == words


@pytest.mark.parametrize(
    ('name', 'is_secret'),
    [
        ('x-portkey-provider', False),
        ('X-Author', False),
        ('X-Max-Tokens', False),
        ('X-Passthrough', False),
        ('x-portkey-api-key', True),
        ('x-portkey-virtual-key', True),
        ('XApiKey', True),
        ('X-APIKEY', True),
        ('g4f-api-key', True),
        ('X-AuthToken', True),
        ('Proxy-Authorization', True),
        ('X-Webhook', True),
    ],
)
def test_a_word_is_a_secret_by_the_name_of_its_header(name: str, is_secret: bool) -> None:
    redactor = SecretRedactor(replace(provider_settings(), key=None, headers=((name, 'openai'),)))

    assert ('openai' not in redactor.text('it went to openai')) is is_secret


def test_a_long_value_is_shown_under_a_name_that_is_harmless_alone() -> None:
    value = 'azure-openai-of-europe-west'
    given = (('x-portkey-provider', value), ('x-extra', 'somewhere-else-altogether'))
    redactor = SecretRedactor(replace(provider_settings(), key=None, headers=given))

    assert redactor.text(f'{value} failed') == f'{value} failed'
    assert 'somewhere' not in redactor.text('somewhere-else-altogether failed')


def test_a_word_in_a_harmless_header_is_no_secret() -> None:
    headers = (('OpenAI-Organization', 'openai'), ('X-Model', 'gpt-image-2.6-sunburst'))
    redactor = SecretRedactor(replace(provider_settings(), headers=headers))
    words = 'openai has no gpt-image-2.6-sunburst'

    assert redactor.text(words) == words


@pytest.mark.parametrize(
    ('name', 'value', 'repeated'),
    [
        ('X-Api-Key', 'plumage', 'plumage'),
        ('Cookie', 'next=http://a.test/; session=abcdefgh', 'session=abcdefgh'),
        ('X-Hook', 'https://hooks.test/T0/B1/secret', '/B1/secret'),
    ],
)
def test_a_secret_header_is_hidden_in_whole_and_in_parts(
    name: str, value: str, repeated: str
) -> None:
    redactor = SecretRedactor(replace(provider_settings(), headers=((name, value),)))

    assert redactor.text(f'not {repeated}!') in ('not …!', 'not…!')


def test_the_values_of_an_addresss_query_are_secrets_and_its_version_is_none() -> None:
    url = 'http://fake.test/v1?api-version=2024-10-21&sig=Zq7%2Bplumage'
    redactor = SecretRedactor(replace(provider_settings(), base_url=url))

    shown = redactor.text('2024-10-21 with Zq7+plumage or Zq7%2Bplumage')

    assert shown == '2024-10-21 with … or …'


def test_every_text_of_a_failure_is_hushed() -> None:
    failure = Failure(
        kind=ErrorKind.AUTH, words=KEY, reason=KEY, param=KEY, job_id=KEY, url=f'http://a/?k={KEY}'
    )

    assert not slices(KEY) & slices(repr(REDACTOR.failure(failure)))


@pytest.mark.parametrize('filler', ['w ', ' '], ids=['words', 'blanks'])
@pytest.mark.parametrize('inside', [1, SLICE - 1, SLICE, len(KEY) - 1])
@pytest.mark.parametrize('cut', [LONGEST_WORDS, MOST_RESPONSE_LETTERS, MOST_CLEANED_LETTERS])
def test_a_key_across_the_cut_of_a_long_text_is_not_shown_in_half(
    cut: int, inside: int, filler: str
) -> None:
    text = (filler * cut)[: cut - inside] + KEY + filler * cut
    recorder = CallRecorder('POST', 'http://a', answer=text)

    words = REDACTOR.failure(Failure(kind=ErrorKind.AUTH, words=text)).words
    answer = REDACTOR.call(recorder.call()).answer

    assert {*words, *answer} <= {'w', ' ', '…'}
    assert (len(words), len(answer)) <= (LONGEST_WORDS, MOST_RESPONSE_LETTERS)


@pytest.mark.parametrize('key', ['sk-abcdef.Zq7xyz', 'token=abcdefgh|Zq7', 'Bearer abcdef,Zq7'])
def test_what_a_pattern_leaves_of_a_key_is_not_shown(key: str) -> None:
    redactor = SecretRedactor(replace(provider_settings(), key=key))

    words = redactor.failure(Failure(kind=ErrorKind.AUTH, words=f'no: {key}!')).words

    assert words == 'no: …!'


def test_an_address_in_a_header_is_hidden_as_a_whole() -> None:
    hook = 'https://hooks.test/T0/B1/secret'
    redactor = SecretRedactor(replace(provider_settings(), headers=(('X-Hook', hook),)))

    assert redactor.text(f'https://hooks.test/T0 of {hook}') == 'https://hooks.test/T0 of …'


@pytest.mark.parametrize(('before', 'shared'), [('', 0), ('u', 2), ('me', 3)])
def test_of_a_key_in_base64_only_letters_shared_with_what_is_before_are_shown(
    before: str, shared: int
) -> None:
    spelt = base64.b64encode(f'{before}{KEY}'.encode()).decode()
    own = (len(before) + len(KEY)) * 8 // 6

    assert REDACTOR.text(spelt) == f'{spelt[:shared]}…{spelt[own:]}'


def test_of_an_address_that_a_cut_ends_nothing_is_shown() -> None:
    hook = 'https://hooks.test/T0/B1/secret'
    redactor = SecretRedactor(replace(provider_settings(), key=KEY, headers=(('X-Hook', hook),)))

    shown = redactor.text(f'{"w " * 50}{hook}', 100 + len(hook) - 1)

    assert {*shown} == {'w', ' '}


def test_a_key_in_the_base64_of_addresses_is_hidden_whole() -> None:
    key = 'my>>>>>>??????key'
    spelt = base64.urlsafe_b64encode(key.encode()).decode()
    redactor = SecretRedactor(replace(provider_settings(), key=key))

    shown = redactor.text(spelt)

    assert {'-', '_'} < {*spelt}
    assert shown == f'…{spelt[len(key) * 8 // 6 :]}'
