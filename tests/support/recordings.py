"""Recorded answers of real servers: what each says, and what it has to come to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from app.errors import ErrorKind, Failure
from app.models import StoredImage
from app.models.request import GenerationRequest, ResponseFormat, Size
from app.providers.response.json_text import Json
from tests.support.fakes import NOT_FOUND, Asked, Ending, Reply, Upstream

Fields = dict[str, Json]
REPLAY = Path(__file__).parent.parent / 'replay'
TRANSPORTS = {
    'truncate': Ending.CLOSES_EARLY,
    'hang': Ending.HANGS,
    'close_no_response': Ending.WHOLE,
    'refused': Ending.WHOLE,
    'chunks': Ending.WHOLE,
}


# What a mended request has to look like, in the words of the recordings.
MENDED: dict[str, Callable[[Fields, str], bool]] = {
    "response_format absent or 'url'": lambda body, _: body.get('response_format') in (None, 'url'),
    'guidance_scale absent or whole number': lambda body, _: 'guidance_scale' not in body,
    'path is /v1/images/generations': lambda _, path: path == '/v1/images/generations',
    'POST with same body to Location': lambda _, path: path == '/v1/images/generations',
    'size absent': lambda body, _: 'size' not in body,
    'body has no null values': lambda body, _: None not in body.values(),
    'response_format is b64_json': lambda body, _: body.get('response_format') == 'b64_json',
    'n absent': lambda body, _: 'n' not in body,
    'response_format absent': lambda body, _: 'response_format' not in body,
    'body has only model, prompt (and allowed fields)': lambda body, _: 'quality' not in body,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded exchange, its addresses not yet filled in."""

    name: str
    text: str

    def at(self, origin: Upstream, cdn: Upstream) -> Fields:
        text = self.text.replace('{{ORIGIN}}', origin.origin).replace('{{CDN}}', cdn.origin)
        filled: Fields = json.loads(text.replace('{{CDN_HOST}}', urlsplit(cdn.origin).netloc))
        return filled


CASES = [
    Case(case['name'], json.dumps(case))
    for case in json.loads((REPLAY / 'upstream_cases.json').read_text(encoding='utf-8'))
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one replay."""

    kept: tuple[StoredImage, ...]
    failures: tuple[Failure, ...]
    origin: Upstream
    cdn: Upstream
    left: tuple[str, ...] = ()


def fields_of(value: Json) -> Fields:
    return value if isinstance(value, dict) else {}


def text_of(value: Json) -> str:
    return value if isinstance(value, str) else ''


def body_of(body: Json) -> bytes:
    if body is None:
        return b''
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, dict) and '__b64__' in body:
        return base64.b64decode(text_of(body['__b64__']))
    return json.dumps(body).encode()


def reply_of(said: Fields) -> Reply:
    transport = fields_of(said.get('transport'))
    body, rest = body_of(said['body']), tuple[bytes, ...]()
    if transport.get('kind') == 'chunks':
        body, rest = b'', pieces_of(body, transport['chunks'])
    headers = tuple(
        (name, str(value))
        for name, value in fields_of(said.get('headers')).items()
        if transport or name.lower() not in ('content-length', 'transfer-encoding')
    )
    status = said['status']
    return Reply(
        status=status if isinstance(status, int) else None,
        headers=headers,
        body=body,
        rest=rest,
        ending=TRANSPORTS[text_of(transport.get('kind'))] if transport else Ending.WHOLE,
    )


def pieces_of(body: bytes, chunks: Json) -> tuple[bytes, ...]:
    """Read `[[seconds, text], …]`, where the text REST is the body; the seconds are not waited."""
    texts = [cast('list[Json]', chunk)[1] for chunk in cast('list[Json]', chunks)]
    return tuple(body if text == 'REST' else text_of(text).encode() for text in texts)


def answered(case: Fields, asked: Asked) -> Reply:
    """Answer a request as the case says: what is mended, what is not, and the GET of a picture."""
    if asked.method != 'POST':
        return fetched(case, asked)
    body: Fields = json.loads(asked.body)
    for then in cast('list[Fields]', case.get('then', [])):
        if MENDED[text_of(then['when'])](body, asked.target):
            return reply_of(then)
    return reply_of(case)


def fetched(case: Fields, asked: Asked) -> Reply:
    """Answer the GET of a picture as the case says."""
    answers = fields_of(case.get('fetch'))
    said = fields_of(answers.get(f'http://{asked.headers["host"]}{asked.target}'))
    if not said:
        return NOT_FOUND
    if asked.method != 'GET':
        return reply_of(fields_of(fields_of(said['methods'])[asked.method]))
    forbidden = cast('list[str]', said.get('forbid_request_headers', []))
    assert not set(forbidden) & set(asked.headers)
    required = cast('list[str]', said.get('require_request_headers', []))
    if not set(required) <= set(asked.headers):
        said = fields_of(said['otherwise'])
    return reply_of(said)


def ask_of(case: Fields) -> GenerationRequest:
    """Ask for what the recording's client asked, where an ask can hold it.

    A refused field has to have been sent, whatever value it had there: Easel sends no null.
    """
    request = fields_of(case.get('request'))
    refused = fields_of(case['expect']).get('param')
    n, form = request.get('n'), request.get('response_format')
    if refused == 'response_format':
        form = form or 'url'
    return GenerationRequest(
        prompt=text_of(request.get('prompt')) or 'a cat',
        model=text_of(request.get('model')) or None,
        n=n if isinstance(n, int) else 2 if refused == 'n' else None,
        size=Size(512, 512) if request.get('size') or refused == 'size' else None,
        quality=text_of(request.get('quality')) or ('hd' if refused == 'quality' else None),
        guidance=str(request['guidance_scale']) if 'guidance_scale' in request else None,
        response_format=ResponseFormat(text_of(form)) if form in list(ResponseFormat) else None,
    )


def expected(case: Fields) -> list[Fields]:
    """List the right outcomes of a whole case, with its mended requests and its fetches."""
    main = case.get('expect_final', case['expect'])
    others = case.get('accept') or case.get('accept_final') or []
    return [fields_of(main), *(fields_of(other) for other in cast('list[Json]', others))]


def differences(outcome: Outcome, right: Fields) -> list[str]:
    """Say in what an outcome is not the expected one."""
    if right['outcome'] == 'error':
        return differences_of_failure(outcome, right)
    found = []
    if len(outcome.kept) != right['count']:
        found.append(f'{len(outcome.kept)} pictures; {outcome.failures}')
    mimes = [kept.mime for kept in outcome.kept]
    if mimes != right.get('mimes', mimes):
        found.append(f'mimes {mimes}')
    seeds = [kept.seed for kept in outcome.kept]
    if seeds != right.get('seeds', seeds):
        found.append(f'seeds {seeds}')
    if right['kind'] in ('url', 'relative-url') and not all(k.source_url for k in outcome.kept):
        found.append('no source_url')
    if right['kind'] in ('b64', 'data-uri', 'raw') and any(k.source_url for k in outcome.kept):
        found.append('a source_url')
    if len(outcome.failures) != right.get('item_errors', len(outcome.failures)):
        found.append(f'item errors {outcome.failures}')
    return found


def differences_of_failure(outcome: Outcome, right: Fields) -> list[str]:
    failure = outcome.failures[0] if outcome.failures else Failure(kind=ErrorKind.INTERNAL)
    found = [f'{len(outcome.kept)} pictures'] if outcome.kept else []
    if failure.kind != right['kind']:
        found.append(f'{failure.kind}: {failure.words or failure.reason}')
    known = {'param': failure.param, 'retry_after_s': failure.retry_after_s}
    known['job_id'] = failure.job_id
    found += [
        f'{name} {known[name]}' for name in known if known[name] != right.get(name, known[name])
    ]
    if text_of(right.get('message_contains')) not in failure.words:
        found.append(f'words {failure.words}')
    if text_of(right.get('message')) not in failure.words:
        found.append(f'words {failure.words}')
    unwanted = text_of(right.get('message_must_not_contain'))
    if unwanted and unwanted in str(failure):
        found.append('it holds what it must not')
    return found
