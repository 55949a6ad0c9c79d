"""Change the code in many small ways, and name the changes that no near test notices.

    python -m bench.mutate [--count 200] [--seed 1] [--only storage] [--jobs 2]

Each change is tried in a copy of the tree, against the test files nearest to its module: those with
its name, then those with the fewest imports between; what they do not notice, against as many of
the others as there is time for. Run it on a quiet machine, or there is time for few.

Why not mutmut or cosmic-ray: the first calls its mutants within one process and many tests here
start real ones; the second tries each against one fixed command, in one tree.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from bench.mutations import Mutation, mutations_of

ROOT = Path(__file__).resolve().parent.parent
MATTERS = re.compile(
    r'app/(generation/(worker|runner)|providers/transport/redaction|web/security/\w+|access/\w+'
    r'|(database|net|storage|providers/response)/\w+(/\w+)*)\.py'
)
# Real servers run most of this, and no import leads there from the tests that ask them.
SERVED = {
    'app/web/security': ('guard', 'hosts', 'roles', 'routes', 'cross_site', 'visitors', 'sharing'),
    'app/access': ('sharing', 'visitors', 'session', 'queue_share'),
}
NOT_COPIED = shutil.ignore_patterns('.venv', '.git', '__pycache__', '.*_cache', 'docs')
MOST_FILES, NEAR_S = 10, 25.0  # What the near files of one module may take together.
FAR_S = 100.0  # What all the others may take.
SLOWER, LEAST_LIMIT_S = 4, 30.0  # The limit is this many times what they took unchanged.
FIRST_RUN_S = 300.0
ENDED_WELL, NO_TESTS = 0, 5  # pytest's own exit codes.


@dataclass(frozen=True)
class Measured:
    """A test file without any change: whether it passes, and how long it takes."""

    passes: bool
    seconds: float


class Trees:
    """Copies of the tree, one for each run at a time."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: Queue[Path] = Queue()
        self._moments = itertools.count(1_000_000_000)
        for number in range(count):
            self._free.put(shutil.copytree(ROOT, folder / str(number), ignore=NOT_COPIED))

    def measure(self, test: str) -> Measured:
        """Run a test file on the unchanged tree."""
        tree, began = self._free.get(), time.monotonic()
        passes = run_tests(tree, [test], FIRST_RUN_S)
        self._free.put(tree)
        return Measured(passes, time.monotonic() - began)

    def notices(self, change: Mutation, tests: list[str], measured: dict[str, Measured]) -> bool:
        """Tell whether any test notices; one that goes on without end counts as well."""
        limit_s = max(LEAST_LIMIT_S, SLOWER * sum(measured[test].seconds for test in tests))
        tree = self._free.get()
        self._write(tree / change.path, change.text)
        passes = run_tests(tree, tests, limit_s)
        self._write(tree / change.path, (ROOT / change.path).read_bytes())
        self._free.put(tree)
        return not passes

    def _write(self, path: Path, text: bytes) -> None:
        path.write_bytes(text)
        # Python knows its compiled files by size and second alone: no two may be the same.
        moment = next(self._moments)
        os.utime(path, (moment, moment))


def main() -> int:
    """Try them all; the exit status is 1 when the unchanged tests of a module all fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', default='', help='a part of the path')
    parser.add_argument('--jobs', type=int, default=2)
    chosen = parser.parse_args()
    names = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob('app/**/*.py'))
    matter = [name for name in names if MATTERS.fullmatch(name) and chosen.only in name]
    found = [one for name in matter for one in mutations_of(name, (ROOT / name).read_bytes())]
    picked = random.Random(chosen.seed).sample(found, min(chosen.count, len(found)))
    graph = import_graph()
    by_distance = {path: nearest_tests(path, graph) for path in {one.path for one in picked}}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.jobs) as pool:
        trees = Trees(Path(folder), chosen.jobs)
        tests = sorted({test for some in by_distance.values() for test in some})
        print(f'{len(picked)} of {len(found)} changes; first {len(tests)} test files without one')
        measured = dict(zip(tests, pool.map(trees.measure, tests), strict=True))
        for test in (one for one in tests if not measured[one].passes):
            print(f'left out, since it fails unchanged: {test}')
        rounds = {path: in_rounds(some, measured) for path, some in by_distance.items()}

        def is_noticed(one: Mutation) -> bool:
            return any(trees.notices(one, tests, measured) for tests in rounds[one.path] if tests)

        noticed = pool.map(is_noticed, picked)
        survived = 0
        for mutation, found_out in zip(picked, noticed, strict=True):
            survived += not found_out
            print('noticed ' if found_out else 'survived', mutation, flush=True)
    share = 100 * (len(picked) - survived) / max(1, len(picked))
    print(f'{share:.0f} % noticed: {len(picked) - survived} of {len(picked)}, {survived} survived')
    return 0 if all(near for near, _ in rounds.values()) else 1


def import_graph() -> dict[str, set[str]]:
    """Return which files each file of the program and the tests imports, by their paths."""
    paths = [*ROOT.glob('app/**/*.py'), *ROOT.glob('tests/**/*.py')]
    names = {name_of(path.relative_to(ROOT)): path.relative_to(ROOT).as_posix() for path in paths}
    graph: dict[str, set[str]] = {}
    for path in paths:
        met: set[str] = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                met |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f'{node.module}.{alias.name}' for alias in node.names}
                met |= inner if inner & names.keys() else {node.module}
        graph[path.relative_to(ROOT).as_posix()] = {names[name] for name in met & names.keys()}
    return graph


def name_of(path: Path) -> str:
    return '.'.join(path.with_suffix('').parts).removesuffix('.__init__')


def nearest_tests(path: str, graph: dict[str, set[str]]) -> list[str]:
    """Return the test files that lead to a module, the nearest first."""
    module = Path(path)
    name = module.parent.name if module.stem == '__init__' else module.stem
    words = {name, name.removesuffix('s'), *SERVED.get(module.parent.as_posix(), ())}
    distance = {path: 0}
    waiting = [path]
    for one in waiting:  # It grows meanwhile.
        for user in {user for user in graph if one in graph[user]} - distance.keys():
            distance[user] = distance[one] + 1
            waiting.append(user)
    tests = sorted(one for one in graph if Path(one).match('tests/test_*.py'))

    def steps(test: str) -> int:
        named = any(Path(test).stem.startswith(f'test_{word}') for word in words)
        return 0 if named else distance.get(test, 99)

    return sorted(tests, key=steps)


def in_rounds(tests: list[str], measured: dict[str, Measured]) -> tuple[list[str], list[str]]:
    """Return the nearest test files, and as many of the others as there is time for."""
    near = within_budget(tests[:MOST_FILES], measured, NEAR_S)
    return near, within_budget([one for one in tests if one not in near], measured, FAR_S)


def within_budget(tests: list[str], measured: dict[str, Measured], most_s: float) -> list[str]:
    """Return the first that pass and are quick enough together, the quickest first."""
    kept: list[str] = []
    for test in (one for one in tests if measured[one].passes):
        if not kept or sum(measured[one].seconds for one in [*kept, test]) <= most_s:
            kept.append(test)
    return sorted(kept, key=lambda test: measured[test].seconds)


def run_tests(tree: Path, tests: list[str], limit_s: float) -> bool:
    """Run test files without those that need a browser; tell whether all passed."""
    options = ['-x', '-q', '-p', 'no:cacheprovider', '-m', 'not browser']
    command = [sys.executable, '-m', 'pytest', *options, *tests]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=tree, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        return process.wait(limit_s) in (ENDED_WELL, NO_TESTS)
    except subprocess.TimeoutExpired:
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # With the servers that it started.
        process.wait()


if __name__ == '__main__':
    sys.exit(main())
