"""What a parsed response says of itself: that it failed, that it only promises, with which code."""

from __future__ import annotations

from app.providers.response.images import Json, at, rows_of

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
    """Check whether a 2xx response says itself that it is none."""
    if not isinstance(tree, dict):
        return False
    code, data = tree.get('code'), tree.get('data')
    return bool(
        tree.get('error') not in (None, '', {}, [], False)
        or tree.get('success') in (False, 'false')
        or tree.get('error_code')
        or tree.get('detail')
        or tree.get('ok') is False
        or state_of(tree) in _FAILED
        or 'error' in (tree.get('object'), tree.get('type'))
        or (tree.get('errors') and not data)
        or errors_of_items(tree)
        or ((code not in _FINE or code is False) and not data)
    )


def errors_of_items(tree: Json) -> list[Json]:
    """List what is said in the place of each picture; empty where anything else is said."""
    for key in ('data', 'images', 'choices'):
        errors = [at(row, 'error') for row in rows_of(tree, key)]
        if errors and all(errors):
            return errors
    return []


def status_within(tree: Json) -> int | None:
    """Return the HTTP status that a response says it should have had; None where it says none."""
    for node in (at(tree, 'error'), tree):
        for key in ('code', 'status', 'status_code'):
            code = at(node, key)
            if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == 3:
                code = int(code)
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None


def state_of(tree: Json) -> str:
    """Return the state of a job, `in_progress` for `In-Progress`; empty for none."""
    return next(filter(None, map(_state_in, _nodes(tree))), '')


def task_of(tree: Json) -> str | None:
    """Return the job's name when the response is a promise and not a picture."""
    nodes = _nodes(tree)
    for node in nodes:
        for value in map(node.get, _TASK_KEYS):
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
    """Return the address at which a response says that its job can be asked for."""
    for node in _nodes(tree):
        for value in (*map(node.get, _TASK_KEYS[:3]), at(node, 'urls', 'get')):
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


def _state_in(node: dict[str, Json]) -> str:
    for value in map(node.get, ('status', 'task_status', 'state')):
        if isinstance(value, str) and value:
            return value.lower().replace('-', '_').replace(' ', '_')
    return ''


def _is_name(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)


def _nodes(tree: Json) -> list[dict[str, Json]]:
    """Return the response, and what of it may describe a job."""
    inner = [at(tree, key) for key in _INNER]
    inner = [one[0] if isinstance(one, list) and len(one) == 1 else one for one in inner]
    return [node for node in (tree, *inner) if isinstance(node, dict)]
