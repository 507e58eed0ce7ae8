"""No secret anywhere: the workshop with marked credentials, and everything it leaves searched."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from handson import engine
from handson.aws import settings
from handson.cli import main
from handson.core.errors import HandsonError
from handson.core.progress import TerminalProgress, ignore_progress
from handson.course import syllabus
from handson.engine.containers import DockerContainers
from handson.engine.model import Destination, RunRequest
from handson.notebook import workshop
from handson.notebook.workshop import Workshop
from tests.conftest import FULL
from tests.emulator.hooks import Inside, reset
from tests.emulator.leaks import leaked, leaks_among, leaks_in
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.proxy import REGISTRY_PASSWORD, SECRET, SIGNATURE, Rule
from tests.unit.test_engine_containers import DIGEST, Client, refused

pytestmark = pytest.mark.emulator

SECRETS = {
    "access_key_id": "AKIAEXAMPLE000MARKED",
    "secret_access_key": SECRET,
    "session_token": "marked//session+token==IQoJb3JpZ2luX2VjEJr",
    "registry_password": REGISTRY_PASSWORD,
    "signature": SIGNATURE,
    "proxy_password": "marked-proxy-p%40ssword",
    "docker_password": "marked-docker-password",
    "secret_key_base": "marked-secret-key-base-9f86d081884c7d65",
}
PROXY = f"http://learner:{SECRETS['proxy_password']}"
DOCKER = f"docker:{SECRETS['docker_password']}@127.0.0.1:1"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def aws(simulated: Simulated) -> Simulated:
    """Return AWS, with all secrets in the environment of who uses it."""
    environ = {
        "HANDSON_LANG": "ja",
        "HANDSON_HOME": str(simulated.folder / "home"),
        "HTTPS_PROXY": f"{PROXY}@{simulated.proxy.address}",
        "DOCKER_HOST": f"tcp://{DOCKER}",
        "AWS_SESSION_TOKEN": SECRETS["session_token"],
        "SECRET_KEY_BASE": SECRETS["secret_key_base"],
    }
    simulated.use(user="marked", **environ)
    return simulated


def open_workshop(aws: Simulated) -> tuple[Workshop, StringIO]:
    """Return a workshop that does not wait, and what its progress says."""
    said = StringIO()
    progress = TerminalProgress(said)
    held = Workshop(settings.read_environment(), progress=progress, show=lambda _card: None)
    held.aws.patience.sleep = lambda _seconds: None
    return held, said


def break_once(service: str, operation: str, fault: str) -> Rule:
    """Return a rule by which AWS breaks the first such request."""
    return Rule(service=service, operation=operation, times=1, **FAULTS[fault])


def everything_said(action: Callable[[], object]) -> str:
    """Return all that can be seen of what an action gives or raises, its causes with it."""
    try:
        seen: Any = action()
    except Exception as error:
        shown = getattr(error, "_render_traceback_", list)()
        told = [str(error), repr(error), repr(vars(error)), *shown]
        return "\n".join([*told, *traceback.format_exception(error)])
    in_a_notebook = getattr(seen, "_repr_mimebundle_", str)()
    return f"{seen!r}\n{seen}\n{in_a_notebook}"


def test_no_secret_is_in_what_a_workshop_says_and_keeps(aws: Simulated) -> None:
    held, progress = open_workshop(aws)
    verbs: list[Callable[[], object]] = [
        held.ensure_network,
        held.ensure_cluster,
        held.ensure_repository,
        lambda: held.push_image(held.build_image(aws.shop)),
        lambda: held.tag_image(tag="1.0.0", image="latest"),
        held.push_commands,
        held.images,
        held.record_image_uri,
        *(lambda check=check: held.evidence(check) for check in syllabus.CHECK_IDS),
        held.draw,
        held.journal,
        held.cleanup,
        lambda: held,
    ]
    said = [everything_said(verb) for verb in verbs]
    assert held.verify().passed, said
    assert {"GetAuthorizationToken", "CreateVpc", "GetDownloadUrlForLayer"} <= {
        request.operation for request in aws.proxy.seen
    }
    kept = {path.suffix for path in aws.folder.rglob("*") if path.is_file()}
    assert {".jsonl", ".svg", ".json"} <= kept
    assert leaks_among({"said": "\n".join(said), "progress": progress.getvalue()}, SECRETS) == []
    assert leaks_in(aws.folder, SECRETS) == []


@pytest.mark.full
@pytest.mark.notebooks
def test_no_secret_is_in_notebooks_that_run_on_what_looks_like_aws(aws: Simulated) -> None:
    command = [sys.executable, "-m", "handson", "run"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr.count("\n")) == (0, 7), done.stderr
    kept = {path.suffix for path in aws.folder.rglob("*") if path.is_file()}
    assert {".ipynb", ".log"} <= kept
    assert leaks_among({"out": done.stdout, "err": done.stderr}, SECRETS) == []
    assert leaks_in(aws.folder, SECRETS) == []


COMMANDS = {
    "doctor --json": 0,
    "--debug verify --json": 1,
    "policy": 0,
    "emulator status --json": 1,
    "cleanup": 1,
    "--debug cleanup --yes": 0,
}


def test_no_secret_is_in_what_a_command_prints_and_keeps(aws: Simulated) -> None:
    aws.proxy.blocked = r"public|\.(?!us-east-1)[a-z]{2}-[a-z]+-\d\."  # where verify looks, too
    open_workshop(aws)[0].ensure_cluster()
    done = {words: CliRunner().invoke(main, words.split()) for words in COMMANDS}
    assert {words: result.exit_code for words, result in done.items()} == COMMANDS
    assert leaks_among({words: result.output for words, result in done.items()}, SECRETS) == []
    assert list((aws.folder / "home/receipts").glob("*.json")) != []
    assert leaks_in(aws.folder, SECRETS) == []
    for fault in ("signature", *(("expired", "denied") if FULL else ())):
        aws.proxy.rules = [break_once("sts", "GetCallerIdentity", fault)]
        done = CliRunner().invoke(main, ["--debug", "verify"])
        assert ("Traceback" in done.stderr, aws.proxy.rules[0].met) == (True, True)
        assert (fault, leaked(done.output, SECRETS)) == (fault, [])


QUOTED = "The Canonical String for this request should have been '{headers}'"
FAULTS: dict[str, dict[str, Any]] = {
    "cut": {"cut": True},
    "denied": {"code": "AccessDenied", "status": 403},
    "signature": {"code": "SignatureDoesNotMatch", "message": QUOTED, "status": 403},
}
SELDOM: dict[str, dict[str, Any]] = {
    "throttled": {"code": "ThrottlingException", "status": 429},
    "failed": {"code": "InternalFailure", "status": 500},
    "half": {"alter": "half"},
    "expired": {"code": "ExpiredToken", "status": 403},
}
FAULTS |= SELDOM if FULL else {}
CALLS = {
    "sts": "GetCallerIdentity",
    "ec2": "DescribeVpcs",
    "ecs": "ListClusters",
    "ecr": "GetAuthorizationToken",
    "registry": "HEAD /v2/.*/blobs/.*",
}


def test_no_secret_is_in_an_error_or_its_causes(aws: Simulated, inside: Inside) -> None:
    held, progress = open_workshop(aws)
    local = held.build_image(aws.shop)
    verbs: dict[str, list[Callable[[], object]]] = {
        "sts": [lambda: open_workshop(aws)],
        "ecr": [held.ensure_repository, lambda: held.push_image(local)],
    }
    texts = {}
    for service, operation in CALLS.items():
        for fault in FAULTS if service in ("ec2", "registry") else ("signature",):
            reset(inside)
            aws.proxy.rules = [rule := break_once(service, operation, fault)]
            asking = verbs.get("ecr" if service == "registry" else service, [held.snapshot])
            texts[f"{service} {fault}"] = "\n".join(map(everything_said, asking))
            assert (service, fault, rule.met) == (service, fault, True)
    texts["progress"] = f"{progress.getvalue()}{held.aws!r}{held.settings!r}"
    assert leaks_among(texts, SECRETS) == []


def test_no_secret_is_in_an_error_of_an_image_that_does_not_run() -> None:
    source = Destination("127.0.0.1:1", "http", "rails-app", "AWS", REGISTRY_PASSWORD, "1.0.0")
    told = {"SECRET_KEY_BASE": SECRETS["secret_key_base"]}
    request = RunRequest(source, DIGEST, "rails-app:latest", "me", told, timeout=0.0)
    spoils: dict[str, dict[str, Any]] = {
        "pull": {"pull": refused("no basic auth credentials")},
        "start": {"start": refused("no such file: bundle")},
        "ended": {"runs": False, "log": "last words"},
        "silent": {},
    }

    def run(client: Any) -> None:
        with DockerContainers(client, where="").run(request, say=ignore_progress):
            pass

    said = {
        name: f"{request}{everything_said(lambda spoil=spoil: run(Client(**spoil)))}"
        for name, spoil in spoils.items()
    }
    assert [name for name, text in said.items() if "Traceback" not in text] == []
    assert leaks_among(said, SECRETS) == []


def test_a_proxy_that_is_not_there_and_a_docker_host_are_told_without_their_passwords(
    aws: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"{PROXY}@127.0.0.1:1")
    said = everything_said(workshop.start)
    assert ("Traceback" in said, leaked(said, SECRETS)) == (True, [])
    for scheme in ("tcp", "http", "ssh"):
        host = f"{scheme}://{DOCKER}"
        said = everything_said(partial(engine.choose_engine, "docker", docker_host=host))
        assert (scheme, "127.0.0.1:1" in said, leaked(said, SECRETS)) == (scheme, True, [])


def test_a_leak_is_found_in_whatever_form_in_a_file_and_in_the_cause_of_an_error(
    tmp_path: Path,
) -> None:
    for name, secret in SECRETS.items():
        coded = [base64.b64encode(f"{before}{secret}".encode()) for before in ("", "AWS:", "ab ")]
        coded.append(base64.urlsafe_b64encode(f"a{secret}".encode()))
        for written in (secret, quote(secret, safe=""), *(each.decode() for each in coded)):
            assert name in leaked(f"see {written}.", SECRETS), (name, written)
    assert leaked("AWS:ministack-auth-token marked handson-not-a-secret", SECRETS) == []
    text = json.dumps({"said": f"token {SECRETS['session_token']}"}).encode()
    places = {"images/x/blobs/y": gzip.compress(text), "run/network.ipynb": text}
    for place, data in places.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert leaks_in(tmp_path, SECRETS) == [(place, "session_token") for place in places]

    def leak() -> None:
        try:
            raise ValueError(f"password {REGISTRY_PASSWORD}")
        except ValueError as error:
            raise HandsonError("It failed.", "Try again.") from error

    assert leaked(everything_said(leak), SECRETS) == ["registry_password"]
