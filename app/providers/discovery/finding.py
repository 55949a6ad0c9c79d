"""What is at a provider's address, as far as its list of models tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.providers.core.base import Listing
from app.providers.discovery.model_list import drawing_in

NO_LIST = 'no list of models'
WRONG_KEY = ('HTTP 401', 'HTTP 403')


class Found(StrEnum):
    """What is at an address."""

    LIST = 'list'
    KEY_REFUSED = 'key_refused'
    WEB_PAGE = 'web_page'
    NO_LIST = 'no_list'
    ELSEWHERE = 'elsewhere'
    NOTHING = 'nothing'


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a test found.

    Attributes:
        models: How many are listed.
        drawing: How many of them can draw, by their names.
        reason: What was seen, in short technical English.
        key_counts: Whether a key was seen to be needed, and this one taken.
        address: Where the API is instead.
    """

    found: Found
    models: int = 0
    drawing: int = 0
    reason: str = ''
    key_counts: bool = False
    address: str = ''


def finding_of(listing: Listing) -> Finding:
    """Say what an answer to the question for models means."""
    if not listing.answered:
        return Finding(found=Found.NOTHING, reason=listing.reason)
    if listing.reason in WRONG_KEY:
        return Finding(found=Found.KEY_REFUSED, reason=listing.reason)
    if listing.reason == NO_LIST:
        return Finding(found=Found.WEB_PAGE, reason=listing.reason)
    if listing.reason:
        return Finding(found=Found.NO_LIST, reason=listing.reason)
    drawing = len(drawing_in(list(listing.models)))
    return Finding(found=Found.LIST, models=len(listing.models), drawing=drawing)
