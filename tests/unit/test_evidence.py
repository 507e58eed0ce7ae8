"""Evidence records: sealed, chained, kept; and what happens when the journal cannot be written."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from handson.core.errors import NotReady
from handson.course import checks, evidence
from handson.course.evidence import Journal, Observation, Record
from handson.course.exercise import Exercise
from handson.notebook.evidence_cards import Evidence
from tests.unit import states

NOON = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)


def observation(**changes: Any) -> Observation:
    right: dict[str, Any] = {
        "check": "network",
        "target": states.target().to_json(),
        "observed": states.finished().to_json(),
        "requests": [{"service": "ec2", "operation": "DescribeVpcs", "request_id": "r-1"}],
    }
    return Observation(**(right | changes))


def sealed(*, previous: str | None = None, at: datetime = NOON, **changes: Any) -> Record:
    seen = observation(**changes)
    return evidence.seal(seen, learner="Hanako", previous=previous, observed_at=at)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, clock=lambda: NOON)


def add(journal: Journal, learner: str = "Hanako", **changes: Any) -> Record:
    return journal.add(observation(**changes), learner=learner)


# A record


def test_seal_returns_the_record_of_an_observation() -> None:
    exercise = Exercise(cluster="blue")
    seen = {"observed": {"b": 1, "a": "あ"}, "target": {"kind": "aws"}, "exercise": exercise}
    record = sealed(previous="sha256:0", **seen)
    digest = record.pop("digest")
    assert record == {
        "schema": "handson.evidence/1",
        "check": "network",
        "learner": "Hanako",
        "target": {"kind": "aws"},
        "exercise": exercise.to_json(),
        "observed": {"b": 1, "a": "あ"},
        "requests": [{"service": "ec2", "operation": "DescribeVpcs", "request_id": "r-1"}],
        "observed_at": "2026-01-15T12:00:00+00:00",
        "previous": "sha256:0",
    }
    assert [*sealed()] == [*(name for name in record if name != "previous"), "digest"]
    assert digest.startswith("sha256:")


def test_the_digest_is_sha256_over_the_canonical_json_of_the_rest() -> None:
    record = sealed(observed={"b": 1, "a": "あ"}, target={}, requests=[])
    canonical = (
        '{"check":"network","exercise":{"cluster":"ecs-handson-cluster",'
        '"network":{"availability_zones":2,"cidr":"10.0.0.0/16","name":"ecs-handson",'
        '"private_subnets":0,"public_subnets":2,"s3_endpoint":true,"tenancy":"default"},'
        '"region":"us-east-1","repository":"rails-app","tag":"latest"},'
        '"learner":"Hanako","observed":{"a":"あ","b":1},'
        '"observed_at":"2026-01-15T12:00:00+00:00","requests":[],'
        '"schema":"handson.evidence/1","target":{}}'
    )
    assert record["digest"] == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def test_the_time_is_told_in_utc_to_the_second() -> None:
    japan = NOON.astimezone(timezone(timedelta(hours=9)))
    assert sealed(at=japan)["observed_at"] == "2026-01-15T12:00:00+00:00"
    assert evidence.now().utcoffset() == timedelta(0)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place in plain JSON data that holds nothing else, as its holder and key."""
    for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(part, (dict, list)) and part:
            yield from places(part)
        else:
            yield value, key


def test_is_intact_notices_any_changed_lost_or_added_field() -> None:
    record = sealed()
    assert evidence.is_intact(json.loads(json.dumps(record, indent=3, sort_keys=True)))
    assert not evidence.is_intact({**record, "passed": True})
    assert [name for name in record if evidence.is_intact(_without(record, name))] == []
    changed = copy.deepcopy(record)
    unnoticed = []
    for holder, key in places(changed):
        kept, holder[key] = holder[key], "changed"
        unnoticed += [(key, kept)] if evidence.is_intact(changed) else []
        holder[key] = kept
    assert unnoticed == []
    assert changed == record


def _without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


def test_what_canonical_json_cannot_hold_is_not_intact() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    odd = [float("nan"), 2**80, {1: 2}, object(), "\ud800", deep, None]
    assert [evidence.is_intact({**sealed(), "observed": one}) for one in odd] == [False] * 7
    assert not evidence.is_intact([])  # type: ignore[arg-type]


# The chain


def test_the_journal_reads_what_was_added_and_each_record_names_the_learners_one_before_it(
    journal: Journal, tmp_path: Path
) -> None:
    assert journal.records() == []
    separators = {"name": "a\u2028b\x85c\x0bd\re\nf"}
    added = [add(journal, observed=separators), add(journal, "Taro"), add(journal, check="cluster")]
    added.append(add(Journal(tmp_path)))  # as a new process does
    assert journal.records() == added
    previous = [record.get("previous") for record in added]
    assert previous == [None, None, added[0]["digest"], added[2]["digest"]]


def test_two_kernels_that_add_at_once_make_one_chain(tmp_path: Path) -> None:
    def work(_: int) -> None:
        add(Journal(tmp_path), observed={})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(40)))
    records = Journal(tmp_path).records()
    digests = [record["digest"] for record in records]
    assert [record.get("previous") for record in records] == [None, *digests[:-1]]
    assert len(records) == 40


def test_a_clock_that_is_set_back_does_not_change_the_order(tmp_path: Path) -> None:
    hours = iter([5, 3, 4, -100])
    journal = Journal(tmp_path, clock=lambda: NOON + timedelta(hours=next(hours)))
    added = [add(journal) for _ in range(4)]
    assert [record["observed_at"][8:13] for record in added] == ["15T17", "15T15", "15T16", "11T08"]
    assert journal.records() == added
    digests = [record["digest"] for record in added]
    assert [record.get("previous") for record in added] == [None, *digests[:-1]]


# The journal


def test_wherever_the_last_record_is_cut_those_before_it_are_read_and_the_chain_goes_on(
    journal: Journal, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    records = [add(journal, observed={}), add(journal, observed={"name": "花子🌸"})]
    start, whole = path.read_bytes().rindex(b"\n", 0, -1) + 1, path.read_bytes()
    assert [json.loads(line) for line in whole.splitlines()] == records
    assert ("花子🌸" in whole.decode(), whole[-1:]) == (True, b"\n")
    wrong = []
    for cut in range(start, len(whole) + 1):
        path.write_bytes(whole[:cut])
        # The line's end alone may be missing: the record is all there.
        kept = records if cut >= len(whole) - 1 else records[:1]
        wrong += [] if journal.records() == kept else [cut]
        if cut % 50 == 0 or cut in (start, start + 1, len(whole) - 1):
            added = add(journal, observed={})
            seen = (journal.records(), added.get("previous"))
            wrong += [] if seen == ([*kept, added], kept[-1]["digest"]) else [cut]
    assert wrong == []


FIELDS = {"schema": "s", "check": "c", "learner": "Hanako", "observed_at": "", "digest": "d"}
NO_RECORDS: dict[str, bytes] = {
    "bytes": b"\xff\xfe\x00",
    "zeros after a power cut": b"\0" * 4096,
    "half a letter": b'{"a":"\xe8',
    "a list": b"[1, 2]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "nothing observed": json.dumps(FIELDS).encode(),
    **{name: json.dumps({**FIELDS, "observed": {}, name: 1}).encode() for name in FIELDS},
}


@pytest.mark.parametrize("ending", [b"\n", b""], ids=["whole", "cut"])
def test_lines_that_are_no_records_are_left_out(
    journal: Journal, tmp_path: Path, ending: bytes
) -> None:
    for line in NO_RECORDS.values():
        with (tmp_path / "journal.jsonl").open("ab") as file:
            file.write(line + ending)
        added = add(journal, observed={})
        assert journal.records()[-1] == added
    digests = [record["digest"] for record in journal.records()]
    previous = [record.get("previous") for record in journal.records()]
    assert (len(digests), previous) == (len(NO_RECORDS), [None, *digests[:-1]])


# What can go wrong


@contextmanager
def full_disk(path: Path, *, room: int) -> Iterator[None]:
    """Let files grow `room` bytes beyond the size of `path` and no further, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 1, 100, 10_000], ids=["0", "1", "100", "all but a byte"])
def test_on_a_full_disk_the_journal_stays_as_it_was_and_the_chain_goes_on(
    journal: Journal, tmp_path: Path, room: int
) -> None:
    path = tmp_path / "journal.jsonl"
    first = add(journal)
    before = path.read_bytes()
    most = len(evidence.as_lines([add(journal, observed={})]).encode()) - 1
    path.write_bytes(before)
    with full_disk(path, room=min(room, most)), pytest.raises(NotReady, match="書き込め") as told:
        add(journal, observed={})
    assert path.read_bytes() == before
    assert str(path) in told.value.problem
    assert add(journal).get("previous") == first["digest"]


def test_a_folder_in_the_place_of_the_journal_is_told(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(NotReady, match="同じ名前のフォルダー"):
        add(journal)
    with pytest.raises(NotReady, match=r"journal\.jsonl"):
        journal.records()


def test_a_journal_that_another_process_holds_is_told(tmp_path: Path) -> None:
    hasty = Journal(tmp_path, patience=0.05)
    with FileLock(tmp_path / "journal.lock"), pytest.raises(NotReady, match="別のカーネル") as told:
        add(hasty)
    assert "None" not in told.value.problem
    assert hasty.records() == []


# Nulls

OLD: Record = json.loads(
    """{"schema": "handson.evidence/1", "check": "cluster", "learner": "",
    "target": {"kind": "aws", "account": "123456789012", "region": "us-east-1", "endpoint": null},
    "observed": {"vpcs": [], "repositories": [], "images": [], "elsewhere": [],
        "clusters": [{"name": "ecs-handson-cluster", "status": "ACTIVE", "tagged": true,
            "arn": "arn:aws:ecs:us-east-1:123456789012:cluster/ecs-handson-cluster",
            "capacity_providers": ["FARGATE", "FARGATE_SPOT"], "container_instances": 0,
            "running_tasks": 0, "active_services": 0}],
        "recorded_uri": null, "recorded_run": null, "drawing": null,
        "target": {"kind": "aws", "account": "123456789012", "region": "us-east-1",
            "endpoint": null}},
    "requests": [{"service": "ecs", "operation": "ListClusters", "request_id": "r-1"}],
    "observed_at": "2026-11-28T01:42:49+00:00", "previous": null,
    "digest": "sha256:4f1515d8028adddea133b106c7b4ecb5bbdf06f10787b6a44bf083e804faeea0"}"""
)
"""A record as it was sealed before records left nulls out and named their exercise."""


def without_nulls(value: Any) -> Any:
    """Return JSON as an editor writes it that drops fields without a value."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def test_a_record_holds_no_null() -> None:
    image = states.empty(images=(states.image(built_by=None),)).to_json()
    record = sealed(target=states.target(kind="aws", endpoint=None).to_json(), observed=image)
    assert "null" not in json.dumps(record)
    assert evidence.is_intact(without_nulls(record))


def test_an_old_record_counts_with_its_nulls_and_after_it_lost_them_but_not_changed() -> None:
    changed = without_nulls(OLD)
    for record in (OLD, changed):
        assert evidence.is_intact(record)
        assert checks.derive("cluster", record["observed"]).passed
    changed["observed"]["clusters"][0]["status"] = "FAILED"
    assert not evidence.is_intact(changed)


def test_an_old_record_of_an_image_counts_after_it_lost_its_nulls() -> None:
    image = states.finished(images=(states.image(built_by=None),)).to_json()
    del image["images"][0]["unread"]  # which old records do not have
    target = states.target(kind="aws", endpoint=None).to_json()
    nulls = dict.fromkeys(("recorded_uri", "recorded_run", "drawing"))
    old = {**sealed(observed=image), "target": target, "previous": None}
    old["observed"] = {**image, **nulls, "target": target}
    old["digest"] = evidence.digest_of(_without(old, "digest"))
    assert evidence.is_intact(old)
    assert evidence.is_intact(without_nulls(old))


def test_evidence_without_a_name_says_which_line_to_run() -> None:
    shown = {}
    for learner in ("", "Hanako"):
        record = evidence.seal(observation(), learner=learner, previous=None, observed_at=NOON)
        result = checks.derive("network", record["observed"])
        shown[learner] = Evidence(record, result).card()
    assert [card.state for card in shown.values()] == ["ok", "ok"]
    line = 'workshop = handson.start(learner="'
    assert [line in card.text() for card in shown.values()] == [True, False]
