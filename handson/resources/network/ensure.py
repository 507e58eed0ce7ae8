"""Make the network that a form describes: look, then call for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from msgspec.structs import asdict

from handson.aws import Aws
from handson.core import messages
from handson.core.errors import AWSError, InvalidInput, NotAllowed
from handson.core.progress import Say, silent
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
from handson.course.state import InternetGateway, RouteTable, Subnet, Vpc
from handson.resources import plan
from handson.resources.network.form import (
    add_endpoint_tables,
    dns_support,
    make_plan,
    replace_route,
)
from handson.resources.network.look import Look, look
from handson.resources.network.shown import Network
from handson.resources.plan import Step
from handson.resources.usual import other_settings

_READY_SECONDS = 30.0
_QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}


@dataclass(frozen=True)
class _Work:
    """What a form asks for beside what is there: the calls, and the results known already."""

    vpc: Vpc | None
    zones: Sequence[str]
    steps: Sequence[Step]
    known: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """The names of the steps that are still to be done."""
        return [step.name for step in self.steps if step.name not in self.known]

    def __str__(self) -> str:
        return ", ".join(self.missing)


def ensure_network(
    aws: Aws, form: NetworkForm, *, exercise: Exercise = Exercise(), say: Say = silent
) -> Network:
    """Make what is missing of the network and return it as it is.

    Run again, it changes nothing; after an interrupt it completes what was begun.  On real AWS,
    dry runs tell of lacking permissions before anything is made.

    Raises:
        InvalidInput: AWS would refuse the form, or a VPC of that name is there with other
            settings; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    check_network_form(form, usual=exercise.network)
    made: dict[str, str] = {}

    def attempt() -> None:
        work = _looked_for(aws, form)
        plan.require_permissions(aws, work.steps, known=work.known)
        made.update(plan.carry_out(aws, work.steps, known=work.known, say=say))

    plan.until_clear(attempt, patience=aws.patience)
    work = _settled(aws, form, vpc_id=made["vpc"])
    assert work.vpc is not None  # or the step that makes it would be missing
    steps = make_plan(form, zones=work.zones, region=aws.region)
    commands = (*plan.shell_setup(aws), *plan.as_commands(steps))
    notes = other_settings("network", _settings(form), _settings(exercise.network))
    return Network(work.vpc, commands, beyond=_beyond(form, work.vpc), notes=notes)


def _settings(form: NetworkForm) -> dict[str, object]:
    """Return the settings that a note names when they are not the exercise's."""
    return {name: value for name, value in asdict(form).items() if name != "s3_endpoint"}


def require_permissions(aws: Aws, form: NetworkForm) -> None:
    """Ask real AWS whether IAM allows what is still missing of the network; makes nothing.

    Raises:
        NotAllowed: Permissions are lacking; names all that were found.
        HandsonError: AWS did not answer, or the form cannot be made here.
    """
    work = _looked_for(aws, form)
    plan.require_permissions(aws, work.steps, known=work.known)


def choose_vpc(vpcs: Sequence[Vpc], form: NetworkForm) -> Vpc | None:
    """Return the VPC that the form is about: of its name, one with our tag before others."""
    named = [vpc for vpc in vpcs if vpc.name == form.vpc_name and not vpc.is_default]
    return min(named, key=lambda vpc: (not vpc.tagged, vpc.id), default=None)


def _looked_for(aws: Aws, form: NetworkForm) -> _Work:
    seen = look(aws, name=form.vpc_name)
    return _work(form, seen, zones=_zones(aws, form, seen), region=aws.region)


def _beyond(form: NetworkForm, vpc: Vpc) -> tuple[Subnet, ...]:
    """Return the VPC's subnets that the form does not ask for."""
    asked = subnet_blocks(form)
    return tuple(subnet for subnet in vpc.subnets if subnet.cidr not in asked)


def _zones(aws: Aws, form: NetworkForm, seen: Look) -> list[str]:
    """Return the zones for the subnets, once nothing speaks against making the network."""
    zones = rules.zones(form.availability_zones, seen.zones, region=aws.region)
    vpc = choose_vpc(seen.vpcs, form)
    if vpc is None:
        _check_quota(aws, existing=seen.vpc_count)
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


def _check_same(form: NetworkForm, vpc: Vpc) -> None:
    if vpc.cidr != form.cidr:
        raise InvalidInput(
            *messages.advice(
                "resources.network.other-cidr",
                name=vpc.name,
                id=vpc.id,
                seen=vpc.cidr,
                wanted=form.cidr,
            )
        )
    block = rules.vpc_cidr(vpc.cidr)
    # Subnets in a block that was added to the VPC later are nobody's concern here.
    inside = (subnet.cidr for subnet in vpc.subnets if IPv4Network(subnet.cidr).subnet_of(block))
    rules.check_subnets(block, sorted(subnet_blocks(form) | set(inside)))


def _zones_in_use(form: NetworkForm, vpc: Vpc, zones: list[str]) -> list[str]:
    """Keep a zone that a subnet stands in already, so that a second run asks for no other."""
    there = {subnet.cidr: subnet.zone for subnet in vpc.subnets}
    kept: dict[int, str] = {}
    for planned in plan_subnets(form, zones):
        if planned.cidr in there:
            kept.setdefault((planned.number - 1) % len(zones), there[planned.cidr])
    free = [zone for zone in zones if zone not in kept.values()]
    return [kept[place] if place in kept else free.pop(0) for place in range(len(zones))]


def _work(form: NetworkForm, seen: Look, *, zones: Sequence[str], region: str) -> _Work:
    vpc = choose_vpc(seen.vpcs, form)
    steps = make_plan(form, zones=zones, region=region)
    names = {step.name for step in steps}
    known = _known(form, zones, vpc=vpc, loose=seen.loose_gateways)
    asked = {name: result for name, result in known.items() if name in names}
    if vpc is not None:
        steps = _mended(steps, vpc, asked)
        steps += _endpoint_tables(form, zones, seen, known=asked)
    return _Work(vpc, zones, steps, asked)


def _known(
    form: NetworkForm, zones: Sequence[str], *, vpc: Vpc | None, loose: Sequence[InternetGateway]
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
        if endpoint.service.endswith(".s3") and endpoint.type == "Gateway":
            known["s3-endpoint"] = endpoint.id
    for planned in plan_subnets(form, zones):
        known |= _known_of_subnet(planned, vpc)
    table = _by_id(vpc, known.get("public-table"))
    if table and gateway and _leads_to(table, gateway.id):
        known["default-route"] = ""
    return known


def _gateway(
    form: NetworkForm, vpc: Vpc | None, loose: Sequence[InternetGateway]
) -> InternetGateway | None:
    if vpc and vpc.internet_gateways:
        return vpc.internet_gateways[0]
    ours = (item for item in loose if item.tagged and item.name == form.name_of("gateway"))
    return next(ours, None)


def _known_of_subnet(planned: PlannedSubnet, vpc: Vpc) -> dict[str, str]:
    known: dict[str, str] = {}
    wanted = planned.table_name
    named = [table for table in vpc.route_tables if table.name == wanted]
    # Of several, the one that serves most subnets, and leads farthest.
    table = max(named, key=lambda table: (len(table.subnets), len(table.routes)), default=None)
    if table:
        known[planned.table] = table.id
    for subnet in vpc.subnets:
        if subnet.cidr == planned.cidr:
            known[planned.step] = subnet.id
            # EC2 takes no subnet from another table (EC2 API Reference,
            # "Resource.AlreadyAssociated"): any of that name will do.
            if any(subnet.id in table.subnets for table in named):
                known[planned.association] = ""
    return known


def _by_id(vpc: Vpc, table_id: str | None) -> RouteTable | None:
    return next((table for table in vpc.route_tables if table.id == table_id), None)


def _leads_to(table: RouteTable, gateway_id: str) -> bool:
    return any(
        route.destination == ANYWHERE and route.target == gateway_id and route.state == "active"
        for route in table.routes
    )


def _mended(steps: Sequence[Step], vpc: Vpc, known: dict[str, str]) -> list[Step]:
    """Return the plan with what a VPC that is there but not right needs in addition."""
    changed: dict[str, Step] = {}
    table = _by_id(vpc, known.get("public-table"))
    if table and any(route.destination == ANYWHERE for route in table.routes):
        changed["default-route"] = replace_route()
    mended = [changed.get(step.name, step) for step in steps]
    if vpc.dns_support:
        return mended
    support = dns_support()
    # EC2 turns hostnames on only where resolution is on.
    return [
        support,
        *(
            replace(step, after=(support.name,)) if step.name == "dns-hostnames" else step
            for step in mended
        ),
    ]


def _endpoint_tables(
    form: NetworkForm, zones: Sequence[str], seen: Look, *, known: dict[str, str]
) -> list[Step]:
    """Return the step for private route tables that an endpoint, made before them, lacks."""
    endpoint = known.get("s3-endpoint")
    if endpoint is None:
        return []
    there = seen.endpoint_tables.get(endpoint, frozenset())
    tables = [planned.table for planned in plan_subnets(form, zones) if planned.kind == "private"]
    lacking = [table for table in tables if known.get(table) not in there]
    return [add_endpoint_tables(lacking)] if lacking else []


def _settled(aws: Aws, form: NetworkForm, *, vpc_id: str) -> _Work:
    """Look until AWS shows all that was made; the first look is nearly always enough."""

    def probe() -> _Work:
        seen = look(aws, vpc_id=vpc_id)
        zones = rules.zones(form.availability_zones, seen.zones, region=aws.region)
        vpc = choose_vpc(seen.vpcs, form)
        used = _zones_in_use(form, vpc, zones) if vpc else zones
        return _work(form, seen, zones=used, region=aws.region)

    return wait_until(
        probe,
        done=lambda work: not work.missing,
        what=messages.text("resources.network.wait-whole", name=form.vpc_name),
        timeout=_READY_SECONDS if aws.kind == "aws" else 1.0,
        interval=0.5,
        clock=aws.patience.clock,
        sleep=aws.patience.sleep,
    )
