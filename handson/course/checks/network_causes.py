"""The causes of false facts of the network, each with its remedy.

`ensure_network` finds its VPC by name and completes it, so the notebook, run again, mends most
causes.  Where `ensure_network` cannot find a part because of its name, the remedy is one call; a
wrong name is explained before the causes that follow from it.  For a setting that AWS cannot change
afterwards, the remedy is to delete the VPC: by clean-up if it carries the workshop's tag, else by
hand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handson.core import messages
from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.course.checks import causes, vpcs
from handson.course.checks.causes import diagnose
from handson.course.checks.results import Diagnosis
from handson.course.exercise import Exercise, NetworkForm
from handson.course.network_form import ANYWHERE
from handson.course.state import RouteTable, Snapshot, Subnet, Target, Vpc

_NOTEBOOK = syllabus.check("network").notebook
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ー"), "-")


def explain_absence(
    snapshot: Snapshot, default: Vpc | None, exercise: Exercise, false: list[str]
) -> Diagnosis:
    """Return why there is no VPC to judge; `default` is a default VPC with the exercise's name."""
    here, there = snapshot.target.region, causes.list_other_regions(snapshot, "network")
    remedy = causes.advise_notebook(_NOTEBOOK)
    values = {"name": exercise.network.vpc_name, "region": here}
    if there:
        remedy = causes.advise_other_region(_NOTEBOOK, here=here, there=there)
        return diagnose("course.checks.cause.vpc-region", false, remedy, there=there, **values)
    if default is not None:
        return diagnose("course.checks.cause.vpc-default", false, remedy, id=default.id, **values)
    return diagnose("course.checks.cause.vpc-absent", false, remedy, **values)


@dataclass(frozen=True)
class Case:
    """A VPC with false facts.

    Attributes:
        target: Where the VPC is.
        vpc: The VPC.
        exercise: What it is judged by.
        twins: Other VPCs of the same name.
        false: The ids of the false facts.
    """

    target: Target
    vpc: Vpc
    exercise: Exercise
    twins: Sequence[Vpc]
    false: Sequence[str]

    @property
    def goal(self) -> NetworkForm:
        """The network that the exercise asks for."""
        return self.exercise.network

    def false_among(self, *facts: str) -> list[str]:
        """Return those of some facts that are false."""
        return [fact for fact in facts if fact in self.false]

    def advise_mending(self, call: str, *, table: str | None = None) -> str:
        """Return the notebook as remedy where it finds VPC and route table by name; else a call."""
        usual = self.goal.name_of("public-table")
        names = (self.vpc.name, self.vpc.cidr, usual if table is None else table)
        namesakes = [known for known in self.vpc.route_tables if known.name == usual]
        found = names == (self.goal.vpc_name, self.goal.cidr, usual) and len(namesakes) < 2
        return causes.advise_notebook(_NOTEBOOK) if found else causes.advise_call(call)

    def advise_new_vpc(self) -> str:
        """Return the remedy of deleting the VPC and making another."""
        if self.vpc.tagged:
            return causes.advise_call_then_notebook(causes.CLEANUP, _NOTEBOOK)
        return messages.text(
            "course.checks.remedy.delete-then-run",
            resource=one_line(self.vpc.id),
            notebook=_NOTEBOOK,
        )


def explain(case: Case) -> Iterator[Diagnosis]:
    """Yield the causes of the false facts, root causes first."""
    yield from _explain_settings(case)
    yield from _explain_names(case)
    yield from _explain_subnets(case)
    yield from _explain_ways_out(case)
    yield from _explain_namesakes(case)


def _explain_settings(case: Case) -> Iterator[Diagnosis]:
    vpc, goal = case.vpc, case.goal
    edit_cidrs = "course.checks.remedy.edit-cidrs"
    if vpc.cidr != goal.cidr:
        facts, values = case.false_among("vpc.cidr", "subnets.cidr"), {"cidr": vpc.cidr}
        key, remedy = "course.checks.cause.vpc-cidr", case.advise_new_vpc()
        yield diagnose(key, facts, remedy, wanted=goal.cidr, id=vpc.id, **values)
    elif "vpc.cidr" in case.false:
        more = list_briefly([cidr for cidr in vpc.cidrs if cidr != goal.cidr])
        remedy = messages.text(edit_cidrs, resource=one_line(vpc.id), cidrs=more)
        key = "course.checks.cause.vpc-cidr-more"
        yield diagnose(key, ["vpc.cidr"], remedy, cidrs=more, id=vpc.id)
    if "vpc.ipv6" in case.false:
        cidrs = list_briefly(vpc.ipv6_cidrs)
        remedy = messages.text(edit_cidrs, resource=one_line(vpc.id), cidrs=cidrs)
        key = "course.checks.cause.vpc-ipv6"
        yield diagnose(key, ["vpc.ipv6"], remedy, cidrs=cidrs, id=vpc.id)
    if "vpc.tenancy" in case.false:
        key, remedy = "course.checks.cause.vpc-tenancy", case.advise_new_vpc()
        values = {"tenancy": vpc.tenancy, "wanted": goal.tenancy}
        yield diagnose(key, ["vpc.tenancy"], remedy, id=vpc.id, **values)
    switches = (
        ("course.checks.cause.dns-support-off", vpc.dns_support, "EnableDnsSupport"),
        ("course.checks.cause.dns-hostnames-off", vpc.dns_hostnames, "EnableDnsHostnames"),
    )
    for key, is_on, switch in switches:
        if not is_on:
            parameters = {"VpcId": vpc.id, switch: {"Value": True}}
            call = causes.write_call("ec2", "ModifyVpcAttribute", **parameters)
            yield diagnose(key, ["vpc.dns"], case.advise_mending(call), id=vpc.id)


def _explain_names(case: Case) -> Iterator[Diagnosis]:
    for named in vpcs.list_named_resources(case.vpc, case.exercise):
        if named.name == named.wanted:
            continue
        tag = {"Key": "Name", "Value": named.wanted}
        call = causes.write_call("ec2", "CreateTags", Resources=[named.id], Tags=[tag])
        key, remedy = _find_misnaming(named.name, named.wanted), causes.advise_call(call)
        if named.id == case.vpc.id and not case.vpc.tagged:
            # Found by its CIDR block alone: it may be somebody's production network.
            key = "course.checks.cause.vpc-nameless"
            if named.name:
                key = "course.checks.cause.vpc-unnamed"
            remedy = messages.text(
                "course.checks.remedy.rename-or-run", call=call, notebook=_NOTEBOOK
            )
        values = {"id": named.id, "name": named.name, "wanted": named.wanted}
        yield diagnose(key, ["names"], remedy, **values)


def _find_misnaming(name: str, wanted: str) -> str:
    """Return the key of the cause why a name is wrong."""
    if not name:
        return "course.checks.cause.name-missing"
    # A Japanese keyboard types look-alikes on the same keys, and copying adds spaces.
    typed = "".join(unicodedata.normalize("NFKC", name).translate(_DASHES).split())
    if typed == wanted:
        return "course.checks.cause.name-lookalike"
    return "course.checks.cause.name-differs"


def _explain_subnets(case: Case) -> Iterator[Diagnosis]:
    goal, public = case.goal, vpcs.find_public_subnets(case.vpc, case.exercise)
    about = case.false_among("subnets.public", "subnets.zones", "subnets.cidr")
    private, surplus = vpcs.find_private_subnets(case.vpc, case.exercise), _surplus(case, public)
    # The form made several too many: clean-up, which takes all of them, is the short way.
    several = [*surplus, *private]
    if len(several) > 1 and case.vpc.tagged and all(subnet.tagged for subnet in several):
        facts = [*(["subnets.private"] if private else []), *(about if surplus else [])]
        yield _explain_several(case, several, facts)
        return
    for subnet in private:
        key, remedy = "course.checks.cause.subnet-private", causes.advise_call(_delete(subnet))
        yield diagnose(key, ["subnets.private"], remedy, id=subnet.id, name=subnet.name)
    if len(public) <= goal.public_subnets:
        yield from _explain_places(case, public)
    if len(public) < goal.public_subnets:
        about += [] if public else ["routes.default"]
        key, remedy = "course.checks.cause.subnets-few", causes.advise_notebook(_NOTEBOOK)
        counts = {"count": len(public), "wanted": goal.public_subnets}
        yield diagnose(key, about, remedy, id=case.vpc.id, **counts)
    for subnet in surplus:
        key, remedy = "course.checks.cause.subnet-more", causes.advise_call(_delete(subnet))
        values = {"id": subnet.id, "name": subnet.name, "cidr": subnet.cidr}
        yield diagnose(key, about, remedy, **values)


def _surplus(case: Case, public: Sequence[Subnet]) -> list[Subnet]:
    """Return the public subnets beyond the exercise's number, those with a right block kept."""
    blocks = vpcs.plan_public_blocks(case.goal)
    kept_first = sorted(public, key=lambda subnet: subnet.cidr not in blocks)
    return kept_first[case.goal.public_subnets :]


def _explain_several(case: Case, subnets: Sequence[Subnet], facts: Sequence[str]) -> Diagnosis:
    return diagnose(
        "course.checks.cause.subnets-more",
        facts,
        case.advise_new_vpc(),
        count=len(subnets),
        names=list_briefly([subnet.name or subnet.id for subnet in subnets]),
        public=case.goal.public_subnets,
        private=case.goal.private_subnets,
        id=case.vpc.id,
    )


def _explain_places(case: Case, public: Sequence[Subnet]) -> Iterator[Diagnosis]:
    """Explain subnets in the wrong zone or block.

    The learner deletes them one after another, and makes new ones when the last one is gone: a
    wrong subnet that is left would be in the way of the new ones.
    """
    misplaced = list(_find_misplaced(case, public))
    for number, (key, fact, subnet, values) in enumerate(misplaced, start=1):
        call = _delete(subnet)
        remedy = causes.advise_call(call)
        if number == len(misplaced):
            remedy = causes.advise_call_then_notebook(call, _NOTEBOOK)
        yield diagnose(key, [fact], remedy, id=subnet.id, name=subnet.name, **values)


def _find_misplaced(
    case: Case, public: Sequence[Subnet]
) -> Iterator[tuple[str, str, Subnet, dict[str, str]]]:
    """Yield the key of a cause, the fact, the subnet, and values of the cause's sentence."""
    goal_blocks = vpcs.plan_public_blocks(case.goal)
    blocks, zones = list(goal_blocks), set()
    for subnet in public:
        if "subnets.zones" in case.false and subnet.zone in zones:
            key = "course.checks.cause.subnet-zone"
            yield key, "subnets.zones", subnet, {"zone": subnet.zone}
        zones.add(subnet.zone)
        if subnet.cidr in blocks:
            blocks.remove(subnet.cidr)
        elif case.vpc.cidr == case.goal.cidr:
            values = {"cidr": subnet.cidr, "wanted": " / ".join(goal_blocks)}
            yield "course.checks.cause.subnet-cidr", "subnets.cidr", subnet, values


def _delete(subnet: Subnet) -> str:
    return causes.write_call("ec2", "DeleteSubnet", SubnetId=subnet.id)


def _explain_ways_out(case: Case) -> Iterator[Diagnosis]:
    attached = sorted(vpcs.find_attached_gateways(case.vpc))
    if not attached:
        facts = case.false_among("gateway.attached", "routes.default")
        key, remedy = "course.checks.cause.gateway-absent", causes.advise_notebook(_NOTEBOOK)
        yield diagnose(key, facts, remedy, id=case.vpc.id)
    explained = set()
    for subnet in vpcs.find_public_subnets(case.vpc, case.exercise):
        way = vpcs.describe_way_out(case.vpc, subnet)
        table = case.vpc.route_table_of(subnet.id)
        # Subnets of one table share its route; each subnet without one is associated alone.
        cause = (way, subnet.id if table is None or table.main else table.id)
        if way == vpcs.TO_GATEWAY or cause in explained or (not attached and way != vpcs.NOWHERE):
            continue
        explained.add(cause)
        values = {"id": subnet.id, "name": subnet.name, "table": table.id if table else "-"}
        if table is None or (table.main and way == vpcs.NOWHERE):
            key, remedy = "course.checks.cause.table-not-associated", _associate(case, subnet)
            yield diagnose(key, ["routes.default"], remedy, **values)
        else:
            gateway = attached[0] if attached else ""
            yield _explain_route(case, table, way, gateway, values)


def _explain_route(
    case: Case, table: RouteTable, way: str, gateway: str, values: dict[str, str]
) -> Diagnosis:
    facts, remedy = ["routes.default"], causes.advise_notebook(_NOTEBOOK)
    if gateway:
        call = causes.write_call(
            "ec2",
            "CreateRoute" if way == vpcs.NOWHERE else "ReplaceRoute",
            RouteTableId=table.id,
            DestinationCidrBlock=ANYWHERE,
            GatewayId=gateway,
        )
        remedy = case.advise_mending(call, table=table.name)
    if way == vpcs.NOWHERE:
        return diagnose("course.checks.cause.route-missing", facts, remedy, **values)
    if way == vpcs.BLACKHOLE:
        return diagnose("course.checks.cause.route-blackhole", facts, remedy, **values)
    target, key = way.rpartition(" ")[2], "course.checks.cause.route-elsewhere"
    return diagnose(key, facts, remedy, target=target, **values)


def _associate(case: Case, subnet: Subnet) -> str:
    """Return the remedy for a subnet that uses the main route table."""
    others = [table for table in case.vpc.route_tables if not table.main]
    if not others:
        return causes.advise_notebook(_NOTEBOOK)
    table = max(others, key=vpcs.leads_out)
    ids = {"RouteTableId": table.id, "SubnetId": subnet.id}
    call = causes.write_call("ec2", "AssociateRouteTable", **ids)
    return case.advise_mending(call, table=table.name)


def _explain_namesakes(case: Case) -> Iterator[Diagnosis]:
    for twin in case.twins:
        if not (twin.subnets or twin.internet_gateways or twin.endpoints):
            remedy = causes.advise_call(causes.write_call("ec2", "DeleteVpc", VpcId=twin.id))
        elif case.target.kind != "aws" and case.vpc.tagged and twin.tagged:
            remedy = case.advise_new_vpc()  # no console here; clean-up takes both
        else:
            remedy = messages.text("course.checks.remedy.delete", resource=one_line(twin.id))
        key, values = "course.checks.cause.vpc-namesake", {"name": twin.name, "other": twin.id}
        yield diagnose(key, ["names"], remedy, id=case.vpc.id, **values)
