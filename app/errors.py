"""Everything that can go wrong, in words a person can act on.

A sentence is written here in English and marked with `N_`; whoever shows it translates it and puts
the arguments in. `Failure` is what a generation's row keeps, so that a reader in another language,
tomorrow, still gets the sentence in theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


def N_(text: str) -> str:  # noqa: N802 (gettext's own name for it)
    """Mark a sentence for translation, without translating it yet."""
    return text


class Reason(StrEnum):
    """What was seen of a failure, in short English; `messages` translates it."""

    CONNECTION_REFUSED = N_('connection refused')
    CONNECTION_REFUSED_INSIDE = N_('connection refused inside the container')
    CONNECTION_RESET = N_('connection reset')
    NO_ANSWER = N_('no answer')
    NOT_ASKED_YET = N_('not checked yet')
    REMOVED_OR_TURNED_OFF_IN_SETTINGS = N_('removed or turned off in Settings')
    NO_LIST_OF_MODELS = N_('no list of models')
    NOT_THERE_IN_TIME = N_('timed out')
    REQUEST_THAT_CAN_NOT_BE_SENT = N_("the request can't be sent")
    ODD_ADDRESS = N_('an invalid address')
    NOT_A_PUBLIC_ADDRESS = N_('not a public address')
    ODD_SPELLING = N_('a malformed address')
    NO_SUCH_NAME = N_('host not found')
    NO_ANSWER_TO_THE_CONNECTION = N_('the connection timed out')
    CLOSED_WITHOUT_AN_ANSWER = N_('closed without an answer')
    CERTIFICATE_IS_NOT_TRUSTED = N_("its certificate isn't trusted")
    CERTIFICATE_OF_UNKNOWN_AUTHORITY = N_(
        "its certificate isn't trusted: this computer doesn't know who signed it"
    )
    CERTIFICATE_SELF_SIGNED = N_("its certificate isn't trusted: it's self-signed")
    CERTIFICATE_EXPIRED = N_('its certificate has expired')
    CERTIFICATE_NOT_VALID_YET = N_("its certificate isn't valid yet")
    CERTIFICATE_FOR_ANOTHER_NAME = N_('its certificate is for another name')
    HTTP_IS_SPOKEN_THERE = N_('the server uses http')
    HTTPS_IS_SPOKEN_THERE = N_('the server uses https')
    PROXY_CANNOT_BE_REACHED = N_("the proxy doesn't answer")
    PROXY_REFUSES = N_('the proxy refused it')
    PROXY_ASKS_WHO = N_('the proxy needs a password')
    PROXY_OF_ANOTHER_KIND = N_("Easel can't use this proxy")
    TLS_CANNOT_BE_AGREED_ON = N_('the TLS handshake failed')
    TOO_MANY_REDIRECTS = N_('too many redirects')
    COMPRESSED_ANSWER = N_('the answer is compressed')
    SWELLS = N_('the compressed answer unpacks to too much data')
    BROKE_OFF = N_('the transfer ended early')
    ONLY_INTERIM_ANSWERS = N_('only interim (1xx) answers')
    NOT_BY_THE_RULES_OF_HTTP = N_("it isn't valid HTTP")
    HEADERS_OVER_32_KIB = N_('headers over 32 KiB')
    IT_CAME_TOO_SLOWLY = N_('the data came too slowly')
    NOT_A_PLAIN_HTTP_ADDRESS = N_('not an http or https address')
    METADATA_ADDRESS = N_('a cloud metadata address')
    REDIRECT_FROM_HTTPS_TO_HTTP = N_('a redirect from https to http')
    NAMED_WITH_ANOTHER_SCHEME = N_('named with a different scheme')
    EASEL_ITSELF = N_('Easel itself')
    JSON_BREAKS_OFF = N_('the JSON is cut off')
    EMPTY_BODY = N_('an empty body')
    BASE64_IS_DAMAGED = N_('its base64 is damaged')
    ZIP_IS_DAMAGED = N_('its zip is damaged')
    ZIP_WITHOUT_PICTURES = N_('a zip without pictures')
    ONLY_PREVIEWS_CAME = N_('only previews arrived')
    NO_EVENT_IS_WHOLE = N_('no complete event arrived')
    DAMAGED_DATA_ADDRESS = N_('a damaged data: address')
    DAMAGED = N_('damaged')
    TOO_LARGE_TO_DECODE = N_('too large to decode')
    OVER_40_MEGAPIXELS = N_('over 40 megapixels')
    OVER_200_FRAMES = N_('over 200 frames')
    OVER_64_MIB = N_('over 64 MiB')
    OVER_4_MIB_OF_TEXT = N_('over 4 MiB of text')
    OVER_20_000_VALUES = N_('over 20,000 values')
    DECODER_RAN_INTO_ITS_LIMITS = N_('the decoder hit its limits')
    FILE_WAS_REMOVED = N_('its file was removed')
    SOURCE_WAS_DELETED = N_('a picture it starts from was deleted')
    SOURCE_IS_NOT_WHOLE = N_('a picture it starts from is missing or damaged')
    MASK_IS_NOT_WHOLE = N_('its mask is missing or damaged')
    DECODER_DIED = N_('the decoder crashed')
    DECODER_GAVE_NO_USABLE_ANSWER = N_('the decoder gave no valid answer')
    DECODER_TOOK_TOO_LONG = N_('the decoder took too long')
    HTML = N_('html')
    SVG = N_('svg')
    XML = N_('xml')
    JSON = N_('json')
    PDF = N_('pdf')
    ZIP = N_('zip')
    VIDEO = N_('video')
    AUDIO = N_('audio')
    MODEL_NEEDS_AN_ACCOUNT = N_("the model's source needs an account")
    MODEL_IS_NOT_LISTED = N_("its list doesn't have this model")
    NO_KEY_WAS_SENT = N_('no key was sent')
    PREVIEWS_WERE_ON = N_('partial pictures were requested')
    PROMPT_IS_TOO_LONG = N_('the prompt is too long')
    SIGN_IN_PAGE = N_('a sign-in page')
    OUT_OF_MEMORY = N_('out of memory')
    CANNOT_EDIT = N_("it can't start from pictures")
    TOO_MANY_SOURCES = N_('too many pictures to start from')
    SIZE = N_('the size')
    COUNT = N_('the number of pictures')
    EMPTY = N_('empty')
    UNKNOWN = N_('unknown')


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
    NOT_LAID_BACK = 'not_laid_back'
    NOT_READY = 'not_ready'
    PENDING = 'pending'
    QUOTA = 'quota'
    RATE_LIMITED = 'rate_limited'
    REDIRECT = 'redirect'
    SET_ASIDE = 'set_aside'
    STORAGE = 'storage'
    SURPLUS = 'surplus'
    TIMEOUT = 'timeout'
    TOO_LARGE = 'too_large'
    TRUNCATED = 'truncated'
    UNREACHABLE = 'unreachable'
    UNSUPPORTED_PARAM = 'unsupported_param'
    UPSTREAM_ERROR = 'upstream_error'


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is known of a failure."""

    kind: ErrorKind
    where: str = ''  # the address that was asked, without user, path or query: `localhost:1337`
    words: str = ''  # the provider's own words, scrubbed; at most 500 characters
    reason: str = ''  # what our side saw, in short technical English ('connection refused')
    http_status: int | None = None
    param: str | None = None
    value: str = ''  # of `param`, where that alone is refused, or of the model
    offers: tuple[str, ...] = ()  # values that may be taken in its place, the nearest first
    retry_after_s: float | None = None
    job_id: str | None = None
    url: str | None = None  # the picture's address, where that is what failed
    # Of a picture that was made, so that it can be fetched again: its address as the server named
    # it, which nobody is shown, and what its label tells.
    picture_url: str | None = None
    revised_prompt: str | None = None
    seed: int | None = None
    cost: str = ''
    file: str = ''  # where the picture is kept all the same, below the data folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What everybody who is signed in shall know for as long as it lasts.

    Sentences are marked by `N_`, with `{name}` places.
    """

    sentence: str  # what is the case
    cure: str  # what the owner can do; empty where that is nothing, or said already
    places: Mapping[str, object] = field(default_factory=dict)  # what goes into both
    link: str = ''  # an address of ours where it can be done, and its words
    link_text: str = ''
    is_act: bool = False  # whether that address is a button's, and no page
    owner_only: bool = False
    is_closable: bool = False  # by the owner: it would last until the next start

    def __str__(self) -> str:
        return self.sentence.format(**self.places)


class AppError(Exception):
    """A fault with a sentence for the visitor; a subclass names its status and kind."""

    status = 500  # of the response
    kind = 'internal'
    retryable = False  # whether the same request may succeed later
    retry_after_s = 30

    def __init_subclass__(
        cls, *, status: int = 0, kind: str = '', retryable: bool | None = None
    ) -> None:
        cls.status, cls.kind = status or cls.status, kind or cls.kind
        cls.retryable = cls.retryable if retryable is None else retryable

    def __init__(
        self, sentence: str, *, fields: dict[str, AppError] | None = None, **places: object
    ) -> None:
        super().__init__(sentence.format(**places))
        self.sentence = sentence  # in English, marked by `N_`, with `{name}` places
        self.places = places  # what goes into them
        self.fields = fields or {}  # a sentence for each form field that is wrong


class InvalidRequest(AppError, status=422, kind='invalid_request'):
    """What was sent can't be meant."""


def wrong_field(name: str, wrong: InvalidRequest) -> InvalidRequest:
    """Return the refusal of a form in which one field is wrong."""
    return InvalidRequest(N_('Check the marked fields.'), fields={name: wrong})


class Malformed(AppError, status=400, kind='malformed'):
    """The request breaks HTTP's own rules."""


class WrongType(AppError, status=415, kind='wrong_type'):
    """The body is of a type that this address does not read."""


class NotFound(AppError, status=404, kind='not_found'):
    """There is no such page, generation or picture."""


class Gone(AppError, status=410, kind='gone'):
    """The row is there and the file is not."""


class WrongMethod(AppError, status=405, kind='wrong_method'):
    """The address exists and takes another method."""


class Conflict(AppError, status=409, kind='conflict'):
    """The act does not fit the state that the thing is in."""


class SignInRequired(AppError, status=401, kind='sign_in_required'):
    """A password is set and this visitor has not given it."""


class Forbidden(AppError, status=403, kind='forbidden'):
    """Another site, or a program without a token, asked for an act."""


class Misdirected(AppError, status=421, kind='misdirected'):
    """The request names a host that is not ours."""


class TooLarge(AppError, status=413, kind='too_large'):
    """The body is over the cap of its route."""


class QueueFull(AppError, status=429, kind='queue_full', retryable=True):
    """Too much is waiting already."""


class Crowded(AppError, status=429, kind='crowded', retryable=True):
    """This visitor holds more connections than one visitor may."""


class TooManyGuesses(AppError, status=429, kind='too_many_guesses', retryable=True):
    """Passwords or links were guessed too often within a minute."""

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence, seconds=seconds)
        self.retry_after_s = seconds


class StorageFailed(AppError, status=507, kind='storage', retryable=True):
    """The disk or the database refused to keep something."""


class Unkeepable(StorageFailed, retryable=False):
    """The database refuses this very content, and would again."""


class ProviderError(AppError, status=502, retryable=True):
    """The provider, or the way to it, failed; `failure` says how."""

    def __init__(self, failure: Failure, *others: Failure) -> None:
        super().__init__(str(failure.kind))  # no words: they may hold a key, and this is logged
        self.failure = failure
        self.others = others  # of the further pictures of the same answer
        self.kind = str(failure.kind)
