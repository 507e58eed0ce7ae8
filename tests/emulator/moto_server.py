"""moto's server in a process of its own, on a free port of 127.0.0.1.

Started by path as ``python -P moto_server.py``: it writes its port on a line of its own, and ends
when its standard input is closed, so that it never outlives the tests.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from threading import Thread
from typing import Any


def serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

    class Dispatcher(DomainDispatcherApplication):
        """Remembers which host is which service: looking it up takes longer than most calls."""

        @cache  # noqa: B019  there is one dispatcher, which lives as long as the process
        def get_backend_for_host(self, host: str | None) -> Any:
            return super().get_backend_for_host(host)

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            """Answer at /v2/ as ECR does: an address without a registry is not pushed to."""
            if environ["PATH_INFO"] != "/v2/":
                return super().__call__(environ, start_response)
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return []

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def log_request(self, *_: Any) -> None:
            """Say nothing of each request."""

    app = Dispatcher(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
