"""Logging: one logger a module, lines that no text from outside can forge."""

from __future__ import annotations

import json
import logging
import re
import sys
import time

_CONTROL = re.compile(
    '[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)


def logger(name: str) -> logging.Logger:
    return logging.getLogger(name)


def start(level: str, form: str) -> None:
    """Send log lines to standard error; the form is `text`, or `json` for one object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == 'json' else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ('httpx', 'httpcore', 'asyncio', 'PIL', 'python_multipart'):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a closed or full standard error must not stop the work


class TextLines(logging.Formatter):
    """`12:30:05 warning app.generation.worker: 17: …`, control bytes escaped."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime('%H:%M:%S', time.localtime(record.created))
        level = record.levelname.lower()
        line = f'{clock} {level} {record.name}: {escape(record.getMessage())}'
        line = line.replace('\n', '\\n')
        if record.exc_info:
            trace = escape(self.formatException(record.exc_info))
            line += '\n    ' + trace.replace('\n', '\n    ')
        return line


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            'at': round(record.created, 3),
            'level': record.levelname.lower(),
            'logger': record.name,
            'message': record.getMessage(),
        }
        if record.exc_info:
            event['trace'] = self.formatException(record.exc_info)
        return json.dumps(event)


def escape(text: str) -> str:
    r"""Show control signs as `\x1b`, so that no log line can move a terminal's cursor."""
    return _CONTROL.sub(lambda sign: sign.group().encode('unicode_escape').decode(), text)
