"""What every new data folder has to make, made once for all tests: templates and tables."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import apsw

from app.database import FUNCTIONS
from app.database.sqlite import opening
from app.web import templates

KEPT_IN = 'MADE_ONCE'  # the variable that tells a forked Easel the folder
TABLES = 'tables.db'


def make_in(folder: Path) -> None:
    """Make the tables by the migrations, and take all of it from there in forked processes too."""
    tables = opening.connect(folder / TABLES, FUNCTIONS)
    tables.pragma('journal_mode', 'delete')
    tables.close()
    os.environ[KEPT_IN] = str(folder)
    take_from(folder)


def take_from(folder: Path) -> None:
    """Have this process keep its compiled templates there, and copy a new database's tables."""
    kept, migrate = templates.BytecodeCache(folder), opening._migrate

    def made(connection: apsw.Connection, path: Path, have: int) -> None:
        if have:
            return migrate(connection, path, have)
        source = opening.open_file(folder / TABLES, apsw.SQLITE_OPEN_READONLY)
        with connection.backup('main', source, 'main') as backup:
            backup.step()
        return source.close()

    patch.object(templates, 'BytecodeCache', lambda _: kept).start()
    patch.object(opening, '_migrate', made).start()
