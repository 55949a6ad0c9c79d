"""Easel in a process of its own without its imports, which take most of a start.

A process that has imported it is forked for each. What a start itself is about is tested by
`python -m app`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

# What a command imports once it is needed is here too.
IMPORTED = (
    *('app.cli.serve', 'app.cli.generate', 'app.cli.doctor', 'app.cli.rebuild', 'app.cli.verify'),
    *('app.config', 'app.log', 'app.providers.generator', 'app.providers.provider'),
    *('app.web.pages', 'httpx', 'anyio._backends._asyncio', 'jinja2.ext', 'uvicorn.lifespan.off'),
    *('uvloop', 'tests.support.made_once', 'tests.support.forked_easel'),
)


@dataclass(frozen=True, slots=True)
class Start:
    """What a process is started with, and its standard input, output and error."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    files: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Forked:
    """A forked process, as `subprocess.Popen` shows one."""

    process: BaseProcess

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raise TimeoutError."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise TimeoutError(f'process {self.pid} is still there')
        return self.process.exitcode


def forked(start: Start) -> Forked:
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(list(IMPORTED))
    with ExitStack() as stack:
        files = [stack.enter_context(Connection(os.dup(one))) for one in start.files]
        process = context.Process(target=_become, args=(start, files), daemon=True)
        process.start()
    return Forked(process)


def _become(start: Start, files: Sequence[Connection]) -> None:
    from app.__main__ import main
    from tests.support.made_once import KEPT_IN, take_from

    if folder := start.environment.get(KEPT_IN):
        take_from(Path(folder))
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    for number, one in enumerate(files):
        os.dup2(one.fileno(), number)
        one.close()
    sys.stdin = os.fdopen(0, closefd=False)
    sys.exit(main(start.arguments))
