"""The nouns: what was asked, what became of it, and the pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path

from app.cost import Cost
from app.errors import N_, Failure

DEMO = 'demo'
MOST_IMAGE_BYTES = 64 * 1024 * 1024
LONGEST_PROMPT = 32_000
LONGEST_TEXT = 200
LEAST_SIDE, MOST_SIDE = 16, 16_384
MOST_COUNT = 10
MOST_SEED = (1 << 64) - 1
RULE = 'rule'  # in the metadata of a request's field


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


class ResponseFormat(StrEnum):
    """How the provider is asked to hand pictures over; automatic is None: not sent."""

    URL = 'url'
    B64_JSON = 'b64_json'


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f'{self.width}x{self.height}'

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read `1536x1024`; raises `ValueError` where it is not two numbers with an `x` between."""
        width, cross, height = text.partition('x')
        if not (cross and f'{width}{height}'.isascii() and width.isdigit() and height.isdigit()):
            raise ValueError(text)
        return cls(int(width), int(height))


class FieldKind(StrEnum):
    """What a field of a request holds."""

    TEXT = 'text'
    LINE = 'line'
    WHOLE = 'whole number'
    DECIMAL = 'decimal'
    SIZE = 'size'
    FORMAT = 'response format'


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field of a request may hold, and where it is written down."""

    kind: FieldKind
    least: int = 0
    most: int = LONGEST_TEXT  # the largest number or side in pixels, or the most characters
    sentence: str = N_('Enter a whole number from {least} to {most}.')
    column: str = ''  # in the table `generations`; empty: the field's own name
    in_pictures: bool = False  # whether a picture's file tells it, and a form takes it from there
    in_json: bool = False  # whether the public JSON of a generation tells it as it was asked for


_PROMPT = FieldRule(FieldKind.TEXT, most=LONGEST_PROMPT, in_pictures=True)
_LINE = FieldRule(FieldKind.LINE, in_pictures=True)
_PROVIDER = FieldRule(FieldKind.LINE, column='asked_provider')
_SIZE = FieldRule(FieldKind.SIZE, LEAST_SIDE, MOST_SIDE, in_json=True)
_COUNT = FieldRule(FieldKind.WHOLE, 1, MOST_COUNT, N_('Choose from {least} to {most} pictures.'))
_ANY_SEED = N_('The seed must be a whole number from 0 to {most}.')
_SEED = FieldRule(FieldKind.WHOLE, 0, MOST_SEED, _ANY_SEED, in_pictures=True, in_json=True)
_FORMAT = FieldRule(FieldKind.FORMAT, in_json=True)
_STEPS = FieldRule(FieldKind.WHOLE, 1, 500, in_pictures=True)
_ALBUM = FieldRule(FieldKind.WHOLE, 1, MOST_SEED)
_GUIDANCE = FieldRule(FieldKind.DECIMAL, 0, 100, in_pictures=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """The settings of one generation; None means automatic, and automatic is not sent.

    The one table of them: forms, columns, labels and JSON go by the rules in it.
    """

    prompt: str = field(metadata={RULE: _PROMPT})
    provider: str = field(default='', metadata={RULE: _PROVIDER})
    model: str | None = field(default=None, metadata={RULE: replace(_LINE, column='asked_model')})
    size: Size | None = field(default=None, metadata={RULE: _SIZE})
    n: int | None = field(default=None, metadata={RULE: replace(_COUNT, in_json=True)})
    seed: int | None = field(default=None, metadata={RULE: _SEED})
    response_format: ResponseFormat | None = field(default=None, metadata={RULE: _FORMAT})
    negative_prompt: str | None = field(default=None, metadata={RULE: _PROMPT})
    quality: str | None = field(default=None, metadata={RULE: _LINE})
    steps: int | None = field(default=None, metadata={RULE: _STEPS})
    guidance: str | None = field(default=None, metadata={RULE: _GUIDANCE})  # as it was typed: `7.0`
    sampler: str | None = field(default=None, metadata={RULE: _LINE})
    album: int | None = field(default=None, metadata={RULE: _ALBUM})  # where its pictures go

    @property
    def count(self) -> int:
        return self.n or 1


REQUEST_FIELDS: dict[str, FieldRule] = {f.name: f.metadata[RULE] for f in fields(GenerationRequest)}


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


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A picture's file as its row describes it."""

    id: int  # of the picture
    file: str  # below the folder of pictures
    size_bytes: int
    digest: str  # sha256 in hex
    damaged_ns: int | None = None  # when the file changed, in ns since 1970, that was found damaged


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

    @property
    def extension(self) -> str:
        return self.file.rpartition('.')[2]

    @property
    def name(self) -> str:
        return self.file.rpartition('/')[2]

    @property
    def title(self) -> str:
        return self.prompt or self.name  # of a picture that was made elsewhere


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
