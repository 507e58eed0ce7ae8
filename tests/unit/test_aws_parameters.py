"""Calls that a learner writes wrongly: answered in two lines, and nothing is sent."""

from __future__ import annotations

from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import InvalidInput
from tests.unit.fake_aws import FakeAws

PROVIDERS = "PutClusterCapacityProviders"
SLIPS: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "a service in capitals": (("EC2", "DeleteSubnet"), {"SubnetId": "x"}, '"ec2"'),
    "a service that is none": (("vpc", "DeleteSubnet"), {}, '"ec2", "ecs", "ecr"'),
    "a service that is no text": ((5, "DeleteSubnet"), {}, '"ec2", "ecs", "ecr"'),
    "an operation in small letters": (("ec2", "deletesubnet"), {}, '"DeleteSubnet"'),
    "a letter too few": (("ecs", PROVIDERS[:-1]), {"cluster": "x"}, f'"{PROVIDERS}"'),
    "no operation": (("ec2",), {"SubnetId": "x"}, "API"),
    "a method of boto3's that is no operation": (("ec2", "get_paginator"), {}, "API"),
    "a value without its name": (("ec2", "DeleteSubnet", "subnet-1"), {}, '"DeleteSubnet", …=…'),
    "a parameter too few": (("ec2", "DeleteSubnet"), {}, "SubnetId"),
    "a parameter in other letters": (("ec2", "DeleteSubnet"), {"subnetid": "x"}, "SubnetId"),
    "a parameter that is none": (("ec2", "DeleteSubnet"), {"zzz": "x"}, "SubnetId, DryRun"),
    "a text for a list": (("ec2", "CreateTags"), {"Resources": "x", "Tags": []}, "Resources"),
    "a number for a text": (("ec2", "DeleteSubnet"), {"SubnetId": 1}, "SubnetId"),
    "a text for a dictionary": (("ecs", "CreateCluster"), {"tags": ["x"]}, "tags[0]"),
    "a switch for a dictionary": (
        ("ec2", "ModifyVpcAttribute"),
        {"VpcId": "x", "EnableDnsSupport": True},
        "EnableDnsSupport",
    ),
    "a key in small letters": (
        ("ec2", "CreateTags"),
        {"Resources": ["x"], "Tags": [{"key": "Name", "Value": "x"}]},
        "Key",
    ),
}


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_call_that_is_written_wrongly_is_answered_with_how_to_write_it(language: str) -> None:
    messages.use(language)
    aws = FakeAws().connect()  # that has no answer, so nothing may be sent
    told = {}
    for slip, (given, named, _) in SLIPS.items():
        with pytest.raises(InvalidInput) as refused:
            aws.call(*given, **named)
        told[slip] = refused.value
    missing = {slip: it.remedy for slip, it in told.items() if SLIPS[slip][2] not in it.remedy}
    assert missing == {}
    assert [str(it) for it in told.values() if len(str(it).splitlines()) != 2] == []


def test_an_operation_may_be_written_as_boto3_does() -> None:
    fake = FakeAws()
    fake.answers("DeleteSubnet", {})
    fake.connect().call("ec2", "delete_subnet", SubnetId="subnet-1")
    assert fake.operations == ["DeleteSubnet"]
