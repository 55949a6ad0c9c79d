"""Every error as a response: a page, a fragment, or JSON, by what was asked for."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_, AppError, InvalidRequest, Malformed, NotFound, WrongMethod
from app.web.templates import (
    Language,
    Renderer,
    address_of,
    language_of,
    wants_fragment,
    wants_json,
)


class ErrorPages:
    """Handlers of every error that a page raises."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def install(self, app: FastAPI) -> None:
        async def on_error(request: Request, error: Exception) -> Response:
            return await self.response(request, _app_error(error))

        for kind in (AppError, HTTPException, Exception):
            app.add_exception_handler(kind, on_error)

    async def response(self, request: Request, error: AppError) -> Response:
        """Write an error in the visitor's language, in the form that was asked for."""
        language = self._renderer.language(language_of(request))
        page = partial(self._renderer.page, request, status=error.status)
        response: Response
        if wants_json(request):
            response = JSONResponse({'error': failure_json(error, language)}, error.status)
        elif error.status == 401:
            back = address_of(request) if request.method == 'GET' else ''
            response = page('pages/sign_in.html', message='', back=back)
        else:
            template = 'pages/error_line.html' if wants_fragment(request) else 'pages/error.html'
            response = page(template, error=error, message=in_words(error, language))
        if error.status == 429:
            response.headers['Retry-After'] = str(error.retry_after_s)
        if error.status == 400:
            response.headers['Connection'] = 'close'
        return response


def in_words(error: AppError, language: Language) -> str:
    """Translate an error's sentence and put its places in."""
    return language.translate(error.sentence).format(**error.places)


def fields_in_words(error: AppError | None, language: Language) -> dict[str, str]:
    """Return the sentence for each form field that is wrong."""
    return {name: in_words(one, language) for name, one in error.fields.items()} if error else {}


def failure_json(error: AppError, language: Language) -> dict[str, object]:
    return {
        'kind': error.kind,
        'message': in_words(error, language),
        'fields': fields_in_words(error, language),
    }


def _app_error(error: Exception) -> AppError:
    """Return a sentence for what the framework raised, or for a fault of our own."""
    if isinstance(error, AppError):
        return error
    if not isinstance(error, HTTPException):
        sentence = N_('Internal error in Easel ({reason}). The log has the details.')
        return AppError(sentence, reason=type(error).__name__)
    if error.status_code == 404:
        return NotFound(N_('Page not found.'))
    if error.status_code == 405:
        return WrongMethod(N_('This address needs a different HTTP method.'))
    kind = Malformed if error.status_code == 400 else InvalidRequest
    return kind(N_("The request couldn't be read."))
