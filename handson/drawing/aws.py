"""The plan of the architecture on AWS, from one look at the target and a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handson.core.messages import label, text
from handson.course.checks import vpcs
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, Subnet, Vpc
from handson.drawing.compare import (
    CLUSTER,
    GATEWAY,
    IMAGE,
    NETWORK,
    REPOSITORY,
    SERVICES,
    Comparison,
    Subject,
)
from handson.drawing.parts import (
    GONE,
    Computer,
    Group,
    Network,
    Part,
    Plan,
    Steps,
    Theme,
    Tier,
    Zone,
)
from handson.drawing.scene import clean

THEME = Theme(
    outer="#232F3E",
    region="#007C7E",
    network="#7A3DE8",
    zone="#007C7E",
    public=("#4F7A00", "#F2F7E6"),
    private=("#0B6FB8", "#E8F3FB"),
    group=("#B85400", "#FFF4E8"),
    registry=("#B85400", "#FFF4E8"),
    image="#ED7100",
)
IMAGE_ICON = "aws.compute.EC2ContainerRegistryImage"
_MOST_OTHERS = 3

Lines = tuple[str, ...] | None
"""The words at a part; None where it does not exist."""


def plan_aws(snapshot: Snapshot, exercise: Exercise, comparison: Comparison) -> Plan:
    """Return what to paint for a snapshot; a missing part becomes a dashed outline."""
    planner = _Planner(Subject(snapshot, exercise), exercise, comparison)
    subject = planner.subject
    login = Part("aws.devtools.CommandLineInterface", (text("drawing.cli"), "get-login-password"))
    return Plan(
        title=planner.title(),
        description=clean(" ".join(planner.describe())),
        theme=THEME,
        computer=plan_computer(subject.short_name, login),
        outer=Part("", (text("drawing.aws-cloud"),)),
        region=text("drawing.region", region=subject.region),
        login=Part("aws.security.IAM", (text("drawing.login-part"), text("drawing.login-detail"))),
        registry=planner.plan_registry(),
        image=planner.plan_image(),
        network=planner.plan_network(),
        group=planner.plan_group(),
        steps=Steps(
            internet=text("drawing.step-internet"),
            login=(text("drawing.step-login"),),
            token=(text("drawing.step-token"), "docker login"),
            push=(text("drawing.step-push"), "docker push"),
            pull=(text("drawing.step-pull"), text("drawing.step-pull-when")),
        ),
        legend=text("drawing.legend"),
        others=_list_others(subject),
        reasons=planner.reasons(),
        kinds=comparison.kinds,
    )


def plan_computer(image: str, login: Part) -> Computer:
    """Return the learner's computer with the image it built and what it signs in with."""
    return Computer(
        browser=Part("onprem.client.Client", (text("drawing.browser"),)),
        login=login,
        image=Part(IMAGE_ICON, (image, text("drawing.built"))),
    )


class _Planner:
    """Plans the parts of a subject, marked by a comparison."""

    def __init__(self, subject: Subject, exercise: Exercise, comparison: Comparison) -> None:
        self.subject = subject
        self.exercise = exercise
        self.comparison = comparison

    def title(self) -> str:
        """Return the title, which names the comparison."""
        if self.comparison.kind == "since":
            return text("drawing.aws-title-since")
        goal = self.comparison.kind == "goal"
        return text("drawing.aws-title-goal") if goal else text("drawing.aws-title")

    def plan_registry(self) -> Part:
        """Return the registry."""
        return self._plan_part(
            REPOSITORY, "aws.compute.ECR", _repository_lines, text("drawing.registry")
        )

    def plan_image(self) -> Part:
        """Return the image in the registry."""
        return self._plan_part(IMAGE, IMAGE_ICON, _image_lines, text("drawing.image"))

    def plan_network(self) -> Network:
        """Return the network with its gateway, route and zones."""
        missing = text("drawing.vpc-missing")
        part = self._plan_part(NETWORK, "aws.network.VPC", _vpc_lines, missing)
        nothing = Part("", (), made=False)
        if self.subject.vpc is None:
            return Network(part, nothing)
        gateway = self._plan_part(GATEWAY, "aws.network.InternetGateway", _gateway_lines, "")
        if not gateway.made and not gateway.mark:
            gateway = nothing
        zones = tuple(self._plan_zones(self.subject.vpc))
        return Network(part, gateway, text("drawing.route"), zones)

    def plan_group(self) -> Group:
        """Return the cluster."""
        cluster = self.subject.cluster
        providers = cluster.capacity_providers if cluster else ("FARGATE",)
        fargate = any(each.startswith("FARGATE") for each in providers)
        icon = "aws.compute.Fargate" if fargate else "aws.compute.ECS"
        part = self._plan_part(CLUSTER, icon, _cluster_lines, text("drawing.cluster-missing"))
        return Group(part, (text("drawing.slot"), text("drawing.slot-when")))

    def _plan_part(
        self, name: str, icon: str, write: Callable[[Subject], Lines], missing: str
    ) -> Part:
        """Return a part as it is, or the outline of what it was or ought to be."""
        mark = self.comparison.marks.get(name)
        lines = write(self.subject)
        if lines:
            return Part(icon, lines, mark=mark)
        other = self.comparison.other
        ghost = write(other) if mark and other else None
        gone = mark is not None and mark.kind == GONE
        if SERVICES[name] in self.subject.unseen:
            # Nothing is known about it: neither that it exists nor that it is missing.
            return Part("", (missing, text("drawing.unseen")), made=False)
        state = text("drawing.gone") if gone else text("drawing.missing")
        return Part("", (*(ghost or (missing,)), state), made=False, mark=mark)

    def _plan_zones(self, vpc: Vpc) -> Iterator[Zone]:
        """Yield the zones by name, in each its public subnets first."""
        lost, public = self.comparison.lost_subnets, self._list_public(vpc)
        everything = [*vpc.subnets, *lost]
        for zone in sorted({subnet.zone for subnet in everything}):
            held = [subnet for subnet in everything if subnet.zone == zone]
            held.sort(key=lambda each: (each.id not in public, each.name, each.id))
            tiers = tuple(
                self._plan_tier(vpc, subnet, public=subnet.id in public, made=subnet not in lost)
                for subnet in held
            )
            yield Zone((text("drawing.zone"), zone), tiers)

    def _list_public(self, vpc: Vpc) -> set[str]:
        """Return the public subnets; beside the goal, those that are meant to be public."""
        lost, other = self.comparison.lost_subnets, self.comparison.other
        if self.comparison.kind == "goal":
            return {subnet.id for subnet in (*vpcs.find_public_subnets(vpc, self.exercise), *lost)}
        was_public = other.vpc.is_public if other and other.vpc else vpc.is_public
        public = {subnet.id for subnet in lost if was_public(subnet)}
        return public | {subnet.id for subnet in vpc.subnets if vpc.is_public(subnet)}

    def _plan_tier(self, vpc: Vpc, subnet: Subnet, *, public: bool, made: bool) -> Tier:
        mark = self.comparison.marks.get(subnet.id)
        if made:
            name = subnet.name or subnet.id
        else:
            gone = mark is not None and mark.kind == GONE
            name = subnet.name if gone else text("drawing.missing")
        reached = made and vpcs.describe_way_out(vpc, subnet) == vpcs.TO_GATEWAY
        return Tier(_name_kind(public), name, subnet.cidr, public, reached, made, mark)

    def reasons(self) -> tuple[str, ...]:
        """Return why parts are marked; where nothing is, one sentence that says so."""
        if self.comparison.marks or not self.comparison.kind or self.subject.unseen:
            return self.comparison.reasons
        goal = self.comparison.kind == "goal"
        return (text("drawing.nothing-goal") if goal else text("drawing.nothing-since"),)

    def describe(self) -> Iterator[str]:
        """Yield the picture in sentences, then what is marked on it."""
        subject = self.subject
        yield text("drawing.said-region", region=subject.region)
        unseen = [name for part, name in _PART_NAMES.items() if SERVICES[part] in subject.unseen]
        if unseen:
            yield text("drawing.said-unseen", names=text("drawing.comma").join(map(text, unseen)))
        yield from self._describe_network()
        cluster = subject.cluster
        if cluster is not None:
            yield text("drawing.said-cluster", name=cluster.name, status=cluster.status)
        elif "ecs" not in subject.unseen:
            yield text("drawing.said-no-cluster")
        if subject.repository is None and "ecr" in subject.unseen:
            pass
        elif subject.repository is None:
            yield text("drawing.said-no-repository")
        elif subject.image is None:
            yield text("drawing.said-no-image", repository=subject.repository.name)
        else:
            yield text("drawing.said-image", image=f"{subject.repository_name}:{subject.tag}")
        for kind in self.comparison.kinds:
            marked = [part for part, mark in self.comparison.marks.items() if mark.kind == kind]
            names = dict.fromkeys(map(self._name_part, marked))
            yield label("drawing.said-marked", kind, names=text("drawing.comma").join(names))
        yield from self.reasons()

    def _describe_network(self) -> Iterator[str]:
        vpc = self.subject.vpc
        if vpc is None:
            if "ec2" not in self.subject.unseen:
                yield text("drawing.said-no-vpc")
            return
        yield text("drawing.said-vpc", name=vpc.name or vpc.id, cidr=_list_cidrs(vpc))
        public = self._list_public(vpc)
        for subnet in sorted(vpc.subnets, key=lambda each: (each.zone, each.name, each.id)):
            yield text(
                "drawing.said-subnet",
                zone=subnet.zone,
                kind=_name_kind(subnet.id in public),
                name=subnet.name or subnet.id,
                cidr=subnet.cidr,
            )

    def _name_part(self, part: str) -> str:
        """Return what people call a part: a kind of resource, or a subnet by its name."""
        if part in _PART_NAMES:
            return text(_PART_NAMES[part])
        earlier = self.comparison.other.subnets if self.comparison.other else ()
        names = {each.id: each.name for each in (*earlier, *self.subject.subnets)}
        return names.get(part) or text("drawing.public-subnet")


_PART_NAMES = {
    NETWORK: "drawing.vpc-missing",
    GATEWAY: "drawing.gateway",
    CLUSTER: "drawing.cluster-missing",
    REPOSITORY: "drawing.registry",
    IMAGE: "drawing.image",
}


def _name_kind(public: bool) -> str:
    return text("drawing.public-subnet") if public else text("drawing.private-subnet")


def _repository_lines(subject: Subject) -> Lines:
    if subject.repository is None:
        return None
    return text("drawing.registry"), text("drawing.private"), subject.repository.name


def _image_lines(subject: Subject) -> Lines:
    if subject.image is None:
        return None
    platforms = sorted({f"{each.os}/{each.architecture}" for each in subject.image.platforms})
    return subject.short_name, *platforms[:2]


def _vpc_lines(subject: Subject) -> Lines:
    vpc = subject.vpc
    return (text("drawing.vpc", name=vpc.name or vpc.id), _list_cidrs(vpc)) if vpc else None


def _gateway_lines(subject: Subject) -> Lines:
    gateway = subject.gateway
    return (text("drawing.gateway"), gateway.name or gateway.id) if gateway else None


def _cluster_lines(subject: Subject) -> Lines:
    cluster = subject.cluster
    if cluster is None:
        return None
    detail = [cluster.status, *cluster.capacity_providers]
    if cluster.container_instances:
        detail.append(text("drawing.instances", count=cluster.container_instances))
    if cluster.running_tasks:
        detail.append(text("drawing.tasks", count=cluster.running_tasks))
    return text("drawing.cluster", name=cluster.name), " · ".join(detail)


def _list_cidrs(vpc: Vpc) -> str:
    return "  ".join(vpc.cidrs or (vpc.cidr,))


def _list_others(subject: Subject) -> str:
    """Name what else exists on the target, a few of each kind."""
    networks, clusters, repositories = subject.rest
    most = _MOST_OTHERS
    named = [
        *(text("drawing.other-vpc", name=e.name or e.id, cidr=e.cidr) for e in networks[:most]),
        *(text("drawing.other-cluster", name=each.name) for each in clusters[:most]),
        *(text("drawing.other-repository", name=each.name) for each in repositories[:most]),
    ]
    return text("drawing.others", names=text("drawing.comma").join(named)) if named else ""
