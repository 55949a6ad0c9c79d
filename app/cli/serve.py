"""Starts the server: hold the data folder, bind the port, say where, open the browser."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

from app import __version__
from app.access.sharing import SharingSettings, Source
from app.access.visitors import Proxies
from app.config import Config, can_show_browser
from app.errors import AppError
from app.gallery.index_upkeep import keep_merged
from app.main import create_app, open_services, read_sharing
from app.net.urls import origin_of
from app.providers.discovery.local_servers import UNASKED
from app.server.listeners import Listeners, PortTaken, listen, listen_everywhere
from app.server.protocol import SPARE_FILES, ConnectionLimiter
from app.server.stopping import StoppingServer
from app.storage.lock import Held, Holder, announce, holding, why_unusable
from app.tasks import end_tasks, logging_faults
from app.web.context import Services
from app.web.security.routes import is_own
from app.web.views.notices import notices_of
from app.web.views.providers import NO_API

SETTLE_S = 0.05
AFTER_START_S = 0.3  # asking loads modules, and the first page comes first
MOST_CONNECTIONS = 10_000
# A full collection with 2,000 open streams takes 90 ms; at 50,000 pages leave 20 MB before one.
COLLECT_AT = (10_000, 25, 100)
WRONG_USAGE = 2
SWITCH_S = 0.0005  # of Python's own 0.005
Result = TypeVar('Result')
THROWN_AWAY = """\
  This folder isn't on a named volume, so a new container starts without these pictures.
  Use one: docker run -v easel-data:/data … (docs/docker.md)
"""
NO_SERVER = """\
  server    no image server at {where} yet, so Easel draws demo sketches.
  To start a g4f server on this computer:
    pip install "g4f[api]"
    g4f api --bind 127.0.0.1:1337 --no-gui
  (g4f passes prompts on to third parties. To use another server: Settings.)
"""


def serve(config: Config, *, browser: bool) -> int:
    if is_own(config.root_path):
        refused = f"EASEL_ROOT_PATH is {config.root_path!r}; a path that Easel itself doesn't use"
        return _stop(f'{refused} is allowed.', WRONG_USAGE)
    browser = browser and can_show_browser()
    try:
        with holding(config.data), contextlib.ExitStack() as stack:
            sharing = read_sharing(config)
            if sharing.is_shared and not sharing.is_fixed:
                sockets = listen_everywhere(config.port)
            else:
                sockets = [listen(config.host, config.port)]
            for listening in sockets:
                stack.enter_context(listening)
            run(_serve(config, sharing, sockets, browser=browser))
        return 0
    except PortTaken as error:
        return _stop(str(error))
    except Held as held:
        return _already(config, held.holder, browser=browser)
    except OSError as error:
        return _stop(why_unusable(config.data, error))
    except AppError as error:
        if isinstance(error.__cause__, PermissionError):
            return _stop(why_unusable(config.data, error.__cause__))
        return _stop(str(error))


def run(main: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine on the fastest loop there is."""
    # apsw lets go of the interpreter at each row, and beside a busy loop every row waits so long
    sys.setswitchinterval(SWITCH_S)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def _serve(
    config: Config, sharing: SharingSettings, sockets: list[socket.socket], *, browser: bool
) -> None:
    port = sockets[0].getsockname()[1]
    url = _url(config, port)
    async with open_services(config, sharing=sharing) as services:
        services.providers.never_call(port)
        services.local_servers.never_ask(port)
        limiter = ConnectionLimiter(Proxies(config.trusted_proxies), _connections())
        server = StoppingServer(create_app(services), services, limiter)
        server.listen_to_signals()
        sharing.listener = Listeners(server, sockets, config.host, port)
        await services.worker.start()
        services.maintenance.nightly.start()
        services.recovery.start()
        await services.acts.resume()
        services.trash.start()
        announce(config.data, url, port)
        new = ' (new)' if services.recovery.folder.is_new else ''
        _say(f'Easel {__version__}\n  open      {url}\n  data      {config.data}{new}\n')
        if services.local_servers.in_container:
            _warn_of_volume(config.data)
        for notice in notices_of(services):
            _say(f'  notice    {notice} {notice.cure.format(**notice.places)}\n')
        if sharing.is_shared:
            _print_network(config, sharing, port)
        printing = asyncio.create_task(logging_faults(lambda: _tell(services)))
        merging = asyncio.create_task(
            logging_faults(
                lambda: keep_merged(
                    services.library,
                    lambda: services.acts.are_running or services.worker.is_drawing,
                )
            )
        )
        if browser:
            asyncio.get_running_loop().run_in_executor(None, _show, url)
        await server.serve(sockets=sockets)
        await end_tasks(printing, merging)


def _connections() -> int:
    """Raise the soft limit of open files; return how many connections it carries."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard != resource.RLIM_INFINITY:
            return min(MOST_CONNECTIONS, max(hard - SPARE_FILES, hard // 2))
    return MOST_CONNECTIONS


def _warn_of_volume(data: Path) -> None:
    from app.recovery.volume import is_thrown_away  # of containers alone

    if is_thrown_away(data):
        _say(THROWN_AWAY)


def _print_network(config: Config, sharing: SharingSettings, port: int) -> None:
    from app.net.lan import origins
    from app.web.views.qr_code import terminal_qr_code

    found = [f'{one}{config.root_path}/' for one in origins(sharing.listens_on, port)]
    password = sharing.password
    for address in found:
        _say(f'  network   {address}\n')
    if password and password.source is Source.MADE:
        _say(f'  password  {password.kept}\n')
    if found and sys.stdout.isatty():
        _say(terminal_qr_code(found[0]))
    _say(
        '  This is plain http: anyone who can listen to the network can read it '
        '(docs/sharing.md).\n'
    )


async def _tell(services: Services) -> None:
    """Say what needs no saying before the first page."""
    await asyncio.sleep(SETTLE_S)
    gc.collect()  # 0.4 MB that importing left, for the modules that asking loads
    gc.freeze()
    gc.set_threshold(*COLLECT_AT)
    gc.enable()
    await asyncio.sleep(AFTER_START_S)
    await print_providers(services)


async def print_providers(services: Services) -> None:
    """Print who draws, as soon as that is known; where nobody chose, search for others."""
    enabled = services.providers.enabled()
    await asyncio.gather(*(one.ask_again() for one in enabled))
    for provider in enabled:
        status, where = provider.status, origin_of(provider.settings.base_url)
        name = provider.name if provider.name == str(where) else f'{provider.name} at {where}'
        if status.answered:
            known = f', models: {len(status.models)}' if status.models else ''
            trouble = f' ({status.reason})' if status.reason else ''
            _say(f'  server    {name} answers{known}{trouble}\n')
            if status.reason in NO_API:
                _say('  Most addresses end in /v1: test it in Settings.\n')
        elif services.providers.demo_stands_in:
            _say(NO_SERVER.format(where=where))
        else:
            _say(f"  server    {name} doesn't answer ({status.reason})\n")
    if services.providers.guess_stands:
        await services.local_servers.look(UNASKED)
    if not enabled:
        _say('  server    all servers are turned off in Settings\n')


def _url(config: Config, port: int) -> str:
    everywhere = ('127.0.0.1', '0.0.0.0', '::1', '::')  # noqa: S104 (only compared)
    host = 'localhost' if config.host in everywhere else config.host
    shown = f'[{host}]' if ':' in host else host
    return f'http://{shown}:{port}{config.root_path}/'


def _already(config: Config, holder: Holder, *, browser: bool) -> int:
    if holder.port and holder.port == config.port:
        _say(f'Easel is already running: {holder.url}\n')
        if browser:
            _show(holder.url)
        return 0
    where = f' at {holder.url}' if holder.url else ''
    return _stop(
        f'The data folder {config.data} is in use by process {holder.pid}{where}; '
        f'a second Easel at {_url(config, config.port)} needs another --data.'
    )


def _show(url: str) -> None:
    import webbrowser  # 2 ms that few starts need

    webbrowser.open(url)


def _say(text: str) -> None:
    """Print what a terminal wants to know; one that is full or gone must not stop the work."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = Path(os.devnull).open('w', encoding='utf-8')  # noqa: SIM115


def _stop(sentence: str, status: int = 1) -> int:
    sys.stderr.write(sentence + '\n')
    return status
