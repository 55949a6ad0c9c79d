"""Failing calls on files below one folder, in a server that runs; needs a C compiler. Linux only.

Not libfiu, which cannot be told to spare what lies outside of a folder; not strace, under which
every call of the server would take many times as long.
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path(__file__).with_name('injection.c')
KINDS = ('open', 'write', 'fsync', 'rename', 'unlink', 'mkdir')
LAYOUT = struct.Struct(f'<iiIiq{len(KINDS)}qq1024s')  # as in injection.c
COUNT, FAIL, KILL = 1, 2, 3


class Injection:
    """The calls of one server that fail, from when they are chosen until `end`.

    Each choice is of the paths that begin with a text, like that of a folder.
    """

    def __init__(self, scratch: Path) -> None:
        library, state = scratch / 'injection.so', scratch / 'injection.state'
        flags = ['-shared', '-fPIC', '-O1', '-w']
        subprocess.run(['cc', *flags, '-o', library, SOURCE, '-ldl'], check=True)
        state.write_bytes(bytes(LAYOUT.size))
        with state.open('r+b') as opened:
            self._state = mmap.mmap(opened.fileno(), LAYOUT.size)
        self.environment = {'LD_PRELOAD': str(library), 'INJECTION_STATE': str(state)}

    def count(self, below: Path) -> None:
        """Count calls from now on."""
        self._set(COUNT, below)

    def fail(self, below: Path, kinds: Iterable[str], error: int) -> None:
        """Let every call of these kinds fail with an `errno`."""
        self._set(FAIL, below, kinds, error)

    def kill(self, below: Path, kind: str, before: int) -> None:
        """End the server with SIGKILL at a call of this kind, once so many have passed."""
        self._set(KILL, below, [kind], before=before)

    def end(self) -> None:
        """Let every call do what it does."""
        self._state[:4] = bytes(4)

    @property
    def counts(self) -> dict[str, int]:
        """How many calls of each kind there were since something was chosen."""
        return dict(zip(KINDS, LAYOUT.unpack(self._state[:])[5:-2], strict=True))

    @property
    def hits(self) -> int:
        """How many calls were made to fail."""
        hits: int = LAYOUT.unpack(self._state[:])[-2]
        return hits

    def _set(
        self, action: int, below: Path, kinds: Iterable[str] = (), error: int = 0, before: int = 0
    ) -> None:
        bits = sum(1 << KINDS.index(kind) for kind in kinds)
        self.end()
        none = (0 for _ in KINDS)
        new = LAYOUT.pack(0, error, bits, 0, before, *none, 0, os.fsencode(below))
        self._state[4:] = new[4:]
        self._state[:4] = struct.pack('<i', action)
