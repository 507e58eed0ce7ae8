"""The class board's server: who gets in, on this computer and behind a JupyterHub."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from html import unescape
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from tests.grading import classes

HUB = '''
"""As jupyterhub.services.auth: a token in a header, whose scopes the hub would tell."""
from tornado.web import RequestHandler

SCOPES = {"teacher": {"access:services!service=board"}, "learner": {"self"}}

class HubOAuth:
    def __init__(self, oauth_client_id):
        self.login_url = f"/hub/login?client_id={oauth_client_id}"

class HubOAuthenticated:
    xsrf_token = b"from the hub"
    def get_current_user(self):
        return SCOPES.get(self.request.headers.get("Authorization"), set()) & self.hub_scopes
    def get_login_url(self):
        return self.hub_auth.login_url

class HubOAuthCallbackHandler(HubOAuthenticated, RequestHandler):
    def get(self):
        self.finish(f"back, {self.hub_auth.login_url}")
'''


class Served:
    """A board in a process of its own; its last line so far is its address."""

    def __init__(self, folder: Path, *, lines: int = 2, **environ: str) -> None:
        command = [sys.executable, "-m", "handson", "board", str(folder), "--lang", "en"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environ}
        )
        assert self.process.stdout
        self.said = [self.process.stdout.readline().strip() for _ in range(lines)]
        self.url, _, self.token = self.said[-1].partition("?token=")

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def ask(url: str, *, method: str = "GET", **headers: str) -> tuple[int, HTTPMessage, str]:
    """Return a reply's status, headers and text; redirects are not followed."""
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        reply: HTTPResponse | urllib.error.HTTPError = urllib.request.build_opener(_Stay).open(
            request
        )
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return reply.status, reply.headers, reply.read().decode()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    classes.make_class(folder, 6)
    return folder


@pytest.fixture(scope="module")
def served(homes: Path) -> Iterator[Served]:
    board = Served(homes)
    yield board
    board.end()


def test_only_who_has_the_token_gets_in_and_keeps_it_in_a_cookie(served: Served) -> None:
    assert served.said[0] == "Open this address in a browser. Ctrl-C ends it."
    paths = ("", "learners.json", "picture.svg", "?token=", "?token=%C3%A9", "?token=x")
    assert [ask(served.url + path)[0] for path in paths] == [403] * 6
    status, headers, _ = ask(f"{served.url}?token={served.token}")
    cookie = headers["Set-Cookie"]
    assert (status, headers["Location"]) == (302, "/")
    assert ("HttpOnly" in cookie, "SameSite=Lax" in cookie) == (True, True)
    assert ask(served.url, Cookie=cookie.partition(";")[0])[0] == 200
    assert ask(served.url, Cookie=f"{cookie.partition('=')[0]}={served.token}")[0] == 403


def get(served: Served, path: str, **headers: str) -> tuple[int, HTTPMessage, str]:
    cookie = ask(f"{served.url}?token={served.token}")[1]["Set-Cookie"]
    return ask(served.url + path, Cookie=cookie.partition(";")[0], **headers)


def test_the_page_may_ask_for_nothing_but_its_own_and_no_other_page_may_show_it(
    served: Served,
) -> None:
    _, headers, page = get(served, "")
    policy = (
        unescape(page)
        .partition('http-equiv="Content-Security-Policy" content="')[2]
        .partition('"')[0]
    )
    sources = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert (sources["default-src"], sources["connect-src"]) == ("'none'", "'self'")
    assert sources["script-src"].startswith("'sha256-")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert served.token not in page


def test_another_host_name_and_other_methods_are_refused(served: Served) -> None:
    others = ("evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "")
    refused = [get(served, path, Host=it)[0] for it in others for path in ("", "?token=x")]
    assert set(refused) <= {400, 404}
    with_token = {"path": f"?token={served.token}", "Host": "evil.example"}
    assert get(served, **with_token)[0] == 404
    port = served.url.rstrip("/").rpartition(":")[2]
    assert get(served, "", Host=f"localhost:{port}")[0] == 200
    asked = [ask(served.url, method=name)[0] for name in ("POST", "PUT", "DELETE", "HEAD")]
    assert set(asked) <= {403, 405}


def test_what_has_not_changed_is_not_sent_again(served: Served) -> None:
    status, headers, text = get(served, "learners.json")
    assert (status, [it["name"] for it in json.loads(text)][:2]) == (200, ["u01", "u02"])
    again = {"If-None-Match": headers["Etag"]}
    assert get(served, "learners.json", **again)[::2] == (304, "")
    picture = get(served, "picture.svg")
    assert (picture[1]["Content-Type"], "5 / 6" in picture[2]) == ("image/svg+xml", True)


def test_ctrl_c_and_docker_stop_end_it_without_a_word(homes: Path) -> None:
    assert [Served(homes).end(how) for how in (signal.SIGINT, signal.SIGTERM)] == [0, 0]


def run(folder: Path, *options: str, **environ: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "handson", "board", str(folder), "--lang", "en", *options]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environ}, check=False
    )
    return ended.returncode, ended.stderr


def test_a_missing_folder_port_token_or_package_is_told_in_two_lines(homes: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = [
            run(homes / "nowhere"),
            run(homes, "--port", port),
            run(homes, JUPYTERHUB_SERVICE_PREFIX="/services/board/"),
            run(homes, JUPYTERHUB_SERVICE_PREFIX="/services/board/", JUPYTERHUB_API_TOKEN="t"),
        ]
    messages.use("en")
    begin = [messages.advice(f"board.{key}", path=homes / "nowhere", address=f"127.0.0.1:{port}",
             reason="Address already in use")[0] for key in ("no-folder", "no-port")]  # fmt: skip
    begin += [messages.advice("board.no-secret")[0], messages.advice("board.no-jupyterhub")[0]]
    assert [code for code, _ in refused] == [2] * 4
    assert [said.splitlines()[0] for _, said in refused] == [f"✗ {each}" for each in begin]


def test_behind_a_hub_those_get_in_whom_it_gave_the_services_scope(
    homes: Path, tmp_path: Path
) -> None:
    package = tmp_path / "jupyterhub" / "services"
    package.mkdir(parents=True)
    (package / "auth.py").write_text(HUB)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = Served(
        homes,
        lines=1,
        PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        JUPYTERHUB_API_TOKEN="t",
        JUPYTERHUB_SERVICE_PREFIX="/base/services/board/",
        JUPYTERHUB_SERVICE_URL=f"http://127.0.0.1:{port}",
    )
    url = f"http://127.0.0.1:{port}/base/services/board/"
    try:
        status, headers, _ = ask(url)
        assert (status, headers["Location"]) == (302, "/hub/login?client_id=service-board")
        for name in ("", "learners.json", "picture.svg"):
            asked = [ask(url + name, Authorization=who)[0] for who in ("teacher", "learner")]
            assert asked == [200, 302]
        assert '"xsrf":"from the hub"' in ask(url, Authorization="teacher")[2]
        assert ask(f"{url}oauth_callback")[2] == "back, /hub/login?client_id=service-board"
        assert ask(f"http://127.0.0.1:{port}/")[0] == 404
    finally:
        assert served.end(signal.SIGTERM) == 0


def test_in_a_terminal_of_a_hubs_server_it_is_no_service(homes: Path) -> None:
    board = Served(homes, JUPYTERHUB_SERVICE_PREFIX="/user/t/", JUPYTERHUB_USER="t")
    assert (board.url[:17], board.end()) == ("http://127.0.0.1:", 0)
