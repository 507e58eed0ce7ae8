"""The check `network`: the VPC and its public subnets.

Which VPC is judged: the one whose Name tag is the exercise's; else one that carries the workshop's
tag; else one with the exercise's CIDR block.  Among several, a tagged one first, then the one with
most facts right.  The default VPC is never the workshop's.

What breaks what.  Each fact looks at one setting, so that one mistake turns one fact false, except
where one setting contains another:

- No VPC: every fact.  Another CIDR block for the VPC: `vpc.cidr` and `subnets.cidr`, for no subnet
  can then have the exercise's blocks.
- A public subnet too few or too many: `subnets.public` and `subnets.cidr`, and `subnets.zones` when
  another number of zones is left.  A subnet in the wrong zone: `subnets.zones`.
- No gateway, or a detached one: `gateway.attached` and `routes.default`, for a route to it leads
  nowhere.  A route that is missing, dead or leads elsewhere, a table that is not associated:
  `routes.default` alone, and the subnets still count as public when they were meant to be.
- `names` are judged for what is there; what is missing is not misnamed.  A second VPC of the same
  name makes the name say nothing, and is false here.

A subnet's public addresses, the S3 endpoint, further tags and which zones they are do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handson.course.checks import causes, network_causes, vpcs
from handson.course.checks.results import CheckResult, conclude
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, Vpc

ID = "network"
DNS = ("enableDnsSupport", "enableDnsHostnames")


@dataclass(frozen=True)
class Choice:
    """The VPC that is judged, if any, and others of the same name."""

    vpc: Vpc | None
    twins: tuple[Vpc, ...] = ()
    default: Vpc | None = None
    """The default VPC, where it bears the exercise's name and nothing else is there to judge."""

    @property
    def all(self) -> list[Vpc]:
        """Every VPC that this check reads."""
        return [vpc for vpc in (self.vpc, *self.twins, self.default) if vpc is not None]


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the network and why some are false."""
    choice = choose(snapshot.vpcs, exercise)
    if choice.vpc is None:
        there = causes.in_region(snapshot, ID)
        reasons = network_causes.absent(
            snapshot.target, choice.default, there=there, exercise=exercise
        )
        return conclude(ID, expected=_expected(None, exercise), observed=_NO_VPC, diagnoses=reasons)
    observed = _observed(choice.vpc, choice.twins, exercise)
    expected = _expected(choice.vpc, exercise)
    wrong = {id for id, value in expected.items() if observed[id] != value}
    reasons = network_causes.explain(
        snapshot.target, choice.vpc, exercise, twins=choice.twins, wrong=wrong
    )
    return conclude(ID, expected=expected, observed=observed, diagnoses=reasons)


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the VPC it judges and its namesakes.

    Where there is none, what was seen of it in other regions.
    """
    choice = choose(snapshot.vpcs, exercise)
    read = sorted(choice.all, key=lambda vpc: (vpc.name, vpc.id))
    elsewhere = () if choice.vpc else causes.sightings(snapshot, ID)
    return Snapshot(target=snapshot.target, vpcs=tuple(read), elsewhere=elsewhere)


def choose(candidates: Sequence[Vpc], exercise: Exercise = Exercise()) -> Choice:
    """Return the VPC that is the workshop's, as the module's first paragraph says."""
    goal = exercise.network
    own = [vpc for vpc in candidates if not vpc.is_default]
    named = [vpc for vpc in own if vpc.name == goal.vpc_name]
    like = (
        named or [vpc for vpc in own if vpc.tagged] or [vpc for vpc in own if vpc.cidr == goal.cidr]
    )
    if not like:
        default = next((vpc for vpc in candidates if vpc.name == goal.vpc_name), None)
        return Choice(None, default=default)
    best, *others = sorted(like, key=lambda vpc: (not vpc.tagged, -_score(vpc, exercise), vpc.id))
    return Choice(best, tuple(vpc for vpc in others if named and vpc.id != best.id))


_NO_VPC = {"vpc.exists": False}


def _score(vpc: Vpc, exercise: Exercise) -> int:
    observed = _observed(vpc, (), exercise)
    return sum(observed[id] == value for id, value in _expected(vpc, exercise).items())


def _expected(vpc: Vpc | None, exercise: Exercise) -> dict[str, Any]:
    goal = exercise.network
    wanted = (
        [named.wanted for named in vpcs.named_resources(vpc, exercise)] if vpc else [goal.vpc_name]
    )
    return {
        "vpc.exists": True,
        "vpc.cidr": goal.cidr,
        "vpc.ipv6": [],
        "vpc.tenancy": goal.tenancy,
        "vpc.dns": list(DNS),
        "subnets.public": goal.public_subnets,
        "subnets.private": goal.private_subnets,
        "subnets.zones": goal.availability_zones,
        "subnets.cidr": list(vpcs.goal_blocks(goal)),
        "gateway.attached": True,
        "routes.default": [vpcs.TO_GATEWAY],
        "names": wanted,
    }


def _observed(vpc: Vpc, twins: Sequence[Vpc], exercise: Exercise) -> dict[str, Any]:
    public = vpcs.public_subnets(vpc, exercise)
    names = [named.name for named in vpcs.named_resources(vpc, exercise)]
    return {
        "vpc.exists": True,
        "vpc.cidr": vpc.cidr if set(vpc.cidrs) <= {vpc.cidr} else list(vpc.cidrs),
        "vpc.ipv6": list(vpc.ipv6_cidrs),
        "vpc.tenancy": vpc.tenancy,
        "vpc.dns": _dns(vpc),
        "subnets.public": len(public),
        "subnets.private": len(vpcs.private_subnets(vpc, exercise)),
        "subnets.zones": len({subnet.zone for subnet in public}),
        "subnets.cidr": [subnet.cidr for subnet in public],
        "gateway.attached": bool(vpcs.attached_gateways(vpc)),
        "routes.default": sorted({vpcs.way_out(vpc, subnet) for subnet in public}),
        "names": names + [twin.name for twin in twins],
    }


def _dns(vpc: Vpc) -> list[str]:
    switches = (vpc.dns_support, vpc.dns_hostnames)
    return [name for name, on in zip(DNS, switches, strict=True) if on]
