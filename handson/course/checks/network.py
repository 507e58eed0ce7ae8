"""The check `network`: the VPC and its public subnets.

Each fact checks one setting, so that one mistake turns one fact false, except where one setting
contains another:

- No VPC: every fact.  Another CIDR block for the VPC: `vpc.cidr` and `subnets.cidr`, because no
  subnet can then have the exercise's blocks.
- A public subnet too few or too many: `subnets.public` and `subnets.cidr`, and `subnets.zones` when
  another number of zones is left.  A subnet in the wrong zone: `subnets.zones`.
- No gateway, or a detached one: `gateway.attached` and `routes.default`, because a route to it
  leads nowhere.  A route that is missing, dead or leads elsewhere, a table that is not associated:
  `routes.default` alone; the subnets still count as public when they were meant to be.
- `names` judges existing resources only.  A second VPC with the same name makes the name ambiguous,
  and turns it false.

Public addresses of a subnet, the S3 endpoint, further tags and the choice of zones do not matter.

`ensure_network` finds its VPC by name and completes it, so the notebook, run again, mends most
causes.  Where `ensure_network` cannot find a part because of its name, the remedy is one call; a
wrong name is explained before the causes that follow from it.  For a setting that AWS cannot change
afterwards, the remedy is to delete the VPC: by clean-up if it carries the workshop's tag, else by
hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handson.core import messages
from handson.core.text import list_briefly, one_line, to_half_width
from handson.course import rules, syllabus
from handson.course.checks import network_facts, results
from handson.course.checks.results import CheckResult, Diagnosis, conclude, diagnose, write_aws_call
from handson.course.exercise import Exercise, NetworkForm
from handson.course.state import ANYWHERE, RouteTable, Snapshot, Subnet, Target, Vpc

_NOTEBOOK = syllabus.find_check("network").notebook


def judge_network(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the network and why some are false."""
    found = network_facts.find_goal_vpcs(snapshot, exercise)
    facts = network_facts.compare_facts(found, exercise)
    if not found:
        return conclude("network", facts, [_explain_no_vpc(snapshot, exercise)], found=False)
    vpc, *twins = found
    return conclude("network", facts, _explain_vpc(_Case(snapshot.target, vpc, twins, exercise)))


def trim_to_network(snapshot: Snapshot, exercise: Exercise) -> results.Kept:
    """Return what this check reads: the VPC it judges and its namesakes.

    Without a VPC, the sightings in other regions.
    """
    found = network_facts.find_goal_vpcs(snapshot, exercise)
    read = found or network_facts.find_named_default(snapshot, exercise)
    elsewhere = () if found else results.find_sightings(snapshot, "network")
    vpcs = tuple(sorted(read, key=lambda vpc: (vpc.name, vpc.id)))
    return {"vpcs": vpcs, "elsewhere": elsewhere}


def _explain_no_vpc(snapshot: Snapshot, exercise: Exercise) -> Diagnosis:
    default = network_facts.find_named_default(snapshot, exercise)
    return results.explain_absence(
        "network",
        snapshot,
        elsewhere="vpc-region",
        here="vpc-default" if default else "vpc-absent",
        name=exercise.network.vpc_name,
        id=default[0].id if default else "",
    )


class _Case(Struct, frozen=True):
    """A VPC to explain: where it is, its namesakes, and the exercise it is judged by."""

    target: Target
    vpc: Vpc
    twins: Sequence[Vpc]
    exercise: Exercise

    @property
    def goal(self) -> NetworkForm:
        """The network that the exercise asks for."""
        return self.exercise.network

    def advise_mending(self, call: str, table: str | None = None) -> dict[str, str]:
        """Return a call, and the remedy: the notebook where it finds VPC and table by name."""
        usual = self.goal.name_of("public-table")
        names = (self.vpc.name, self.vpc.cidr, usual if table is None else table)
        namesakes = [known for known in self.vpc.route_tables if known.name == usual]
        found = names == (self.goal.vpc_name, self.goal.cidr, usual) and len(namesakes) < 2
        return {"call": call, "remedy": "" if found else results.advise_call(call)}

    def advise_new_vpc(self) -> str:
        """Return the remedy of deleting the VPC and making another."""
        if self.vpc.tagged:
            return results.advise_call(results.NETWORK_CLEANUP, then=_NOTEBOOK)
        return messages.text(
            "course.checks.remedy.delete-then-run",
            resource=one_line(self.vpc.id),
            notebook=_NOTEBOOK,
        )


def _explain_vpc(case: _Case) -> Iterator[Diagnosis]:
    """Yield the causes of false facts, root causes first."""
    yield from _explain_settings(case)
    yield from _explain_names(case)
    yield from _explain_subnets(case)
    yield from _explain_ways_out(case)
    yield from _explain_namesakes(case)


def _explain_settings(case: _Case) -> Iterator[Diagnosis]:
    vpc, goal, new_vpc = case.vpc, case.goal, case.advise_new_vpc()
    if vpc.cidr != goal.cidr:
        values, facts = {"cidr": vpc.cidr, "wanted": goal.cidr}, ("vpc.cidr", "subnets.cidr")
        cause = diagnose("vpc-cidr", *facts, remedy=new_vpc, id=vpc.id, **values)
        yield replace(cause, message=cause.message + rules.explain_public_block(vpc.cidr))
    else:
        more = [cidr for cidr in vpc.cidrs if cidr != goal.cidr]
        yield _explain_blocks("vpc-cidr-more", "vpc.cidr", vpc, more)
    yield _explain_blocks("vpc-ipv6", "vpc.ipv6", vpc, vpc.ipv6_cidrs)
    values = {"tenancy": vpc.tenancy, "wanted": goal.tenancy}
    yield diagnose("vpc-tenancy", "vpc.tenancy", remedy=new_vpc, id=vpc.id, **values)
    switches = (
        ("dns-support-off", vpc.dns_support, "EnableDnsSupport"),
        ("dns-hostnames-off", vpc.dns_hostnames, "EnableDnsHostnames"),
    )
    for code, is_on, switch in switches:
        if not is_on:
            parameters = {"VpcId": vpc.id, switch: {"Value": True}}
            mending = case.advise_mending(write_aws_call("ec2", "ModifyVpcAttribute", **parameters))
            yield diagnose(code, "vpc.dns", **mending, id=vpc.id)


def _explain_blocks(code: str, fact: str, vpc: Vpc, surplus: Sequence[str]) -> Diagnosis:
    resource, cidrs = one_line(vpc.id), list_briefly(surplus)
    remedy = messages.text("course.checks.remedy.edit-cidrs", resource=resource, cidrs=cidrs)
    return diagnose(code, fact, remedy=remedy, cidrs=cidrs, id=vpc.id)


def _explain_names(case: _Case) -> Iterator[Diagnosis]:
    for named in network_facts.list_named_resources(case.vpc, case.exercise):
        if named.name == named.wanted:
            continue
        tag = {"Key": "Name", "Value": named.wanted}
        call = write_aws_call("ec2", "CreateTags", Resources=[named.id], Tags=[tag])
        code, remedy = _find_misnaming(named.name, named.wanted), results.advise_call(call)
        if named.id == case.vpc.id and not case.vpc.tagged:
            # Found by its CIDR block alone: it may be a production network.
            code = "vpc-unnamed" if named.name else "vpc-nameless"
            remedy = messages.text(
                "course.checks.remedy.rename-or-run", call=call, notebook=_NOTEBOOK
            )
        values = {"id": named.id, "name": named.name, "wanted": named.wanted}
        yield diagnose(code, "names", remedy=remedy, call=call, **values)


def _find_misnaming(name: str, wanted: str) -> str:
    """Return the code of the cause why a name is wrong."""
    if not name:
        return "name-missing"
    # A Japanese keyboard types look-alikes on the same keys, and copying adds spaces.
    typed = "".join(to_half_width(name).split())
    return "name-lookalike" if typed == wanted else "name-differs"


def _explain_subnets(case: _Case) -> Iterator[Diagnosis]:
    goal, public = case.goal, network_facts.find_public_subnets(case.vpc, case.exercise)
    about = ["subnets.public", "subnets.zones", "subnets.cidr"]
    private = network_facts.find_private_subnets(case.vpc, case.exercise)
    surplus = _surplus(case, public)
    # The form made several too many: clean-up, which takes all of them, is the short way.
    several = [*surplus, *private]
    if len(several) > 1 and case.vpc.tagged and all(subnet.tagged for subnet in several):
        facts = [*(["subnets.private"] if private else []), *(about if surplus else [])]
        names = list_briefly([subnet.title for subnet in several])
        values: Any = {"id": case.vpc.id, "count": len(several), "names": names}
        values |= {"public": goal.public_subnets, "private": goal.private_subnets}
        yield diagnose("subnets-more", *facts, remedy=case.advise_new_vpc(), **values)
        return
    for subnet in private:
        yield _explain_subnet("subnet-private", ["subnets.private"], subnet)
    if len(public) <= goal.public_subnets:
        yield from _explain_places(case, public)
    if len(public) < goal.public_subnets:
        about += [] if public else ["routes.default"]
        count, wanted = len(public), goal.public_subnets
        yield diagnose("subnets-few", *about, id=case.vpc.id, count=count, wanted=wanted)
    for subnet in surplus:
        yield _explain_subnet("subnet-more", about, subnet, cidr=subnet.cidr)


def _surplus(case: _Case, public: Sequence[Subnet]) -> list[Subnet]:
    """Return the public subnets beyond the exercise's number, those with a right block kept."""
    blocks = network_facts.plan_public_blocks(case.goal)
    kept_first = sorted(public, key=lambda subnet: subnet.cidr not in blocks)
    return kept_first[case.goal.public_subnets :]


def _explain_subnet(
    code: str, facts: Sequence[str], subnet: Subnet, *, then: str = "", **values: str
) -> Diagnosis:
    """Return the diagnosis of a subnet that has to be deleted."""
    call = write_aws_call("ec2", "DeleteSubnet", SubnetId=subnet.id)
    remedy, values = results.advise_call(call, then=then), {"name": subnet.name, **values}
    alone = "" if then else call
    return diagnose(code, *facts, remedy=remedy, call=alone, id=subnet.id, **values)


def _explain_places(case: _Case, public: Sequence[Subnet]) -> Iterator[Diagnosis]:
    """Explain subnets in the wrong zone or block.

    The learner deletes them one after another, and makes new ones when the last one is gone: a
    wrong subnet that is left would be in the way of the new ones.
    """
    misplaced = list(_find_misplaced(case, public))
    for number, (code, fact, subnet, values) in enumerate(misplaced, start=1):
        then = _NOTEBOOK if number == len(misplaced) else ""
        yield _explain_subnet(code, [fact], subnet, then=then, **values)


def _find_misplaced(
    case: _Case, public: Sequence[Subnet]
) -> Iterator[tuple[str, str, Subnet, dict[str, str]]]:
    """Yield the code of a cause, the fact, the subnet, and values of the cause's sentence."""
    goal_blocks = network_facts.plan_public_blocks(case.goal)
    blocks, zones = list(goal_blocks), set()
    count = len({subnet.zone for subnet in public})
    for subnet in public:
        if count != case.goal.availability_zones and subnet.zone in zones:
            yield "subnet-zone", "subnets.zones", subnet, {"zone": subnet.zone}
        zones.add(subnet.zone)
        if subnet.cidr in blocks:
            blocks.remove(subnet.cidr)
        elif case.vpc.cidr == case.goal.cidr:
            values = {"cidr": subnet.cidr, "wanted": " / ".join(goal_blocks)}
            yield "subnet-cidr", "subnets.cidr", subnet, values


def _explain_ways_out(case: _Case) -> Iterator[Diagnosis]:
    attached = sorted(network_facts.find_attached_gateways(case.vpc))
    if not attached:
        yield diagnose("gateway-absent", "gateway.attached", "routes.default", id=case.vpc.id)
    explained = set()
    for subnet in network_facts.find_public_subnets(case.vpc, case.exercise):
        way = network_facts.describe_way_out(case.vpc, subnet)
        table = case.vpc.route_table_of(subnet.id)
        # Subnets of one table share its route; each subnet without one is associated alone.
        cause = (way, subnet.id if table is None or table.main else table.id)
        if (
            way == network_facts.TO_GATEWAY
            or cause in explained
            or (not attached and way != network_facts.NOWHERE)
        ):
            continue
        explained.add(cause)
        values = {"id": subnet.id, "name": subnet.name, "table": table.id if table else "-"}
        if table is None or (table.main and way == network_facts.NOWHERE):
            code, mending = "table-not-associated", _advise_association(case, subnet)
        else:
            code = _ROUTE_CAUSES.get(way, "route-elsewhere")
            mending = _advise_route(case, table, way, attached[0]) if attached else {}
            values["target"] = way.rpartition(" ")[2]
        yield diagnose(code, "routes.default", **mending, **values)


_ROUTE_CAUSES = {network_facts.NOWHERE: "route-missing", network_facts.BLACKHOLE: "route-blackhole"}


def _advise_route(case: _Case, table: RouteTable, way: str, gateway: str) -> dict[str, str]:
    operation = "CreateRoute" if way == network_facts.NOWHERE else "ReplaceRoute"
    ends = {"DestinationCidrBlock": ANYWHERE, "GatewayId": gateway}
    call = write_aws_call("ec2", operation, RouteTableId=table.id, **ends)
    return case.advise_mending(call, table.name)


def _advise_association(case: _Case, subnet: Subnet) -> dict[str, str]:
    """Return the call and the remedy for a subnet that uses the main route table."""
    others = [table for table in case.vpc.route_tables if not table.main]
    if not others:
        return {}
    table = max(others, key=network_facts.leads_out)
    ids = {"RouteTableId": table.id, "SubnetId": subnet.id}
    return case.advise_mending(write_aws_call("ec2", "AssociateRouteTable", **ids), table.name)


def _explain_namesakes(case: _Case) -> Iterator[Diagnosis]:
    for twin in case.twins:
        call = ""
        if not (twin.subnets or twin.internet_gateways or twin.endpoints):
            call = write_aws_call("ec2", "DeleteVpc", VpcId=twin.id)
            remedy = results.advise_call(call)
        elif case.target.kind != "aws" and case.vpc.tagged and twin.tagged:
            remedy = case.advise_new_vpc()  # no console here; clean-up takes both
        else:
            remedy = messages.text("course.checks.remedy.delete", resource=one_line(twin.id))
        values = {"id": case.vpc.id, "name": twin.name, "other": twin.id}
        yield diagnose("vpc-namesake", "names", remedy=remedy, call=call, **values)
