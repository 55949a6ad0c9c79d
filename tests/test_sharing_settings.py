"""Whether the network is let in, without a server: what is kept, and who listens where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.access.sharing import SharingSettings, new_password
from app.config import SHARING, config_from
from app.errors import Conflict, StorageFailed


@dataclass
class FakeListener:
    """Listens on the network if its port is free there."""

    is_free: bool = True
    is_open: bool = False

    async def open(self) -> None:
        if not self.is_free:
            raise Conflict('somebody else listens there')
        self.is_open = True

    async def shut(self) -> None:
        self.is_open = False


def settings_in(folder: Path, **environment: str) -> SharingSettings:
    sharing = SharingSettings(config_from(environment, data=str(folder)))
    sharing.load()
    return sharing


async def test_what_is_shared_is_shared_after_the_next_start(tmp_path: Path) -> None:
    await settings_in(tmp_path).share()
    shared = settings_in(tmp_path).is_shared
    await settings_in(tmp_path).withdraw()

    assert (shared, settings_in(tmp_path).is_shared) == (True, False)


async def test_a_port_that_can_not_be_had_is_told_and_nothing_shared(tmp_path: Path) -> None:
    sharing = settings_in(tmp_path)
    sharing.listener = FakeListener(is_free=False)

    with pytest.raises(Conflict):
        await sharing.share()

    assert not sharing.is_shared


async def test_the_network_is_shut_out_as_soon_as_it_is_no_longer_let_in(tmp_path: Path) -> None:
    sharing = settings_in(tmp_path)
    listener = sharing.listener = FakeListener()
    await sharing.share()
    opened = listener.is_open

    await sharing.withdraw()

    assert (opened, listener.is_open) == (True, False)


@pytest.mark.parametrize(
    ('environment', 'address'),
    [({}, '::'), ({'EASEL_HOST': '192.168.1.20', 'EASEL_PASSWORD': 'open sesame'}, '192.168.1.20')],
)
async def test_the_network_comes_in_where_the_operator_says_or_everywhere(
    environment: dict[str, str], address: str, tmp_path: Path
) -> None:
    assert settings_in(tmp_path, **environment).listens_on == address


async def test_what_is_shared_has_a_password(tmp_path: Path) -> None:
    sharing = settings_in(tmp_path)

    await sharing.share()
    made = sharing.password
    await sharing.share()

    assert made
    assert sharing.password == made


async def test_what_the_operator_settled_is_not_changed(tmp_path: Path) -> None:
    sharing = settings_in(tmp_path, EASEL_HOST='192.168.1.20', EASEL_PASSWORD='open sesame')

    with pytest.raises(Conflict):
        await sharing.withdraw()
    with pytest.raises(Conflict):
        sharing.change_password(new_password())

    assert sharing.is_shared
    assert not (tmp_path / SHARING).exists()


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / SHARING).write_text('{"shared": true')

    with pytest.raises(StorageFailed, match="can't be read"):
        settings_in(tmp_path)
