"""Programs that tests need and that a machine may lack."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {
    'caddy': 'caddy',
    'chromium': 'chromium',
    'exiftool': 'libimage-exiftool-perl',
    'nginx': 'nginx-light',
}
BESIDE = ('/usr/sbin', '/usr/local/sbin')


def path_of(name: str) -> str:
    """Return where a program is; without it a test is skipped, and in CI it fails."""
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(BESIDE))
    if path is None:
        reason = f'{name} is not installed (Debian: apt-get install {PACKAGES[name]})'
        if os.environ.get('CI'):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
