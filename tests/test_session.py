"""Signing in: the cookie, the tokens, and what neither must accept."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.sessions import OWNER, SESSION_S, STRANGER, Sessions, kept_secret
from app.access.sharing import SharingSettings
from app.config import config_from

PASSWORD = 'correct horse'
SECRET = 'the secret of this data folder'
LOCAL = 'local-token'


def sessions(password: str = PASSWORD, secret: str = SECRET, token: str = 'token') -> Sessions:
    sharing = SharingSettings(config_from({'EASEL_PASSWORD': password}))
    return Sessions(sharing, secret, (token, LOCAL))


def cookie_of(value: str, of: Sessions | None = None) -> dict[str, str]:
    return {'cookie': f'{(of or sessions()).cookie_name}={value}'}


def signed(expires: str) -> str:
    """Sign as somebody would who knows the folder's secret and the password."""
    key = hashlib.sha256(f'{SECRET}\n{PASSWORD}'.encode()).digest()
    return f'{expires}.{hmac.new(key, expires.encode(), "sha256").hexdigest()}'


def test_the_right_password_signs_in() -> None:
    value = sessions().sign_in(PASSWORD)

    assert value
    assert sessions().who(cookie_of(value)) == OWNER
    assert abs(int(value.partition('.')[0]) - time.time() - SESSION_S) < 60


@pytest.mark.parametrize('password', ['', 'wrong', f'{PASSWORD} ', PASSWORD.upper(), 'пароль'])
def test_a_wrong_password_gives_no_cookie(password: str) -> None:
    assert sessions().sign_in(password) is None


@pytest.mark.parametrize('password', ['', 'off'])
def test_without_a_password_everybody_is_in_and_nobody_can_sign_in(password: str) -> None:
    open_services = sessions(password)

    assert not open_services.needed
    assert open_services.who({}) == OWNER
    assert open_services.sign_in(password) is None


@pytest.mark.parametrize(
    'value',
    [
        '',
        '.',
        'x',
        '9999999999',
        '9999999999.',
        f'9999999999.{"0" * 64}',
        f'.{"0" * 64}',
        'x.y.z',
        signed('1000000000'),
        signed('0'),
        signed('-5'),
        signed('9999999999')[:-1],
        signed('9999999999').replace('9999999999', '9999999998'),
        signed('9999999999').upper(),
        f'"{signed("9999999999")}x"',
    ],
)
def test_a_forged_or_expired_cookie_is_nobody(value: str) -> None:
    assert sessions().who(cookie_of(value)) == STRANGER


@given(st.text(), st.text())
def test_any_cookie_at_all_is_read_without_fault(name: str, value: str) -> None:
    headers = {'cookie': f'{name}={value}; {sessions().cookie_name}={value}'}

    assert sessions().who(headers) == STRANGER


@pytest.mark.parametrize(
    'other', [sessions('another password'), sessions(secret='another folder')],
    ids=['password', 'folder'],
)  # fmt: skip
def test_a_changed_password_or_secret_ends_every_session(other: Sessions) -> None:
    value = other.sign_in('another password') or other.sign_in(PASSWORD)

    assert value
    assert sessions().who(cookie_of(value)) == STRANGER


@pytest.mark.parametrize(
    'neighbour', ['theme=dark', 'prefs={"a":1}', 'a=b c', 'bad[name]=1', 'flag']
)
@pytest.mark.parametrize('order', ['before', 'behind'])
def test_another_apps_cookie_on_this_host_signs_nobody_out(neighbour: str, order: str) -> None:
    value = sessions().sign_in(PASSWORD) or ''
    own = cookie_of(value)['cookie']
    pair = (neighbour, own) if order == 'before' else (own, neighbour)

    assert sessions().who({'cookie': '; '.join(pair)}) == OWNER


@pytest.mark.parametrize('token', ['token', LOCAL])
def test_a_program_comes_in_with_its_token(token: str) -> None:
    assert sessions().who({'authorization': f'Bearer {token}'}) == OWNER
    assert sessions().has_token({'authorization': f'bearer  {token} '})


@pytest.mark.parametrize(
    'header',
    [
        '',
        'Bearer',
        'Bearer ',
        'Bearer x',
        'Basic token',
        'token',
        'Bearer token2',
        'Bearer \u00e9',
        f'Bearer {PASSWORD}',
    ],
)
def test_another_token_is_nobody(header: str) -> None:
    assert sessions().who({'authorization': header}) == STRANGER


def test_no_empty_token_is_ever_right() -> None:
    sharing = SharingSettings(config_from({'EASEL_PASSWORD': PASSWORD}))
    nobody = Sessions(sharing, SECRET, (None, ''))

    assert not nobody.has_token({'authorization': 'Bearer '})
    assert not nobody.has_token({'authorization': 'Bearer None'})


def test_two_folders_have_two_cookies() -> None:
    assert sessions().cookie_name != sessions(secret='another').cookie_name
    assert SECRET not in sessions().cookie_name


def test_a_secret_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / 'secret'

    first, again = kept_secret(path), kept_secret(path)

    assert first == again
    assert len(first) >= 40
    assert path.stat().st_mode & 0o077 == 0


def test_a_secret_that_was_lost_half_way_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / 'secret'
    path.touch(mode=0o600)

    assert len(kept_secret(path)) >= 40
