"""The server's side of the decoder child.

Not `anyio.to_process`: its answers are pickles, and a pickle from a child that hostile bytes took
over would run in the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger

log = logger(__name__)
T = TypeVar('T')
Order = dict[str, object]
GenerationResult = dict[str, object]
Settings = dict[str, str | int | float]

CHILD = Path(__file__).with_name('decoder_child.py')
ANSWER_TIMEOUT_S = 20.0  # of a busy machine; the child may use 5 s of its processor
IDLE_S = 60.0
DYING_S = 1.0
TRIES = 2  # a child may have been brought down by somebody else
HEAD = struct.Struct('>QI')  # of a frame; both are explained in `child.py`
MOST_ANSWER_BYTES = 5_000_000
LIMITS = 'the decoder ran into its limits'
OUT_OF_TIME = 'SIGXCPU'
OUT_OF_MEMORY = ('SIGABRT', 'SIGSEGV')  # how C ends where a limit leaves it none
COLOUR = re.compile('#[0-9a-f]{6}')
LONGEST_REASON = 200
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


class DecoderFailed(ProviderError):
    """It was the decoder that failed: nothing is known of the picture, good or bad."""

    def __init__(self, reason: str) -> None:
        super().__init__(Failure(kind=ErrorKind.INTERNAL, reason=reason))


class NoAnswer(Exception):
    """A child gave no answer that can be believed, and is ended.

    Attributes:
        at_limit: It ended as one does that the picture takes to its limits.
    """

    def __init__(self, reason: str, *, at_limit: bool = False) -> None:
        super().__init__(reason)
        self.at_limit = at_limit


class Decoder:
    """One child, started when it is needed and ended after a minute without work.

    Args:
        environment: The child's.
        answer_timeout_s: How long to wait for an answer.
    """

    def __init__(
        self, environment: Mapping[str, str], answer_timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        self._environment = dict(environment)
        self._answer_timeout_s = answer_timeout_s
        self._one_at_a_time = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._number = 0

    async def decode(self, path: Path, mime: str, thumbs: Mapping[int, Path]) -> Decoded:
        """Decode a picture whole and write its thumbnails.

        Args:
            path: The bytes.
            mime: What the first bytes say it is.
            thumbs: Where to write the thumbnail of each width.

        Raises:
            ProviderError: `bad_image`: it can't be decoded, or not within the limits.
            DecoderFailed: Through no fault of the picture.
        """
        order: Order = {
            'path': str(path),
            'format': FORMATS[mime],
            'thumbs': {str(width): str(target) for width, target in thumbs.items()},
        }
        return await self._answered(order, _decoded)

    async def read(self, path: Path, mime: str) -> Settings:
        """Read the settings inside a picture; empty where there are none to be read."""
        order: Order = {'read': str(path), 'format': FORMATS[mime]}
        try:
            return await self._answered(order, _settings)
        except ProviderError as error:
            log.info('the settings of a picture could not be read: %s', error.failure.reason)
            return {}

    async def close(self) -> None:
        """End the child."""
        if self._ending:
            self._ending.cancel()
        await self._end()

    async def _answered(self, order: Order, understood: Callable[[GenerationResult], T]) -> T:
        """Have an order carried out; again, on a fresh child, if the first gave no answer."""
        errors = list[NoAnswer]()
        async with self._one_at_a_time:
            if self._ending:
                self._ending.cancel()
            try:
                while len(errors) < TRIES:
                    try:
                        return await self._ask(order, understood)
                    except NoAnswer as error:
                        log.warning('%s (%r); it is started anew', error, error.__cause__)
                        errors.append(error)
            finally:
                loop = asyncio.get_running_loop()
                ending = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_if_idle()))
                self._ending = ending
        if all(error.at_limit for error in errors):
            raise _bad_image(LIMITS)
        raise DecoderFailed(str(errors[-1])) from errors[-1]

    async def _ask(self, order: Order, understood: Callable[[GenerationResult], T]) -> T:
        """Ask the child once; whatever is no answer to this order ends it.

        Raises:
            NoAnswer: It was none.
            ProviderError: What the answer says; or the picture took all the time that it may.
            DecoderFailed: There was no answer in time.
        """
        try:
            return understood(await self._exchange(order))
        except ProviderError:
            raise
        except TimeoutError as error:
            log.warning('the decoder took more than %s s; it is ended', self._answer_timeout_s)
            await self._end()
            raise DecoderFailed('the decoder took too long') from error
        except (OSError, EOFError) as error:
            ended = await self._how_it_ended()
            await self._end()
            if ended == OUT_OF_TIME:
                raise _bad_image(LIMITS) from error
            raise NoAnswer('the decoder died', at_limit=ended in OUT_OF_MEMORY) from error
        except (ValueError, RecursionError) as error:
            await self._end()
            raise NoAnswer('the decoder gave no usable answer') from error
        except BaseException:
            await self._end()
            raise

    async def _exchange(self, order: Order) -> GenerationResult:
        """Send an order and read one frame.

        Raises:
            OSError: The child can't be started, or written to.
            EOFError: It died.
            TimeoutError: It took too long.
            ValueError: What came is no frame, or that of another order.
        """
        self._number += 1
        child = await self._running()
        assert child.stdin  # noqa: S101 (asked for as a pipe)
        assert child.stdout  # noqa: S101 (asked for as a pipe)
        child.stdin.write(json.dumps({'number': self._number, **order}).encode() + b'\n')
        async with asyncio.timeout(self._answer_timeout_s):
            await child.stdin.drain()
            number, length = HEAD.unpack(await child.stdout.readexactly(HEAD.size))
            if number != self._number or length > MOST_ANSWER_BYTES:
                raise ValueError(f'{length} bytes for the order {number}')
            answer = json.loads(await child.stdout.readexactly(length))
        if not isinstance(answer, dict):
            raise ValueError('no object')
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = None
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

    async def _how_it_ended(self) -> str:
        """Name the signal that ended a child; one that is killed as well would not tell."""
        with contextlib.suppress(TimeoutError, ValueError):
            async with asyncio.timeout(DYING_S):
                return signal.Signals(-await self._child.wait()).name if self._child else ''
        return ''

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


def _decoded(answer: GenerationResult) -> Decoded:
    """Read the answer about a whole picture; ValueError where it is none."""
    _refuse(answer)
    width, height, colour = answer.get('width'), answer.get('height'), answer.get('mean_colour')
    if not isinstance(width, int) or not isinstance(height, int):
        raise ValueError('no size')
    if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
        raise ValueError('no colour')
    return Decoded(width=width, height=height, mean_colour=colour)


def _settings(answer: GenerationResult) -> Settings:
    """Read the settings in an answer; ValueError where there is no place for them."""
    _refuse(answer)
    settings = answer.get('settings')
    if not isinstance(settings, dict):
        raise ValueError('no settings')
    return {
        str(name): value
        for name, value in settings.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _refuse(answer: GenerationResult) -> None:
    if 'failed' in answer:
        raise DecoderFailed(str(answer['failed'])[:LONGEST_REASON])
    if 'refused' in answer:
        raise _bad_image(str(answer['refused'])[:LONGEST_REASON])


def _bad_image(reason: str) -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason=reason))
