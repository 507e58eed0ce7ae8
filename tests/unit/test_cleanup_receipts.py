"""Costs and regions, by numbers; receipts as files, whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core.errors import NotReady
from handson.course.evidence import Journal, Observation
from handson.course.state import RecordedUri, Removal, Resource, Target
from handson.resources import cleanup, receipts
from handson.resources.plan import Listed
from handson.resources.push import IMAGE_URI
from handson.resources.receipts import GIGABYTE, Cleanup, SavedReceipt

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
MONTH = timedelta(hours=730)
HERE = Target(kind="aws", account="112233445566", region="us-east-1")
REPOSITORY = Resource(
    type="AWS::ECR::Repository", id="arn:repository", name="rails-app", region="us-east-1"
)
VPC = Resource(type="AWS::EC2::VPC", id="vpc-1", name="ecs-handson-vpc", region="us-east-1")
WHOLE = (GIGABYTE, NOON)
COSTS = {
    "a month": ([WHOLE], MONTH, 0.10),
    "half the size": ([(GIGABYTE // 2, NOON)], MONTH, 0.05),
    "a tenth of the time": ([WHOLE], MONTH / 10, 0.01),
    "two of two ages": ([WHOLE, (GIGABYTE, NOON + MONTH / 2)], MONTH, 0.15),
    "clock set back": ([(GIGABYTE, NOON + MONTH)], timedelta(0), 0.0),
}


def test_storage_costs_size_by_time_by_price_and_all_repositories_their_sum(tmp_path: Path) -> None:
    costs = {
        case: receipts.compute_cost(REPOSITORY, blobs, until=NOON + after)
        for case, (blobs, after, _) in COSTS.items()
    }
    wanted = {case: pytest.approx(usd) for case, (_, _, usd) in COSTS.items()}
    assert {case: cost.usd for case, cost in costs.items()} == wanted
    one = costs["a month"]
    storage = [one, replace(one, region="eu-west-1")]
    saved = receipts.begin_receipt(tmp_path, HERE, found=(), storage=storage, now=NOON)
    assert saved.receipt.cost.usd == pytest.approx(0.2)


WAYS = ("evidence", "uri", "memory")


def leave(home: Path, way: str, **changes: str) -> None:
    """Leave a trace of a region that was used."""
    home.mkdir(exist_ok=True)
    used = Target(**({"kind": "aws", "account": HERE.account, "region": "eu-west-1"} | changes))
    if way == "evidence":
        Journal(home).add(Observation("network", used.to_json(), {}, []), learner="Hanako")
    elif way == "uri":
        uri = f"{used.account}.dkr.ecr.{used.region}.amazonaws.com/rails-app:latest"
        IMAGE_URI.write(home, RecordedUri(uri=uri, digest="sha256:1", recorded_at=str(NOON)))
    else:
        receipts.remember_region(home, used)


def test_the_regions_are_those_of_the_settings_and_of_each_trace(tmp_path: Path) -> None:
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1",)
    for way in WAYS:
        leave(tmp_path / way, way)
        found = cleanup.list_used_regions(tmp_path / way, HERE)
        assert (way, found) == (way, ("us-east-1", "eu-west-1"))


def test_what_another_target_used_and_what_aws_does_not_have_is_not_asked(tmp_path: Path) -> None:
    for way in WAYS:
        for changes in ({"account": "998877665544"}, {"region": "../.."}, {"region": "us-east-9"}):
            leave(tmp_path, way, **changes)
            assert (way, cleanup.list_used_regions(tmp_path, HERE)) == (way, ("us-east-1",))
    (tmp_path / "image-uri.json").unlink()  # which does not tell an emulator's from AWS's
    for way in ("evidence", "memory"):
        leave(tmp_path, way, kind="emulator")
        assert (way, cleanup.list_used_regions(tmp_path, HERE)) == (way, ("us-east-1",))


def test_a_list_of_regions_that_is_damaged_names_those_that_can_be_read(tmp_path: Path) -> None:
    entry = {"kind": "aws", "account": HERE.account, "region": "sa-east-1"}
    contents = dict.fromkeys(["", "{", "7", '{"a": 1}', '[7, {"region": 7}]'], ("us-east-1",))
    contents[json.dumps([7, {"region": 7}, entry])] = ("us-east-1", "sa-east-1")
    listed = {}
    for content in contents:
        (tmp_path / "regions.json").write_text(content)
        listed[content] = cleanup.list_used_regions(tmp_path, HERE)
    assert listed == contents


def begun(
    home: Path, *found: Resource, now: datetime = NOON, target: Target = HERE
) -> SavedReceipt:
    return receipts.begin_receipt(home, target, found=found, storage=(), now=now)


def finished(kept: SavedReceipt, *removals: Removal) -> SavedReceipt:
    return receipts.finish_receipt(kept, Cleanup(own=(), removals=removals), now=NOON)


def read(kept: SavedReceipt) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(kept.path.read_text(encoding="utf-8"))
    return content


def test_a_receipt_of_the_schema_claims_nothing_until_it_is_finished(tmp_path: Path) -> None:
    saved = begun(tmp_path, VPC)
    content = read(saved)
    assert (content["state"], content["deleted"], content["nothing_left"]) == ("begun", [], False)
    content = read(finished(saved, Removal(resource=VPC)))
    fields = "schema state target regions begun_at finished_at found deleted left beside foreign"
    assert list(content) == [*fields.split(), "nothing_left", "cost", "kind"]
    assert (content["schema"], content["state"]) == ("handson.receipt/1", "finished")


def test_what_is_left_is_not_among_the_deleted(tmp_path: Path) -> None:
    kept = Removal(resource=VPC, reason="a subnet of yours stands in it")
    content = read(finished(begun(tmp_path, VPC, REPOSITORY), Removal(resource=REPOSITORY), kept))
    assert [item["id"] for item in content["deleted"]] == ["arn:repository"]
    assert [item["reason"] for item in content["left"]] == ["a subnet of yours stands in it"]
    assert content["nothing_left"] is False


def test_an_interrupted_clean_up_is_gone_on_with_in_the_same_file(tmp_path: Path) -> None:
    first = begun(tmp_path, VPC, REPOSITORY)
    again = begun(tmp_path, VPC, now=NOON + timedelta(hours=1))
    assert (again.path, again.receipt.found) == (first.path, (VPC, REPOSITORY))
    assert again.receipt.begun_at == first.receipt.begun_at


def test_of_two_interrupted_clean_ups_the_newer_is_gone_on_with(tmp_path: Path) -> None:
    older, newer = (
        receipts.begin_receipt(tmp_path, HERE, kind=kind, found=(), storage=(), now=NOON + after)
        for kind, after in (("", timedelta(0)), ("repository", timedelta(hours=1)))
    )
    assert older.path != newer.path
    for kind, path in (("", newer.path), ("repository", newer.path)):
        found = receipts.find_unfinished(tmp_path, HERE, kind)
        assert found is not None
        assert (kind, found.path) == (kind, path)


def test_a_finished_receipt_and_that_of_another_account_are_left_alone(tmp_path: Path) -> None:
    other = Target(kind="emulator", account="123456789012", region="us-east-1")
    kept = [begun(tmp_path, VPC, target=other), finished(begun(tmp_path, VPC)), begun(tmp_path)]
    assert len({saved.path for saved in kept}) == 3
    assert [len(read(saved)["found"]) for saved in kept] == [1, 1, 0]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "handson.receipt/1"}', "\\xff"])
def test_a_file_that_is_no_receipt_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "receipts").mkdir()
    stranger = tmp_path / "receipts" / "20260115T120000Z.json"
    stranger.write_text(content)
    assert begun(tmp_path, VPC).path != stranger
    assert stranger.read_text() == content


def test_a_receipt_that_cannot_be_kept_is_told_before_anything_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "receipts").write_text("a file in its place")
    with pytest.raises(NotReady) as refused:
        begun(tmp_path, VPC)
    assert len(str(refused.value).splitlines()) == 2


def test_the_list_shows_regions_where_there_are_several_and_names_what_stays() -> None:
    other = replace(VPC, id="vpc-2", name="aikos", region="eu-west-1", owner="Aiko")
    own = (Listed(VPC, delete=str),)
    listed = Cleanup(own, foreign=(other,), unfinished=True, regions=("us-east-1", "eu-west-1"))
    text = listed.listing().text()
    assert "us-east-1" in text
    assert "Aiko" in text
    assert "aikos" in text
    assert "vpc-2" not in text
    assert "途中で止まって" in text
    there = Cleanup(own, beside=(other,), regions=("us-east-1",)).listing().text()
    assert "us-east-1" not in there
    assert "途中で止まって" not in there
    assert str(other) in there
