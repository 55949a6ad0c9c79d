"""The folder that nightly backups go to: why it cannot be one, what is written and removed."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.errors import N_, AppError, InvalidRequest
from app.log import logger
from app.maintenance.backup import Backup, back_up

log = logger(__name__)

_TIME = r'\d{8}-\d{6}\.tar'


def back_up_into(
    folder: Path, data: Path, mark: str, keep: int, now: float, rest: Callable[[], None]
) -> tuple[Path, Backup]:
    """Write a backup named by `now` (seconds since 1970), and remove the oldest but for `keep`.

    Those of another `mark` are of another Easel that uses the folder too. Raises what `back_up`
    does.
    """
    own = f'easel-{mark}-'
    target = folder / f'{own}{time.strftime("%Y%m%d-%H%M%S", time.localtime(now))}.tar'
    _remove(folder, re.compile(rf'\.{own}{_TIME}-.+\.part'), keep=0)
    backup = back_up(data, target, rest)
    _remove(folder, re.compile(f'{own}{_TIME}'), keep)
    log.info('the nightly backup is %s', target)
    return target, backup


def why_not(name: str, data: Path) -> AppError | None:
    """Return why backups cannot go to a folder, by writing something there."""
    folder = Path(name)
    if not folder.is_absolute():
        return InvalidRequest(N_('Enter the full path of a folder.'))
    try:
        if folder.resolve().is_relative_to(data.resolve()):
            return InvalidRequest(
                N_(
                    'This is inside the data folder. Choose a folder outside it, ideally on '
                    'another disk.'
                )
            )
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b'easel')
    except FileNotFoundError:
        return InvalidRequest(N_("This folder doesn't exist. Create it first."))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return InvalidRequest(N_("Easel can't write there: {reason}."), reason=reason)
    return None


def _remove(folder: Path, name: re.Pattern[str], keep: int) -> None:
    """Delete files of ours but for the newest; what cannot be deleted stays."""
    with contextlib.suppress(OSError):
        found = sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
        for path in found[: max(0, len(found) - keep)]:
            path.unlink()
