"""The embedded AWS in this process does what it does in a process of its own."""

from __future__ import annotations

import json
import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from handson import start
from handson.aws import emulator as room
from handson.aws.emulator.in_process import find_in_process, open_in_process
from tests.emulator.hooks import Inside, connect, reset
from tests.emulator.learner import Learner
from tests.notebooks.book import FOLDER, read_book

pytestmark = pytest.mark.emulator

WORKED = ("01-network", "02-cluster", "03-image", "04-evidence")
CHANGES = re.compile(
    r"\b(vpc|vpce|subnet|rtb|igw|rtbassoc)-[0-9a-f]+|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?"
    r"|127\.0\.0\.1:\d+"
)
"""What is another one in each run: ids, times, and the port."""


@pytest.fixture
def on_builtin(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {"ENGINE": "builtin", "LEARNER": "Hanako", "LANG": "ja"}.items():
        monkeypatch.setenv(f"HANDSON_{name}", value)
    return monkeypatch


def test_the_same_notebooks_leave_the_same_evidence_as_a_process(
    inside: Inside, running: room.Running, tmp_path: Path, on_builtin: pytest.MonkeyPatch
) -> None:
    evidence = []
    for number, one in enumerate((inside, running)):
        reset(one)
        on_builtin.setenv("HANDSON_HOME", str(tmp_path / str(number)))
        on_builtin.setenv("HANDSON_ENDPOINT_URL", one.endpoint)
        evidence.append(_run_notebooks(tmp_path / str(number)))
    assert evidence[0] == evidence[1]
    assert [record["check"] for record in evidence[0]] == [
        "network",
        "cluster",
        "repository",
        "image",
        "image-uri",
    ]


def test_a_copied_state_is_restored_whole(inside: Inside, tmp_path: Path) -> None:
    learner = Learner(inside, tmp_path / "home")
    learner.finish()
    finished, before = inside.door.copy_state(), learner.look()
    reset(inside)
    assert [check.passed for check in learner.verify().checks] == [False] * 5
    inside.door.restore_state(finished)
    assert learner.look() == before


def test_a_restored_state_is_another_copy_each_time(inside: Inside) -> None:
    reset(inside)
    ec2 = connect(inside).client("ec2")
    empty = inside.door.copy_state()
    for _ in range(2):
        inside.door.restore_state(empty)
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
        named = [{"Name": "cidr", "Values": ["10.0.0.0/16"]}]
        assert len(ec2.describe_vpcs(Filters=named)["Vpcs"]) == 1


def test_there_is_one_for_a_whole_process_at_one_address(inside: Inside, tmp_path: Path) -> None:
    assert open_in_process(tmp_path / "other", region="eu-west-1") is inside.door
    others = ("http://127.0.0.1:10", "http://127.0.0.1", "http://example.org")
    assert [find_in_process(url) for url in (*others, inside.endpoint)] == [None] * 3 + [
        inside.door
    ]


def _run_notebooks(home: Path) -> list[dict[str, Any]]:
    """Run the notebooks' cells, and return the evidence that they have put into the journal."""
    with chdir(FOLDER):
        for notebook in WORKED:
            names: dict[str, Any] = {"workshop": start()}
            for cell in read_book(notebook).cells("code"):
                exec(cell.source, names)
    text = (home / "journal.jsonl").read_text(encoding="utf-8")
    records = [json.loads(CHANGES.sub(r"<\1>", line)) for line in text.splitlines()]
    return [
        {"check": record["check"], "observed": record["observed"], "target": record["target"]}
        | {"calls": {(call["service"], call["operation"]) for call in record["requests"]}}
        for record in records
    ]
