"""How a picture that was brought in from another program names it, in place of a server."""

from __future__ import annotations

from app.errors import N_

IMPORTED = N_('imported')
FROM_PROGRAM = N_('imported from {program}')
_FROM = f'{IMPORTED} from '
UNKNOWN = ('', 'JSON')  # of settings that any program may have written


def imported_from(program: str) -> str:
    """Return what stands in place of the server of a picture that a program made."""
    return IMPORTED if program in UNKNOWN else f'{_FROM}{program}'


def program_of(provider: str) -> str | None:
    """Return the program that a picture was brought in from, '' if unknown; None: a server's."""
    if provider == IMPORTED:
        return ''
    return provider.removeprefix(_FROM) if provider.startswith(_FROM) else None
