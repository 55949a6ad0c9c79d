"""Every error as a response: a page, a fragment, or JSON, by what was asked for."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_, AppError, InvalidRequest, Malformed, NotFound, WrongMethod
from app.log import logger
from app.web.templates import (
    Language,
    Renderer,
    address_of,
    language_of,
    wants_fragment,
    wants_json,
)

log = logger(__name__)


class ErrorPages:
    """Handlers of every error that a page raises."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def install(self, app: FastAPI) -> None:
        """Register a handler for every error of the app."""
        app.add_exception_handler(AppError, self._on_app_error)
        app.add_exception_handler(HTTPException, self._on_framework_error)
        app.add_exception_handler(Exception, self._on_fault)

    async def answer(self, request: Request, error: AppError) -> Response:
        """Say what went wrong, in the visitor's language and the form that was asked for."""
        response = self._in_form(request, error)
        if error.status == 429:
            response.headers['Retry-After'] = str(error.retry_after_s)
        if error.status == 400:
            response.headers['Connection'] = 'close'
        return response

    def _in_form(self, request: Request, error: AppError) -> Response:
        language = self._renderer.language(language_of(request))
        if wants_json(request):
            return JSONResponse({'error': failure_json(error, language)}, error.status)
        template = 'pages/error.html'
        if error.status == 401:
            back = address_of(request) if request.method == 'GET' else ''
            return self._renderer.page(
                request, 'pages/sign_in.html', status=401, message='', back=back
            )
        if wants_fragment(request):
            template = 'pages/error_line.html'
        return self._renderer.page(
            request, template, status=error.status, error=error, message=in_words(error, language)
        )

    async def _on_app_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, AppError)  # noqa: S101 (registered for it)
        return await self.answer(request, error)

    async def _on_framework_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
        return await self.answer(request, _from_framework(error))

    async def _on_fault(self, request: Request, error: Exception) -> Response:
        sentence = N_('A fault in Easel itself ({reason}). The log has the details.')
        return await self.answer(request, AppError(sentence, reason=type(error).__name__))


def in_words(error: AppError, language: Language) -> str:
    """Translate an error's sentence and put its places in."""
    return language.translate(error.sentence).format(**error.places)


def failure_json(error: AppError, language: Language) -> dict[str, object]:
    """Return an error as public JSON."""
    return {
        'kind': error.kind,
        'message': in_words(error, language),
        'fields': {name: in_words(wrong, language) for name, wrong in error.fields.items()},
    }


def _from_framework(error: HTTPException) -> AppError:
    if error.status_code == 404:
        return NotFound(N_('There is no such page.'))
    if error.status_code == 405:
        return WrongMethod(N_('This address takes another method.'))
    if error.status_code == 400:
        return Malformed(N_('The request could not be read.'))
    return InvalidRequest(N_('The request could not be read.'))
