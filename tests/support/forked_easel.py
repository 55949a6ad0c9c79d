"""Easel in a process of its own without its imports, which take most of a start.

A process that has imported it is forked for each. What a start itself is about is tested by
`python -m app`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

IMPORTED = ['app.cli.serve', 'app.config', 'app.log', 'tests.support.forked_easel']


@dataclass(frozen=True, slots=True)
class Start:
    """What a process is started with; `out` and `err` are files that are open for writing."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    out: int
    err: int


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
    context.set_forkserver_preload(IMPORTED)
    with (
        Connection(os.dup(start.out), readable=False) as out,
        Connection(os.dup(start.err), readable=False) as err,
    ):
        process = context.Process(target=_become, args=(start, out, err), daemon=True)
        process.start()
    return Forked(process)


def _become(start: Start, out: Connection, err: Connection) -> None:
    from app.__main__ import main

    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    sys.exit(main(start.arguments))
