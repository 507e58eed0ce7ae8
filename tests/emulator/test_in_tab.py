"""The notebooks of a browser's tab share what the embedded AWS of each has made."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from shutil import copytree, rmtree
from types import SimpleNamespace
from typing import Any

import pytest

from handson.aws.emulator import Running, in_tab
from handson.aws.emulator.in_tab import SharedState
from handson.core.errors import NotReady
from tests.emulator.hooks import Inside, connect, reset

pytestmark = pytest.mark.emulator

NAMED = [{"Name": "cidr", "Values": ["10.7.0.0/16"]}]


def test_a_notebook_has_what_another_one_has_saved(inside: Inside, tmp_path: Path) -> None:
    reset(inside)
    shared, ec2 = SharedState(inside.door), connect(inside).client("ec2")
    state = inside.door.folder / "state"
    made = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    shared.save()
    copytree(state, tmp_path / "other")
    ec2.delete_vpc(VpcId=made)
    shared.save()
    shared.refresh()
    assert ec2.describe_vpcs(Filters=NAMED)["Vpcs"] == []
    rmtree(state)
    copytree(tmp_path / "other", state)
    shared.refresh()
    assert [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=NAMED)["Vpcs"]] == [made]


def test_a_notebook_that_only_looks_undoes_nothing(inside: Inside) -> None:
    reset(inside)
    shared, ec2 = SharedState(inside.door), connect(inside).client("ec2")
    file = inside.door.folder / "state" / "ec2.json"
    ec2.create_vpc(CidrBlock="10.7.0.0/16")
    shared.save()
    before = file.read_text()
    inside.door.load_state()
    file.write_text("another notebook's")
    shared.save()
    assert file.read_text() == "another notebook's"
    file.write_text(before)


def test_a_storage_that_takes_nothing_is_told(inside: Inside) -> None:
    reset(inside)
    shared, state = SharedState(inside.door), inside.door.folder / "state"
    rmtree(state, ignore_errors=True)
    state.touch()
    connect(inside).client("ec2").create_vpc(CidrBlock="10.8.0.0/16")
    with pytest.raises(NotReady) as told:
        shared.save()
    state.unlink()
    assert len(str(told.value).splitlines()) == 2


def test_a_full_storage_is_told_apart_from_one_that_takes_nothing(tmp_path: Path) -> None:
    keys = []
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, None):
        failure = RuntimeError("no state") if number is None else OSError(number, "told")
        door: Any = SimpleNamespace(folder=tmp_path, save_state=lambda failure=failure: failure)
        with pytest.raises(NotReady, match=str(tmp_path)) as told:
            SharedState(door).save()
        keys.append(told.value.key)
    assert keys == [f"aws.emulator.{key}" for key in ("disk-full",) * 2 + ("not-writable",) * 2]


def test_a_notebook_reads_before_each_cell_and_saves_after_it(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "yaml", raising=False)  # only a tab lacks it
    reset(inside)
    told: list[tuple[str, Any]] = []
    shell = SimpleNamespace(events=SimpleNamespace(register=lambda *each: told.append(each)))
    for region in ("us-east-1", "eu-west-1"):
        running = in_tab.ensure_running(tmp_path, region=region, shell=shell)
        assert running == Running(os.getpid(), 1, region, "running")
    [shared] = {work.__self__ for _, work in told}
    assert told == [("pre_run_cell", shared.refresh), ("post_run_cell", shared.save)]
    assert (type(shared), shared.door, "yaml" in sys.modules) == (SharedState, inside.door, False)
