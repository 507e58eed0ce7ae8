"""The IAM policy enforced: the whole workshop passes under it, and misses every action it lacks."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from handson.aws.connection import Connection, find_owners
from handson.aws.emulator import ACCOUNT, Running
from handson.core.errors import NotAllowed
from handson.course import policy, syllabus
from handson.course.exercise import Exercise, NetworkForm
from handson.course.owners import list_tags
from handson.course.variation import Variation
from handson.notebook.workshop import Workshop
from handson.resources import cluster, image_run, network
from handson.resources.images import require_image
from handson.resources.repository import ensure_repository
from handson.resources.vpc_listing import find_vpcs
from tests.emulator.guarded import REGION, ROOT, Guarded, for_ministack, without
from tests.emulator.hooks import Inside, connect, reset
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.emulator

WHOLE = policy.write_policy(region=REGION, account=ACCOUNT)
Verb = Callable[[Workshop, Path], Any]
VERBS: dict[str, Verb] = {
    "ensure_network": lambda room, shop: room.ensure_network(),
    "ensure_cluster": lambda room, shop: room.ensure_cluster(),
    "ensure_repository": lambda room, shop: room.ensure_repository(),
    "push_image": lambda room, shop: room.push_image(room.build_image(shop)),
    "images": lambda room, shop: room.images(),
    "tag_image": lambda room, shop: room.tag_image(tag="1.0.0", image="latest"),
    "run_image": lambda room, shop: room.run_image(),
    "record_image_uri": lambda room, shop: room.record_image_uri(),
    "evidence": lambda room, shop: [room.evidence(check) for check in syllabus.CHECK_IDS],
    "verify": lambda room, shop: room.verify(),
    "snapshot": lambda room, shop: room.snapshot(),
    "draw": lambda room, shop: room.draw(),
    "questions": lambda room, shop: room.questions("why-zones"),
    "predict": lambda room, shop: room.predict("route-tables", 1),
    "check_task": lambda room, shop: room.check_task("spot-only"),
    "delete_default_route": lambda room, shop: room.delete_default_route(),
    "cleanup": lambda room, shop: room.cleanup(confirm="delete"),
}
"""Each verb as the notebooks take it, in their order; evidence of all five items."""

# Asked for by a check only where its cluster is missing, to find a misspelt one.
SELDOM: dict[str, set[str]] = {verb: {"ecs:ListClusters"} for verb in ("evidence", "verify")}
# Only a network and a cluster that are there but not right take these.
MENDING = {
    "ec2:ModifyVpcEndpoint": "ensure_network",
    "ec2:ReplaceRoute": "ensure_network",
    "ecs:PutClusterCapacityProviders": "ensure_cluster",
}

AT_CREATION = "AWS asks for it when a call creates something with tags"
BY_REGISTRY = "the registry asks for it while an image is pushed"
OCCUPIED = "names what runs in a cluster that cannot be deleted yet"
UNSEEN = {
    "ec2:CreateTags": AT_CREATION,
    "ecr:BatchCheckLayerAvailability": BY_REGISTRY,
    "ecr:CompleteLayerUpload": BY_REGISTRY,
    "ecr:GetDownloadUrlForLayer": "emulators give blobs out over the registry protocol",
    "ecr:InitiateLayerUpload": BY_REGISTRY,
    "ecr:PutImage": BY_REGISTRY,
    "ecr:TagResource": AT_CREATION,
    "ecr:UploadLayerPart": BY_REGISTRY,
    "ecs:ListContainerInstances": OCCUPIED,
    "ecs:ListServices": OCCUPIED,
    "ecs:ListTasks": OCCUPIED,
    "ecs:TagResource": AT_CREATION,
    "iam:CreateServiceLinkedRole": "ECS makes its role as the caller, at the first cluster",
    "servicequotas:GetServiceQuota": "asked on real AWS alone, of an account with five VPCs",
}
"""Actions that a run on an emulator does not show, each with the reason why it is needed."""

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

NEEDS = {verb: actions for verb, (_, actions) in policy.VERBS.items()}
SEEN = sorted({action for needed in NEEDS.values() for action in needed} - UNSEEN.keys())


@pytest.fixture
def open_as(home: Path) -> Callable[..., Workshop]:
    """Answer ``open_as(aws)`` with a workshop on this connection."""

    def opener(aws: Aws, **given: str) -> Workshop:
        ways = {"connect": lambda _settings: Connection(aws)}
        return open_workshop(home, endpoint_url=aws.endpoint, ways=ways, **given)

    return opener


def spoil(aws: Aws) -> None:
    """Lead the default route to a gateway of somebody else's, and take the cluster's providers."""
    vpc = next(vpc for vpc in find_vpcs(aws) if vpc.tagged)
    table = next(table for table in vpc.route_tables if table.name == "ecs-handson-rtb-public")
    made = aws.call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    where = {"RouteTableId": table.id, "DestinationCidrBlock": "0.0.0.0/0"}
    aws.call("ec2", "ReplaceRoute", **where, GatewayId=made)
    nothing: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    aws.call("ecs", "PutClusterCapacityProviders", cluster=Exercise().cluster, **nothing)


def mend(room: Workshop, verb: str) -> None:
    """Make it again; private subnets' tables are added to the endpoint of the network."""
    if verb == "ensure_network":
        room.ensure_network(private_subnets=2)
    if verb == "ensure_cluster":
        room.ensure_cluster()


def log_in_to_pull(room: Workshop) -> None:
    """Prepare the pull, which the builtin engine does not come to: it runs nothing."""
    order = image_run.Order("rails-app", "latest", room.settings.home)
    found = require_image(room.aws, order.repository, order.tag, exercise=order.exercise)
    image_run.make_run_request(room.aws, *found, order)


def called(aws: Aws) -> set[str]:
    """Return the actions of the calls since this was asked last."""
    made = {policy.name_action(request.service, request.operation) for request in aws.requests}
    aws.requests.clear()
    return made - {"sts:GetCallerIdentity"}


def test_each_verb_calls_what_the_policy_says_and_nothing_else(
    emulator: Running, open_as: Callable[[Aws], Workshop], shop: Path
) -> None:
    aws = connect(emulator)
    room = open_as(aws)
    called(aws)
    seen: dict[str, set[str]] = {}
    for verb, take in VERBS.items():
        take(room, shop)
        seen[verb] = called(aws)
        if verb == "ensure_cluster":
            spoil(connect(emulator))
            for name in ("ensure_network", "ensure_cluster"):
                mend(room, name)
                seen[name] |= called(aws)
        if verb == "run_image":
            log_in_to_pull(room)
        seen[verb] |= called(aws)
    expected = {
        verb: set(needed) - UNSEEN.keys() - SELDOM.get(verb, set())
        for verb, needed in NEEDS.items()
    }
    assert {verb: actions - UNSEEN.keys() for verb, actions in seen.items()} == expected


@pytest.fixture(scope="module")
def known(inside: Inside) -> Guarded:
    """Return the user, who is not among what `reset` empties."""
    return Guarded(inside.endpoint, ROOT)


@pytest.fixture
def ministack(known: Guarded, inside: Inside) -> Iterator[Guarded]:
    """Empty it, and have it enforce IAM, as MiniStack does with ``AUTH=true``."""
    from ministack import app

    reset(inside)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "AUTH", True)
        yield known


def test_the_whole_workshop_passes_under_the_policy(
    ministack: Guarded, open_as: Callable[[Aws], Workshop], shop: Path
) -> None:
    ministack.attach(for_ministack(WHOLE))
    room = open_as(ministack.connect())
    results = {verb: take(room, shop) for verb, take in VERBS.items()}
    assert results["verify"].passed
    assert results["cleanup"].left == ()


@pytest.mark.parametrize("learner", ["Hanako", ""], ids=["one", "all"])
def test_a_learner_of_a_course_passes_under_its_policy_and_keeps_off_the_others(
    learner: str,
    ministack: Guarded,
    open_as: Callable[..., Workshop],
    shop: Path,
    tmp_path: Path,
) -> None:
    course = tmp_path / "course.toml"
    course.write_text('[exercise]\nkey = "spring"\n', encoding="utf-8")
    lab = Variation(key="spring")
    written = policy.write_course_policy(lab, learner, account=ACCOUNT)
    ministack.attach(for_ministack(written))
    room = open_as(ministack.connect(), course=str(course))
    results = {verb: take(room, shop) for verb, take in VERBS.items()}
    assert results["verify"].passed
    assert results["cleanup"].left == ()
    other = lab.derive_exercise("Taro")
    tags = [{"Key": key, "Value": value} for key, value in list_tags("taro").items()]
    refused = []
    for name in (other.repository, "rails-app"):
        with contextlib.suppress(NotAllowed):
            room.aws.call("ecr", "CreateRepository", repositoryName=name, tags=tags)
            continue
        refused.append(name)
    assert refused == ([other.repository, "rails-app"] if learner else ["rails-app"])


def test_what_the_workshop_does_not_make_is_not_allowed(ministack: Guarded) -> None:
    ministack.attach(for_ministack(WHOLE))
    aws = ministack.connect()
    refused = []
    for service, operation, parameters in FORBIDDEN:
        with pytest.raises(NotAllowed) as denied:
            aws.call(service, operation, **parameters)
        refused += denied.value.actions
    assert refused == [policy.name_action(*asked[:2]) for asked in FORBIDDEN]


OTHER_TAG = [{"Key": "handson", "Value": "somebody-else"}]
FORBIDDEN: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "CreateSecurityGroup", {"GroupName": "web", "Description": "web"}),
    ("ec2", "CreateTags", {"Resources": ["vpc-1"], "Tags": OTHER_TAG}),
    ("ecr", "BatchGetImage", {"repositoryName": "other", "imageIds": [{"imageTag": "latest"}]}),
    ("ecr", "DescribeImages", {"repositoryName": "other"}),
    ("ecr", "CreateRepository", {"repositoryName": "rails-app"}),
    ("ecr", "CreateRepository", {"repositoryName": "other", "tags": OTHER_TAG}),
    ("ecr", "DeleteRepository", {"repositoryName": "other"}),
    ("ecs", "CreateCluster", {"clusterName": "ecs-handson-cluster"}),
    ("ecs", "RegisterTaskDefinition", {"family": "f", "containerDefinitions": []}),
]


def make(aws: Aws, *, before: str) -> None:
    """Make what the verbs before this one make, as somebody who may."""
    done = list(VERBS)[: list(VERBS).index(before)]
    if "ensure_network" in done:
        network.ensure_network(aws, NetworkForm())
    if "ensure_cluster" in done:
        cluster.ensure_cluster(aws, cluster.ClusterForm())
    if "ensure_repository" in done:
        ensure_repository(aws, "rails-app")
    if "push_image" in done:
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}
        parameters = {"imageManifest": json.dumps(manifest), "imageTag": "latest"}
        aws.call("ecr", "PutImage", repositoryName="rails-app", **parameters)


def list_lacking(verb: str) -> list[str]:
    """Return the actions that a verb is the first to take in a run."""
    earlier = {
        action
        for one in list(VERBS)[: list(VERBS).index(verb)]
        for action in {*NEEDS[one]} - SELDOM.get(one, set())
    }
    own = {*SEEN} & {*NEEDS[verb]} - SELDOM.get(verb, set()) - earlier
    return sorted(own - MENDING.keys())


@pytest.mark.parametrize("verb", [*(verb for verb in VERBS if list_lacking(verb)), "mend"])
def test_a_missing_action_is_named(
    ministack: Guarded, open_as: Callable[[Aws], Workshop], shop: Path, inside: Inside, verb: str
) -> None:
    """What is told in words, with its cell, is tried in tests/unit/test_policy.py."""
    lacking = list(MENDING) if verb == "mend" else list_lacking(verb)
    told = {}
    root = ministack.connect(ministack.root)
    root.owners = find_owners(open_as(root).settings)
    make(root, before="ensure_repository" if verb == "mend" else verb)
    if verb == "mend":
        spoil(root)
    before = inside.door.copy_state()
    for action in lacking:
        inside.door.restore_state(before)
        room = open_as(ministack.connect())
        ministack.attach(for_ministack(without(WHOLE, action)))
        if verb == "cleanup":  # it goes on, and says why something is left
            done = room.cleanup(confirm="delete")
            reasons = " ".join(removal.reason for removal in (*done.left, *done.unpriced))
            told[action] = tuple(it for it in lacking if re.search(rf"{it}\b", reasons))
        else:
            with pytest.raises(NotAllowed) as denied:
                mend(room, MENDING[action]) if verb == "mend" else VERBS[verb](room, shop)
            told[action] = denied.value.actions
    assert told == {action: (action,) for action in lacking}
