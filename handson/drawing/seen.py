"""What a snapshot shows of the workshop: of each kind the one the checks judge, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from handson.course import syllabus
from handson.course.checks import cluster, network, registries, vpcs
from handson.course.state import Cluster, Image, InternetGateway, Repository, Snapshot, Subnet, Vpc

T = TypeVar("T", Vpc, Cluster, Repository)

_LONGEST = 30


class Seen:
    """The VPC, cluster, repository and image to draw; None where there is none of the kind.

    They are those that the checks judge.  Where a check finds none, one that carries the workshop's
    tag, or else any other, is shown in its place.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        own = [vpc for vpc in snapshot.vpcs if not vpc.is_default or vpc.tagged]
        living = [each for each in snapshot.clusters if each.status != "INACTIVE"]
        named = [each for each in snapshot.repositories if each.name == syllabus.REPOSITORY.name]
        self.vpc, other_vpcs = _parted(own, network.choose(snapshot.vpcs).vpc)
        self.cluster, other_clusters = _parted(living, cluster.find(snapshot))
        self.repository, others = _parted(snapshot.repositories, next(iter(named), None))
        self.rest = other_vpcs, other_clusters, others
        self.region = snapshot.target.region
        self.repository_name = self.repository.name if self.repository else syllabus.REPOSITORY.name
        self.image = _image(snapshot.images, self.repository_name)
        self.tag = _shown_tag(self.image) if self.image else syllabus.PUSH_TAG

    @property
    def short_name(self) -> str:
        """The image's name and tag, or the tag alone where a long name would hide it."""
        name = f"{self.repository_name}:{self.tag}"
        return name if len(name) <= _LONGEST else f":{self.tag}"

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """The subnets of the VPC."""
        return self.vpc.subnets if self.vpc else ()

    @property
    def gateway(self) -> InternetGateway | None:
        """The internet gateway that is attached to the VPC."""
        gateways = self.vpc.internet_gateways if self.vpc else ()
        attached = (each for each in gateways if each.attachment in vpcs.ATTACHED)
        return next(attached, None)


def _parted(found: Sequence[T], judged: T | None) -> tuple[T | None, list[T]]:
    """Return what is shown of a kind and what is left, tagged ones first."""
    rest = sorted(found, key=lambda each: not each.tagged)
    shown = judged if judged is not None else next(iter(rest), None)
    return shown, [each for each in rest if each is not shown]


def _image(images: tuple[Image, ...], repository: str) -> Image | None:
    """Return the image that `latest` leads to, else the one that was pushed last."""
    held = [image for image in images if image.repository == repository and image.tags]
    return registries.tagged(held, syllabus.PUSH_TAG) or registries.newest(held)


def _shown_tag(image: Image) -> str:
    # One tag, and `latest` before the unique ones: those change with every build, and with them
    # the picture in a notebook would.
    return syllabus.PUSH_TAG if syllabus.PUSH_TAG in image.tags else min(image.tags)
