"""Wrong states: a finished workshop in which one thing went wrong, made for real.

Each entry changes a finished workshop through AWS's API or the registry's, as a learner would in
the console, and says by hand which facts that breaks and how the cause is told in both languages
(`*` stands for ids).  Nothing here is computed by what is tested.

What no emulator can be brought into stands in the unit tests (tests/unit/test_checks.py): a cluster
that is PROVISIONING or FAILED; a route whose state reads "blackhole" (both emulators go on calling
it active; here the gateway that it leads to is gone); a repository in Amazon ECR Public (neither
has that service; test_elsewhere.py answers in its place).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handson.course.state import RecordedUri
from handson.engine.builtin_engine import BuiltinEngine
from tests.emulator.learner import OWN_TAG, TOKYO, Learner
from tests.emulator.test_registry import Registry

NETWORK = frozenset(
    {
        "vpc.exists",
        "vpc.cidr",
        "vpc.ipv6",
        "vpc.tenancy",
        "vpc.dns",
        "subnets.public",
        "subnets.private",
        "subnets.zones",
        "subnets.cidr",
        "gateway.attached",
        "routes.default",
        "names",
    }
)
CLUSTER = frozenset({"cluster.exists", "cluster.active", "cluster.fargate", "cluster.instances"})
REPOSITORY = frozenset({"repository.exists", "repository.private", "repository.uri"})
IMAGE = frozenset(
    {"image.pushed", "image.tag", "image.platform", "image.unique-tag", "image.runnable"}
)
URI = frozenset({"uri.recorded", "uri.region", "uri.resolves"})
ROUTES = frozenset({"routes.default"})
NAMES = frozenset({"names"})
RESOLVES = frozenset({"uri.resolves"})
RUNNABLE = frozenset({"image.runnable"})
PLATFORM = frozenset({"image.platform"})

NO_IPV6 = "MiniStack knows neither AssociateVpcCidrBlock nor IPv6 blocks"
NO_PEERING = "MiniStack forgets that a route leads to a peering connection"
FORGOTTEN = "MiniStack forgets a deleted cluster at once"
LISTED = "moto goes on describing a deleted cluster, as AWS does for a while"
NO_INSTANCES = "MiniStack knows no RegisterContainerInstance"
NO_REGISTRY = "moto serves no registry (/v2/), so no image's configuration can be read"
NO_ACCOUNTS = "moto takes every access key for the same account"
NO_GATEWAY = "moto refuses a route to a gateway of another VPC or of none, as AWS does"


@dataclass(frozen=True)
class Wrong:
    """A mistake, the facts that it turns false, and the words that tell its cause.

    `lacking` says, by emulator, why that one cannot be brought into the state; `stays`, why no
    remedy can be seen to help there.
    """

    name: str
    make: Callable[[Learner], object]
    facts: frozenset[str]
    ja: str
    en: str
    lacking: tuple[tuple[str, str], ...] = ()
    stays: str = ""


def on_moto_only(reason: str) -> tuple[tuple[str, str], ...]:
    return (("ministack", reason),)


def on_ministack_only(reason: str) -> tuple[tuple[str, str], ...]:
    return (("moto", reason),)


# the network


def delete_network(learner: Learner) -> None:
    learner.delete_vpc(learner.vpc.id)


def use_the_default_vpc(learner: Learner) -> None:
    delete_network(learner)
    [default] = [vpc for vpc in learner.look().vpcs if vpc.is_default]
    learner.name(default.id, "ecs-handson-vpc")


def anew(**form: Any) -> Callable[[Learner], None]:
    """Make the network again with another setting in the form."""

    def make(learner: Learner) -> None:
        delete_network(learner)
        learner.make_network(**form)

    return make


def by_hand(learner: Learner) -> None:
    """Use "VPC only", and nothing else."""
    delete_network(learner)
    vpc = learner.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    learner.name(vpc, "ecs-handson-vpc")


def dedicated(learner: Learner) -> None:
    delete_network(learner)
    vpc = learner.ec2.create_vpc(CidrBlock="10.0.0.0/16", InstanceTenancy="dedicated")["Vpc"]
    tags = [{"Key": "Name", "Value": "ecs-handson-vpc"}, {"Key": "handson", "Value": "ecs-handson"}]
    learner.ec2.create_tags(Resources=[vpc["VpcId"]], Tags=tags)
    learner.run("01-network")


def add_block(learner: Learner) -> None:
    learner.ec2.associate_vpc_cidr_block(VpcId=learner.vpc.id, CidrBlock="10.1.0.0/16")


def add_ipv6(learner: Learner) -> None:
    learner.ec2.associate_vpc_cidr_block(VpcId=learner.vpc.id, AmazonProvidedIpv6CidrBlock=True)


def switch_dns(*attributes: str) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        for attribute in attributes:
            learner.ec2.modify_vpc_attribute(VpcId=learner.vpc.id, **{attribute: {"Value": False}})

    return make


def delete_subnets(*numbers: int) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        subnets = learner.vpc.subnets
        for number in numbers:
            take_subnet(learner, subnets[number - 1].id)

    return make


def take_subnet(learner: Learner, subnet_id: str) -> None:
    leave_table(learner, subnet_id)
    learner.ec2.delete_subnet(SubnetId=subnet_id)


def add_subnet(
    learner: Learner, cidr: str, zone: str, *, name: str = "", public: bool = True
) -> None:
    vpc = learner.vpc
    made = learner.ec2.create_subnet(VpcId=vpc.id, CidrBlock=cidr, AvailabilityZone=zone)
    subnet = made["Subnet"]["SubnetId"]
    if name:
        learner.name(subnet, name)
    if public:
        learner.ec2.associate_route_table(RouteTableId=public_table(learner), SubnetId=subnet)


def replace_subnet(number: int, cidr: str, zone: str) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        take_subnet(learner, learner.vpc.subnets[number - 1].id)
        name = f"ecs-handson-subnet-public{number}-{zone}"
        add_subnet(learner, cidr, zone, name=name)

    return make


def both(*makes: Callable[[Learner], object]) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        for one in makes:
            one(learner)

    return make


def public_table(learner: Learner) -> str:
    return next(table.id for table in learner.vpc.route_tables if "public" in table.name)


def leave_table(learner: Learner, *subnets: str) -> None:
    """Take subnets away from the route tables that they are associated with."""
    for table in learner.vpc.route_tables:
        for association in learner.table(table.id)["Associations"]:
            if association.get("SubnetId") in subnets:
                learner.ec2.disassociate_route_table(
                    AssociationId=association["RouteTableAssociationId"]
                )


def leave_tables(*numbers: int) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        leave_table(learner, *(learner.vpc.subnets[number - 1].id for number in numbers))

    return make


def join_another_table(learner: Learner) -> None:
    """Make a route table by hand, forget its route, and associate the subnets with it."""
    vpc = learner.vpc
    made = learner.ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    learner.name(made, "my-table")
    for subnet in vpc.subnets:
        leave_table(learner, subnet.id)
        learner.ec2.associate_route_table(RouteTableId=made, SubnetId=subnet.id)


def part_tables(learner: Learner) -> None:
    """Give the second subnet a route table of its own, and forget its route."""
    vpc = learner.vpc
    made = learner.ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    leave_table(learner, vpc.subnets[1].id)
    learner.ec2.associate_route_table(RouteTableId=made, SubnetId=vpc.subnets[1].id)


def delete_table(learner: Learner) -> None:
    learner.delete_table(learner.table(public_table(learner)))


def delete_route(learner: Learner) -> None:
    table = public_table(learner)
    learner.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")


def route_only(cidr: str) -> Callable[[Learner], None]:
    """Route some addresses to the internet gateway, and no others."""

    def make(learner: Learner) -> None:
        [gateway] = learner.vpc.internet_gateways
        table = public_table(learner)
        delete_route(learner)
        learner.ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=cidr, GatewayId=gateway.id
        )

    return make


def lead(learner: Learner, **target: str) -> None:
    table = public_table(learner)
    learner.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)


def lead_to_nat(learner: Learner) -> None:
    made = learner.ec2.create_nat_gateway(
        SubnetId=learner.vpc.subnets[0].id, ConnectivityType="private"
    )
    lead(learner, NatGatewayId=made["NatGateway"]["NatGatewayId"])


def lead_to_another_vpc(learner: Learner) -> None:
    [default] = [vpc for vpc in learner.look().vpcs if vpc.is_default]
    made = learner.ec2.create_vpc_peering_connection(VpcId=learner.vpc.id, PeerVpcId=default.id)
    lead(
        learner,
        VpcPeeringConnectionId=made["VpcPeeringConnection"]["VpcPeeringConnectionId"],
    )


def lead_to_another_vpcs_gateway(learner: Learner) -> None:
    other = learner.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    gateway = learner.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    learner.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=other)
    lead(learner, GatewayId=gateway)


def detach_gateway(learner: Learner) -> None:
    vpc = learner.vpc
    learner.ec2.detach_internet_gateway(InternetGatewayId=vpc.internet_gateways[0].id, VpcId=vpc.id)


def delete_gateway(learner: Learner) -> None:
    vpc = learner.vpc
    learner.delete_gateway(vpc.internet_gateways[0].id, vpc.id)


def exchange_gateway(learner: Learner) -> None:
    """Delete the gateway and attach another: the route still leads to the one that is gone."""
    vpc = learner.vpc
    learner.delete_gateway(vpc.internet_gateways[0].id, vpc.id)
    made = learner.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    learner.name(made, "ecs-handson-igw")
    learner.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc.id)


def rename(part: str, name: str) -> Callable[[Learner], None]:
    """Give the VPC, a subnet ("subnet 2"), the public table or the gateway another name."""

    def make(learner: Learner) -> None:
        vpc = learner.vpc
        ids = {
            "vpc": vpc.id,
            "subnet 1": vpc.subnets[0].id,
            "subnet 2": vpc.subnets[1].id,
            "table": public_table(learner),
            "gateway": vpc.internet_gateways[0].id,
        }
        learner.name(ids[part], name)

    return make


def rename_a_vpc_by_hand(learner: Learner) -> None:
    vpc = learner.vpc
    learner.ec2.delete_tags(Resources=[vpc.id], Tags=[{"Key": "handson"}])
    learner.name(vpc.id, "my-vpc-01")


def unname_a_vpc_by_hand(learner: Learner) -> None:
    learner.ec2.delete_tags(Resources=[learner.vpc.id], Tags=[{"Key": "handson"}, {"Key": "Name"}])


def a_bare_namesake(learner: Learner) -> None:
    made = learner.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    learner.name(made, "ecs-handson-vpc")


def the_form_sent_twice(learner: Learner) -> None:
    learner.make_network()


def network_in_tokyo(learner: Learner) -> None:
    delete_network(learner)
    ec2 = learner.there("ec2")
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": "ecs-handson-vpc"}])


# the cluster


def delete_cluster(learner: Learner) -> None:
    learner.ecs.delete_cluster(cluster="ecs-handson-cluster")


def instead_of_the_cluster(name: str) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        delete_cluster(learner)
        learner.ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE"])

    return make


def providers(*names: str) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        if "my-asg" in names:
            group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:x/my-asg"
            learner.ecs.create_capacity_provider(
                name="my-asg", autoScalingGroupProvider={"autoScalingGroupArn": group}
            )
        learner.ecs.put_cluster_capacity_providers(
            cluster="ecs-handson-cluster",
            capacityProviders=list(names),
            defaultCapacityProviderStrategy=[],
        )

    return make


def register_instance(learner: Learner) -> None:
    run = learner.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    document = json.dumps({"instanceId": run["Instances"][0]["InstanceId"]})
    learner.ecs.register_container_instance(
        cluster="ecs-handson-cluster", instanceIdentityDocument=document
    )


def cluster_in_tokyo(learner: Learner) -> None:
    delete_cluster(learner)
    learner.there("ecs").create_cluster(clusterName="ecs-handson-cluster")


# the repository and its images


def delete_repository(learner: Learner) -> None:
    learner.ecr.delete_repository(repositoryName="rails-app", force=True)


def instead_of_the_repository(name: str) -> Callable[[Learner], None]:
    def make(learner: Learner) -> None:
        delete_repository(learner)
        learner.ecr.create_repository(repositoryName=name)
        learner.push("latest", OWN_TAG, repository=name)

    return make


def repository_in_tokyo(learner: Learner) -> None:
    delete_repository(learner)
    learner.there("ecr").create_repository(repositoryName="rails-app")


def image_in_tokyo(learner: Learner) -> None:
    """Push with the commands of another region, and record that URI."""
    empty(learner)
    learner.there("ecr").create_repository(repositoryName="rails-app")
    learner.push("latest", OWN_TAG, region=TOKYO)
    tokyo = learner.aws.in_region(TOKYO)
    record_with(learner, tokyo)


def record_with(learner: Learner, aws: Any) -> None:
    from handson.resources.push import record_image_uri

    record_image_uri(aws, learner.home, repository="rails-app", tag="latest")


def everything_in_tokyo(learner: Learner) -> None:
    network_in_tokyo(learner)
    cluster_in_tokyo(learner)
    image_in_tokyo(learner)
    delete_repository(learner)


def a_uri_of_tokyo(learner: Learner) -> None:
    """Record the URI of a second push, to another region."""
    learner.there("ecr").create_repository(repositoryName="rails-app")
    learner.push("latest", OWN_TAG, region=TOKYO)
    record_with(learner, learner.aws.in_region(TOKYO))


def empty(learner: Learner) -> None:
    """Delete all images."""
    found = learner.ecr.describe_images(repositoryName="rails-app")["imageDetails"]
    # An index before what it lists (ECR: ImageReferencedByManifestList).
    for image in sorted(found, key=lambda image: not image.get("imageTags")):
        ids = [{"imageDigest": image["imageDigest"]}]
        learner.ecr.batch_delete_image(repositoryName="rails-app", imageIds=ids)


def only(*tags: str, **image: Any) -> Callable[[Learner], None]:
    """Leave the image that is pushed now as the only one; where it can, it is run and recorded."""

    def make(learner: Learner) -> None:
        empty(learner)
        learner.push(*tags, **image)
        if "latest" in tags:
            run_and_record(learner)

    return make


def run_and_record(learner: Learner) -> None:
    """Go on from the push as the notebook does."""
    learner.run_image()
    learner.record()


def in_another_repository(learner: Learner) -> None:
    empty(learner)
    learner.ecr.create_repository(repositoryName="rails")
    learner.push("latest", OWN_TAG, repository="rails")


def push_plain(learner: Learner, **config: Any) -> None:
    """Push a plain manifest over the registry protocol, as an older Docker does."""
    empty(learner)
    pushing = Registry(learner.running)
    manifest = pushing.image(**config)
    for tag in ("latest", OWN_TAG):
        pushing.put(manifest, tag=tag)
    run_and_record(learner)


def push_what_is_no_image(learner: Learner) -> None:
    """Push something else that registries hold, such as a Helm chart."""
    empty(learner)
    chart = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": f"sha256:{'ab' * 32}",
            "size": 7,
        },
        "layers": [{"digest": f"sha256:{'cd' * 32}", "size": 5}],
    }
    for tag in ("latest", OWN_TAG):
        put = learner.ecr.put_image(
            repositoryName="rails-app", imageManifest=json.dumps(chart), imageTag=tag
        )
    learner.answers[put["image"]["imageId"]["imageDigest"]] = 0
    run_and_record(learner)


def without_an_engine(learner: Learner) -> None:
    """Build and push with the builtin engine."""
    empty(learner)
    learner.workshop.with_engine = BuiltinEngine()
    learner.run("03-image")


def push_again(learner: Learner) -> None:
    """Build the shop anew after it was run and its URI was recorded: the tag moves on."""
    learner.push("latest", "fedcba987654", content="the shop, a day later")


def push_again_and_record(learner: Learner) -> None:
    push_again(learner)
    learner.record()


def run_an_older_release(learner: Learner) -> None:
    learner.push("v1", content="the first release")
    learner.run_image(tag="v1")


def run_from_another_repository(learner: Learner) -> None:
    """Run the same image, but where the first try pushed it to."""
    learner.ecr.create_repository(repositoryName="rails")
    learner.push("latest", repository="rails")
    learner.run_image("rails")


def make_repository_again(learner: Learner) -> None:
    delete_repository(learner)
    learner.ecr.create_repository(repositoryName="rails-app")
    push_again(learner)


# the recorded URI


def write_uri(uri: str) -> Callable[[Learner], None]:
    """Edit the file in which the URI is kept."""

    def make(learner: Learner) -> None:
        recorded = RecordedUri(uri=uri, digest="sha256:x", recorded_at="2026-01-01T00:00:00+00:00")
        (learner.home / "image-uri.json").write_text(json.dumps(recorded.to_json()))

    return make


def record_another_repository(learner: Learner) -> None:
    learner.ecr.create_repository(repositoryName="nginx")
    learner.push("latest", repository="nginx")
    learner.record("nginx")


def record_in_another_account(learner: Learner) -> None:
    """Do it all with the credentials of another account, where a repository is, too."""
    from handson.aws import Credentials, connect_emulator

    other = connect_emulator(
        learner.running.endpoint,
        region="us-east-1",
        credentials=Credentials("998877665544", "not-a-secret"),
    )
    other.call("ecr", "CreateRepository", repositoryName="rails-app")
    manifest = learner.ecr.batch_get_image(
        repositoryName="rails-app", imageIds=[{"imageTag": "latest"}]
    )["images"][0]["imageManifest"]
    other.call(
        "ecr", "PutImage", repositoryName="rails-app", imageManifest=manifest, imageTag="latest"
    )
    record_with(learner, other)


def delete_the_recorded_tag(learner: Learner) -> None:
    """Record a release, and delete its image when the next one is there."""
    learner.push("v1", content="the first release")
    learner.record(tag="v1")
    ids = [{"imageTag": "v1"}]
    learner.ecr.batch_delete_image(repositoryName="rails-app", imageIds=ids)


SHRUNK = frozenset({"subnets.public", "subnets.zones", "subnets.cidr"})
BARE = SHRUNK | {"gateway.attached", "routes.default", "vpc.dns"}
NO_WAY_OUT = frozenset({"gateway.attached", "routes.default"})
UNSEEN = (
    "このイメージが動くところは、まだ確かめていません。",
    "This image has not been seen running yet.",
)

WRONG: tuple[Wrong, ...] = (
    # the VPC
    Wrong("the VPC deleted", delete_network, NETWORK,
          "リージョン us-east-1 に ecs-handson-vpc という VPC がありません*",
          "The Region us-east-1 has no VPC named ecs-handson-vpc *"),
    Wrong("the default VPC used", use_the_default_vpc, NETWORK,
          "ecs-handson-vpc という名前が付いているのは*デフォルト VPC*",
          "*the name ecs-handson-vpc is on the default VPC*"),
    Wrong("the network in another region", network_in_tokyo, NETWORK,
          "ecs-handson-vpc という VPC は ap-northeast-1 にありますが*us-east-1*",
          "The VPC ecs-handson-vpc is in ap-northeast-1; this workshop's Region is us-east-1."),
    Wrong("another CIDR block", anew(cidr="10.1.0.0/16"), frozenset({"vpc.cidr", "subnets.cidr"}),
          "VPC * の CIDR ブロックは 10.1.0.0/16 ですが、10.0.0.0/16 で*",
          "The VPC * has the CIDR block 10.1.0.0/16 and not 10.0.0.0/16*"),
    Wrong("a smaller CIDR block", anew(cidr="10.0.0.0/20"), frozenset({"vpc.cidr", "subnets.cidr"}),
          "VPC * の CIDR ブロックは 10.0.0.0/20 ですが、10.0.0.0/16 で*",
          "The VPC * has the CIDR block 10.0.0.0/20 and not 10.0.0.0/16*"),
    Wrong("a second CIDR block", add_block, frozenset({"vpc.cidr"}),
          "VPC * に CIDR ブロック 10.1.0.0/16 が追加されています。",
          "The CIDR block 10.1.0.0/16 was added to the VPC *",
          on_moto_only(NO_IPV6)),
    Wrong("an IPv6 block", add_ipv6, frozenset({"vpc.ipv6"}),
          "VPC * に IPv6 CIDR ブロック *::/56 が付いています*",
          "The VPC * has the IPv6 CIDR block *::/56*",
          on_moto_only(NO_IPV6)),
    Wrong("dedicated tenancy", dedicated, frozenset({"vpc.tenancy"}),
          "VPC * のテナンシーは dedicated ですが、default で作ります。",
          "The VPC * has the tenancy dedicated and not default."),
    Wrong("DNS resolution off", switch_dns("EnableDnsSupport"), frozenset({"vpc.dns"}),
          "VPC * の DNS 解決が無効です。", "DNS resolution is off in the VPC *"),
    Wrong("DNS hostnames off", switch_dns("EnableDnsHostnames"), frozenset({"vpc.dns"}),
          "VPC * の DNS ホスト名が無効です。", "DNS hostnames are off in the VPC *"),
    Wrong("all DNS off", switch_dns("EnableDnsHostnames", "EnableDnsSupport"),
          frozenset({"vpc.dns"}),
          "VPC * の DNS 解決が無効です。", "DNS resolution is off in the VPC *"),
    Wrong("only the VPC made, by hand", by_hand, BARE,
          "VPC * のパブリックサブネットは 0 つですが、2 つ必要です。",
          "Public subnets in the VPC *: 0; 2 are needed."),
    # its subnets
    Wrong("one subnet", delete_subnets(2), SHRUNK,
          "VPC * のパブリックサブネットは 1 つですが、2 つ必要です。",
          "Public subnets in the VPC *: 1; 2 are needed."),
    Wrong("no subnets", delete_subnets(1, 2), SHRUNK | ROUTES,
          "VPC * のパブリックサブネットは 0 つですが、2 つ必要です。",
          "Public subnets in the VPC *: 0; 2 are needed."),
    Wrong("one Availability Zone in the form", anew(availability_zones=1, public_subnets=1), SHRUNK,
          "VPC * のパブリックサブネットは 1 つですが、2 つ必要です。",
          "Public subnets in the VPC *: 1; 2 are needed."),
    Wrong("three subnets", anew(availability_zones=3, public_subnets=3), SHRUNK,
          "パブリックサブネット *(*public3*、10.0.32.0/20)が余分にあります。",
          "The public subnet * (*public3*, 10.0.32.0/20) is one too many."),
    Wrong("a third subnet in a zone that has one",
          lambda me: add_subnet(me, "10.0.32.0/20", "us-east-1a",
                                name="ecs-handson-subnet-public3-us-east-1a"),
          frozenset({"subnets.public", "subnets.cidr"}),
          "パブリックサブネット *(*public3*、10.0.32.0/20)が余分にあります。",
          "The public subnet * (*public3*, 10.0.32.0/20) is one too many."),
    Wrong("private subnets in the form", anew(private_subnets=2), frozenset({"subnets.private"}),
          "VPC * に、余分なサブネットが 2 つあります (*private1*private2*)。*",
          "The VPC * has 2 subnets too many (*private1*private2*); it needs *"),
    Wrong("three Availability Zones and private subnets in the form",
          anew(availability_zones=3, public_subnets=3, private_subnets=3),
          SHRUNK | {"subnets.private"},
          "VPC * に、余分なサブネットが 4 つあります (*public3*private1*)。*",
          "The VPC * has 4 subnets too many (*public3*private1*); it needs *"),
    Wrong("a private subnet by hand",
          lambda me: add_subnet(me, "10.0.128.0/24", "us-east-1a", name="database", public=False),
          frozenset({"subnets.private"}),
          "プライベートサブネット *(database)があります。*",
          "There is a private subnet, * (database)*"),
    Wrong("one zone twice", replace_subnet(2, "10.0.16.0/20", "us-east-1a"),
          frozenset({"subnets.zones"}),
          "サブネット *(*public2*)が、ほかのサブネットと同じアベイラビリティーゾーン us-east-1a *",
          "The subnet * (*public2*) is in the same Availability Zone as another, us-east-1a*"),
    Wrong("a subnet of another size", replace_subnet(2, "10.0.16.0/24", "us-east-1b"),
          frozenset({"subnets.cidr"}),
          "サブネット *(*public2*)の CIDR ブロックは 10.0.16.0/24 ですが*",
          "The subnet * (*public2*) has the CIDR block 10.0.16.0/24*"),
    Wrong("subnets with blocks of one's own",
          both(replace_subnet(1, "10.0.1.0/24", "us-east-1a"),
               replace_subnet(2, "10.0.2.0/24", "us-east-1b")),
          frozenset({"subnets.cidr"}),
          "サブネット *(*public1*)の CIDR ブロックは 10.0.1.0/24 ですが*",
          "The subnet * (*public1*) has the CIDR block 10.0.1.0/24*"),
    # its ways out
    Wrong("the gateway detached", detach_gateway, NO_WAY_OUT,
          "VPC * にインターネットゲートウェイがアタッチされていません。*",
          "No internet gateway is attached to the VPC *"),
    Wrong("the gateway deleted", delete_gateway, NO_WAY_OUT,
          "VPC * にインターネットゲートウェイがアタッチされていません。*",
          "No internet gateway is attached to the VPC *"),
    Wrong("neither gateway nor route", both(delete_route, delete_gateway), NO_WAY_OUT,
          "VPC * にインターネットゲートウェイがアタッチされていません。*",
          "No internet gateway is attached to the VPC *"),
    Wrong("a route to a gateway that is gone", exchange_gateway, ROUTES,
          "ルートテーブル * のルート 0.0.0.0/0 は igw-* に向いていますが*",
          "The route 0.0.0.0/0 in the route table * leads to igw-*"),
    Wrong("the route missing", delete_route, ROUTES,
          "サブネット *のルートテーブル *に、*0.0.0.0/0 を*ルートがありません。",
          "The route table * has no route that sends 0.0.0.0/0 to the internet gateway."),
    Wrong("a route for some addresses only", route_only("8.8.8.0/24"), ROUTES,
          "サブネット *のルートテーブル *に、*0.0.0.0/0 を*ルートがありません。",
          "The route table * has no route that sends 0.0.0.0/0 to the internet gateway."),
    Wrong("a route to another VPC's gateway", lead_to_another_vpcs_gateway, ROUTES,
          "ルートテーブル * のルート 0.0.0.0/0 は igw-* に向いていますが*",
          "The route 0.0.0.0/0 in the route table * leads to igw-*"),
    Wrong("a route to a NAT gateway", lead_to_nat, ROUTES,
          "ルートテーブル * のルート 0.0.0.0/0 は nat-* に向いていますが*",
          "The route 0.0.0.0/0 in the route table * leads to nat-*"),
    Wrong("a route to another VPC", lead_to_another_vpc, ROUTES,
          "ルートテーブル * のルート 0.0.0.0/0 は pcx-* に向いていますが*",
          "The route 0.0.0.0/0 in the route table * leads to pcx-*",
          on_moto_only(NO_PEERING)),
    Wrong("the route table not associated", leave_tables(1, 2), ROUTES,
          "サブネット *がパブリックのルートテーブルに関連付けられていません。*",
          "The subnet * is not associated with the public route table*"),
    Wrong("one of two subnets associated", leave_tables(2), ROUTES,
          "サブネット *(*public2*)がパブリックのルートテーブルに関連付けられていません。*",
          "The subnet * (*public2*) is not associated with the public route table*"),
    Wrong("the route table deleted", delete_table, ROUTES,
          "サブネット *がパブリックのルートテーブルに関連付けられていません。*",
          "The subnet * is not associated with the public route table*"),
    Wrong("a route table by hand, without a route", join_another_table, ROUTES | NAMES,
          "サブネット *のルートテーブル *に、*0.0.0.0/0 を*ルートがありません。",
          "The route table * has no route that sends 0.0.0.0/0 to the internet gateway."),
    Wrong("a subnet with a route table of its own, without a route", part_tables,
          ROUTES | NAMES,
          "サブネット *(*public2*)のルートテーブル *に、*0.0.0.0/0 を*ルートがありません。",
          "The route table * has no route that sends 0.0.0.0/0 to the internet gateway."),
    Wrong("half of the internet routed", route_only("0.0.0.0/1"), ROUTES,
          "サブネット *のルートテーブル *に、*0.0.0.0/0 を*ルートがありません。",
          "The route table * has no route that sends 0.0.0.0/0 to the internet gateway."),
    # its names
    Wrong("the VPC's name typed wrongly", rename("vpc", "ecs-handsom-vpc"), NAMES,
          "* の名前は「ecs-handsom-vpc」ですが、コンソールが付ける名前は ecs-handson-vpc です。",
          '* is named "ecs-handsom-vpc"; the console names it ecs-handson-vpc.'),
    Wrong("the form's name typed wrongly", anew(name="ecs-hands-on"), NAMES,
          "* の名前は「ecs-hands-on-vpc」ですが、コンソールが付ける名前は ecs-handson-vpc です。",
          '* is named "ecs-hands-on-vpc"; the console names it ecs-handson-vpc.'),
    Wrong("a VPC by hand, named otherwise", rename_a_vpc_by_hand, NAMES,
          "CIDR ブロックが同じ VPC * の名前は「my-vpc-01」で、ecs-handson-vpc ではありません。",
          'The VPC * has the right CIDR block but is named "my-vpc-01" and not ecs-handson-vpc.'),
    Wrong("a subnet named for another zone",
          rename("subnet 2", "ecs-handson-subnet-public2-us-east-1c"), NAMES,
          "* の名前は「ecs-handson-subnet-public2-us-east-1c」ですが*us-east-1b です。",
          '* is named "ecs-handson-subnet-public2-us-east-1c"; *us-east-1b.'),
    Wrong("a public subnet named private",
          rename("subnet 1", "ecs-handson-subnet-private1-us-east-1a"), NAMES,
          "* の名前は「ecs-handson-subnet-private1-us-east-1a」ですが*",
          '* is named "ecs-handson-subnet-private1-us-east-1a"; *'),
    Wrong("the route table unnamed", rename("table", ""), NAMES,
          "rtb-* には名前*がありません。コンソールが付ける名前は ecs-handson-rtb-public です。",
          "rtb-* has no name *; the console names it ecs-handson-rtb-public."),
    Wrong("the gateway unnamed", rename("gateway", ""), NAMES,
          "igw-* には名前*がありません。コンソールが付ける名前は ecs-handson-igw です。",
          "igw-* has no name *; the console names it ecs-handson-igw."),
    Wrong("the VPC's name in full-width letters", rename("vpc", "ecs-handson-ｖｐｃ"), NAMES,
          "* の名前「ecs-handson-ｖｐｃ」は ecs-handson-vpc とそっくりですが、全角の文字*",
          '* is named "ecs-handson-ｖｐｃ", which looks like ecs-handson-vpc but has *'),
    Wrong("a space behind a subnet's name, as copied",
          rename("subnet 1", "ecs-handson-subnet-public1-us-east-1a "), NAMES,
          "subnet-* の名前「ecs-handson-subnet-public1-us-east-1a 」は*空白のどれか*",
          'subnet-* is named "ecs-handson-subnet-public1-us-east-1a "*or a space in it.'),
    Wrong("a VPC by hand, without a name", unname_a_vpc_by_hand, NAMES,
          "CIDR ブロックが同じ VPC * には名前*がありません。名前は ecs-handson-vpc です。",
          "The VPC * has the right CIDR block but no name *; it should be ecs-handson-vpc."),
    Wrong("a bare VPC of the same name", a_bare_namesake, NAMES,
          "ecs-handson-vpc という名前の VPC が 2 つ以上あります: *",
          "More than one VPC is named ecs-handson-vpc: *"),
    Wrong("the form sent twice", the_form_sent_twice, NAMES,
          "ecs-handson-vpc という名前の VPC が 2 つ以上あります: *",
          "More than one VPC is named ecs-handson-vpc: *"),
    # the cluster
    Wrong("the cluster deleted", delete_cluster, CLUSTER,
          "リージョン us-east-1 に ecs-handson-cluster というクラスターがありません。",
          "The Region us-east-1 has no cluster named ecs-handson-cluster.",
          on_ministack_only(LISTED)),
    Wrong("the cluster deleted, and still described", delete_cluster, CLUSTER,
          "リージョン us-east-1 のクラスター ecs-handson-cluster は削除されています(INACTIVE)。",
          "The cluster ecs-handson-cluster in the Region us-east-1 was deleted (INACTIVE).",
          on_moto_only(FORGOTTEN)),
    Wrong("the cluster misspelt", instead_of_the_cluster("ecs-handson-clustr"), CLUSTER,
          "*クラスターは「ecs-handson-clustr」で、ecs-handson-cluster ではありません。*",
          '*is named "ecs-handson-clustr" and not ecs-handson-cluster*'),
    Wrong("the cluster in capitals", instead_of_the_cluster("ECS-Handson-Cluster"), CLUSTER,
          "*クラスターは「ECS-Handson-Cluster」で、ecs-handson-cluster ではありません。*",
          '*is named "ECS-Handson-Cluster" and not ecs-handson-cluster*'),
    Wrong("the form's prefix for the cluster", instead_of_the_cluster("ecs-handson"), CLUSTER,
          "*クラスターは「ecs-handson」で、ecs-handson-cluster ではありません。*",
          '*is named "ecs-handson" and not ecs-handson-cluster*'),
    Wrong("the cluster in another region", cluster_in_tokyo, CLUSTER,
          "クラスター ecs-handson-cluster は ap-northeast-1 にありますが*us-east-1*",
          "The cluster ecs-handson-cluster is in ap-northeast-1; this workshop's Region is *"),
    Wrong("a cluster without Fargate", providers(), frozenset({"cluster.fargate"}),
          "クラスター ecs-handson-cluster のキャパシティープロバイダーに FARGATE がありません。",
          "The cluster ecs-handson-cluster does not have FARGATE among its capacity providers."),
    Wrong("Fargate Spot alone", providers("FARGATE_SPOT"), frozenset({"cluster.fargate"}),
          "クラスター ecs-handson-cluster のキャパシティープロバイダーに FARGATE がありません。",
          "The cluster ecs-handson-cluster does not have FARGATE among its capacity providers."),
    Wrong("EC2 capacity beside Fargate", providers("FARGATE", "FARGATE_SPOT", "my-asg"),
          frozenset({"cluster.instances"}),
          "*Fargate 以外のキャパシティープロバイダー my-asg があります。*",
          "*a capacity provider that is not Fargate's: my-asg.*"),
    Wrong("EC2 capacity alone", providers("my-asg"),
          frozenset({"cluster.fargate", "cluster.instances"}),
          "*Fargate 以外のキャパシティープロバイダー my-asg があります。*",
          "*a capacity provider that is not Fargate's: my-asg.*"),
    Wrong("an EC2 instance in the cluster", register_instance, frozenset({"cluster.instances"}),
          "クラスター ecs-handson-cluster にコンテナインスタンスが 1 台登録されています。*",
          "Registered container instances of the cluster ecs-handson-cluster: 1; *",
          on_moto_only(NO_INSTANCES), stays="moto goes on counting an instance that has left"),
    # the repository
    Wrong("the repository deleted", delete_repository, REPOSITORY | IMAGE | RESOLVES,
          "リージョン us-east-1 に rails-app というプライベートリポジトリがありません。",
          "The Region us-east-1 has no private repository named rails-app."),
    Wrong("the repository misspelt", instead_of_the_repository("rails_app"),
          REPOSITORY | IMAGE | RESOLVES,
          "リージョン us-east-1 にあるリポジトリは「rails_app」で、rails-app ではありません。",
          'The repository in the Region us-east-1 is named "rails_app" and not rails-app.'),
    Wrong("the repository in a namespace", instead_of_the_repository("handson/rails-app"),
          REPOSITORY | IMAGE | RESOLVES,
          "*にあるリポジトリは「handson/rails-app」で、rails-app ではありません。",
          'The repository in the Region us-east-1 is named "handson/rails-app" and not rails-app.'),
    Wrong("the repository in another region", repository_in_tokyo, REPOSITORY | IMAGE | RESOLVES,
          "リポジトリ rails-app は ap-northeast-1 にありますが*us-east-1*",
          "The repository rails-app is in ap-northeast-1; this workshop's Region is us-east-1."),
    # the image
    Wrong("the image deleted after its evidence", empty, IMAGE | RESOLVES,
          "リージョン us-east-1 のリポジトリ rails-app にイメージがありません。",
          "The repository rails-app in the Region us-east-1 holds no image."),
    Wrong("only the image in another region", image_in_tokyo,
          IMAGE | {"uri.region", "uri.resolves"},
          "イメージは ap-northeast-1 に、クラスターは us-east-1 にあります。*",
          "The image is in ap-northeast-1; the cluster is in us-east-1."),
    Wrong("everything in another region", everything_in_tokyo,
          NETWORK | CLUSTER | REPOSITORY | IMAGE | {"uri.region", "uri.resolves"},
          "イメージは ap-northeast-1 にありますが、このワークショップのリージョンは us-east-1 *",
          "The image is in ap-northeast-1; this workshop's Region is us-east-1."),
    Wrong("the image in another repository", in_another_repository, IMAGE | RESOLVES,
          "イメージはリポジトリ「rails」にあり、rails-app にはありません。",
          'The image is in the repository "rails"; rails-app holds none.'),
    Wrong("the image without a tag", only(),
          frozenset({"image.tag", "image.unique-tag", "uri.resolves"}),
          "イメージはありますが、タグが付いていません。latest が必要です。",
          "There is an image, but without a tag; it needs latest."),
    Wrong("the image under another tag", only("v1"), frozenset({"image.tag", "uri.resolves"}),
          "タグ latest の付いたイメージがありません。あるタグは v1 です。",
          "No image has the tag latest; the tags are v1."),
    Wrong("the tag misspelt", only("lastest", OWN_TAG), frozenset({"image.tag", "uri.resolves"}),
          "タグ latest の付いたイメージがありません。あるタグは 0123456789ab, lastest です。",
          "No image has the tag latest; the tags are 0123456789ab, lastest."),
    Wrong("the tag in capitals", only("Latest", OWN_TAG), frozenset({"image.tag", "uri.resolves"}),
          "タグ latest の付いたイメージがありません。あるタグは 0123456789ab, Latest です。",
          "No image has the tag latest; the tags are 0123456789ab, Latest."),
    Wrong("only latest", only("latest"), frozenset({"image.unique-tag"}),
          "このイメージを見分けられる固有のタグが latest のほかにありません。*",
          "The image has no unique tag besides latest*"),
    Wrong("an image of Apple silicon", only("latest", OWN_TAG, platforms=("linux/arm64",)),
          PLATFORM,
          "イメージは linux/arm64 用です。*linux/amd64*exec format error*",
          'The image is for linux/arm64; *linux/amd64*"exec format error"*'),
    Wrong("an index without amd64",
          only("latest", OWN_TAG, platforms=("linux/arm64", "linux/arm", "unknown/unknown")),
          PLATFORM,
          "イメージは linux/arm64, linux/arm 用です。*",
          "The image is for linux/arm64, linux/arm; *"),
    Wrong("an image for Windows",
          only("latest", OWN_TAG, platforms=("windows/amd64",), answers=0), PLATFORM | RUNNABLE,
          "イメージは windows/amd64 用です。*", "The image is for windows/amd64; *"),
    Wrong("a plain manifest of Apple silicon",
          lambda me: push_plain(me, architecture="arm64"), PLATFORM,
          "イメージは linux/arm64 用です。*", "The image is for linux/arm64; *",
          on_ministack_only(NO_REGISTRY)),
    Wrong("something that is no image", push_what_is_no_image, PLATFORM | RUNNABLE,
          "イメージのプラットフォームがわかりません。linux/amd64 が必要です。",
          "The image does not say which platform it is for; it has to be linux/amd64."),
    Wrong("packed by the builtin engine", without_an_engine, RUNNABLE,
          "このイメージは builtin エンジンがコマンドを実行せずに作ったもので*",
          "The builtin engine packed this image without running any command*",
          on_ministack_only(NO_REGISTRY)),
    Wrong("the image never run", Learner.forget_run, RUNNABLE, *UNSEEN),
    Wrong("pushed again and recorded, and not run again", push_again_and_record, RUNNABLE, *UNSEEN),
    Wrong("another release run", run_an_older_release, RUNNABLE, *UNSEEN),
    Wrong("run from another repository", run_from_another_repository, RUNNABLE, *UNSEEN),
    Wrong("an image that does not start",
          only("latest", OWN_TAG, content="the shop without its gems", answers=0), RUNNABLE,
          "このイメージを動かしたとき(20*)は、起動しなかったか、応答がありませんでした。",
          "When this image was run (20*) it did not start, or did not answer."),
    Wrong("an image whose first page is an error",
          only("latest", OWN_TAG, content="the shop without its data", answers=500), RUNNABLE,
          "このイメージを動かしたとき(20*)、最初のページは HTTP 500 を返しました。",
          "When this image was run (20*) its first page came with HTTP 500."),
    Wrong("an image without a first page",
          only("latest", OWN_TAG, content="the shop without its routes", answers=404), RUNNABLE,
          "このイメージを動かしたとき(20*)、最初のページは HTTP 404 を返しました。",
          "When this image was run (20*) its first page came with HTTP 404."),
    # the URI
    Wrong("no URI recorded", Learner.forget, URI,
          "イメージ URI がまだ記録されていません。*", "The image URI is not recorded yet*"),
    Wrong("the URI of a public repository",
          write_uri("public.ecr.aws/a1b2c3d4/rails-app:latest"), URI,
          "記録された「public.ecr.aws/*」は、ECR のプライベートリポジトリの*",
          'What was recorded, "public.ecr.aws/*", is not an image URI of a private repository*'),
    Wrong("the URI with the scheme of a web page",
          write_uri("https://123456789012.dkr.ecr.us-east-1.amazonaws.com/rails-app"), URI,
          "記録された「https://*」は、ECR のプライベートリポジトリの*",
          'What was recorded, "https://*", is not an image URI of a private repository*'),
    Wrong("the URI of another region", a_uri_of_tokyo, frozenset({"uri.region"}),
          "イメージ URI は ap-northeast-1、クラスターは us-east-1 を指しています。*",
          "The image URI points to ap-northeast-1; the cluster is in us-east-1."),
    Wrong("the URI of another account", record_in_another_account, RESOLVES,
          "イメージ URI はアカウント 998877665544 のもので、いまのアカウントは 123456789012 です。",
          "The image URI belongs to the account 998877665544; this account is 123456789012.",
          on_ministack_only(NO_ACCOUNTS)),
    Wrong("the URI of another repository", record_another_repository, RESOLVES,
          "イメージ URI はリポジトリ「nginx」を指していて、rails-app ではありません。",
          'The image URI points to the repository "nginx" and not to rails-app.'),
    Wrong("pushed again after the URI was recorded", push_again, RESOLVES | RUNNABLE,
          "タグ latest は、URI を記録したあとに別のイメージへ移りました*",
          "The tag latest moved to another image after the URI was recorded*"),
    Wrong("the repository made again, and another image pushed", make_repository_again,
          RESOLVES | RUNNABLE,
          "タグ latest は、URI を記録したあとに別のイメージへ移りました*",
          "The tag latest moved to another image after the URI was recorded*"),
    Wrong("the recorded tag deleted", delete_the_recorded_tag, RESOLVES,
          "リポジトリ rails-app に、URI のタグ v1 のイメージがもうありません。",
          "The repository rails-app no longer holds an image of the URI's tag v1."),
)  # fmt: skip
