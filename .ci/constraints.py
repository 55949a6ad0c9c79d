"""Write constraints.txt: one release of everything, the same for every Python that Easel runs on.

    .venv/bin/python .ci/constraints.py

Everything that `pyproject.toml` asks for is resolved for each Python; where the newest releases
differ, the older one is taken and all of it resolved again. Run by the oldest Python: pip judges
markers such as `python_version < "3.13"` by the Python that runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ('3.11', '3.12', '3.13', '3.14')
MOST_ROUNDS = 5
HEAD = '# Written by .ci/constraints.py from pyproject.toml, which keeps the floors.\n'

Pins = dict[str, Version]


def main() -> None:
    """Resolve until all Pythons agree."""
    if sys.version_info[:2] != (3, 11):
        sys.exit('Run this by Python 3.11: the markers are judged by the Python that runs it.')
    pins: Pins = {}
    for _ in range(MOST_ROUNDS):
        found = [resolved(python, pins) for python in PYTHONS]
        names = sorted({name for one in found for name in one})
        agreed = {name: min(one[name] for one in found if name in one) for name in names}
        if all(one[name] == agreed[name] for one in found for name in one):
            text = ''.join(f'{name}=={version}\n' for name, version in agreed.items())
            (ROOT / 'constraints.txt').write_text(HEAD + text, encoding='utf-8')
            return
        pins = agreed
    sys.exit('These Pythons find no releases in common.')


def requirements() -> list[str]:
    """Return what pyproject.toml asks for, of itself and for working on it."""
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    return [*project['dependencies'], *project['optional-dependencies']['dev']]


def resolved(python: str, pins: Pins) -> Pins:
    """Return what pip would install for a Python, none of `pins` newer than there."""
    with tempfile.TemporaryDirectory() as folder:
        most = Path(folder) / 'most.txt'
        most.write_text(''.join(f'{name}<={version}\n' for name, version in pins.items()))
        command = [sys.executable, '-m', 'pip', 'install', '-qq', '--dry-run', '--report', '-']
        for_python = ['--python-version', python, '--only-binary', ':all:', '--target', folder]
        command += [*for_python, '--ignore-installed', '--constraint', str(most), *requirements()]
        report = json.loads(subprocess.check_output(command))
    chosen = [one['metadata'] for one in report['install']]
    return {canonicalize_name(one['name']): Version(one['version']) for one in chosen}


if __name__ == '__main__':
    main()
