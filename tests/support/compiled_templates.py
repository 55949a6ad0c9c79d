"""Compiled templates that are kept for all tests, and not in each data folder anew."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from app.web import templates

KEPT_IN = 'COMPILED_TEMPLATES'  # the variable that tells a forked Easel the folder


def keep_templates_in(folder: str) -> None:
    """Have this process keep its compiled templates there, for as long as it runs."""
    kept = templates.BytecodeCache(Path(folder))
    patch.object(templates, 'BytecodeCache', lambda _: kept).start()
