"""The page with the form that makes pictures, however the form came to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from app.access.visitors import Visitor
from app.errors import N_, AppError
from app.models import Image
from app.models.request import MOST_COUNT, MOST_SOURCES
from app.net.urls import names_a_host
from app.web.context import Services
from app.web.error_pages import fields_in_words, in_words
from app.web.forms import new_submission
from app.web.security.permissions import choosable_albums, visitor_of
from app.web.views.limits import limits_of
from app.web.views.providers import offers_of
from app.web.views.tiles import tile_values

RECENT = 18
MOST_SUGGESTED = 200
OF_A_LONG_LIST = 20  # of a server that lists more than that; scripts search `/models` for the rest
USUAL_QUALITIES = ('low', 'medium', 'high', 'standard', 'hd')
MORE = ('negative_prompt', 'steps', 'guidance', 'sampler', 'quality', 'response_format', 'strength')
SHAPES = (
    ('1024x1024', N_('Square'), '1 : 1'),
    ('1536x1024', N_('Landscape'), '3 : 2'),
    ('1024x1536', N_('Portrait'), '2 : 3'),
    ('1344x768', N_('Wide'), '16 : 9'),
    ('768x1344', N_('Tall'), '9 : 16'),
    ('512x512', N_('Small square'), '1 : 1'),
)
EXAMPLES = (
    N_('A lighthouse at dusk, long exposure, calm sea'),
    N_('Snow-covered ridge under two moons, risograph print'),
    N_('Quiet harbour at dawn, watercolour'),
)
CHOICES = {
    'shapes': SHAPES,
    'examples': EXAMPLES,
    'most_count': MOST_COUNT,
    'most_sources': MOST_SOURCES,
    'usual_qualities': USUAL_QUALITIES,
}


async def form_page(
    request: Request,
    services: Services,
    fields: dict[str, str],
    *,
    given: bool,
    chosen: tuple[str, ...] = (),
    images: Sequence[Image] = (),
    error: AppError | None = None,
    message: str = '',
) -> Response:
    """Show a form with these fields and pictures; `given`: not with what was typed before."""
    language, library, visitor = services.language(request), services.library, visitor_of(request)
    recent = await library.generations.recent(RECENT, visitor.guest_id)
    wrong, set_in_more = fields_in_words(error, language), sum(map(bool, map(fields.get, MORE)))
    return services.renderer.page(
        request,
        'pages/create.html',
        status=error.status if error else 200,
        fields=fields,
        sources=images,
        given=given,
        set_in_more=set_in_more,
        opens_more=(given and set_in_more) or not wrong.keys().isdisjoint(MORE),
        wrong=wrong,
        wrong_form=in_words(error, language) if error and not wrong else '',
        message=message,
        submission=new_submission(),
        **await tile_values(services, recent) | ({'refresh_s': None} if error else {}),
        backlog=await library.backlog.counts(visitor.guest_id),
        chosen=chosen,
        albums=choosable_albums(visitor, services),
        other_size=_other_size(fields),
        ignoring_masks=ignoring_masks(services, chosen, fields.get('model', '')),
        limits=limits_of(services.providers, next(iter(chosen), ''), fields.get('model', '')),
        **CHOICES,
        **_server_values(services, visitor),
    )


def ignoring_masks(services: Services, chosen: Iterable[str], model: str) -> list[str]:
    """Return which of the chosen servers, else of the one that will draw, seem to ignore masks."""
    providers = services.providers
    names = list(chosen) or [one.name for one in providers.eligible('', model or None)[:1]]
    return [name for name in names if providers.ignores_masks(name, model or None)]


def _other_size(fields: Mapping[str, str]) -> str | None:
    """Return the size that is to be written by hand; None where one is chosen."""
    size, written = fields.get('size', ''), fields.get('size_other', '')
    other = written or ('' if size in ('', 'auto', 'other') else size)
    if other in {shape for shape, _, _ in SHAPES}:
        other = ''
    return other if other or size == 'other' else None


def _server_values(services: Services, visitor: Visitor) -> dict[str, object]:
    """Return what the form says of the servers that may draw; a guest chooses by names alone."""
    providers, enabled = services.providers, services.providers.enabled()
    is_demo = providers.demo_stands_in
    drawing = (providers.demo,) if is_demo else enabled
    names = [one.name for one in enabled if visitor.owner or not names_a_host(one.name)]
    listed = providers.listed_models().values()
    models = dict.fromkeys(name for of_one in listed for name in _suggested(of_one))
    return {
        'offers': [one for one in offers_of(services) if one.can_be_added] if is_demo else [],
        'local_servers': services.local_servers,
        'splitting': [one.name for one in enabled if one.status.bars_split],
        'providers': names if len(enabled) > 1 else [],
        'models': list(islice(models, MOST_SUGGESTED)),
        'tells_limits': any(one.status.parameters for one in enabled),
        'default_model': drawing[0].default_model if drawing else '',
    }


def _suggested(models: tuple[str, ...]) -> tuple[str, ...]:
    return models if len(models) <= MOST_SUGGESTED else models[:OF_A_LONG_LIST]
