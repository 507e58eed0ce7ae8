"""The embedded AWS's process: its record, environment, log and last words."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handson.aws.emulator import process, server
from handson.aws.emulator.process import ProcessRecord
from handson.aws.emulator.state_saver import StateSaver
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
    "Traceback\nOSError: [Errno 122] Disk quota exceeded\n": "is full (OSError: [Errno 122]",
    None: "(exit code 70, last log line: ?)",
}


def test_a_death_is_explained_by_the_last_line_of_the_log(tmp_path: Path) -> None:
    messages.use("en")
    for log, seen in LAST_WORDS.items():
        process.locate_log(tmp_path).unlink(missing_ok=True)
        if log is not None:
            process.locate_log(tmp_path).write_text(log)
        assert seen in process.explain_death(tmp_path, 70).problem


def test_a_stop_file_ends_the_wait_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(server.wait_for_file(tmp_path / "stop", interval=0.001))
        await asyncio.sleep(0)
        (tmp_path / "stop").touch()
        await asyncio.wait_for(waiting, timeout=5)

    asyncio.run(scenario())


def test_long_disuse_is_counted_from_the_last_request() -> None:
    disuses = iter([0.0, 100.0, server.LONGEST_DISUSE])
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    gate = SimpleNamespace(find_disuse=lambda: next(disuses))
    asyncio.run(server.wait_for_disuse(gate, sleep=sleep))
    assert waits == [server.LONGEST_DISUSE, server.LONGEST_DISUSE - 100.0]


def test_a_secret_is_made_for_its_owner_alone_and_a_spoiled_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / server.SECRET
    made = set()
    for _ in range(2):
        process.make_secret(tmp_path)
        made.add(process.read_secret(tmp_path))
    assert {len(secret) for secret in made} == {40}
    assert (len(made), path.stat().st_mode & 0o777) == (2, 0o600)
    spoiled = (b"", b"short", b"\xff" * 40, b"two\nlines of one secret", b"\0" * 40)
    read = []
    for content in spoiled:
        path.write_bytes(content)
        read.append(process.read_secret(tmp_path))
    path.unlink()
    assert [*read, process.read_secret(tmp_path)] == [""] * 6


class Services:
    """MiniStack's `persistence`, and two services with a state to save."""

    def __init__(self, folder: Path) -> None:
        self.states: dict[str, Any] = {"ec2": {"vpcs": 1}, "ecs": {"clusters": 1}, "none": None}
        self.STATE_DIR = str(folder / "state")
        self.slept = 0
        self.saver = StateSaver(self, self.list, sleep=self.sleep)
        self.at_sleep: Callable[[], None] = lambda: None

    def list(self) -> dict[str, Any]:
        return {name: partial(self.states.__getitem__, name) for name in self.states}

    async def sleep(self, _seconds: float) -> None:
        self.slept += 1
        self.at_sleep()

    def load_state(self, service: str) -> Any:
        try:
            return json.loads(Path(self.STATE_DIR, f"{service}.json").read_text())["payload"]
        except (OSError, json.JSONDecodeError):
            return None

    def _state_format_version(self, _service: str) -> int:
        return 3

    def _json_default(self, value: object) -> Any:
        raise TypeError(value)

    def save_soon(self, *, executor: Executor | None = None) -> None:
        async def scenario() -> None:
            if executor:
                asyncio.get_running_loop().set_default_executor(executor)
            self.saver.note_change()
            self.saver.note_change()
            assert self.saver._task
            await self.saver._task

        asyncio.run(scenario())

    def read(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(Path(self.STATE_DIR).iterdir())}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(tmp_path)


def test_changes_are_saved_once_in_a_while_and_only_what_has_changed(services: Services) -> None:
    services.save_soon()
    first = services.read()
    assert (services.slept, list(first)) == (1, ["ec2.json", "ecs.json"])
    services.states["ec2"] = {"vpcs": 2}
    services.save_soon()
    seen = services.read()
    assert json.loads(seen["ec2.json"]) == {"__ministack_format__": 3, "payload": {"vpcs": 2}}
    assert seen == first | {"ec2.json": seen["ec2.json"]}


def test_a_change_while_another_is_saved_is_saved_as_well(services: Services) -> None:
    def change() -> None:
        services.states["ec2"] = {"vpcs": services.slept + 1}
        if services.slept == 1:
            services.saver._is_changed = False  # as it is when the states are being written
            services.saver.note_change()

    services.at_sleep = change
    services.save_soon()
    assert services.load_state("ec2") == {"vpcs": services.slept + 1}


def test_a_state_that_cannot_be_written_is_tried_until_it_can(services: Services) -> None:
    blocked = Path(services.STATE_DIR)
    blocked.write_text("a file where the folder should be")
    failures = []

    def mend() -> None:
        failures.append(services.saver.failure)
        if services.slept == 3:
            blocked.unlink()

    services.at_sleep = mend
    services.save_soon()
    assert [type(failure) for failure in failures] == [type(None), FileExistsError, FileExistsError]
    assert services.saver.failure is None
    assert services.load_state("ec2") == {"vpcs": 1}


def test_a_state_is_saved_where_no_thread_can_be_started(services: Services) -> None:
    class Exhausted(ThreadPoolExecutor):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("can't start new thread")

    services.save_soon(executor=Exhausted())
    assert services.load_state("ec2") == {"vpcs": 1}


def test_a_service_that_has_no_state_to_give_keeps_no_other_from_being_saved(
    services: Services,
) -> None:
    services.saver.save_all({"ec2": lambda: 1 / 0, "ecs": lambda: {"clusters": 1}})
    assert isinstance(services.saver.failure, ZeroDivisionError)
    assert list(services.read()) == ["ecs.json"]


def test_an_older_state_does_not_replace_a_newer_one(services: Services) -> None:
    class Late(ThreadPoolExecutor):
        def submit(self, *given: Any, **named: Any) -> Any:
            services.saver.save_state("ec2", {"vpcs": 2})
            return super().submit(*given, **named)

    services.save_soon(executor=Late())
    assert (services.load_state("ec2"), services.load_state("ecs")) == (
        {"vpcs": 2},
        {"clusters": 1},
    )
