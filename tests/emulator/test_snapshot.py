"""One look at everything: the snapshot that checks, pictures and evidence read."""

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


def denied(operation: str) -> Answer:
    return Answer(operation, Refusal("AccessDenied", status=403))


# take_snapshot


def test_everything_that_was_made_is_seen_and_nothing_changed(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    aws = connect(emulator)
    seen = take_snapshot(aws, home=tmp_path)
    names = [item.name for item in (*seen.vpcs, *seen.clusters, *seen.repositories)]
    assert names == ["", "ecs-handson-vpc", "ecs-handson-cluster", "rails-app"]
    assert [item.tags for item in seen.images] == [("latest",)]
    assert take_snapshot(aws, home=tmp_path) == seen
    assert Snapshot.from_json(seen.to_json()) == seen
    assert writes(aws) == []


def test_the_services_are_looked_at_at_once(emulator: room.Running, tmp_path: Path) -> None:
    meeting = Meeting({"DescribeVpcs", "ListClusters", "DescribeRepositories"}, parties=4)
    seen = take_snapshot(connect(emulator, meeting), home=tmp_path)
    assert [vpc.is_default for vpc in seen.vpcs] == [True]
    assert [seen.clusters, seen.repositories, seen.images, seen.recorded_uri] == [(), (), (), None]


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


def test_evidence_asks_the_service_of_its_check_alone(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    asked = {}
    for check in ("network", "cluster", "repository"):
        aws = connect(emulator)
        assert open_on(aws, tmp_path / check).evidence(check).result.passed
        asked[check] = {request.service for request in aws.requests}
        assert len(aws.requests) <= 7  # on real AWS one more says who calls
    assert asked == {"network": {"ec2"}, "cluster": {"ecs"}, "repository": {"ecr"}}


def test_evidence_of_a_service_that_refuses_is_not_sealed_and_others_do_not_need_it(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    for check, operation in {
        "network": "DescribeSubnets",
        "cluster": "DescribeClusters",
        "repository": "DescribeRepositories",
        "image": "DescribeImages",
    }.items():
        held = open_on(connect(emulator, denied(operation)), tmp_path / check)
        with pytest.raises(NotAllowed, match=operation):
            held.evidence(check)
        assert held.journal().records == ()
    held = open_on(connect(emulator, denied("DescribeRepositories")), tmp_path)
    assert held.evidence("network").result.passed


def test_a_service_that_refuses_leaves_the_other_checks_judged(
    emulator: room.Running, tmp_path: Path
) -> None:
    make_everything(emulator)
    verification = open_on(connect(emulator, denied("DescribeClusters")), tmp_path).verify()
    passed = {check.id: check.passed for check in verification.checks}
    assert [passed[id] for id in ("network", "repository", "cluster")] == [True, True, False]
