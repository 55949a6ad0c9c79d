"""The releases that were tested: all that pyproject.toml asks for, and within what it allows."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.servers import ROOT

PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
ASKED = [
    Requirement(line)
    for line in (*PROJECT['dependencies'], *PROJECT['optional-dependencies']['dev'])
]
LINES = [
    line
    for line in (ROOT / 'constraints.txt').read_text(encoding='utf-8').splitlines()
    if not line.startswith('#')
]
PINS = {name: Version(version) for name, _, version in (line.partition('==') for line in LINES)}


def applies(one: Requirement) -> bool:
    """Check a marker for this Python; without an extra, as for a package's own dependencies."""
    return one.marker is None or one.marker.evaluate({'extra': ''})


@pytest.mark.parametrize('asked', ASKED, ids=lambda one: one.name)
def test_each_package_is_pinned_within_what_the_project_allows(asked: Requirement) -> None:
    pin = PINS[canonicalize_name(asked.name)]

    assert pin in asked.specifier
    assert not pin.is_prerelease


@pytest.mark.parametrize('name', PINS)
def test_each_pin_fits_what_the_others_ask_for(name: str) -> None:
    try:
        asked = [one for one in map(Requirement, requires(name) or ()) if applies(one)]
    except PackageNotFoundError:  # Only older Pythons need it.
        return

    wrong = [
        str(one)
        for one in asked
        if canonicalize_name(one.name) not in PINS
        or PINS[canonicalize_name(one.name)] not in one.specifier
    ]

    assert wrong == []


def test_each_line_is_one_exact_release_and_names_no_source() -> None:
    assert [f'{name}=={version}' for name, version in sorted(PINS.items())] == LINES
    assert list(PINS) == [canonicalize_name(name) for name in PINS]


def test_the_private_parts_of_others_are_those_that_were_tested() -> None:
    """Both are entered below their public surface, so that the next series may break it."""
    entered = ('httpcore', 'uvicorn')

    capped = {one.name for one in ASKED if any(limit.operator == '<' for limit in one.specifier)}

    assert capped.issuperset(entered)


def test_the_dockerfile_installs_them() -> None:
    text = (ROOT / 'Dockerfile').read_text(encoding='utf-8')

    assert 'COPY pyproject.toml constraints.txt ' in text
    assert '--constraint constraints.txt' in text
    assert '!constraints.txt' in (ROOT / '.dockerignore').read_text(encoding='utf-8')
