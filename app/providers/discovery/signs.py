"""What an answer shows of the server that gave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.providers.discovery.model_list import drawing_in
from app.providers.discovery.probe import Reply
from app.providers.response.images import Json


@dataclass(frozen=True, slots=True)
class Sign:
    """What a server must answer to one GET."""

    path: str
    holds: Callable[[Reply], bool]


def _rows(reply: Reply) -> list[dict[str, Json]]:
    """Give the rows of OpenAI's list of models; none where it is not one."""
    data = reply.said('data')
    rows = data if isinstance(data, list) else []
    named = [row for row in rows if isinstance(row, dict) and isinstance(row.get('id'), str)]
    return named if len(named) == len(rows) else []


def is_list(reply: Reply) -> bool:
    """Whether it is OpenAI's list of models, which may be empty."""
    empty = reply.said('object') == 'list' and reply.said('data') == []
    return bool(_rows(reply)) or empty


def is_owned_by(owner: str) -> Callable[[Reply], bool]:
    """Whether OpenAI's list names this owner of a model."""
    return lambda reply: any(row.get('owned_by') == owner for row in _rows(reply))


def says(*names: str, value: Json) -> Callable[[Reply], bool]:
    """Whether exactly this value stands under these names."""
    return lambda reply: reply.said(*names) == value


def has_text(*names: str) -> Callable[[Reply], bool]:
    """Whether there is text under each of these names."""
    return lambda reply: all(isinstance(reply.said(name), str) for name in names)


def lists_providers(reply: Reply) -> bool:
    """Whether it is the list of providers that g4f alone gives."""
    rows = reply.said()
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, dict) and row.get('object') == 'provider' for row in rows)
    )


def locks_as_g4f(reply: Reply) -> bool:
    """Whether a key is asked for in g4f's words."""
    return reply.status == 401 and reply.tree == {'error': {'message': 'Not authenticated'}}


def is_locked_or_chats(reply: Reply) -> bool:
    """Whether a key is asked for, or no model of the list draws."""
    return reply.status == 401 or (is_list(reply) and not drawing_in(reply.tree))


def describes_localai(reply: Reply) -> bool:
    """Whether it is LocalAI's description of itself."""
    return isinstance(reply.said('version'), str) and isinstance(
        reply.said('endpoints'), dict | list
    )


def lists_running(reply: Reply) -> bool:
    """Whether it is llama-swap's list of what runs."""
    return isinstance(reply.said('running'), list)


def is_sd_server(reply: Reply) -> bool:
    """Whether it has the one model that stable-diffusion.cpp's server calls so."""
    return any(row['id'] == 'sd-cpp-local' for row in _rows(reply))


def knows_no_such_path(reply: Reply) -> bool:
    """Whether it refuses with 200 and these words, as LM Studio does."""
    error = reply.said('error')
    return isinstance(error, str) and error.startswith('Unexpected endpoint')


def lists_checkpoints(reply: Reply) -> bool:
    """Whether it is AUTOMATIC1111's list of models, which may be empty."""
    rows = reply.said()
    return isinstance(rows, list) and all(
        isinstance(row, dict) and {'title', 'model_name'} <= row.keys() for row in rows
    )


def is_locked(reply: Reply) -> bool:
    """Whether a key is asked for in the words of text-generation-webui."""
    return reply.status == 401 and reply.tree == {'detail': 'Unauthorized'}


def is_there(reply: Reply) -> bool:
    """Whether it is there."""
    return reply.status == 200


def takes_posts_only(reply: Reply) -> bool:
    """Whether a GET is refused where a POST is served."""
    return reply.status == 405


def is_text(reply: Reply) -> bool:
    """Whether it is one JSON string."""
    return isinstance(reply.said(), str)


def describes_machine(reply: Reply) -> bool:
    """Whether it is ComfyUI's description of its machine."""
    return isinstance(reply.said('system'), dict) and isinstance(reply.said('devices'), list)


def sends_to_no_get(reply: Reply) -> bool:
    """Whether a GET is sent to the page that SwarmUI has for such."""
    return reply.status == 302 and reply.location.endswith('/Error/NoGetAPI')
