"""Numbers in addresses."""

from __future__ import annotations

from starlette.requests import Request

from app.errors import N_, InvalidRequest, NotFound

MOST_DIGITS = 18


def number_in(request: Request, name: str) -> int | None:
    """Read a positive number from the query, None where it is absent.

    Raises:
        InvalidRequest: It is no positive number.
    """
    text = request.query_params.get(name, '')
    if not text:
        return None
    if not _is_number(text):
        raise InvalidRequest(N_('“{name}” is a positive number.'), name=name)
    return int(text)


def id_of(text: str) -> int:
    """Read an id from an address, with or without `.json` behind it.

    Raises:
        NotFound: It can't be an id.
    """
    text = text.removesuffix('.json')
    if not _is_number(text):
        raise NotFound(N_('There is no such page.'))
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
