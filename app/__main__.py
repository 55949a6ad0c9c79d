"""The commands: `easel [serve]`, `generate`, `demo`, `doctor`, and those that keep the data."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from app import __version__

if TYPE_CHECKING:
    from app.config import Config

KEEPING = {
    'backup': 'back up everything to one file, also while a server runs',
    'restore': 'restore a backup to a new data folder',
    'import': 'copy the pictures of a folder into the gallery, also while a server runs',
    'export': 'write pictures as web pages that open from disk, also while a server runs',
    'verify': 'compare every picture with the database, also while a server runs',
    'rebuild': 'rebuild the database from the pictures',
}
FILES = (  # of the first of them
    'where to write it, for you only: it holds keys and passwords; - for standard output',
    'the backup; - for standard input',
)
TAKES = 'a new or empty folder, or one of an earlier export, which is brought up to date'
BRINGS = "Easel's data folder, or one of AUTOMATIC1111, ComfyUI, InvokeAI or any pictures"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 wrong usage."""
    for name in ('stdout', 'stderr'):
        stream = getattr(sys, name)
        if stream is None:  # closed: the next file opened would be taken for it
            setattr(sys, name, Path(os.devnull).open('w', encoding='utf-8'))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):  # whatever the locale can write, and any file name
            with suppress(OSError):  # what it was opened for is gone
                stream.reconfigure(encoding='utf-8', errors='surrogateescape')
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith('-') and given[0] not in ('-h', '--help')):
        given.insert(0, 'serve')
    chosen = _parser().parse_args(given)
    if chosen.command == 'demo':
        from app.cli.demo import demo

        return demo(chosen.host, chosen.port)
    from app import log
    from app.config import read_config
    from app.env import ConfigError

    try:
        named = {name: getattr(chosen, name) for name in ('host', 'port', 'data', 'share')}
        config = read_config(**named)
    except ConfigError as error:
        sys.stderr.write(f'{error}\n')
        return 2
    log.start(config.log_level, config.log_format)
    for warning in config.warnings:
        log.logger('app.config').warning('%s', warning)
    try:
        return _run(chosen, config)
    except KeyboardInterrupt:
        return 130


def _run(chosen: argparse.Namespace, config: Config) -> int:
    """Run a command with what it alone imports."""
    if chosen.command == 'generate':
        from app.cli.generate import Order, generate
        from app.cli.sources import SourceFiles
        from app.models.request import REQUEST_FIELDS

        fields = {name: str(getattr(chosen, name, '')) for name in REQUEST_FIELDS}
        if chosen.prompt == '-':
            fields['prompt'] = sys.stdin.read()
        files = SourceFiles(chosen.source, chosen.mask_file)
        return generate(config, Order(fields, chosen.out, chosen.json, chosen.forget, files))
    if chosen.command in KEEPING:
        return _keep(chosen, config)
    if chosen.command == 'doctor':
        import asyncio

        from app.cli.doctor import doctor
        from app.providers.discovery.fingerprints import SAME_PORTS
        from app.providers.discovery.local_servers import find_environment

        return doctor(config, asyncio.run(find_environment()), SAME_PORTS, as_json=chosen.json)
    gc.disable()  # nothing is garbage while all is imported; `serve` turns it on again
    from app.cli.serve import serve

    return serve(config, browser=not chosen.no_browser)


def _keep(chosen: argparse.Namespace, config: Config) -> int:
    if chosen.command == 'verify':
        from app.cli.verify import verify

        return verify(config)
    if chosen.command == 'backup':
        from app.cli.backup import backup

        return backup(config, chosen.file)
    if chosen.command == 'restore':
        from app.cli.restore import restore

        return restore(config, chosen.file)
    if chosen.command == 'export':
        from app.cli.export import Wanted, export

        return export(config, chosen.folder, Wanted(chosen.album, chosen.search))
    if chosen.command == 'import':
        from app.cli.importing import import_folder

        return import_folder(config, chosen.folder, chosen.album)
    from app.cli.rebuild import rebuild

    return rebuild(config)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser('easel', description='A web UI for image-generation APIs.')
    commands = parser.add_subparsers(dest='command', required=True)
    serve = commands.add_parser('serve', help='serve the web UI (the default)')
    serve.add_argument('--host', help='address to listen on (EASEL_HOST, 127.0.0.1)')
    serve.add_argument('--port', type=_port, help='port to listen on (EASEL_PORT, 8484)')
    serve.add_argument('--data', help='data folder (EASEL_DATA)')
    serve.add_argument('--share', action='store_true', help='open to the network, with a password')
    serve.add_argument('--no-browser', action='store_true', help="don't open the browser")
    serve.add_argument('--version', action='version', version=f'Easel {__version__}')
    generate = commands.add_parser('generate', help='generate pictures from the command line')
    _add_request(generate)
    keeping = [commands.add_parser(name, help=about) for name, about in KEEPING.items()]
    for command, about in zip(keeping, FILES, strict=False):
        command.add_argument('file', metavar='FILE.tar', help=about)
    _add_folders(*keeping[len(FILES) :])
    doctor = commands.add_parser('doctor', help='test your image servers and find others')
    doctor.add_argument('--json', action='store_true', help='print one JSON object')
    for command in (generate, doctor, *keeping):
        command.add_argument('--data', help='data folder (EASEL_DATA)')
        command.set_defaults(host='127.0.0.1', port=None, share=False)
    demo = commands.add_parser('demo', help='serve the built-in demo server only')
    demo.add_argument('--host', default='127.0.0.1')
    demo.add_argument('--port', type=_port, default=1337)
    return parser


def _add_request(generate: argparse.ArgumentParser) -> None:
    """Say what is asked for, and where it goes."""
    option = generate.add_argument
    option('prompt', help='the prompt; - reads it from standard input')
    option('--model', default='')
    option('--size', default='', metavar='WxH')
    option('-n', default='', metavar='COUNT', help='how many pictures, 1 to 10')
    option('--seed', default='')
    option('--response-format', default='', choices=['url', 'b64_json'])
    option('--negative-prompt', default='', metavar='TEXT')
    option('--quality', default='')
    option('--steps', default='', metavar='COUNT')
    option('--guidance', default='', metavar='NUMBER')
    option('--sampler', default='', metavar='NAME')
    option('--provider', default='', metavar='NAME', help='which server to use')
    about = 'a picture to start from; again for more'
    option('--source', type=Path, action='append', default=[], metavar='FILE', help=about)
    about = 'a PNG of the size of the first: white may change'
    option('--mask', dest='mask_file', type=Path, metavar='FILE', help=about)
    option('--strength', default='', metavar='NUMBER', help='how much may change, 0 to 1')
    about = 'lay what the mask keeps back over the answer'
    option('--paste-back', action='store_const', const='1', default='', help=about)
    option('--out', type=Path, metavar='DIR', help='copy the pictures to this folder')
    option('--json', action='store_true', help='print one JSON object')
    option('--forget', action='store_true', help='first forget what Easel learned about the server')


def _add_folders(
    importing: argparse.ArgumentParser,
    exporting: argparse.ArgumentParser,
    *_: argparse.ArgumentParser,
) -> None:
    """Say which folder a command is for, and which pictures."""
    importing.add_argument('folder', type=Path, metavar='DIR', help=BRINGS)
    importing.add_argument('--album', default='', metavar='NAME', help='put them in this album')
    exporting.add_argument('folder', type=Path, metavar='DIR', help=TAKES)
    which = exporting.add_mutually_exclusive_group()
    which.add_argument('--album', default='', metavar='NAME', help='only the pictures of an album')
    which.add_argument('--search', default='', metavar='Q', help='only what a search finds')


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError('a port must be from 0 to 65535')
    return port


if __name__ == '__main__':
    sys.exit(main())
