"""Everything that can go wrong, in words a person can act on.

A sentence is written here in English and marked with `N_`; whoever shows it translates it and puts
the arguments in. `Failure` is what a generation's row keeps, so that a reader in another language,
tomorrow, still gets the sentence in theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


def N_(text: str) -> str:  # noqa: N802 (gettext's own name for it)
    """Mark a sentence for translation, without translating it yet."""
    return text


# What is seen where nothing listens; and that, where a container's `localhost` was asked.
REFUSED = 'connection refused'
REFUSED_INSIDE = N_('connection refused inside the container')


class ErrorKind(StrEnum):
    """Why a generation, or one picture of it, failed; the words of the public JSON."""

    AUTH = 'auth'
    BAD_IMAGE = 'bad_image'
    BLOCKED_URL = 'blocked_url'
    CANCELLED = 'cancelled'
    EMPTY = 'empty'
    ENDPOINT_NOT_FOUND = 'endpoint_not_found'
    FORBIDDEN = 'forbidden'
    GATEWAY_TIMEOUT = 'gateway_timeout'
    IMAGE_FETCH_FAILED = 'image_fetch_failed'
    INTERNAL = 'internal'
    INVALID_REQUEST = 'invalid_request'
    MODEL_NOT_FOUND = 'model_not_found'
    MODERATION = 'moderation'
    NOT_AN_IMAGE = 'not_an_image'
    NOT_JSON = 'not_json'
    NOT_READY = 'not_ready'
    PENDING = 'pending'
    QUOTA = 'quota'
    RATE_LIMITED = 'rate_limited'
    REDIRECT = 'redirect'
    SET_ASIDE = 'set_aside'
    STORAGE = 'storage'
    TIMEOUT = 'timeout'
    TOO_LARGE = 'too_large'
    TRUNCATED = 'truncated'
    UNREACHABLE = 'unreachable'
    UNSUPPORTED_PARAM = 'unsupported_param'
    UPSTREAM_ERROR = 'upstream_error'


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is known of a failure.

    Attributes:
        where: The address that was asked, without user, path or query: `localhost:1337`.
        words: The provider's own words, scrubbed; at most 500 characters.
        reason: What our side saw, in short technical English ('connection refused').
        url: The picture's address, where that is what failed.
        file: Where the picture is kept all the same, below the data folder.
    """

    kind: ErrorKind
    where: str = ''
    words: str = ''
    reason: str = ''
    http_status: int | None = None
    param: str | None = None
    retry_after_s: float | None = None
    job_id: str | None = None
    url: str | None = None
    file: str = ''


class AppError(Exception):
    """A fault with a sentence for the visitor.

    Attributes:
        status: The HTTP status a page answers with.
        retryable: Whether the same request may succeed later.
        sentence: English with `{name}` places, marked by `N_`.
        places: What goes into them.
        fields: A sentence for each form field that is wrong.
    """

    status = 500
    kind = 'internal'
    retryable = False

    def __init__(
        self, sentence: str, *, fields: dict[str, AppError] | None = None, **places: object
    ) -> None:
        super().__init__(sentence.format(**places))
        self.sentence = sentence
        self.places = places
        self.fields = fields or {}

    @property
    def retry_after_s(self) -> int:
        """After how long to ask again, where that is worth it."""
        return 30


class InvalidRequest(AppError):
    """What was sent can't be meant."""

    status = 422
    kind = 'invalid_request'


class Malformed(AppError):
    """The request breaks HTTP's own rules."""

    status = 400
    kind = 'malformed'


class WrongType(AppError):
    """The body is of a type that this address does not read."""

    status = 415
    kind = 'wrong_type'


class NotFound(AppError):
    """There is no such page, generation or picture."""

    status = 404
    kind = 'not_found'


class Gone(AppError):
    """The row is there and the file is not."""

    status = 410
    kind = 'gone'


class WrongMethod(AppError):
    """The address exists and takes another method."""

    status = 405
    kind = 'wrong_method'


class Conflict(AppError):
    """The act does not fit the state that the thing is in."""

    status = 409
    kind = 'conflict'


class SignInRequired(AppError):
    """A password is set and this visitor has not given it."""

    status = 401
    kind = 'sign_in_required'


class Forbidden(AppError):
    """Another site, or a program without a token, asked for an act."""

    status = 403
    kind = 'forbidden'


class Misdirected(AppError):
    """The request names a host that is not ours."""

    status = 421
    kind = 'misdirected'


class TooLarge(AppError):
    """The body is over the cap of its route."""

    status = 413
    kind = 'too_large'


class QueueFull(AppError):
    """Too much is waiting already."""

    status = 429
    kind = 'queue_full'
    retryable = True


class Crowded(AppError):
    """This visitor holds more connections than one visitor may."""

    status = 429
    kind = 'crowded'
    retryable = True


class TooManyGuesses(AppError):
    """Passwords or links were guessed too often within a minute."""

    status = 429
    kind = 'too_many_guesses'
    retryable = True

    @property
    def retry_after_s(self) -> int:
        """What the sentence says in `seconds`."""
        return int(str(self.places['seconds']))


class StorageFailed(AppError):
    """The disk or the database refused to keep something."""

    status = 507
    kind = 'storage'
    retryable = True


class Unkeepable(StorageFailed):
    """The database refuses this very content, and would again."""

    retryable = False


class ProviderError(AppError):
    """The provider, or the way to it, failed; `failure` says how."""

    status = 502
    retryable = True

    def __init__(self, failure: Failure) -> None:
        super().__init__('{kind}: {words}', kind=failure.kind, words=failure.words)
        self.failure = failure
        self.kind = str(failure.kind)
