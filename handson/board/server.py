"""Serves the class board: a page, what it shows as JSON, and the class's picture.

Without a hub it answers on 127.0.0.1 alone, to whoever opens the address with its token, which a
cookie keeps afterwards: a projector does not show it.  As a service of a JupyterHub it answers to
those whom the hub lets access the service.  It only answers GET.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, authenticated

from handson.board.class_folder import ClassFolder, Learner
from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.course import syllabus
from handson.course.course import Course
from handson.course.exercise import Exercise
from handson.drawing import draw_counts
from handson.grading.output import SIGNS, read_words
from handson.grading.report import DATA, begin_page, embed_data, read_asset

LOCAL = "127.0.0.1"
SOURCES = "img-src 'self' data:; connect-src 'self'"
"""What the page's own security policy allows besides its script and style."""
HEADERS = {
    "Cache-Control": "no-cache, private",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Handler(RequestHandler):
    def initialize(self, folder: ClassFolder) -> None:
        self.folder = folder

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    @authenticated
    async def get(self, name: str) -> None:
        # In a thread, so that a slow disk stops no answer.
        learners = await asyncio.to_thread(self.folder.read) if name else []
        if name == "learners.json":
            self.set_header("Content-Type", "application/json")
            self.finish(msgspec.json.encode(learners))
        elif name == "picture.svg":
            self.set_header("Content-Type", "image/svg+xml")
            self.finish(draw_class(learners, self.folder.exercise))
        else:
            self.finish(make_page(self.xsrf_token.decode()))


class _WithToken:
    """Lets in whoever opens the address with the token, and keeps a cookie."""

    token: str
    cookie: str
    xsrf_token = b""  # there is nothing to change

    def prepare(self: Any) -> None:
        given = self.get_query_argument("token", "")
        if hmac.compare_digest(given.encode(), self.token.encode()):
            self.set_signed_cookie(self.cookie, "in", httponly=True, samesite="Lax")
            self.redirect("/")

    def get_current_user(self: Any) -> Any:
        return self.get_signed_cookie(self.cookie)

    def get_login_url(self) -> str:
        raise HTTPError(403, reason="Open the address that handson board printed")


def make_page(xsrf: str = "") -> str:
    """Return the page in the current language; it asks for what it shows."""
    own = files("handson.board")
    style = read_asset("report.css") + own.joinpath("board.css").read_text("utf-8")
    script = own.joinpath("board.js").read_text("utf-8")
    words = read_words("board.page")
    data = {
        "words": words,
        "signs": SIGNS,
        "xsrf": xsrf,
        "checks": [messages.label("grading.report.short", it) for it in syllabus.CHECK_IDS],
        "notebooks": read_words("notebook.overview.notebook"),
    }
    head = begin_page(words["title"], style, script, sources=SOURCES)
    icon = '<link rel="icon" href="data:,">\n'  # else browsers ask the server for one
    return (
        head.replace("<title>", f"{icon}<title>", 1)
        + f"<noscript>{escape(words['noscript'])}</noscript>\n"
        + DATA.format(name="about", data=embed_data(data))
        + f"<script>{script}</script>\n</body>\n</html>\n"
    )


def draw_class(learners: list[Learner], exercise: Exercise) -> str:
    """Return the exercise's picture with, at each part, how many of the class have it, as SVG."""
    words = {}
    for place, check in enumerate(syllabus.CHECK_IDS):
        passed = sum(each.checks[place] == "passed" for each in learners)
        words[check] = f"{passed} / {len(learners)}"
    return draw_counts(words, exercise).svg


def make_application(
    folder: ClassFolder, auth: type, *, host: str = ".*", prefix: str = "/", **given: Any
) -> Application:
    """Return the application for requests to a host; `auth`, with `given`, lets them in."""
    handler = type("_BoardHandler", (auth, _Handler), given)
    application = Application(
        cookie_secret=secrets.token_bytes(32),
        log_function=lambda handler: None,  # an address may hold the token
    )
    path = f"{prefix}(|learners[.]json|picture[.]svg)"
    application.add_handlers(host, [(path, handler, {"folder": folder})])
    return application


def run_board(
    folder: Path, environ: Mapping[str, str], *, course: Course = Course(), port: int = 0
) -> None:
    """Answer until Ctrl-C or SIGTERM; without a hub, the address is the last line that is printed.

    Args:
        folder: The folder of the learners' folders.
        environ: The environment, in which a JupyterHub describes its service.
        course: The class's course.
        port: The port on 127.0.0.1 without a hub, or 0 for a free one.

    Raises:
        InvalidInput: There is no such folder.
        NotReady: The port is taken, or a hub's service lacks its token or the package jupyterhub.
    """
    if not folder.is_dir():
        raise InvalidInput.from_key("board.no-folder", path=folder)
    asyncio.run(_serve(ClassFolder(folder, course), environ, port))


async def _serve(folder: ClassFolder, environ: Mapping[str, str], port: int) -> None:
    _, lines = await open_board(folder, environ, port=port)
    ended = asyncio.Event()
    with suppress(NotImplementedError, AttributeError):  # Windows has its KeyboardInterrupt alone
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # A handler of `signal` would not wake a loop that is about to wait.
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), ended.set)
    print(*lines, sep="\n", flush=True)
    await ended.wait()


async def open_board(
    folder: ClassFolder, environ: Mapping[str, str], *, port: int = 0
) -> tuple[HTTPServer, list[str]]:
    """Answer in the running loop; return the server, and the lines that say where.

    Raises:
        NotReady: As `run_board` has it.
    """
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    # A server of one user has a prefix, too, and is no service.
    is_service = bool(prefix) and "JUPYTERHUB_USER" not in environ
    url = urlsplit(environ.get("JUPYTERHUB_SERVICE_URL", "") if is_service else "")
    host, port = url.hostname or LOCAL, url.port or port
    application = _make_service(folder, prefix, environ) if is_service else None
    with NotReady.replace_os_errors("board.no-port", address=f"{host}:{port}"):
        sockets = bind_sockets(port, host, socket.AF_INET)
    if application:
        lines = [messages.text("board.service", prefix=prefix)]
    else:
        token, port = secrets.token_urlsafe(), sockets[0].getsockname()[1]
        own = {"token": token, "cookie": f"handson-board-{port}"}
        # Under another name, another site's page may lead here (DNS rebinding).
        application = make_application(folder, _WithToken, host=r"(127\.0\.0\.1|localhost)", **own)
        lines = [messages.text("board.open"), f"http://{LOCAL}:{port}/?token={token}"]
    server = HTTPServer(application)
    server.add_sockets(sockets)
    return server, lines


def _make_service(folder: ClassFolder, prefix: str, environ: Mapping[str, str]) -> Application:
    """Return the application behind a hub's OAuth."""
    if not environ.get("JUPYTERHUB_API_TOKEN"):
        raise NotReady.from_key("board.no-secret")
    try:
        auth = import_module("jupyterhub.services.auth")  # the learner's image has it
    except ImportError as error:
        raise NotReady.from_key("board.no-jupyterhub") from error
    name = prefix.strip("/").rpartition("/")[2]
    hub = auth.HubOAuth(oauth_client_id=environ.get("JUPYTERHUB_CLIENT_ID", f"service-{name}"))
    # Without scopes any user's token would be enough.
    scopes = {"access:services", f"access:services!service={name}"}
    given = {"hub_auth": hub, "hub_scopes": scopes}
    application = make_application(folder, auth.HubOAuthenticated, prefix=prefix, **given)
    callback = type("_Callback", (auth.HubOAuthCallbackHandler,), {"hub_auth": hub})
    application.add_handlers(".*", [(prefix + "oauth_callback", callback)])
    return application
