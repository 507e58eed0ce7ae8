"""The plan of the same system on premises: what AWS takes over, bought and run by oneself.

It has the parts of the AWS picture, from the same state: each thing stands in the place of its
counterpart, one server room for each zone, and what AWS lacks is an outline here.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson.core.messages import text
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing.aws import IMAGE_ICON, plan_computer
from handson.drawing.compare import Subject
from handson.drawing.parts import Group, Network, Part, Plan, Steps, Theme, Tier, Zone

THEME = Theme(
    outer="#3B4754",
    region="#5A6B7B",
    network="#3F5C8A",
    zone="#5A6B7B",
    public=("#4A5A6A", "#F1F4F7"),
    private=("#4A5A6A", "#F1F4F7"),
    group=("#2A5CC9", "#EDF3FE"),
    registry=("#2E7D32", "#EFF7EF"),
    image="#2E7D32",
)


def plan_onprem(snapshot: Snapshot, exercise: Exercise) -> Plan:
    """Return what to paint: the counterpart of each resource in the snapshot."""
    subject = Subject(snapshot, exercise)
    login = Part(
        "aws.general.GenericSamlToken",
        (text("drawing.onprem-client"), text("drawing.onprem-account")),
    )
    return Plan(
        title=text("drawing.onprem-title"),
        description=" ".join(_describe(subject)),
        theme=THEME,
        computer=plan_computer(subject.short_name, login),
        outer=Part("generic.place.Datacenter", (text("drawing.onprem-outer"),)),
        region=text("drawing.onprem-room"),
        login=Part(
            "generic.network.VPN",
            (text("drawing.onprem-login"), text("drawing.onprem-login-detail")),
        ),
        registry=_plan_counterpart(
            "onprem.registry.Harbor",
            text("drawing.onprem-registry"),
            text("drawing.onprem-run"),
            subject.repository_name,
            made=subject.repository is not None,
        ),
        image=_plan_counterpart(
            IMAGE_ICON,
            subject.short_name,
            text("drawing.onprem-backup"),
            made=subject.image is not None,
        ),
        network=_plan_network(subject),
        group=Group(
            _plan_counterpart(
                "k8s.infra.Master",
                text("drawing.onprem-cluster"),
                text("drawing.onprem-cluster-detail"),
                made=subject.cluster is not None,
            ),
            (text("drawing.onprem-slot"), text("drawing.onprem-slot-detail")),
            "onprem.compute.Server",
        ),
        steps=Steps(
            internet=text("drawing.onprem-step-internet"),
            login=(text("drawing.onprem-step-login"),),
            token=(text("drawing.onprem-step-token"), "docker login"),
            push=(text("drawing.onprem-step-push"), "docker push"),
            pull=(text("drawing.onprem-step-pull"),),
        ),
        legend=text("drawing.onprem-legend"),
    )


def _plan_counterpart(icon: str, name: str, *rest: str, made: bool) -> Part:
    """Return a part, or an outline where AWS has no such thing either."""
    return Part(icon, (name, *rest)) if made else _plan_outline(name)


def _plan_outline(name: str) -> Part:
    return Part("", (name, text("drawing.onprem-missing")), made=False)


def _plan_network(subject: Subject) -> Network:
    name, firewall = text("drawing.onprem-network"), "generic.network.Firewall"
    if subject.vpc is None:
        return Network(_plan_outline(name), Part(firewall, (), made=False))
    lines = (text("drawing.onprem-gateway"), text("drawing.onprem-gateway-detail"))
    return Network(
        part=Part("generic.network.Switch", (name, subject.vpc.cidr)),
        gateway=Part(firewall, lines) if subject.gateway else Part(firewall, (), made=False),
        route=text("drawing.onprem-route"),
        zones=tuple(_plan_rooms(subject)),
    )


def _plan_rooms(subject: Subject) -> Iterator[Zone]:
    """Yield a server room for each zone, with a segment of the network for each subnet."""
    for number, zone in enumerate(sorted({subnet.zone for subnet in subject.subnets})):
        tiers = tuple(
            Tier(
                text("drawing.onprem-rack"),
                text("drawing.onprem-servers"),
                text("drawing.onprem-segment", cidr=cidr),
                public=True,
                reached=subject.gateway is not None,
            )
            for cidr in sorted(each.cidr for each in subject.subnets if each.zone == zone)
        )
        letter = chr(ord("A") + number)
        name = text("drawing.onprem-zone", letter=letter)
        yield Zone((name, text("drawing.onprem-zone-detail", zone=zone)), tiers)


def _describe(subject: Subject) -> Iterator[str]:
    yield text("drawing.onprem-description")
    rooms = len({subnet.zone for subnet in subject.subnets})
    if rooms:
        yield text("drawing.said-rooms", rooms=rooms)
    missing = [
        *([text("drawing.onprem-network")] if subject.vpc is None else []),
        *([text("drawing.onprem-cluster")] if subject.cluster is None else []),
        *([text("drawing.onprem-registry")] if subject.repository is None else []),
    ]
    if missing:
        yield text("drawing.said-outlines", names=text("drawing.comma").join(missing))
