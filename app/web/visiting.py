"""Who asks, as the guard found."""

from __future__ import annotations

from starlette.requests import Request

from app.visitors import Visitor


def visitor_of(request: Request) -> Visitor:
    """Find the visitor from within a page."""
    visitor: Visitor = request.state.visitor
    return visitor
