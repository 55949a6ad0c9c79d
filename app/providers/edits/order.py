"""Which ways to edit a server may have, likeliest first: by what it is shown to be, by GET alone.

Pictures go to `…/images/generations` only where the server is known to take them there: others
ignore them, draw something else and charge for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from app.net.urls import candidates
from app.providers.core.base import Dialect
from app.providers.core.capabilities import Capabilities, Use
from app.providers.dialects.parameters import LIST, names_in
from app.providers.dialects.sdapi import SDAPI_ROOT, sdapi_root
from app.providers.discovery.fingerprints import describes_localai, is_shaped
from app.providers.discovery.model_list import are_bare, draws_in_chats, models_in, rows_in
from app.providers.discovery.probe import ProbeResponse
from app.providers.edits import ways
from app.providers.edits.ways import Way
from app.providers.response.json_text import Json
from app.providers.transport.client import Client, endpoint

CHOSEN = {Dialect.CHAT: ways.CHAT, Dialect.OPENROUTER: ways.REFERENCES, Dialect.SDAPI: ways.IMG2IMG}
CLOUDS = {  # by the end of their hosts
    'api.openai.com': (ways.FORM, ways.JSON),
    'x.ai': (ways.XAI,),
    'openrouter.ai': (),
    'together.xyz': (ways.TOGETHER,),
    'together.ai': (ways.TOGETHER,),
    'volces.com': (ways.SEEDREAM,),
    'bytepluses.com': (ways.SEEDREAM,),
    'siliconflow.cn': (ways.SILICONFLOW,),
    'siliconflow.com': (ways.SILICONFLOW,),
    'fal.run': (ways.FAL,),
    'googleapis.com': (ways.GEMINI,),
}
ANYWHERE = (ways.FORM, ways.JSON, ways.XAI)  # what a server may have that nothing is known of
OWNERS = {'vllm': ways.VLLM, 'xai': ways.XAI, 'koboldcpp': ways.IMG2IMG}
GROK = 'grok'  # what the names of xAI's models begin with
_IS_OPEN_WEBUI = is_shaped({'name': str, 'version': str})


@dataclass(frozen=True, slots=True)
class EditEndpoint:
    """A way to edit, and the root of the API that may have it."""

    way: Way
    base_url: str


class EditOrder:
    """Where and how one provider may edit with a model."""

    def __init__(self, client: Client, model: str, images: Capabilities, use: Use) -> None:
        self._client = client
        self._model = model
        self._images = images  # what is known of it for words alone
        self._use = use
        self._dialect = client.settings.dialect

    async def endpoints(self) -> AsyncIterator[EditEndpoint]:
        base_url = self._images.base_url or self._client.settings.base_url
        known = self._known(base_url)
        for way in known:
            yield EditEndpoint(way, _root_of(way, base_url))
        if known:
            return
        listed = await self._client.find(endpoint(base_url, 'models'))
        async for at in self._at(base_url, listed):
            yield at
        if models_in(listed) or self._dialect is not Dialect.AUTO:
            return
        for root in candidates(base_url)[1:]:
            listed = await self._client.find(endpoint(root, 'models'))
            if models_in(listed):
                async for at in self._at(root, listed):
                    yield at
                return
        for root in candidates(base_url)[1:2]:
            yield EditEndpoint(ways.FORM, root)

    def _known(self, base_url: str) -> tuple[Way, ...]:
        """Return the ways that the settings or the address name."""
        parts = urlsplit(base_url)
        host = f'.{parts.hostname or ""}'
        if self._dialect in CHOSEN:
            return (CHOSEN[self._dialect],)
        if parts.path.rstrip('/').endswith(SDAPI_ROOT):
            return (ways.IMG2IMG,)
        if '/openai/deployments/' in parts.path:
            return (ways.FORM,)
        clouds = (found for domain, found in CLOUDS.items() if host.endswith(f'.{domain}'))
        return next(clouds, ())

    async def _at(self, root: str, listed: Json) -> AsyncIterator[EditEndpoint]:
        """Yield the ways at one root, whose list of models this is."""
        shown = await self._shown(root, listed)
        if shown:
            yield EditEndpoint(shown, _root_of(shown, root))
        second: tuple[str, ...] = ()
        if self._dialect is Dialect.AUTO:
            second = names_in(await self._client.find(endpoint(root, LIST)))
        draws = draws_in_chats(listed, self._model) or self._images.dialect is Dialect.CHAT
        in_second = bool(second) and (self._model in second or not draws)
        if in_second and self._use is Use.EDITS:
            yield EditEndpoint(ways.REFERENCES, root)
        is_xai = self._model.startswith(GROK)
        for way in sorted(ANYWHERE, key=lambda way: is_xai and way is ways.JSON):
            yield EditEndpoint(way, root)
        if self._dialect is not Dialect.AUTO:
            return
        later = [EditEndpoint(ways.REFERENCES, root)] if in_second else []
        later += [EditEndpoint(ways.CHAT, root)] if draws else []
        later += await self._with_checkpoints(root)
        is_masked = self._use is Use.MASKED_EDITS
        for at in sorted(later, key=lambda at: is_masked and not at.way.takes_mask):
            yield at

    async def _shown(self, root: str, listed: Json) -> Way | None:
        """Return the way of a server that its list of models, or one more GET, gives away."""
        rows = [row for row in rows_in(listed) or [] if isinstance(row, dict)]
        own = [row for row in rows if row.get('id') == self._model] or rows
        owner = next((name for row in own if (name := str(row.get('owned_by'))) in OWNERS), '')
        if owner:
            return OWNERS[owner]
        if any(row.get('id') == 'sd-cpp-local' for row in rows):
            return ways.SD_CPP
        if any('model_ability' in row for row in rows):
            return ways.XINFERENCE
        if any('supportedGenerationMethods' in row for row in rows):
            return ways.GEMINI
        if are_bare(listed) and describes_localai(
            await self._at_origin('.well-known/localai.json')
        ):
            is_masked = self._use is Use.MASKED_EDITS
            return ways.LOCALAI_INPAINTING if is_masked else ways.LOCALAI
        if urlsplit(root).path.endswith('/api/v1') and _IS_OPEN_WEBUI(
            await self._at_origin('api/config')
        ):
            return ways.OPEN_WEBUI
        return None

    async def _at_origin(self, path: str) -> ProbeResponse:
        origin = self._client.origin
        found = await self._client.find(f'{origin.scheme}://{origin}/{path}')
        return ProbeResponse(200, json=found)

    async def _with_checkpoints(self, root: str) -> list[EditEndpoint]:
        base_url = sdapi_root(root)
        tree = await self._client.find(endpoint(base_url, 'sd-models'))
        has_some = isinstance(tree, list) and any(
            isinstance(one, dict) and 'model_name' in one for one in tree
        )
        return [EditEndpoint(ways.IMG2IMG, base_url)] if has_some else []


def _root_of(way: Way, base_url: str) -> str:
    """Return the root of the API that has a way, on the server that has the root `base_url`."""
    if way is ways.IMG2IMG:
        return sdapi_root(base_url)
    if way is not ways.GEMINI:
        return base_url
    parts = urlsplit(base_url)  # beside its own API it speaks as OpenAI's
    return urlunsplit(parts._replace(path=parts.path.rstrip('/').removesuffix('/openai')))
