"""The notebooks of a browser's tab share what the embedded AWS of each has made."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, rmtree

import pytest

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
