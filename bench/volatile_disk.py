"""A file system in memory that a power cut empties of everything that was not synced.

Run as `python -m bench.volatile_disk MOUNT CONTENT SEED`, from `bench.power` (needs `mfusepy`): it
mounts with what CONTENT holds; a line on standard input names the folder for what a cut leaves.

A file's bytes are safe once the file is synced, its name once its folder is. Of the rest the cut
takes all, or, by chance, leaves the names of a folder or the bytes of a file: a disk may write
what it was not told to, in any order.
"""

from __future__ import annotations

import errno
import os
import random
import stat
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from mfusepy import FUSE, FuseOSError, Operations

SURVIVES = 0.3  # the chance of what was not synced


@dataclass
class Node:
    """A file or a folder: as programs see it, and as it is on the platter."""

    mode: int
    content: bytearray = field(default_factory=bytearray)
    safe_content: bytes = b''
    entries: dict[str, Node] = field(default_factory=dict)
    safe_entries: dict[str, Node] = field(default_factory=dict)
    changed_ns: int = 0


class VolatileDisk(Operations):
    """Every operation that SQLite and a store of pictures need."""

    use_ns = True

    def __init__(self, content: Path) -> None:
        self.changing = threading.Lock()
        self._root = _read(content)

    def after_cut(self, target: Path, chance: random.Random) -> None:
        """Write what is left after a power cut at this moment."""
        with self.changing:
            _write(self._root, target, chance)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        node = self._node(path)
        return {
            'st_mode': node.mode,
            'st_size': len(node.content),
            'st_nlink': 2 if stat.S_ISDIR(node.mode) else 1,
            'st_mtime': node.changed_ns,
            'st_ctime': node.changed_ns,
            'st_atime': node.changed_ns,
            'st_uid': os.getuid(),
            'st_gid': os.getgid(),
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        return ['.', '..', *self._node(path).entries]

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self._add(path, Node(stat.S_IFREG | stat.S_IMODE(mode)))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._add(path, Node(stat.S_IFDIR | stat.S_IMODE(mode)))
        return 0

    def open(self, path: str, flags: int) -> int:
        self._node(path)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._node(path).content[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self.changing:
            content = self._node(path).content
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self.changing:
            content = self._node(path).content
            del content[length:]
            content.extend(bytes(length - len(content)))
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        with self.changing:
            node = self._node(path)
            node.safe_content = bytes(node.content)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        with self.changing:
            node = self._node(path)
            node.safe_entries = dict(node.entries)
        return 0

    def rename(self, old: str, new: str) -> int:
        with self.changing:
            folder, name = self._place(old)
            target, new_name = self._place(new)
            if name not in folder.entries:
                raise FuseOSError(errno.ENOENT)
            target.entries[new_name] = folder.entries.pop(name)
        return 0

    def unlink(self, path: str) -> int:
        with self.changing:
            folder, name = self._place(path)
            if folder.entries.pop(name, None) is None:
                raise FuseOSError(errno.ENOENT)
        return 0

    def rmdir(self, path: str) -> int:
        if self._node(path).entries:
            raise FuseOSError(errno.ENOTEMPTY)
        return self.unlink(path)

    def chmod(self, path: str, mode: int) -> int:
        node = self._node(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        self._node(path).changed_ns = times[1] if times else 0
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        blocks = 1 << 20
        return {'f_bsize': 4096, 'f_frsize': 4096, 'f_blocks': blocks, 'f_bavail': blocks,
                'f_bfree': blocks, 'f_namemax': 255}  # fmt: skip

    def _node(self, path: str) -> Node:
        node = self._root
        for name in path.split('/'):
            if name:
                if name not in node.entries:
                    raise FuseOSError(errno.ENOENT)
                node = node.entries[name]
        return node

    def _place(self, path: str) -> tuple[Node, str]:
        folder, _, name = path.rpartition('/')
        return self._node(folder), name

    def _add(self, path: str, node: Node) -> None:
        with self.changing:
            folder, name = self._place(path)
            folder.entries[name] = node


def _read(path: Path) -> Node:
    """Read a folder or a file that is safe as it is."""
    if path.is_dir():
        entries = {one.name: _read(one) for one in path.iterdir()}
        return Node(path.stat().st_mode, entries=entries, safe_entries=dict(entries))
    content = path.read_bytes()
    return Node(path.stat().st_mode, bytearray(content), content)


def _write(node: Node, target: Path, chance: random.Random) -> None:
    """Write what of a node is safe, and what by chance survives."""
    survives = chance.random() < SURVIVES
    if stat.S_ISREG(node.mode):
        target.write_bytes(node.content if survives else node.safe_content)
        target.chmod(stat.S_IMODE(node.mode))
        return
    target.mkdir(mode=0o700)
    for name, child in (node.entries if survives else node.safe_entries).items():
        _write(child, target / name, chance)


def main() -> None:
    """Mount until the file system is unmounted."""
    mount, content, seed = sys.argv[1:]
    disk, chance = VolatileDisk(Path(content)), random.Random(int(seed))

    def obey() -> None:
        for line in sys.stdin:
            disk.after_cut(Path(line.strip()), chance)
            print('cut', flush=True)

    threading.Thread(target=obey, daemon=True).start()
    FUSE(disk, mount, foreground=True, nothreads=True, attr_timeout=0, entry_timeout=0)


if __name__ == '__main__':
    main()
