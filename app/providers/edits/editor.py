"""Asks one provider for edits: by the way that was learned, else by each that it may have.

On to the next one only after a refusal that did no work: nothing is ever paid for twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.log import logger
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.providers.core.base import WIRE_NAMES, Dialect, Run
from app.providers.core.capabilities import Capabilities, CapabilityStore, Use
from app.providers.dialects.asker import Asker, may_be_elsewhere, names_the_chat
from app.providers.dialects.base import ApiDialect
from app.providers.edits import ways
from app.providers.edits.dialect import EditsApi, is_of_the_name
from app.providers.edits.order import EditEndpoint, EditOrder
from app.providers.edits.ways import WAYS, BodyWay
from app.providers.transport.caller import Caller
from app.providers.transport.collect import ImageCollector
from app.storage.edit_input import EditInput

log = logger(__name__)

WRONG_FORM = (400, 415, 422)  # statuses with which a body of another kind is refused
_OF_THE_FORM = re.compile(
    r'(?i)multipart|form.?data|(content|media).?type|\bjson\b|valid dictionary|'
    r'invalid character|pars\w+ (the )?(request|body)|'
    r'\b(images?|url)\b.{0,30}(required|missing)|(required|missing)\b.{0,30}\b(images?|url)\b|'
    r'\bimage_url\b'
)
_SAYS_NOTHING = re.compile(r'(?i)\W*(bad request\W*)?')


class Editor:
    """Asks one server for edits."""

    def __init__(
        self,
        caller: Caller,
        collector: ImageCollector,
        memory: CapabilityStore,
        dialects: Mapping[Dialect, ApiDialect],
    ) -> None:
        self._caller = caller
        self._memory = memory
        self._asker = Asker(caller, memory)
        self._dialects: dict[str, ApiDialect] = {
            name: EditsApi(caller, collector, way)
            if isinstance(way, BodyWay)
            else dialects[way.dialect or Dialect.OPENAI]
            for name, way in WAYS.items()
        }

    async def edit(self, request: GenerationRequest, run: Run, edit: EditInput) -> GenerationResult:
        """Raise `endpoint_not_found` where no way is left, and nothing was charged."""
        settings = self._caller.settings
        base_url, model = settings.base_url, request.model or settings.model
        use = Use.MASKED_EDITS if edit.mask else Use.EDITS
        refused: ProviderError | None = None
        over: set[tuple[str, str]] = set()  # roots, each with a way or path that is none there
        known = self._memory.of(base_url, model, use)
        if known.way in WAYS:
            at = EditEndpoint(WAYS[known.way], known.base_url or base_url)
            try:
                return await self._at(at, request, run, edit, use)
            except ProviderError as error:
                if not leads_on(error.failure):
                    raise
                await self._memory.forget_use(base_url, model, use)
                refused = error
        order = EditOrder(self._caller, model, self._memory.of(base_url, model), use)
        async for at in order.endpoints():
            if {(at.base_url, at.way.name), (at.base_url, at.way.path)} & over:
                continue
            over.add((at.base_url, at.way.name))
            try:
                return await self._at(at, request, run, edit, use)
            except ProviderError as error:
                is_too_much = error.failure.reason == Reason.TOO_MANY_SOURCES
                if not leads_on(error.failure) and not (refused and is_too_much):
                    raise
                refused = error if is_too_much else refused or error
                if may_be_elsewhere(error.failure):
                    over.add((at.base_url, at.way.path))
                if names_the_chat(error.failure):
                    return await self._at(
                        EditEndpoint(ways.CHAT, at.base_url), request, run, edit, use
                    )
        raise self._cannot_edit(refused)

    async def _at(
        self, at: EditEndpoint, request: GenerationRequest, run: Run, edit: EditInput, use: Use
    ) -> GenerationResult:
        """Ask by one way, and remember it once pictures came."""
        if len(edit.sources) > at.way.most:
            where, most = str(self._caller.origin), str(at.way.most)
            kind, reason = ErrorKind.INVALID_REQUEST, Reason.TOO_MANY_SOURCES
            raise ProviderError(Failure(kind=kind, where=where, reason=reason, value=most))
        log.info('%s is asked to edit by %s', self._caller.settings.name, at.way.name)
        dialect = self._dialects[at.way.name]
        result = await self._asker.ask(dialect, request, run, at.base_url, use)
        settings = self._caller.settings
        elsewhere = at.base_url if at.base_url != settings.base_url else ''
        learned = Capabilities(way=at.way.name, base_url=elsewhere)
        await self._memory.learn(settings.base_url, request.model or settings.model, learned, use)
        return result

    def _cannot_edit(self, refused: ProviderError | None) -> ProviderError:
        """Return what to raise where no way is left, by what the likeliest one was refused with."""
        kind, reason = ErrorKind.ENDPOINT_NOT_FOUND, Reason.CANNOT_EDIT
        if not refused:
            return self._caller.failed(kind, reason)
        failure = refused.failure
        if not may_be_elsewhere(failure) and not _is_of_the_form(failure):
            return refused
        failure = replace(failure, kind=kind, reason=reason, param=None, value='', offers=())
        return ProviderError(failure)


def leads_on(failure: Failure) -> bool:
    """Return whether a failure shows that a server has not this way, and that it did nothing."""
    is_of_pictures = (
        failure.kind is ErrorKind.UNSUPPORTED_PARAM
        and WIRE_NAMES.get(failure.param or '') == 'sources'
        and is_of_the_name(failure)
    )
    is_400 = failure.kind is ErrorKind.INVALID_REQUEST and failure.http_status == 400
    says_nothing = is_400 and _SAYS_NOTHING.fullmatch(failure.words)
    is_of_the_form = _is_of_the_form(failure) or bool(says_nothing)
    return may_be_elsewhere(failure) or is_of_pictures or is_of_the_form


def _is_of_the_form(failure: Failure) -> bool:
    is_refused = failure.kind in (ErrorKind.INVALID_REQUEST, ErrorKind.UNSUPPORTED_PARAM)
    is_said = failure.http_status in WRONG_FORM and _OF_THE_FORM.search(failure.words)
    return is_refused and (failure.http_status == 415 or bool(is_said))
