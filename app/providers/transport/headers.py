"""The headers that go with every call to a provider, its key among them."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from app.providers.core.base import Dialect, ProviderSettings


def own_headers(settings: ProviderSettings, url: str = '') -> dict[str, str]:
    """Return the key as this server takes it at `url`, and the headers that were set for it."""
    return _key(settings, url or settings.base_url) | dict(settings.headers)


def _key(settings: ProviderSettings, url: str) -> dict[str, str]:
    key, path = settings.key, urlsplit(url).path
    if not key:
        return {}
    if ':' in key and (settings.dialect is Dialect.SDAPI or '/sdapi/' in f'{path}/'):
        return {'Authorization': f'Basic {base64.b64encode(key.encode()).decode()}'}
    if '/openai/deployments/' in path:
        return {'api-key': key}
    return {'Authorization': f'Bearer {key}'}
