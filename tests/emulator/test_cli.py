"""The command `handson`: exit codes, JSON, what goes to which stream, and how it is stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handson import __version__, cli
from handson.aws import emulator as embedded
from handson.aws.emulator import Running
from handson.cli import main
from handson.core import messages
from handson.core.errors import HandsonError
from handson.core.waiting import wait_until

pytestmark = [pytest.mark.emulator, pytest.mark.process]

Call = Callable[..., Result]
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture
def call(home: Path, emulator: Running) -> Call:
    """Answer ``call("verify", "--json")`` on the embedded AWS that tests share."""

    def caller(*words: str, stdin: str = "", **environ: str) -> Result:
        base = {
            "HANDSON_HOME": str(home),
            "HANDSON_ENGINE": "builtin",
            "HANDSON_ENDPOINT_URL": emulator.endpoint,
        }
        return CliRunner().invoke(main, words, input=stdin, env=base | environ)

    return caller


@pytest.fixture
def call_own(call: Call) -> Call:
    """Answer the same on an embedded AWS of the test's own."""
    return lambda *words, **rest: call(*words, **{"HANDSON_ENDPOINT_URL": "", **rest})


@pytest.fixture
def command(home: Path, root: Path) -> Callable[..., subprocess.Popen[str]]:
    """Answer ``command("verify")`` with a process of its own."""

    def start(*words: str, cwd: Path = root, **environ: str) -> subprocess.Popen[str]:
        own = {
            "HANDSON_HOME": str(home),
            "HANDSON_ENGINE": "builtin",
            "PYTHONPATH": str(root),
            "PYTHONUTF8": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "handson", *words],
            cwd=cwd,
            env={**os.environ, **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    return start


def made(call: Call, client: Callable[[str], Any]) -> None:
    """Make something that carries the workshop's tag."""
    tags = [{"key": "handson", "value": "ecs-handson"}]
    client("ecs").create_cluster(clusterName="ecs-handson-cluster", tags=tags)


# Two lines, an exit code, and never a traceback


def two_lines(result: Result) -> bool:
    lines = result.stderr.rstrip("\n").split("\n")
    return len(lines) == 2 and lines[0].startswith("✗") and lines[1].startswith("→")


WRONG = {
    "region": {"HANDSON_REGION": "us-eas-1"},
    "target": {"HANDSON_TARGET": "azure"},
    "engine": {"HANDSON_ENGINE": "podman"},
    "language": {"HANDSON_LANG": "fr"},
    "account": {"HANDSON_AWS_ACCOUNT": "1234"},
    "no account": {"HANDSON_TARGET": "aws"},
    "endpoint": {"HANDSON_ENDPOINT_URL": "http://127.0.0.1:1"},
    "no url": {"HANDSON_ENDPOINT_URL": "127.0.0.1"},
    "home": {"HANDSON_HOME": __file__},
}
COMMANDS = {
    ("run",): 2,
    ("verify",): 2,
    ("verify", "--json"): 2,
    ("draw", "-o", "x.svg"): 2,
    ("cleanup", "--yes"): 1,
    ("doctor",): 1,
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("wrong", WRONG)
def test_bad_input_is_told_by_the_exit_code(call: Call, words: tuple[str, ...], wrong: str) -> None:
    assert call(*words, **WRONG[wrong]).exit_code == COMMANDS[words]


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ("doctor",)])
@pytest.mark.parametrize("wrong", WRONG)
def test_bad_input_is_two_lines_on_standard_error(
    call: Call, words: tuple[str, ...], wrong: str
) -> None:
    result = call(*words, **WRONG[wrong])
    assert (two_lines(result), result.stdout) == (True, "")


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_input_leaves_nothing_behind(call: Call, home: Path, wrong: str) -> None:
    call("verify", **WRONG[wrong])
    assert not home.exists() or list(home.iterdir()) == []


def test_a_mistyped_region_is_answered_with_the_nearest(call: Call) -> None:
    assert "us-east-1" in call("verify", HANDSON_REGION="us-eas-1").stderr


@pytest.mark.parametrize("words", [("--debug", "verify"), ("verify", "--debug")])
def test_debug_shows_the_traceback_before_the_two_lines(call: Call, words: tuple[str, ...]) -> None:
    said = call(*words, HANDSON_REGION="us-eas-1").stderr
    assert (TRACEBACK in said, said.rstrip().split("\n")[-1][0]) == (True, "→")


def broken(*_arguments: Any, **_options: Any) -> None:
    raise ZeroDivisionError("division by zero")


@pytest.fixture
def surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `handson verify` meet an error that nobody thought of."""
    monkeypatch.setattr(cli, "_open_workshop", broken)


@pytest.mark.usefixtures("surprise")
def test_an_error_that_nobody_expected_is_two_lines_too(call: Call) -> None:
    result = call("verify")
    assert (result.exit_code, two_lines(result)) == (2, True)


@pytest.mark.usefixtures("surprise")
def test_an_error_that_nobody_expected_is_shown_in_full_with_debug(call: Call) -> None:
    assert "ZeroDivisionError" in call("--debug", "verify").stderr.split(TRACEBACK)[1]


def interrupted(*_arguments: Any, **_options: Any) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_ends_with_the_code_that_shells_expect(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_open_workshop", interrupted)
    result = call("verify")
    assert (result.exit_code, result.stderr) == (
        130,
        messages.text("notebook.cli.interrupted") + "\n",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("verify", "--no-such-option"),
        ("draw",),
        ("draw", "--view", "azure", "-o", "x.svg"),
        ("run", "--lang", "fr"),
        ("emulator", "restart"),
        ("lab", "--port", "0"),
    ],
    ids=" ".join,
)
def test_a_usage_error_ends_with_2(call: Call, words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 2


def test_a_usage_error_makes_no_home(call: Call, home: Path) -> None:
    call("verify", "--no-such-option")
    assert not home.exists()


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("run", "--help"), ("emulator", "-h")])
def test_help_ends_well(call: Call, words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 0


def test_the_version_is_told(call: Call) -> None:
    assert __version__ in call("--version").stdout


NAMES = ["run", "lab", "verify", "draw", "cleanup", "policy", "doctor", "emulator"]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_the_contract_is_in_the_help(call: Call, name: str) -> None:
    assert re.search(rf"^  {name} ", call("--help").stdout, re.MULTILINE)


def test_lang_changes_the_language_of_the_output(call: Call) -> None:
    assert "0 of 5 items done" in call("verify", "--lang", "en").stdout


# verify


def test_verify_ends_with_1_while_a_check_fails(call: Call) -> None:
    assert call("verify").exit_code == 1


def test_verify_shows_what_fails_and_what_to_do(call: Call) -> None:
    assert "01-network" in call("verify").stdout


def test_verify_says_nothing_on_standard_error(call: Call) -> None:
    assert call("verify").stderr == ""


def verification(call: Call) -> Any:
    return json.loads(call("verify", "--json").stdout)


def test_verify_json_has_the_fields_of_its_schema(call: Call) -> None:
    assert list(verification(call)) == ["schema", "target", "passed", "checks"]


def test_verify_json_names_its_schema(call: Call) -> None:
    assert verification(call)["schema"] == "handson.verification/1"


def test_verify_json_names_the_target(call: Call, emulator: Running) -> None:
    assert verification(call)["target"] == {
        "kind": "emulator",
        "account": "123456789012",
        "region": "us-east-1",
        "endpoint": emulator.endpoint,
    }


def test_verify_json_has_checks_facts_and_diagnoses_of_the_contract(call: Call) -> None:
    check = verification(call)["checks"][0]
    assert [list(check)[:4], list(check["facts"][0])[:4], list(check["diagnoses"][0])] == [
        ["id", "passed", "facts", "diagnoses"],
        ["id", "expected", "observed", "passed"],
        ["code", "message", "remedy"],
    ]


def test_verify_json_has_the_five_checks(call: Call) -> None:
    seen = [check["id"] for check in verification(call)["checks"]]
    assert seen == ["network", "cluster", "repository", "image", "image-uri"]


def test_verify_changes_nothing(call: Call, home: Path) -> None:
    call("verify")
    assert list(home.iterdir()) == []


# draw


@pytest.mark.parametrize("view", ["aws", "onprem", "local"])
def test_draw_writes_svg(call: Call, tmp_path: Path, view: str) -> None:
    result = call("draw", "--view", view, "-o", str(tmp_path / "x.svg"))
    assert (result.exit_code, "<svg" in (tmp_path / "x.svg").read_text()) == (0, True)


def test_draw_writes_png(call: Call, tmp_path: Path) -> None:
    result = call("draw", "-o", str(tmp_path / "x.PNG"))
    assert (result.exit_code, (tmp_path / "x.PNG").read_bytes()[:4]) == (0, b"\x89PNG")


def test_draw_lays_views_side_by_side(call: Call, tmp_path: Path) -> None:
    views = ("--view", "aws", "--view", "onprem")
    result = call("draw", *views, "-o", str(tmp_path / "x.svg"))
    drawn = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert (result.exit_code, "Harbor" in drawn, "Amazon ECR" in drawn) == (0, True, True)


def test_draw_marks_what_is_left_to_do(call: Call, tmp_path: Path) -> None:
    call("draw", "--goal", "-o", str(tmp_path / "x.svg"))
    assert "目標と、いまの状態" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_draw_says_where_the_picture_is(call: Call, tmp_path: Path) -> None:
    assert str(tmp_path / "x.svg") in call("draw", "-o", str(tmp_path / "x.svg")).stdout


@pytest.mark.parametrize("name", ["x.pdf", "x", ".svg", "x.svg.txt"])
def test_another_suffix_is_refused_before_anything_is_done(
    call: Call, home: Path, tmp_path: Path, name: str
) -> None:
    result = call("draw", "-o", str(tmp_path / name))
    seen = (result.exit_code, two_lines(result), (tmp_path / name).exists())
    assert seen == (2, True, False)


def test_a_folder_that_is_not_there_is_refused(call: Call, tmp_path: Path) -> None:
    result = call("draw", "-o", str(tmp_path / "no" / "x.svg"))
    assert (result.exit_code, two_lines(result)) == (2, True)


# cleanup


def test_with_nothing_to_delete_cleanup_ends_with_0(call: Call) -> None:
    assert call("cleanup").exit_code == 0


def test_cleanup_lists_and_asks(call: Call, client: Callable[[str], Any]) -> None:
    made(call, client)
    result = call("cleanup", stdin="n\n")
    seen = (
        "ecs-handson-cluster" in result.stdout,
        messages.text("notebook.cli.delete") in result.stderr,
    )
    assert seen == (True, True)


def test_a_question_without_an_answer_ends_in_words_and_with_1(
    call: Call, client: Callable[[str], Any]
) -> None:
    made(call, client)
    result = call("cleanup", stdin="")
    said = messages.text("notebook.cli.interrupted") in result.stderr
    assert (result.exit_code, said, "Aborted" in result.stderr) == (1, True, False)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "enter", "end of input"])
def test_without_a_yes_cleanup_deletes_nothing(
    call: Call, client: Callable[[str], Any], answer: str
) -> None:
    made(call, client)
    result = call("cleanup", stdin=answer)
    left = client("ecs").list_clusters()["clusterArns"]
    assert (result.exit_code, len(left)) == (1, 1)


@pytest.mark.parametrize(("words", "answer"), [(("--yes",), ""), ((), "y\n")])
def test_with_a_yes_cleanup_leaves_nothing(
    call: Call, client: Callable[[str], Any], words: tuple[str, ...], answer: str
) -> None:
    made(call, client)
    result = call("cleanup", *words, stdin=answer)
    seen = client("ecs").describe_clusters(clusters=["ecs-handson-cluster"])["clusters"]
    assert (result.exit_code, [item for item in seen if item["status"] == "ACTIVE"]) == (0, [])


def test_cleanup_shows_what_became_of_each(call: Call, client: Callable[[str], Any]) -> None:
    made(call, client)
    assert messages.text("resources.cleanup.nothing-left") in call("cleanup", "--yes").stdout


def test_cleanup_does_not_speak_of_python(call: Call, client: Callable[[str], Any]) -> None:
    made(call, client)
    assert "workshop.cleanup(" not in call("cleanup", stdin="n\n").stdout


def test_cleanup_ends_with_1_when_aws_keeps_something(
    call: Call, client: Callable[[str], Any]
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "handson", "Value": "ecs-handson"}])
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")  # somebody else's: it has no tag
    result = call("cleanup", "--yes")
    left = [item["VpcId"] for item in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]]
    assert (result.exit_code, left) == (1, [vpc])


def test_cleanup_keeps_a_receipt(call: Call, client: Callable[[str], Any], home: Path) -> None:
    made(call, client)
    result = call("cleanup", "--yes")
    [path] = (home / "receipts").glob("*.json")
    assert (json.loads(path.read_text())["nothing_left"], path.name in result.stdout) == (
        True,
        True,
    )


def test_an_interrupted_clean_up_is_ended_though_nothing_is_left(
    call: Call, client: Callable[[str], Any], home: Path
) -> None:
    made(call, client)
    call("cleanup", "--yes")
    [path] = (home / "receipts").glob("*.json")
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "state": "begun", "deleted": []}))  # as after an interrupt
    assert call("cleanup", "--yes").exit_code == 0
    assert json.loads(path.read_text()) | {"finished_at": ""} == kept | {"finished_at": ""}


# policy


def test_the_policy_is_json_for_the_named_account_and_region(call: Call) -> None:
    result = call("policy", HANDSON_AWS_ACCOUNT="1122-3344-5566", HANDSON_REGION="ap-northeast-1")
    text = json.dumps(json.loads(result.stdout))
    assert ("arn:aws:ec2:ap-northeast-1:112233445566:vpc/*" in text, result.stderr) == (True, "")


def test_without_an_account_the_policy_says_so_beside_the_json(call: Call) -> None:
    result = call("policy")
    seen = (result.exit_code, json.loads(result.stdout)["Version"], "HANDSON_AWS_ACCOUNT")
    assert (*seen[:2], seen[2] in result.stderr) == (0, "2012-10-17", True)


def test_the_policy_for_a_proof_allows_that_and_nothing_else(call: Call) -> None:
    statements = json.loads(call("policy", "--proof").stdout)["Statement"]
    assert [action for item in statements for action in item["Action"]] == [
        "sts:GetWebIdentityToken",
        "sts:TagGetWebIdentityToken",
    ]


def test_the_policy_needs_no_target(call: Call) -> None:
    assert call("policy", HANDSON_ENDPOINT_URL="http://127.0.0.1:1").exit_code == 0


# doctor


def test_doctor_ends_with_0_on_this_machine(call: Call) -> None:
    assert call("doctor").exit_code == 0


def test_doctor_json_has_the_fields_of_its_schema(call: Call) -> None:
    found = json.loads(call("doctor", "--json").stdout)
    seen = (found["schema"], list(found), list(found["findings"][0]))
    assert seen == (
        "handson.doctor/1",
        ["schema", "ready", "findings"],
        ["id", "state", "seen", "remedy"],
    )


def test_doctor_looks_further_when_the_target_does_not_answer(call: Call) -> None:
    result = call("doctor", "--json", HANDSON_ENDPOINT_URL="http://127.0.0.1:1")
    found = {item["id"]: item["state"] for item in json.loads(result.stdout)["findings"]}
    assert (result.exit_code, found["target"], found["python"]) == (1, "bad", "ok")


# emulator


def test_emulator_status_json_while_it_is_not_running(call_own: Call) -> None:
    result = call_own("emulator", "status", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        1,
        {
            "schema": "handson.emulator/1",
            "running": False,
            "endpoint": None,
            "region": None,
            "account": None,
            "access_key_id": None,
            "secret_access_key": None,
            "pid": None,
        },
    )


def test_emulator_status_json_points_an_aws_tool_at_it(call_own: Call, home: Path) -> None:
    call_own("emulator", "start")
    result = call_own("emulator", "status", "--json")
    running = embedded.find_running(home)
    assert running is not None
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {
            "schema": "handson.emulator/1",
            "running": True,
            "endpoint": running.endpoint,
            "region": "us-east-1",
            "account": "123456789012",
            "access_key_id": running.access_key_id,
            "secret_access_key": running.secret_access_key,
            "pid": running.pid,
        },
    )


def test_emulator_status_starts_nothing(call_own: Call, home: Path) -> None:
    call_own("emulator", "status")
    assert embedded.find_running(home) is None


def test_emulator_start_ends_with_0_and_says_where(call_own: Call, home: Path) -> None:
    result = call_own("emulator", "start")
    running = embedded.find_running(home)
    assert running is not None
    assert (result.exit_code, running.endpoint in result.stdout) == (0, True)


def test_emulator_start_of_another_region_starts_it_there(call_own: Call, home: Path) -> None:
    call_own("emulator", "start")
    call_own("emulator", "start", HANDSON_REGION="ap-northeast-1")
    running = embedded.find_running(home)
    assert running is not None
    assert running.region == "ap-northeast-1"


def test_emulator_start_after_a_kill_tells_so_in_two_lines(call_own: Call, home: Path) -> None:
    call_own("emulator", "start")
    kill_own(home)
    result = call_own("emulator", "start")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 2)


def test_emulator_stop_ends_with_0_then_with_1(call_own: Call) -> None:
    call_own("emulator", "start")
    codes = [call_own("emulator", "stop").exit_code for _ in range(2)]
    assert codes == [0, 1]


def test_emulator_reset_stops_it_and_ends_with_0(call_own: Call, home: Path) -> None:
    call_own("emulator", "start")
    assert (call_own("emulator", "reset").exit_code, embedded.find_running(home)) == (0, None)


def test_emulator_reset_forgets_what_was_kept_and_keeps_the_evidence(
    call_own: Call, home: Path
) -> None:
    home.mkdir(exist_ok=True)
    for name in ("image-uri.json", "troubleshooting.json", "journal.jsonl"):
        (home / name).touch()
    call_own("emulator", "reset")
    assert [path.name for path in home.glob("*.json*")] == ["journal.jsonl"]


def test_emulator_reset_with_nothing_to_reset_is_fine(call_own: Call) -> None:
    assert call_own("emulator", "reset").exit_code == 0


def kill_own(home: Path) -> None:
    running = embedded.find_running(home)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    wait_until(
        lambda: embedded.find_running(home), done=lambda seen: not seen, what="end", timeout=10
    )


@pytest.mark.parametrize("words", [("verify",), ("doctor",), ("cleanup",)], ids=" ".join)
def test_the_first_command_after_a_kill_tells_so_and_the_second_does_not(
    call_own: Call, home: Path, words: tuple[str, ...]
) -> None:
    call_own("emulator", "start")
    kill_own(home)
    title = messages.text("notebook.workshop.restarted")
    told = [call_own(*words).stderr.count(title) for _ in range(2)]
    assert told == [1, 0]


def test_news_of_a_kill_stay_out_of_the_json(call_own: Call, home: Path) -> None:
    call_own("emulator", "start")
    kill_own(home)
    assert json.loads(call_own("verify", "--json").stdout)["schema"] == "handson.verification/1"


# run, as far as it needs no kernel


def test_run_without_that_edition_ends_with_2(call: Call, tmp_path: Path, root: Path) -> None:
    (tmp_path / "notebooks" / "ja").mkdir(parents=True)
    with contextlib.chdir(tmp_path):
        result = call("run", "--lang", "en")
    assert (result.exit_code, two_lines(result)) == (2, True)


def test_run_into_the_folder_of_the_notebooks_is_refused(call: Call, root: Path) -> None:
    folder = root / "notebooks" / "ja"
    before = {path: path.read_bytes() for path in folder.glob("*.ipynb")}
    result = call("run", "--output", str(folder))
    after = {path: path.read_bytes() for path in folder.glob("*.ipynb")}
    assert (result.exit_code, two_lines(result), after == before) == (2, True, True)


def test_run_into_something_that_is_no_folder_is_a_usage_error(call: Call) -> None:
    assert call("run", "--output", __file__).exit_code == 2


# A process of its own


def test_results_and_diagnostics_part_ways(
    command: Callable[..., subprocess.Popen[str]], emulator: Running
) -> None:
    process = command("verify", "--json", HANDSON_ENDPOINT_URL=emulator.endpoint)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["passed"], err) == (1, False, "")


def test_a_terminal_without_japanese_is_no_error(
    command: Callable[..., subprocess.Popen[str]], emulator: Running
) -> None:
    endpoint = emulator.endpoint
    process = command(
        "verify", HANDSON_ENDPOINT_URL=endpoint, PYTHONUTF8="0", PYTHONIOENCODING="ascii"
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "VPC" in out, err) == (1, True, "")


def test_a_reader_that_goes_away_is_no_traceback(
    command: Callable[..., subprocess.Popen[str]], emulator: Running
) -> None:
    process = command("verify", "--json", HANDSON_ENDPOINT_URL=emulator.endpoint)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.wait(timeout=60)
    with process.stderr:
        assert TRACEBACK not in process.stderr.read()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


LAB_TOKEN = "for-these-tests-only"


@pytest.fixture
def lab(
    command: Callable[..., subprocess.Popen[str]],
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start JupyterLab on a free port; end it afterwards whatever became of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = command("lab", "--no-browser", "--port", str(port), JUPYTER_TOKEN=LAB_TOKEN)
    yield process, port
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.communicate(timeout=30)


def test_lab_answers_on_this_computer_and_ends_by_its_process_id(
    lab: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = lab
    ready = is_ready(process, port)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert (ready, answers(port)) == (True, False)


def is_ready(process: subprocess.Popen[str], port: int) -> bool:
    """Tell whether JupyterLab answers, as soon as it does or has ended."""
    return bool(
        wait_until(
            lambda: process.poll() is None and answers(port),
            done=lambda seen: bool(seen) or process.poll() is not None,
            what="JupyterLab",
            timeout=60,
            interval=0.2,
        )
    )


def test_lab_asks_nobody_about_news_and_fetches_none(
    lab: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = lab
    assert is_ready(process, port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        headers = {"Authorization": f"token {LAB_TOKEN}"}
        plugin = "@jupyterlab/apputils-extension:notification"
        connection.request("GET", f"/lab/api/settings/{plugin}", headers=headers)
        asked = json.loads(connection.getresponse().read())["schema"]["properties"]
    defaults = (asked["fetchNews"]["default"], asked["checkForUpdates"]["default"])
    assert defaults == ("false", False)


@pytest.fixture(autouse=True)
def _nothing_is_left(home: Path) -> Iterator[None]:
    yield
    with contextlib.suppress(HandsonError):
        embedded.stop_emulator(home)
