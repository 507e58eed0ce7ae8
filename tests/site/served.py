"""The browser edition on a static host of our own, and a page that shows one of its notebooks."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Mapping
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
EXPOSED = "exposeAppInBrowser"
"""JupyterLite's setting that lets a page's scripts ask JupyterLab."""


class StaticHost:
    """Serves a built site on 127.0.0.1, compressed, as static hosts do.

    Attributes:
        sent: The bytes that went out, headers left out.
        missing: The paths that were asked for and are not there.
        filled: The code of cells by id, which replaces that of the notebooks served.
    """

    def __init__(self, site: Path) -> None:
        self.site, self.sent, self.missing = site, 0, list[str]()
        self.filled: Mapping[str, str] = {}
        host = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64  # a page asks for many files at once

            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exc_info()[1], ConnectionError):  # the page was left
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, request: SimpleHTTPRequestHandler) -> None:
        path = self.site / unquote(urlsplit(request.path).path).lstrip("/")
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.missing.append(request.path)
            request.send_error(404)
            return
        body = self._read(path)
        self.sent += len(body)
        request.send_response(200)
        kind = TYPES.get(path.suffix) or request.guess_type(str(path))
        headers = {"Content-Type": kind, "Content-Encoding": "gzip", "Cache-Control": "max-age=600"}
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _read(self, path: Path) -> bytes:
        if path.suffix == ".ipynb":
            notebook = json.loads(path.read_text(encoding="utf-8"))
            for cell in notebook["cells"]:
                cell["source"] = self.filled.get(cell["id"], cell["source"])
            return gzip.compress(json.dumps(notebook).encode())
        if path.name == "jupyter-lite.json" and path.parent.parent == self.site:
            config = json.loads(path.read_text(encoding="utf-8"))
            config["jupyter-config-data"][EXPOSED] = "true"
            return gzip.compress(json.dumps(config).encode())
        return _compress(path)


@cache
def _compress(path: Path) -> bytes:
    return gzip.compress(path.read_bytes())


class Edition:
    """One language of the site, in the place of the `Lab` that `tests.browser.lab.Opened` takes."""

    def __init__(self, host: StaticHost, page: Any, lang: str) -> None:
        self.base, self.page, self.edition = host.base, page, lang

    def path_of(self, name: str) -> str:
        return f"{self.edition}/{name}.ipynb"

    def address_of(self, path: str) -> str:
        return f"{self.base}/{self.edition}/notebooks/index.html?path={path}"

    def saved(self, name: str) -> dict[str, Any]:
        notebook: dict[str, Any] = self.page.evaluate(_SAVED, self.path_of(name))
        return notebook


_SAVED = """async path =>
  (await jupyterapp.serviceManager.contents.get(path, { content: true })).content"""
