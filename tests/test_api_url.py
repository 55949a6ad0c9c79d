"""The address of an API, as people copy it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidRequest
from app.net.urls import candidates, normalize_api_url, origin_of


@pytest.mark.parametrize(
    ('text', 'base_url'),
    [
        ('localhost', 'http://localhost/v1'),
        (' localhost:1337 ', 'http://localhost:1337/v1'),
        ('LOCALHOST:1337/', 'http://localhost:1337/v1'),
        ('192.168.0.4', 'http://192.168.0.4/v1'),
        ('[::1]:8000', 'http://[::1]:8000/v1'),
        ('host.docker.internal:8080', 'http://host.docker.internal:8080/v1'),
        ('nas.local', 'http://nas.local/v1'),
        ('api.openai.com', 'https://api.openai.com/v1'),
        ('api.openai.com/v1/', 'https://api.openai.com/v1'),
        ('http://api.test.example/v1', 'http://api.test.example/v1'),
        ('HTTP://a:80', 'http://a:80/v1'),
        ('http://a/v1', 'http://a/v1'),
        ('http://a/v1/', 'http://a/v1'),
        ('http://a//v1//', 'http://a/v1'),
        ('http://a/v1/v1', 'http://a/v1'),
        ('http://a/v1#top', 'http://a/v1'),
        ('http://a/v1?', 'http://a/v1'),
        ('http://a/v1/images/generations', 'http://a/v1'),
        ('http://a/v1/images/generations/', 'http://a/v1'),
        ('http://a/v1/images/edits', 'http://a/v1'),
        ('http://a/images/generations', 'http://a/v1'),
        ('http://a/v1/chat/completions', 'http://a/v1'),
        ('http://a/v1/models', 'http://a/v1'),
        ('https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1'),
        ('http://a/v3/images/generations', 'http://a/v3'),
        ('http://a:12434/engines/v1/', 'http://a:12434/engines/v1'),
        ('https://api.groq.com/openai/v1', 'https://api.groq.com/openai/v1'),
        ('http://a:7860/sdapi/v1', 'http://a:7860/sdapi/v1'),
        ('http://a:7860/sdapi/v1/txt2img', 'http://a:7860/sdapi/v1'),
        ('http://a/proxy', 'http://a/proxy'),
        ('a:8000?api-version=2', 'http://a:8000/v1?api-version=2'),
        (
            'https://x.openai.azure.com/openai/deployments/d/images/generations?api-version=2',
            'https://x.openai.azure.com/openai/deployments/d?api-version=2',
        ),
    ],
)
def test_every_spelling_becomes_the_root_of_the_api(text: str, base_url: str) -> None:
    assert normalize_api_url(text) == base_url
    assert normalize_api_url(base_url) == base_url


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('', 'address like'),
        ('http://', 'address like'),
        ('/v1', 'address like'),
        ('http:a', 'address like'),
        ('a b', 'address like'),
        ('http://a\\b', 'address like'),
        ('http://[::1', 'address like'),
        ('a:99999', 'address like'),
        ('a:0', 'address like'),
        ('ftp://a', 'starts with'),
        ('file:///etc/passwd', 'starts with'),
        ('javascript://a', 'starts with'),
        ('http://user@a/v1', 'user name'),
        ('user:word@a', 'user name'),
        ('http://a/../v1', '“..”'),
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str, word: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        normalize_api_url(text)

    assert word in str(caught.value)


@given(st.text(alphabet='abv13/.:?#@[]-% ', max_size=40))
def test_what_is_taken_is_stable_and_never_doubled(text: str) -> None:
    try:
        base_url = normalize_api_url(text)
    except InvalidRequest:
        return

    path = base_url.partition('://')[2].partition('?')[0]
    assert origin_of(base_url)
    assert normalize_api_url(base_url) == base_url
    assert '//' not in path
    assert '/v1/v1' not in path


@pytest.mark.parametrize(
    ('base_url', 'paths'),
    [
        ('http://a/v1', ['/v1', '', '/api/v1', '/v3', '/engines/v1', '/sdapi/v1']),
        ('http://a/api/v1', ['/api/v1', '/v1', '', '/v3', '/engines/v1', '/sdapi/v1']),
        ('http://a/v3', ['/v3', '/v1', '', '/api/v1', '/engines/v1', '/sdapi/v1']),
        ('http://a', ['', '/v1', '/api/v1', '/v3', '/engines/v1', '/sdapi/v1']),
        ('http://a/p', ['/p', '/p/v1', '/p/api/v1', '/p/v3', '/p/engines/v1', '/p/sdapi/v1']),
        ('http://a/p/v1', ['/p/v1', '/p', '/p/api/v1', '/p/v3', '/p/engines/v1', '/p/sdapi/v1']),
    ],
)
def test_where_else_an_api_may_be(base_url: str, paths: list[str]) -> None:
    assert list(candidates(base_url)) == [f'http://a{path}' for path in paths]


def test_a_query_goes_along_to_every_candidate() -> None:
    assert {one.partition('?')[2] for one in candidates('http://a/v1?k=2')} == {'k=2'}
