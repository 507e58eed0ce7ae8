"""No secret anywhere: the workshop with marked credentials, and everything it leaves searched."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from handson import engine
from handson.aws import settings
from handson.aws.emulator import Running
from handson.core.errors import HandsonError, InvalidInput
from handson.core.progress import TerminalProgress, ignore_progress
from handson.engine.containers import DockerContainers
from handson.engine.model import Destination, LocalImage, RunRequest
from handson.notebook import workshop
from handson.notebook.workshop import Workshop
from tests.emulator import hooks
from tests.emulator.faults import Call
from tests.emulator.interceptor import Marks, intercepting
from tests.emulator.leaks import forms, leaked, leaks_among, leaks_in
from tests.emulator.proxy import Proxy
from tests.unit.test_engine_containers import DIGEST, Client, refused

pytestmark = [pytest.mark.process, pytest.mark.emulator, pytest.mark.notebooks]

MARKS = Marks()
SECRETS = asdict(MARKS)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Learner:
    """Somebody who uses real AWS, as far as anybody can tell from here."""

    proxy: Proxy
    environ: dict[str, str]
    home: Path

    def run(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "handson", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environ, **changes},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="module")
def learner(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    hooks.reset(running)
    folder = tmp_path_factory.mktemp("learner")
    (folder / "keys").mkdir()
    with intercepting(running.port, folder / "keys", MARKS) as (proxy, environ):
        home = folder / "home"
        yield Learner(proxy, {**environ, "HANDSON_HOME": str(home)}, home)


@pytest.fixture(scope="module")
def finished(learner: Learner) -> subprocess.CompletedProcess[str]:
    return learner.run("run")


# The whole workshop


def test_the_notebooks_run_and_pass_on_what_looks_like_aws(
    learner: Learner, finished: subprocess.CompletedProcess[str]
) -> None:
    assert (finished.returncode, finished.stderr.count("\n")) == (0, 7), finished.stderr
    assert {"PATCH blobs/uploads", "CreateVpc", "GetDownloadUrlForLayer"} <= {
        call.operation for call in learner.proxy.seen
    }


def test_no_secret_is_in_what_the_run_printed(finished: subprocess.CompletedProcess[str]) -> None:
    assert leaks_among({"out": finished.stdout, "err": finished.stderr}, SECRETS) == []


def test_no_secret_is_in_notebooks_evidence_journal_logs_and_pictures(
    learner: Learner, finished: subprocess.CompletedProcess[str]
) -> None:
    kept = {path.suffix for path in learner.home.rglob("*") if path.is_file()}
    assert {".ipynb", ".jsonl", ".log", ".svg", ".json"} <= kept
    assert leaks_in(learner.home, SECRETS) == []


@pytest.mark.parametrize(
    "words",
    [
        ["doctor", "--json"],
        ["--debug", "verify", "--json"],
        ["cleanup"],
        ["policy"],
        ["emulator", "status", "--json"],
    ],
    ids=" ".join,
)
def test_no_secret_is_in_what_a_command_prints(learner: Learner, words: list[str]) -> None:
    done = learner.run(*words)
    assert leaks_among({"out": done.stdout, "err": done.stderr}, SECRETS) == []


def test_no_secret_is_in_a_clean_up_and_its_receipt(
    learner: Learner, finished: subprocess.CompletedProcess[str]
) -> None:
    done = learner.run("--debug", "cleanup", "--yes")
    [receipt] = (learner.home / "receipts").glob("*.json")
    assert (done.returncode, json.loads(receipt.read_text())["nothing_left"]) == (0, True)
    assert leaks_among({"out": done.stdout, "err": done.stderr}, SECRETS) == []
    assert leaks_in(learner.home, SECRETS) == []


@pytest.mark.parametrize("fault", ["signature", "expired", "denied"])
def test_no_secret_is_in_the_traceback_of_a_refusal(learner: Learner, fault: str) -> None:
    learner.proxy.breaks(Call("sts", "GetCallerIdentity", 1), fault)
    done = learner.run("--debug", "verify")
    assert ("Traceback" in done.stderr, learner.proxy.happened) == (True, True)
    assert leaks_among({"out": done.stdout, "err": done.stderr}, SECRETS) == []


# Each error


FAULTS = ("throttled", "failed", "cut", "half", "denied", "expired", "signature")
CALLS = {
    "sts": Call("sts", "GetCallerIdentity", 1),
    "ec2": Call("ec2", "DescribeVpcs", 1),
    "ecs": Call("ecs", "ListClusters", 1),
    "ecr": Call("ecr", "GetAuthorizationToken", 1),
    "registry": Call("registry", "HEAD blobs", 1),
}


@pytest.fixture(scope="module")
def in_process(learner: Learner) -> Iterator[Learner]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in learner.environ.items():
            patch.setenv(name, value)
        yield learner


Held = tuple[Workshop, LocalImage, StringIO]


@pytest.fixture(scope="module")
def held(in_process: Learner, tmp_path_factory: pytest.TempPathFactory) -> Held:
    """Return a workshop, an image to push, and what progress says."""
    folder, said = tmp_path_factory.mktemp("held"), StringIO()
    chosen = settings.read_environment(home=str(folder / "home"))
    made = Workshop(chosen, progress=TerminalProgress(said), show=lambda _card: None)
    made.aws.patience.sleep = lambda _seconds: None
    return made, made.build_image(shop(folder)), said


def shop(folder: Path) -> Path:
    (folder / "app.rb").write_text("puts 1\n")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY app.rb /srv/\n")
    return folder


def everything_said(action: Callable[[], object]) -> str:
    """Return all that can be seen of what an action gives or raises, its causes with it."""
    try:
        seen = action()
    except Exception as error:
        shown = getattr(error, "_render_traceback_", list)()
        told = [str(error), repr(error), repr(vars(error)), *shown]
        return "\n".join([*told, *traceback.format_exception(error)])
    return f"{seen!r}\n{seen}"


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        *(("ec2", fault) for fault in FAULTS),
        *(("registry", fault) for fault in FAULTS),
        *((service, "signature") for service in ("sts", "ecs", "ecr")),
    ],
)
def test_no_secret_is_in_an_error_or_its_causes(
    in_process: Learner, held: Held, running: Running, service: str, fault: str
) -> None:
    room, local, progress = held
    progress.truncate(0)

    def whole() -> object:
        room.ensure_repository()
        room.snapshot()
        return room.push_image(local), room.aws, room.settings, room

    hooks.reset(running)
    in_process.proxy.breaks(CALLS[service], fault)
    texts = {"said": everything_said(whole), "progress": progress.getvalue()}
    assert (in_process.proxy.happened, leaks_among(texts, SECRETS)) == (True, [])


@pytest.mark.parametrize(
    "spoil",
    [
        {"pull": refused("no basic auth credentials")},
        {"start": refused("no such file: bundle")},
        {"runs": False, "log": "last words"},
        {},
    ],
)
def test_no_secret_is_in_an_error_of_an_image_that_does_not_run(spoil: dict[str, Any]) -> None:
    source = Destination("127.0.0.1:1", "http", "rails-app", "AWS", MARKS.registry_password)
    told = {"SECRET_KEY_BASE": MARKS.secret_key_base}
    request = RunRequest(source, DIGEST, "rails-app:latest", "me", told, timeout=0.0)

    def run() -> None:
        client: Any = Client(**spoil)
        with DockerContainers(client, where="").run(request, say=ignore_progress):
            pass

    said = f"{request}{everything_said(run)}"
    assert ("Traceback" in said, leaked(said, SECRETS)) == (True, [])


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    in_process: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://learner:{MARKS.proxy_password}@127.0.0.1:1"
    monkeypatch.setenv("HTTPS_PROXY", nobody)

    def connect() -> object:
        return workshop.start()

    said = everything_said(connect)
    assert ("Traceback" in said, leaked(said, SECRETS)) == (True, [])


@pytest.mark.parametrize(
    "address",
    [
        "http://user:{}@127.0.0.1:4566",
        "http://user:{}@",
        "ftp://user:{}@127.0.0.1",
        "user:{}@127.0.0.1:4566",
        "http://user:{}@127.0.0.1:port",
        "http://user:{}@[::1",
    ],
)
def test_an_endpoint_with_a_password_is_refused_without_it(tmp_path: Path, address: str) -> None:
    url = address.format(MARKS.endpoint_password)

    def read() -> object:
        return settings.read_settings(
            {"HANDSON_HOME": str(tmp_path)}, cwd=tmp_path, endpoint_url=url
        )

    with pytest.raises(InvalidInput):
        read()
    assert leaked(everything_said(read), SECRETS) == []


@pytest.mark.parametrize(
    "place",
    ["tcp://docker:{}@127.0.0.1:1", "http://docker:{}@127.0.0.1:1", "ssh://docker:{}@127.0.0.1:1"],
)
def test_a_docker_host_with_a_password_is_told_without_it(place: str) -> None:
    def choose() -> object:
        return engine.choose_engine("docker", docker_host=place.format(MARKS.docker_password))

    with pytest.raises(HandsonError, match=r"127\.0\.0\.1:1"):
        choose()
    assert leaked(everything_said(choose), SECRETS) == []


# A leak is found


WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in base64 behind a name": lambda secret: base64.b64encode(f"AWS:{secret}".encode()).decode(),
    "in base64 between": lambda secret: base64.b64encode(f"ab {secret} c".encode()).decode(),
    "in base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"a{secret}".encode()).decode(),
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_is_found_in_whatever_form(name: str, form: str) -> None:
    assert name in leaked(f"see {WRITTEN[form](SECRETS[name])}.", SECRETS)


def test_what_is_no_secret_is_not_found() -> None:
    assert leaked("AWS:ministack-auth-token marked handson-not-a-secret", SECRETS) == []


@pytest.mark.parametrize("name", SECRETS)
def test_no_form_of_a_secret_is_so_short_that_it_stands_anywhere(name: str) -> None:
    assert [form for form in forms(SECRETS[name]) if len(form) < 16] == []


@pytest.mark.parametrize(
    "place", ["run/01-network.ipynb", "journal.jsonl", "emulator/emulator.log", "images/x/blobs/y"]
)
def test_a_leak_in_a_file_is_found(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"said": f"token {MARKS.session_token}"}).encode()
    path.write_bytes(gzip.compress(text) if "blobs" in place else text)
    assert leaks_in(tmp_path, SECRETS) == [(place, "session_token")]


def test_a_leak_in_the_cause_of_an_error_is_found() -> None:
    def leak() -> None:
        try:
            raise ValueError(f"password {MARKS.registry_password}")
        except ValueError as error:
            raise HandsonError("It failed.", "Try again.") from error

    assert leaked(everything_said(leak), SECRETS) == ["registry_password"]


def test_a_verb_that_prints_the_environment_is_found(learner: Learner) -> None:
    code = "import os; print(dict(os.environ))"
    environ = {**os.environ, **learner.environ}
    said: Any = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True)
    assert len(leaked(said.stdout.decode(), SECRETS)) == 6
