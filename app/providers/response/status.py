"""What a parsed answer says of itself: that it failed, that it only promises, with which code."""

from __future__ import annotations

from app.providers.response.images import Json

UNDER_WAY = (
    *('queued', 'queueing', 'in_queue', 'pending', 'waiting', 'scheduled', 'not_start'),
    *('submitted', 'accepted', 'created', 'preparing', 'initializing', 'starting', 'started'),
    *('processing', 'running', 'in_progress', 'progress', 'generating', 'working'),
    *('task_pending', 'task_processing'),
)
_FAILED = ('failed', 'failure', 'error', 'cancelled', 'canceled', 'rejected', 'expired')
_FINE = (None, 0, '0', 200, '200', '', 'success', 'ok', 'OK', 'Success', 'SUCCESS')
_TASK_KEYS = ('poll_url', 'polling_url', 'status_url', 'task_id', 'taskId', 'job_id')
_INNER = ('data', 'output', 'result', 'task', 'job')


def failed_in_success(tree: Json) -> bool:
    """Whether a 2xx answer says itself that it is none."""
    if not isinstance(tree, dict):
        return False
    error = tree.get('error')
    if error not in (None, '', {}, [], False) or tree.get('success') in (False, 'false'):
        return True
    if tree.get('error_code') or tree.get('detail') or tree.get('ok') is False:
        return True
    if state_of(tree) in _FAILED or 'error' in (tree.get('object'), tree.get('type')):
        return True
    if (tree.get('errors') and not tree.get('data')) or errors_of_items(tree):
        return True
    return not _is_fine(tree.get('code')) and not tree.get('data')


def errors_of_items(tree: Json) -> list[Json]:
    """List what is said in the place of each picture; empty where anything else is said."""
    for key in ('data', 'images', 'choices'):
        rows = tree.get(key) if isinstance(tree, dict) else None
        rows = rows if isinstance(rows, list) else []
        errors = [row.get('error') if isinstance(row, dict) else None for row in rows]
        if errors and all(errors):
            return errors
    return []


def status_within(tree: Json) -> int | None:
    """Give the HTTP status that an answer says it should have had; None where it says none."""
    if not isinstance(tree, dict):
        return None
    error = tree.get('error')
    nodes = [error, tree] if isinstance(error, dict) else [tree]
    for node in nodes:
        for key in ('code', 'status', 'status_code'):
            code = node.get(key)
            if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == 3:
                code = int(code)
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None


def state_of(tree: Json) -> str:
    """Give the word for where a job stands, `in_progress` for `In-Progress`; empty for none."""
    return next((state for state in map(_state_in, _nodes(tree)) if state), '')


def task_of(tree: Json) -> str | None:
    """Give the job's name when the answer is a promise and not a picture."""
    nodes = _nodes(tree)
    for node in nodes:
        for key in _TASK_KEYS:
            value = node.get(key)
            if _is_name(value):
                return str(node['id'] if _is_name(node.get('id')) else value)
    for node in nodes:
        name = node.get('id') or node.get('request_id')
        if str(node.get('object', '')).endswith('.task'):
            return str(name or '')
        if _is_name(name) and _state_in(node) in UNDER_WAY:
            return str(name)
    return None


def poll_address_of(tree: Json) -> str | None:
    """Give the address at which an answer says that its job can be asked for."""
    for node in _nodes(tree):
        urls = node.get('urls')
        named = [node.get(key) for key in _TASK_KEYS[:3]]
        named.append(urls.get('get') if isinstance(urls, dict) else None)
        for value in named:
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


def _state_in(node: dict[str, Json]) -> str:
    for key in ('status', 'task_status', 'state'):
        value = node.get(key)
        if isinstance(value, str) and value:
            return value.lower().replace('-', '_').replace(' ', '_')
    return ''


def _is_name(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)


def _is_fine(code: Json) -> bool:
    return any(code == fine for fine in _FINE) and code is not False


def _nodes(tree: Json) -> list[dict[str, Json]]:
    """Give the answer, and what of it may describe a job."""
    if not isinstance(tree, dict):
        return []
    nodes = [tree]
    for key in _INNER:
        value = tree.get(key)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            nodes.append(value)
    return nodes
