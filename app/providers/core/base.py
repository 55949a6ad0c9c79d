"""What a provider is: its settings, its status, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from app.database.providers import ProviderRow
from app.errors import Failure, Reason
from app.models import Call, GenerationResult, Received
from app.models.request import GenerationRequest
from app.providers.core.parameters import NAMES, ModelParameters
from app.storage.edit_input import EditInput
from app.storage.files import TempFile, remove

ANYBODY = 'OpenAI-compatible'  # a server that lists models and is none of those known
PICTURE_FIELDS = (  # by which APIs take what an edit starts from
    *('image', 'image[]', 'images', 'images[]', 'image_url', 'image_urls', 'reference_images'),
    *('input_references', 'init_images', 'extra_images', 'file', 'files', 'ref_images'),
    *('input_image', 'input_image_2', 'input_image_3', 'input_image_4', 'contents'),
)
MASK_FIELDS = ('mask', 'mask_image', 'mask_url')
WIRE_NAMES = {  # what APIs call our fields, where that is another name; several may be one wish
    **{theirs: ours for ours, names in NAMES.items() for theirs in names if theirs != ours},
    **dict.fromkeys(('image_size', 'width', 'height'), 'size'),
    'batch_size': 'n',
    'denoising_strength': 'strength',
    **dict.fromkeys(MASK_FIELDS, 'mask'),
    **dict.fromkeys(PICTURE_FIELDS, 'sources'),
}
CONNECTION_REFUSED = (Reason.CONNECTION_REFUSED, Reason.CONNECTION_REFUSED_INSIDE)


class Dialect(StrEnum):
    """The API that a provider speaks; `auto` finds out by its responses."""

    AUTO = 'auto'
    OPENAI = 'openai'
    SDAPI = 'sdapi'
    CHAT = 'chat'
    OPENROUTER = 'openrouter'


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings(ProviderRow):
    """A configured image API with its secrets; without an id the environment's, or the demo."""

    dialect: Dialect = Dialect.AUTO
    key: str | None = field(default=None, repr=False)
    # more of them, for every call to the provider's own origin
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class ProviderState(StrEnum):
    """What is at a provider's address; `elsewhere`: its list is at another path of that server."""

    LIST = 'list'
    KEY_REFUSED = 'key_refused'
    WEB_PAGE = 'web_page'
    NO_LIST = 'no_list'
    ELSEWHERE = 'elsewhere'
    NOTHING = 'nothing'


class KeyState(StrEnum):
    """What is known of a provider's key."""

    UNKNOWN = 'unknown'
    NOT_NEEDED = 'not_needed'
    NOT_PROVED = 'not_proved'
    ACCEPTED = 'accepted'
    MISSING = 'missing'
    REFUSED = 'refused'


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """What a provider's list of models shows."""

    state: ProviderState
    reason: str = ''  # what was seen when it was not a list, in short technical English
    models: tuple[str, ...] = ()  # names to suggest, those that draw first
    drawing: int = 0  # how many of them can draw, by their names
    # by model, where the list tells what each one takes
    parameters: Mapping[str, ModelParameters] = field(default_factory=dict)
    bars_split: bool = False  # whether what follows a `|` in a prompt is read as what to leave out
    key: KeyState = KeyState.UNKNOWN  # known after a connection test only
    lacks_default: bool = False  # whether it lists models, and not the one that is set for it
    better_url: str = ''  # where the list of models is instead, on the same server; or empty
    failure: Failure | None = None  # what speaks against a picture; a missing list alone does not

    @property
    def answered(self) -> bool:
        """Whether anything speaks HTTP there."""
        return self.state is not ProviderState.NOTHING

    @property
    def may_draw(self) -> bool:
        """Whether it answered, and neither as a web page nor by refusing the key."""
        return self.answered and self.state not in (
            ProviderState.KEY_REFUSED,
            ProviderState.WEB_PAGE,
        )

    @property
    def refused(self) -> bool:
        """Whether nothing at all listens there."""
        return not self.answered and self.reason in CONNECTION_REFUSED

    @property
    def lists(self) -> bool:
        return self.state in (ProviderState.LIST, ProviderState.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Run:
    """What a provider calls during one attempt at a generation."""

    incoming: Callable[[], TempFile]  # opens a file for a picture that is about to arrive
    tried: Callable[[Call], None] = lambda _: None  # notes each call, as soon as it is over
    # takes a partial picture of a position, and its file with it
    previewed: Callable[[int, Received], None] = lambda _, preview: remove(preview.path)
    progressed: Callable[[float], None] = lambda _: None  # notes how far the drawing is, 0 to 1
    edit: EditInput | None = None  # what it starts from; None: from words alone


class Provider(Protocol):
    """One image API that can be asked."""

    @property
    def settings(self) -> ProviderSettings: ...

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        """Ask, mending what is refused, and read the pictures as they come, without our secrets.

        Raises `ProviderError` where nothing usable came; no file is left behind.
        """

    async def fetch(self, lost: Sequence[Failure], run: Run) -> GenerationResult:
        """Fetch pictures that were made and could not be fetched; nothing is asked anew."""

    async def default_model(self) -> str:
        """Return the model of its settings; empty where the server lists others only."""

    async def list_models(self) -> ProviderStatus:
        """Ask what it offers; never raises for what the server does."""
