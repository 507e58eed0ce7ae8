"""Harmless variants: finished workshops that differ from what the notebooks leave, and are right.

Each entry changes a finished workshop through AWS's API, as wrong_states.py does; no fact may turn
false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from handson.core import files
from handson.resources.push import IMAGE_URI
from tests.emulator import wrong_states as wrong
from tests.emulator.learner import OWN_TAG, Learner
from tests.emulator.wrong_states import CLUSTER_NAME, SHOP, Make, chosen


@dataclass(frozen=True)
class Harmless:
    """A difference that does not matter; `lacking` says where it cannot be made, and why."""

    name: str
    make: Make
    lacking: Mapping[str, str] = field(default_factory=dict)


def in_other_zones(learner: Learner) -> None:
    """Make the subnets in the zones c and d, then let the notebook make the rest."""
    wrong.by_hand(learner)
    for number, zone in ((1, "us-east-1c"), (2, "us-east-1d")):
        name = f"ecs-handson-subnet-public{number}-{zone}"
        cidr = f"10.0.{16 * (number - 1)}.0/20"
        wrong.add_subnet(cidr, zone, name, public=False)(learner)
    learner.run("01-network")


def list_parts(learner: Learner) -> list[str]:
    vpc = learner.vpc
    parts: tuple[Any, ...] = (vpc, *vpc.subnets, *vpc.route_tables, *vpc.internet_gateways)
    return [part.id for part in parts]


def tag_everything(learner: Learner) -> None:
    tags = [{"Key": "cost-center", "Value": "training"}, {"Key": "Owner", "Value": "花子"}]
    learner.ec2.create_tags(Resources=list_parts(learner), Tags=tags)


def untag_everything(learner: Learner) -> None:
    """Leave it as if it were made in the console, which knows nothing of our tag."""
    learner.ec2.delete_tags(Resources=list_parts(learner), Tags=[{"Key": "handson"}])


def give_public_addresses(learner: Learner) -> None:
    for subnet in learner.vpc.subnets:
        learner.ec2.modify_subnet_attribute(SubnetId=subnet.id, MapPublicIpOnLaunch={"Value": True})


def add_security_group(learner: Learner) -> None:
    named = {"GroupName": "web", "Description": "web"}
    group = learner.ec2.create_security_group(VpcId=learner.vpc.id, **named)["GroupId"]
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    }
    learner.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def add_vpcs(learner: Learner) -> None:
    """Have other VPCs, one of them with the same block and one of another form."""
    learner.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    learner.make_network(name="shop", cidr="10.3.0.0/16")


def swap_numbers(learner: Learner) -> None:
    for subnet, number in zip(learner.vpc.subnets, (2, 1), strict=True):
        learner.name(subnet.id, f"ecs-handson-subnet-public{number}-{subnet.zone}")


def route_to_s3(learner: Learner) -> None:
    tables = {"AddRouteTableIds": [wrong.public_table(learner)]}
    learner.ec2.modify_vpc_endpoint(VpcEndpointId=learner.vpc.endpoints[0].id, **tables)


def in_the_main_table(learner: Learner) -> None:
    """Use the main route table for the way out, named as the public one, and no other."""
    wrong.delete_table(learner)
    [main] = learner.vpc.route_tables
    learner.name(main.id, "ecs-handson-rtb-public")
    learner.add_route(main.id)


def the_consoles_cluster(learner: Learner) -> None:
    """Make the cluster as the console does: both providers, a namespace, Container Insights."""
    wrong.delete_cluster(learner)
    learner.ecs.create_cluster(
        clusterName=CLUSTER_NAME,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        settings=[{"name": "containerInsights", "value": "enabled"}],
        serviceConnectDefaults={"namespace": CLUSTER_NAME},
        tags=[{"key": "aws:cloudformation:stack-name", "value": "Infra-ECS-Cluster-x-1234abcd"}],
    )


def add_clusters(learner: Learner) -> None:
    for name in ("default", "ecs-handson-cluster-2"):
        learner.ecs.create_cluster(clusterName=name)


def run_a_service(learner: Learner) -> None:
    container = {"name": "shop", "image": "rails-app", "memory": 64}
    learner.ecs.register_task_definition(family="shop", containerDefinitions=[container])
    service = {"serviceName": "shop", "taskDefinition": "shop", "desiredCount": 0}
    learner.ecs.create_service(cluster=CLUSTER_NAME, **service)


@chosen
def another_repository(learner: Learner, **settings: Any) -> None:
    """Make the repository with other settings than the console's defaults, and push once."""
    wrong.delete_repository(learner)
    learner.ecr.create_repository(repositoryName=SHOP, **settings)
    learner.push("latest", OWN_TAG)
    learner.record()


def add_repositories(learner: Learner) -> None:
    for name in ("nginx", "rails-app-2"):
        learner.ecr.create_repository(repositoryName=name)
        learner.push("latest", repository=name, platforms=("linux/arm64",))


def more_images(learner: Learner) -> None:
    """Have older releases, one for another platform, and one that lost its tag."""
    learner.push("v1", content="the first release", platforms=("linux/arm64",))
    learner.push("v2", content="the second release")
    learner.push("v2", content="the second release, mended")


def push_daily(learner: Learner) -> None:
    """Push and run each day, and record the URI of the last one."""
    for day in ("monday", "tuesday"):
        learner.push("latest", day, content=f"the shop of {day}")
        learner.run_image()
    learner.record()


def mend_a_broken_image(learner: Learner) -> None:
    """Push one that does not start, and then one that does."""
    learner.push("latest", "broken", content="the shop without its gems", answers=0)
    learner.run_image()
    learner.push("latest", OWN_TAG)
    wrong.run_and_record(learner)


def record_by_digest(learner: Learner) -> None:
    """Keep the URI that no later push can lead elsewhere."""
    recorded = IMAGE_URI.read(learner.home)
    assert recorded
    uri = f"{recorded.uri.rpartition(':')[0]}@{recorded.digest}"
    files.write_state(learner.home / "image-uri.json", replace(recorded, uri=uri))


def push_elsewhere_too(learner: Learner) -> None:
    """Run the image of another repository, then the right one."""
    wrong.run_from_another_repository(learner)
    learner.run_image()


SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]

HARMLESS: tuple[Harmless, ...] = (
    Harmless("made by the console, without the tag", untag_everything),
    Harmless("without the S3 endpoint", wrong.anew(s3_endpoint=False)),
    Harmless("the S3 endpoint in the public table", route_to_s3),
    Harmless("in other zones than a and b", in_other_zones),
    Harmless("further tags", tag_everything),
    Harmless("public addresses given automatically", give_public_addresses),
    Harmless("a security group", add_security_group),
    Harmless("a private route table that serves nothing",
             lambda me: wrong.join_new_table(me, name="ecs-handson-rtb-private1-us-east-1a")),
    Harmless("more VPCs, of other names", add_vpcs),
    Harmless("an internet gateway that is attached to nothing",
             lambda me: me.ec2.create_internet_gateway()),
    Harmless("subnets numbered the other way round", swap_numbers),
    Harmless("the way out in the main route table", in_the_main_table),
    Harmless("the console's cluster, with a namespace and Container Insights",
             the_consoles_cluster),
    Harmless("Fargate without Spot", wrong.providers("FARGATE")),
    Harmless("a default strategy", wrong.providers("FARGATE", "FARGATE_SPOT", strategy=SPOT)),
    Harmless("more clusters", add_clusters),
    Harmless("a service in the cluster", run_a_service),
    Harmless("immutable tags", another_repository(imageTagMutability="IMMUTABLE")),
    Harmless("scan on push, and a key of one's own",
             another_repository(imageScanningConfiguration={"scanOnPush": True},
                                encryptionConfiguration={"encryptionType": "KMS"})),
    Harmless("more repositories", add_repositories),
    Harmless("more images, older ones and one without a tag", more_images),
    Harmless("pushed and run again, and the URI recorded again", push_daily),
    Harmless("a first image that did not start, and a second that does", mend_a_broken_image),
    Harmless("run from another repository first", push_elsewhere_too),
    Harmless("a first page that leads to another",
             wrong.only("latest", OWN_TAG, content="the shop with a login", answers=302)),
    Harmless("an index with attestations",
             wrong.only("latest", OWN_TAG, platforms=("linux/amd64", "unknown/unknown"))),
    Harmless("an index of two platforms",
             wrong.only("latest", OWN_TAG, platforms=("linux/arm64", "linux/amd64"))),
    Harmless("a plain manifest, as an older Docker pushes it", wrong.push_plain(),
             wrong.NO_REGISTRY),
    Harmless("the same image in another region, too", wrong.push_to_tokyo),
    Harmless("the URI by digest", record_by_digest),
    Harmless("the URI of the image's own tag", lambda me: me.record(tag=OWN_TAG)),
    Harmless("the notebooks run a second time",
             lambda me: [me.run(name) for name in ("01-network", "02-cluster", "03-image")]),
)  # fmt: skip
