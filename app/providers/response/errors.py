"""The kind of failure that a response without a picture means, and in whose words."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from app.errors import ErrorKind, Failure, Reason
from app.models.request import MOST_COUNT
from app.providers.response.images import at, rows_of
from app.providers.response.json_text import Json
from app.providers.response.messages import (
    chat_text_of,
    errors_of_items,
    failed_in_success,
    scrub,
    status_within,
    task_of,
    words_of,
)
from app.providers.response.parser import ApiResponse
from app.providers.response.refused import MOST_READ_LETTERS, refused_param, with_refused_value

LONGEST_WAIT_S = 3_600.0
LONGEST_CODE = 100
OUR_FAULTS = (400, 401, 403, 429)  # statuses with which an empty account is told
MOST_PLAIN_HTTP_LETTERS = 2_000  # of the page of a server that was asked in plain HTTP
REFUSED = 'safety'  # the reason that Gemini gives for not drawing
_CODES = ('code', 'type', 'error_id', 'error_code')  # short words

_MODERATED = re.compile(
    r'(?i)moderation_blocked|content_?(policy|filter)|ResponsibleAI|Sensitive\w{0,24}Content|'
    r'safety.?(system|filter|checker|reasons)|IMAGE_SAFETY|PROHIBITED_CONTENT|new_sensitive|'
    r'nsfw (content|images?) (was |were )?detected'
)
_MODERATION = re.compile(
    rf'{_MODERATED.pattern}|moderat(?:ion|ed)|content.?(policy|filter)|flagged|nsfw|敏感|违规|'
    r'(prohibited|banned|forbidden) words?\b|violat\w{1,4}.{0,40}(polic|guideline|terms)|'
    r'(inappropriate|prohibited|unsafe).{0,10}content'
)
_INSUFFICIENT = re.compile(r'(?i)insufficient\w{0,20}?.?(quota|balance|credit|funds)')
_QUOTA = re.compile(
    rf'{_INSUFFICIENT.pattern}|exceeded your current quota|billing|'
    r'payment required|out of credits|余额不足|额度不足|欠费|budget.{0,12}exceeded|over budget|'
    r'overdue|arrearage|(balance|credits?|quota)\b.{0,12}(insufficient|too low|exhausted|used up)|'
    r'exhausted\b.{0,32}(balance|credit|quota)|free tier exhausted'
)
_BAD_KEY = re.compile(
    r'(?i)invalid_api_key|api_key_invalid|no_db_connection|\bauth(entication)?[ _]?error|令牌|密钥|'
    r'unauthori[sz]ed|unauthenticated|not authenticated|auth\w+tion (failed|required)|'
    r'missing x-auth|\bx-[\w-]+ header is (required|missing)|'
    r'invalid[ _]token|\b(log|sign) ?in (first|to|fail)|'
    r'authorization\b.{0,24}(required|missing|invalid|not found)|'
    r'(invalid|incorrect|missing|wrong|bad|unknown|no|expired|revoked|malformed)\W.{0,16}'
    r'(api.?key|credentials|bearer|authorization|(access|auth\w*|api|virtual).?token|'
    r'token (provided|supplied))|'
    r'(api.?key|credentials|(access|auth\w*|api|virtual|bearer).?(token|key)|^\W*token)\b.{0,24}'
    r'(not (valid|found|recogni[sz]ed|provided)|invalid|incorrect|missing|required|wrong|expired|'
    r'revoked|disabled|malformed|does not exist|mismatch)'
)
_ACCOUNT = re.compile(  # a gateway's model whose own source refused the gateway
    r'MissingAuth|litellm\.AuthenticationError|upstream.{0,40}(invalid|incorrect) api.?key|'
    r'(Error code:|Response|returned) 401\b|\b[A-Z]+_API_KEY\b|api_key client option|valid cookies'
)
_NOT_OF_THIS_KEY = re.compile(
    r'(?i)model_access_denied|not allowed to access model|no access to (the )?model|无权访问模型'
)
_MEMORY = re.compile(r'(?i)out of (v?ram|memory)|OutOfMemory|not enough (v?ram|memory)')
_LOGIN = re.compile(r'(?i)\b(log|sign)[-_]?(in|on)\b|oauth|/auth\b|\bsso\b|cdn-cgi/access')
_LONG_PROMPT = re.compile(
    r'(?i)prompt\b.{0,60}?(too long|exceed|longer|at most|max|length|characters|tokens)|'
    r'(too long|exceed\w{0,4}|max\w{0,20}|longer)\b.{0,40}\b(prompt|tokens|characters|context)|'
    r'string_(too_long|above_max_length)|context_length|提示词.{0,10}(过长|太长|超)'
)
_KEY = re.compile(
    r'(?i)api.?key|token|credential|authenticat|unauthori[sz]ed|\b(log|sign)[ -]?in\b'
)
_MODEL = re.compile(
    r'(?is)(model|checkpoint)\b.{0,80}?(not found|not exist|unknown|no longer)|'
    r'\bmodel\W{1,4}+[\w./:-]{1,100}+\W{1,4}+is (not (available|supported)|unavailable)|'
    r'(unknown|no such|unsupported|not a valid|invalid) (model|checkpoint)\b'
    r'(?!\W+(param|option|setting|field))|'
    r'no router for|no endpoints found|DeploymentNotFound|provider not found|'
    r'deployment.{0,60}does not exist|function.{0,60}not found for account'
)
_OTHER_MODEL = re.compile(  # is needed: this one is gone, or draws no pictures
    r'(?i)model\b.{0,60}(retired|deprecated|end of life|discontinued|decommissioned)|'
    r'does not work with the specified model|model (and )?can(not|.t) be used for image|'
    r'model\b.{0,24}\bnot support(ed)? (by the images?|images?\b)'
)
_NO_CHANNEL = re.compile(r'(?i)无可用渠道|模型不存在|no available channel for model')
_ENDPOINT = re.compile(
    r'(?i)(unexpected|unknown|no such|unsupported) (endpoint|route|path|request url)\b|invalid url|'
    r'not implemented|page not found'
)
_NO_MODEL = re.compile(r'(?i)model_?not_?found|DeploymentNotFound|ModelNotFound')
_NOT_READY = re.compile(
    r'(?i)loading|not (yet )?(ready|loaded)|no (image )?model loaded|worker exited|busy|overloaded|'
    r'starting|warming|initiali[sz]ing|queue\b.{0,12}full'
)
_PLAIN_HTTP = re.compile(  # of nginx, of Go's servers, of Apache and of others
    r'(?i)plain http request was sent to https|http request to an https (server|port)|'
    r'speaking plain http to an ssl|plain http.{0,40}(https|tls|ssl).{0,20}port'
)
_CANCELLED = re.compile(r'(?i)cancel')
_OUR_TYPES = re.compile(r'type_error|invalid_input')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What a response is classified by."""

    status: int
    text: str
    codes: str
    promises: bool
    is_html: bool
    waits: bool
    param: str | None
    location: str  # of a redirect

    @property
    def says_bad_key(self) -> bool:
        return '401' in self.codes.split() or self.say(_BAD_KEY) or self.say(_ACCOUNT)

    @property
    def is_long_prompt(self) -> bool:
        return self.param is None and self.say(_LONG_PROMPT)

    @property
    def needs_other_model(self) -> bool:
        return self.param is None and 400 <= self.status < 500 and self.say(_OTHER_MODEL)

    def say(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(f'{self.codes} {self.text}') is not None


def refusal(response: ApiResponse, *, where: str, sent: Collection[str]) -> Failure:
    """Classify a response without a picture to the fields `sent`; its words are as they came."""
    status, tree, text = response.status, response.tree, response.text
    if status == 407 or (status == 400 and wants_https(text)):
        reason = Reason.PROXY_ASKS_WHO if status == 407 else Reason.HTTPS_IS_SPOKEN_THERE
        return Failure(kind=ErrorKind.UNREACHABLE, where=where, reason=reason)
    has_failed, job = status >= 300 or failed_in_success(tree), task_of(tree)
    if not has_failed and job is None and status != 202:
        return _empty(tree, where)
    words = words_of(tree, text)
    shown = scrub(words)
    everything = shown if is_html(text) else f'{shown} {text[:MOST_READ_LETTERS]}'
    nodes = [tree, at(tree, 'error'), at(tree, 'error', 'inner_error'), *errors_of_items(tree)]
    signs = _Signs(
        status=(status < 300 and has_failed and status_within(tree)) or status,
        text=everything,
        codes=' '.join(_words_at(nodes, _CODES)),
        promises=job is not None and not has_failed,
        is_html=is_html(text),
        waits='retry-after' in response.headers,
        param=refused_param(tree, everything, sent, status),
        location=response.headers.get('location', ''),
    )
    kind = next((kind for kind, holds in _RULES if holds(signs)), ErrorKind.UPSTREAM_ERROR)
    failure = Failure(
        kind=kind,
        where=where,
        words=words,
        reason=next((why for one, why, holds in _REASONS if one is kind and holds(signs)), ''),
        http_status=signs.status,
        retry_after_s=retry_after_s(response.headers),
        job_id=job if kind is ErrorKind.PENDING else None,
    )
    if kind is not ErrorKind.UNSUPPORTED_PARAM or signs.param is None:
        return failure
    values = sent if isinstance(sent, Mapping) else {}
    return with_refused_value(replace(failure, param=signs.param), signs.codes, values)


def refuses_key(status: int, tree: Json) -> bool:
    """Whether a response of any kind says that the key is missing or wrong."""
    if status in (401, 403):
        return True
    nodes = [tree, at(tree, 'error')]
    said = f'{" ".join(_words_at(nodes, _CODES))} {scrub(words_of(tree, ""))}'
    return 400 <= status < 500 and status != 429 and _BAD_KEY.search(said) is not None


def _empty(tree: Json, where: str) -> Failure:
    """Return what a success without a picture means, with what a model says in its place."""
    words = chat_text_of(tree) or words_of(tree, '')
    places = ('choices', 'data', 'images', 'artifacts', 'candidates')
    nodes = [tree, *(row for key in places for row in rows_of(tree, key)[:MOST_COUNT])]
    keys = ('finish_reason', 'finishReason', 'native_finish_reason', 'raiFilteredReason')
    reasons = [reason.lower() for reason in _words_at(nodes, keys)]
    is_refused = any(at(node, 'message', 'refusal') for node in nodes) or any(
        reason == REFUSED or _MODERATED.search(reason) for reason in reasons
    )
    kind = ErrorKind.MODERATION if is_refused else ErrorKind.EMPTY
    is_plain = scrub(words).lower() in ('', 'ok', 'success', 'done')
    return Failure(kind=kind, where=where, words='' if is_plain else words)


def _words_at(nodes: list[Json], keys: tuple[str, ...]) -> list[str]:
    values = [at(node, key) for node in nodes for key in keys]
    return [str(value)[:LONGEST_CODE] for value in values if isinstance(value, str | int) and value]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return when to come back, in seconds from now, at most an hour; None where nothing says."""
    plain, exact = headers.get('retry-after', ''), headers.get('retry-after-ms', '')
    readers: tuple[Callable[[], float], ...] = (
        lambda: float(exact) / 1000,
        lambda: float(plain),
        lambda: parsedate_to_datetime(plain).timestamp() - time.time(),
    )
    for read_s in readers:
        with contextlib.suppress(ValueError, TypeError):
            if math.isfinite(seconds := read_s()):
                return min(max(seconds, 0.0), LONGEST_WAIT_S)
    return None


def wants_https(text: str) -> bool:
    """Check whether a server says that plain HTTP was spoken to its port for TLS."""
    return bool(_PLAIN_HTTP.search(text[:MOST_PLAIN_HTTP_LETTERS]))


def is_html(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(('<!doctype', '<html', '<head', '<body'))


_RULES: tuple[tuple[ErrorKind, Callable[[_Signs], bool]], ...] = (
    (ErrorKind.PENDING, lambda s: s.status == 202 or s.promises),
    (ErrorKind.REDIRECT, lambda s: 300 <= s.status < 400),
    (ErrorKind.MODERATION, lambda s: s.status < 500 and s.say(_MODERATION)),
    (ErrorKind.MODERATION, lambda s: s.status == 500 and s.say(_MODERATED)),
    (ErrorKind.QUOTA, lambda s: s.status == 402),
    (ErrorKind.QUOTA, lambda s: s.status in OUR_FAULTS and s.say(_QUOTA)),
    (ErrorKind.QUOTA, lambda s: s.status < 300 and s.say(_INSUFFICIENT)),
    (ErrorKind.FORBIDDEN, lambda s: s.status in (401, 403) and s.say(_NOT_OF_THIS_KEY)),
    (ErrorKind.AUTH, lambda s: s.status == 401 or (s.status == 403 and s.say(_KEY))),
    (ErrorKind.AUTH, lambda s: s.status <= 500 and s.status != 429 and s.says_bad_key),
    (ErrorKind.FORBIDDEN, lambda s: s.status == 403),
    (ErrorKind.RATE_LIMITED, lambda s: s.status == 429),
    (ErrorKind.TOO_LARGE, lambda s: s.status == 413),
    (ErrorKind.GATEWAY_TIMEOUT, lambda s: s.status in (408, 504, 522, 524)),
    (ErrorKind.UNSUPPORTED_PARAM, lambda s: s.status in (400, 404) and s.param == 'modalities'),
    (ErrorKind.MODEL_NOT_FOUND, lambda s: s.status == 421 or bool(_NO_MODEL.search(s.codes))),
    (ErrorKind.MODEL_NOT_FOUND, lambda s: s.status in (400, 404, 410, 422) and s.say(_MODEL)),
    (ErrorKind.MODEL_NOT_FOUND, lambda s: s.say(_NO_CHANNEL)),
    (ErrorKind.MODEL_NOT_FOUND, lambda s: s.needs_other_model),
    (ErrorKind.UNSUPPORTED_PARAM, lambda s: s.status in (400, 404) and s.param == 'sampler_name'),
    (ErrorKind.INVALID_REQUEST, lambda s: s.status in (400, 422) and s.is_long_prompt),
    (ErrorKind.ENDPOINT_NOT_FOUND, lambda s: s.status in (404, 405, 501)),
    (ErrorKind.ENDPOINT_NOT_FOUND, lambda s: s.status < 500 and s.say(_ENDPOINT)),
    (ErrorKind.CANCELLED, lambda s: s.status == 409 and s.say(_CANCELLED)),
    (ErrorKind.NOT_READY, lambda s: s.status == 503 and s.waits),
    (ErrorKind.NOT_READY, lambda s: s.status in (409, 503, 529) and s.say(_NOT_READY)),
    (ErrorKind.UNSUPPORTED_PARAM, lambda s: 400 <= s.status <= 500 and s.param is not None),
    (ErrorKind.INVALID_REQUEST, lambda s: 400 <= s.status < 500 or s.say(_OUR_TYPES)),
    (ErrorKind.INVALID_REQUEST, lambda s: s.status < 300 and 'invalid_request' in s.codes),
    (ErrorKind.NOT_JSON, lambda s: s.status < 300 and s.is_html),
)
_REASONS: tuple[tuple[ErrorKind, Reason, Callable[[_Signs], bool]], ...] = (
    (ErrorKind.AUTH, Reason.MODEL_NEEDS_AN_ACCOUNT, lambda s: s.say(_ACCOUNT)),
    (ErrorKind.INVALID_REQUEST, Reason.PROMPT_IS_TOO_LONG, lambda s: s.is_long_prompt),
    (ErrorKind.UPSTREAM_ERROR, Reason.OUT_OF_MEMORY, lambda s: s.say(_MEMORY)),
    (ErrorKind.REDIRECT, Reason.SIGN_IN_PAGE, lambda s: bool(_LOGIN.search(s.location))),
)
