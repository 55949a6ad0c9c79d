"""The server's side of the decoder's child.

Not `anyio.to_process`: its answers are pickles, and a pickle from a child that hostile bytes took
over would run in the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.errors import AppError, ErrorKind, Failure, ProviderError
from app.log import logger
from app.models.request import DIGEST
from app.storage.files import refused
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
LIMITS = 'the decoder hit its limits'
OUT_OF_TIME = 'SIGXCPU'
OUT_OF_MEMORY = ('SIGABRT', 'SIGSEGV')  # how C ends where a limit leaves it none
COLOUR = re.compile('#[0-9a-f]{6}')
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the child read off a whole picture, and the labelled copy if it wrote one."""

    width: int
    height: int
    mean_colour: str
    written: Written | None = None


class DecoderFailed(ProviderError):
    """The decoder failed; nothing is known of the picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(Failure(kind=ErrorKind.INTERNAL, reason=reason))


class NoAnswer(Exception):
    """A child gave no usable answer, and was ended; `at_limit`: like one over its limits."""

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
        self._ending: asyncio.Task[None] | None = None
        self._number = 0

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], label: Label | None = None
    ) -> Decoded:
        """Decode a picture whole; write its thumbnails, and a labelled copy at `labelled_path`.

        Raise ProviderError with `bad_image` at one that cannot be decoded within the limits, and
        DecoderFailed where that is no fault of the picture.
        """
        labelled = labelled_path(path) if label else None
        targets = {str(width): str(target) for width, target in thumbs.items()}
        order: Order = {'path': str(path), 'thumbs': targets}
        if label:
            order |= {'label': asdict(label), 'labelled': str(labelled)}
        return await self.answered(order, mime, lambda answer: _decoded(answer, labelled))

    async def read(self, path: Path, mime: str) -> Settings:
        try:
            return await self.answered({'read': str(path)}, mime, _settings)
        except ProviderError as error:
            log.info('the settings of a picture could not be read: %s', error.failure.reason)
            return {}

    async def close(self) -> None:
        await self._end()

    async def answered(self, order: Order, mime: str, parse: Callable[[Answer], T]) -> T:
        """Return the parsed answer to an order; a second child gets it if the first gave none.

        Raise ProviderError and DecoderFailed as `decode`, StorageFailed where the disk fails;
        `parse` raises ValueError at what is no answer.
        """
        order['format'] = format_of(mime)
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
                self._ending = asyncio.create_task(self._end_when_idle())
        if all(error.at_limit for error in errors):
            raise _bad_image(LIMITS)
        raise DecoderFailed(str(errors[-1])) from errors[-1]

    async def _ask(self, order: Order, parse: Callable[[Answer], T]) -> T:
        """Ask the child once, and end it where what comes is no answer to this order."""
        try:
            answer = await self._call(order)
            if 'failed' in answer:
                raise refused(str(answer['failed'])[:LONGEST_REASON])
            if 'refused' in answer:
                raise _bad_image(str(answer['refused'])[:LONGEST_REASON])
            return parse(answer)
        except AppError:
            raise
        except TimeoutError as error:
            log.warning('the decoder took more than %s s; it is ended', self._answer_timeout_s)
            await self._end()
            raise DecoderFailed('the decoder took too long') from error
        except (OSError, EOFError) as error:
            ended = ''
            with contextlib.suppress(TimeoutError, ValueError):
                async with asyncio.timeout(DYING_S):
                    ended = signal.Signals(-await self._child.wait()).name if self._child else ''
            await self._end()
            if ended == OUT_OF_TIME:
                raise _bad_image(LIMITS) from error
            raise NoAnswer('the decoder crashed', at_limit=ended in OUT_OF_MEMORY) from error
        except (ValueError, RecursionError) as error:
            await self._end()
            raise NoAnswer('the decoder gave no valid answer') from error
        except BaseException:
            await self._end()
            raise

    async def _call(self, order: Order) -> Answer:
        """Send an order and read one frame; raise ValueError at none, or that of another order."""
        self._number += 1
        if self._child is None or self._child.returncode is not None:
            self._child = None
            _log_protection()
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, '-P', str(CHILD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin and stdout  # noqa: S101, PT018 (asked for as pipes)
        stdin.write(json.dumps({'number': self._number, **order}).encode() + b'\n')
        async with asyncio.timeout(self._answer_timeout_s):
            await stdin.drain()
            number, length = HEAD.unpack(await stdout.readexactly(HEAD.size))
            if number != self._number or length > MOST_ANSWER_BYTES:
                raise ValueError(f'{length} bytes for the order {number}')
            answer = json.loads(await stdout.readexactly(length))
        if not isinstance(answer, dict):
            raise ValueError('no object')
        return answer

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(IDLE_S)
        await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child:
            with contextlib.suppress(ProcessLookupError):
                _kill_group(child)
            await child.wait()
            await asyncio.to_thread(_reap_group, child.pid)


def _kill_group(child: asyncio.subprocess.Process) -> None:
    """End a child and the one of its own that is at work; raise ProcessLookupError."""
    if sys.platform == 'win32':
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)


def _reap_group(pid: int) -> None:
    """Take in what a child left behind, where this is process 1 of a container."""
    if sys.platform != 'win32':
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-pid, 0)


@cache
def _log_protection() -> None:
    """Say once, before the first picture, how the child is confined."""
    from app.storage.decoding.sandbox import protection  # 0.3 MB that no start needs

    log.info('how the decoder of pictures is confined: %s', protection())


def format_of(mime: str) -> str:
    """Return what Pillow calls a type of pictures."""
    return mime.removeprefix('image/').upper()


def work_order(
    work: str, reads: Mapping[str, Path], writes: Mapping[str, Path], **asked: object
) -> Order:
    """Write an order for a function of a module beside this, which may open these files alone."""
    given, made = ({name: str(path) for name, path in paths.items()} for paths in (reads, writes))
    opened = {'reads': [*given.values()], 'writes': [*made.values()]}
    return {'work': work, **opened, **given, **made, **asked}


def labelled_path(path: Path) -> Path:
    return path.with_name(f'{path.stem}-labelled.part')


def _decoded(answer: Answer, labelled: Path | None) -> Decoded:
    """Parse the answer about a whole picture; raise ValueError where it is none."""
    match answer:
        case {'width': int(width), 'height': int(height), 'mean_colour': str(colour)}:
            if COLOUR.fullmatch(colour):
                written = _written(answer, labelled) if labelled else None
                return Decoded(width, height, colour, written)
    raise ValueError('no size and colour')


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
    if not isinstance(settings := answer.get('settings'), dict):
        raise ValueError('no settings')
    return {
        str(name): value
        for name, value in settings.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _bad_image(reason: str) -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason=reason))
