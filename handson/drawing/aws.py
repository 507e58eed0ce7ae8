"""The architecture on AWS, as one look at the target saw it."""

from __future__ import annotations

from handson import syllabus
from handson.drawing.plan import (
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
from handson.drawing.text import clean
from handson.drawing.words import Words
from handson.state import Cluster, Image, Repository, Snapshot, Subnet, Vpc

THEME = Theme(
    outer="#232F3E",
    region="#007C7E",
    network="#7A3DE8",
    zone="#007C7E",
    public=("#4F7A00", "#F2F7E6"),
    private=("#0B6FB8", "#E8F3FB"),
    group=("#B85400", "#FFF4E8"),
    registry=("#B85400", "#FFF4E8"),
    computer=("#232F3E", "#F5F7FA"),
    image="#ED7100",
)


def plan(snapshot: Snapshot, words: Words) -> Plan:
    """Return what to paint for a snapshot; what it lacks becomes a dashed outline."""
    seen = _Seen(snapshot)
    return Plan(
        title=words("aws-title"),
        description=_description(seen, words),
        language=words.language,
        theme=THEME,
        computer=computer(
            words,
            image=seen.short_name,
            login=Part("aws.devtools.CommandLineInterface", (words("cli"), words("credentials"))),
        ),
        outer=Part("", (words("aws-cloud"),)),
        region=words("region", region=snapshot.target.region),
        login=Part("aws.security.IAM", (words("login-part"), words("login-detail"))),
        registry=_registry(seen, words),
        image=_image(seen, words),
        network=_network(seen, words),
        group=_group(seen, words),
        steps=_steps(words),
        legend=words("legend"),
        others=_others(seen, words),
    )


def computer(words: Words, *, image: str, login: Part) -> Computer:
    """Return the learner's computer with the image it built and what it signs in with."""
    return Computer(
        name=words("computer"),
        browser=Part("onprem.client.Client", (words("browser"),)),
        login=login,
        docker=words("docker"),
        image=Part("aws.compute.EC2ContainerRegistryImage", (image, words("built"))),
    )


class _Seen:
    """What a snapshot shows of the workshop: of each kind the one it made, and the rest."""

    def __init__(self, snapshot: Snapshot) -> None:
        vpcs = sorted(
            (vpc for vpc in snapshot.vpcs if not vpc.is_default or vpc.tagged),
            key=lambda vpc: (not vpc.tagged, vpc.name != syllabus.NETWORK.vpc_name),
        )
        clusters = sorted(
            (cluster for cluster in snapshot.clusters if cluster.status != "INACTIVE"),
            key=lambda each: (not each.tagged, each.name != syllabus.CLUSTER.name),
        )
        repositories = sorted(
            snapshot.repositories,
            key=lambda each: (not each.tagged, each.name != syllabus.REPOSITORY.name),
        )
        self.vpc: Vpc | None = next(iter(vpcs), None)
        self.cluster: Cluster | None = next(iter(clusters), None)
        self.repository: Repository | None = next(iter(repositories), None)
        self.rest = vpcs[1:], clusters[1:], repositories[1:]
        self.region = snapshot.target.region
        self.repository_name = self.repository.name if self.repository else syllabus.REPOSITORY.name
        self.image = _shown_image(snapshot.images, self.repository_name)
        self.tag = _shown_tag(self.image) if self.image else syllabus.PUSH_TAG

    @property
    def short_name(self) -> str:
        """The image's name and tag, or the tag alone where a long name would hide it."""
        name = f"{self.repository_name}:{self.tag}"
        return name if len(name) <= 30 else f":{self.tag}"


def _shown_image(images: tuple[Image, ...], repository: str) -> Image | None:
    """Return the image that `latest` leads to, else the one that was pushed last."""
    held = [image for image in images if image.repository == repository and image.tags]
    held.sort(key=lambda image: (syllabus.PUSH_TAG in image.tags, image.pushed_at, image.digest))
    return held[-1] if held else None


def _shown_tag(image: Image) -> str:
    # One tag, and `latest` before the unique ones: those change with every build, and with them
    # the picture in a notebook would.
    return syllabus.PUSH_TAG if syllabus.PUSH_TAG in image.tags else min(image.tags)


def _registry(seen: _Seen, words: Words) -> Part:
    if seen.repository is None:
        return Part("", (words("registry"), words("missing")), made=False)
    return Part("aws.compute.ECR", (words("registry"), words("private", name=seen.repository.name)))


def _image(seen: _Seen, words: Words) -> Part:
    if seen.image is None:
        return Part("", (words("image"), words("missing")), made=False)
    platforms = sorted({f"{each.os}/{each.architecture}" for each in seen.image.platforms})
    return Part("aws.compute.EC2ContainerRegistryImage", (seen.short_name, *platforms[:2]))


def _network(seen: _Seen, words: Words) -> Network:
    vpc = seen.vpc
    if vpc is None:
        part = Part("", (words("vpc-missing"), words("missing")), made=False)
        return Network(part, Part("", (), made=False), "", ())
    gateways = [each for each in vpc.internet_gateways if each.attachment == "available"]
    lines = (words("gateway"), gateways[0].name or gateways[0].id) if gateways else ()
    return Network(
        part=Part("aws.network.VPC", (words("vpc", name=vpc.name or vpc.id), _cidrs(vpc))),
        gateway=Part("aws.network.InternetGateway", lines, made=bool(gateways)),
        route=words("route"),
        zones=tuple(_zone(vpc, zone, words) for zone in _zones(vpc)),
    )


def _cidrs(vpc: Vpc) -> str:
    return "  ".join(vpc.cidrs or (vpc.cidr,))


def _zones(vpc: Vpc) -> list[str]:
    return sorted({subnet.zone for subnet in vpc.subnets})


def _zone(vpc: Vpc, zone: str, words: Words) -> Zone:
    """Describe a zone, its public subnets first."""
    held = [subnet for subnet in vpc.subnets if subnet.zone == zone]
    held.sort(key=lambda subnet: (not vpc.is_public(subnet), subnet.name, subnet.id))
    tiers = tuple(_tier(subnet, words, public=vpc.is_public(subnet)) for subnet in held)
    return Zone(words("zone", zone=zone), tiers)


def _tier(subnet: Subnet, words: Words, *, public: bool) -> Tier:
    kind = words("public-subnet") if public else words("private-subnet")
    return Tier(kind, subnet.name or subnet.id, subnet.cidr, reached=public)


def _group(seen: _Seen, words: Words) -> Group:
    cluster = seen.cluster
    if cluster is None:
        part = Part("", (words("cluster-missing"), words("missing")), made=False)
        return Group(part, ())
    detail = [cluster.status, *cluster.capacity_providers]
    if cluster.container_instances:
        detail.append(words("instances", count=cluster.container_instances))
    if cluster.running_tasks:
        detail.append(words("tasks", count=cluster.running_tasks))
    fargate = any(name.startswith("FARGATE") for name in cluster.capacity_providers)
    icon = "aws.compute.Fargate" if fargate else "aws.compute.ECS"
    lines = (words("cluster", name=cluster.name), " · ".join(detail))
    return Group(Part(icon, lines), (words("slot"), words("slot-when")))


def _steps(words: Words) -> Steps:
    return Steps(
        internet=words("step-internet"),
        login=(words("step-login"), "aws ecr", "get-login-password"),
        token=(words("step-token"), "docker login"),
        push=(words("step-push"), "docker push"),
        pull=(words("step-pull"), words("step-pull-when")),
    )


def _others(seen: _Seen, words: Words) -> str:
    """Name what else there is, a few of each kind."""
    vpcs, clusters, repositories = seen.rest
    named = [
        *(words("other-vpc", name=vpc.name or vpc.id, cidr=vpc.cidr) for vpc in vpcs[:3]),
        *(words("other-cluster", name=cluster.name) for cluster in clusters[:3]),
        *(words("other-repository", name=repository.name) for repository in repositories[:3]),
    ]
    return words("others", names=words.join(named)) if named else ""


def _description(seen: _Seen, words: Words) -> str:
    sentences = [words("said-region", region=seen.region), *_said_network(seen, words)]
    if seen.cluster is None:
        sentences.append(words("said-no-cluster"))
    else:
        name, status = seen.cluster.name, seen.cluster.status
        sentences.append(words("said-cluster", name=name, status=status))
    if seen.repository is None:
        sentences.append(words("said-no-repository"))
    elif seen.image is None:
        sentences.append(words("said-no-image", repository=seen.repository.name))
    else:
        sentences.append(words("said-image", image=f"{seen.repository_name}:{seen.tag}"))
    return clean(" ".join(sentences))


def _said_network(seen: _Seen, words: Words) -> list[str]:
    vpc = seen.vpc
    if vpc is None:
        return [words("said-no-vpc")]
    sentences = [words("said-vpc", name=vpc.name or vpc.id, cidr=_cidrs(vpc))]
    for subnet in sorted(vpc.subnets, key=lambda each: (each.zone, each.name, each.id)):
        kind = words("public-subnet") if vpc.is_public(subnet) else words("private-subnet")
        name = subnet.name or subnet.id
        sentences.append(
            words("said-subnet", zone=subnet.zone, kind=kind, name=name, cidr=subnet.cidr)
        )
    return sentences
