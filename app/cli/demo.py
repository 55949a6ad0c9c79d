"""`easel demo`: serve the built-in demo provider alone."""

import sys

import uvicorn

from app.demo.server import create_demo
from app.server.listeners import PortTaken, listen


def demo(host: str, port: int) -> int:
    try:
        listening = listen(host, port)
    except PortTaken as error:
        sys.stderr.write(f'{error}\n')
        return 1
    port = listening.getsockname()[1]
    sys.stderr.write(f'The demo server is at http://localhost:{port}/v1/images/generations\n')
    config = uvicorn.Config(create_demo(), log_level='warning', access_log=False, lifespan='off')
    with listening:
        uvicorn.Server(config).run(sockets=[listening])
    return 0
