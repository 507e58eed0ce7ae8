"""The class board's server: who gets in, on this computer and behind a JupyterHub."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from tornado.web import RequestHandler

from handson.board.class_folder import ClassFolder, Learner
from handson.board.server import draw_class, open_board, run_board
from handson.core import messages
from handson.core.errors import HandsonError
from handson.course.exercise import Exercise
from tests.grading import classes


class HubOAuth:
    """As jupyterhub.services.auth has it."""

    def __init__(self, oauth_client_id: str) -> None:
        self.login_url = f"/hub/login?client_id={oauth_client_id}"


class HubOAuthenticated:
    """Lets in by a token in a header, whose scopes the hub would tell."""

    xsrf_token = b"from the hub"
    scopes: ClassVar = {"teacher": {"access:services!service=board"}, "learner": {"self"}}

    def get_current_user(self: Any) -> Any:
        return self.scopes.get(self.request.headers.get("Authorization"), set()) & self.hub_scopes

    def get_login_url(self: Any) -> Any:
        return self.hub_auth.login_url


class HubOAuthCallbackHandler(HubOAuthenticated, RequestHandler):
    def get(self: Any) -> None:
        self.finish(f"back, {self.hub_auth.login_url}")


AUTH = SimpleNamespace(
    HubOAuth=HubOAuth,
    HubOAuthenticated=HubOAuthenticated,
    HubOAuthCallbackHandler=HubOAuthCallbackHandler,
)


@dataclass
class Served:
    """A board's address, its token, and the lines that it says."""

    said: list[str]

    def __post_init__(self) -> None:
        self.url, _, self.token = self.said[-1].partition("?token=")


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[Served]:
    """Serve a board from a thread of this process."""
    loop = asyncio.new_event_loop()

    def wait_for(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(loop.run_forever)
        try:
            server, said = wait_for(open_board(ClassFolder(folder), environ))
            yield Served(said)
            server.stop()
            wait_for(server.close_all_connections())
        finally:
            wait_for(loop.shutdown_default_executor())
            loop.call_soon_threadsafe(loop.stop)
    loop.close()


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
    messages.use("en")
    with serving(homes) as board:
        yield board


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


def test_the_picture_counts_the_learners_whose_check_passed() -> None:
    checks = [("passed",) * 5, ("passed", "failed", "unproven", "missing", "passed")]
    svg = draw_class([Learner(name="u01", checks=each) for each in checks], Exercise())
    assert sorted(re.findall("[0-9]+ / 2", svg)) == ["1 / 2", "1 / 2", "1 / 2", "2 / 2"]


def test_ctrl_c_and_docker_stop_end_it_without_a_word(homes: Path) -> None:
    command = [sys.executable, "-m", "handson", "board", str(homes)]
    codes = []
    for how in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            address = [process.stdout.readline() for _ in range(2)][-1].strip()
            codes.append(ask(address)[0])
            process.send_signal(how)
            codes += [process.stdout.read(), process.wait(timeout=60)]
    assert codes == [302, "", 0] * 2


SERVICE = {"JUPYTERHUB_SERVICE_PREFIX": "/services/board/"}
LACKING = {
    "board.no-folder": ("nowhere", {}),
    "board.no-secret": (".", SERVICE),
    "board.no-jupyterhub": (".", SERVICE | {"JUPYTERHUB_API_TOKEN": "t"}),
}


@pytest.mark.parametrize("key", LACKING)
def test_a_missing_folder_token_or_package_is_told(
    key: str, homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jupyterhub.services.auth", None)
    folder, environ = LACKING[key]
    with pytest.raises(HandsonError) as told:
        run_board(homes / folder, environ)
    assert told.value.key == key


def test_a_port_that_is_taken_is_told_in_two_lines(homes: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "handson", "board", str(homes), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    values = {"address": f"127.0.0.1:{port}", "reason": "Address already in use"}
    problem, _ = messages.advice("board.no-port", **values)
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (2, f"✗ {problem}")


def test_behind_a_hub_those_get_in_whom_it_gave_the_services_scope(
    homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jupyterhub.services.auth", AUTH)
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = f"http://127.0.0.1:{free.getsockname()[1]}"
    prefix = "/base/services/board/"
    environ = {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_SERVICE_PREFIX": prefix}
    with serving(homes, JUPYTERHUB_SERVICE_URL=at, **environ) as board:
        assert board.said == [messages.text("board.service", prefix=prefix)]
        url = at + prefix
        status, headers, _ = ask(url)
        assert (status, headers["Location"]) == (302, "/hub/login?client_id=service-board")
        for name in ("", "learners.json", "picture.svg"):
            asked = [ask(url + name, Authorization=who)[0] for who in ("teacher", "learner")]
            assert asked == [200, 302]
        assert '"xsrf":"from the hub"' in ask(url, Authorization="teacher")[2]
        assert ask(f"{url}oauth_callback")[2] == "back, /hub/login?client_id=service-board"
        assert ask(f"{at}/")[0] == 404


def test_in_a_terminal_of_a_hubs_server_it_is_no_service(homes: Path) -> None:
    environ = {"JUPYTERHUB_SERVICE_PREFIX": "/user/t/", "JUPYTERHUB_USER": "t"}
    with serving(homes, JUPYTERHUB_SERVICE_URL="http://0.0.0.0:1", **environ) as board:
        assert (board.url[:17], ask(board.url)[0]) == ("http://127.0.0.1:", 403)


def test_without_a_hub_no_other_address_of_this_computer_answers(homes: Path) -> None:
    with serving(homes) as board:
        port = urlsplit(board.url).port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)
