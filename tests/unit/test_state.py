"""States: what a notebook carries and gives back, and what governs a subnet."""

from __future__ import annotations

import json

import pytest
from msgspec import ValidationError
from msgspec.structs import replace

from handson.core import messages
from handson.course import state
from handson.course.state import Platform, Resource, Snapshot, State
from tests.unit import states


@pytest.mark.parametrize("snapshot", [states.finished(), states.empty()], ids=["done", "empty"])
def test_a_snapshot_comes_back_from_json_as_it_was(snapshot: Snapshot) -> None:
    data = snapshot.to_json()
    assert json.loads(json.dumps(data)) == data
    assert Snapshot.from_json(data) == snapshot


UNTAGGED = {"tagged": False, "owner": ""}


def test_every_state_is_frozen_and_takes_keywords_only() -> None:
    kinds = [*State.__subclasses__(), *state.Owned.__subclasses__()]
    assert [kind for kind in kinds if not kind.__struct_config__.frozen] == []
    for kind in kinds:
        with pytest.raises(TypeError):
            kind("positional")  # type: ignore[call-arg, misc]


def test_what_earlier_records_do_not_hold_has_a_value() -> None:
    """Records of earlier versions lack these fields, and are judged still."""
    target = {"kind": "aws", "account": "1", "region": "r"}
    assert state.Target.from_json(target).to_json() == {**target, "endpoint": None}
    subnet = {"id": "s", "name": "", "cidr": "", "zone": "", "map_public_ip": False}
    assert state.Subnet.from_json(subnet).to_json() == {
        **subnet, "ipv6_cidrs": [], "available_addresses": 0, **UNTAGGED,
    }  # fmt: skip
    cluster = {
        "name": "c", "arn": "a", "status": "", "capacity_providers": [], "container_instances": 0,
    }  # fmt: skip
    assert state.Cluster.from_json(cluster).to_json() == {
        **cluster, "running_tasks": 0, "active_services": 0, **UNTAGGED,
    }  # fmt: skip
    gateway = {"id": "igw-1", "name": "", "attachment": "available"}
    assert state.InternetGateway.from_json(gateway).to_json() == {**gateway, **UNTAGGED}
    box, icon = state.DrawnBox(id="b", label=""), state.DrawnIcon(id="i", label="")
    assert (box.inside, icon.inside, icon.kind) == ("", "", "")
    arrow = state.DrawnArrow(tail="i", head="j")
    assert (arrow.label, arrow.direction) == ("", "forward")


def test_a_repository_keeps_its_tags_whatever_its_filters_exclude() -> None:
    kinds = ("MUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION")
    kept = [it for it in kinds if states.repository(tag_mutability=it).keeps_tags]
    assert kept == ["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"]


def test_a_resource_is_named_with_its_type_and_the_end_of_its_id() -> None:
    arn = "arn:aws:ecs:us-east-1:112233445566:cluster/blue"
    named = Resource(type="AWS::ECS::Cluster", id=arn, name="blue")
    assert str(named) == "blue (ECS クラスター cluster/blue)"
    endpoint = replace(named, type="AWS::EC2::VPCEndpoint", name="", id="vpce-1")
    assert str(endpoint) == "vpce-1 (VPC エンドポイント)"
    messages.use("en")
    assert str(endpoint) == "vpce-1 (VPC endpoint)"
    assert replace(named, type="AWS::ECS::Service").label == "AWS::ECS::Service"
    assert named.region == ""
    assert str(Platform(os="linux", architecture="arm64")) == "linux/arm64"


def test_route_table_of_a_subnet_is_its_own_else_the_main_one() -> None:
    main, public, free = states.main_table(), states.public_table(), states.public_table(subnets=())
    first = states.subnet(1).id
    tables = ((main, public), (public, main), (free, main), (main, free), (free,), ())
    found = [states.vpc(route_tables=each).route_table_of(first) for each in tables]
    assert found == [public, public, main, main, None, None]


def test_a_subnet_is_public_by_a_route_to_an_internet_gateway() -> None:
    to_nat = replace(states.TO_GATEWAY, target="nat-0a1b2c3d4e5f60001")
    nat = states.public_table(routes=(states.LOCAL, to_nat))
    tables = ((states.public_table(),), (states.main_table(),), (nat,), ())
    found = [states.vpc(route_tables=each).is_public(states.subnet(1)) for each in tables]
    assert found == [True, False, False, False]


def test_a_number_as_text_is_refused_and_not_read() -> None:
    target = {"kind": "aws", "account": "1", "region": "us-east-1"}
    cluster = {"name": "a", "arn": "b", "status": "ACTIVE", "capacity_providers": []}
    with pytest.raises(ValidationError, match="int"):
        Snapshot.from_json(
            {"target": target, "clusters": [{**cluster, "container_instances": "0"}]}
        )
