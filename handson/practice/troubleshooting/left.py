"""What was broken, and still stands beside what was made anew in its place.

The checks judge one VPC and one cluster, and pass when those are right; a broken one that was left
where it is, they do not see.  So what stood there before the breakage is kept, and looked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson.aws import Aws
from handson.core import messages
from handson.course import syllabus
from handson.course.checks import causes
from handson.course.checks import network as network_check
from handson.course.state import Snapshot, State, Vpc
from handson.resources import cluster

Left = tuple[str, str]
"""What is left, and what to do about it."""


class Before(State, frozen=True, kw_only=True):
    """What a finished workshop consisted of before it was broken, by id; clusters by name."""

    vpc: str = ""
    tables: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()


def remember(seen: Snapshot) -> Before:
    """Return what is there, as far as a breakage may leave some of it behind."""
    vpc = network_check.choose(seen.vpcs).vpc
    names = tuple(each.name for each in seen.clusters)
    if vpc is None:
        return Before(clusters=names)
    return Before(
        vpc=vpc.id,
        tables=tuple(table.id for table in vpc.route_tables if table.subnets),
        gateways=tuple(gateway.id for gateway in vpc.internet_gateways),
        clusters=names,
    )


def find_left(aws: Aws, seen: Snapshot, before: Before) -> tuple[Left, ...]:
    """Return what a breakage has left behind in a workshop whose checks pass.

    Raises:
        HandsonError: AWS did not answer.
    """
    vpc = network_check.choose(seen.vpcs).vpc
    former = [each for each in seen.vpcs if each.id == before.vpc]
    if former and (vpc is None or vpc.id != before.vpc):
        return (_vpc(former[0]),)
    inside = _tables(vpc, before) if vpc else ()
    return (*inside, *_gateways(aws, before), *_clusters(seen, before))


def _vpc(former: Vpc) -> Left:
    problem = messages.text(
        "practice.troubleshooting.left-vpc", id=former.id, name=former.name or "-"
    )
    return problem, causes.type_then_run(causes.CLEANUP, syllabus.check("network").notebook)


def _tables(vpc: Vpc, before: Before) -> Iterator[Left]:
    for table in vpc.route_tables:
        if table.id in before.tables and not table.subnets and not table.main:
            problem = messages.text("practice.troubleshooting.left-table", id=table.id)
            yield problem, _delete("ec2", "DeleteRouteTable", RouteTableId=table.id)


def _gateways(aws: Aws, before: Before) -> Iterator[Left]:
    if not before.gateways:
        return
    for found in aws.pages("ec2", "DescribeInternetGateways", "InternetGateways"):
        gateway = str(found["InternetGatewayId"])
        if gateway in before.gateways and not found.get("Attachments"):
            problem = messages.text("practice.troubleshooting.left-gateway", id=gateway)
            yield problem, _delete("ec2", "DeleteInternetGateway", InternetGatewayId=gateway)


def _clusters(seen: Snapshot, before: Before) -> Iterator[Left]:
    known = {syllabus.CLUSTER.name, *before.clusters}
    for each in seen.clusters:
        if each.tagged and each.status != cluster.ABSENT and each.name not in known:
            problem = messages.text("practice.troubleshooting.left-cluster", name=each.name)
            yield problem, _delete("ecs", "DeleteCluster", cluster=each.name)


def _delete(service: str, operation: str, **parameters: str) -> str:
    return causes.type_in(causes.call(service, operation, **parameters))
