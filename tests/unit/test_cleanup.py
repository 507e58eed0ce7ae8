"""Clean-up in all regions that were used, and its receipt: with AWS played by a fake."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import AWSError, NotAllowed
from handson.course.exercise import Exercise, NetworkForm
from handson.course.owners import Owners
from handson.course.state import Target
from handson.resources import cleanup, receipts
from handson.resources.network import ensure_network
from handson.resources.receipts import Cleanup
from tests.unit.fake_aws import ACCOUNT, Refusal
from tests.unit.fake_ec2 import DELETIONS, TAG, FakeEc2

CLUSTER = "ecs-handson-cluster"
REGIONS = ("us-east-1", "ap-northeast-1")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MONTH = timedelta(hours=730)
ORDER = ["DeleteRepository", "DeleteCluster", *DELETIONS]
NOUNS = ["VPCEndpoint", "RouteTable", "Subnet", "Subnet", "InternetGateway", "VPC"]
TYPES = ["AWS::ECR::Repository", "AWS::ECS::Cluster", *(f"AWS::EC2::{noun}" for noun in NOUNS)]


class FakeRegion(FakeEc2):
    """A region with a cluster, a repository and a network, as the workshop leaves them."""

    def __init__(self, name: str = "us-east-1", *, tagged: bool = True) -> None:
        super().__init__()
        self.name = name
        self.clusters = {CLUSTER: tagged}
        self.repositories = {"rails-app": tagged}
        self.layers: list[tuple[int, datetime]] = []
        self.answers("ListClusters", lambda _: {"clusterArns": [*map(self._arn, self.clusters)]})
        self.answers("DescribeClusters", lambda _: {"clusters": self._clusters()})
        self.answers("DeleteCluster", lambda said: self._drop(self.clusters, said["cluster"]))
        self.answers("DescribeRepositories", lambda _: {"repositories": self._repositories()})
        self.answers("ListTagsForResource", lambda said: {"tags": self._tags(said["resourceArn"])})
        drop = self._drop
        self.answers("DeleteRepository", lambda it: drop(self.repositories, it["repositoryName"]))
        self.answers("DescribeImages", lambda _: {"imageDetails": self._images()})
        self.answers("BatchGetImage", lambda _: {"images": self._manifests()})
        if tagged:
            ensure_network(self.connect(kind="emulator"), NetworkForm())
        self.calls.clear()

    def _drop(self, held: dict[str, bool], id: str) -> dict[str, Any]:
        del held[id.rpartition("/")[2]]
        return {}

    def _arn(self, cluster: str) -> str:
        return f"arn:aws:ecs:{self.name}:{ACCOUNT}:cluster/{cluster}"

    def _clusters(self) -> list[dict[str, Any]]:
        tag, active = {"key": "handson", "value": "ecs-handson"}, {"status": "ACTIVE"}
        return [
            {**active, "clusterName": it, "clusterArn": self._arn(it), "tags": [tag] * ours}
            for it, ours in self.clusters.items()
        ]

    def _repositories(self) -> list[dict[str, Any]]:
        arn, uri = f"arn:aws:ecr:{self.name}:{ACCOUNT}", f"{ACCOUNT}.dkr.ecr.{self.name}"
        return [
            {"repositoryName": it, "repositoryArn": f"{arn}:repository/{it}",
             "repositoryUri": f"{uri}.amazonaws.com/{it}", "registryId": ACCOUNT}
            for it in self.repositories
        ]  # fmt: skip

    def _tags(self, arn: str) -> list[dict[str, str]]:
        ours = self.repositories[arn.rpartition("/")[2]]
        return [TAG] if ours else []

    def _images(self) -> list[dict[str, Any]]:
        return [
            {"imageDigest": f"sha256:{n}", "imagePushedAt": since}
            for n, (_, since) in enumerate(self.layers)
        ]

    def _manifests(self) -> list[dict[str, Any]]:
        return [
            {"imageId": {"imageDigest": f"sha256:{n}"},
             "imageManifest": json.dumps({"layers": [{"digest": f"layer {n}", "size": size}]})}
            for n, (size, _) in enumerate(self.layers)
        ]  # fmt: skip


@pytest.fixture
def region() -> FakeRegion:
    return FakeRegion()


@pytest.fixture
def tokyo(region: FakeRegion, tmp_path: Path) -> FakeRegion:
    """Return a region where the same was made by mistake."""
    there = FakeRegion("ap-northeast-1")
    region.elsewhere["ap-northeast-1"] = there
    where = Target(kind="aws", account=ACCOUNT, region="ap-northeast-1")
    receipts.remember_region(tmp_path, where)
    return there


def clean(region: FakeRegion, home: Path, **given: Any) -> Cleanup:
    return cleanup.clean_up(region.connect(), home, clock=lambda: NOW, **given)


def receipt(home: Path) -> dict[str, Any]:
    [path] = (home / "receipts").glob("*.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_everything_with_the_tag_is_listed_deleted_in_awss_order_and_named_in_the_receipt(
    region: FakeRegion, tmp_path: Path
) -> None:
    region.clusters["mine"] = region.repositories["mine"] = False
    listed = cleanup.list_cleanup(region.connect(), tmp_path)
    assert (listed.regions, listed.saved, listed.unfinished) == (("us-east-1",), None, False)
    assert (listed.beside, listed.failed) == ((), ())
    assert [region.writes, list(tmp_path.iterdir())] == [[], []]
    said: list[str] = []
    aws = region.connect().report_to(lambda words: said.append(str(words)))
    done = cleanup.clean_up(aws, tmp_path, clock=lambda: NOW)
    assert (region.writes, done.left) == (ORDER, ())
    assert [item.type for item in done.found] == TYPES
    assert done.found == listed.found
    assert [removal.resource for removal in done.removals] == list(done.found)
    assert said == [f"{item.label} {item.name}" for item in done.found]
    assert (region.clusters, region.repositories) == ({"mine": False}, {"mine": False})
    kept = receipt(tmp_path)
    there = [item.id for item in done.found]
    assert [[item["id"] for item in kept[part]] for part in ("deleted", "found")] == [there] * 2
    assert (kept["left"], kept["nothing_left"], kept["state"]) == ([], True, "finished")
    assert (kept["regions"], kept["begun_at"]) == (["us-east-1"], "2026-01-31T12:00:00+00:00")
    assert kept["cost"]["usd"] == 0
    [path] = (tmp_path / "receipts").iterdir()
    nothing = messages.text("resources.cleanup.nothing-stored.charged")
    assert [words for words in (path.name, "us-east-1", nothing) if words not in repr(done)] == []
    region.calls.clear()
    again = cleanup.delete_tagged(region.connect())
    assert (again.found, again.removals, region.writes) == ((), (), [])


@pytest.mark.parametrize(("looks", "left"), [(3, []), (999, ["ecs-handson-vpc"])])
def test_what_aws_lists_for_a_while_longer_is_deleted_or_left_with_the_reason(
    region: FakeRegion, looks: int, left: list[str]
) -> None:
    vpc, own = region.named("Vpc", "ecs-handson-vpc"), region.planned["DeleteVpc"][-1]

    def answer(said: dict[str, Any]) -> Any:
        region.first("DescribeVpcs", *[{"Vpcs": [vpc]}] * looks)
        return own(said)

    region.answers("DeleteVpc", answer)
    before, reason = region.clock.now, messages.text("resources.cleanup.still-listed")
    done = cleanup.delete_tagged(region.connect(consistency=20.0))
    assert [(it.resource.name, it.reason) for it in done.left] == [(name, reason) for name in left]
    waited = region.clock.now - before
    assert waited == pytest.approx(20.0) if left else len(region.clock.pauses) == 3


def test_what_could_not_be_looked_at_is_not_gone_where_the_next_look_finds_it(
    region: FakeRegion, tmp_path: Path
) -> None:
    region.answers("DeleteCluster", {})
    region.first("DescribeVpcs", *[region._list("Vpc")] * 2)  # so that there is a second look
    found = region.planned["DescribeClusters"][-1]
    region.answers("DescribeClusters", found, DENIED, found)
    left = [(it.resource.name, it.reason) for it in clean(region, tmp_path).left]
    assert left == [(CLUSTER, messages.text("resources.cleanup.still-listed"))]


def test_only_names_of_the_exercise_without_the_tag_are_told(tmp_path: Path) -> None:
    region = FakeRegion(tagged=False)
    region.add("Vpc", name="ecs-handson-vpc", CidrBlock="10.0.0.0/16")
    region.add("Vpc", name="mine", CidrBlock="10.1.0.0/16")
    region.clusters["my-cluster"] = region.repositories["my-shop"] = False
    ours = ["rails-app", CLUSTER, "ecs-handson-vpc"]
    listed, done = cleanup.list_cleanup(region.connect(), tmp_path), clean(region, tmp_path)
    kept = receipt(tmp_path)
    assert (listed.found, [item.name for item in listed.beside]) == ((), ours)
    assert listed.foreign == ()
    assert [item["name"] for item in kept["beside"]] == ours
    assert [name for name in ours if name not in repr(listed) or name not in repr(done)] == []
    assert (kept["nothing_left"], region.writes) == (True, [])
    shop = Exercise(cluster="my-cluster", repository="x", network=NetworkForm(name="x"))
    listed = cleanup.list_cleanup(region.connect(), tmp_path, exercise=shop)
    assert [item.name for item in listed.beside] == ["my-cluster"]


def test_the_receipt_names_what_is_left_and_why_without_waiting(
    region: FakeRegion, tmp_path: Path
) -> None:
    vpc = region.named("Vpc", "ecs-handson-vpc")["VpcId"]
    group = region.add("SecurityGroup", VpcId=vpc, GroupName="my-group")
    done = clean(region, tmp_path)
    kept = receipt(tmp_path)
    [left] = kept["left"]
    assert (left["resource"]["id"], kept["nothing_left"]) == (vpc, False)
    assert [(it.resource.id, it.reason) for it in done.left] == [(vpc, left["reason"])]
    assert f"my-group (セキュリティグループ {group})" in left["reason"]
    assert left["reason"] in repr(done)
    assert region.clock.pauses == []


def test_the_cost_is_that_of_the_layers_of_our_repository(
    region: FakeRegion, tmp_path: Path
) -> None:
    region.repositories["empty"] = True
    region.layers = [(2**30, NOW - MONTH), (2**29, NOW - MONTH)]
    region.first("DescribeImages", lambda _: {"imageDetails": region._images()}, {})
    done = clean(region, tmp_path)
    cost = receipt(tmp_path)["cost"]
    assert cost["usd"] == pytest.approx(0.15)
    sizes = [(it["repository"], it["size_bytes"]) for it in cost["storage"]]
    assert sizes == [("empty", 3 * 2**29)]  # by name before the other, which holds nothing now
    assert cost["charged"]
    assert "0.15" in repr(done)


@pytest.mark.parametrize("k", range(1, len(ORDER) + 1))
def test_interrupted_at_any_call_the_next_run_ends_with_one_whole_receipt(
    region: FakeRegion, tmp_path: Path, k: int
) -> None:
    region.layers = [(2**30, NOW - MONTH)]
    there = {item.id for item in cleanup.list_cleanup(region.connect(), tmp_path).found}
    operation, nth = ORDER[k - 1], ORDER[:k].count(ORDER[k - 1])
    own = region.planned[operation][-1]
    region.first(operation, *[own] * (nth - 1), AWSError("stopped", "run again"))
    region.first("GetCallerIdentity", *[AWSError("stopped", "run again")] * 2)
    with pytest.raises(AWSError):
        clean(region, tmp_path)
    assert (receipt(tmp_path)["state"], receipt(tmp_path)["deleted"]) == ("begun", [])
    assert cleanup.list_cleanup(region.connect(), tmp_path).unfinished
    clean(region, tmp_path)
    kept = receipt(tmp_path)
    assert {item["id"] for item in kept["deleted"]} == there
    assert [len(kept["deleted"]), kept["state"], kept["nothing_left"]] == [8, "finished", True]
    assert kept["cost"]["usd"] == pytest.approx(0.1)


def test_both_regions_are_cleaned_up(region: FakeRegion, tokyo: FakeRegion, tmp_path: Path) -> None:
    region.layers, tokyo.layers = [(2**30, NOW - MONTH)], [(2**29, NOW - MONTH)]
    listed = cleanup.list_cleanup(region.connect(), tmp_path)
    by_kind = [item.region for item in listed.found]
    assert by_kind == [*[*REGIONS] * 2, *["us-east-1"] * 6, *["ap-northeast-1"] * 6]
    done = clean(region, tmp_path)
    kept = receipt(tmp_path)
    assert (region.writes, tokyo.writes, done.left) == (ORDER, ORDER, ())
    assert kept["regions"] == ["us-east-1", "ap-northeast-1"]
    sizes = {it["region"]: it["size_bytes"] for it in kept["cost"]["storage"]}
    assert sizes == {"us-east-1": 2**30, "ap-northeast-1": 2**29}
    assert kept["cost"]["usd"] == pytest.approx(0.15)


KIND_TYPES = {"repository": TYPES[:1], "cluster": TYPES[1:2], "network": TYPES[2:]}


@pytest.mark.parametrize("kind", KIND_TYPES)
def test_one_kind_is_deleted_in_all_regions_and_the_rest_stays(
    region: FakeRegion, tokyo: FakeRegion, tmp_path: Path, kind: str
) -> None:
    aws = region.connect()
    before = {item.id for item in cleanup.list_cleanup(aws, tmp_path).found}
    listed = cleanup.list_cleanup(aws, tmp_path, kind=kind)
    assert {item.type for item in listed.found} == {*KIND_TYPES[kind]}
    assert f'workshop.cleanup("{kind}", confirm="delete")' in repr(listed)
    done = clean(region, tmp_path, kind=kind)
    assert (done.found, {it.resource.region for it in done.removals}) == (listed.found, {*REGIONS})
    left = {item.id for item in cleanup.list_cleanup(aws, tmp_path).found}
    assert left == before - {item.id for item in listed.found}
    kept = receipt(tmp_path)
    assert (kept["kind"], kept["nothing_left"], len(kept["deleted"])) == (
        kind,
        True,
        len(done.found),
    )
    assert ("USD" in repr(done) or "ECR に" in repr(done)) is (kind == "repository")
    assert "そのままです" in repr(done)
    assert "ありません" in repr(cleanup.list_cleanup(aws, tmp_path, kind=kind))


def test_an_interrupted_clean_up_goes_on_with_that_of_a_kind_but_not_the_other_way_round(
    region: FakeRegion, tmp_path: Path
) -> None:
    stopped = AWSError("stopped", "run again")
    region.first("DeleteCluster", stopped)
    region.first("GetCallerIdentity", *[stopped] * 2)
    with pytest.raises(AWSError):
        clean(region, tmp_path)
    assert not cleanup.list_cleanup(region.connect(), tmp_path, kind="network").unfinished
    clean(region, tmp_path, kind="network")
    own, whole = sorted((tmp_path / "receipts").glob("*.json"))
    assert [json.loads(path.read_text())["state"] for path in (own, whole)] == ["finished", "begun"]
    done = clean(region, tmp_path)
    kept = json.loads(whole.read_text())
    assert (kept["state"], kept["kind"], len(kept["deleted"])) == ("finished", "", 8)
    assert (done.left, region.clusters) == ((), {})


DENIED = Refusal("AccessDeniedException", status=403)
PLACES = [("here", "us-east-1"), ("there", "ap-northeast-1")]


@pytest.mark.parametrize(("place", "name"), PLACES, ids=[place for place, _ in PLACES])
def test_a_kind_that_cannot_be_listed_is_told_and_stops_nothing_else(
    region: FakeRegion, tokyo: FakeRegion, tmp_path: Path, place: str, name: str
) -> None:
    denied, other = (region, tokyo) if place == "here" else (tokyo, region)
    denied.answers("ListClusters", DENIED)
    listed = cleanup.list_cleanup(region.connect(), tmp_path)
    done = clean(region, tmp_path)
    kept = receipt(tmp_path)
    [left] = kept["left"]
    assert (other.writes, denied.writes) == (ORDER, [ORDER[0], *ORDER[2:]])
    resource = left["resource"]
    assert [resource["id"], resource["name"]] == [f"{name} ECS"] * 2
    assert ("ListClusters" in left["reason"], left["reason"] in repr(done)) == (True, True)
    assert [removal.resource.name for removal in listed.failed] == [f"{name} ECS"]
    assert (kept["nothing_left"], name in kept["regions"]) == (False, False)
    assert {item["region"] for item in kept["deleted"]} == {"us-east-1", "ap-northeast-1"}


def test_where_nothing_could_be_listed_the_list_does_not_say_that_there_is_nothing(
    region: FakeRegion, tmp_path: Path
) -> None:
    for operation in ("ListClusters", "DescribeRepositories", "DescribeSubnets"):
        region.answers(operation, DENIED)
    listed = cleanup.list_cleanup(region.connect(), tmp_path)
    assert len(listed.failed) == 3
    assert messages.text("resources.cleanup.all.nothing-found") not in repr(listed)


@pytest.mark.parametrize(
    ("operation", "left"),
    [("DeleteRepository", "rails-app"), ("DeleteCluster", CLUSTER), ("DeleteVpc", "vpc")],
)
def test_a_resource_that_cannot_be_deleted_is_told_and_stops_nothing_else(
    region: FakeRegion, tmp_path: Path, operation: str, left: str
) -> None:
    region.answers(operation, DENIED)
    done = clean(region, tmp_path)
    [kept] = done.left
    assert (left in kept.resource.name, operation in kept.reason) == (True, True)
    assert (region.writes, region.clock.pauses) == (ORDER, [])


def test_a_cost_that_cannot_be_found_out_is_told_and_stops_no_deletion(
    region: FakeRegion, tmp_path: Path
) -> None:
    region.layers = [(2**30, NOW - MONTH)]
    region.answers("BatchGetImage", DENIED)
    done = clean(region, tmp_path)
    assert (region.writes, done.left) == (ORDER, ())
    [unpriced] = done.unpriced
    assert ("BatchGetImage" in unpriced.reason, unpriced.reason in repr(done)) == (True, True)
    assert messages.text("resources.cleanup.nothing-stored.charged") not in repr(done)


def test_a_repository_that_may_not_be_read_is_named_and_left_and_ours_is_not_gone(
    region: FakeRegion, tmp_path: Path
) -> None:
    region.repositories["foreign"] = False
    own = region.planned["ListTagsForResource"][-1]

    def deny(*names: str) -> None:
        region.answers(
            "ListTagsForResource",
            lambda said: DENIED if said["resourceArn"].endswith(names) else own(said),
        )

    deny("foreign")
    done = clean(region, tmp_path)
    assert (region.writes, done.left, [it.name for it in done.unread]) == (ORDER, (), ["foreign"])
    assert "foreign" in repr(done)
    region.repositories["rails-app"] = True
    deny("foreign", "rails-app")
    done = clean(region, tmp_path)
    assert [it.resource.name for it in done.left] == ["rails-app"]
    assert "rails-app" in region.repositories


def test_lost_credentials_stop_the_clean_up(
    region: FakeRegion, tokyo: FakeRegion, tmp_path: Path
) -> None:
    for operation in ("ListClusters", "GetCallerIdentity"):
        region.answers(operation, Refusal("ExpiredToken"))
    with pytest.raises(NotAllowed):
        clean(region, tmp_path)
    assert (tokyo.writes, (tmp_path / "receipts").exists()) == ([], False)


def test_a_region_is_remembered_once_whatever_the_port(tmp_path: Path) -> None:
    known = {"kind": "emulator", "account": ACCOUNT, "region": "us-east-1"}
    for port in (4566, 4567):
        where = Target(**known, endpoint=f"http://127.0.0.1:{port}")
        receipts.remember_region(tmp_path, where)
    assert json.loads((tmp_path / "regions.json").read_text()) == [{**known, "endpoint": None}]
    assert cleanup.list_used_regions(tmp_path, where) == ("us-east-1",)


def test_work_of_another_or_of_nobody_is_kept_and_named_and_nobodys_can_be_taken_over(
    region: FakeRegion, tmp_path: Path
) -> None:
    for raw in (*region.held["Vpc"], *region.held["Subnet"]):
        raw["Tags"].append({"Key": "handson-owner", "Value": "Bunta"})
    aws = region.connect()
    aws.owners = Owners("Aiko", ("Aiko",))
    done = cleanup.clean_up(aws, tmp_path, clock=lambda: NOW)
    kept = {item["name"]: item["owner"] for item in receipt(tmp_path)["foreign"]}
    assert (region.writes, done.found, done.left, len(kept)) == ([], (), (), 8)
    assert done.beside == ()
    assert [kept[name] for name in ("ecs-handson-vpc", CLUSTER, "rails-app")] == ["Bunta", "", ""]
    told = ("Bunta", "ecs-handson-vpc", CLUSTER, "workshop.take_over()")
    assert [words for words in told if words not in repr(done)] == []
    taken = [item.name for item in cleanup.take_over(aws, tmp_path).found]
    assert taken == [name for name, owner in kept.items() if not owner]
    again = region.connect()  # as of a restarted kernel
    again.owners = Owners("Aiko", ("Aiko",))
    assert [it.name for it in cleanup.list_cleanup(again, tmp_path).found] == taken
    assert region.writes == []
