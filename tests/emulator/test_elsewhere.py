"""What is missing here is looked for in other regions; nothing missing, nothing is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handson.aws import Aws
from handson.aws import emulator as room
from handson.course import checks, syllabus
from handson.course.exercise import LIKELY_REGIONS
from handson.course.state import RecordedUri, Snapshot
from handson.resources import cluster
from handson.resources.cluster import ClusterForm as ClusterForm
from handson.resources.repository import ensure_repository
from handson.resources.snapshot import take_snapshot
from tests.emulator.hooks import Hook, connect
from tests.emulator.learner import TOKYO
from tests.emulator.test_snapshot import make_everything
from tests.unit.fake_aws import Refusal, reply

pytestmark = pytest.mark.emulator


class InPublic:
    """Stands for Amazon ECR Public, which no emulator has."""

    def __init__(self, answer: dict[str, Any] | Refusal) -> None:
        self._answer = answer

    def attach(self, session: Any) -> None:
        session.register("before-call.ecr-public.DescribeRepositories", self._before)

    def _before(self, **_: Any) -> Any:
        return reply(self._answer)


ALONE = InPublic({"repositories": []})
"""A connection with a hook on its way shares its clients with no other."""


def regions(aws: Aws) -> set[str]:
    """Return the other regions that a connection was led to."""
    return {region for _, region in aws._clients} - {aws.region}


def elsewhere(
    running: room.Running, home: Path, *hooks: Hook, missing: tuple[str, ...] = syllabus.CHECK_IDS
) -> tuple[Snapshot, Aws]:
    """Look with these hooks on the way; the connection's clients are no one else's."""
    aws = connect(running, *hooks)
    return take_snapshot(aws, home=home, missing=missing), aws


def test_other_regions_are_asked_for_what_is_missing_alone(
    emulator: room.Running, tmp_path: Path
) -> None:
    aws = connect(emulator).in_region(TOKYO)
    cluster.ensure_cluster(aws, ClusterForm())
    ensure_repository(aws, "rails-app")
    seen, _ = elsewhere(emulator, tmp_path, missing=("cluster",))
    assert [(found.check, found.region) for found in seen.elsewhere] == [("cluster", TOKYO)]
    seen, unasked = elsewhere(emulator, tmp_path, ALONE, missing=())
    assert (seen.elsewhere, regions(unasked)) == ((), set())
    make_everything(emulator)
    assert regions(elsewhere(emulator, tmp_path, ALONE)[1]) == set()


def test_a_handful_of_regions_is_asked_and_the_recorded_one_with_them(
    emulator: room.Running, tmp_path: Path
) -> None:
    uri = f"{emulator.account}.dkr.ecr.eu-west-3.amazonaws.com/rails-app:latest"
    recorded = RecordedUri(uri=uri, digest="sha256:x", recorded_at="")
    (tmp_path / "image-uri.json").write_text(json.dumps(recorded.to_json()))
    _, aws = elsewhere(emulator, tmp_path, ALONE, missing=("image",))
    assert regions(aws) == {"eu-west-3", *LIKELY_REGIONS} - {emulator.region}


def test_a_repository_of_ecr_public_is_found_where_the_private_one_is_missing(
    emulator: room.Running, tmp_path: Path
) -> None:
    raw = {
        "repositoryName": "rails-app",
        "repositoryArn": f"arn:aws:ecr-public::{emulator.account}:repository/rails-app",
        "repositoryUri": "public.ecr.aws/a1b2c3d4/rails-app",
        "registryId": emulator.account,
    }

    def look(answer: dict[str, Any] | Refusal) -> Snapshot:
        aws = connect(emulator, InPublic(answer), kind="aws")
        return take_snapshot(aws, home=tmp_path, missing=("repository",))

    [told] = checks.run_check("repository", look({"repositories": [raw]})).diagnoses
    assert told.code == "repository-public"
    assert told.facts == ("repository.private", "repository.uri")
    for code in ("RepositoryNotFoundException", "AccessDeniedException"):
        assert (code, look(Refusal(code)).repositories) == (code, ())
