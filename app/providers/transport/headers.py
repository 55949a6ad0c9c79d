"""What goes with every call to a provider, and what of it is secret."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from app.providers.core.base import Dialect, ProviderSettings

SHORTEST_SECRET = 6


def own_headers(settings: ProviderSettings, url: str = '') -> dict[str, str]:
    """Give the key in the way that this server takes it, and the headers that were set for it."""
    return _key(settings, url or settings.base_url) | dict(settings.headers)


def secrets_of(settings: ProviderSettings) -> tuple[str, ...]:
    """List what must not be shown, wherever an answer repeats it."""
    known = (settings.key or '', *(value for _, value in settings.headers))
    return tuple(secret for secret in known if len(secret) >= SHORTEST_SECRET)


def _key(settings: ProviderSettings, url: str) -> dict[str, str]:
    key, path = settings.key, urlsplit(url).path
    if not key:
        return {}
    if ':' in key and (settings.dialect is Dialect.SDAPI or '/sdapi/' in f'{path}/'):
        return {'Authorization': f'Basic {base64.b64encode(key.encode()).decode()}'}
    if '/openai/deployments/' in path:
        return {'api-key': key}
    return {'Authorization': f'Bearer {key}'}
