"""Create the network of the form "VPC and more": look, then make the calls that are missing.

Names, CIDR blocks, tags and the order of calls are the console's (Amazon VPC User Guide, "Create a
VPC plus other VPC resources").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from handson.aws import Aws, command_name, has_code
from handson.core import messages
from handson.core.cards import CardPart, Note, warning_notes
from handson.core.errors import AWSError, InvalidInput, NotAllowed
from handson.course import rules
from handson.course.checks.results import NETWORK_CLEANUP
from handson.course.exercise import Exercise, NetworkForm
from handson.course.goal import PlannedSubnet, plan_subnets
from handson.course.rules import check_network_form, list_subnet_blocks
from handson.course.state import ANYWHERE, InternetGateway, Route, Vpc
from handson.resources import plan
from handson.resources.plan import CODES, Creation, Ref, Step
from handson.resources.vpc_listing import NetworkListing, describe_vpc, list_network

_QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}  # "VPCs per Region"


class Network(Creation, frozen=True):
    """A VPC that was created or completed."""

    vpc: Vpc

    def describe(self) -> tuple[str, Sequence[CardPart]]:
        """Return the title, the VPC's settings, and the console's resource map."""
        title = messages.text("resources.network.title", name=self.vpc.name)
        return title, describe_vpc(self.vpc)


class Work(Struct, frozen=True):
    """The plan for a form beside the existing VPC; as text, the steps that are missing.

    Attributes:
        vpc: The existing VPC, if any.
        listing: What is in the region.
        zones: The Availability Zones for the subnets.
        steps: The plan.
        known: The results of the steps that are already carried out.
    """

    vpc: Vpc | None
    listing: NetworkListing
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
    aws: Aws, form: NetworkForm, *, zones: Sequence[str] = (), exercise: Exercise = Exercise()
) -> Network:
    """Create what is missing of a form's network, and return the network.

    A second run changes nothing; after an interruption it completes the network.  On real AWS, dry
    runs find missing permissions before anything is created.  Where AWS refuses a subnet in a zone,
    another zone takes its place.

    Args:
        aws: The connection; it reports each call.
        form: The form, filled in.
        zones: The Availability Zones, as `rules.check_zones` returns them; chosen if empty.
        exercise: What is to be built.

    Raises:
        InvalidInput: AWS would refuse the form, a zone is unknown, or a VPC of that name has other
            settings; nothing was created.
        HandsonError: AWS refused a call or did not answer; run again to complete.
    """
    check_network_form(form, usual=exercise.network)
    results: dict[str, str] = {}

    def attempt() -> None:
        work = plan_work(aws, form, zones, exercise)
        results.update(work.known)
        while True:
            try:
                plan.carry_out(aws, work.steps, known=results)
            except AWSError as error:
                work = _replace_zones(aws, form, work, results, error)
            else:
                return

    plan.retry_unclear(attempt, patience=aws.patience)
    look = partial(_find_work, aws, form, zones, vpc_id=results["vpc"])
    what = messages.text("resources.network.wait-whole", name=form.vpc_name)
    timeout = aws.patience.consistency
    # It is nearly always whole at the first look.
    work = plan.wait_for(aws, look, done=lambda it: not it.missing, what=what, timeout=timeout)
    assert work.vpc is not None  # or the step that creates it would be missing
    notes = [
        *_warn_of_settings(form, exercise.network),
        *_warn_of_subnets(form, work.vpc),
        *_warn_of_zones(zones, work.zones),
    ]
    commands = plan.format_commands(aws, work.steps)
    return Network(work.vpc, commands=commands, notes=tuple(notes))


def foresee_network(
    aws: Aws, form: NetworkForm, listing: NetworkListing, *, zones: Sequence[str]
) -> Work:
    """Return the work that a form leaves beside an earlier look at all VPCs; makes no call."""
    named = tuple(vpc for vpc in listing.vpcs if vpc.name == form.vpc_name)
    return _compare(aws, form, replace(listing, vpcs=named), zones)


def plan_network(
    form: NetworkForm, *, zones: Sequence[str], region: str, owner: str = ""
) -> list[Step]:
    """Return the calls that create the network of a form, in the console's order."""
    subnets = plan_subnets(form, zones)
    tables = {subnet.table: subnet for subnet in subnets}
    vpc = {"VpcId": Ref("vpc")}
    create = partial(_create, owner)
    steps = [
        create("vpc", "Vpc", form.vpc_name, CidrBlock=form.cidr, InstanceTenancy=form.tenancy),
        _switch_on("dns-hostnames", "EnableDnsHostnames"),
    ]
    for subnet in subnets:
        place = {"CidrBlock": subnet.cidr, "AvailabilityZone": subnet.zone}
        steps.append(create(subnet.step, "Subnet", subnet.name, **vpc, **place))
    if form.public_subnets:
        attach = {"InternetGatewayId": Ref("gateway"), **vpc}
        steps.append(create("gateway", "InternetGateway", form.name_of("gateway")))
        steps.append(_call("attachment", "AttachInternetGateway", **attach))
    for table, subnet in tables.items():
        # The name of a private one has the zone, in which AWS may refuse the subnet.
        after = (subnet.step,) if subnet.kind == "private" else ()
        steps.append(replace(create(table, "RouteTable", subnet.table_name, **vpc), after=after))
    if form.public_subnets:
        steps.append(_lead_outside("CreateRoute"))
    for subnet in subnets:
        join = {"RouteTableId": Ref(subnet.table), "SubnetId": Ref(subnet.step)}
        steps.append(_call(subnet.association, "AssociateRouteTable", **join))
    if form.s3_endpoint:
        private = [Ref(table) for table in tables if table != "public-table"]
        service = {"ServiceName": f"com.amazonaws.{region}.s3", "VpcEndpointType": "Gateway"}
        served = {"RouteTableIds": private} if private else {}
        name = form.name_of("endpoint")
        steps.append(create("s3-endpoint", "VpcEndpoint", name, **vpc, **service, **served))
    return steps


def _call(name: str, operation: str, **parameters: Any) -> Step:
    return Step(name, "ec2", operation, parameters, unknown=CODES["not-yet-known"])


def _create(owner: str, name: str, noun: str, name_tag: str, **parameters: Any) -> Step:
    """Return the step that creates and tags a resource; EC2 derives its names from the noun."""
    tags = plan.make_tag_specification(command_name(noun), name_tag, owner=owner)
    parameters["TagSpecifications"] = tags
    return replace(_call(name, f"Create{noun}", **parameters), result=f"{noun}.{noun}Id")


def _switch_on(name: str, attribute: str) -> Step:
    return _call(name, "ModifyVpcAttribute", VpcId=Ref("vpc"), **{attribute: {"Value": True}})


def _lead_outside(operation: str) -> Step:
    """Return the step that creates or replaces the default route."""
    route = {
        "RouteTableId": Ref("public-table"),
        "DestinationCidrBlock": ANYWHERE,
        "GatewayId": Ref("gateway"),
    }
    # EC2 refuses a route to a gateway that is not attached yet, hence `after`.
    return replace(_call("default-route", operation, **route), after=("attachment",))


def plan_work(
    aws: Aws, form: NetworkForm, zones: Sequence[str] = (), exercise: Exercise = Exercise()
) -> Work:
    """Return the work that is to be done, if it fits the region, the existing VPC and IAM.

    Real AWS is asked whether IAM allows the calls that are missing; nothing is created.

    Raises:
        InvalidInput: It does not fit.
        NotAllowed: Permissions are missing; names all of them.
        HandsonError: AWS did not answer.
    """
    work = _find_work(aws, form, zones)
    if work.vpc is None:
        _check_quota(aws, existing=work.listing.vpc_count)
    else:
        check_blocks(aws, form, work.vpc, usual=exercise.network.cidr)
    plan.require_permissions(aws, work.steps, known=work.known)
    return work


def _check_quota(aws: Aws, *, existing: int) -> None:
    limit = rules.VPCS_A_REGION
    if aws.kind == "aws" and existing >= limit:
        try:
            reply = aws.call("service-quotas", "GetServiceQuota", **_QUOTA)
        except (AWSError, NotAllowed):
            return  # The quota is unknown: AWS itself answers CreateVpc with VpcLimitExceeded.
        limit = int(reply["Quota"]["Value"])
    rules.check_vpc_quota(existing, limit=limit, region=aws.region)


def check_blocks(aws: Aws, form: NetworkForm, vpc: Vpc, *, usual: str) -> None:
    """Refuse a form whose CIDR blocks do not fit the existing VPC and its subnets.

    Raises:
        InvalidInput: The VPC has another block, or a subnet would overlap with an existing one.
    """
    if vpc.cidr != form.cidr:
        way = "anew" if aws.owners.may_delete(vpc, vpc.id) else "by-hand"
        way = "back" if vpc.cidr == usual else way
        values = {"name": vpc.name, "id": vpc.id, "seen": vpc.cidr, "wanted": form.cidr}
        problem = messages.text("resources.network.other-cidr", **values)
        problem += rules.explain_public_block(vpc.cidr, form.cidr)
        remedy = messages.label("resources.network.right-cidr", way, id=vpc.id, usual=usual)
        raise InvalidInput(problem, remedy)
    present = {subnet.cidr for subnet in vpc.subnets}
    rules.check_subnets(sorted(list_subnet_blocks(form) | present))


def _find_work(aws: Aws, form: NetworkForm, named: Sequence[str], *, vpc_id: str = "") -> Work:
    """Look at the region, and compare it with the form."""
    listing = list_network(aws, name=form.vpc_name, vpc_id=vpc_id)
    count, choices = form.availability_zones, listing.zones
    zones = rules.choose_zones(count, choices, region=aws.region, named=named)
    # No other zone takes the place of a named one.
    return _compare(aws, form, replace(listing, zones=tuple(named) or choices), zones)


def _compare(aws: Aws, form: NetworkForm, listing: NetworkListing, zones: Sequence[str]) -> Work:
    """Return the work that a form leaves in these zones."""
    named = [vpc for vpc in listing.vpcs if not vpc.is_default]
    vpc = min(named, key=lambda vpc: (not vpc.tagged, not vpc.owner, vpc.id), default=None)
    if vpc is not None:
        zones = _keep_zones(form, vpc, zones)
    steps = plan_network(form, zones=zones, region=aws.region, owner=aws.owners.name)
    subnets = plan_subnets(form, zones)
    known = _find_results(form, subnets, vpc, listing.loose_gateways)
    if vpc is not None:
        steps = [*_add_repairs(steps, vpc, known), *_extend_endpoint(subnets, listing, known)]
    return Work(vpc, listing, zones, steps, known)


def _replace_zones(
    aws: Aws, form: NetworkForm, work: Work, made: Mapping[str, str], error: AWSError
) -> Work:
    """Return the work with other zones in place of those in which AWS refused a subnet.

    Args:
        aws: The connection.
        form: The form.
        work: The work, as far as it was planned.
        made: The results of the steps that were carried out.
        error: AWS's refusal.  It may name the zones that take subnets.

    Raises:
        AWSError: AWS refused something else, or no other zone is left.
    """
    named = re.findall(rf"\b{aws.region}[a-z]\b", error.reason.partition(":")[2])
    full = {it.zone for it in plan_subnets(form, work.zones) if it.step not in made}
    full = full.difference(named) or full  # a refusal ends the calls in other zones, too
    if "vpc" not in made or not full or not has_code(error, CODES["zone-refused"]):
        raise error
    left = tuple(zone for zone in work.listing.zones if zone not in full)
    spare = [zone for zone in left if zone not in work.zones and zone in (named or left)]
    if len(spare) < len(full):
        values = {"zones": ", ".join(sorted(full)), "reason": error.reason}
        advice = messages.advice("resources.network.zones-full", region=aws.region, **values)
        raise AWSError(*advice, code=error.code, reason=error.reason) from error
    zones = [spare.pop(0) if zone in full else zone for zone in work.zones]
    return _compare(aws, form, replace(work.listing, zones=left), zones)


def _keep_zones(form: NetworkForm, vpc: Vpc, zones: Sequence[str]) -> list[str]:
    """Return the zones for the subnets; an existing subnet keeps its zone in a second run."""
    used = {subnet.cidr: subnet.zone for subnet in vpc.subnets}
    kept: dict[int, str] = {}
    for planned in plan_subnets(form, zones):
        if planned.cidr in used:
            kept.setdefault((planned.number - 1) % len(zones), used[planned.cidr])
    free = [zone for zone in zones if zone not in kept.values()]
    return [kept[place] if place in kept else free.pop(0) for place in range(len(zones))]


def _find_results(
    form: NetworkForm,
    subnets: Sequence[PlannedSubnet],
    vpc: Vpc | None,
    loose: Sequence[InternetGateway],
) -> dict[str, str]:
    """Return the results of the steps that existing resources make unnecessary, by step."""
    ours = [item for item in loose if item.tagged and item.name == form.name_of("gateway")]
    gateways = (vpc.internet_gateways if vpc else ()) or ours
    known = {"gateway": gateways[0].id} if gateways else {}
    if vpc is None:
        return known
    known["vpc"] = vpc.id
    known |= {"dns-hostnames": ""} if vpc.dns_hostnames else {}
    known |= {"attachment": ""} if vpc.internet_gateways else {}
    for endpoint in vpc.endpoints if form.s3_endpoint else ():
        if endpoint.service.endswith(".s3") and endpoint.type == "Gateway":
            known["s3-endpoint"] = endpoint.id
    for planned in subnets:
        known |= _find_subnet_results(planned, vpc)
    for route in _list_default_routes(vpc, known):
        if route.state == "active" and route.target == known.get("gateway"):
            known["default-route"] = ""
    return known


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


def _list_default_routes(vpc: Vpc, known: Mapping[str, str]) -> list[Route]:
    tables = (table for table in vpc.route_tables if table.id == known.get("public-table"))
    return [route for table in tables for route in table.routes if route.destination == ANYWHERE]


def _add_repairs(steps: Sequence[Step], vpc: Vpc, known: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps, and those that repair an existing VPC."""
    for step in steps:
        if step.name == "dns-hostnames" and not vpc.dns_support:
            # EC2 turns hostnames on only where resolution is on; a new VPC has it on.
            yield _switch_on("dns-support", "EnableDnsSupport")
            yield replace(step, after=("dns-support",))
        elif step.name in known or step.name != "default-route":
            yield step
        else:
            exists = _list_default_routes(vpc, known)
            yield _lead_outside("ReplaceRoute" if exists else "CreateRoute")


def _extend_endpoint(
    subnets: Sequence[PlannedSubnet], listing: NetworkListing, known: Mapping[str, str]
) -> list[Step]:
    """Return the step that adds newer private route tables to an existing endpoint."""
    if "s3-endpoint" not in known:
        return []
    served = listing.endpoint_tables.get(known["s3-endpoint"], frozenset())
    tables = [subnet.table for subnet in subnets if subnet.kind == "private"]
    lacking = [Ref(table) for table in tables if known.get(table) not in served]
    add = {"VpcEndpointId": Ref("s3-endpoint"), "AddRouteTableIds": lacking}
    return [_call("s3-endpoint-tables", "ModifyVpcEndpoint", **add)] if lacking else []


def _warn_of_settings(form: NetworkForm, goal: NetworkForm) -> Iterator[Note]:
    """Yield how a form differs from the exercise's; a network of another name stands beside it."""
    if form.name == goal.name:
        usual = {**asdict(goal), "s3_endpoint": form.s3_endpoint}  # the check leaves it open
        yield from plan.warn_of_settings("network", asdict(form), usual, undo=NETWORK_CLEANUP)
    else:
        yield from warning_notes(
            *messages.advice("resources.network.other-name", name=form.vpc_name)
        )
    if public := rules.explain_public_block(form.cidr):
        yield Note(public.lstrip(), "warn")


def _warn_of_zones(named: Sequence[str], zones: Sequence[str]) -> Sequence[Note]:
    """Return that the existing subnets are in other zones than the named ones, if they are."""
    if list(named) in ([], list(zones)):
        return ()
    values = {"named": ", ".join(named), "zones": ", ".join(zones)}
    return warning_notes(*messages.advice("resources.network.other-zones", **values))


def _warn_of_subnets(form: NetworkForm, vpc: Vpc) -> Sequence[Note]:
    """Return which subnets the form does not ask for, and how to delete them, if there are any."""
    blocks = list_subnet_blocks(form)
    extra = [subnet for subnet in vpc.subnets if subnet.cidr not in blocks]
    if not extra:
        return ()
    names = ", ".join(subnet.title for subnet in extra)
    if len(extra) == 1:
        advice = messages.advice("resources.network.extra-one", what=names, id=extra[0].id)
    elif all(subnet.tagged for subnet in extra):
        advice = messages.advice("resources.network.extra", what=names)
    else:
        advice = messages.advice("resources.network.extra-by-hand", what=names)
    return warning_notes(*advice)
