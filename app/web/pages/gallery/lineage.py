"""Where a picture came from, and what was made of it, as its page shows it to a visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.access.visitors import Visitor
from app.database.gallery.versions import VersionRow
from app.gallery.word_diff import Part, marked
from app.models import Image
from app.net.urls import names_a_host
from app.providers.core.capabilities import IGNORING
from app.storage.masks import kept_size
from app.storage.metadata.foreign.origin import program_of
from app.web.context import Services
from app.web.delivery.files import file_fault
from app.web.security.permissions import seen_of

MOST_VERSIONS = 200
MOST_COUNTED = 1_000  # versions; of those beyond it is said only that there are more
MOST_COMPARED = 800  # characters of two prompts, which take some milliseconds
LONGEST_ROW = 160  # characters of a prompt
LONGEST_SAME = 24  # characters that are the same before words that are not


@dataclass(frozen=True, slots=True)
class Origin:
    """What a picture was made of, as far as a visitor may see it."""

    sources: tuple[Image | None, ...] = ()  # None: it is gone
    mask: str | None = None  # the digest of one that is kept
    is_enlarged: bool = False  # it is the first source on a larger canvas
    before: Image | None = None  # the first source, where its file is whole and can lie below it
    answer: Image | None = None  # what the original was laid back over
    laid_back: Image | None = None  # this picture with the original laid back
    can_be_laid_back: bool = False
    seems_ignored: bool = False  # the mask, by the server


@dataclass(eq=False, slots=True)
class Version:
    """A picture in the tree of its versions."""

    image: Image
    parts: Sequence[Part]  # of its prompt, by whether its parent's has it too
    is_enlarged: bool = False  # it is its parent on a larger canvas
    versions: list[Version] = field(default_factory=list)

    def ids(self) -> Iterator[int]:
        yield self.image.id
        for one in self.versions:
            yield from one.ids()


@dataclass(frozen=True, slots=True)
class VersionTree:
    """The tree that a picture stands in; `first` is None where it stands alone."""

    first: Version | None = None
    more: int = 0  # that are not in it
    are_counted: bool = True


async def sources_of(
    visitor: Visitor, services: Services, image: Image
) -> tuple[Image | None, ...]:
    """Return what a picture started from, None for what is gone; to guests, what they may see."""
    found = await services.library.images.some(image.sources) if image.sources else ()
    seen = {one.id: one for one in await seen_of(visitor, services, found)}
    return tuple(seen.get(one) for one in image.sources if one in seen or visitor.owner)


async def origin_of(visitor: Visitor, services: Services, image: Image) -> Origin:
    """Return what a picture was made of; nothing of what a visitor may not see."""
    if not image.sources:
        return Origin()
    laid_back = await services.library.images.laid_back_over(image.id)
    answers = await services.library.images.some([image.laid_back_from or 0])
    named = (*answers, *([laid_back] if laid_back else ()))
    seen = {one.id: one for one in await seen_of(visitor, services, named)}
    sources = await sources_of(visitor, services, image)
    first = next((one for one in sources if one and one.id == image.parent_id), None)
    is_enlarged, before = _is_enlarged(image, first), first
    if is_enlarged or (before and (before.deleted_at or await file_fault(services, before))):
        before = None
    digest = image.mask or ''
    has_mask = await asyncio.to_thread(kept_size, services.store, digest) is not None
    share = image.changed_outside_mask or 0
    is_laid_back = image.laid_back_from is not None or laid_back is not None
    may = visitor.may_change(image.guest) and visitor.makes and not image.deleted_at
    return Origin(
        sources=sources,
        mask=image.mask if has_mask else None,
        is_enlarged=is_enlarged,
        before=before,
        answer=seen.get(image.laid_back_from or 0),
        laid_back=seen.get(laid_back.id) if laid_back else None,
        can_be_laid_back=bool(may and share and has_mask and before and not is_laid_back),
        seems_ignored=share >= IGNORING and image.laid_back_from is None,
    )


def _is_enlarged(image: Image, parent: Image | None) -> bool:
    """Whether a picture is another on a larger canvas, which no server made."""
    if not parent or program_of(image.provider) is None:
        return False
    is_smaller = image.width < parent.width or image.height < parent.height
    return not is_smaller and (image.width, image.height) != (parent.width, parent.height)


def other_servers(visitor: Visitor, services: Services, image: Image) -> list[str]:
    """Return the servers that an edit can be tried at again; guests know them by names alone."""
    is_edit = image.sources and program_of(image.provider) is None
    if not is_edit or not visitor.makes:
        return []
    names = (one.name for one in services.providers.enabled() if one.name != image.provider)
    return [name for name in names if visitor.owner or not names_a_host(name)]


async def versions_of(visitor: Visitor, services: Services, image: Image) -> VersionTree:
    """Return the versions of what a picture came from, as far as a visitor sees them.

    What is in the trash is left out, unless something came of it.
    """
    table = services.library.versions
    is_first = image.parent_id is None and image.laid_back_from is None
    above = () if is_first else await table.above(image.id)
    line = await _seen_line(visitor, services, image, above)
    near, first = await table.below(image.id, MOST_VERSIONS), line[-1]
    is_all = first == image.id and len(near) < MOST_VERSIONS
    counted = near if is_all else await table.below(first, MOST_COUNTED)
    if not counted:
        return VersionTree()
    rows = (*near, *counted)  # the nearest are shown
    parents = {one.id: one.parent_id for one in (*above[: len(line) - 1], *rows)}
    shown = [first, *parents][:MOST_VERSIONS]
    found = {one.id: one for one in await services.library.images.some(shown)}
    seen = {one.id: one for one in await seen_of(visitor, services, list(found.values()))}
    tree = await asyncio.to_thread(_tree, seen, parents, first, image.id)
    more = max(0, 1 + len(parents) - len(shown)) if visitor.sees_all else 0
    return VersionTree(
        tree if tree.versions else None, more, are_counted=len(counted) < MOST_COUNTED
    )


async def _seen_line(
    visitor: Visitor, services: Services, image: Image, above: Sequence[VersionRow]
) -> list[int]:
    """Return a picture and what it is a version of, up to the first that a visitor may not see."""
    found = await services.library.images.some([one.parent_id for one in above]) if above else ()
    seen = {one.id for one in await seen_of(visitor, services, found)}
    line = [image.id]
    for one in above:
        if one.parent_id not in seen or one.parent_id in line:
            break
        line.append(one.parent_id)
    return line


def _tree(
    seen: Mapping[int, Image], parents: Mapping[int, int], first: int, current: int
) -> Version:
    """Hang every picture below its parent; those whose parent is not seen hang nowhere."""
    prompts = dict[tuple[str, str], Sequence[Part]]()
    versions = dict[int, Version]()
    for one, image in seen.items():
        parent = seen.get(parents.get(one, 0)) if one != first else None
        texts = (parent.title if parent else '', image.title)
        if texts not in prompts:
            parts = _difference(*texts) if parent else (Part(texts[1], differs=False),)
            prompts[texts] = tuple(_cut(parts))
        versions[one] = Version(image, prompts[texts], _is_enlarged(image, parent))
    for one in sorted(versions):
        above = versions.get(parents.get(one, 0))
        if above and one != first:
            above.versions.append(versions[one])
    _prune(versions[first], current)
    return versions[first]


def _prune(version: Version, current: int) -> None:
    for one in version.versions:
        _prune(one, current)
    version.versions = [
        one
        for one in version.versions
        if one.versions or not one.image.deleted_at or one.image.id == current
    ]


def _difference(before: str, after: str) -> Sequence[Part]:
    """Return a prompt in parts, what is the same cut short; nothing where all of it is."""
    if before == after:
        return ()
    if len(before) + len(after) > MOST_COMPARED:
        return (Part(after, differs=True),)
    parts = marked((before, after))[1]
    if not any(part.differs for part in parts):
        return (Part(after, differs=False),)
    return [part if part.differs else _shortened(part) for part in parts]


def _cut(parts: Sequence[Part]) -> Iterator[Part]:
    left = LONGEST_ROW
    for part in parts:
        yield replace(part, text=part.text[:left])
        left -= len(part.text)
        if left <= 0:
            return


def _shortened(part: Part) -> Part:
    if len(part.text) <= LONGEST_SAME:
        return part
    return Part(f'… {part.text[-LONGEST_SAME:].partition(" ")[2]}', differs=False)
