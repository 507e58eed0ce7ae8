"""One look at everything: the snapshot that checks and pictures read."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from handson.aws import Aws, settings
from handson.aws import emulator as room
from handson.aws.connection import Connection
from handson.core.errors import NotAllowed
from handson.core.progress import TerminalProgress
from handson.course.exercise import NetworkForm
from handson.course.state import Snapshot
from handson.notebook.workshop import Workshop
from handson.resources import cluster, network
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.repository import ensure_repository
from handson.resources.snapshot import take_snapshot
from tests.emulator.hooks import Answer, Meeting, connect, writes
from tests.emulator.test_registry import Registry
from tests.unit.fake_aws import Refusal

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]


def make_everything(emulator: room.Running) -> None:
    aws = connect(emulator)
    network.ensure_network(aws, NetworkForm())
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    pushing = Registry(emulator)
    pushing.put(pushing.image(), tag="latest")


def test_an_empty_region_holds_its_default_vpc_alone(
    emulator: room.Running, tmp_path: Path
) -> None:
    seen = take_snapshot(connect(emulator), home=tmp_path)
    counts = (len(seen.clusters), len(seen.repositories), len(seen.images), seen.recorded_uri)
    assert ([vpc.is_default for vpc in seen.vpcs], counts) == ([True], (0, 0, 0, None))


def test_everything_that_was_made_is_seen(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    seen = take_snapshot(connect(emulator), home=tmp_path)
    assert (
        [vpc.name for vpc in seen.vpcs],
        [item.name for item in seen.clusters],
        [item.name for item in seen.repositories],
        [item.tags for item in seen.images],
    ) == (["", "ecs-handson-vpc"], ["ecs-handson-cluster"], ["rails-app"], [("latest",)])


def test_looking_changes_nothing(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    aws = connect(emulator)
    take_snapshot(aws, home=tmp_path)
    assert writes(aws) == []


def test_two_looks_see_the_same(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    first = take_snapshot(connect(emulator), home=tmp_path)
    assert take_snapshot(connect(emulator), home=tmp_path) == first


def test_a_look_survives_the_way_through_a_notebook(emulator: room.Running, tmp_path: Path) -> None:
    make_everything(emulator)
    seen = take_snapshot(connect(emulator), home=tmp_path)
    assert Snapshot.from_json(seen.to_json()) == seen


def test_the_services_are_looked_at_at_once(emulator: room.Running, tmp_path: Path) -> None:
    meeting = Meeting({"DescribeVpcs", "ListClusters", "DescribeRepositories"}, parties=4)
    assert take_snapshot(connect(emulator, meeting), home=tmp_path).vpcs[0].is_default


@pytest.mark.parametrize("operation", ["DescribeSubnets", "ListClusters", "DescribeRepositories"])
def test_a_look_that_is_denied_is_told(
    emulator: room.Running, tmp_path: Path, operation: str
) -> None:
    denied = Answer(operation, Refusal("AccessDenied", status=403))
    with pytest.raises(NotAllowed, match=operation):
        take_snapshot(connect(emulator, denied), home=tmp_path)


# Evidence asks for what its check reads


def open_on(aws: Aws, folder: Path) -> Workshop:
    """Return a workshop on this connection."""
    environ = {"HANDSON_HOME": str(folder / "home"), "HANDSON_ENGINE": "builtin"}
    chosen = settings.read_settings(
        environ, cwd=folder, endpoint_url=aws.endpoint, learner="Hanako"
    )
    return Workshop(
        chosen,
        progress=TerminalProgress(StringIO()),
        show=lambda _card: None,
        connect=lambda _settings: Connection(aws),
    )


@pytest.mark.parametrize(
    ("check", "services"),
    [("network", {"ec2"}), ("cluster", {"ecs"}), ("repository", {"ecr"})],
)
def test_evidence_asks_the_service_of_its_check_alone(
    emulator: room.Running, tmp_path: Path, check: str, services: set[str]
) -> None:
    make_everything(emulator)
    aws = connect(emulator)
    found = open_on(aws, tmp_path).evidence(check)
    assert found.result.passed
    assert {request.service for request in aws.requests} == services
    assert len(aws.requests) <= 7  # on real AWS one more says who calls


def test_evidence_of_one_service_does_not_need_another(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    denied = Answer("DescribeRepositories", Refusal("AccessDenied", status=403))
    held = open_on(connect(emulator, denied), tmp_path)
    assert held.evidence("network").result.passed


@pytest.mark.parametrize(
    ("check", "operation"),
    [
        ("network", "DescribeSubnets"),
        ("cluster", "DescribeClusters"),
        ("repository", "DescribeRepositories"),
        ("image", "DescribeImages"),
    ],
)
def test_evidence_of_a_service_that_refuses_is_not_sealed(
    emulator: room.Running, tmp_path: Path, check: str, operation: str
) -> None:
    make_everything(emulator)
    denied = Answer(operation, Refusal("AccessDenied", status=403))
    held = open_on(connect(emulator, denied), tmp_path)
    with pytest.raises(NotAllowed, match=operation):
        held.evidence(check)
    assert held.journal().records == ()


def test_a_service_that_refuses_leaves_the_other_checks_judged(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    denied = Answer("DescribeClusters", Refusal("AccessDenied", status=403))
    verification = open_on(connect(emulator, denied), tmp_path).verify()
    passed = {check.id for check in verification.checks if check.passed}
    assert {"network", "repository"} <= passed
    assert "cluster" not in passed
