"""The breakages, in the order in which seeds choose them: seeds in a row give each of them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handson.core import messages
from handson.practice.troubleshooting import containers, network
from handson.practice.troubleshooting.ours import Change, Ours


@dataclass(frozen=True)
class Breakage:
    """One thing that goes wrong; `plan` says how, and changes nothing."""

    name: str
    plan: Callable[[Ours], Change]

    @property
    def symptom(self) -> str:
        """What somebody reports who suffers from it."""
        return messages.text(f"practice.troubleshooting.symptom.{self.name}")

    @property
    def where(self) -> str:
        """Where to look."""
        return messages.text(f"practice.troubleshooting.where.{self.name}")

    @property
    def what(self) -> str:
        """What is wrong, in general words."""
        return messages.text(f"practice.troubleshooting.what.{self.name}")


BREAKAGES: tuple[Breakage, ...] = (
    Breakage("image-platform", containers.image_platform),
    Breakage("route-missing", network.route_missing),
    Breakage("cluster-without-fargate", containers.without_fargate),
    Breakage("gateway-detached", network.gateway_detached),
    Breakage("uri-region", containers.uri_region),
    Breakage("vpc-renamed", network.vpc_renamed),
    Breakage("tag-moved", containers.tag_moved),
    Breakage("subnet-deleted", network.subnet_deleted),
    Breakage("cluster-misspelt", containers.cluster_misspelt),
    Breakage("table-left", network.table_left),
    Breakage("tag-deleted", containers.tag_deleted),
    Breakage("dns-off", network.dns_off),
    Breakage("one-zone", network.one_zone),
    Breakage("gateway-exchanged", network.gateway_exchanged),
)


def chosen_by(seed: int) -> Breakage:
    """Return the breakage that a seed chooses, the same one for everybody."""
    return BREAKAGES[seed % len(BREAKAGES)]


def named(name: str) -> Breakage | None:
    """Return the breakage of that name, or None."""
    return next((breakage for breakage in BREAKAGES if breakage.name == name), None)
