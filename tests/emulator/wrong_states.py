"""Wrong states: a finished workshop in which one thing went wrong, made for real.

Each entry changes a finished workshop through AWS's API or the registry's, as a learner would in
the console, and says by hand which facts that breaks, which cause is told and with which values
(`*` stands for ids).  Nothing here is computed by what is tested.

What no emulator can be brought into stands in the unit tests (tests/unit/test_checks.py): a cluster
that is PROVISIONING or FAILED; a route whose state reads "blackhole" (both emulators go on calling
it active; here the gateway that it leads to is gone); a repository in Amazon ECR Public (neither
has that service; test_elsewhere.py answers in its place).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from typing import Any, Concatenate, ParamSpec

from handson.aws import Credentials
from handson.aws.connection import connect_emulator
from handson.course.state import RecordedUri
from handson.engine.builtin_engine import BuiltinEngine
from handson.resources.plan import make_tag_specification
from tests.emulator.learner import OCI, OWN_TAG, TOKYO, Learner
from tests.emulator.test_registry import Registry

VPC = "ecs-handson-vpc"
CLUSTER_NAME = "ecs-handson-cluster"
SHOP = "rails-app"

SHRUNK = {"subnets.public", "subnets.zones", "subnets.cidr"}
ROUTES = {"routes.default"}
NO_WAY_OUT = {"gateway.attached", *ROUTES}
BARE = {*SHRUNK, *NO_WAY_OUT, "vpc.dns"}
NAMES = {"names"}
NETWORK = {"vpc.exists", "vpc.cidr", "vpc.ipv6", "vpc.tenancy", "subnets.private", *BARE, *NAMES}
CLUSTER = {"cluster.exists", "cluster.active", "cluster.fargate", "cluster.instances"}
REPOSITORY = {"repository.exists", "repository.private", "repository.uri"}
RUNNABLE = {"image.runnable"}
PLATFORM = {"image.platform"}
IMAGE = {"image.pushed", "image.tag", "image.unique-tag", *PLATFORM, *RUNNABLE}
RESOLVES = {"uri.resolves"}
URI = {"uri.recorded", "uri.region", *RESOLVES}
ELSEWHERE = {"uri.region", *RESOLVES}
NO_TAG = {"image.tag", "image.unique-tag", *RESOLVES}
NO_REPOSITORY = {*REPOSITORY, *IMAGE, *RESOLVES}

# By emulator, why it cannot be brought into a state.
NO_IPV6 = {"ministack": "it knows neither AssociateVpcCidrBlock nor IPv6 blocks"}
NO_PEERING = {"ministack": "it forgets that a route leads to a peering connection"}
FORGOTTEN = {"ministack": "it forgets a deleted cluster at once"}
NO_INSTANCES = {"ministack": "it knows no RegisterContainerInstance"}
LISTED = {"moto": "it goes on describing a deleted cluster, as AWS does for a while"}
NO_REGISTRY = {"moto": "it serves no registry (/v2/), so no image's configuration can be read"}
NO_ACCOUNTS = {"moto": "it takes every access key for the same account"}

P = ParamSpec("P")
Make = Callable[[Learner], object]


class Wrong:
    """A mistake, the facts that it turns false, and the cause that is told, with its values.

    `lacking` says, by emulator, why that one cannot be brought into the state; `stays`, why no
    remedy can be seen to help there.
    """

    def __init__(
        self,
        name: str,
        make: Make,
        facts: Set[str],
        cause: str,
        lacking: Mapping[str, str] | None = None,
        stays: str = "",
        /,
        **values: str,
    ) -> None:
        self.name, self.make, self.facts = name, make, facts
        self.cause, self.values = cause, values
        self.lacking, self.stays = lacking or {}, stays


def chosen(act: Callable[Concatenate[Learner, P], object]) -> Callable[P, Make]:
    """Let an entry give the arguments of a change, which then waits for the learner."""

    def choose(*args: P.args, **named: P.kwargs) -> Make:
        return lambda learner: act(learner, *args, **named)

    return choose


@chosen
def both(learner: Learner, *makes: Make) -> None:
    for make in makes:
        make(learner)


def delete_network(learner: Learner) -> None:
    learner.delete_vpc(learner.vpc.id)


def use_the_default_vpc(learner: Learner) -> None:
    delete_network(learner)
    learner.name(learner.default_vpc, VPC)


@chosen
def anew(learner: Learner, **form: Any) -> None:
    """Make the network again with another setting in the form."""
    delete_network(learner)
    learner.make_network(**form)


def a_bare_namesake(learner: Learner) -> None:
    """Use "VPC only", and nothing else."""
    learner.name(learner.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], VPC)


by_hand = both(delete_network, a_bare_namesake)


def dedicated(learner: Learner) -> None:
    delete_network(learner)
    vpc = learner.ec2.create_vpc(CidrBlock="10.0.0.0/16", InstanceTenancy="dedicated")["Vpc"]
    [made] = make_tag_specification("vpc", VPC, owner=learner.aws.owners.name)
    learner.ec2.create_tags(Resources=[vpc["VpcId"]], Tags=made["Tags"])
    learner.run("01-network")


@chosen
def add_block(learner: Learner, **block: Any) -> None:
    learner.ec2.associate_vpc_cidr_block(VpcId=learner.vpc.id, **block)


@chosen
def switch_dns(learner: Learner, *attributes: str) -> None:
    for attribute in attributes:
        learner.ec2.modify_vpc_attribute(VpcId=learner.vpc.id, **{attribute: {"Value": False}})


@chosen
def delete_subnets(learner: Learner, *numbers: int) -> None:
    subnets = learner.vpc.subnets
    for number in numbers:
        leave_table(learner, subnets[number - 1].id)
        learner.ec2.delete_subnet(SubnetId=subnets[number - 1].id)


@chosen
def add_subnet(learner: Learner, cidr: str, zone: str, name: str, *, public: bool = True) -> None:
    vpc = learner.vpc
    made = learner.ec2.create_subnet(VpcId=vpc.id, CidrBlock=cidr, AvailabilityZone=zone)
    subnet = made["Subnet"]["SubnetId"]
    learner.name(subnet, name)
    if public:
        learner.ec2.associate_route_table(RouteTableId=public_table(learner), SubnetId=subnet)


def replace_subnet(number: int, cidr: str, zone: str) -> Make:
    name = f"ecs-handson-subnet-public{number}-{zone}"
    return both(delete_subnets(number), add_subnet(cidr, zone, name))


def public_table(learner: Learner) -> str:
    return next(table.id for table in learner.vpc.route_tables if "public" in table.name)


def leave_table(learner: Learner, *subnets: str) -> None:
    """Take subnets away from the route tables that they are associated with."""
    for table in learner.vpc.route_tables:
        for joined in learner.table(table.id)["Associations"]:
            if joined.get("SubnetId") in subnets:
                id = joined["RouteTableAssociationId"]
                learner.ec2.disassociate_route_table(AssociationId=id)


@chosen
def leave_tables(learner: Learner, *numbers: int) -> None:
    leave_table(learner, *(learner.vpc.subnets[number - 1].id for number in numbers))


def join_new_table(learner: Learner, *subnets: str, name: str = "") -> str:
    """Make a route table by hand, forget its route, and associate subnets with it."""
    made = learner.ec2.create_route_table(VpcId=learner.vpc.id)["RouteTable"]["RouteTableId"]
    learner.name(made, name)
    for subnet in subnets:
        leave_table(learner, subnet)
        learner.ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)
    return str(made)


def delete_table(learner: Learner) -> None:
    learner.delete_table(learner.table(public_table(learner)))


def delete_route(learner: Learner) -> None:
    table = public_table(learner)
    learner.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")


@chosen
def route_only(learner: Learner, cidr: str) -> None:
    """Route some addresses to the internet gateway, and no others."""
    delete_route(learner)
    learner.add_route(public_table(learner), cidr)


def lead(learner: Learner, **target: str) -> None:
    table = public_table(learner)
    learner.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)


def lead_to_nat(learner: Learner) -> None:
    subnet = learner.vpc.subnets[0].id
    made = learner.ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
    lead(learner, NatGatewayId=made["NatGateway"]["NatGatewayId"])


def lead_to_another_vpc(learner: Learner) -> None:
    ends = {"VpcId": learner.vpc.id, "PeerVpcId": learner.default_vpc}
    made = learner.ec2.create_vpc_peering_connection(**ends)["VpcPeeringConnection"]
    lead(learner, VpcPeeringConnectionId=made["VpcPeeringConnectionId"])


def lead_to_another_vpcs_gateway(learner: Learner) -> None:
    other = learner.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    lead(learner, GatewayId=attach_gateway(learner, "", other))


def attach_gateway(learner: Learner, name: str, vpc_id: str = "") -> str:
    """Attach another internet gateway to the workshop's VPC, or to another one."""
    made = learner.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    learner.name(made, name)
    learner.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc_id or learner.vpc.id)
    return str(made)


def detach_gateway(learner: Learner) -> None:
    vpc = learner.vpc
    learner.ec2.detach_internet_gateway(InternetGatewayId=vpc.internet_gateways[0].id, VpcId=vpc.id)


def delete_gateway(learner: Learner) -> None:
    vpc = learner.vpc
    learner.delete_gateway(vpc.internet_gateways[0].id, vpc.id)


@chosen
def rename(learner: Learner, part: str, name: str) -> None:
    """Give the VPC, a subnet ("subnet 2"), the public table or the gateway another name."""
    vpc = learner.vpc
    ids = {"vpc": vpc.id, "table": public_table(learner), "gateway": vpc.internet_gateways[0].id}
    ids |= {f"subnet {number}": it.id for number, it in enumerate(vpc.subnets, start=1)}
    learner.name(ids[part], name)


@chosen
def untag_vpc(learner: Learner, *keys: str) -> None:
    learner.ec2.delete_tags(Resources=[learner.vpc.id], Tags=[{"Key": key} for key in keys])


def network_in_tokyo(learner: Learner) -> None:
    delete_network(learner)
    ec2 = learner.there("ec2")
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": VPC}])


def delete_cluster(learner: Learner) -> None:
    learner.ecs.delete_cluster(cluster=CLUSTER_NAME)


@chosen
def instead_of_the_cluster(learner: Learner, name: str) -> None:
    delete_cluster(learner)
    learner.ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE"])


@chosen
def providers(learner: Learner, *names: str, strategy: Any = ()) -> None:
    if "my-asg" in names:
        group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:x/my-asg"
        provider = {"autoScalingGroupArn": group}
        learner.ecs.create_capacity_provider(name="my-asg", autoScalingGroupProvider=provider)
    chosen = {"capacityProviders": [*names], "defaultCapacityProviderStrategy": [*strategy]}
    learner.ecs.put_cluster_capacity_providers(cluster=CLUSTER_NAME, **chosen)


def register_instance(learner: Learner) -> None:
    run = learner.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    document = json.dumps({"instanceId": run["Instances"][0]["InstanceId"]})
    learner.ecs.register_container_instance(cluster=CLUSTER_NAME, instanceIdentityDocument=document)


def cluster_in_tokyo(learner: Learner) -> None:
    delete_cluster(learner)
    learner.there("ecs").create_cluster(clusterName=CLUSTER_NAME)


def delete_repository(learner: Learner) -> None:
    learner.ecr.delete_repository(repositoryName=SHOP, force=True)


@chosen
def push_into_new(learner: Learner, repository: str) -> None:
    learner.ecr.create_repository(repositoryName=repository)
    learner.push("latest", OWN_TAG, repository=repository)


def instead_of_the_repository(name: str) -> Make:
    return both(delete_repository, push_into_new(name))


def repository_in_tokyo(learner: Learner) -> None:
    delete_repository(learner)
    learner.there("ecr").create_repository(repositoryName=SHOP)


def push_to_tokyo(learner: Learner) -> None:
    learner.there("ecr").create_repository(repositoryName=SHOP)
    learner.push("latest", OWN_TAG, region=TOKYO)


def a_uri_of_tokyo(learner: Learner) -> None:
    """Push with the commands of another region, and record that URI."""
    push_to_tokyo(learner)
    learner.record(aws=learner.aws.in_region(TOKYO))


def empty(learner: Learner) -> None:
    """Delete all images."""
    found = learner.ecr.describe_images(repositoryName=SHOP)["imageDetails"]
    # An index before what it lists (ECR: ImageReferencedByManifestList).
    for image in sorted(found, key=lambda image: not image.get("imageTags")):
        ids = [{"imageDigest": image["imageDigest"]}]
        learner.ecr.batch_delete_image(repositoryName=SHOP, imageIds=ids)


image_in_tokyo = both(empty, a_uri_of_tokyo)


@chosen
def only(learner: Learner, *tags: str, **image: Any) -> None:
    """Leave the image that is pushed now as the only one; where it can, it is run and recorded."""
    empty(learner)
    learner.push(*tags, **image)
    if "latest" in tags:
        run_and_record(learner)


def pushed(**image: Any) -> Make:
    return only("latest", OWN_TAG, **image)


def run_and_record(learner: Learner) -> None:
    """Go on from the push as the notebook does."""
    learner.run_image()
    learner.record()


@chosen
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
    helm = "application/vnd.cncf.helm.config.v1+json"
    chart = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": {"mediaType": helm, "digest": f"sha256:{'ab' * 32}", "size": 7},
        "layers": [{"digest": f"sha256:{'cd' * 32}", "size": 5}],
    }
    for tag in ("latest", OWN_TAG):
        put = learner.ecr.put_image(
            repositoryName=SHOP, imageManifest=json.dumps(chart), imageTag=tag
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


def push_v1(learner: Learner) -> None:
    learner.push("v1", content="the first release")


def run_from_another_repository(learner: Learner) -> None:
    """Run the same image, but where the first try pushed it to."""
    push_into_new("rails")(learner)
    learner.run_image("rails")


@chosen
def write_uri(learner: Learner, uri: str) -> None:
    """Edit the file in which the URI is kept."""
    recorded = RecordedUri(uri=uri, digest="sha256:x", recorded_at="2026-01-01T00:00:00+00:00")
    (learner.home / "image-uri.json").write_text(json.dumps(recorded.to_json()))


def record_in_another_account(learner: Learner) -> None:
    """Do it all with the credentials of another account, where a repository is, too."""
    who = Credentials("998877665544", "not-a-secret")
    other = connect_emulator(learner.running.endpoint, region="us-east-1", credentials=who)
    other.call("ecr", "CreateRepository", repositoryName=SHOP)
    latest = {"repositoryName": SHOP, "imageIds": [{"imageTag": "latest"}]}
    manifest = learner.ecr.batch_get_image(**latest)["images"][0]["imageManifest"]
    image = {"imageManifest": manifest, "imageTag": "latest"}
    other.call("ecr", "PutImage", repositoryName=SHOP, **image)
    learner.record(aws=other)


def delete_the_recorded_tag(learner: Learner) -> None:
    """Record a release, and delete its image when the next one is there."""
    push_v1(learner)
    learner.record(tag="v1")
    learner.ecr.batch_delete_image(repositoryName=SHOP, imageIds=[{"imageTag": "v1"}])


HERE = {"region": "us-east-1"}
IN_TOKYO = {"there": TOKYO, **HERE}

WRONG: tuple[Wrong, ...] = (
    # the VPC
    Wrong("the VPC deleted", delete_network, NETWORK, "vpc-absent", **HERE, name=VPC),
    Wrong("the default VPC used", use_the_default_vpc, NETWORK, "vpc-default", name=VPC),
    Wrong("the network in another region", network_in_tokyo, NETWORK, "vpc-region", **IN_TOKYO),
    Wrong("another CIDR block", anew(cidr="10.1.0.0/16"), {"vpc.cidr", "subnets.cidr"},
          "vpc-cidr", cidr="10.1.0.0/16", wanted="10.0.0.0/16"),
    Wrong("a smaller CIDR block", anew(cidr="10.0.0.0/20"), {"vpc.cidr", "subnets.cidr"},
          "vpc-cidr", cidr="10.0.0.0/20", wanted="10.0.0.0/16"),
    Wrong("a second CIDR block", add_block(CidrBlock="10.1.0.0/16"), {"vpc.cidr"},
          "vpc-cidr-more", NO_IPV6, cidrs="10.1.0.0/16"),
    Wrong("an IPv6 block", add_block(AmazonProvidedIpv6CidrBlock=True), {"vpc.ipv6"},
          "vpc-ipv6", NO_IPV6, cidrs="*::/56"),
    Wrong("dedicated tenancy", dedicated, {"vpc.tenancy"},
          "vpc-tenancy", tenancy="dedicated", wanted="default"),
    Wrong("DNS resolution off", switch_dns("EnableDnsSupport"), {"vpc.dns"}, "dns-support-off"),
    Wrong("DNS hostnames off", switch_dns("EnableDnsHostnames"), {"vpc.dns"}, "dns-hostnames-off"),
    Wrong("all DNS off", switch_dns("EnableDnsHostnames", "EnableDnsSupport"), {"vpc.dns"},
          "dns-support-off"),
    Wrong("only the VPC made, by hand", by_hand, BARE, "subnets-few", count="0", wanted="2"),
    # its subnets
    Wrong("one subnet", delete_subnets(2), SHRUNK, "subnets-few", count="1", wanted="2"),
    Wrong("no subnets", delete_subnets(1, 2), SHRUNK | ROUTES, "subnets-few", count="0"),
    Wrong("one Availability Zone in the form", anew(availability_zones=1, public_subnets=1), SHRUNK,
          "subnets-few", count="1"),
    Wrong("three subnets", anew(availability_zones=3, public_subnets=3), SHRUNK,
          "subnet-more", name="*public3*", cidr="10.0.32.0/20"),
    Wrong("a third subnet in a zone that has one",
          add_subnet("10.0.32.0/20", "us-east-1a", "ecs-handson-subnet-public3-us-east-1a"),
          {"subnets.public", "subnets.cidr"}, "subnet-more", name="*public3*", cidr="10.0.32.0/20"),
    Wrong("private subnets in the form", anew(private_subnets=2), {"subnets.private"},
          "subnets-more", count="2", names="*private1*private2*"),
    Wrong("three Availability Zones and private subnets in the form",
          anew(availability_zones=3, public_subnets=3, private_subnets=3),
          SHRUNK | {"subnets.private"}, "subnets-more", count="4", names="*public3*private1*"),
    Wrong("a private subnet by hand",
          add_subnet("10.0.128.0/24", "us-east-1a", "database", public=False),
          {"subnets.private"}, "subnet-private", name="database"),
    Wrong("one zone twice", replace_subnet(2, "10.0.16.0/20", "us-east-1a"), {"subnets.zones"},
          "subnet-zone", name="*public2*", zone="us-east-1a"),
    Wrong("a subnet of another size", replace_subnet(2, "10.0.16.0/24", "us-east-1b"),
          {"subnets.cidr"}, "subnet-cidr", name="*public2*", cidr="10.0.16.0/24"),
    Wrong("subnets with blocks of one's own",
          both(replace_subnet(1, "10.0.1.0/24", "us-east-1a"),
               replace_subnet(2, "10.0.2.0/24", "us-east-1b")),
          {"subnets.cidr"}, "subnet-cidr", name="*public1*", cidr="10.0.1.0/24"),
    # its ways out
    Wrong("the gateway detached", detach_gateway, NO_WAY_OUT, "gateway-absent"),
    Wrong("the gateway deleted", delete_gateway, NO_WAY_OUT, "gateway-absent"),
    Wrong("neither gateway nor route", both(delete_route, delete_gateway), NO_WAY_OUT,
          "gateway-absent"),
    Wrong("a route to a gateway that is gone",  # and another one is attached
          both(delete_gateway, lambda me: attach_gateway(me, "ecs-handson-igw")), ROUTES,
          "route-elsewhere", target="igw-*"),
    Wrong("the route missing", delete_route, ROUTES, "route-missing"),
    Wrong("a route for some addresses only", route_only("8.8.8.0/24"), ROUTES, "route-missing"),
    Wrong("half of the internet routed", route_only("0.0.0.0/1"), ROUTES, "route-missing"),
    Wrong("a route to another VPC's gateway", lead_to_another_vpcs_gateway, ROUTES,
          "route-elsewhere", target="igw-*"),
    Wrong("a route to a NAT gateway", lead_to_nat, ROUTES, "route-elsewhere", target="nat-*"),
    Wrong("a route to another VPC", lead_to_another_vpc, ROUTES,
          "route-elsewhere", NO_PEERING, target="pcx-*"),
    Wrong("the route table not associated", leave_tables(1, 2), ROUTES, "table-not-associated"),
    Wrong("one of two subnets associated", leave_tables(2), ROUTES,
          "table-not-associated", name="*public2*"),
    Wrong("the route table deleted", delete_table, ROUTES, "table-not-associated"),
    Wrong("a route table by hand, without a route",
          lambda me: join_new_table(me, *(subnet.id for subnet in me.vpc.subnets), name="my-table"),
          ROUTES | NAMES, "route-missing"),
    Wrong("a subnet with a route table of its own, without a route",
          lambda me: join_new_table(me, me.vpc.subnets[1].id),
          ROUTES | NAMES, "route-missing", name="*public2*"),
    # its names
    Wrong("the VPC's name typed wrongly", rename("vpc", "ecs-handsom-vpc"), NAMES,
          "name-differs", name="ecs-handsom-vpc", wanted=VPC),
    Wrong("the form's name typed wrongly", anew(name="ecs-hands-on"), NAMES,
          "name-differs", name="ecs-hands-on-vpc", wanted=VPC),
    Wrong("a VPC by hand, named otherwise", both(untag_vpc("handson"), rename("vpc", "my-vpc-01")),
          NAMES, "vpc-unnamed", name="my-vpc-01", wanted=VPC),
    Wrong("a subnet named for another zone",
          rename("subnet 2", "ecs-handson-subnet-public2-us-east-1c"), NAMES,
          "name-differs", name="*-us-east-1c", wanted="*us-east-1b"),
    Wrong("a public subnet named private",
          rename("subnet 1", "ecs-handson-subnet-private1-us-east-1a"), NAMES,
          "name-differs", name="*-private1-us-east-1a"),
    Wrong("the route table unnamed", rename("table", ""), NAMES,
          "name-missing", id="rtb-*", wanted="ecs-handson-rtb-public"),
    Wrong("the gateway unnamed", rename("gateway", ""), NAMES,
          "name-missing", id="igw-*", wanted="ecs-handson-igw"),
    Wrong("the VPC's name in full-width letters", rename("vpc", "ecs-handson-ｖｐｃ"), NAMES,
          "name-lookalike", name="ecs-handson-ｖｐｃ", wanted=VPC),
    Wrong("a space behind a subnet's name, as copied",
          rename("subnet 1", "ecs-handson-subnet-public1-us-east-1a "), NAMES,
          "name-lookalike", id="subnet-*", name="*public1-us-east-1a "),
    Wrong("a VPC by hand, without a name", untag_vpc("handson", "Name"), NAMES,
          "vpc-nameless", wanted=VPC),
    Wrong("a bare VPC of the same name", a_bare_namesake, NAMES, "vpc-namesake", name=VPC),
    Wrong("the form sent twice", Learner.make_network, NAMES, "vpc-namesake", name=VPC),
    # the cluster
    Wrong("the cluster deleted", delete_cluster, CLUSTER, "cluster-absent", LISTED, **HERE),
    Wrong("the cluster deleted, and still described", delete_cluster, CLUSTER,
          "cluster-deleted", FORGOTTEN, **HERE),
    Wrong("the cluster misspelt", instead_of_the_cluster("ecs-handson-clustr"), CLUSTER,
          "cluster-misspelt", found="ecs-handson-clustr", name=CLUSTER_NAME),
    Wrong("the cluster in capitals", instead_of_the_cluster("ECS-Handson-Cluster"), CLUSTER,
          "cluster-misspelt", found="ECS-Handson-Cluster"),
    Wrong("the form's prefix for the cluster", instead_of_the_cluster("ecs-handson"), CLUSTER,
          "cluster-misspelt", found="ecs-handson"),
    Wrong("the cluster in another region", cluster_in_tokyo, CLUSTER | {"uri.region"},
          "cluster-region", **IN_TOKYO),
    Wrong("a cluster without Fargate", providers(), {"cluster.fargate"}, "cluster-no-fargate"),
    Wrong("Fargate Spot alone", providers("FARGATE_SPOT"), {"cluster.fargate"},
          "cluster-no-fargate"),
    Wrong("EC2 capacity beside Fargate", providers("FARGATE", "FARGATE_SPOT", "my-asg"),
          {"cluster.instances"}, "cluster-ec2-provider", providers="my-asg"),
    Wrong("EC2 capacity alone", providers("my-asg"), {"cluster.fargate", "cluster.instances"},
          "cluster-ec2-provider", providers="my-asg"),
    Wrong("an EC2 instance in the cluster", register_instance, {"cluster.instances"},
          "cluster-instances", NO_INSTANCES, "moto goes on counting an instance that has left",
          count="1"),
    # the repository
    Wrong("the repository deleted", delete_repository, NO_REPOSITORY, "repository-absent", **HERE),
    Wrong("the repository misspelt", instead_of_the_repository("rails_app"),
          NO_REPOSITORY, "repository-misspelt", found="rails_app", name=SHOP),
    Wrong("the repository in a namespace", instead_of_the_repository("handson/rails-app"),
          NO_REPOSITORY, "repository-misspelt", found="handson/rails-app"),
    Wrong("the repository in another region", repository_in_tokyo, NO_REPOSITORY,
          "repository-region", **IN_TOKYO),
    # the image
    Wrong("the image deleted after its evidence", empty, IMAGE | RESOLVES, "image-absent", **HERE),
    Wrong("only the image in another region", image_in_tokyo,
          IMAGE | ELSEWHERE, "image-region", **IN_TOKYO),
    Wrong("everything in another region",
          both(network_in_tokyo, cluster_in_tokyo, image_in_tokyo, delete_repository),
          NETWORK | CLUSTER | REPOSITORY | IMAGE | ELSEWHERE, "image-other-region", **IN_TOKYO),
    Wrong("the image in another repository", both(empty, push_into_new("rails")), IMAGE | RESOLVES,
          "image-elsewhere", found="rails", name=SHOP),
    Wrong("the image without a tag", only(), NO_TAG, "image-untagged", tag="latest"),
    Wrong("the image under another tag", only("v1"), NO_TAG, "image-tag", tag="latest", tags="v1"),
    Wrong("the tag misspelt", only("lastest", OWN_TAG), NO_TAG,
          "image-tag", tags="0123456789ab, lastest"),
    Wrong("the tag in capitals", only("Latest", OWN_TAG), NO_TAG,
          "image-tag", tags="0123456789ab, Latest"),
    Wrong("only latest", only("latest"), {"image.unique-tag"}, "image-only-latest", tag="latest"),
    Wrong("an image of Apple silicon", pushed(platforms=("linux/arm64",)),
          PLATFORM, "image-platform", found="linux/arm64", wanted="linux/amd64"),
    Wrong("an index without amd64",
          pushed(platforms=("linux/arm64", "linux/arm", "unknown/unknown")),
          PLATFORM, "image-platform", found="linux/arm64, linux/arm"),
    Wrong("an image for Windows", pushed(platforms=("windows/amd64",), answers=0),
          PLATFORM | RUNNABLE, "image-platform", found="windows/amd64"),
    Wrong("a plain manifest of Apple silicon", push_plain(architecture="arm64"), PLATFORM,
          "image-platform", NO_REGISTRY, found="linux/arm64"),
    Wrong("something that is no image", push_what_is_no_image, PLATFORM | RUNNABLE,
          "image-platform-unknown", wanted="linux/amd64"),
    Wrong("packed by the builtin engine", without_an_engine, RUNNABLE,
          "image-builtin", NO_REGISTRY),
    Wrong("the image never run", Learner.forget_run, RUNNABLE, "image-unseen"),
    Wrong("pushed again and recorded, and not run again", both(push_again, Learner.record),
          RUNNABLE, "image-unseen"),
    Wrong("another release run", both(push_v1, lambda me: me.run_image(tag="v1")),
          RUNNABLE, "image-unseen"),
    Wrong("run from another repository", run_from_another_repository, RUNNABLE, "image-unseen"),
    Wrong("an image that does not start", pushed(content="without its gems", answers=0), RUNNABLE,
          "image-silent", at="20*"),
    Wrong("an image whose first page is an error", pushed(content="without its data", answers=500),
          RUNNABLE, "image-status", at="20*", status="500"),
    Wrong("an image without a first page", pushed(content="without its routes", answers=404),
          RUNNABLE, "image-status", at="20*", status="404"),
    # the URI
    Wrong("no URI recorded", Learner.forget, URI, "uri-absent"),
    Wrong("the URI of a public repository", write_uri("public.ecr.aws/a1b2c3d4/rails-app:latest"),
          URI, "uri-malformed", uri="public.ecr.aws/*"),
    Wrong("the URI with the scheme of a web page",
          write_uri("https://123456789012.dkr.ecr.us-east-1.amazonaws.com/rails-app"), URI,
          "uri-malformed", uri="https://*"),
    Wrong("the URI of another region", a_uri_of_tokyo, {"uri.region"},
          "uri-region", image=TOKYO, cluster="us-east-1"),
    Wrong("the URI of another account", record_in_another_account, RESOLVES,
          "uri-account", NO_ACCOUNTS, found="998877665544", here="123456789012"),
    Wrong("the URI of another repository",
          both(push_into_new("nginx"), lambda me: me.record("nginx")), RESOLVES,
          "uri-repository", found="nginx", wanted=SHOP),
    Wrong("pushed again after the URI was recorded", push_again, RESOLVES | RUNNABLE,
          "uri-moved", tag="latest"),
    Wrong("the repository made again, and another image pushed",
          both(instead_of_the_repository(SHOP), push_again),
          RESOLVES | RUNNABLE, "uri-moved", tag="latest"),
    Wrong("the recorded tag deleted", delete_the_recorded_tag, {"image.tag", *RESOLVES},
          "image-tag", tag="v1"),
)  # fmt: skip
