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
from app.access.signed_out import MOST_EACH, SignedOut
from app.config import config_from
from app.database.links import GuestRow

PASSWORD = 'correct horse'
SECRET = 'the secret of this data folder'
LOCAL = 'local-token'
SOON = str(int(time.time()) + 3_600)


def sharing_of(password: str) -> SharingSettings:
    return SharingSettings(config_from({'EASEL_PASSWORD': password}))


def sessions(password: str = PASSWORD, secret: str = SECRET, token: str = 'token') -> Sessions:
    return Sessions(sharing_of(password), secret, (token, LOCAL))


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
        signed('9999999999'),  # begun while the clock of this machine was years ahead
        signed(SOON)[:-1],
        signed(SOON).replace(SOON, f'{SOON}0'),
        signed(SOON).upper(),
        f'"{signed(SOON)}x"',
    ],
    ids=range(16),  # the values differ from one second to the next
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
    nobody = Sessions(sharing_of(PASSWORD), SECRET, (None, ''))

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


@pytest.mark.parametrize('order', [('guest', 'owner'), ('owner', 'guest')])
def test_of_two_sessions_the_owners_counts(order: tuple[str, str]) -> None:
    guest = GuestRow(
        id=3, name='a', token_hash='x', makes=True, sees_all=True, created_at=1.0, expires_at=None
    )
    both = Sessions(sharing_of(PASSWORD), SECRET, guest_of=lambda _: guest)
    cookies = {'owner': both.cookie_for(), 'guest': both.cookie_for(guest)}
    name = both.cookie_name

    found = both.who({'cookie': '; '.join(f'{name}={cookies[who]}' for who in order)})

    assert both.who({'cookie': f'{name}={cookies["guest"]}'}).guest == guest
    assert found == OWNER


async def test_who_signs_out_has_no_session_anywhere_nor_after_the_next_start(
    tmp_path: Path,
) -> None:
    def started() -> Sessions:
        signed_out = SignedOut(tmp_path / 'signed-out.json').load()
        return Sessions(sharing_of(PASSWORD), SECRET, signed_out=signed_out)

    before = started()
    ended, other = cookie_of(before.cookie_for()), cookie_of(before.cookie_for())

    await before.sign_out(ended, 'http')

    for now in (before, started()):
        assert (now.who(ended), now.who(other)) == (STRANGER, OWNER)


async def test_a_session_of_an_older_easel_counts_until_it_is_signed_out() -> None:
    now = sessions()
    older = cookie_of(signed(SOON))
    before = now.who(older)

    await now.sign_out(older, 'http')

    assert (before, now.who(older)) == (OWNER, STRANGER)


async def test_nobody_crowds_out_what_another_signed_out_of() -> None:
    signed_out = SignedOut()
    await signed_out.add('9999999999..first')
    await signed_out.add('1..expired')

    for number in range(MOST_EACH + 1):
        await signed_out.add(f'9999999999.3.{number}')

    assert '9999999999..first' in signed_out
    assert '9999999999.3.1' in signed_out
    assert '9999999999.3.0' not in signed_out
    assert '1..expired' not in signed_out


async def test_a_disk_that_keeps_nothing_ends_the_session_for_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = Sessions(sharing_of(PASSWORD), SECRET, signed_out=SignedOut(tmp_path / 'no' / 'file'))
    cookie = cookie_of(now.cookie_for())

    await now.sign_out(cookie, 'http')

    assert now.who(cookie) == STRANGER
    assert 'could not be written' in caplog.text


@pytest.mark.parametrize('text', ['[', '5', '["x"]', '{"a": 1}'])
def test_a_damaged_list_of_what_was_signed_out_is_told(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / 'list').write_text(text)

    SignedOut(tmp_path / 'list').load()

    assert "can't be read" in caplog.text
