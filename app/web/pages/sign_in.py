"""Signing in and out, and the password itself."""

from __future__ import annotations

import asyncio
import contextlib
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.access.sharing import hashed_password
from app.config import LEAST_PASSWORD
from app.errors import N_, InvalidRequest, SignInRequired, TooManyGuesses
from app.log import logger
from app.web.context import Services, TheServices
from app.web.error_pages import fields_in_words, in_words
from app.web.forms import form_fields
from app.web.security.permissions import (
    check_still_owner,
    check_wait,
    set_device_cookie,
    set_session_cookie,
    visitor_of,
)
from app.web.templates import say_saved, wants_json

log = logger(__name__)

LONGEST_PASSWORD = 1_000
WRONG = N_('Wrong password.')
OWN_PAGE = re.compile(
    r'/(?:(?:gallery|settings(?:/keeping)?|share|install|generations|prompts|images/\d+)'
    r'(?:\?[\w=&%+.-]*)?)?'
)


async def session_page(request: Request, services: TheServices) -> Response:
    """Show as whom the visitor is here; raise `SignInRequired`, whose page is the form, if not."""
    visitor = visitor_of(request)
    if not visitor.owner and not visitor.guest:
        raise SignInRequired(N_('This Easel needs a password. Sign in first.'))
    if wants_json(request):
        fields = {
            'role': 'owner' if visitor.owner else 'guest',
            'name': visitor.guest.name if visitor.guest else None,
            'may_create': visitor.makes,
            'may_see_all': visitor.only is None,
        }
        return JSONResponse(fields)
    if not services.sessions.needed:
        return RedirectResponse('/', 303)
    return services.renderer.page(request, 'pages/session.html')


async def sign_in(request: Request, services: TheServices) -> Response:
    """Check a password; a wrong one shows the form again."""
    fields = await form_fields(request)
    back = fields.get('back', '')
    try:
        cookie = await _cookie_for(request, services, fields.get('password', ''))
    except (SignInRequired, TooManyGuesses, InvalidRequest) as error:
        if wants_json(request):
            raise
        message = in_words(error, services.language(request))
        response = services.renderer.page(
            request, 'pages/sign_in.html', status=error.status, message=message, back=back
        )
        if isinstance(error, TooManyGuesses):
            response.headers['Retry-After'] = str(error.retry_after_s)
        return response
    log.info('%s signed in', visitor_of(request).address)
    response = RedirectResponse(back if OWN_PAGE.fullmatch(back) else '/', 303)
    set_session_cookie(request, services, response, cookie)
    return set_device_cookie(request, services, response)


async def sign_out(request: Request, services: TheServices) -> Response:
    """End this session wherever its cookie is, and have the browser forget it."""
    response = RedirectResponse('/session', 303)
    scheme = request.scope['scheme']
    await services.sessions.sign_out(request.headers, scheme)
    services.changes.doubt()
    name = services.sessions.cookie_name_on(scheme)
    response.delete_cookie(name, secure=scheme == 'https', httponly=True, samesite='strict')
    return response


async def change_password(request: Request, services: TheServices) -> Response:
    """Set another password, the first one too; every other session ends at once."""
    fields = await form_fields(request)
    try:
        await _change(request, services, fields.get('current', ''), fields.get('new', ''))
    except InvalidRequest as error:
        if wants_json(request):
            raise
        return services.renderer.page(
            request,
            'pages/password.html',
            status=error.status,
            sharing=services.sharing,
            wrong=fields_in_words(error, services.language(request)),
        )
    services.changes.doubt()
    log.warning('%s changed the password; every other session ends', visitor_of(request).address)
    response = RedirectResponse('/settings#password', 303)
    set_session_cookie(request, services, response, services.sessions.cookie_for())
    return say_saved(request, response)


async def _change(request: Request, services: Services, current: str, new: str) -> None:
    """Raise `InvalidRequest` with the field that is wrong, or `Conflict`."""
    if not LEAST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        sentence = N_('The password must have {least} to {most} characters.')
        error = InvalidRequest(sentence, least=LEAST_PASSWORD, most=LONGEST_PASSWORD)
        raise _in_field('new', error)
    async with services.sharing.lock:
        check_still_owner(request, services)
        if services.sharing.password:
            try:
                await _cookie_for(request, services, current)
            except (SignInRequired, InvalidRequest) as error:
                raise _in_field('current', InvalidRequest(WRONG)) from error
        services.sharing.change_password(await asyncio.to_thread(hashed_password, new))


def _in_field(name: str, error: InvalidRequest) -> InvalidRequest:
    error.fields[name] = error
    return error


async def _cookie_for(request: Request, services: Services, given: str) -> str:
    """Return the session for the right password; raise `SignInRequired` for a wrong one."""
    visitor = visitor_of(request)
    if len(given) > LONGEST_PASSWORD:  # nothing is computed for it
        raise InvalidRequest(N_('This password is too long.'))
    throttle = services.password_throttle
    device = services.sessions.device_in(request.headers, request.scope['scheme'])
    who = device or visitor.throttle_key
    if device:  # whoever guesses from the same address does not hold it up
        throttle.know(device)
    try:
        check_wait(throttle.take(who))
    except TooManyGuesses:
        log.warning('%s: too many wrong passwords', visitor.address)
        raise
    async with contextlib.AsyncExitStack() as turn:
        if not throttle.knows(who):
            await turn.enter_async_context(services.guess_turn)  # a crowd has one core to itself
        cookie = await asyncio.to_thread(services.sessions.sign_in, given)
    if cookie is None:
        log.warning('%s: a wrong password', visitor.address)
        raise SignInRequired(WRONG)
    throttle.trust(who)
    return cookie
