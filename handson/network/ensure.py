"""Make the network that a form describes: look, then call for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handson import messages, plan, rules
from handson.aws import Aws
from handson.cards import Card, Commands, Node, ResourceMap, Rows, Shown
from handson.errors import AWSError, InvalidInput, NotAllowed, WaitTimeout
from handson.network.form import (
    ANYWHERE,
    Form,
    PlannedSubnet,
    dns_support,
    make_plan,
    replace_route,
)
from handson.network.look import Look, look
from handson.plan import Step
from handson.progress import Say, silent
from handson.state import InternetGateway, RouteTable, Subnet, Vpc
from handson.waiting import wait_until

_READY_SECONDS = 30.0
_QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}


@dataclass(frozen=True, repr=False)
class Network(Shown):
    """The network as it is: the VPC, and the aws CLI commands that make one like it."""

    vpc: Vpc
    commands: tuple[str, ...]

    def card(self) -> Card:
        """Return the card: the VPC's settings, the console's resource map, the commands."""
        return Card(
            messages.text("network.title", name=self.vpc.name),
            (
                Rows(_settings(self.vpc)),
                ResourceMap(_columns(self.vpc)),
                Commands(messages.text("network.commands"), self.commands),
            ),
            state="ok",
        )


def ensure_network(aws: Aws, form: Form, *, say: Say = silent) -> Network:
    """Make what is missing of the network and return it as it is.

    Run again, it changes nothing; after an interrupt it completes what was begun.

    Raises:
        InvalidInput: AWS would refuse the form, or a VPC of that name is there with other
            settings; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    form.check()
    made: dict[str, str] = {}
    steps: list[Step] = []

    def attempt() -> None:
        seen = look(aws)
        vpc = choose_vpc(seen.vpcs, form)
        zones = _zones(aws, form, seen, vpc=vpc)
        steps[:] = make_plan(form, zones=zones, region=aws.region)
        known = _known(form, zones, vpc=vpc, loose=seen.loose_gateways)
        made.update(plan.carry_out(aws, _mended(steps, vpc, known), known=known, say=say))

    plan.until_clear(attempt)
    vpc = _settled(aws, made)
    return Network(vpc, (*plan.shell_setup(aws), *plan.as_commands(steps)))


def choose_vpc(vpcs: Sequence[Vpc], form: Form) -> Vpc | None:
    """Return the VPC that the form is about: of its name, one with our tag before others."""
    named = [vpc for vpc in vpcs if vpc.name == f"{form.name}-vpc" and not vpc.is_default]
    return min(named, key=lambda vpc: (not vpc.tagged, vpc.id), default=None)


def _zones(aws: Aws, form: Form, seen: Look, *, vpc: Vpc | None) -> list[str]:
    zones = rules.zones(form.availability_zones, seen.zones, region=aws.region)
    if vpc is None:
        _check_quota(aws, existing=len(seen.vpcs))
        return zones
    _check_same(form, vpc)
    return _zones_in_use(form, vpc, zones)


def _check_quota(aws: Aws, *, existing: int) -> None:
    if existing < rules.VPCS_A_REGION:
        return
    limit = rules.VPCS_A_REGION
    if aws.kind == "aws":
        try:
            reply = aws.call("service-quotas", "GetServiceQuota", **_QUOTA)
        except (AWSError, NotAllowed):
            return  # Not allowed to ask: AWS itself answers CreateVpc with VpcLimitExceeded.
        limit = int(reply["Quota"]["Value"])
    rules.vpc_quota(existing, limit=limit, region=aws.region)


def _check_same(form: Form, vpc: Vpc) -> None:
    if vpc.cidr != form.cidr:
        raise InvalidInput(
            *messages.advice(
                "network.other-cidr", name=vpc.name, id=vpc.id, seen=vpc.cidr, wanted=form.cidr
            )
        )
    blocks = form.blocks()
    planned = {str(block) for block in (*blocks.public, *blocks.private)}
    others = {subnet.cidr for subnet in vpc.subnets} - planned
    rules.check_subnets(rules.vpc_cidr(vpc.cidr), sorted(planned | others))


def _zones_in_use(form: Form, vpc: Vpc, zones: list[str]) -> list[str]:
    """Keep a zone that a subnet stands in already, so that a second run asks for no other."""
    there = {subnet.cidr: subnet.zone for subnet in vpc.subnets}
    kept = {
        planned.number - 1: there[planned.cidr]
        for planned in form.subnets(zones)
        if planned.kind == "public" and planned.cidr in there
    }
    free = [zone for zone in zones if zone not in kept.values()]
    return [kept[place] if place in kept else free.pop(0) for place in range(len(zones))]


def _known(
    form: Form, zones: Sequence[str], *, vpc: Vpc | None, loose: Sequence[InternetGateway]
) -> dict[str, str]:
    known: dict[str, str] = {}
    gateway = _gateway(form, vpc, loose)
    if gateway:
        known["gateway"] = gateway.id
    if vpc is None:
        return known
    known["vpc"] = vpc.id
    known |= {"dns-hostnames": ""} if vpc.dns_hostnames else {}
    known |= {"attachment": ""} if vpc.internet_gateways else {}
    for endpoint in vpc.endpoints:
        if endpoint.service.endswith(".s3"):
            known["s3-endpoint"] = endpoint.id
    for planned in form.subnets(zones):
        known |= _known_of_subnet(form, planned, vpc)
    table = _by_id(vpc, known.get("public-table"))
    if table and gateway and _leads_to(table, gateway.id):
        known["default-route"] = ""
    return known


def _gateway(
    form: Form, vpc: Vpc | None, loose: Sequence[InternetGateway]
) -> InternetGateway | None:
    if vpc and vpc.internet_gateways:
        return vpc.internet_gateways[0]
    ours = (item for item in loose if item.tagged and item.name == f"{form.name}-igw")
    return next(ours, None)


def _known_of_subnet(form: Form, planned: PlannedSubnet, vpc: Vpc) -> dict[str, str]:
    known: dict[str, str] = {}
    table = _table(form, planned, vpc)
    if table:
        known[planned.table] = table.id
    for subnet in vpc.subnets:
        if subnet.cidr == planned.cidr:
            known[planned.step] = subnet.id
            if table and subnet.id in table.subnets:
                known[planned.association] = ""
    return known


def _table(form: Form, planned: PlannedSubnet, vpc: Vpc) -> RouteTable | None:
    wanted = f"{form.name}-{planned.table_suffix}"
    return next((table for table in vpc.route_tables if table.name == wanted), None)


def _by_id(vpc: Vpc, table_id: str | None) -> RouteTable | None:
    return next((table for table in vpc.route_tables if table.id == table_id), None)


def _leads_to(table: RouteTable, gateway_id: str) -> bool:
    return any(
        route.destination == ANYWHERE and route.target == gateway_id and route.state == "active"
        for route in table.routes
    )


def _mended(steps: Sequence[Step], vpc: Vpc | None, known: dict[str, str]) -> list[Step]:
    """Return the plan with what a VPC that is there but not right needs in addition."""
    if vpc is None:
        return list(steps)
    mended = [*steps] if vpc.dns_support else [*steps, dns_support()]
    table = _by_id(vpc, known.get("public-table"))
    astray = table and any(route.destination == ANYWHERE for route in table.routes)
    if astray and "default-route" not in known:
        return [replace_route() if step.name == "default-route" else step for step in mended]
    return mended


def _settled(aws: Aws, made: dict[str, str]) -> Vpc:
    """Return the VPC once AWS shows all that was made; the first look is nearly always enough."""
    wanted = {value for value in made.values() if value.startswith(("subnet-", "rtb-", "igw-"))}

    def whole(vpc: Vpc | None) -> bool:
        parts = (vpc.subnets, vpc.route_tables, vpc.internet_gateways) if vpc else ()
        return wanted <= {item.id for part in parts for item in part}

    def probe() -> Vpc | None:
        return next(iter(look(aws, vpc_id=made["vpc"]).vpcs), None)

    vpc = wait_until(
        probe,
        done=whole,
        what=made["vpc"],
        timeout=_READY_SECONDS if aws.kind == "aws" else 1.0,
        interval=0.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )
    if vpc is None:
        raise WaitTimeout(
            *messages.advice("waiting.timeout", what=made["vpc"], seen="-", seconds="0")
        )
    return vpc


def _settings(vpc: Vpc) -> list[tuple[str, str]]:
    def switch(on: bool) -> str:
        return messages.text("network.on" if on else "network.off")

    return [
        (messages.text("network.row-id"), vpc.id),
        (messages.text("network.row-cidr"), ", ".join(vpc.cidrs)),
        (messages.text("network.row-ipv6"), ", ".join(vpc.ipv6_cidrs) or "-"),
        (messages.text("network.row-tenancy"), vpc.tenancy),
        (messages.text("network.row-dns-support"), switch(vpc.dns_support)),
        (messages.text("network.row-dns-hostnames"), switch(vpc.dns_hostnames)),
    ]


def _columns(vpc: Vpc) -> list[tuple[str, list[Node]]]:
    zones = sorted({subnet.zone for subnet in vpc.subnets})
    gateways = [Node(item.name or item.id, item.id) for item in vpc.internet_gateways]
    endpoints = [Node(item.name or item.id, item.service) for item in vpc.endpoints]
    tables = [
        Node(table.name or messages.text("network.main-table"), table.id, _routes(table))
        for table in vpc.route_tables
    ]
    count = messages.text
    return [
        (messages.text("network.map-vpc"), [Node(vpc.name or vpc.id, vpc.cidr)]),
        (
            count("network.map-subnets", count=len(vpc.subnets)),
            [Node(zone, "", _subnets(vpc, zone)) for zone in zones],
        ),
        (count("network.map-tables", count=len(tables)), tables),
        (
            count("network.map-connections", count=len(gateways) + len(endpoints)),
            [*gateways, *endpoints],
        ),
    ]


def _subnets(vpc: Vpc, zone: str) -> list[Node]:
    return [_subnet_node(vpc, subnet) for subnet in vpc.subnets if subnet.zone == zone]


def _subnet_node(vpc: Vpc, subnet: Subnet) -> Node:
    kind = "network.public" if vpc.is_public(subnet) else "network.private"
    return Node(subnet.name or subnet.id, f"{subnet.cidr} {messages.text(kind)}")


def _routes(table: RouteTable) -> list[Node]:
    return [Node(route.destination, f"→ {route.target}") for route in table.routes]
