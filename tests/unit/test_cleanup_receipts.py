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
from handson.resources import cleanup
from handson.resources.images import StoredBlob
from handson.resources.receipts import (
    GIGABYTE,
    Cleanup,
    SavedReceipt,
    begin_receipt,
    compute_cost,
    finish_receipt,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
MONTH = timedelta(hours=730)
HERE = Target(kind="aws", account="112233445566", region="us-east-1")
REPOSITORY = Resource(
    type="AWS::ECR::Repository", id="arn:repository", name="rails-app", region="us-east-1"
)
VPC = Resource(type="AWS::EC2::VPC", id="vpc-1", name="ecs-handson-vpc", region="us-east-1")


# compute_cost


def blob(size: int, since: datetime = NOON) -> StoredBlob:
    return size, since


@pytest.mark.parametrize(
    ("blobs", "after", "usd"),
    [
        ([blob(GIGABYTE)], MONTH, 0.10),
        ([blob(GIGABYTE // 2)], MONTH, 0.05),
        ([blob(GIGABYTE)], MONTH / 10, 0.01),
        ([blob(GIGABYTE), blob(GIGABYTE, NOON + MONTH / 2)], MONTH, 0.15),
        ([blob(GIGABYTE, NOON + MONTH)], timedelta(0), 0.0),
    ],
    ids=["a month", "half the size", "a tenth of the time", "two of two ages", "clock set back"],
)
def test_storage_costs_size_by_time_by_price(
    blobs: list[StoredBlob], after: timedelta, usd: float
) -> None:
    assert compute_cost(REPOSITORY, blobs, until=NOON + after).usd == pytest.approx(usd)


def test_the_cost_is_that_of_all_repositories(tmp_path: Path) -> None:
    one = compute_cost(REPOSITORY, [blob(GIGABYTE)], until=NOON + MONTH)
    other = replace(one, region="eu-west-1")
    saved = begin_receipt(tmp_path, HERE, found=(), storage=[one, other], now=NOON)
    assert saved.receipt.cost.usd == pytest.approx(0.2)


# list_used_regions, remember_region


def recorded(home: Path, **target: str) -> None:
    place = {"kind": "aws", "account": HERE.account, "region": "eu-west-1", "endpoint": None}
    Journal(home).add(Observation("network", {**place, **target}, {}, []), learner="Hanako")


def keep_uri(home: Path, account: str, region: str) -> None:
    uri = f"{account}.dkr.ecr.{region}.amazonaws.com/rails-app:latest"
    known = RecordedUri(uri=uri, digest="sha256:1", recorded_at="2026-01-15T12:00:00+00:00")
    (home / "image-uri.json").write_text(json.dumps(known.to_json()))


def test_an_empty_home_folder_names_the_region_of_the_settings(tmp_path: Path) -> None:
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1",)


def test_evidence_names_its_region(tmp_path: Path) -> None:
    recorded(tmp_path)
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1", "eu-west-1")


def test_the_recorded_uri_names_its_region(tmp_path: Path) -> None:
    keep_uri(tmp_path, HERE.account, "ap-northeast-1")
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1", "ap-northeast-1")


def test_a_region_in_which_something_was_begun_is_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        cleanup.remember_region(
            tmp_path, Target(kind="aws", account=HERE.account, region="sa-east-1")
        )
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1", "sa-east-1")


def test_the_regions_of_an_earlier_version_are_asked_beside_damaged_entries(tmp_path: Path) -> None:
    entry = {"kind": "aws", "account": HERE.account, "region": "sa-east-1"}
    damaged = [7, {"region": 7}, entry]
    (tmp_path / "regions.json").write_text(json.dumps(damaged, indent=2) + "\n")
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1", "sa-east-1")


@pytest.mark.parametrize("other", [{"account": "998877665544"}, {"kind": "emulator"}], ids=str)
def test_what_another_target_used_is_not_asked(tmp_path: Path, other: dict[str, str]) -> None:
    recorded(tmp_path, **other)
    keep_uri(tmp_path, "998877665544", "ap-northeast-1")
    cleanup.remember_region(
        tmp_path,
        Target(**({"kind": "aws", "account": HERE.account, "region": "sa-east-1"} | other)),
    )
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1",)


def test_a_region_that_aws_does_not_have_is_not_asked(tmp_path: Path) -> None:
    for region in ("../..", "us-east-9", ""):
        recorded(tmp_path, region=region)
        cleanup.remember_region(tmp_path, Target(kind="aws", account=HERE.account, region=region))
    assert cleanup.list_used_regions(tmp_path, HERE) == ("us-east-1",)


def test_a_list_of_regions_that_is_none_names_none(tmp_path: Path) -> None:
    contents = ["", "{", "7", '{"a": 1}', '[7, {"region": 7}]']
    listed = {}
    for content in contents:
        (tmp_path / "regions.json").write_text(content)
        listed[content] = cleanup.list_used_regions(tmp_path, HERE)
    assert listed == dict.fromkeys(contents, ("us-east-1",))


# begin_receipt, finish_receipt


def begun(
    home: Path, *found: Resource, now: datetime = NOON, target: Target = HERE
) -> SavedReceipt:
    return begin_receipt(home, target, found=found, storage=(), now=now)


def finished(kept: SavedReceipt, *removals: Removal) -> SavedReceipt:
    return finish_receipt(kept, Cleanup(found=(), removals=removals), now=NOON)


def read(kept: SavedReceipt) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(kept.path.read_text(encoding="utf-8"))
    return content


def test_a_receipt_has_the_fields_of_its_schema(tmp_path: Path) -> None:
    content = read(finished(begun(tmp_path, VPC), Removal(resource=VPC)))
    fields = "schema state target regions begun_at finished_at found deleted left beside"
    assert list(content) == [*fields.split(), "nothing_left", "cost"]
    assert (content["schema"], content["state"]) == ("handson.receipt/1", "finished")


def test_what_is_left_is_not_among_the_deleted(tmp_path: Path) -> None:
    kept = Removal(resource=VPC, reason="a subnet of yours stands in it")
    content = read(finished(begun(tmp_path, VPC, REPOSITORY), Removal(resource=REPOSITORY), kept))
    assert [item["id"] for item in content["deleted"]] == ["arn:repository"]
    assert [item["reason"] for item in content["left"]] == ["a subnet of yours stands in it"]
    assert content["nothing_left"] is False


def test_before_it_is_finished_a_receipt_claims_nothing(tmp_path: Path) -> None:
    content = read(begun(tmp_path, VPC))
    assert (content["state"], content["deleted"], content["nothing_left"]) == ("begun", [], False)


def test_an_interrupted_clean_up_is_gone_on_with_in_the_same_file(tmp_path: Path) -> None:
    first = begun(tmp_path, VPC, REPOSITORY)
    again = begun(tmp_path, VPC, now=NOON + timedelta(hours=1))
    assert (again.path, again.receipt.found) == (first.path, (VPC, REPOSITORY))
    assert again.receipt.begun_at == first.receipt.begun_at


def test_a_finished_one_is_kept_and_the_next_is_another(tmp_path: Path) -> None:
    first, second = finished(begun(tmp_path, VPC)), finished(begun(tmp_path))
    assert first.path != second.path
    assert read(first)["found"][0]["id"] == "vpc-1"


def test_the_receipt_of_another_account_is_left_alone(tmp_path: Path) -> None:
    other = Target(kind="emulator", account="123456789012", region="us-east-1")
    first = begun(tmp_path, VPC, target=other)
    assert begun(tmp_path).path != first.path


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "handson.receipt/1"}', "\\xff"])
def test_a_file_that_is_no_receipt_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "receipts").mkdir()
    stranger = tmp_path / "receipts" / "20260115T120000Z.json"
    stranger.write_text(content)
    kept = begun(tmp_path, VPC)
    assert kept.path != stranger
    assert stranger.read_text() == content


def test_a_receipt_that_cannot_be_kept_is_told_before_anything_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "receipts").write_text("a file in its place")
    with pytest.raises(NotReady) as refused:
        begun(tmp_path, VPC)
    assert len(str(refused.value).splitlines()) == 2
