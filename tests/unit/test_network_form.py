"""The form "VPC and more": the calls behind its button."""

from __future__ import annotations

from typing import Any

from handson.course.exercise import NetworkForm
from handson.resources.network import plan_network
from handson.resources.plan import Ref, Step

ZONES = ["us-east-1a", "us-east-1b"]
OWN_TAG = {"Key": "handson", "Value": "ecs-handson"}


def steps(**changes: Any) -> dict[str, Step]:
    form = NetworkForm(**changes)
    zones = ZONES[: form.availability_zones]
    return {step.name: step for step in plan_network(form, zones=zones, region="us-east-1")}


def names(made: dict[str, Step]) -> list[str]:
    specs = [
        spec for step in made.values() for spec in step.parameters.get("TagSpecifications", [])
    ]
    return [pair["Value"] for spec in specs for pair in spec["Tags"] if pair["Key"] == "Name"]


def test_the_calls_are_those_of_the_console_in_its_order() -> None:
    assert [step.operation for step in steps().values()] == [
        *("CreateVpc", "ModifyVpcAttribute", "CreateSubnet", "CreateSubnet"),
        *("CreateInternetGateway", "AttachInternetGateway", "CreateRouteTable", "CreateRoute"),
        *("AssociateRouteTable", "AssociateRouteTable", "CreateVpcEndpoint"),
    ]


def test_the_names_are_those_of_the_console_with_the_zones() -> None:
    assert names(steps()) == [
        "ecs-handson-vpc",
        "ecs-handson-subnet-public1-us-east-1a",
        "ecs-handson-subnet-public2-us-east-1b",
        "ecs-handson-igw",
        "ecs-handson-rtb-public",
        "ecs-handson-vpce-s3",
    ]
    own = [name for name in names(steps(private_subnets=4)) if "rtb-private" in name]
    zones = ("1-us-east-1a", "2-us-east-1b", "3-us-east-1a", "4-us-east-1b")
    assert own == [f"ecs-handson-rtb-private{zone}" for zone in zones]


def test_everything_is_tagged_when_it_is_created() -> None:
    created = [step for step in steps().values() if step.operation.startswith("Create")]
    untagged = [{"Tags": []}]
    tags = {each.name: each.parameters.get("TagSpecifications", untagged)[0] for each in created}
    bare = [name for name, given in tags.items() if OWN_TAG not in given["Tags"]]
    assert bare == ["default-route"]
    owned = plan_network(NetworkForm(), zones=["a", "b"], region="us-east-1", owner="Aiko")
    created = [step.parameters for step in owned if step.operation.startswith("Create")]
    pairs = [it["TagSpecifications"][0]["Tags"] for it in created if "TagSpecifications" in it]
    assert {tags[-1]["Value"] for tags in pairs} == {"Aiko"}


def test_the_blocks_are_those_of_the_console() -> None:
    public, private = ["10.0.0.0/20", "10.0.16.0/20"], ["10.0.128.0/20", "10.0.144.0/20"]
    for count, blocks in ((0, public), (2, public + private)):
        made = steps(private_subnets=count).values()
        seen = [step.parameters["CidrBlock"] for step in made if step.operation == "CreateSubnet"]
        assert seen == blocks


def test_hostnames_are_switched_on_in_a_call_of_their_own() -> None:
    given = {"VpcId": Ref("vpc"), "EnableDnsHostnames": {"Value": True}}
    assert steps()["dns-hostnames"].parameters == given


def test_public_subnets_share_a_route_table_and_each_private_one_has_its_own() -> None:
    made, kinds = steps(private_subnets=4), {"public": (1, 2), "private": (1, 2, 3, 4)}
    places = [f"{kind}-subnet-{number}" for kind, numbers in kinds.items() for number in numbers]
    tables = [made[f"{place}-association"].parameters["RouteTableId"] for place in places]
    own = [Ref(f"private-table-{number}") for number in (1, 2, 3, 4)]
    assert tables == [Ref("public-table"), Ref("public-table"), *own]


def test_the_s3_endpoint_leads_from_private_route_tables_and_can_be_left_out() -> None:
    made = steps(private_subnets=2)["s3-endpoint"].parameters
    assert made["RouteTableIds"] == [Ref("private-table-1"), Ref("private-table-2")]
    assert "RouteTableIds" not in steps()["s3-endpoint"].parameters
    assert "s3-endpoint" not in steps(s3_endpoint=False)


def test_without_public_subnets_there_is_no_gateway() -> None:
    made = steps(public_subnets=0, private_subnets=2)
    assert [name for name in made if name in ("gateway", "attachment", "default-route")] == []


def test_a_step_names_only_steps_before_it() -> None:
    made = list(steps(private_subnets=4).values())
    names = [step.name for step in made]
    assert [each.name for at, each in enumerate(made) if not each.needs <= {*names[:at]}] == []
    assert "attachment" in steps()["default-route"].needs
