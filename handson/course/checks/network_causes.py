"""Why facts of the network are false, and what to do about each cause.

`ensure_network` finds its VPC by name and completes it, so running the notebook again mends most
causes; where it would not find what is wrong (another name), the one call does, and a wrong name is
told before what hangs on it.  What cannot be changed in place is deleted and made anew: by
clean-up where it carries the workshop's tag, by hand where it does not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from handson.core.text import list_briefly
from handson.course import syllabus
from handson.course.checks import causes, vpcs
from handson.course.checks.results import Diagnosis
from handson.course.exercise import Exercise
from handson.course.state import Subnet, Target, Vpc

_NOTEBOOK = syllabus.check("network").notebook
_FACTS = tuple(fact.id for fact in syllabus.check("network").facts)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ー"), "-")


def absent(
    target: Target, default: Vpc | None, *, there: str, exercise: Exercise
) -> list[Diagnosis]:
    """Say that the workshop's VPC is not there; `there` are regions in which one was seen."""
    remedy, here = causes.run(_NOTEBOOK), target.region
    values = {"name": exercise.network.vpc_name, "region": here}
    if there:
        remedy = causes.run_here(_NOTEBOOK, here=here, there=there)
        return [causes.diagnosis("vpc-region", _FACTS, remedy, there=there, **values)]
    if default is not None:
        return [causes.diagnosis("vpc-default", _FACTS, remedy, id=default.id, **values)]
    return [causes.diagnosis("vpc-absent", _FACTS, remedy, **values)]


def explain(
    target: Target, vpc: Vpc, exercise: Exercise, *, twins: Sequence[Vpc], wrong: Collection[str]
) -> list[Diagnosis]:
    """Return the causes of the facts in `wrong`, those that lie deeper first."""
    case = _Case(target, vpc, exercise, twins, wrong)
    return [
        *_settings(case),
        *_names(case),
        *_subnets(case),
        *_ways_out(case),
        *_namesakes(case),
    ]


@dataclass(frozen=True)
class _Case:
    target: Target
    vpc: Vpc
    exercise: Exercise
    twins: Sequence[Vpc]
    wrong: Collection[str]

    def mended_by(self, call: str, *, table: str | None = None) -> str:
        """The notebook, where it finds the VPC and the table by name; else the one call."""
        goal, usual = self.exercise.network, self.exercise.network.name_of("public-table")
        seen = (self.vpc.name, self.vpc.cidr, usual if table is None else table)
        namesakes = [known for known in self.vpc.route_tables if known.name == usual]
        found = seen == (goal.vpc_name, goal.cidr, usual) and len(namesakes) < 2
        return causes.run(_NOTEBOOK) if found else causes.type_in(call)

    def made_anew(self) -> str:
        if self.vpc.tagged:
            return causes.type_then_run(causes.CLEANUP, _NOTEBOOK)
        return causes.delete_then_run(self.vpc.id, _NOTEBOOK)

    def without(self, twin: Vpc) -> str:
        """The console, which deletes a VPC whole; without one, clean-up, which takes both."""
        if self.target.kind != "aws" and self.vpc.tagged and twin.tagged:
            return self.made_anew()
        return causes.delete(twin.id)

    def made_by_the_form(self, subnets: Sequence[Subnet]) -> bool:
        """Tell whether there are several, and clean-up takes all of them and the VPC."""
        return len(subnets) > 1 and self.vpc.tagged and all(each.tagged for each in subnets)


def _without(subnet: Subnet) -> str:
    return causes.call("ec2", "DeleteSubnet", SubnetId=subnet.id)


def _settings(case: _Case) -> Iterator[Diagnosis]:
    vpc, goal = case.vpc, case.exercise.network
    if vpc.cidr != goal.cidr:
        facts = [id for id in ("vpc.cidr", "subnets.cidr") if id in case.wrong]
        yield causes.diagnosis(
            "vpc-cidr", facts, case.made_anew(), cidr=vpc.cidr, wanted=goal.cidr, id=vpc.id
        )
    elif "vpc.cidr" in case.wrong:
        more = list_briefly([cidr for cidr in vpc.cidrs if cidr != goal.cidr])
        yield causes.diagnosis(
            "vpc-cidr-more",
            ["vpc.cidr"],
            causes.edit_cidrs(vpc.id, more),
            cidrs=more,
            id=vpc.id,
        )
    if "vpc.ipv6" in case.wrong:
        cidrs = list_briefly(vpc.ipv6_cidrs)
        remedy = causes.edit_cidrs(vpc.id, cidrs)
        yield causes.diagnosis("vpc-ipv6", ["vpc.ipv6"], remedy, cidrs=cidrs, id=vpc.id)
    if "vpc.tenancy" in case.wrong:
        yield causes.diagnosis(
            "vpc-tenancy",
            ["vpc.tenancy"],
            case.made_anew(),
            tenancy=vpc.tenancy,
            wanted=goal.tenancy,
            id=vpc.id,
        )
    yield from _dns(case)


def _dns(case: _Case) -> Iterator[Diagnosis]:
    vpc = case.vpc
    switches = (
        ("dns-support-off", vpc.dns_support, "EnableDnsSupport"),
        ("dns-hostnames-off", vpc.dns_hostnames, "EnableDnsHostnames"),
    )
    for code, on, switch in switches:
        if not on:
            parameters = {"VpcId": vpc.id, switch: {"Value": True}}
            remedy = case.mended_by(causes.call("ec2", "ModifyVpcAttribute", **parameters))
            yield causes.diagnosis(code, ["vpc.dns"], remedy, id=vpc.id)


def _subnets(case: _Case) -> Iterator[Diagnosis]:
    public, goal = vpcs.public_subnets(case.vpc, case.exercise), case.exercise.network
    about = [id for id in ("subnets.public", "subnets.zones", "subnets.cidr") if id in case.wrong]
    private, surplus = vpcs.private_subnets(case.vpc, case.exercise), _surplus(case, public)
    if case.made_by_the_form([*surplus, *private]):
        facts = [*(["subnets.private"] if private else []), *(about if surplus else [])]
        yield _too_many(case, [*surplus, *private], facts)
        return
    for subnet in private:
        remedy = causes.type_in(_without(subnet))
        yield causes.diagnosis(
            "subnet-private", ["subnets.private"], remedy, id=subnet.id, name=subnet.name
        )
    if len(public) <= goal.public_subnets:
        yield from _places(case, public)
    if len(public) < goal.public_subnets:
        about += [] if public else ["routes.default"]
        count, wanted = len(public), goal.public_subnets
        yield causes.diagnosis(
            "subnets-few", about, causes.run(_NOTEBOOK), count=count, wanted=wanted, id=case.vpc.id
        )
    for subnet in surplus:
        remedy = causes.type_in(_without(subnet))
        yield causes.diagnosis(
            "subnet-more", about, remedy, id=subnet.id, name=subnet.name, cidr=subnet.cidr
        )


def _too_many(case: _Case, subnets: Sequence[Subnet], facts: Sequence[str]) -> Diagnosis:
    """Say of several subnets of the form's that they are too many, with the one way out of it."""
    goal, names = case.exercise.network, [subnet.name or subnet.id for subnet in subnets]
    return causes.diagnosis(
        "subnets-more",
        facts,
        case.made_anew(),
        count=len(subnets),
        names=list_briefly(names),
        public=goal.public_subnets,
        private=goal.private_subnets,
        id=case.vpc.id,
    )


def _places(case: _Case, public: Sequence[Subnet]) -> Iterator[Diagnosis]:
    """Explain subnets that are not too many, but in the wrong zone or block.

    They are deleted one after another, and made anew when the last one is gone: what is left would
    be in the way of the new ones.
    """
    causes_of = list(_misplaced(case, public))
    for number, (code, fact, subnet, values) in enumerate(causes_of, start=1):
        call = _without(subnet)
        last = number == len(causes_of)
        remedy = causes.type_then_run(call, _NOTEBOOK) if last else causes.type_in(call)
        yield causes.diagnosis(code, [fact], remedy, id=subnet.id, name=subnet.name, **values)


def _misplaced(
    case: _Case, public: Sequence[Subnet]
) -> Iterator[tuple[str, str, Subnet, dict[str, str]]]:
    blocks, zones = list(vpcs.goal_blocks(case.exercise.network)), set()
    for subnet in public:
        if "subnets.zones" in case.wrong and subnet.zone in zones:
            yield "subnet-zone", "subnets.zones", subnet, {"zone": subnet.zone}
        zones.add(subnet.zone)
        if subnet.cidr in blocks:
            blocks.remove(subnet.cidr)
        elif case.vpc.cidr == case.exercise.network.cidr:
            wanted = " / ".join(vpcs.goal_blocks(case.exercise.network))
            yield "subnet-cidr", "subnets.cidr", subnet, {"cidr": subnet.cidr, "wanted": wanted}


def _surplus(case: _Case, public: Sequence[Subnet]) -> list[Subnet]:
    blocks = vpcs.goal_blocks(case.exercise.network)
    kept = [subnet for subnet in public if subnet.cidr in blocks]
    kept += [subnet for subnet in public if subnet.cidr not in blocks]
    return kept[case.exercise.network.public_subnets :]


def _ways_out(case: _Case) -> Iterator[Diagnosis]:
    attached = sorted(vpcs.attached_gateways(case.vpc))
    if not attached:
        facts = [id for id in ("gateway.attached", "routes.default") if id in case.wrong]
        yield causes.diagnosis("gateway-absent", facts, causes.run(_NOTEBOOK), id=case.vpc.id)
    told = set()
    for subnet in vpcs.public_subnets(case.vpc, case.exercise):
        way = vpcs.way_out(case.vpc, subnet)
        table = case.vpc.route_table_of(subnet.id)
        # Subnets of one table share its route; each of those that have none is associated alone.
        cause = (way, subnet.id if table is None or table.main else table.id)
        if way == vpcs.TO_GATEWAY or cause in told or (not attached and way != vpcs.NOWHERE):
            continue
        told.add(cause)
        yield _way(case, subnet, attached[0] if attached else "")


def _way(case: _Case, subnet: Subnet, gateway: str) -> Diagnosis:
    facts, vpc, way = ["routes.default"], case.vpc, vpcs.way_out(case.vpc, subnet)
    table = vpc.route_table_of(subnet.id)
    values = {"id": subnet.id, "name": subnet.name, "table": table.id if table else "-"}
    if table is None or (table.main and way == vpcs.NOWHERE):
        remedy = _association(case, subnet)
        return causes.diagnosis("table-not-associated", facts, remedy, **values)
    operation = "CreateRoute" if way == vpcs.NOWHERE else "ReplaceRoute"
    call = causes.call(
        "ec2",
        operation,
        RouteTableId=table.id,
        DestinationCidrBlock=vpcs.ANYWHERE,
        GatewayId=gateway,
    )
    remedy = case.mended_by(call, table=table.name) if gateway else causes.run(_NOTEBOOK)
    if way == vpcs.NOWHERE:
        return causes.diagnosis("route-missing", facts, remedy, **values)
    if way == vpcs.BLACKHOLE:
        return causes.diagnosis("route-blackhole", facts, remedy, **values)
    target = way.rpartition(" ")[2]
    return causes.diagnosis("route-elsewhere", facts, remedy, target=target, **values)


def _association(case: _Case, subnet: Subnet) -> str:
    others = [table for table in case.vpc.route_tables if not table.main]
    if not others:
        return causes.run(_NOTEBOOK)
    table = max(others, key=vpcs.leads_out)
    call = causes.call("ec2", "AssociateRouteTable", RouteTableId=table.id, SubnetId=subnet.id)
    return case.mended_by(call, table=table.name)


def _names(case: _Case) -> Iterator[Diagnosis]:
    for named in vpcs.named_resources(case.vpc, case.exercise):
        if named.name == named.wanted:
            continue
        tag = {"Key": "Name", "Value": named.wanted}
        call = causes.call("ec2", "CreateTags", Resources=[named.id], Tags=[tag])
        code, remedy = _misnamed(named.name, named.wanted), causes.type_in(call)
        if named.id == case.vpc.id and not case.vpc.tagged:
            # Found by its CIDR block alone: it may be somebody's production network.
            code = "vpc-unnamed" if named.name else "vpc-nameless"
            remedy = causes.rename_or_run(call, _NOTEBOOK)
        yield causes.diagnosis(
            code, ["names"], remedy, id=named.id, name=named.name, wanted=named.wanted
        )


def _misnamed(name: str, wanted: str) -> str:
    """Return what is wrong with a name, as the code of a cause."""
    if not name:
        return "name-missing"
    # What a Japanese keyboard gives for the same keys, and what copying adds.
    typed = "".join(unicodedata.normalize("NFKC", name).translate(_DASHES).split())
    return "name-lookalike" if typed == wanted else "name-differs"


def _namesakes(case: _Case) -> Iterator[Diagnosis]:
    for twin in case.twins:
        empty = not (twin.subnets or twin.internet_gateways or twin.endpoints)
        call = causes.call("ec2", "DeleteVpc", VpcId=twin.id)
        remedy = causes.type_in(call) if empty else case.without(twin)
        yield causes.diagnosis(
            "vpc-namesake", ["names"], remedy, name=twin.name, id=case.vpc.id, other=twin.id
        )
