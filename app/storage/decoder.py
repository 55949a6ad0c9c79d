"""The server's side of the decoder's child.

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.storage.metadata.container import Written, sidecar_of

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)
T = TypeVar('T')
Order = dict[str, object]
Answer = dict[str, object]
Settings = dict[str, str | int | float]

CHILD = Path(__file__).with_name('decoder_child.py')
ANSWER_TIMEOUT_S = 20.0  # of a busy machine; the child may use 5 s of its processor
IDLE_S = 60.0
DYING_S = 1.0
TRIES = 2  # a child may have been ended from outside
HEAD = struct.Struct('>QI')  # of a frame, as in `decoder_child.py`
MOST_ANSWER_BYTES = 5_000_000
LIMITS = 'the decoder ran into its limits'
OUT_OF_TIME = 'SIGXCPU'
OUT_OF_MEMORY = ('SIGABRT', 'SIGSEGV')  # how C ends where a limit leaves it none
COLOUR = re.compile('#[0-9a-f]{6}')
DIGEST = re.compile('[0-9a-f]{64}')
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
    """What the child read off a whole picture.

    Attributes:
        written: The labelled copy; None where none was asked for, or the picture takes no label.
    """

    width: int
    height: int
    mean_colour: str
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class LabelledCopy:
    """A copy that the child is to write: the label in it, and its path."""

    label: Label
    path: Path


class DecoderFailed(ProviderError):
    """The decoder failed; nothing is known of the picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(Failure(kind=ErrorKind.INTERNAL, reason=reason))


class NoAnswer(Exception):
    """A child gave no usable answer, and was ended.

    Attributes:
        at_limit: The child ended like one that ran into its limits over the picture.
    """

    def __init__(self, reason: str, *, at_limit: bool = False) -> None:
        super().__init__(reason)
        self.at_limit = at_limit


class Decoder:
    """One child, started when it is needed and ended after a minute without work."""

    def __init__(
        self, environment: Mapping[str, str], answer_timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        self._environment = dict(environment)
        self._answer_timeout_s = answer_timeout_s
        self._one_at_a_time = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._number = 0

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], copy: LabelledCopy | None = None
    ) -> Decoded:
        """Decode a picture whole, and write its thumbnails and a labelled copy.

        Args:
            path: The bytes.
            mime: What the first bytes say it is.
            thumbs: Where to write the thumbnail of each width.
            copy: Its label gets the size that is found here.

        Raises:
            ProviderError: `bad_image`: it cannot be decoded, or not within the limits.
            DecoderFailed: Through no fault of the picture.
        """
        order: Order = {
            'path': str(path),
            'format': FORMATS[mime],
            'thumbs': {str(width): str(target) for width, target in thumbs.items()},
        }
        if copy:
            order |= {'label': asdict(copy.label), 'labelled': str(copy.path)}
        return await self._answered(order, lambda answer: _decoded(answer, copy))

    async def read(self, path: Path, mime: str) -> Settings:
        """Read the settings inside a picture; empty where there are none to be read."""
        order: Order = {'read': str(path), 'format': FORMATS[mime]}
        try:
            return await self._answered(order, _settings)
        except ProviderError as error:
            log.info('the settings of a picture could not be read: %s', error.failure.reason)
            return {}

    async def close(self) -> None:
        if self._ending:
            self._ending.cancel()
        await self._end()

    async def _answered(self, order: Order, parse: Callable[[Answer], T]) -> T:
        """Return the parsed answer to an order; a second child gets it if the first gave none."""
        errors = list[NoAnswer]()
        async with self._one_at_a_time:
            if self._ending:
                self._ending.cancel()
            try:
                while len(errors) < TRIES:
                    try:
                        return await self._ask(order, parse)
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

    async def _ask(self, order: Order, parse: Callable[[Answer], T]) -> T:
        """Ask the child once, and end it if what comes is no answer to this order.

        Raises:
            NoAnswer: There was none that can be used.
            ProviderError: What the answer says; or the picture took all the time that it may.
            DecoderFailed: There was no answer in time.
        """
        try:
            return parse(await self._call(order))
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

    async def _call(self, order: Order) -> Answer:
        """Send an order and read one frame.

        Raises:
            OSError: The child cannot be started, or written to.
            EOFError: It died.
            TimeoutError: It took too long.
            ValueError: What came is no frame, or that of another order.
        """
        self._number += 1
        child = await self._running()
        assert child.stdin and child.stdout  # noqa: S101, PT018 (asked for as pipes)
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
        """Name the signal that ended the child; to be asked before it is killed."""
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


def _decoded(answer: Answer, copy: LabelledCopy | None) -> Decoded:
    """Parse the answer about a whole picture; raise ValueError where it is none."""
    _raise_failure(answer)
    width, height, colour = answer.get('width'), answer.get('height'), answer.get('mean_colour')
    if not isinstance(width, int) or not isinstance(height, int):
        raise ValueError('no size')
    if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
        raise ValueError('no colour')
    written = _written(answer, copy.path) if copy else None
    return Decoded(width=width, height=height, mean_colour=colour, written=written)


def _written(answer: Answer, path: Path) -> Written | None:
    if 'unlabelled' in answer:
        reason = str(answer['unlabelled'])[:LONGEST_REASON]
        log.warning('a picture is kept without its settings inside: %s', reason)
        return None
    match answer.get('written'):
        case {'digest': str(digest), 'size_bytes': int(size_bytes), 'sidecar': bool(is_beside)}:
            if DIGEST.fullmatch(digest) and path.is_file():
                sidecar = sidecar_of(path) if is_beside else None
                return Written(path=path, digest=digest, size_bytes=size_bytes, sidecar=sidecar)
    raise ValueError('no labelled copy')


def _settings(answer: Answer) -> Settings:
    """Parse the settings in an answer; raise ValueError where there are none."""
    _raise_failure(answer)
    if not isinstance(settings := answer.get('settings'), dict):
        raise ValueError('no settings')
    return {
        str(name): value
        for name, value in settings.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _raise_failure(answer: Answer) -> None:
    if 'failed' in answer:
        raise DecoderFailed(str(answer['failed'])[:LONGEST_REASON])
    if 'refused' in answer:
        raise _bad_image(str(answer['refused'])[:LONGEST_REASON])


def _bad_image(reason: str) -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason=reason))
