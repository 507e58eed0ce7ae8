"""The same system on premises: everything that AWS takes over, bought and run by oneself.

Drawn in the frame of the AWS picture and from the same state: each thing stands where its
counterpart stands, one server room for each zone, and what is not there on AWS is an outline here.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson.course.state import Snapshot
from handson.drawing import aws
from handson.drawing.plan import Group, Network, Part, Plan, Steps, Theme, Tier, Zone
from handson.drawing.seen import Seen
from handson.drawing.words import Words

THEME = Theme(
    outer="#3B4754",
    region="#5A6B7B",
    network="#3F5C8A",
    zone="#5A6B7B",
    public=("#4A5A6A", "#F1F4F7"),
    private=("#4A5A6A", "#F1F4F7"),
    group=("#2A5CC9", "#EDF3FE"),
    registry=("#2E7D32", "#EFF7EF"),
    computer=("#232F3E", "#F5F7FA"),
    image="#2E7D32",
)


def plan(snapshot: Snapshot, words: Words) -> Plan:
    """Return what to paint: the counterpart of each thing that the snapshot shows."""
    seen = Seen(snapshot)
    registry, network, group = _registry(seen, words), _network(seen, words), _group(seen, words)
    return Plan(
        title=words("onprem-title"),
        description=" ".join(_description(seen, words)),
        language=words.language,
        theme=THEME,
        computer=aws.computer(
            words,
            image=seen.short_name,
            login=Part(
                "aws.general.GenericSamlToken", (words("onprem-client"), words("onprem-account"))
            ),
        ),
        outer=Part("generic.place.Datacenter", (words("onprem-outer"),)),
        region=words("onprem-room"),
        login=Part("generic.network.VPN", (words("onprem-login"), words("onprem-login-detail"))),
        registry=registry,
        image=_image(seen, words),
        network=network,
        group=group,
        steps=_steps(words),
        legend=words("onprem-legend"),
    )


def _counterpart(icon: str, lines: tuple[str, ...], words: Words, *, made: bool) -> Part:
    """Return a part as it stands there, or an outline where AWS has nothing either."""
    return Part(icon, lines) if made else Part("", (lines[0], words("onprem-missing")), made=False)


def _registry(seen: Seen, words: Words) -> Part:
    lines = (words("onprem-registry"), words("onprem-run"), seen.repository_name)
    made = seen.repository is not None
    return _counterpart("onprem.registry.Harbor", lines, words, made=made)


def _image(seen: Seen, words: Words) -> Part:
    lines = (seen.short_name, words("onprem-backup"))
    made = seen.image is not None
    return _counterpart("aws.compute.EC2ContainerRegistryImage", lines, words, made=made)


def _network(seen: Seen, words: Words) -> Network:
    lines = (words("onprem-network"), seen.vpc.cidr if seen.vpc else "")
    part = _counterpart("generic.network.Switch", lines, words, made=seen.vpc is not None)
    gateway = (words("onprem-gateway"), words("onprem-gateway-detail")) if seen.gateway else ()
    return Network(
        part=part,
        gateway=Part("generic.network.Firewall", gateway, made=bool(gateway)),
        route=words("onprem-route"),
        zones=tuple(_rooms(seen, words)),
    )


def _rooms(seen: Seen, words: Words) -> Iterator[Zone]:
    """Yield a server room for each zone, with a segment of the network for each subnet."""
    for number, zone in enumerate(sorted({subnet.zone for subnet in seen.subnets})):
        held = sorted(each.cidr for each in seen.subnets if each.zone == zone)
        tiers = tuple(
            Tier(
                words("onprem-rack"),
                words("onprem-servers"),
                words("onprem-segment", cidr=cidr),
                public=True,
                reached=seen.gateway is not None,
            )
            for cidr in held
        )
        letter = chr(ord("A") + number)
        lines = (words("onprem-zone", letter=letter), words("onprem-zone-detail", zone=zone))
        yield Zone(lines, tiers)


def _group(seen: Seen, words: Words) -> Group:
    lines = (words("onprem-cluster"), words("onprem-cluster-detail"))
    part = _counterpart("k8s.infra.Master", lines, words, made=seen.cluster is not None)
    return Group(part, (words("onprem-slot"), words("onprem-slot-detail")), "onprem.compute.Server")


def _description(seen: Seen, words: Words) -> Iterator[str]:
    yield words("onprem-description")
    rooms = len({subnet.zone for subnet in seen.subnets})
    if rooms:
        yield words("said-rooms", rooms=rooms)
    missing = {
        "onprem-network": seen.vpc,
        "onprem-cluster": seen.cluster,
        "onprem-registry": seen.repository,
    }
    names = [words(name) for name, there in missing.items() if there is None]
    if names:
        yield words("said-outlines", names=words.join(names))


def _steps(words: Words) -> Steps:
    return Steps(
        internet=words("onprem-step-internet"),
        login=(words("onprem-step-login"),),
        token=(words("onprem-step-token"), "docker login"),
        push=(words("onprem-step-push"), "docker push"),
        pull=(words("onprem-step-pull"),),
    )
