"""The same job on premises: everything that AWS takes over, bought and run by oneself.

Drawn in the frame of the AWS picture, so that each thing stands where its counterpart stands.
"""

from __future__ import annotations

from handson import syllabus
from handson.drawing import aws
from handson.drawing.plan import Group, Network, Part, Plan, Steps, Theme, Tier, Zone
from handson.drawing.words import Words
from handson.state import Snapshot

THEME = Theme(
    outer="#3B4754",
    region="#5A6B7B",
    network="#3F5C8A",
    zone="#5A6B7B",
    public=("#4A5A6A", "#F1F4F7"),
    private=("#4A5A6A", "#F1F4F7"),
    group=("#326CE5", "#EDF3FE"),
    registry=("#2E7D32", "#EFF7EF"),
    computer=("#232F3E", "#F5F7FA"),
    image="#60B932",
)


def plan(snapshot: Snapshot, words: Words) -> Plan:
    """Return what to paint; nothing of it depends on what is there on AWS."""
    image = f"{syllabus.REPOSITORY.name}:{syllabus.PUSH_TAG}"
    return Plan(
        title=words("onprem-title"),
        description=words("onprem-description"),
        language=words.language,
        theme=THEME,
        computer=aws.computer(
            words,
            image=image,
            login=Part(
                "aws.general.GenericSamlToken", (words("onprem-client"), words("onprem-account"))
            ),
        ),
        outer=Part("generic.place.Datacenter", (words("onprem-outer"),)),
        region=words("onprem-room"),
        login=Part("generic.network.VPN", (words("onprem-login"), words("onprem-login-detail"))),
        registry=Part("onprem.registry.Harbor", (words("onprem-registry"), words("onprem-run"))),
        image=Part("aws.compute.EC2ContainerRegistryImage", (image, words("onprem-backup"))),
        network=_network(words),
        group=_group(words),
        steps=_steps(words),
        legend=words("onprem-legend"),
    )


def _network(words: Words) -> Network:
    zones = tuple(
        Zone(
            words("onprem-zone", letter=letter),
            (Tier(words("onprem-rack"), words("onprem-servers"), "", reached=True),),
        )
        for letter in "AB"
    )
    return Network(
        part=Part("generic.network.Switch", (words("onprem-network"), syllabus.NETWORK.cidr)),
        gateway=Part(
            "generic.network.Firewall", (words("onprem-gateway"), words("onprem-gateway-detail"))
        ),
        route=words("onprem-route"),
        zones=zones,
    )


def _group(words: Words) -> Group:
    part = Part("k8s.infra.Master", (words("onprem-cluster"), words("onprem-cluster-detail")))
    return Group(part, (words("onprem-slot"), words("onprem-slot-detail")), "onprem.compute.Server")


def _steps(words: Words) -> Steps:
    return Steps(
        internet=words("onprem-step-internet"),
        login=(words("onprem-step-login"),),
        token=(words("onprem-step-token"), "docker login"),
        push=(words("onprem-step-push"), "docker push"),
        pull=(words("onprem-step-pull"),),
    )
