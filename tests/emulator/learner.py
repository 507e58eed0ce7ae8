"""A learner at work: has done the workshop, makes mistakes, and does what a remedy says.

    learner.finish()              everything as the notebooks leave it, in about 20 calls
    learner.run("03-image")       the cells of that notebook that make something
    learner.follow(remedy)        what the sentence asks for, and nothing else

The learner reads: which sentence of the catalogue a remedy is, which call or notebook
stands in it.  A call is run as the cell that it is said to be, a notebook by its own cells.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from handson.aws import Aws, settings
from handson.aws import emulator as room
from handson.core import messages
from handson.core.errors import EngineError
from handson.course import syllabus
from handson.course.checks import Verification, run_checks
from handson.course.exercise import NetworkForm
from handson.course.owners import list_tags
from handson.course.state import Snapshot, Vpc
from handson.engine import Engine
from handson.engine.model import (
    BuildRequest,
    Destination,
    HttpAnswer,
    LocalImage,
    PushedImage,
    RunningContainer,
    RunRequest,
)
from handson.notebook.workshop import Workshop
from handson.resources import cluster, plan
from handson.resources.image_run import IMAGE_RUN
from handson.resources.network import plan_network
from handson.resources.push import IMAGE_URI, record_image_uri
from handson.resources.vpc_listing import list_network
from tests.emulator.hooks import Inside, reset
from tests.notebooks.book import FOLDER, read_book

MAKING = re.compile(r"workshop\.(ensure_|build_image|push_image|tag_image|run_image|record_)")
"""Cells that make something; those that only look or show are left out."""

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
TOKYO = "ap-northeast-1"
OWN_TAG = "0123456789ab"
OCI = "application/vnd.oci.image"
PAGE = b"<title>The shop</title><p>Welcome</p>"
RECORDS = ("image-run.json", "image-uri.json")
_finished: dict[str, dict[str, Any]] = {}
"""By endpoint: the records of a finished workshop, and its state within this process."""


class Quiet:
    """Progress that nobody watches."""

    def line(self, label: str) -> Quiet:
        return self

    def __call__(self, sentence: str) -> None: ...

    def done(self, sentence: str) -> None: ...


class Docker:
    """A container engine in a box: pushes through ECR's API, which both emulators have.

    It runs on a Mac with Apple silicon: images for amd64 start there, and for arm64, too.  What an
    image answers is decided when it is pushed: see `Learner.push`.
    """

    name = "docker"

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self.containers: Any = self

    @contextlib.contextmanager
    def run(self, request: RunRequest, *, say: Any) -> Iterator[RunningContainer]:
        status = self._learner.answers.get(request.digest, 200)
        if not status:
            raise EngineError(f"{request.name} ended by itself.", "Read its log.")
        yield RunningContainer(lambda path: HttpAnswer(status, "text/html", PAGE), seconds=1.0)

    def sweep(self, owner: str) -> int:
        return 0

    def build(self, request: BuildRequest, *, say: Any) -> LocalImage:
        return LocalImage(self.name, request.name, "sha256:", request.tag, 1)

    def push(self, image: LocalImage, destination: Destination, *, say: Any) -> PushedImage:
        digest = self._learner.push(destination.tag, repository=destination.repository)
        return PushedImage(self.name, destination.repository, digest, destination.tag, 1, 0, 1)


class Desk(Workshop):
    """The workshop, with the container engine that this learner has."""

    with_engine: Engine

    @property
    def engine(self) -> Engine:
        return self.with_engine


class Learner:
    """One learner on one emulator; `finish` begins anew."""

    def __init__(self, running: room.Running, home: Path) -> None:
        given = {"HANDSON_HOME": str(home), "HANDSON_ENDPOINT_URL": running.endpoint}
        chosen = settings.read_settings({**given, "HANDSON_LEARNER": "Hanako"}, cwd=home.parent)
        self.running, self.home = running, chosen.home
        self.workshop = Desk(chosen, progress=Quiet(), show=lambda _: None)
        self.workshop.with_engine = Docker(self)
        self.aws: Aws = self.workshop.aws
        self.answers: dict[str, int] = {}
        self.ec2, self.ecs, self.ecr = (self.aws.client(name) for name in ("ec2", "ecs", "ecr"))

    def finish(self) -> None:
        """Have everything as the notebooks leave it, and nothing else."""
        kept = _finished.setdefault(self.running.endpoint, {})
        if isinstance(self.running, Inside) and kept:
            self.running.door.restore_state(kept["state"])
        else:
            reset(self.running)
            self.make_network()
            plan.carry_out(self.aws, cluster.ClusterForm().plan(self.aws.owners.name), known={})
            tags = list_tags(self.aws.owners.name).items()
            tagged = [{"Key": key, "Value": value} for key, value in tags]
            self.ecr.create_repository(repositoryName="rails-app", tags=tagged)
            self.push("latest", OWN_TAG)
        if not kept:  # the same digest every time, so the same records
            self.run_image()
            self.record()
            kept |= {name: (self.home / name).read_bytes() for name in RECORDS}
            if isinstance(self.running, Inside):
                kept["state"] = self.running.door.copy_state()
        self.home.mkdir(parents=True, exist_ok=True)
        for name in RECORDS:
            (self.home / name).write_bytes(kept[name])

    def make_network(self, **form: Any) -> None:
        """Make a network as the form makes it, in the calls of its plan and no more."""
        filled = NetworkForm(**form)
        zones = ZONES[: filled.availability_zones]
        own = {"region": self.aws.region, "owner": self.aws.owners.name}
        steps = plan_network(filled, zones=zones, **own)
        plan.carry_out(self.aws, steps, known={})

    def record(self, repository: str = "rails-app", tag: str = "latest", aws: Any = None) -> None:
        record_image_uri(aws or self.aws, self.home, repository=repository, tag=tag)

    def forget(self) -> None:
        IMAGE_URI.forget(self.home)

    def run_image(self, repository: str = "rails-app", tag: str = "latest") -> None:
        """See an image run, or not: then the engine says why."""
        with contextlib.suppress(EngineError):
            self.workshop.run_image(repository, tag=tag)

    def forget_run(self) -> None:
        IMAGE_RUN.forget(self.home)

    def look(self) -> Snapshot:
        return self.workshop.snapshot(missing=syllabus.CHECK_IDS)

    def verify(self) -> Verification:
        return run_checks(self.look())

    @property
    def default_vpc(self) -> str:
        [found] = [vpc.id for vpc in self.look().vpcs if vpc.is_default]
        return found

    @property
    def vpc(self) -> Vpc:
        """The workshop's VPC, as it is now."""
        [found] = list_network(self.aws, name="ecs-handson-vpc").vpcs
        return found

    def push(
        self,
        *tags: str,
        repository: str = "rails-app",
        platforms: tuple[str, ...] = ("linux/amd64",),
        content: str = "the shop",
        region: str = "us-east-1",
        answers: int = 200,
    ) -> str:
        """Put an index with an image for each platform into ECR, as Docker does; return its digest.

        Without a tag it stays untagged.  When it is run, its pages come with the HTTP status
        `answers`; with 0 it does not start.
        """
        ecr = self.aws.client("ecr") if region == self.aws.region else self.there("ecr", region)
        children = []
        for platform in platforms:
            name = dict(zip(("os", "architecture"), platform.split("/"), strict=True))
            blob = hashlib.sha256(f"{content} for {platform}".encode()).hexdigest()
            kind = f"{OCI}.config.v1+json"
            config = {"mediaType": kind, "digest": f"sha256:{blob}", "size": 7}
            kind = f"{OCI}.manifest.v1+json"
            manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
            children.append(_put(ecr, repository, manifest) | {"platform": name})
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": children}
        for tag in tags or (None,):
            digest = str(_put(ecr, repository, index, tag=tag)["digest"])
        self.answers[digest] = answers
        return digest

    def there(self, service: str, region: str = TOKYO) -> Any:
        """Return a client of the same account in another region."""
        return self.aws.in_region(region).client(service)

    def run(self, notebook: str) -> None:
        """Run the cells of a notebook that make something."""
        names: dict[str, Any] = {"workshop": self.workshop}
        with contextlib.chdir(FOLDER):
            for cell in making_cells(notebook):
                exec(cell, names)

    def follow(self, remedy: str) -> None:
        """Do what the sentence asks for."""
        name, values = read_sentence("remedy", remedy)
        getattr(self, f"_{name.replace('-', '_')}")(SimpleNamespace(**values))

    def _run(self, said: Any) -> None:
        self.run(said.notebook)

    _rebuild = _run

    def _run_here(self, said: Any) -> None:
        assert said.here == self.aws.region
        self.run(said.notebook)

    def _type(self, said: Any) -> None:
        self._carry_out(said.call)

    _call_or_run = _rename_or_run = _own_tag = _type

    def _type_then_run(self, said: Any) -> None:
        self._carry_out(said.call)
        for notebook in syllabus.NOTEBOOKS[syllabus.NOTEBOOKS.index(said.notebook) :]:
            if notebook != "99-cleanup":
                self.run(notebook)

    def _call_or_mend(self, said: Any) -> None:
        """Call it again; if that changes nothing, build from a folder that has no mistake in it."""
        before = IMAGE_RUN.read(self.home)
        with contextlib.suppress(EngineError):
            self._carry_out(said.call)
        after = IMAGE_RUN.read(self.home)
        if before and after and before.status == after.status:
            self.run(said.notebook)

    def _delete(self, said: Any) -> None:
        self.delete_vpc(said.resource)

    def _delete_then_run(self, said: Any) -> None:
        self.delete_vpc(said.resource)
        self.run(said.notebook)

    def _edit_cidrs(self, said: Any) -> None:
        [vpc] = self.ec2.describe_vpcs(VpcIds=[said.resource])["Vpcs"]
        blocks = (*vpc["CidrBlockAssociationSet"], *vpc.get("Ipv6CidrBlockAssociationSet", ()))
        for block in blocks:
            if (block.get("CidrBlock") or block.get("Ipv6CidrBlock")) in said.cidrs.split(", "):
                self.ec2.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])

    def _install(self, said: Any) -> None:
        self.workshop.with_engine = Docker(self)
        self.run(said.notebook)

    def _deregister(self, said: Any) -> None:
        for arn in self.ecs.list_container_instances(cluster=said.cluster)["containerInstanceArns"]:
            named = {"cluster": said.cluster, "containerInstance": arn}
            self.ecs.deregister_container_instance(**named, force=True)

    def _carry_out(self, call: str) -> None:
        """Run a call in a new cell: `workshop` is all that a notebook's first cell gives it."""
        exec(call, {"workshop": self.workshop})

    def delete_vpc(self, vpc_id: str) -> None:
        """Delete a VPC with all that stands in it, as the console's "Delete VPC" does."""
        ec2, inside = self.ec2, [{"Name": "vpc-id", "Values": [vpc_id]}]
        for endpoint in ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]:
            ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
        for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
            self.delete_table(table)
        for subnet in ec2.describe_subnets(Filters=inside)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            self.delete_gateway(gateway["InternetGatewayId"], vpc_id)
        ec2.delete_vpc(VpcId=vpc_id)

    def delete_gateway(self, gateway_id: str, vpc_id: str) -> None:
        self.ec2.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
        self.ec2.delete_internet_gateway(InternetGatewayId=gateway_id)

    def delete_table(self, table: dict[str, Any]) -> None:
        """Delete a route table, unless it is the main one, with its associations."""
        if any(association.get("Main") for association in table["Associations"]):
            return
        for association in table["Associations"]:
            self.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        self.ec2.delete_route_table(RouteTableId=table["RouteTableId"])

    def table(self, table_id: str) -> dict[str, Any]:
        [found] = self.ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
        return dict(found)

    def add_route(self, table_id: str, cidr: str = "0.0.0.0/0") -> None:
        """Route addresses to the VPC's internet gateway."""
        [gateway] = self.vpc.internet_gateways
        way = {"DestinationCidrBlock": cidr, "GatewayId": gateway.id}
        self.ec2.create_route(RouteTableId=table_id, **way)

    def name(self, resource: str, name: str) -> None:
        """Give a resource of EC2's a name, as the console's pencil does."""
        self.ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])


def read_sentence(kind: str, said: str) -> tuple[str, dict[str, str]]:
    """Return which of the catalogue's causes or remedies a sentence is, and the values in it."""
    found = [
        (name, match.groupdict())
        for name, sentence in _sentences(f"checks.{kind}.", messages.language())
        if (match := sentence.fullmatch(said))
    ]
    assert len(found) == 1, f"{said!r} is none of the catalogue's sentences, or several: {found}"
    return found[0]


@cache
def _sentences(prefix: str, language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the catalogue's sentences as patterns that find the values again."""
    patterns = []
    for key, sentences in messages.catalogue("course").items():
        if key.startswith(prefix):
            text = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*?)", re.escape(sentences[language]))
            # A value that a sentence says twice is the same both times.
            for name in set(re.findall(r"\?P<(\w+)>", text)):
                first, *others = text.split(group := f"(?P<{name}>.*?)")
                text = first + group + f"(?P={name})".join(others)
            patterns.append((key.removeprefix(prefix), re.compile(text, re.DOTALL)))
    return patterns


@cache
def making_cells(notebook: str) -> tuple[Any, ...]:
    """Return the code of a notebook's cells that make something."""
    sources = (cell.source for cell in read_book(notebook).cells("code"))
    return tuple(compile(source, notebook, "exec") for source in sources if MAKING.search(source))


def _put(ecr: Any, repository: str, manifest: dict[str, Any], tag: str | None = None) -> Any:
    """Put a manifest into ECR, under its digest and a tag if one is given; describe it."""
    text, media_type = json.dumps(manifest), manifest["mediaType"]
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    named = {"repositoryName": repository, "imageDigest": digest}
    named |= {"imageTag": tag} if tag else {}
    with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(imageManifest=text, imageManifestMediaType=media_type, **named)
    return {"mediaType": media_type, "digest": digest, "size": len(text)}
