"""An Easel that is pointed at itself."""

from __future__ import annotations

from pathlib import Path

from tests.support.fakes import refused_port
from tests.support.servers import start_easel


def test_easel_never_asks_itself(tmp_path: Path) -> None:
    with refused_port() as port:
        pass
    easel = start_easel(tmp_path, {'EASEL_API_URL': f'http://localhost:{port}/v1'}, port)

    try:
        generation = easel.draw(prompt='a mirror in a mirror', size='48x48')
    finally:
        easel.stop()

    error = generation['error']
    assert isinstance(error, dict)
    assert error['kind'] == 'unreachable'
    assert 'Easel itself' in error['message']
