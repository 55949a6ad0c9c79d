"""The nouns: what was asked, what became of it, and the pictures."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.cost import Cost
from app.errors import Failure
from app.models.request import GenerationRequest

DEMO = 'demo'
_KEPT_NAME = re.compile(r'^\d{6}-(.+)-\w{12}\.\w+$')  # as `file_key` makes it
MOST_IMAGE_BYTES = 64 * 1024 * 1024


class Status(StrEnum):
    """Where a generation stands."""

    QUEUED = 'queued'
    RUNNING = 'running'
    DONE = 'done'
    FAILED = 'failed'
    CANCELLED = 'cancelled'
    INTERRUPTED = 'interrupted'

    @property
    def unfinished(self) -> bool:
        return self in (Status.QUEUED, Status.RUNNING)

    @property
    def retryable(self) -> bool:
        return self in (Status.FAILED, Status.CANCELLED, Status.INTERRUPTED)


@dataclass(eq=False)
class Unwritten:
    """The end of a picture that the disk has refused so far."""

    content: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One picture as it came: bytes in a temporary file, nothing checked yet."""

    path: Path
    size_bytes: int
    head: bytes
    revised_prompt: str | None = None
    source_url: str | None = None
    seed: int | None = None
    cost: Cost | None = None  # its share of what the answer cost
    unwritten: Unwritten | None = None

    @property
    def digest(self) -> str:
        """Read the file and give its sha256 in hex; the kept file's is another, for its label."""
        with self.path.open('rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a provider, as the request inspector shows it; no key is in it."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]  # what is secret is replaced
    body: str  # what was sent, as text
    status: int | None  # of the response; None where none came
    answer: str  # the response's text, scrubbed, pictures cut
    reason: str  # what was seen instead of a picture, in short technical English
    dropped: tuple[str, ...]  # fields that an earlier call had sent and this one did not
    began_at: float
    took_s: float
    cost: Cost | None = None  # as the server says it


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """What a provider made of one ask."""

    received: tuple[Received, ...]
    item_errors: tuple[Failure, ...] = ()
    dropped: tuple[str, ...] = ()
    model: str = ''  # the one that was chosen of the server's list, where none was named


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """One picture as it is kept."""

    digest: str
    file: str  # its key below the picture folder: `2026/11/22/150412-a-fox-1f2e3d4c.png`
    mime: str
    width: int
    height: int
    size_bytes: int
    mean_colour: str  # `#rrggbb`, what the tile shows until the picture is there
    id: int | None = None  # reserved, so that the file can name it; None: the row chooses
    created_at: float | None = None
    revised_prompt: str | None = None
    source_url: str | None = None
    seed: int | None = None
    cost: Cost | None = None
    # the share (0-1) of what its mask protects where it differs from the picture it was edited from
    changed_outside_mask: float | None = None
    laid_back_from: int | None = None  # the picture that came, of which this keeps what may change


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A picture's file as its row describes it."""

    id: int  # of the picture
    file: str  # below the folder of pictures
    size_bytes: int
    digest: str  # sha256 in hex
    damaged_ns: int | None = None  # when the file changed, in ns since 1970, that was found damaged


@dataclass(frozen=True, slots=True)
class TracedPicture:
    """A picture that another came from, as a label names it: its id is another's elsewhere."""

    id: int
    digest: str  # sha256 in hex of its file; empty where that was gone already

    def __str__(self) -> str:
        return f'{self.id}:{self.digest}'


@dataclass(frozen=True, slots=True)
class PictureIds:
    """The id of a picture and that of its generation; 0 where it is not known."""

    image: int = 0
    generation: int = 0

    def __or__(self, other: PictureIds) -> PictureIds:
        """Return the highest of each."""
        return PictureIds(max(self.image, other.image), max(self.generation, other.generation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(StoredImage):
    """One picture of a generation, with what its label says."""

    id: int
    generation_id: int
    position: int
    prompt: str
    negative_prompt: str | None
    provider: str
    model: str | None
    asked_size: str | None
    favourite: bool
    created_at: float
    deleted_at: float | None
    took_s: float | None
    guest: int | None = None  # whose link it was asked for by; None for the owner's own
    albums: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()  # ids of the pictures that it started from, in their order
    mask: str | None = None  # as in `GenerationRequest`

    @property
    def parent_id(self) -> int | None:
        """Return the picture that it was edited from; it may be gone by now."""
        return self.sources[0] if self.sources else None

    @property
    def extension(self) -> str:
        return self.file.rpartition('.')[2]

    @property
    def name(self) -> str:
        return self.file.rpartition('/')[2]

    @property
    def title(self) -> str:
        """The prompt; of a picture that was made elsewhere, the name that it came with."""
        return self.prompt or _KEPT_NAME.sub(r'\1', self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One act of asking, from queued to done. Times are seconds since 1970, UTC."""

    id: int
    status: Status
    attempt: int
    request: GenerationRequest
    provider: str
    model: str | None
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    progress: float | None = None
    dropped: tuple[str, ...] = ()
    item_errors: tuple[Failure, ...] = ()
    error: Failure | None = None
    guest: int | None = None  # whose link it came by; None for the owner's own
    dismissed_at: float | None = None  # when it left the Create page; None: it is on it
    destroyed: int = 0  # pictures of it that were deleted for good
    images: tuple[Image, ...] = field(default=())

    def seed_of(self, image: Image) -> int | None:
        """Return the seed of one of its pictures: of one alone it is that which was asked for."""
        return self.request.seed if image.seed is None and self.request.count == 1 else image.seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to."""

    status: Status
    provider: str
    model: str | None
    kept: tuple[StoredImage, ...] = ()
    item_errors: tuple[Failure, ...] = ()
    dropped: tuple[str, ...] = ()
    error: Failure | None = None
    calls: tuple[Call, ...] = ()
