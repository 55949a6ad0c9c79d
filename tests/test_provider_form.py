"""The form of a server: what is kept, and a sentence for each field that can't be meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.providers.settings import Secrets
from app.web.views.provider_form import NEW, Draft, draft_of

BEFORE = replace(NEW, id=3, name='studio', base_url='http://a.test:8000/v1', tops_up=True)
HAD = Secrets('sk-old', (('api-key', 'one'), ('X-Two', 'two')))


def drafted(**fields: str) -> Draft:
    return draft_of({'base_url': 'a.test:8000', **fields}.items())


def changed(*pairs: tuple[str, str]) -> Draft:
    return draft_of(pairs, BEFORE, HAD)


def test_an_address_alone_is_enough() -> None:
    draft = drafted()

    assert draft.wrong == {}
    assert draft.secrets == Secrets()
    assert draft.row == replace(NEW, base_url='http://a.test:8000/v1', name='a.test:8000')


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('name', '  my   studio ', 'my studio'),
        ('model', ' black-forest/flux:1 ', 'black-forest/flux:1'),
        ('model', 'auto', ''),
        ('dialect', 'sdapi', 'sdapi'),
        ('dialect', '', 'auto'),
        ('at_once', '1', 1),
        ('at_once', '', 4),
        ('timeout_s', '86400', 86_400),
        ('tops_up', 'on', True),
        ('mask_inverted', 'on', True),
        ('waits', 'off', False),
        ('previews', 'on', True),
        ('enabled', 'off', False),
    ],
)
def test_a_field_is_read(name: str, text: str, value: object) -> None:
    draft = drafted(**{name: text})

    assert draft.wrong == {}
    assert getattr(draft.row, name) == value


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('base_url', ''),
        ('base_url', 'ftp://a.test'),
        ('base_url', 'http://user:word@a.test'),
        ('name', 'x' * 61),
        ('name', 'a\x07b'),
        ('model', 'x' * 201),
        ('dialect', 'morse'),
        ('at_once', '0'),
        ('at_once', '65'),
        ('at_once', '1.5'),
        ('timeout_s', '0'),
        ('timeout_s', '86401'),
        ('key', 'two words'),
        ('key', 'ключ'),
        ('key', 'a\nHost: b'),
        ('headers', 'no colon'),
        ('headers', 'Bad Name: x'),
        ('headers', 'X-Empty:'),
        ('headers', 'X-Odd: \x07'),
        ('headers', 'X-Far: ключ'),
        ('headers', 'Host: elsewhere'),
        ('headers', 'content-length: 7'),
        ('headers', '\n'.join(f'X-{number}: y' for number in range(21))),
    ],
)
def test_a_field_that_can_not_be_meant_is_named(name: str, text: str) -> None:
    draft = drafted(**{name: text})

    assert list(draft.wrong) == [name]


def test_what_is_wrong_never_repeats_a_secret() -> None:
    draft = drafted(key='sk-canary with blanks', headers='X-Secret canary')

    assert 'canary' not in ' '.join(str(error) for error in draft.wrong.values())


def test_what_does_not_come_stays_as_it_was() -> None:
    draft = changed(('enabled', 'off'))

    assert (draft.row, draft.secrets, draft.wrong) == (replace(BEFORE, enabled=False), HAD, {})


def test_a_key_is_replaced_by_another_and_removed_by_its_tick() -> None:
    replaced = changed(('key', ' sk-new '), ('remove_key', 'on'))
    removed = changed(('key', ''), ('remove_key', 'on'))

    assert (replaced.secrets.key, removed.secrets.key) == ('sk-new', None)


def test_headers_are_added_replaced_and_removed_by_their_names() -> None:
    draft = changed(('headers', 'API-Key: 1\nX-Three: 3'), ('remove_header', 'x-two'))

    assert draft.secrets.headers == (('API-Key', '1'), ('X-Three', '3'))


@pytest.mark.parametrize(
    'base_url', ['http://b.test:8000/v1', 'https://a.test:8000/v1', 'http://a.test:9000/v1']
)
def test_secrets_do_not_follow_to_another_origin(base_url: str) -> None:
    draft = changed(('base_url', base_url))

    assert set(draft.wrong) == {'key', 'headers'}
    assert 'a.test:8000' in str(draft.wrong['key'])


def test_secrets_that_are_written_anew_go_to_the_new_origin() -> None:
    draft = changed(
        ('base_url', 'http://b.test/v1'),
        ('key', 'sk-new'),
        ('headers', 'api-key: new'),
        ('remove_header', 'X-Two'),
    )

    assert draft.wrong == {}
    assert draft.secrets == Secrets('sk-new', (('api-key', 'new'),))


def test_an_address_that_a_test_found_is_taken_as_it_is() -> None:
    draft = changed(('base_url', 'http://a.test:8000'))

    assert (draft.row.base_url, draft.wrong) == ('http://a.test:8000', {})
