"""The server's side of the decoder child.

Not `anyio.to_process`: its answers are pickles, and a pickle from a child that hostile bytes took
over would run in the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger

log = logger(__name__)

CHILD = Path(__file__).with_name('decoder_child.py')
ANSWER_TIMEOUT_S = 20.0  # of a busy machine; the child may use 5 s of its processor
IDLE_S = 60.0
DYING_S = 1.0
OUT_OF_TIME = getattr(signal, 'SIGXCPU', 0)
FORMATS = {
    'image/png': 'PNG',
    'image/jpeg': 'JPEG',
    'image/webp': 'WEBP',
    'image/gif': 'GIF',
    'image/avif': 'AVIF',
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the child read off a whole picture."""

    width: int
    height: int
    mean_colour: str


class Decoder:
    """One child, started when it is needed and ended after a minute without work."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._one_at_a_time = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def decode(self, path: Path, mime: str, thumbs: Mapping[int, Path]) -> Decoded:
        """Decode a picture whole and write its thumbnails.

        Args:
            path: The bytes.
            mime: What the first bytes say it is.
            thumbs: Where to write the thumbnail of each width.

        Raises:
            ProviderError: `bad_image`: it can't be decoded, or not within the limits.
        """
        order: dict[str, object] = {
            'path': str(path),
            'format': FORMATS[mime],
            'thumbs': {str(width): str(target) for width, target in thumbs.items()},
        }
        async with self._one_at_a_time:
            answer = await self._ask(order) or await self._ask(order)
        if answer is None:
            raise _bad_image('the decoder ran into its limits')
        if 'refused' in answer:
            raise _bad_image(str(answer['refused']))
        return Decoded(
            width=int(str(answer['width'])),
            height=int(str(answer['height'])),
            mean_colour=str(answer['mean_colour']),
        )

    async def read(self, path: Path, mime: str) -> dict[str, str | int | float]:
        """Read the settings inside a picture; empty where there are none to be read."""
        order: dict[str, object] = {'read': str(path), 'format': FORMATS[mime]}
        try:
            async with self._one_at_a_time:
                answer = await self._ask(order) or {}
        except ProviderError:
            return {}
        settings = answer.get('settings')
        if not isinstance(settings, dict):
            return {}
        return {
            str(name): value
            for name, value in settings.items()
            if isinstance(value, str | int | float) and not isinstance(value, bool)
        }

    async def close(self) -> None:
        """End the child."""
        if self._ending:
            self._ending.cancel()
        await self._end()

    async def _ask(self, order: dict[str, object]) -> dict[str, object] | None:
        """Have the child decode; None if it died, which once may be somebody else's doing."""
        if self._ending:
            self._ending.cancel()
        try:
            child = await self._running()
            assert child.stdin  # noqa: S101 (asked for as a pipe)
            assert child.stdout  # noqa: S101 (asked for as a pipe)
            child.stdin.write(json.dumps(order).encode() + b'\n')
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await child.stdin.drain()
                line = await child.stdout.readline()
        except TimeoutError as error:
            log.warning('the decoder took more than %s s; it is started anew', ANSWER_TIMEOUT_S)
            await self._end()
            raise _bad_image('the decoder ran into its limits') from error
        except OSError:
            line = b''
        except asyncio.CancelledError:
            await self._end()
            raise
        if not line.endswith(b'\n'):
            log.warning('the decoder died; it is started anew')
            ran_out = await self._ran_out_of_time()
            await self._end()
            if ran_out:
                raise _bad_image('the decoder ran into its limits')
            return None
        loop = asyncio.get_running_loop()
        self._ending = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_if_idle()))
        answer: dict[str, object] = json.loads(line)
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                '-P',
                str(CHILD),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        return self._child

    async def _ran_out_of_time(self) -> bool:
        """Look how a child ended; one that is killed as well would not tell any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DYING_S):
                return self._child is not None and await self._child.wait() == -OUT_OF_TIME
        return False

    async def _end_if_idle(self) -> None:
        if not self._one_at_a_time.locked():
            await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _bad_image(reason: str) -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason=reason))
