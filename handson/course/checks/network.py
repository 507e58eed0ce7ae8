"""The check `network`: the VPC and its public subnets.

The check judges the VPC whose Name tag is the exercise's; else one with the workshop's tag; else
one with the exercise's CIDR block.  Among several it prefers a tagged one, then the one with most
facts true.  It never judges the default VPC.

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
class VpcChoice:
    """The VPC that the check judges, if any.

    Attributes:
        vpc: The VPC.
        twins: Other VPCs of the same name.
        default: The default VPC, where it has the exercise's name and there is no other candidate.
    """

    vpc: Vpc | None
    twins: tuple[Vpc, ...] = ()
    default: Vpc | None = None


def judge(snapshot: Snapshot, exercise: Exercise) -> CheckResult:
    """Return the facts of the network and why some are false."""
    choice = choose_vpc(snapshot.vpcs, exercise)
    vpc = choice.vpc
    if vpc is None:
        return conclude(
            ID,
            expected=_expect(None, exercise),
            observed={"vpc.exists": False},
            explain=lambda false: [
                network_causes.explain_absence(snapshot, choice.default, exercise, false)
            ],
        )
    return conclude(
        ID,
        expected=_expect(vpc, exercise),
        observed=_observe(vpc, choice.twins, exercise),
        explain=lambda false: network_causes.explain(
            network_causes.Case(snapshot.target, vpc, exercise, choice.twins, false)
        ),
    )


def trim(snapshot: Snapshot, exercise: Exercise) -> Snapshot:
    """Return the part of a snapshot that this check reads: the VPC it judges and its namesakes.

    Without a VPC, the sightings in other regions.
    """
    choice = choose_vpc(snapshot.vpcs, exercise)
    read = [vpc for vpc in (choice.vpc, *choice.twins, choice.default) if vpc is not None]
    return Snapshot(
        target=snapshot.target,
        vpcs=tuple(sorted(read, key=lambda vpc: (vpc.name, vpc.id))),
        elsewhere=() if choice.vpc else causes.find_sightings(snapshot, ID),
    )


def choose_vpc(candidates: Sequence[Vpc], exercise: Exercise = Exercise()) -> VpcChoice:
    """Return the VPC that the check judges, by the rule in the module's docstring."""
    goal = exercise.network
    own = [vpc for vpc in candidates if not vpc.is_default]
    named = [vpc for vpc in own if vpc.name == goal.vpc_name]
    tagged = [vpc for vpc in own if vpc.tagged]
    like = named or tagged or [vpc for vpc in own if vpc.cidr == goal.cidr]
    if not like:
        default = next((vpc for vpc in candidates if vpc.name == goal.vpc_name), None)
        return VpcChoice(None, default=default)
    best, *others = sorted(like, key=lambda vpc: (not vpc.tagged, -_score(vpc, exercise), vpc.id))
    return VpcChoice(best, tuple(vpc for vpc in others if named and vpc.id != best.id))


def _score(vpc: Vpc, exercise: Exercise) -> int:
    observed = _observe(vpc, (), exercise)
    return sum(observed[id] == value for id, value in _expect(vpc, exercise).items())


def _expect(vpc: Vpc | None, exercise: Exercise) -> dict[str, Any]:
    goal = exercise.network
    named = vpcs.list_named_resources(vpc, exercise) if vpc else []
    return {
        "vpc.exists": True,
        "vpc.cidr": goal.cidr,
        "vpc.ipv6": [],
        "vpc.tenancy": goal.tenancy,
        "vpc.dns": list(DNS),
        "subnets.public": goal.public_subnets,
        "subnets.private": goal.private_subnets,
        "subnets.zones": goal.availability_zones,
        "subnets.cidr": list(vpcs.plan_public_blocks(goal)),
        "gateway.attached": True,
        "routes.default": [vpcs.TO_GATEWAY],
        "names": [resource.wanted for resource in named] or [goal.vpc_name],
    }


def _observe(vpc: Vpc, twins: Sequence[Vpc], exercise: Exercise) -> dict[str, Any]:
    public = vpcs.find_public_subnets(vpc, exercise)
    names = [resource.name for resource in vpcs.list_named_resources(vpc, exercise)]
    switches = zip(DNS, (vpc.dns_support, vpc.dns_hostnames), strict=True)
    return {
        "vpc.exists": True,
        "vpc.cidr": vpc.cidr if set(vpc.cidrs) <= {vpc.cidr} else list(vpc.cidrs),
        "vpc.ipv6": list(vpc.ipv6_cidrs),
        "vpc.tenancy": vpc.tenancy,
        "vpc.dns": [name for name, on in switches if on],
        "subnets.public": len(public),
        "subnets.private": len(vpcs.find_private_subnets(vpc, exercise)),
        "subnets.zones": len({subnet.zone for subnet in public}),
        "subnets.cidr": [subnet.cidr for subnet in public],
        "gateway.attached": bool(vpcs.find_attached_gateways(vpc)),
        "routes.default": sorted({vpcs.describe_way_out(vpc, subnet) for subnet in public}),
        "names": names + [twin.name for twin in twins],
    }
