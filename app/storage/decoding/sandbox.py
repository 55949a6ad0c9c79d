"""Keeps a process from files and sockets that it was not given, as far as Linux has the means.

By `ctypes`, since Python has none of these calls. Source: linux/landlock.h, linux/seccomp.h,
linux/sched.h, linux/prctl.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
WRITE_FILE, READ_FILE, REMOVE_FILE, MAKE_FILE, TRUNCATE = 1 << 1, 1 << 2, 1 << 5, 1 << 8, 1 << 14
ALL_NETWORK, ALL_SCOPES = 0b11, 0b11  # TCP; abstract sockets, and signals to other processes
NO_NEW_PRIVILEGES, FILTER_CALLS, FILTER = 38, 22, 2
NEW_NETWORK, NEW_USERS = 0x40000000, 0x10000000

# What a machine calls itself to a filter, and its numbers of socket, socketpair, io_uring_setup.
SOCKET_CALLS = {'x86_64': (0xC000003E, (41, 53, 425)), 'aarch64': (0xC00000B7, (198, 199, 425))}
OTHER_NUMBERS = 0x40000000  # x32's, on the same machine
LOAD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, MACHINE_AT = 0, 4
ALLOW, END_PROCESS, NOT_PERMITTED = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM


def protection() -> str:
    """Name in a few words what `refuse_sockets` and `confine` can do on this system."""
    if sys.platform != 'linux':
        return 'none on this system'
    found = ['no new privileges', 'no sockets' if _can_filter() else 'no network']
    if version := landlock_version():
        found.append(f'no files but its own (Landlock {version})')
    return ', '.join(found)


def landlock_version() -> int:
    """Return the version of Landlock's interface, 0 where the kernel has none or has it off."""
    if sys.platform != 'linux':
        return 0
    version: int = _libc().syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    return max(0, version)


def refuse_sockets() -> None:
    """Gain no privileges and make no socket from now on, nor any child; raise OSError.

    Where calls cannot be filtered, only leave the network, if that is allowed; without a new
    user namespace for root, who would lose the right to read other people's files.
    """
    if sys.platform != 'linux':
        return
    libc = _libc()
    _checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    if not _can_filter():
        if libc.unshare(NEW_NETWORK) and os.geteuid():
            libc.unshare(NEW_USERS | NEW_NETWORK)
        return
    machine, refused = SOCKET_CALLS[platform.machine()]
    calls = [(JUMP_IF_EQUAL, len(refused) - at, 0, call) for at, call in enumerate(refused)]
    steps = (
        (LOAD, 0, 0, MACHINE_AT),
        (JUMP_IF_EQUAL, 1, 0, machine),
        (RETURN, 0, 0, END_PROCESS),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_AT_LEAST, len(refused) + 1, 0, OTHER_NUMBERS),
        *calls,
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, NOT_PERMITTED),
    )
    program = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *step) for step in steps))
    filtering = struct.pack('@HP', len(steps), ctypes.addressof(program))
    _checked(libc.prctl(FILTER_CALLS, FILTER, filtering, 0, 0))


def confine(readable: Iterable[Path], folders: Iterable[Path]) -> None:
    """Open nothing from now on but these files, and write only into these folders.

    The system demands `refuse_sockets` before. Raise OSError, also where one of them is not there.
    """
    version = landlock_version()
    if not version:
        return
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    handled = (1 << rights) - 1
    network, scopes = ALL_NETWORK * (version >= 4), ALL_SCOPES * (version >= 6)
    attributes = struct.pack('=QQQ', handled, network, scopes)  # 0 is what an older kernel takes
    ruleset = _checked(_libc().syscall(CREATE_RULESET, attributes, len(attributes), 0))
    rules = [(path, READ_FILE) for path in readable]
    writing = WRITE_FILE | REMOVE_FILE | MAKE_FILE | TRUNCATE
    rules += [(folder, writing & handled) for folder in folders]
    for path, allowed in rules:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack('=Qi', allowed, handle)
        _checked(_libc().syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0))
        os.close(handle)
    _checked(_libc().syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _can_filter() -> bool:
    """Whether the kernel filters calls, and this machine's are known; 64 bits in all."""
    if sys.platform != 'linux' or platform.machine() not in SOCKET_CALLS or sys.maxsize < 2**32:
        return False
    _libc().prctl(FILTER_CALLS, FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
