"""Failures on demand, for trying out a client: the model's name says which."""

import base64
import re
import time

from starlette.responses import HTMLResponse, JSONResponse, Response

_LONGEST_WAIT_S = 600
_PAGE = '<!doctype html><title>Sign in</title><h1>This is a page, not an answer</h1>'
# status: type, code, message; worded as the services word them.
_INVALID = 'invalid_request_error'
_REJECTED = 'Your request was rejected by the safety system.'
_UNVERIFIED = 'Your organization must be verified to use this model.'
_ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: (_INVALID, 'content_policy_violation', _REJECTED),
    401: (_INVALID, 'invalid_api_key', 'Incorrect API key provided: none.'),
    403: (_INVALID, 'unsupported_country_region_territory', _UNVERIFIED),
    404: (_INVALID, 'model_not_found', "The model 'fail-404' does not exist."),
    422: (_INVALID, 'unprocessable', 'The size is not one this model can draw.'),
    429: ('rate_limit_error', 'rate_limit_exceeded', 'Rate limit reached. Try again in 20 s.'),
    500: ('server_error', None, 'The server had an error while drawing.'),
    502: ('server_error', None, 'The server behind this one did not answer.'),
}


def error_response(
    message: str,
    status: int,
    kind: str = _INVALID,
    param: str | None = None,
    code: str | None = None,
) -> JSONResponse:
    """Return an error object as OpenAI sends it."""
    error = {'message': message, 'type': kind, 'param': param, 'code': code}
    return JSONResponse({'error': error}, status)


def requested_failure(model: str, origin: str) -> Response | None:
    """Return the failure that a model's name asks for, if it asks for one."""
    if not model.startswith('fail-'):
        return None
    name = model.removeprefix('fail-')
    if name.isascii() and name.isdigit() and int(name[:4]) in _ERRORS:
        status = int(name[:4])
        kind, code, message = _ERRORS[status]
        response = error_response(message, status, kind, code=code)
        if status == 429:
            response.headers['Retry-After'] = '20'
        return response
    if name == 'html':
        return HTMLResponse(_PAGE)
    if name == 'json':
        return Response('{"created": 1, "data": [{"b64_js', media_type='application/json')
    pictures: dict[str, list[dict[str, str]]] = {
        'empty': [],
        'not-an-image': [{'b64_json': base64.b64encode(_PAGE.encode()).decode()}],
        'lost': [{'url': f'{origin}/media/lost.png'}],
    }
    if name not in pictures:
        return None
    return JSONResponse({'created': int(time.time()), 'data': pictures[name], 'model': model})


def delay_s(model: str) -> float:
    """Return how many seconds a model named `slow-N` takes before it responds; 0 for any other."""
    match = re.fullmatch(r'slow-([0-9]{1,6}(?:\.[0-9]{1,3})?)', model)
    return min(float(match[1]), _LONGEST_WAIT_S) if match else 0.0
