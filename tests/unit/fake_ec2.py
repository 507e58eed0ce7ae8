"""EC2 played by a test: a region in which the calls make, join and delete resources.

    region = FakeEc2()
    vpc = region.add("Vpc", name="ecs-handson-vpc", tagged=True, CidrBlock="10.0.0.0/16")
    region.first("DeleteVpc", Refusal("DependencyViolation"))     then it answers itself
    network.ensure_network(region.connect(), NetworkForm())

It is as strict as AWS where the emulators are not: a subnet is never taken from another route
table, no route leads to a gateway that is not attached, nothing is deleted that is in use, and a
dry run does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from handson.aws.refusals import READS
from tests.unit.fake_aws import FakeAws, Refusal

PREFIXES = {
    "Vpc": "vpc", "Subnet": "subnet", "RouteTable": "rtb", "InternetGateway": "igw",
    "VpcEndpoint": "vpce", "NetworkInterface": "eni", "NatGateway": "nat", "SecurityGroup": "sg",
}  # fmt: skip
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
TAG = {"Key": "handson", "Value": "ecs-handson"}
ANYWHERE = "0.0.0.0/0"
IN_USE = Refusal("DependencyViolation", "it is in use")

DELETIONS = [
    "DeleteVpcEndpoints", *["DisassociateRouteTable"] * 2, "DeleteRouteTable",
    *["DeleteSubnet"] * 2, "DetachInternetGateway", "DeleteInternetGateway", "DeleteVpc",
]  # fmt: skip
"""The calls that delete the workshop's network, in AWS's order."""

Said = dict[str, Any]


def key_of(noun: str) -> str:
    return "GroupId" if noun == "SecurityGroup" else f"{noun}Id"


def _comes_with_vpc(raw: dict[str, Any]) -> bool:
    main = any(it.get("Main") for it in raw.get("Associations", ()))
    return main or raw.get("GroupName") == "default"


@dataclass
class FakeEc2(FakeAws):
    """A region of EC2, empty but for what `add` puts into it."""

    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    switches: dict[tuple[str, str], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._numbers = count(1)
        for noun in PREFIXES:
            self.held[noun] = []
            self.answers(f"Describe{noun}s", lambda _, noun=noun: self._list(noun))
        self.answers("ListClusters", {"clusterArns": []})
        self.answers("DescribeRepositories", {"repositories": []})
        zones = [{"ZoneName": zone} for zone in ZONES]
        self.answers("DescribeAvailabilityZones", {"AvailabilityZones": zones})
        for noun in ("Vpc", "Subnet", "RouteTable", "InternetGateway", "VpcEndpoint"):
            self.answers(f"Create{noun}", self._unless_dry(self._creating(noun)))
        for noun in ("Vpc", "Subnet", "RouteTable", "InternetGateway"):
            self.answers(f"Delete{noun}", lambda said, noun=noun: self._delete(noun, said))
        for verb in (
            *(self._describe_vpc_attribute, self._modify_vpc_attribute),
            *(self._attach_internet_gateway, self._detach_internet_gateway),
            *(self._create_route, self._replace_route),
            *(self._associate_route_table, self._disassociate_route_table),
            *(self._modify_vpc_endpoint, self._delete_vpc_endpoints),
        ):
            operation = verb.__name__.title().replace("_", "")
            self.answers(operation, self._unless_dry(verb))

    def first(self, operation: str, *answers: Any) -> None:
        """Give these answers to the next calls of an operation, and its own afterwards."""
        self.answers(operation, *answers, self.planned[operation][-1])

    def add(self, noun: str, *, name: str = "", tagged: bool = False, **fields: Any) -> str:
        """Put a resource into the region, and return its id."""
        tags = [{"Key": "Name", "Value": name}] if name else []
        return self._keep(noun, {"Tags": [*tags, *([TAG] if tagged else [])], **fields})

    def get(self, noun: str, id: str) -> dict[str, Any]:
        """Return a resource as EC2 describes it, to look at or to change."""
        [found] = [raw for raw in self.held[noun] if raw[key_of(noun)] == id]
        return found

    def named(self, noun: str, name: str) -> dict[str, Any]:
        """Return the one resource with a Name tag."""
        tag = {"Key": "Name", "Value": name}
        [found] = [raw for raw in self.held[noun] if tag in raw["Tags"]]
        return found

    @property
    def writes(self) -> list[str]:
        """The operations that were asked to change something."""
        asked = [name for name, said in self.calls if "DryRun" not in said]
        return [name for name in asked if not name.startswith(READS)]

    def _unless_dry(self, answer: Callable[[Said], Any]) -> Callable[[Said], Any]:
        def guarded(said: Said) -> Any:
            with self._lock:
                return Refusal("DryRunOperation", status=412) if "DryRun" in said else answer(said)

        return guarded

    def _list(self, noun: str) -> dict[str, Any]:
        return {f"{noun}s": deepcopy(self.held[noun])}

    def _keep(self, noun: str, raw: dict[str, Any]) -> str:
        id = str(raw.setdefault(key_of(noun), f"{PREFIXES[noun]}-{next(self._numbers)}"))
        self.held[noun].append(raw)
        if noun == "Vpc":
            local = {"DestinationCidrBlock": raw["CidrBlock"], "GatewayId": "local"}
            main = [{"Main": True, "RouteTableAssociationId": f"main-{id}"}]
            self.add("RouteTable", VpcId=id, Associations=main, Routes=[local])
            self.add("SecurityGroup", VpcId=id, GroupName="default")
            self.switches |= {(id, "EnableDnsSupport"): True, (id, "EnableDnsHostnames"): False}
        if noun == "RouteTable":
            raw.setdefault("Associations", [])
            raw.setdefault("Routes", [])
        return id

    def _creating(self, noun: str) -> Callable[[Said], Any]:
        def create(said: Said) -> Any:
            tags = said.get("TagSpecifications", [{"Tags": []}])[0]["Tags"]
            raw = {key: value for key, value in said.items() if key != "TagSpecifications"}
            id = self._keep(noun, {**raw, "Tags": tags})
            return {noun: {key_of(noun): id}}

        return create

    def _delete(self, noun: str, said: Said) -> Any:
        raw = self.get(noun, said[key_of(noun)])
        if self._is_used(noun, raw):
            return IN_USE
        self.held[noun].remove(raw)
        if noun == "Vpc":
            for other in ("RouteTable", "SecurityGroup"):
                self.held[other] = [it for it in self.held[other] if it["VpcId"] != raw["VpcId"]]
        return {}

    def _is_used(self, noun: str, raw: dict[str, Any]) -> bool:
        if noun in ("InternetGateway", "RouteTable"):
            return bool(raw.get("Attachments") or raw.get("Associations"))
        others = [it for held in self.held.values() for it in held if it is not raw]
        if noun == "Subnet":
            joined = [it for other in others for it in other.get("Associations", ())]
            return any(it.get("SubnetId") == raw["SubnetId"] for it in (*others, *joined))
        attached = [it for other in others for it in other.get("Attachments", ())]
        inside = [it for it in (*others, *attached) if it.get("VpcId") == raw["VpcId"]]
        return not all(_comes_with_vpc(it) for it in inside)

    def _describe_vpc_attribute(self, said: Said) -> Any:
        name = said["Attribute"][0].upper() + said["Attribute"][1:]
        return {name: {"Value": self.switches[said["VpcId"], name]}}

    def _modify_vpc_attribute(self, said: Said) -> Any:
        [name] = said.keys() - {"VpcId"}
        if name == "EnableDnsHostnames" and not self.switches[said["VpcId"], "EnableDnsSupport"]:
            return Refusal("InvalidParameterCombination")
        self.switches[said["VpcId"], name] = said[name]["Value"]
        return {}

    def _attach_internet_gateway(self, said: Said) -> Any:
        gateway = self.get("InternetGateway", said["InternetGatewayId"])
        gateway["Attachments"] = [{"VpcId": said["VpcId"], "State": "available"}]
        return {}

    def _detach_internet_gateway(self, said: Said) -> Any:
        self.get("InternetGateway", said["InternetGatewayId"])["Attachments"] = []
        return {}

    def _create_route(self, said: Said) -> Any:
        table = self.get("RouteTable", said["RouteTableId"])
        if not self.get("InternetGateway", said["GatewayId"]).get("Attachments"):
            return Refusal("InvalidGatewayID.NotFound")
        if any(route["DestinationCidrBlock"] == ANYWHERE for route in table["Routes"]):
            return Refusal("RouteAlreadyExists")
        table["Routes"].append({"DestinationCidrBlock": ANYWHERE, "GatewayId": said["GatewayId"]})
        return {}

    def _replace_route(self, said: Said) -> Any:
        table = self.get("RouteTable", said["RouteTableId"])
        [old] = [it for it in table["Routes"] if it["DestinationCidrBlock"] == ANYWHERE]
        table["Routes"].remove(old)
        return self._create_route(said)

    def _associate_route_table(self, said: Said) -> Any:
        joined = [it for table in self.held["RouteTable"] for it in table["Associations"]]
        if any(it.get("SubnetId") == said["SubnetId"] for it in joined):
            return Refusal("Resource.AlreadyAssociated")
        id = f"assoc-{next(self._numbers)}"
        made = {"SubnetId": said["SubnetId"], "RouteTableAssociationId": id}
        self.get("RouteTable", said["RouteTableId"])["Associations"].append(made)
        return {"AssociationId": id}

    def _disassociate_route_table(self, said: Said) -> Any:
        for table in self.held["RouteTable"]:
            for it in table["Associations"]:
                if it["RouteTableAssociationId"] == said["AssociationId"]:
                    table["Associations"].remove(it)
                    return {}
        return Refusal("InvalidAssociationID.NotFound")

    def _modify_vpc_endpoint(self, said: Said) -> Any:
        endpoint = self.get("VpcEndpoint", said["VpcEndpointId"])
        endpoint.setdefault("RouteTableIds", []).extend(said["AddRouteTableIds"])
        return {}

    def _delete_vpc_endpoints(self, said: Said) -> Any:
        for id in said["VpcEndpointIds"]:
            self.held["VpcEndpoint"].remove(self.get("VpcEndpoint", id))
        return {}
