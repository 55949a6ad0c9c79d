"""What the composer suggests: models of every server, and what the visitor asked for before."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.models import Generation
from app.models.request import LONGEST_TEXT
from app.web.context import Services, TheServices
from app.web.security.permissions import visitor_of
from app.web.templates import wants_json
from app.web.views.limits import limits_of
from app.web.views.serializers import public_server_name

LOOKED_BACK = 200  # generations
MOST_MODELS = 100  # in one answer, shared by the servers
MOST_RECENT = 5
MOST_PROMPTS = 50


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """The models of a server that fit a search, as many as are shown, and how many fit."""

    server: str  # empty: of any, those that the visitor used last
    models: tuple[str, ...]
    count: int


async def models(request: Request, services: TheServices) -> Response:
    """Search the models by parts of their names in any order: recent ones first, then by server."""
    words = request.query_params.get('q', '')[:LONGEST_TEXT].casefold().split()
    recent, groups = await _recent_models(request, services, words), _by_server(services, words)
    total = sum(group.count for group in groups)
    if wants_json(request):
        listed = [
            {'name': name, 'server': public_server_name(group.server, visitor_of(request))}
            for group in groups
            for name in group.models
        ]
        return JSONResponse({'recent': recent, 'models': listed, 'total': total})
    return services.renderer.page(
        request,
        'generation/models.html',
        groups=[*([ModelGroup('', recent, 0)] if recent else []), *groups],
        total=total,
        hidden=total - sum(len(group.models) for group in groups),
    )


async def limits(request: Request, services: TheServices) -> Response:
    """Return what a model takes in each field; nothing where no server's list tells it."""
    model = request.query_params.get('model', '')[:LONGEST_TEXT].strip()
    provider = request.query_params.get('provider', '')
    return JSONResponse(limits_of(services.providers, provider, model).as_json())


async def prompts_page(request: Request, services: TheServices) -> Response:
    """List the visitor's own prompts, each once, newest first."""
    newest: dict[str, int] = {}
    for one in await _own_generations(request, services):
        newest.setdefault(one.request.prompt, one.id)
    prompts = tuple(islice(newest.items(), MOST_PROMPTS))
    if wants_json(request):
        return JSONResponse({'prompts': [prompt for prompt, _ in prompts]})
    return services.renderer.page(request, 'pages/prompts.html', prompts=prompts)


async def _own_generations(request: Request, services: Services) -> tuple[Generation, ...]:
    return await services.library.generations.own(visitor_of(request).guest_id, LOOKED_BACK)


async def _recent_models(request: Request, services: Services, words: list[str]) -> tuple[str, ...]:
    own = await _own_generations(request, services)
    names = dict.fromkeys(one.request.model or '' for one in own)
    return tuple(islice((name for name in names if name and _fits(name, words)), MOST_RECENT))


def _by_server(services: Services, words: list[str]) -> list[ModelGroup]:
    listed = services.providers.listed_models()
    found = {
        server: tuple(name for name in names if _fits(name, words))
        for server, names in listed.items()
    }
    share = MOST_MODELS // max(1, sum(bool(names) for names in found.values()))
    return [
        ModelGroup(server, names[:share], len(names)) for server, names in found.items() if names
    ]


def _fits(name: str, words: list[str]) -> bool:
    return all(word in name.casefold() for word in words)
