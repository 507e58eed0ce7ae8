"""The embedded AWS's process: its record, environment, log and last words."""

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


def test_a_record_that_cannot_be_put_in_place_leaves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "process.json").mkdir()
    with pytest.raises(OSError, match=r"process\.json"):
        process.write_record(tmp_path, RECORD)
    assert [file.name for file in tmp_path.iterdir()] == ["process.json"]


def test_a_record_reads_back_unless_it_is_spoiled_or_of_another_schema(tmp_path: Path) -> None:
    assert process.read_record(tmp_path) is None
    process.write_record(tmp_path, RECORD)
    assert process.read_record(tmp_path) == RECORD
    [path] = tmp_path.iterdir()
    other = path.read_text().replace(server.SCHEMA, "other/1")
    spoiled = ["", "{", "[]", "7", '{"pid": 1}', other]
    read = {}
    for content in spoiled:
        path.write_text(content)
        read[content] = process.read_record(tmp_path)
    assert read == dict.fromkeys(spoiled)


def test_it_is_on_loopback_alone_with_no_docker_and_what_python_needs(tmp_path: Path) -> None:
    docker = {"DOCKER_HOST": "unix:///var/run/docker.sock"}
    theirs = {"PATH": "/bin", "SystemRoot": "C:\\Windows", "AWS_PROFILE": "work", "HOME": "/h"}
    ours, environ = (
        process.build_environment(tmp_path, region="eu-west-1", passed_on=docker | given)
        for given in ({}, theirs)
    )
    assert environ["BIND_HOST"] == "127.0.0.1"
    assert environ["DOCKER_HOST"] == f"unix://{tmp_path}/no-docker.sock"
    assert environ.keys() - ours.keys() == {"PATH", "SystemRoot"}


def test_a_log_is_continued_until_it_is_large(tmp_path: Path) -> None:
    log, large = process.locate_log(tmp_path), b"x" * (process.LOG_LIMIT + 1)
    for before, after in ((b"before\n", b"before\n--- start\n"), (large, b"--- start\n")):
        log.write_bytes(before)
        process.open_log(tmp_path).close()
        assert log.read_bytes() == after


LAST_WORDS = {
    "Traceback\n\nOSError: no port\n\n": "(exit code 70, last log line: OSError: no port)",
    "Traceback\nOSError: [Errno 28] No space left on device\n": "is full (OSError: [Errno 28]",
    None: "(exit code 70, last log line: ?)",
}


def test_a_death_is_explained_by_the_last_line_of_the_log(tmp_path: Path) -> None:
    messages.use("en")
    for log, seen in LAST_WORDS.items():
        process.locate_log(tmp_path).unlink(missing_ok=True)
        if log is not None:
            process.locate_log(tmp_path).write_text(log)
        assert seen in process.explain_death(tmp_path, 70).problem


def test_a_service_is_unsaved_from_a_failed_save_to_the_next_one() -> None:
    unsaved = server.SaveFailures()
    heard = [
        ("Persistence: failed to load %s: %s", ("elb", "full")),
        ("Persistence: failed to save %s: %s", ("ec2", "full")),
        ("Persistence: saved %s", ("ec2",)),
        ("Persistence: failed to save %s: %s", ("ecr", "full")),
        ("Persistence: error getting state for %s: %s", ("ecs", "full")),
    ]
    for message, arguments in heard:
        unsaved.handle(logging.LogRecord("persistence", 40, "", 0, message, arguments, None))
    assert unsaved.services == {"ecr", "ecs"}


def test_a_stop_file_ends_the_wait_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(server.wait_for_file(tmp_path / "stop", interval=0.001))
        await asyncio.sleep(0)
        (tmp_path / "stop").touch()
        await asyncio.wait_for(waiting, timeout=5)

    asyncio.run(scenario())
