"""Servers on this machine, for what tests play: a registry, AWS, an engine, a proxy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answering(BaseHTTPRequestHandler):
    """Reads requests and answers them; connections stay open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def read_body(self, most: int = 1 << 40) -> bytes:
        """Return what is sent; ConnectionAbortedError is raised where it is more than `most`."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            if length > most:
                raise ConnectionAbortedError
            return self.rfile.read(length)
        received = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            received += self.rfile.read(size)
            self.rfile.readline()
            if len(received) > most:
                raise ConnectionAbortedError
        self.rfile.readline()
        return bytes(received)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send an answer, with these headers in the place of the usual ones."""
        usual = {"Date": self.date_time_string(), "Content-Length": str(len(body))}
        self.send_response_only(status)
        for name, value in {**usual, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Give the address of a server with that handler: host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True  # whoever keeps a connection open does not keep the test
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
