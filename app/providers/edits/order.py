"""Which ways to edit a server may have, likeliest first: by what it is shown to be, by GET alone.

Pictures go to `…/images/generations` only where the server is known to take them there: others
ignore them, draw something else and charge for it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.net.urls import API_ROOT, Blocked, candidates
from app.providers.core.base import Dialect
from app.providers.core.capabilities import Capabilities, Use
from app.providers.dialects.parameters import LIST, names_in
from app.providers.dialects.sdapi import SDAPI_ROOT, has_checkpoints, sdapi_root
from app.providers.discovery.fingerprints import describes_localai, is_shaped
from app.providers.discovery.model_list import draws_in_chats, models_in, rows_in, takes_words_alone
from app.providers.discovery.probe import ProbeResponse
from app.providers.edits import ways
from app.providers.edits.ways import Way
from app.providers.response.json_text import Json
from app.providers.transport.client import Client, endpoint

CHOSEN = {Dialect.CHAT: ways.CHAT, Dialect.OPENROUTER: ways.REFERENCES, Dialect.SDAPI: ways.IMG2IMG}
GOOGLE = 'generativelanguage.googleapis.com'
GEMINI_ROOT = '/v1beta'
CLOUDS = {  # by the end of their hosts
    'openai.com': (ways.OPENAI, ways.OPENAI_JSON),
    'x.ai': (ways.XAI,),
    'openrouter.ai': (),
    'together.xyz': (ways.TOGETHER,),
    'together.ai': (ways.TOGETHER,),
    'volces.com': (ways.SEEDREAM,),
    'bytepluses.com': (ways.SEEDREAM,),
    'siliconflow.cn': (ways.SILICONFLOW,),
    'siliconflow.com': (ways.SILICONFLOW,),
    'fal.run': (ways.FAL,),
    GOOGLE: (ways.GEMINI,),
    'bfl.ai': (ways.BFL,),
    'bfl.ml': (ways.BFL,),
}
PATHS = {  # what an API's root ends in, where that says whose it is
    SDAPI_ROOT: ways.IMG2IMG,
    GEMINI_ROOT: ways.GEMINI,
    f'{GEMINI_ROOT}/openai': ways.GEMINI,
}
ARK_ROOT, SEEDREAM = '/api/v3', 'seedream'
NAMES = {  # of models that start from pictures in one way, whoever has them
    re.compile('^fal-ai/'): ways.FAL,
    re.compile('^flux-(kontext|pro|dev|[2-9])'): ways.BFL,
    re.compile('seedream-?[4-9]'): ways.SEEDREAM,
}
# In the place of a way, where a part of the model's name says which fields it has.
FITTING: dict[Way, tuple[str, Way]] = {
    ways.FORM: ('gpt-image', ways.OPENAI),
    ways.JSON: ('gpt-image', ways.OPENAI_JSON),
    ways.BFL: ('fill', ways.BFL_FILL),
}
OPEN_ROOT = '/api/v1'  # of Open WebUI, and of OpenRouter and its like
OWNERS = {'vllm': ways.VLLM, 'xai': ways.XAI, 'koboldcpp': ways.IMG2IMG}
KEYS: dict[tuple[str, ...], Way] = {  # that the rows of a list of models have
    ('model_ability',): ways.XINFERENCE,
    ('supportedGenerationMethods',): ways.GEMINI,
    ('organization', 'display_name'): ways.TOGETHER,
}
_OF_OPENAI = re.compile(r'gpt|dall')  # any other server that refuses forms is likelier xAI
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
        self._is_open = self._dialect is Dialect.AUTO  # no API type was chosen

    async def endpoints(self) -> AsyncIterator[EditEndpoint]:
        """Yield what to try, some of it twice."""
        base_url = self._images.base_url or self._client.settings.base_url
        known = self._known(base_url)
        for way in known:
            yield self._at(way, base_url)
        if known:
            return
        root, listed = await self._listed(base_url)
        shown = await self._shown(root, listed)
        if shown and (self._is_open or not shown.dialect):
            yield self._at(shown, root)
        named: list[Way] = [way for name, way in NAMES.items() if name.search(self._model)]
        for way in () if listed else named:
            if way.path.startswith('{model}'):  # no other server has such a path
                yield self._at(way, root)
        async for way in self._likely(root, listed, named):
            yield self._at(way, root)
        if not self._is_open:
            return
        if urlsplit(root).path.endswith(OPEN_ROOT):
            yield self._at(ways.OPEN_WEBUI, root)
        for other in (base_url,) if listed else candidates(root)[1:2]:
            yield self._at(ways.FORM, other)

    def _at(self, way: Way, root: str) -> EditEndpoint:
        part, fitting = FITTING.get(way, ('', way))
        way = fitting if part in self._model else way
        return EditEndpoint(way, _root_of(way, root))

    def _known(self, base_url: str) -> tuple[Way, ...]:
        """Return the ways that the settings or the address name."""
        parts = urlsplit(base_url)
        host = f'.{parts.hostname or ""}'
        if self._dialect in CHOSEN:
            return (CHOSEN[self._dialect],)
        path = parts.path.rstrip('/')
        for ending, way in PATHS.items():
            if path.endswith(ending):
                return (way,)
        if path.endswith(ARK_ROOT) and SEEDREAM in self._model:
            return (ways.SEEDREAM,)
        if '/openai/deployments/' in parts.path:
            return (ways.OPENAI,)
        clouds = (found for domain, found in CLOUDS.items() if host.endswith(f'.{domain}'))
        return next(clouds, ())

    async def _listed(self, base_url: str) -> tuple[str, Json]:
        """Return the root that has a list of models, and that list; none where none has one."""
        for root in candidates(base_url):
            try:
                _, listed = await self._client.get(endpoint(root, 'models'))
            except (httpx.HTTPError, TimeoutError, ValueError, Blocked):
                break
            if models_in(listed):
                return root, listed
            if not self._is_open:
                break
        return base_url, None

    async def _likely(self, root: str, listed: Json, named: list[Way]) -> AsyncIterator[Way]:
        """Yield what any images API may have, and what its models' names and GETs show."""
        in_second, draws = False, False
        second = await self._client.find(endpoint(root, LIST)) if self._is_open else None
        sees = not any(takes_words_alone(one, self._model) for one in (listed, second))
        is_open = self._is_open and sees
        if is_open:
            names = names_in(second)
            draws = draws_in_chats(listed, self._model) or self._images.dialect is Dialect.CHAT
            in_second = bool(names) and (self._model in names or not draws)
        is_masked = self._use is Use.MASKED_EDITS
        if in_second and not is_masked:
            yield ways.REFERENCES
        is_openai = any(map(_OF_OPENAI.search, (self._model, *models_in(listed))))
        in_json = (ways.JSON, ways.XAI) if is_openai else (ways.XAI, ways.JSON)
        yield ways.FORM
        for way in in_json:
            yield way
        is_sdapi = self._is_open and await has_checkpoints(self._client, root)
        shown = {ways.REFERENCES: in_second, ways.CHAT: draws, ways.IMG2IMG: is_sdapi}
        later = [*(named if sees else []), *(way for way, is_shown in shown.items() if is_shown)]
        for one in sorted(later, key=lambda way: is_masked and not way.takes_mask):
            yield one
        if is_open:
            yield ways.REFERENCES

    async def _shown(self, root: str, listed: Json) -> Way | None:
        """Return the way of a server that its list of models, or one more GET, gives away."""
        rows = [row for row in rows_in(listed) or [] if isinstance(row, dict)]
        own = [row for row in rows if row.get('id') == self._model] or rows
        owner = next((name for row in own if (name := str(row.get('owned_by'))) in OWNERS), '')
        if owner:
            return OWNERS[owner]
        if any(row.get('id') == 'sd-cpp-local' for row in rows):
            return ways.SD_CPP
        for keys, way in KEYS.items():
            if any(row.keys() >= {*keys} for row in own):
                return way
        if isinstance(listed, list) and any(row.get('type') == 'image' for row in own):
            return ways.TOGETHER
        if describes_localai(await self._at_origin('.well-known/localai.json')):
            is_masked = self._use is Use.MASKED_EDITS
            return ways.LOCALAI_INPAINTING if is_masked else ways.LOCALAI
        if urlsplit(root).path.endswith(OPEN_ROOT) and _IS_OPEN_WEBUI(
            await self._at_origin('api/config')
        ):
            return ways.OPEN_WEBUI
        return None

    async def _at_origin(self, path: str) -> ProbeResponse:
        origin = self._client.origin
        found = await self._client.find(f'{origin.scheme}://{origin}/{path}')
        return ProbeResponse(200, json=found)


def _root_of(way: Way, base_url: str) -> str:
    """Return the root of the API that has a way, on the server that has the root `base_url`."""
    if way is ways.IMG2IMG:
        return sdapi_root(base_url)
    parts = urlsplit(base_url)
    path = parts.path.rstrip('/')
    if way is ways.FAL:  # its models are at the top
        path = path.removesuffix(API_ROOT)
    if way is ways.GEMINI:  # beside its own API it speaks as OpenAI's
        path = path.removesuffix('/openai')
        is_google = (parts.hostname or '').endswith(GOOGLE)
        path = GEMINI_ROOT if is_google and path == API_ROOT else path
    return urlunsplit(parts._replace(path=path))
