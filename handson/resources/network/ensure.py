"""Create the network of a form: look, then make the calls that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from msgspec.structs import asdict

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError, InvalidInput, NotAllowed
from handson.core.progress import Say, ignore_progress
from handson.core.waiting import wait_until
from handson.course import rules
from handson.course.exercise import Exercise, NetworkForm
from handson.course.network_form import (
    ANYWHERE,
    PlannedSubnet,
    check_network_form,
    plan_subnets,
    subnet_blocks,
)
from handson.course.state import InternetGateway, RouteTable, Vpc
from handson.resources import plan
from handson.resources.network.calls import (
    add_endpoint_tables,
    enable_dns_support,
    plan_network,
    replace_route,
)
from handson.resources.network.card import Network
from handson.resources.network.find import NetworkListing, list_network
from handson.resources.plan import Step

_READY_SECONDS = 30.0
_QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}


@dataclass(frozen=True)
class _Work:
    """The plan for a form beside the existing VPC.

    Attributes:
        vpc: The existing VPC, if any.
        zones: The Availability Zones for the subnets.
        steps: The plan.
        known: The results of the steps that are already carried out.
    """

    vpc: Vpc | None
    zones: Sequence[str]
    steps: Sequence[Step]
    known: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """The names of the steps that are still to be carried out."""
        return [step.name for step in self.steps if step.name not in self.known]

    def __str__(self) -> str:
        return ", ".join(self.missing)


def ensure_network(
    aws: Aws, form: NetworkForm, *, exercise: Exercise = Exercise(), say: Say = ignore_progress
) -> Network:
    """Create what is missing of a form's network, and return the network.

    A second run changes nothing; after an interruption it completes the network.  On real AWS, dry
    runs find missing permissions before anything is created.

    Raises:
        InvalidInput: AWS would refuse the form, or a VPC of that name has other settings; nothing
            was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    check_network_form(form, usual=exercise.network)
    results: dict[str, str] = {}

    def attempt() -> None:
        work = _find_work(aws, form)
        plan.require_permissions(aws, work.steps, known=work.known)
        results.update(plan.carry_out(aws, work.steps, known=work.known, say=say))

    plan.retry_unclear(attempt, patience=aws.patience)
    work = _wait_until_complete(aws, form, vpc_id=results["vpc"])
    assert work.vpc is not None  # or the step that creates it would be missing
    steps = plan_network(form, zones=work.zones, region=aws.region)
    blocks = subnet_blocks(form)
    return Network(
        work.vpc,
        plan.format_commands(aws, steps),
        extra_subnets=tuple(each for each in work.vpc.subnets if each.cidr not in blocks),
        notes=plan.warn_of_settings("network", asdict(form), _graded_settings(exercise.network)),
    )


def check_permissions(aws: Aws, form: NetworkForm) -> None:
    """Ask real AWS whether IAM allows the calls that are missing; creates nothing.

    Raises:
        NotAllowed: Permissions are missing; names all of them.
        HandsonError: AWS did not answer, or the network cannot be created here.
    """
    work = _find_work(aws, form)
    plan.require_permissions(aws, work.steps, known=work.known)


def choose_vpc(vpcs: Sequence[Vpc], form: NetworkForm) -> Vpc | None:
    """Return the VPC that has the form's name; one with the workshop's tag before others."""
    named = [vpc for vpc in vpcs if vpc.name == form.vpc_name and not vpc.is_default]
    return min(named, key=lambda vpc: (not vpc.tagged, vpc.id), default=None)


def _graded_settings(form: NetworkForm) -> dict[str, object]:
    """Return the settings that the check reads; it leaves the S3 endpoint to the learner."""
    return {name: value for name, value in asdict(form).items() if name != "s3_endpoint"}


def _find_work(aws: Aws, form: NetworkForm) -> _Work:
    listing = list_network(aws, name=form.vpc_name)
    zones = rules.choose_zones(form.availability_zones, listing.zones, region=aws.region)
    vpc = choose_vpc(listing.vpcs, form)
    if vpc is None:
        _check_quota(aws, existing=listing.vpc_count)
    else:
        _check_blocks(form, vpc)
    return _plan_work(form, listing, zones=zones, region=aws.region)


def _wait_until_complete(aws: Aws, form: NetworkForm, *, vpc_id: str) -> _Work:
    """Look until AWS shows all resources; the first look is nearly always enough."""

    def probe() -> _Work:
        listing = list_network(aws, vpc_id=vpc_id)
        zones = rules.choose_zones(form.availability_zones, listing.zones, region=aws.region)
        return _plan_work(form, listing, zones=zones, region=aws.region)

    return wait_until(
        probe,
        done=lambda work: not work.missing,
        what=messages.text("resources.network.wait-whole", name=form.vpc_name),
        timeout=_READY_SECONDS if aws.kind == "aws" else 1.0,
        interval=0.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )


def _check_quota(aws: Aws, *, existing: int) -> None:
    if existing < rules.VPCS_A_REGION:
        return
    limit = rules.VPCS_A_REGION
    if aws.kind == "aws":
        try:
            reply = aws.call("service-quotas", "GetServiceQuota", **_QUOTA)
        except (AWSError, NotAllowed):
            return  # The quota is unknown: AWS itself answers CreateVpc with VpcLimitExceeded.
        limit = int(reply["Quota"]["Value"])
    rules.check_vpc_quota(existing, limit=limit, region=aws.region)


def _check_blocks(form: NetworkForm, vpc: Vpc) -> None:
    """Refuse a form whose CIDR blocks do not fit the existing VPC and its subnets."""
    if vpc.cidr != form.cidr:
        values = {"name": vpc.name, "id": vpc.id, "seen": vpc.cidr, "wanted": form.cidr}
        raise InvalidInput(*messages.advice("resources.network.other-cidr", **values))
    block = rules.check_vpc_cidr(vpc.cidr)
    # Subnets in a block that was added to the VPC later cannot overlap with the form's.
    inside = (subnet.cidr for subnet in vpc.subnets if IPv4Network(subnet.cidr).subnet_of(block))
    rules.check_subnets(block, sorted(subnet_blocks(form) | set(inside)))


def _plan_work(
    form: NetworkForm, listing: NetworkListing, *, zones: list[str], region: str
) -> _Work:
    vpc = choose_vpc(listing.vpcs, form)
    if vpc is not None:
        zones = _keep_zones(form, vpc, zones)
    steps = plan_network(form, zones=zones, region=region)
    names = {step.name for step in steps}
    found = _find_results(form, zones, vpc=vpc, loose=listing.loose_gateways)
    known = {name: result for name, result in found.items() if name in names}
    if vpc is not None:
        steps = _add_repairs(steps, vpc, known)
        steps += _extend_endpoint(form, zones, listing, known=known)
    return _Work(vpc, zones, steps, known)


def _keep_zones(form: NetworkForm, vpc: Vpc, zones: list[str]) -> list[str]:
    """Return the zones for the subnets; an existing subnet keeps its zone in a second run."""
    used = {subnet.cidr: subnet.zone for subnet in vpc.subnets}
    kept: dict[int, str] = {}
    for planned in plan_subnets(form, zones):
        if planned.cidr in used:
            kept.setdefault((planned.number - 1) % len(zones), used[planned.cidr])
    free = [zone for zone in zones if zone not in kept.values()]
    return [kept[place] if place in kept else free.pop(0) for place in range(len(zones))]


def _find_results(
    form: NetworkForm, zones: Sequence[str], *, vpc: Vpc | None, loose: Sequence[InternetGateway]
) -> dict[str, str]:
    """Return the results of the steps that existing resources make unnecessary, by step."""
    known: dict[str, str] = {}
    gateway = _find_gateway(form, vpc, loose)
    if gateway:
        known["gateway"] = gateway.id
    if vpc is None:
        return known
    known["vpc"] = vpc.id
    known |= {"dns-hostnames": ""} if vpc.dns_hostnames else {}
    known |= {"attachment": ""} if vpc.internet_gateways else {}
    for endpoint in vpc.endpoints:
        if endpoint.service.endswith(".s3") and endpoint.type == "Gateway":
            known["s3-endpoint"] = endpoint.id
    for planned in plan_subnets(form, zones):
        known |= _find_subnet_results(planned, vpc)
    table = _find_table(vpc, known.get("public-table"))
    if table and gateway and _has_default_route(table, gateway.id):
        known["default-route"] = ""
    return known


def _find_gateway(
    form: NetworkForm, vpc: Vpc | None, loose: Sequence[InternetGateway]
) -> InternetGateway | None:
    if vpc and vpc.internet_gateways:
        return vpc.internet_gateways[0]
    ours = (item for item in loose if item.tagged and item.name == form.name_of("gateway"))
    return next(ours, None)


def _find_subnet_results(planned: PlannedSubnet, vpc: Vpc) -> dict[str, str]:
    known: dict[str, str] = {}
    named = [table for table in vpc.route_tables if table.name == planned.table_name]
    # Of several, the one with the most subnets and routes.
    table = max(named, key=lambda table: (len(table.subnets), len(table.routes)), default=None)
    if table:
        known[planned.table] = table.id
    for subnet in vpc.subnets:
        if subnet.cidr == planned.cidr:
            known[planned.step] = subnet.id
            # EC2 takes no subnet from another table (EC2 API Reference,
            # "Resource.AlreadyAssociated"): any table of that name will do.
            if any(subnet.id in table.subnets for table in named):
                known[planned.association] = ""
    return known


def _find_table(vpc: Vpc, table_id: str | None) -> RouteTable | None:
    return next((table for table in vpc.route_tables if table.id == table_id), None)


def _has_default_route(table: RouteTable, gateway_id: str) -> bool:
    return any(
        route.destination == ANYWHERE and route.target == gateway_id and route.state == "active"
        for route in table.routes
    )


def _add_repairs(steps: Sequence[Step], vpc: Vpc, known: dict[str, str]) -> list[Step]:
    """Return the plan with the steps that repair an existing VPC."""
    changed: dict[str, Step] = {}
    table = _find_table(vpc, known.get("public-table"))
    if table and any(route.destination == ANYWHERE for route in table.routes):
        changed["default-route"] = replace_route()
    repaired = [changed.get(step.name, step) for step in steps]
    if vpc.dns_support:
        return repaired
    # EC2 turns hostnames on only where resolution is on.
    support = enable_dns_support()
    return [
        support,
        *(
            replace(step, after=(support.name,)) if step.name == "dns-hostnames" else step
            for step in repaired
        ),
    ]


def _extend_endpoint(
    form: NetworkForm, zones: Sequence[str], listing: NetworkListing, *, known: dict[str, str]
) -> list[Step]:
    """Return the step that adds newer private route tables to an existing endpoint."""
    endpoint = known.get("s3-endpoint")
    if endpoint is None:
        return []
    served = listing.endpoint_tables.get(endpoint, frozenset())
    tables = [planned.table for planned in plan_subnets(form, zones) if planned.kind == "private"]
    lacking = [table for table in tables if known.get(table) not in served]
    return [add_endpoint_tables(lacking)] if lacking else []
