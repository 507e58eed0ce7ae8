"""The cluster's way to ACTIVE, with AWS's states, races and slowness played by a fake."""

from __future__ import annotations

from typing import Any

import pytest

from handson.core.errors import (
    AWSError,
    HandsonError,
    InvalidInput,
    NotAllowed,
    NotReady,
    WaitTimeout,
)
from handson.resources import cluster
from handson.resources.cluster import ClusterForm
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal, closed

NAME = "ecs-handson-cluster"
ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/{NAME}"
PROVIDERS = ["FARGATE", "FARGATE_SPOT"]
MISSING = {"clusters": [], "failures": [{"arn": ARN, "reason": "MISSING"}]}
ROLE = "Unable to assume the service linked role. Please verify that the ECS role exists."


def described(status: str = "ACTIVE", **changes: Any) -> dict[str, Any]:
    raw = {
        "clusterName": NAME,
        "clusterArn": ARN,
        "status": status,
        "capacityProviders": PROVIDERS,
        "tags": [{"key": "handson", "value": "ecs-handson"}],
    }
    return {"clusters": [raw | changes]}


CREATED = {"cluster": {"clusterArn": ARN}}


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws()
    fake.answers("CreateCluster", CREATED)
    fake.answers("DeleteCluster", {})
    fake.answers("PutClusterCapacityProviders", {})
    fake.answers("ListClusters", {"clusterArns": [ARN]})
    fake.answers("DescribeClusters", MISSING, described())
    service = ARN.replace(":cluster/", ":service/") + "/shop"
    fake.answers("ListServices", {"serviceArns": [service]})
    fake.answers("ListTasks", {"taskArns": []})
    fake.answers("ListContainerInstances", {"containerInstanceArns": []})
    return fake


def ensured(fake: FakeAws, form: ClusterForm | None = None) -> cluster.EnsuredCluster:
    return cluster.ensure_cluster(fake.connect(), form or ClusterForm())


def refused(fake: FakeAws, form: ClusterForm | None = None) -> HandsonError:
    with pytest.raises(HandsonError) as error:
        ensured(fake, form)
    assert len(str(error.value).splitlines()) == 2
    return error.value


def deleted(fake: FakeAws) -> list[str]:
    """Delete; return why what was kept was kept."""
    removals = cluster.delete_clusters(fake.connect())
    return [removal.reason for removal in removals if removal.reason]


# ensure_cluster: created or left alone


def test_a_missing_cluster_is_created_with_fargate_and_the_workshops_tag(fake: FakeAws) -> None:
    said: list[str] = []
    cluster.ensure_cluster(fake.connect(), ClusterForm(), say=said.append)
    assert fake.operations == ["DescribeClusters", "CreateCluster", "DescribeClusters"]
    assert fake.calls[1][1] == {
        "clusterName": NAME,
        "capacityProviders": PROVIDERS,
        "tags": [{"key": "handson", "value": "ecs-handson"}],
    }
    assert said == ["-", f"CreateCluster {ARN}", "ACTIVE"]


def test_a_cluster_that_is_there_is_left_alone(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described())
    ensured(fake)
    assert set(fake.operations) == {"DescribeClusters"}


def test_a_deleted_cluster_that_is_still_described_counts_as_absent(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described("INACTIVE"), described())
    ensured(fake)
    assert "CreateCluster" in fake.operations


@pytest.mark.parametrize("seen", [described("PROVISIONING"), MISSING], ids=["made", "not shown"])
def test_a_cluster_that_is_not_active_or_not_shown_yet_is_waited_for(
    fake: FakeAws, seen: dict[str, Any]
) -> None:
    fake.answers("DescribeClusters", MISSING, *[seen] * 4, described())
    assert ensured(fake).cluster.status == "ACTIVE"
    assert len(fake.clock.pauses) == 4


def test_waiting_ends_after_three_minutes_and_the_last_status_is_told(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", MISSING, described("PROVISIONING"))
    error = refused(fake)
    assert type(error) is WaitTimeout
    assert 180 <= sum(fake.clock.pauses) < 190
    assert "PROVISIONING" in error.problem
    assert "Cluster(" not in error.problem


def test_a_failed_cluster_is_not_ready(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", MISSING, described("PROVISIONING"), described("FAILED"))
    assert type(refused(fake)) is NotReady


def test_a_cluster_that_is_being_deleted_is_waited_for_and_then_made_anew(fake: FakeAws) -> None:
    going = described("DEPROVISIONING")
    fake.answers("DescribeClusters", going, going, described("INACTIVE"), described())
    ensured(fake)
    assert fake.operations == [*["DescribeClusters"] * 3, "CreateCluster", "DescribeClusters"]


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("InvalidParameterException", ROLE),
        Refusal("ClientException", "ECS Service Linked Role is not ready. Please retry."),
    ],
)
def test_the_service_linked_role_is_waited_for(fake: FakeAws, refusal: Refusal) -> None:
    fake.answers("CreateCluster", refusal, refusal, CREATED)
    ensured(fake)
    assert fake.operations.count("CreateCluster") == 3


def test_a_role_that_never_comes_is_told_as_the_permission_to_make_it(fake: FakeAws) -> None:
    fake.answers("CreateCluster", Refusal("InvalidParameterException", ROLE))
    error = refused(fake)
    assert type(error) is NotAllowed
    assert "iam:CreateServiceLinkedRole" in error.problem


def test_another_refusal_of_the_same_code_is_told_at_once(fake: FakeAws) -> None:
    fake.answers("CreateCluster", Refusal("InvalidParameterException", "Tags are wrong."))
    assert type(refused(fake)) is AWSError
    assert fake.operations.count("CreateCluster") == 1


def test_a_lost_reply_is_looked_after_before_creating_again(fake: FakeAws) -> None:
    fake.answers("CreateCluster", closed())
    ensured(fake)
    assert fake.operations.count("CreateCluster") == 1


# ensure_cluster: capacity providers

BARE = described(capacityProviders=[])


def test_capacity_providers_that_are_missing_are_added(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", *[BARE] * 3, described())
    assert ensured(fake).cluster.capacity_providers == ("FARGATE", "FARGATE_SPOT")
    assert "CreateCluster" not in fake.operations


def test_adding_providers_keeps_those_that_are_there_and_their_strategy(fake: FakeAws) -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    before = described(
        capacityProviders=["by-hand", "FARGATE"], defaultCapacityProviderStrategy=strategy
    )
    after = described(capacityProviders=["by-hand", "FARGATE", "FARGATE_SPOT"])
    fake.answers("DescribeClusters", *[before] * 3, after)
    ensured(fake)
    asked = [said for name, said in fake.calls if name == "PutClusterCapacityProviders"]
    assert asked == [
        {
            "cluster": NAME,
            "capacityProviders": ["by-hand", "FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": strategy,
        }
    ]


def test_providers_that_are_being_added_are_waited_for(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", *[BARE] * 6, described())
    ensured(fake)
    assert len(fake.clock.pauses) == 3


@pytest.mark.parametrize(
    ("answers", "calls"), [([Refusal("UpdateInProgressException"), {}], 2), ([closed()], 1)]
)
def test_an_update_under_way_is_waited_for_and_a_lost_reply_adds_no_provider_twice(
    fake: FakeAws, answers: list[Any], calls: int
) -> None:
    fake.answers("PutClusterCapacityProviders", *answers)
    fake.answers("DescribeClusters", *[BARE] * 3, described())
    ensured(fake)
    assert fake.operations.count("PutClusterCapacityProviders") == calls


def test_providers_that_were_not_asked_for_stay(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described())
    ensured(fake, ClusterForm(capacity_providers=("FARGATE",)))
    assert "PutClusterCapacityProviders" not in fake.operations


@pytest.mark.parametrize(
    ("providers", "said"), [(PROVIDERS, True), (["by-hand", *PROVIDERS], False)]
)
def test_a_card_says_fargate_alone_only_when_it_is(
    fake: FakeAws, providers: list[str], said: bool
) -> None:
    fake.answers("DescribeClusters", described(capacityProviders=providers))
    assert ("Fargate だけのクラスター" in repr(ensured(fake))) == said


def test_a_form_that_will_not_do_is_refused_before_any_call(fake: FakeAws) -> None:
    forms = [
        ClusterForm(name="ecs handson"),
        ClusterForm(capacity_providers=("EC2",)),
        ClusterForm(ec2_instances=True),
        ClusterForm(ec2_instances="off"),  # type: ignore[arg-type]  # as a learner may type it
        ClusterForm(capacity_providers=()),
    ]
    assert [type(refused(fake, form)) for form in forms] == [InvalidInput] * len(forms)
    assert fake.calls == []


# find_clusters, delete_clusters


def test_clusters_are_described_a_hundred_at_a_time(fake: FakeAws) -> None:
    fake.answers("ListClusters", {"clusterArns": [f"{ARN}{n}" for n in range(150)]})
    fake.answers("DescribeClusters", {"clusters": []})
    cluster.find_clusters(fake.connect())
    asked = [len(said["clusters"]) for name, said in fake.calls if name == "DescribeClusters"]
    assert asked == [100, 50]


DELETIONS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"tags": []}, False),
    ({"tags": [{"key": "handson", "value": "another"}]}, False),
    ({"status": "INACTIVE"}, False),
    ({"status": "DEPROVISIONING"}, False),
    ({"activeServicesCount": 1}, False),
    ({"runningTasksCount": 1}, False),
]


@pytest.mark.parametrize(("changes", "goes"), DELETIONS, ids=str)
def test_only_what_is_tagged_there_and_not_in_use_is_deleted(
    fake: FakeAws, changes: dict[str, Any], goes: bool
) -> None:
    fake.answers("DescribeClusters", described(**changes))
    deleted(fake)
    assert ("DeleteCluster" in fake.operations) == goes


def test_what_keeps_a_cluster_is_named(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described(activeServicesCount=1))
    [reason] = deleted(fake)
    assert "service/ecs-handson-cluster/shop" in reason


def test_a_cluster_that_aws_says_is_in_use_is_kept_after_some_patience(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described())
    fake.answers("DeleteCluster", Refusal("ClusterContainsTasksException"))
    assert len(deleted(fake)) == 1
    assert sum(fake.clock.pauses) >= 30


@pytest.mark.parametrize("code", ["UpdateInProgressException", "ClusterContainsTasksException"])
def test_what_passes_is_waited_for(fake: FakeAws, code: str) -> None:
    fake.answers("DescribeClusters", described())
    fake.answers("DeleteCluster", Refusal(code), {})
    assert deleted(fake) == []


def test_a_cluster_that_is_gone_already_is_content(fake: FakeAws) -> None:
    fake.answers("DescribeClusters", described())
    fake.answers("DeleteCluster", closed(), Refusal("ClusterNotFoundException"))
    assert deleted(fake) == []
