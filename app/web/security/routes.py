"""Every address of Easel: the router is built from this table, and the guard decides by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from app.access.visitors import Visitor
from app.models.request import MOST_SOURCE_BYTES, MOST_SOURCES
from app.web.forms import MULTIPART

MOST_BODY_BYTES = 1_000_000
MOST_PASSWORD_BYTES = 16_384
MOST_PICTURE_BYTES = 65 * 1024 * 1024  # a picture, and the form around it
MOST_SOURCES_BYTES = MOST_SOURCES * MOST_SOURCE_BYTES + MOST_BODY_BYTES
MOST_PICTURES_BYTES = 1 << 40  # of the owner's own, which are written to the disk as they come
ANY = '{}'
REST = '{rest}'

_NAMED = re.compile(r'\{(?!rest)\w+\}')


class Role(Enum):
    """Who may open an address, from everybody to the owner alone."""

    ANYBODY = 'open'
    GUEST = 'guest'
    MAKER = 'maker'
    OWNER = 'owner'

    def admits(self, visitor: Visitor) -> bool:
        if self is Role.MAKER:
            return visitor.makes
        is_known = self is Role.GUEST and visitor.guest is not None
        return visitor.owner or is_known or self is Role.ANYBODY


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One address and method."""

    method: str
    path: str  # `{…}` stands for one part, `{rest}` at the end for whatever follows
    handler: str  # the page's module and function, or the name of an ASGI app of its own
    role: Role = Role.OWNER
    most_bytes: int = MOST_BODY_BYTES  # of a body
    most_bytes_with_files: int = 0  # of one that may carry files, where that is more

    @property
    def pattern(self) -> str:
        """The path with `{}` for each part that changes."""
        return _NAMED.sub(ANY, self.path)

    def limit_of(self, content_type: str) -> int:
        """Return how many bytes a body of a type may have."""
        may_carry_files = content_type.lower().lstrip().startswith(MULTIPART)
        return (self.most_bytes_with_files if may_carry_files else 0) or self.most_bytes


STRICTEST = RouteRule('', '', '')
ROUTES = (
    RouteRule('GET', '/', 'create.create_page', Role.GUEST),
    RouteRule('GET', '/limits.json', 'suggestions.limits', Role.MAKER),
    RouteRule('GET', '/models', 'suggestions.models', Role.MAKER),
    RouteRule('GET', '/models.json', 'suggestions.models', Role.MAKER),
    RouteRule('GET', '/prompts', 'suggestions.prompts_page', Role.MAKER),
    RouteRule('GET', '/prompts.json', 'suggestions.prompts_page', Role.MAKER),
    RouteRule('POST', '/reading', 'create.read_picture', Role.MAKER, most_bytes=MOST_PICTURE_BYTES),
    RouteRule('GET', '/mask-editor', 'mask_editor.mask_editor', Role.MAKER),
    RouteRule('GET', '/generations', 'generations.generations_page', Role.MAKER),
    RouteRule('GET', '/generations.json', 'generations.generations_page', Role.MAKER),
    RouteRule(
        *('POST', '/generations', 'create.submit', Role.MAKER),
        most_bytes_with_files=MOST_SOURCES_BYTES,
    ),
    RouteRule('GET', '/sources', 'sources.sources_row', Role.MAKER),
    RouteRule('POST', '/sources', 'sources.add_sources', Role.MAKER, most_bytes=MOST_SOURCES_BYTES),
    RouteRule('GET', '/masks/{name}', 'masks.mask_file', Role.GUEST),
    RouteRule('POST', '/generations/pause', 'generations.pause', Role.MAKER),
    RouteRule('POST', '/generations/resumption', 'generations.resume', Role.MAKER),
    RouteRule('POST', '/generations/cancellation', 'generations.cancel_all', Role.MAKER),
    RouteRule('POST', '/generations/retry', 'generations.retry_all', Role.MAKER),
    RouteRule('POST', '/generations/dismissal', 'generations.dismiss_all', Role.MAKER),
    RouteRule('GET', '/generations/{id}', 'generations.generation_page', Role.MAKER),
    RouteRule('POST', '/generations/{id}/cancellation', 'generations.cancel', Role.MAKER),
    RouteRule('POST', '/generations/{id}/retry', 'generations.retry', Role.MAKER),
    RouteRule('POST', '/generations/{id}/fetching', 'generations.fetch', Role.MAKER),
    RouteRule('POST', '/generations/{id}/dismissal', 'generations.dismiss', Role.MAKER),
    RouteRule('GET', '/generations/{id}/attempts', 'generations.attempts_page'),
    RouteRule('GET', '/generations/{id}/attempts.json', 'generations.attempts_page'),
    RouteRule('GET', '/previews/{name}', 'generations.preview', Role.MAKER),
    RouteRule('GET', '/gallery', 'gallery.browse.gallery_page', Role.GUEST),
    RouteRule('GET', '/gallery.json', 'gallery.browse.gallery_page', Role.GUEST),
    RouteRule('GET', '/gallery/suggestions', 'gallery.searching.suggestions', Role.GUEST),
    RouteRule('GET', '/gallery/suggestions.json', 'gallery.searching.suggestions', Role.GUEST),
    RouteRule('POST', '/gallery/density', 'gallery.browse.choose_density', Role.GUEST),
    RouteRule('GET', '/albums', 'gallery.albums.albums_page', Role.GUEST),
    RouteRule('GET', '/albums.json', 'gallery.albums.albums_page', Role.GUEST),
    RouteRule('POST', '/albums', 'gallery.albums.create'),
    RouteRule('POST', '/albums/{id}', 'gallery.albums.change'),
    RouteRule('POST', '/albums/{id}/deletion', 'gallery.albums.delete'),
    RouteRule('GET', '/gallery.zip', 'gallery.in_out.download_zip', Role.GUEST),
    RouteRule('GET', '/compare', 'gallery.compare.compare_page', Role.GUEST),
    RouteRule('GET', '/compare.json', 'gallery.compare.compare_page', Role.GUEST),
    RouteRule('POST', '/images', 'gallery.in_out.add_pictures', most_bytes=MOST_PICTURES_BYTES),
    RouteRule('GET', '/gallery/total.json', 'gallery.selecting.exact_total', Role.GUEST),
    RouteRule('GET', '/images/{id}', 'gallery.picture.image_page', Role.GUEST),
    RouteRule('POST', '/images/selection', 'gallery.selection.act_on_selection', Role.GUEST),
    RouteRule('GET', '/images/{id}/plain', 'gallery.picture.download_plain', Role.GUEST),
    RouteRule('POST', '/images/recovery', 'keeping.bring_back'),
    RouteRule('POST', '/images/{id}/favourite', 'gallery.picture.favourite', Role.MAKER),
    RouteRule('POST', '/images/{id}/laying-back', 'gallery.picture.lay_back', Role.MAKER),
    RouteRule('POST', '/images/{id}/deletion', 'gallery.picture.delete', Role.MAKER),
    RouteRule('POST', '/images/{id}/restoration', 'gallery.picture.restore', Role.MAKER),
    RouteRule('POST', '/images/{id}/destruction', 'gallery.selection.destroy'),
    RouteRule('POST', '/images/{id}/link', 'sharing.show_to_strangers'),
    RouteRule('GET', '/acts/{id}', 'gallery.selection.follow', Role.MAKER),
    RouteRule('POST', '/acts/{id}/undoing', 'gallery.selection.undo', Role.MAKER),
    RouteRule('POST', '/trash/deletion', 'gallery.selection.empty_trash'),
    RouteRule('POST', '/settings/trash', 'gallery.selection.switch_trash'),
    RouteRule('GET', '/files/{rest}', 'files', Role.GUEST),
    RouteRule('GET', '/thumbs/{rest}', 'thumbs', Role.GUEST),
    RouteRule('GET', '/events', 'events', Role.GUEST),
    RouteRule('GET', '/settings', 'settings.settings_page', Role.GUEST),
    RouteRule('GET', '/settings.json', 'settings.settings_page', Role.GUEST),
    RouteRule('POST', '/settings', 'settings.change_settings', Role.GUEST),
    RouteRule(
        'POST', '/settings/password', 'sign_in.change_password', most_bytes=MOST_PASSWORD_BYTES
    ),
    RouteRule('POST', '/settings/notices/closing', 'keeping.close_notice'),
    RouteRule('GET', '/settings/keeping', 'keeping.keeping_page'),
    RouteRule('GET', '/settings/keeping.json', 'keeping.keeping_page'),
    RouteRule('POST', '/settings/verification', 'keeping.verify'),
    RouteRule('POST', '/settings/verification/cancellation', 'keeping.stop_verifying'),
    RouteRule('GET', '/settings/backup.tar', 'keeping.download_backup'),
    RouteRule('POST', '/settings/nightly', 'keeping.change_nightly'),
    RouteRule('POST', '/settings/found', 'providers.find_servers'),
    RouteRule('GET', '/settings/providers.json', 'providers.list_providers'),
    RouteRule('GET', '/settings/providers/new', 'providers.new_page'),
    RouteRule('POST', '/settings/providers', 'providers.add'),
    RouteRule('GET', '/settings/providers/{id}', 'providers.provider_page'),
    RouteRule('POST', '/settings/providers/{id}', 'providers.change'),
    RouteRule('POST', '/settings/providers/{id}/deletion', 'providers.delete'),
    RouteRule('POST', '/settings/providers/{id}/order', 'providers.move'),
    RouteRule('POST', '/settings/providers/{id}/test', 'providers.test'),
    RouteRule('POST', '/settings/providers/{id}/forgetting', 'providers.forget'),
    RouteRule('GET', '/share', 'sharing.share_page'),
    RouteRule('GET', '/share.json', 'sharing.share_page'),
    RouteRule('POST', '/share', 'sharing.switch'),
    RouteRule('POST', '/share/guests', 'sharing.invite'),
    RouteRule('POST', '/share/guests/{id}/revocation', 'sharing.revoke_guest'),
    RouteRule('POST', '/share/pictures/{id}/revocation', 'sharing.hide_from_strangers'),
    RouteRule('GET', '/join/{token}', 'links.join_page', Role.ANYBODY),
    RouteRule('POST', '/join/{token}', 'links.join', Role.ANYBODY),
    RouteRule('GET', '/shared/{token}', 'links.shown_page', Role.ANYBODY),
    RouteRule('GET', '/shared/{token}/{name}', 'links.shown_file', Role.ANYBODY),
    RouteRule('GET', '/install', 'settings.install_page', Role.GUEST),
    RouteRule('GET', '/install.json', 'settings.install_page', Role.GUEST),
    RouteRule('GET', '/manifest.webmanifest', 'settings.manifest', Role.ANYBODY),
    RouteRule('GET', '/session', 'sign_in.session_page', Role.ANYBODY),
    RouteRule('POST', '/session', 'sign_in.sign_in', Role.ANYBODY, most_bytes=MOST_PASSWORD_BYTES),
    RouteRule('POST', '/session/deletion', 'sign_in.sign_out', Role.ANYBODY),
    RouteRule('GET', '/health', 'settings.health', Role.ANYBODY),
    RouteRule('GET', '/static/{rest}', 'static', Role.ANYBODY),
)


def rule_of(method: str, path: str) -> RouteRule:
    wanted, parts = 'GET' if method == 'HEAD' else method, path.split('/')
    among = _PATTERNS.get((wanted, *parts[1:2]), ())
    return next((rule for rule, own in among if _fits(own, parts)), STRICTEST)


def is_own(path: str) -> bool:
    """Whether a path begins as one of the addresses does."""
    return any(path.split('/')[1:2] == [*key[1:]] for key in _PATTERNS)


def _fits(pattern: list[str], parts: list[str]) -> bool:
    if pattern[-1] == REST:
        return len(parts) >= len(pattern) and parts[: len(pattern) - 1] == pattern[:-1]
    same_length = len(parts) == len(pattern)
    return same_length and all(own in (ANY, part) for own, part in zip(pattern, parts, strict=True))


# by the method and the first part of an address
_PATTERNS: dict[tuple[str, ...], list[tuple[RouteRule, list[str]]]] = {}
for _rule in ROUTES:
    _parts = _rule.pattern.split('/')
    _PATTERNS.setdefault((_rule.method, *_parts[1:2]), []).append((_rule, _parts))
