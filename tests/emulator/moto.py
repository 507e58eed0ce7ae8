"""moto's server, the second emulator, in a thread of this process."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen


@contextmanager
def serving() -> Iterator[str]:
    """Give the address of a server that is stopped afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def empty(endpoint: str) -> None:
    """Forget everything that the server holds."""
    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
