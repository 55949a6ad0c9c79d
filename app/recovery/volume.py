"""Whether the data folder of a container outlives the container."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

MOUNTS = Path('/proc/self/mountinfo')
# Docker and Podman name a volume that nobody named by 64 hexadecimal digits.
NAMELESS = re.compile(r'/volumes/[0-9a-f]{64}/_data')


def is_thrown_away(data: Path, mounts: Path = MOUNTS) -> bool:
    """Check whether a container's folder is on no volume, or on one without a name.

    Source: proc_pid_mountinfo(5), the fourth and the fifth field.
    """
    place, source = Path('/'), '/'
    with contextlib.suppress(OSError, ValueError):
        for line in mounts.read_text(encoding='utf-8').splitlines():
            _, _, _, root, point, *_ = line.split(' ')
            mounted = Path(point.replace('\\040', ' '))
            if data.is_relative_to(mounted) and len(mounted.parts) >= len(place.parts):
                place, source = mounted, root
        return place == Path('/') or bool(NAMELESS.search(source))
    return False
