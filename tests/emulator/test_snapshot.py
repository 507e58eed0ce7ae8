"""One look at everything: the snapshot that checks, pictures and evidence read."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from handson.aws import emulator as room
from handson.aws import settings
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
    meeting = Meeting({"DescribeVpcs", "ListClusters", "DescribeImages"}, parties=3)
    seen = take_snapshot(connect(emulator, meeting), home=tmp_path)
    assert [vpc.is_default for vpc in seen.vpcs] == [True]
    assert [seen.clusters, seen.repositories, seen.images, seen.recorded_uri] == [(), (), (), None]


def open_on(emulator: room.Running, operation: str, folder: Path) -> Workshop:
    """Return a workshop to which this operation is refused."""
    aws = connect(emulator, Answer(operation, Refusal("AccessDenied", status=403)))
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
        held = open_on(emulator, operation, tmp_path / check)
        with pytest.raises(NotAllowed, match=operation):
            held.evidence(check)
        assert held.journal().records == ()
    held = open_on(emulator, "DescribeClusters", tmp_path)
    assert held.evidence("network").result.passed
    passed = {check.id: check.passed for check in held.verify().checks}
    assert [passed[id] for id in ("network", "repository", "cluster")] == [True, True, False]
