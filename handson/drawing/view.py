"""The parts of the picture of AWS, from what was seen and what a comparison says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handson.course.checks import vpcs
from handson.course.state import Subnet, Vpc
from handson.drawing.compare import CLUSTER, GATEWAY, IMAGE, NETWORK, REPOSITORY, Remarks
from handson.drawing.plan import GONE, Group, Network, Part, Tier, Zone
from handson.drawing.seen import Seen
from handson.drawing.words import Words

Lines = tuple[str, ...] | None
"""What is written at a part; None where it is not there."""

_NAMES = {
    NETWORK: "vpc-missing",
    GATEWAY: "gateway",
    CLUSTER: "cluster-missing",
    REPOSITORY: "registry",
    IMAGE: "image",
}


class View:
    """Answers each part of a plan, in words."""

    def __init__(self, seen: Seen, words: Words, remarks: Remarks) -> None:
        self.seen = seen
        self.words = words
        self.remarks = remarks

    def registry(self) -> Part:
        """Return the registry."""
        name = self.words("registry")
        return self._part(REPOSITORY, "aws.compute.ECR", self._repository_lines, name)

    def image(self) -> Part:
        """Return the image in it."""
        return self._part(
            IMAGE, "aws.compute.EC2ContainerRegistryImage", _image_lines, self.words("image")
        )

    def network(self) -> Network:
        """Return the network with its gateway, route and zones."""
        part = self._part(NETWORK, "aws.network.VPC", self._vpc_lines, self.words("vpc-missing"))
        if self.seen.vpc is None:
            return Network(part, Part("", (), made=False), "", ())
        gateway = self._part(GATEWAY, "aws.network.InternetGateway", self._gateway_lines, "")
        if not gateway.made and not gateway.mark:
            gateway = Part("", (), made=False)
        return Network(part, gateway, self.words("route"), tuple(self._zones(self.seen.vpc)))

    def group(self) -> Group:
        """Return the cluster."""
        name = self.words("cluster-missing")
        providers = self.seen.cluster.capacity_providers if self.seen.cluster else ("FARGATE",)
        fargate = any(each.startswith("FARGATE") for each in providers)
        icon = "aws.compute.Fargate" if fargate else "aws.compute.ECS"
        part = self._part(CLUSTER, icon, self._cluster_lines, name)
        return Group(part, (self.words("slot"), self.words("slot-when")))

    def _part(self, name: str, icon: str, lines: Callable[[Seen], Lines], missing: str) -> Part:
        """Return a part as it is, or the outline of what it was or ought to be."""
        mark = self.remarks.mark(name)
        there = lines(self.seen)
        if there:
            return Part(icon, there, mark=mark)
        ghost = self.remarks.ghosts and lines(self.remarks.ghosts)
        gone = mark is not None and mark.kind == GONE
        said = self.words("gone" if gone else "missing")
        return Part("", (*((ghost if mark else None) or (missing,)), said), made=False, mark=mark)

    def _repository_lines(self, seen: Seen) -> Lines:
        if seen.repository is None:
            return None
        return self.words("registry"), self.words("private"), seen.repository.name

    def _vpc_lines(self, seen: Seen) -> Lines:
        vpc = seen.vpc
        return (self.words("vpc", name=vpc.name or vpc.id), _cidrs(vpc)) if vpc else None

    def _gateway_lines(self, seen: Seen) -> Lines:
        gateway = seen.gateway
        return (self.words("gateway"), gateway.name or gateway.id) if gateway else None

    def _cluster_lines(self, seen: Seen) -> Lines:
        cluster = seen.cluster
        if cluster is None:
            return None
        detail = [cluster.status, *cluster.capacity_providers]
        if cluster.container_instances:
            detail.append(self.words("instances", count=cluster.container_instances))
        if cluster.running_tasks:
            detail.append(self.words("tasks", count=cluster.running_tasks))
        return self.words("cluster", name=cluster.name), " · ".join(detail)

    def _zones(self, vpc: Vpc) -> Iterator[Zone]:
        """Yield the zones by name, in each its public subnets first."""
        lost = self.remarks.subnets
        public = self._public(vpc)
        everything = [*vpc.subnets, *lost]
        for zone in sorted({subnet.zone for subnet in everything}):
            held = [subnet for subnet in everything if subnet.zone == zone]
            held.sort(key=lambda each: (each.id not in public, each.name, each.id))
            tiers = tuple(
                self._tier(vpc, subnet, public=subnet.id in public, made=subnet not in lost)
                for subnet in held
            )
            yield Zone((self.words("zone"), zone), tiers)

    def _public(self, vpc: Vpc) -> set[str]:
        """Return the subnets that are public; beside the goal, those that are meant to be."""
        if self.remarks.kind == "goal":
            meant = {subnet.id for subnet in vpcs.public_subnets(vpc)}
            return meant | {subnet.id for subnet in self.remarks.subnets}
        ghosts = self.remarks.ghosts
        was = ghosts.vpc.is_public if ghosts and ghosts.vpc else vpc.is_public
        lost = {subnet.id for subnet in self.remarks.subnets if was(subnet)}
        return lost | {subnet.id for subnet in vpc.subnets if vpc.is_public(subnet)}

    def _tier(self, vpc: Vpc, subnet: Subnet, *, public: bool, made: bool) -> Tier:
        kind = self.words("public-subnet") if public else self.words("private-subnet")
        mark = self.remarks.mark(subnet.id)
        if made:
            name = subnet.name or subnet.id
        else:
            gone = mark is not None and mark.kind == GONE
            name = subnet.name if gone else self.words("missing")
        reached = made and vpcs.way_out(vpc, subnet) == vpcs.TO_GATEWAY
        return Tier(kind, name, subnet.cidr, public, reached, made, mark)

    def reasons(self) -> tuple[str, ...]:
        """Return why parts are marked; where nothing is, one sentence that says so."""
        if self.remarks.kind and not self.remarks.marks:
            return (self.words(f"nothing-{self.remarks.kind}"),)
        return self.remarks.reasons

    def others(self) -> str:
        """Name what else there is, a few of each kind."""
        words, (networks, clusters, repositories) = self.words, self.seen.rest
        named = [
            *(words("other-vpc", name=vpc.name or vpc.id, cidr=vpc.cidr) for vpc in networks[:3]),
            *(words("other-cluster", name=cluster.name) for cluster in clusters[:3]),
            *(words("other-repository", name=repository.name) for repository in repositories[:3]),
        ]
        return words("others", names=words.join(named)) if named else ""

    def description(self) -> Iterator[str]:
        """Yield the picture in sentences, then what is marked on it."""
        seen, words = self.seen, self.words
        yield words("said-region", region=seen.region)
        yield from self._said_network()
        if seen.cluster is None:
            yield words("said-no-cluster")
        else:
            yield words("said-cluster", name=seen.cluster.name, status=seen.cluster.status)
        if seen.repository is None:
            yield words("said-no-repository")
        elif seen.image is None:
            yield words("said-no-image", repository=seen.repository.name)
        else:
            yield words("said-image", image=f"{seen.repository_name}:{seen.tag}")
        yield from self._said_marks()
        yield from self.reasons()

    def _said_network(self) -> Iterator[str]:
        vpc, words = self.seen.vpc, self.words
        if vpc is None:
            yield words("said-no-vpc")
            return
        yield words("said-vpc", name=vpc.name or vpc.id, cidr=_cidrs(vpc))
        public = self._public(vpc)
        for subnet in sorted(vpc.subnets, key=lambda each: (each.zone, each.name, each.id)):
            kind = words("public-subnet") if subnet.id in public else words("private-subnet")
            name = subnet.name or subnet.id
            yield words("said-subnet", zone=subnet.zone, kind=kind, name=name, cidr=subnet.cidr)

    def _said_marks(self) -> Iterator[str]:
        """Yield for each kind of mark the parts that bear it."""
        for kind in self.remarks.kinds():
            marked = [part for part, mark in self.remarks.marks.items() if mark.kind == kind]
            names = list(dict.fromkeys(map(self._name, marked)))
            yield self.words(f"said-{kind}", names=self.words.join(names))

    def _name(self, part: str) -> str:
        """Return what people call a part: a kind of thing, or a subnet by its name."""
        if part in _NAMES:
            return self.words(_NAMES[part])
        ghosts = self.remarks.ghosts.subnets if self.remarks.ghosts else ()
        names = {each.id: each.name for each in (*ghosts, *self.seen.subnets)}
        return names.get(part) or self.words("public-subnet")


def _image_lines(seen: Seen) -> Lines:
    if seen.image is None:
        return None
    platforms = sorted({f"{each.os}/{each.architecture}" for each in seen.image.platforms})
    return seen.short_name, *platforms[:2]


def _cidrs(vpc: Vpc) -> str:
    return "  ".join(vpc.cidrs or (vpc.cidr,))
