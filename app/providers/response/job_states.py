"""The state of a job, in any spelling: words, words within objects, flags, and progress.

Servers make up new words for a job that goes on all the time, and hardly ever one for its end: what
is not known as an end is none.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from app.providers.response.json_text import Json


class JobState(Enum):
    """What is said of a job; `UNTOLD`: nothing."""

    UNTOLD = auto()
    NUMBERED = auto()  # what a number means is the server's own
    GOES_ON = auto()
    SUCCEEDED = auto()
    FAILED = auto()


# Source: the API references of Azure, BFL, DashScope, fal, Kling, Leonardo, Luma, MiniMax,
# ModelScope, Novita, NVIDIA, Replicate, Runway, SiliconFlow and Stability
SUCCEEDED = {
    *('succeeded', 'succeed', 'success', 'successful', 'succeeds', 'successfully'),
    *('completed', 'complete', 'done', 'finished', 'finish', 'ready', 'ok', 'generated'),
    *('processed', 'fulfilled', 'resolved', 'ended', 'rendered', 'available'),
    *('成功', '完成', '已完成', '生成成功'),
}
FAILED = {
    *('failed', 'fail', 'failure', 'error', 'errored', 'faulted', 'exception', 'unsuccessful'),
    *('cancelled', 'canceled', 'aborted', 'interrupted', 'terminated', 'stopped', 'killed'),
    *('rejected', 'refused', 'denied', 'blocked', 'invalid', 'crashed', 'dead', 'discarded'),
    *('expired', 'timeout', 'timedout', 'deleted', 'removed', 'notfound', 'nosuchtask'),
    *('moderated', 'flagged', 'filtered', 'censored', 'nsfw', 'moderationblocked'),
    *('errors', 'exceeded', 'violation', '失败', '生成失败', '已取消', '超时'),
}
# Words with which another word of a failure is none yet: `not_failed`, `retrying_after_error`.
AGAIN = {'not', 'no', 'without', 'retry', 'retrying', 'waiting', 'until', 'if'}
# Words before or behind the one that counts: `TASK_STATUS_SUCCEED`, `Request Moderated`.
BESIDE = {
    *('task', 'job', 'status', 'state', 'request', 'content', 'image', 'images', 'generation'),
    *('operation', 'run', 'prediction', 'output', 'with', 'by', 'user', 'system', 'successfully'),
    *('prompt', 'input', 'result', 'is', 'was', 'has', 'been', 'partially', 'partial', 'errors'),
}
WORD_KEYS = (
    *('status', 'task_status', 'taskStatus', 'state', 'job_status', 'jobStatus', 'job_state'),
    *('jobState', 'task_state', 'taskState', 'request_status', 'requestStatus', 'phase'),
)
INNER_KEYS = ('state', 'status', 'name', 'value', 'code', 'type')  # of an object that is a state
FAILED_FLAGS = ('failed', 'faulted', 'is_failed', 'isFailed', 'cancelled', 'canceled')
FLAG_KEYS = (
    *('done', 'finished', 'completed', 'ready', 'is_done', 'is_finished', 'is_completed'),
    *('is_ready', 'isDone', 'isFinished', 'isCompleted', 'isReady'),
)
LONGEST_STATE = 100
LEAST_HTTP_STATUS = 100

_WORD = re.compile(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+')


def job_state_of(node: dict[str, Json]) -> JobState:
    """Return the state that one object tells."""
    found = [node[key] for key in WORD_KEYS if node.get(key) not in (None, '')]
    for value in found:
        if isinstance(value, dict):
            value = next((value[key] for key in INNER_KEYS if value.get(key)), None)
        if isinstance(value, str):
            return _state_called(value)
    if any(node.get(key) is True for key in FAILED_FLAGS):
        return JobState.FAILED
    flags = [node[key] for key in FLAG_KEYS if isinstance(node.get(key), bool | int)]
    flags = [flag for flag in flags if isinstance(flag, bool)] or flags  # others may be counts
    if flags:
        return JobState.SUCCEEDED if any(flags) else JobState.GOES_ON
    if any(type(one) is int and one < LEAST_HTTP_STATUS for one in found):
        return JobState.NUMBERED
    return JobState.GOES_ON if _is_on_its_way(node.get('progress')) else JobState.UNTOLD


def _state_called(text: str) -> JobState:
    words = [word.lower() for word in _WORD.findall(text[:LONGEST_STATE])]
    name = ''.join(word for word in words if word not in BESIDE) or ''.join(words[-1:])
    if not name:
        return JobState.UNTOLD
    if name in SUCCEEDED:
        return JobState.SUCCEEDED
    is_failure = name in FAILED or ({words[0], words[-1]} & FAILED and not AGAIN & {*words})
    return JobState.FAILED if is_failure else JobState.GOES_ON


def _is_on_its_way(progress: Json) -> bool:
    if isinstance(progress, str):
        progress = progress.strip().removesuffix('%')
        whole = progress.partition('.')[0]
        return whole.isascii() and whole.isdecimal() and int(whole[:4]) < 100
    return type(progress) in (int, float) and progress not in (1, 100)
