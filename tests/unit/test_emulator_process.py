from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from handson.aws.emulator import process, server
from handson.aws.emulator.process import ProcessRecord
from handson.core import messages

RECORD = ProcessRecord(
    state="running", pid=os.getpid(), port=4566, token="f00d", region="us-east-1"
)


def environment(folder: Path, **theirs: str) -> dict[str, str]:
    return process.build_environment(folder, region="eu-west-1", passed_on=theirs)


# write_record, read_record, find_process


def test_a_record_reads_back_as_it_was_written_and_stands_alone(tmp_path: Path) -> None:
    assert process.read_record(tmp_path) is None
    process.write_record(tmp_path, RECORD)
    assert process.read_record(tmp_path) == RECORD
    assert [file.name for file in tmp_path.iterdir()] == ["process.json"]


def test_a_record_that_cannot_be_put_in_place_leaves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "process.json").mkdir()
    with pytest.raises(OSError, match=r"process\.json"):
        process.write_record(tmp_path, RECORD)
    assert [file.name for file in tmp_path.iterdir()] == ["process.json"]


def test_a_record_that_is_spoiled_or_of_another_schema_reads_as_none(tmp_path: Path) -> None:
    process.write_record(tmp_path, RECORD)
    path = tmp_path / "process.json"
    other = path.read_text().replace(server.SCHEMA, "other/1")
    spoiled = ["", "{", "[]", "7", '{"pid": 1}', other]
    read = {}
    for content in spoiled:
        path.write_text(content)
        read[content] = process.read_record(tmp_path)
    assert read == dict.fromkeys(spoiled)


def test_a_pid_without_the_token_in_its_command_line_is_not_ours() -> None:
    assert process.find_process(RECORD) is None


# build_environment


def test_it_is_bound_to_loopback_and_finds_no_docker(tmp_path: Path) -> None:
    environ = environment(tmp_path, DOCKER_HOST="unix:///var/run/docker.sock")
    assert environ["BIND_HOST"] == "127.0.0.1"
    assert environ["DOCKER_HOST"] == f"unix://{tmp_path}/no-docker.sock"


def test_of_the_callers_environment_only_what_python_needs_is_passed_on(tmp_path: Path) -> None:
    theirs = {"PATH": "/bin", "SystemRoot": "C:\\Windows", "AWS_PROFILE": "work", "HOME": "/h"}
    ours = environment(tmp_path)
    assert environment(tmp_path, **theirs).keys() - ours.keys() == {"PATH", "SystemRoot"}


# open_log, explain_death


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"before\n", b"before\n--- start\n"), (b"x" * (process.LOG_LIMIT + 1), b"--- start\n")],
    ids=["small", "large"],
)
def test_a_log_is_continued_until_it_is_large(tmp_path: Path, before: bytes, after: bytes) -> None:
    process.locate_log(tmp_path).write_bytes(before)
    process.open_log(tmp_path).close()
    assert process.locate_log(tmp_path).read_bytes() == after


@pytest.mark.parametrize(
    ("log", "seen"),
    [
        ("Traceback\n\nOSError: no port\n\n", "(exit code 70, last log line: OSError: no port)"),
        (None, "(exit code 70, last log line: ?)"),
        (
            "Traceback\nOSError: [Errno 28] No space left on device\n",
            "is full (OSError: [Errno 28]",
        ),
    ],
)
def test_a_death_is_explained_by_the_last_line_of_the_log(
    tmp_path: Path, log: str | None, seen: str
) -> None:
    messages.use("en")
    if log is not None:
        process.locate_log(tmp_path).write_text(log)
    assert seen in process.explain_death(tmp_path, 70).problem


# SaveFailures, wait_for_file


def logged(unsaved: server.SaveFailures, message: str, service: str) -> None:
    arguments = (service, "full") if message.count("%s") > 1 else (service,)
    unsaved.handle(logging.LogRecord("persistence", logging.ERROR, "", 0, message, arguments, None))


def test_it_notices_that_state_was_not_saved_and_not_that_it_was_not_loaded() -> None:
    unsaved = server.SaveFailures()
    logged(unsaved, "Persistence: failed to load %s: %s", "elb")
    logged(unsaved, "Persistence: failed to save %s: %s", "ec2")
    logged(unsaved, "Persistence: error getting state for %s: %s", "ecs")
    assert unsaved.services == {"ec2", "ecs"}


def test_what_was_saved_later_is_no_longer_unsaved() -> None:
    unsaved = server.SaveFailures()
    for message in ("Persistence: failed to save %s: %s", "Persistence: saved %s"):
        logged(unsaved, message, "ec2")
    logged(unsaved, "Persistence: failed to save %s: %s", "ecs")
    assert unsaved.services == {"ecs"}


def test_a_stop_file_ends_the_wait_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(server.wait_for_file(tmp_path / "stop", interval=0.001))
        await asyncio.sleep(0)
        (tmp_path / "stop").touch()
        await asyncio.wait_for(waiting, timeout=5)

    asyncio.run(scenario())
