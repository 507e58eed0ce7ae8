"""The command `handson`: exit codes, JSON, what goes to which stream, and how it is stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.cli import MainGroup, main
from handson.core import messages
from handson.core.waiting import wait_until
from handson.course.owners import list_tags
from handson.resources.plan import make_tag_specification
from tests.emulator.processes import kill, killing_at_the_end

pytestmark = pytest.mark.emulator

Call = Callable[..., Result]
Command = Callable[..., subprocess.Popen[str]]
TRACEBACK = "Traceback (most recent call last)"
CLUSTER = "ecs-handson-cluster"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def call(home: Path, emulator: Running) -> Call:
    """Answer ``call("verify", "--json")`` on the embedded AWS that tests share."""

    def caller(*words: str, stdin: str = "", **environ: str) -> Result:
        base = {
            "HANDSON_HOME": str(home),
            "HANDSON_ENGINE": "builtin",
            "HANDSON_ENDPOINT_URL": emulator.endpoint,
            "HANDSON_LEARNER": "Hanako",
        }
        return CliRunner().invoke(main, words, input=stdin, env=base | environ)

    return caller


@pytest.fixture
def call_own(call: Call) -> Call:
    """Answer the same on an embedded AWS of the test's own."""
    return lambda *words, **rest: call(*words, **{"HANDSON_ENDPOINT_URL": "", **rest})


@pytest.fixture
def cluster(client: Callable[[str], Any]) -> Callable[[], list[str]]:
    """Make a cluster that carries the workshop's tag; answer with the names of those that exist."""
    ecs, tags = client("ecs"), list_tags("Hanako").items()
    own = [{"key": key, "value": value} for key, value in tags]
    ecs.create_cluster(clusterName=CLUSTER, tags=own)
    return lambda: [arn.rpartition("/")[2] for arn in ecs.list_clusters()["clusterArns"]]


def ending(result: Result) -> tuple[int, list[str], str]:
    """Return the exit code, how each line on standard error begins, and standard output."""
    return result.exit_code, [line[:1] for line in result.stderr.splitlines()], result.stdout


WRONG = {
    "HANDSON_LANG": "fr",
    "HANDSON_TARGET": "aws",
    "HANDSON_ENDPOINT_URL": NOBODY,
    "HANDSON_HOME": __file__,
}
CODES = {"run": 2, "verify --json": 2, "draw -o x.svg": 2}
CODES |= {"cleanup --yes": 1, "doctor": 1, "emulator start": 1}


def test_a_bad_setting_is_two_lines_on_standard_error_the_commands_code_and_a_traceback_if_asked(
    call: Call, home: Path
) -> None:
    bad = {name: ending(call("verify", **{name: value})) for name, value in WRONG.items()}
    assert bad == dict.fromkeys(WRONG, (2, ["✗", "→"], ""))
    seen = {words: ending(call(*words.split(), HANDSON_REGION="us-eas-1")) for words in CODES}
    assert seen == {words: (code, ["✗", "→"], "") for words, code in CODES.items()}
    assert list(home.glob("*")) == []
    for words in (("--debug", "verify"), ("verify", "--debug")):
        lines = call(*words, HANDSON_REGION="us-eas-1").stderr.splitlines()
        assert (lines[0], [line[0] for line in lines[-2:]]) == (TRACEBACK + ":", ["✗", "→"])


def test_an_error_that_nobody_expected_and_ctrl_c_end_in_words(home: Path) -> None:
    def end_with(error: BaseException, *options: str) -> Result:
        group = MainGroup("handson", params=[click.Option(["--debug"], is_flag=True)])

        @group.command("break")
        def break_down(_settings: object) -> None:
            raise error

        words, environ = [*options, "break"], {"HANDSON_HOME": str(home)}
        return CliRunner().invoke(group, words, env=environ)

    nobody_expected = ZeroDivisionError("division by zero")
    assert ending(end_with(nobody_expected)) == (2, ["✗", "→"], "")
    in_full = end_with(nobody_expected, "--debug").stderr
    assert "ZeroDivisionError: division by zero\n✗" in in_full.split(TRACEBACK)[1]
    stopped = end_with(KeyboardInterrupt())
    said = messages.text("notebook.cli.interrupted")
    assert (stopped.exit_code, stopped.stderr) == (130, f"{said}\n")


def test_ctrl_c_while_the_command_loads_ends_it_quietly(tmp_path: Path, root: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    path = {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, root)))}
    command = [sys.executable, "-m", "handson", "doctor"]
    ended = subprocess.run(command, env=path, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"")


def test_a_usage_error_ends_with_2_and_makes_no_home(call: Call, home: Path) -> None:
    wrong = ["no-such-command", "draw", "draw --view azure -o x.svg", "run --lang fr"]
    wrong += [f"run --output {__file__}", "emulator restart", "lab --port 0"]
    assert {words: call(*words.split()).exit_code for words in wrong} == dict.fromkeys(wrong, 2)
    assert not home.exists()


def test_the_login_of_push_commands_goes_to_a_pipe_and_never_to_a_terminal(
    call: Call, emulator: Running
) -> None:
    query = "sts get-caller-identity --query Account --output text"
    account = call(*query.split())
    assert ending(account) == (0, [], f"{emulator.account}\n")
    login = "ecr get-login-password --region us-east-1"
    code, said, password = ending(call(*login.split()))
    assert (code, said, len(password.split())) == (0, [], 1)
    terminal, screen = os.openpty()
    environ = os.environ | {"HANDSON_ENDPOINT_URL": emulator.endpoint}
    command = [sys.executable, "-m", "handson", *login.split()]
    refused = subprocess.run(
        command, env=environ, stdout=screen, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(screen)
    with open(terminal, closefd=True) as seen, contextlib.suppress(OSError):  # no more to read
        assert seen.read() == ""
    assert (refused.returncode, [line[:1] for line in refused.stderr.splitlines()]) == (
        2,
        ["✗", "→"],
    )


def test_a_shell_beside_the_notebooks_is_pointed_at_the_embedded_aws_or_says_why_not(
    home: Path, tmp_path: Path
) -> None:
    own = tmp_path / "shell"
    own.write_text(
        '#!/bin/sh\necho "$AWS_ENDPOINT_URL $AWS_DEFAULT_REGION"\ncommand -v handson\npwd\n'
    )
    own.chmod(0o755)
    edition = tmp_path / "room" / "en"
    edition.mkdir(parents=True)
    (edition / "00-prepare.ipynb").touch()

    def open_shell(**given: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"HANDSON_HOME": str(home), "SHELL": str(own), **given}
        command = [sys.executable, "-m", "handson", "shell"]
        streams: dict[str, Any] = {"capture_output": True, "text": True}
        return subprocess.run(command, env=environ, cwd=edition.parent, check=False, **streams)

    running = embedded.ensure_running(home, region="ap-northeast-1")
    aws, program, folder = open_shell().stdout.splitlines()
    assert aws == f"{running.endpoint} ap-northeast-1"
    assert (program, folder) == (str(Path(sys.executable).with_name("handson")), str(edition))
    assert embedded.find_running(home) == replace(running, state="running")
    broken = open_shell(HANDSON_ENDPOINT_URL=NOBODY)
    assert [line[:1] for line in broken.stderr.splitlines()] == ["✗", "→"]
    assert (broken.returncode, broken.stdout.splitlines()) == (0, [" ", program, folder])


def test_help_names_every_command(call: Call) -> None:
    lines = call("-h").stdout.partition("Commands:")[2].splitlines()
    shown = {line.split()[0] for line in lines if line[2:3].strip()}
    assert shown >= {"run", "lab", "verify", "draw", "cleanup", "policy", "doctor", "emulator"}
    asked = [("--help",), ("run", "--help"), ("emulator", "-h"), ("--version",)]
    assert [call(*words).exit_code for words in asked] == [0, 0, 0, 0]


def test_verify_shows_what_fails_in_the_language_asked_for_and_changes_nothing(
    call: Call, home: Path
) -> None:
    result = call("verify", "--lang", "en")
    assert (result.exit_code, result.stderr, list(home.iterdir())) == (1, "", [])
    assert [word for word in ("0 of 5 items done", "01-network") if word not in result.stdout] == []


def test_verify_json_is_what_its_schema_says(call: Call, emulator: Running) -> None:
    found = json.loads(call("verify", "--json").stdout)
    checks = found.pop("checks")
    aws = {"kind": "emulator", "account": "123456789012", "region": "us-east-1"}
    where = {**aws, "endpoint": emulator.endpoint}
    assert found == {"schema": "handson.verification/1", "target": where, "passed": False}
    names = ["network", "cluster", "repository", "image", "image-uri"]
    assert [check["id"] for check in checks] == names
    fields = [*list(checks[0])[:4], *list(checks[0]["facts"][0])[:4], *checks[0]["diagnoses"][0]]
    assert " ".join(fields[:4]) == "id passed facts diagnoses"
    assert " ".join(fields[4:]) == "id expected observed passed code message remedy"


PICTURES = {
    "--view local": ["Rails"],
    "--view aws --view onprem": ["Harbor", "Amazon ECR"],
    "--goal": ["目標と、いまの状態"],
}


def test_draw_writes_a_picture_says_where_and_refuses_one_that_cannot_be_written(
    call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "x.svg"
    for options, shown in PICTURES.items():
        result = call("draw", *options.split(), "-o", str(path))
        assert (options, result.exit_code, str(path) in result.stdout) == (options, 0, True)
        drawn = path.read_text(encoding="utf-8")
        assert [word for word in ("<svg", *shown) if word not in drawn] == []
    call("draw", "-o", str(tmp_path / "x.PNG"))
    assert (tmp_path / "x.PNG").read_bytes()[:4] == b"\x89PNG"
    names = ["x.pdf", ".svg", "x.svg.txt", "no/x.svg"]
    seen = {name: ending(call("draw", "-o", str(tmp_path / name))) for name in names}
    assert seen == dict.fromkeys(names, (2, ["✗", "→"], ""))
    assert [name for name in names if (tmp_path / name).exists()] == []


def test_without_a_yes_cleanup_lists_asks_and_deletes_nothing(
    call: Call, cluster: Callable[[], list[str]]
) -> None:
    for answer in ("n\n", "\n", ""):
        result = call("cleanup", stdin=answer)
        assert (result.exit_code, cluster()) == (1, [CLUSTER])
        assert (CLUSTER in result.stdout, "workshop.cleanup(" in result.stdout) == (True, False)
        assert result.stderr.startswith(messages.text("notebook.cli.delete"))
        assert "Aborted" not in result.stderr


@pytest.mark.parametrize(("words", "answer"), [(("--yes",), ""), ((), "y\n")])
def test_with_a_yes_cleanup_leaves_a_receipt_and_goes_on_with_one_that_was_interrupted(
    call: Call, cluster: Callable[[], list[str]], home: Path, words: tuple[str, ...], answer: str
) -> None:
    result = call("cleanup", *words, stdin=answer)
    assert (result.exit_code, cluster()) == (0, [])
    [path] = (home / "receipts").glob("*.json")
    receipt = json.loads(path.read_text())
    assert receipt["nothing_left"] is True
    told = [path.name, messages.text("resources.cleanup.all.nothing-left")]
    assert [word for word in told if word not in result.stdout] == []
    path.write_text(json.dumps({**receipt, "state": "begun", "deleted": []}))
    assert call("cleanup", "--yes").exit_code == 0
    assert json.loads(path.read_text()) | {"finished_at": ""} == receipt | {"finished_at": ""}


def test_cleanup_ends_with_1_when_aws_keeps_something(
    call: Call, client: Callable[[str], Any]
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    [made] = make_tag_specification("vpc", "mine", owner="Hanako")
    ec2.create_tags(Resources=[vpc], Tags=made["Tags"])
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")  # somebody else's: it has no tag
    result = call("cleanup", "--yes")
    left = [item["VpcId"] for item in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]]
    assert (result.exit_code, left) == (1, [vpc])


def test_the_policy_is_json_for_the_named_account_or_says_that_none_is_named(call: Call) -> None:
    chosen = {"HANDSON_AWS_ACCOUNT": "1122-3344-5566", "HANDSON_REGION": "ap-northeast-1"}
    result = call("policy", HANDSON_ENDPOINT_URL=NOBODY, **chosen)
    text = json.dumps(json.loads(result.stdout))
    assert (result.exit_code, "管理ポリシー" in result.stderr) == (0, True)
    assert "arn:aws:ec2:ap-northeast-1:112233445566:vpc/*" in text
    unnamed = call("policy", HANDSON_ENDPOINT_URL=NOBODY)
    assert (unnamed.exit_code, json.loads(unnamed.stdout)["Version"]) == (0, "2012-10-17")
    assert "HANDSON_AWS_ACCOUNT" in unnamed.stderr
    assert '"sts:GetWebIdentityToken"' in call("policy", "--proof", **chosen).stdout


def test_the_policy_of_a_course_is_for_all_its_learners_or_for_one(
    call: Call, tmp_path: Path
) -> None:
    course = tmp_path / "spring.toml"
    course.write_text('[exercise]\nkey = "spring"\n', encoding="utf-8")
    everybody = call("policy", "--course", str(course)).stdout
    one = call("policy", "--course", str(course), "--learner", "Hanako").stdout
    assert ("repository/rails-app-*" in everybody, "handson-owner" in everybody) == (True, False)
    assert ("repository/rails-app-*" in one, '"hanako"' in one) == (False, True)
    course.write_text(f'{course.read_text()}regions = ["eu-west-1"]\n', encoding="utf-8")
    proof = call("policy", "--course", str(course), "--proof", "--learner", "Hanako").stdout
    assert ("sts:GetWebIdentityToken" in proof, "eu-west-1" in proof) == (True, True)
    nobody = call("policy", "--learner", "Hanako")
    assert (nobody.exit_code, len(nobody.stderr.strip().splitlines()[-2:])) == (2, 2)
    assert "--course" in nobody.stderr


def test_doctor_json_is_its_schema_and_goes_on_where_the_target_does_not_answer(
    call: Call,
) -> None:
    ready = call("doctor", "--json")
    silent = call("doctor", "--json", HANDSON_ENDPOINT_URL=NOBODY)
    found = json.loads(ready.stdout)
    fields = {key for finding in found["findings"] for key in finding}
    assert (ready.exit_code, found["schema"], found["ready"]) == (0, "handson.doctor/1", True)
    assert fields == {"id", "state", "seen", "remedy"}
    states = {item["id"]: item["state"] for item in json.loads(silent.stdout)["findings"]}
    assert (silent.exit_code, states["target"], states["python"]) == (1, "bad", "ok")


FIELDS = ("endpoint", "region", "account", "access_key_id", "secret_access_key", "pid")
NOT_RUNNING = {"schema": "handson.emulator/1", "running": False} | dict.fromkeys(FIELDS)


def test_emulator_start_status_stop_and_reset_do_it_and_tell_where_it_answers(
    call_own: Call, home: Path
) -> None:
    def status() -> tuple[int, object]:
        result = call_own("emulator", "status", "--json")
        return result.exit_code, json.loads(result.stdout)

    assert (status(), embedded.find_running(home)) == ((1, NOT_RUNNING), None)
    started = call_own("emulator", "start")
    running = embedded.find_running(home)
    assert running is not None
    assert (started.exit_code, running.endpoint in started.stdout) == (0, True)
    answers = {
        "running": True,
        "endpoint": f"http://127.0.0.1:{running.port}",
        "region": "us-east-1",
        "account": "123456789012",
        "access_key_id": "123456789012",
        "secret_access_key": (home / "emulator" / "secret-access-key").read_text(),
        "pid": running.pid,
    }
    assert status() == (0, NOT_RUNNING | answers)
    assert call_own("emulator", "secret").stdout == f"{answers['secret_access_key']}\n"
    assert [call_own("emulator", "stop").exit_code for _ in range(2)] == [0, 1]
    assert status() == (1, NOT_RUNNING)
    call_own("emulator", "start")
    for name in ("image-uri.json", "troubleshooting.json", "journal.jsonl"):
        (home / name).touch()
    assert [call_own("emulator", "reset").exit_code for _ in range(2)] == [0, 0]
    assert embedded.find_running(home) is None
    assert [path.name for path in home.glob("*.json*")] == ["journal.jsonl"]


@pytest.mark.parametrize(
    "words",
    [
        "verify --json",
        *(pytest.param(it, marks=pytest.mark.full) for it in ("doctor", "emulator start")),
    ],
)
def test_the_first_command_after_a_kill_tells_so_in_two_lines_and_the_second_does_not(
    call_own: Call, home: Path, words: str
) -> None:
    call_own("emulator", "start")
    kill(embedded.find_running(home))
    first, second = (call_own(*words.split()) for _ in range(2))
    assert (len(first.stderr.splitlines()), second.stderr) == (2, "")
    if "--json" in words:
        assert json.loads(first.stdout)["schema"] == "handson.verification/1"


def test_run_without_that_edition_or_into_the_folder_of_the_notebooks_is_refused(
    call: Call, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "notebooks" / "ja").mkdir(parents=True)
    with contextlib.chdir(tmp_path):
        assert ending(call("run", "--lang", "en")) == (2, ["✗", "→"], "")
    folder = root / "notebooks" / "ja"
    before = {path: path.read_bytes() for path in folder.glob("*.ipynb")}
    assert ending(call("run", "--output", str(folder))) == (2, ["✗", "→"], "")
    assert {path: path.read_bytes() for path in folder.glob("*.ipynb")} == before


@pytest.fixture
def command(home: Path, root: Path) -> Iterator[Command]:
    """Answer ``command("verify")`` with a process of its own, which ends with the test."""

    def start(*words: str, **environ: str) -> subprocess.Popen[str]:
        own = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", "PYTHONUTF8": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "handson", *words],
            cwd=root / "notebooks",  # elsewhere, `lab` would lay out a workspace
            env={**os.environ, "PYTHONPATH": str(root), **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    with killing_at_the_end() as started:
        yield start


def test_each_command_works_in_a_process_of_its_own(command: Command) -> None:
    ended = {}
    for words in ("emulator start", "cleanup", "emulator stop"):
        started = command(*words.split())
        out, err = started.communicate(timeout=60)
        ended[words] = started.returncode, bool(out), TRACEBACK in err
    assert ended == dict.fromkeys(ended, (0, True, False))


@pytest.mark.process
def test_results_alone_are_on_standard_output_though_the_terminal_has_no_japanese(
    command: Command, emulator: Running
) -> None:
    ascii_only = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for options, environ, shown in ((["--json"], {}, '"passed": false'), ([], ascii_only, "VPC")):
        started = command("verify", *options, HANDSON_ENDPOINT_URL=emulator.endpoint, **environ)
        out, err = started.communicate(timeout=60)
        assert (started.returncode, shown in out, err) == (1, True, "")


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_traceback(command: Command, emulator: Running) -> None:
    started = command("verify", "--json", HANDSON_ENDPOINT_URL=emulator.endpoint)
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    started.wait(timeout=60)
    assert TRACEBACK not in started.stderr.read()


def ask_lab(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body of JupyterLab's answer; 0 where nobody answers."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as asked:
        try:
            asked.request("GET", path, headers={"Authorization": "token for-tests"})
            answer = asked.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


def test_lab_speaks_japanese_shows_its_address_last_fetches_no_news_and_ends_by_its_process_id(
    command: Command,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = command("lab", "--no-browser", "--port", str(port), JUPYTER_TOKEN="for-tests")
    wait_until(
        lambda: ask_lab(port, "/api")[0] == 200 or started.poll() is not None,
        done=bool,
        what="JupyterLab",
        timeout=60,
        interval=0.2,
    )
    defaults = {}
    for plugin in ("apputils-extension:notification", "translation-extension:plugin"):
        _, said = ask_lab(port, f"/lab/api/settings/@jupyterlab/{plugin}")
        asked = json.loads(said)["schema"]["properties"]
        defaults |= {name: value["default"] for name, value in asked.items()}
    wanted = {"fetchNews": "false", "checkForUpdates": False, "locale": "ja_JP"}
    assert defaults.items() >= wanted.items()
    started.send_signal(signal.SIGTERM)
    shown, around = started.communicate(timeout=30)
    assert shown.startswith(f"http://127.0.0.1:{port}/lab/tree/notebooks/ja/00-prepare.ipynb?")
    assert (shown.count("\n"), "ServerApp" in around, started.returncode) == (1, False, 0)
    assert ask_lab(port, "/api") == (0, b"")
