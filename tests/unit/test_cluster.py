"""The cluster's way to ACTIVE, with AWS's states, races and slowness played by a fake."""

from __future__ import annotations

from typing import Any

import pytest

from handson.core.errors import HandsonError, InvalidInput, WaitTimeout
from handson.resources import cluster
from handson.resources.cluster import ClusterForm
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal, closed

NAME = "ecs-handson-cluster"
ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/{NAME}"
FORM = ClusterForm()
PROVIDERS = ["FARGATE", "FARGATE_SPOT"]
TAGS = [{"key": "handson", "value": "ecs-handson"}]
CREATED = {"cluster": {"clusterArn": ARN}}


def described(status: str = "ACTIVE", **changes: Any) -> dict[str, Any]:
    raw = {"clusterName": NAME, "clusterArn": ARN, "status": status, "tags": TAGS}
    return {"clusters": [raw | {"capacityProviders": PROVIDERS} | changes]}


MISSING = {"clusters": [], "failures": [{"arn": ARN, "reason": "MISSING"}]}
UP, BARE = described(), described(capacityProviders=[])
MAKING, GOING, GONE = map(described, ("PROVISIONING", "DEPROVISIONING", "INACTIVE"))
NEW = [MISSING, UP]


def play(*states: dict[str, Any], **answers: Any) -> FakeAws:
    """Return AWS with a cluster that goes through these states."""
    fake = FakeAws()
    service = ARN.replace(":cluster/", ":service/") + "/shop"
    usual = {
        "CreateCluster": [CREATED],
        "DeleteCluster": [{}],
        "PutClusterCapacityProviders": [{}],
        "ListClusters": [{"clusterArns": [ARN]}],
        "ListServices": [{"serviceArns": [service]}],
        "ListTasks": [{"taskArns": []}],
        "ListContainerInstances": [{"containerInstanceArns": []}],
        "DescribeClusters": states,
    }
    for operation, given in (usual | answers).items():
        fake.answers(operation, *given)
    return fake


def ensured(fake: FakeAws, form: ClusterForm = FORM) -> cluster.EnsuredCluster:
    return cluster.ensure_cluster(fake.connect(), form)


def refused(fake: FakeAws, form: ClusterForm = FORM) -> HandsonError:
    with pytest.raises(HandsonError) as error:
        ensured(fake, form)
    assert len(str(error.value).splitlines()) == 2
    return error.value


def test_a_missing_cluster_is_created_with_fargate_and_the_workshops_tag() -> None:
    fake = play(*NEW)
    told: list[str] = []
    cluster.ensure_cluster(fake.connect().report_to(told.append), FORM)
    assert fake.operations == ["DescribeClusters", "CreateCluster", "DescribeClusters"]
    form = {"clusterName": NAME, "capacityProviders": PROVIDERS, "tags": TAGS}
    assert fake.said("CreateCluster") == [form]
    assert told == [f"CreateCluster {ARN}"]


NO_ROLE = Refusal("InvalidParameterException", "Unable to assume the service linked role.")
RETRY = Refusal("ClientException", "ECS Service Linked Role is not ready. Please retry.")
WRONG = Refusal("InvalidParameterException", "Tags are wrong.")
UPDATING = Refusal("UpdateInProgressException")
NOT_ACTIVE = Refusal("ClientException", "Cluster was not ACTIVE.")
WAYS: dict[str, tuple[list[Any], list[Any], list[Any], tuple[str, int, int]]] = {
    # states, answers to CreateCluster and PutClusterCapacityProviders; end, calls of either
    "it is there": ([UP], [], [], ("ACTIVE", 0, 0)),
    "it is deleted and still described": ([GONE, UP], [], [], ("ACTIVE", 1, 0)),
    "it is being made": ([MISSING, *[MAKING] * 4, UP], [], [], ("ACTIVE", 1, 0)),
    "it is not shown yet": ([MISSING, *[MISSING] * 4, UP], [], [], ("ACTIVE", 1, 0)),
    "it failed": ([MISSING, MAKING, described("FAILED")], [], [], ("NotReady", 1, 0)),
    "it is being deleted": ([GOING, GOING, GONE, UP], [], [], ("ACTIVE", 1, 0)),
    "there is no role yet": (NEW, [NO_ROLE, NO_ROLE], [], ("ACTIVE", 3, 0)),
    "the role is not ready": (NEW, [RETRY, RETRY], [], ("ACTIVE", 3, 0)),
    "another refusal of that code": (NEW, [WRONG], [], ("AWSError", 1, 0)),
    "the reply is lost": (NEW, [closed()], [], ("ACTIVE", 1, 0)),
    "it lacks providers": ([*[BARE] * 3, UP], [], [], ("ACTIVE", 0, 1)),
    "providers are being added": ([*[BARE] * 6, UP], [], [], ("ACTIVE", 0, 1)),
    "an update is under way": ([*[BARE] * 3, UP], [], [UPDATING], ("ACTIVE", 0, 2)),
    "the reply to adding is lost": ([*[BARE] * 3, UP], [], [closed()], ("ACTIVE", 0, 1)),
}
PAUSES = {"it is being made": 4, "it is not shown yet": 4, "it is being deleted": 2,
          "providers are being added": 3}  # fmt: skip


def outcome(fake: FakeAws) -> tuple[str, int, int]:
    try:
        end = ensured(fake).cluster.status
    except HandsonError as error:
        end = type(error).__name__
    return end, *map(fake.operations.count, ("CreateCluster", "PutClusterCapacityProviders"))


def test_a_cluster_is_created_and_completed_once_and_waited_for() -> None:
    found, fakes = {}, {}
    for name, (states, made, added, _) in WAYS.items():
        answers = {"CreateCluster": [*made, CREATED], "PutClusterCapacityProviders": [*added, {}]}
        fakes[name] = play(*states, **answers)
        found[name] = outcome(fakes[name])
    assert found == {name: wanted for name, (*_, wanted) in WAYS.items()}
    assert {name: len(fakes[name].clock.pauses) for name in PAUSES} == PAUSES


def test_waiting_ends_with_the_last_status_or_with_the_role_and_the_permission_last() -> None:
    fake = play(MISSING, MAKING)
    error = refused(fake)
    assert type(error) is WaitTimeout
    assert 600 <= sum(fake.clock.pauses) < 610
    assert ("PROVISIONING" in error.problem, "Cluster(" in error.problem) == (True, False)
    fake = play(*NEW, CreateCluster=[NO_ROLE])
    error = refused(fake)
    assert (type(error), error.code) == (WaitTimeout, NO_ROLE.code)
    assert 120 <= sum(fake.clock.pauses) < 126
    assert "AWSServiceRoleForECS" in error.problem
    assert ["iam:" in sentence for sentence in (error.problem, error.remedy)] == [False, True]


def test_a_busy_cluster_is_waited_for_as_long_as_the_field_does_and_each_wait_is_told() -> None:
    for busy in (UPDATING, Refusal("ResourceInUseException"), NOT_ACTIVE):
        fake = play(*[BARE] * 3, UP, PutClusterCapacityProviders=[busy])
        error = refused(fake)
        assert (error.code, busy.message in error.problem) == (busy.code, True)
        assert 600 <= sum(fake.clock.pauses) < 610
    fake, told = play(*[BARE] * 3, UP, PutClusterCapacityProviders=[UPDATING, {}]), list[str]()
    cluster.ensure_cluster(fake.connect().report_to(told.append), FORM)
    assert ["ecs:PutClusterCapacityProviders" in words for words in told][:1] == [True]


def test_adding_providers_keeps_those_that_are_there_and_their_strategy() -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    own = {"defaultCapacityProviderStrategy": strategy}
    before = described(capacityProviders=["by-hand", "FARGATE"], **own)
    providers = ["FARGATE", "by-hand", "FARGATE_SPOT"]
    fake = play(*[before] * 3, described(capacityProviders=providers))
    ensured(fake)
    asked = {"cluster": NAME, "capacityProviders": providers, **own}
    assert fake.said("PutClusterCapacityProviders") == [asked]
    fake = play(UP)
    ensured(fake, ClusterForm(capacity_providers=("FARGATE",)))  # the other was not asked for
    assert set(fake.operations) == {"DescribeClusters"}


def test_an_exact_form_takes_providers_and_their_strategy_from_a_cluster_of_ours_alone() -> None:
    form = ClusterForm(capacity_providers=("FARGATE_SPOT",), exact=True)
    strategy = [{"capacityProvider": name, "weight": 1, "base": 0} for name in PROVIDERS]
    before = described(defaultCapacityProviderStrategy=strategy)
    fake = play(*[before] * 3, described(capacityProviders=["FARGATE_SPOT"]))
    assert ensured(fake, form).cluster.capacity_providers == ("FARGATE_SPOT",)
    [asked] = fake.said("PutClusterCapacityProviders")
    assert asked["capacityProviders"] == ["FARGATE_SPOT"]
    assert asked["defaultCapacityProviderStrategy"] == strategy[1:]
    by_hand = play(described(tags=[]))
    assert set(ensured(by_hand, form).cluster.capacity_providers) == set(PROVIDERS)
    assert set(by_hand.operations) == {"DescribeClusters"}


def test_a_card_says_fargate_alone_only_when_it_is_and_warns_of_another_name() -> None:
    mixed = described(capacityProviders=["by-hand", *PROVIDERS])
    shown = [repr(ensured(play(state))) for state in (UP, mixed)]
    assert ["Fargate だけのクラスター" in card for card in shown] == [True, False]
    made = ensured(play(UP), ClusterForm(name="ecs-handson-clustr"))
    assert (made.card().state, "ecs-handson-clustr" in repr(made.notes)) == ("warn", True)


def test_a_form_that_will_not_do_is_refused_before_any_call() -> None:
    fake = play(*NEW)
    wrong: list[dict[str, Any]] = [{"name": "ecs handson"}, {"ec2_instances": True}]
    wrong += [{"capacity_providers": providers} for providers in (("EC2",), ())]
    for form in (*wrong, {"ec2_instances": "off"}):  # as a learner may type it
        assert type(refused(fake, ClusterForm(**form))) is InvalidInput, form
    assert fake.calls == []


def test_clusters_are_described_a_hundred_at_a_time() -> None:
    fake = play({"clusters": []}, ListClusters=[{"clusterArns": [f"{ARN}{n}" for n in range(150)]}])
    cluster.find_clusters(fake.connect())
    assert [len(asked["clusters"]) for asked in fake.said("DescribeClusters")] == [100, 50]


def list_reasons(fake: FakeAws) -> list[str]:
    """Delete what carries the tag; return why what was kept was kept."""
    listed = cluster.list_cluster_resources(fake.connect())
    return [reason for item in listed if item.resource.tagged and (reason := item.delete())]


OCCUPIED = Refusal("ClusterContainsTasksException")
HELD = Refusal("ClusterContainsCapacityProviderException")
DELETIONS: dict[str, tuple[dict[str, Any], list[Any], tuple[bool, bool]]] = {
    # changes, answers to DeleteCluster; whether it was called, and whether the cluster is kept
    "ours": ({}, [{}], (True, False)),
    "not tagged": ({"tags": []}, [{}], (False, False)),
    "of another": ({"tags": [{"key": "handson", "value": "another"}]}, [{}], (False, False)),
    "deleted": ({"status": "INACTIVE"}, [{}], (False, False)),
    "being deleted": ({"status": "DEPROVISIONING"}, [{}], (False, False)),
    "with a service": ({"activeServicesCount": 1}, [{}], (False, True)),
    "with a task": ({"runningTasksCount": 1}, [{}], (False, True)),
    "in use, says AWS": ({}, [OCCUPIED], (True, True)),
    "with providers of its own": ({}, [HELD], (True, True)),
    "in use a moment longer": ({}, [OCCUPIED, {}], (True, False)),
    "being updated": ({}, [UPDATING, {}], (True, False)),
    "gone already": ({}, [closed(), Refusal("ClusterNotFoundException")], (True, False)),
}


def test_only_what_is_tagged_there_and_not_in_use_is_deleted() -> None:
    found, kept, fakes = {}, {}, {}
    for name, (changes, answers, _) in DELETIONS.items():
        fakes[name] = fake = play(described(**changes), DeleteCluster=answers)
        kept[name] = list_reasons(fake)
        found[name] = ("DeleteCluster" in fake.operations, bool(kept[name]))
    assert found == {name: wanted for name, (*_, wanted) in DELETIONS.items()}
    assert "service/ecs-handson-cluster/shop" in kept["with a service"][0]
    assert sum(fakes["in use, says AWS"].clock.pauses) >= 600
    assert fakes["with providers of its own"].clock.pauses == []
