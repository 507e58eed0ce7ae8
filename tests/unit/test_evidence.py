"""Evidence records: sealed, chained, kept; and what happens when the journal cannot be written."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from handson.core.errors import NotReady
from handson.course import checks, evidence
from handson.course.evidence import Journal, Observation, Record
from handson.course.exercise import Exercise
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


def sealed(**changes: Any) -> Record:
    arguments: dict[str, Any] = {"learner": "Hanako", "previous": None, "observed_at": NOON}
    return evidence.seal(observation(), **(arguments | changes))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, clock=lambda: NOON)


def add(journal: Journal, learner: str = "Hanako", **changes: Any) -> Record:
    return journal.add(observation(**changes), learner=learner)


# A record


def test_a_record_has_the_fields_of_its_schema() -> None:
    assert list(sealed()) == [
        "schema",
        "check",
        "learner",
        "target",
        "exercise",
        "observed",
        "requests",
        "observed_at",
        "digest",
    ]
    assert list(sealed(previous="sha256:0"))[-2:] == ["previous", "digest"]


def test_a_record_names_its_schema() -> None:
    assert sealed()["schema"] == "handson.evidence/1"


def test_the_digest_is_sha256_over_the_canonical_json_of_the_rest() -> None:
    record = evidence.seal(
        observation(observed={"b": 1, "a": "あ"}, target={}, requests=[]),
        learner="L",
        previous=None,
        observed_at=NOON,
    )
    canonical = (
        '{"check":"network","exercise":{"cluster":"ecs-handson-cluster",'
        '"network":{"availability_zones":2,"cidr":"10.0.0.0/16","name":"ecs-handson",'
        '"private_subnets":0,"public_subnets":2,"s3_endpoint":true,"tenancy":"default"},'
        '"region":"us-east-1","repository":"rails-app","tag":"latest"},'
        '"learner":"L","observed":{"a":"あ","b":1},'
        '"observed_at":"2026-01-15T12:00:00+00:00","requests":[],'
        '"schema":"handson.evidence/1","target":{}}'
    )
    assert record["digest"] == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def test_the_time_is_told_in_utc_to_the_second() -> None:
    japan = NOON.astimezone(timezone(timedelta(hours=9)))
    assert sealed(observed_at=japan)["observed_at"] == "2026-01-15T12:00:00+00:00"


def test_a_record_is_intact_when_it_was_just_sealed() -> None:
    assert evidence.is_intact(sealed())


def test_a_record_is_intact_after_a_journey_through_json() -> None:
    assert evidence.is_intact(json.loads(json.dumps(sealed(), indent=3, sort_keys=True)))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to everything in plain JSON data that holds nothing else."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        if isinstance(part, (dict, list)) and part:
            yield from leaves(part, (*path, key))
        else:
            yield (*path, key)


PATHS = list(leaves(sealed()))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_changing_any_one_field_spoils_the_record(path: tuple[Any, ...]) -> None:
    record = copy.deepcopy(sealed())
    *way, last = path
    place: Any = record
    for key in way:
        place = place[key]
    place[last] = "changed" if place[last] != "changed" else "again"
    assert not evidence.is_intact(record)


@pytest.mark.parametrize("name", list(sealed()))
def test_leaving_out_a_field_spoils_the_record(name: str) -> None:
    record = sealed()
    del record[name]
    assert not evidence.is_intact(record)


def test_adding_a_field_spoils_the_record() -> None:
    assert not evidence.is_intact({**sealed(), "passed": True})


def deep(levels: int) -> list[Any]:
    nest: list[Any] = []
    for _ in range(levels):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    "odd",
    [float("nan"), 2**80, {1: 2}, object(), "\ud800", deep(100_000)],
    ids=["nan", "huge", "key", "object", "surrogate", "deep"],
)
def test_what_canonical_json_cannot_hold_is_not_intact(odd: Any) -> None:
    assert not evidence.is_intact({**sealed(), "observed": odd})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
@options(max_examples=50, deadline=None, derandomize=True)
def test_whatever_was_observed_stays_intact_through_json(observed: Any) -> None:
    record = evidence.seal(
        observation(observed={"x": observed}), learner="L", previous=None, observed_at=NOON
    )
    assert evidence.is_intact(json.loads(json.dumps(record, ensure_ascii=False)))


# The chain


def test_the_first_record_has_none_before_it(journal: Journal) -> None:
    assert add(journal).get("previous") is None


def test_a_record_names_the_one_before_it(journal: Journal) -> None:
    first, second = add(journal), add(journal, check="cluster")
    assert second.get("previous") == first["digest"]


def test_each_learner_has_a_chain_of_their_own(journal: Journal) -> None:
    first = add(journal, "Hanako")
    add(journal, "Taro")
    assert add(journal, "Hanako").get("previous") == first["digest"]


def test_the_chain_goes_on_in_a_new_process(journal: Journal, tmp_path: Path) -> None:
    first = add(journal)
    assert add(Journal(tmp_path)).get("previous") == first["digest"]


ADD = """
import sys
from pathlib import Path
from handson.course.evidence import Journal, Observation
for number in range(20):
    Journal(Path(sys.argv[1])).add(
        Observation("network", {}, {"number": number}, []), learner="Hanako"
    )
"""


def test_two_kernels_that_add_at_once_make_one_chain(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-c", ADD, str(tmp_path)]
    kernels = [subprocess.Popen(command, env={"PYTHONPATH": str(root)}) for _ in range(2)]
    assert [kernel.wait(timeout=60) for kernel in kernels] == [0, 0]
    records = Journal(tmp_path).records()
    digests = [record["digest"] for record in records]
    assert [record.get("previous") for record in records] == [None, *digests[:-1]]
    assert len(records) == 40


# The journal


def test_a_journal_that_nobody_wrote_is_empty(journal: Journal) -> None:
    assert journal.records() == []


def test_what_was_added_is_read_again(journal: Journal) -> None:
    added = [add(journal, check=check) for check in ("network", "cluster")]
    assert journal.records() == added


def test_a_name_with_odd_line_separators_is_read_again(journal: Journal) -> None:
    added = add(journal, observed={"name": "a\u2028b\x85c\x0bd\re\nf"})
    assert journal.records() == [added]


def test_a_line_that_was_cut_off_is_left_out(journal: Journal, tmp_path: Path) -> None:
    first = add(journal)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"schema":"handson.evid')
    assert journal.records() == [first]


def test_after_a_cut_line_the_chain_goes_on(journal: Journal, tmp_path: Path) -> None:
    first = add(journal)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"schema":"handson.evid')
    second = add(journal)
    assert (journal.records(), second.get("previous")) == ([first, second], first["digest"])


def torn(journal: Journal, folder: Path) -> Iterator[tuple[int, list[Record]]]:
    """Cut the journal at every byte of its last record, whose name takes several bytes a letter."""
    path = folder / "journal.jsonl"
    kept = [add(journal, observed={}), add(journal, observed={"name": "花子🌸"})]
    start, whole = path.read_bytes().rindex(b"\n", 0, -1) + 1, path.read_bytes()
    for cut in range(start, len(whole) + 1):
        path.write_bytes(whole[:cut])
        # The line's end alone may be missing: the record is all there.
        yield cut, kept if cut >= len(whole) - 1 else kept[:1]


def test_wherever_the_last_record_is_cut_those_before_it_are_read_and_the_chain_goes_on(
    journal: Journal, tmp_path: Path
) -> None:
    wrong = []
    for cut, kept in torn(journal, tmp_path):
        read = journal.records()
        added = add(journal, observed={})
        seen = (read, journal.records(), added.get("previous"))
        wrong += [] if seen == (kept, [*kept, added], kept[-1]["digest"]) else [cut]
    assert wrong == []


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 4096, b"\xe8\x8a", b"\xf0\x9f\x8c", b'{"a":"\xe8'])
def test_what_a_power_cut_leaves_behind_the_last_record_is_left_out(
    journal: Journal, tmp_path: Path, tail: bytes
) -> None:
    first = add(journal)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(tail)
    second = add(journal)
    assert (journal.records(), second.get("previous")) == ([first, second], first["digest"])


def test_a_record_whose_place_holds_zeros_after_a_power_cut_is_the_only_one_lost(
    journal: Journal, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    first = add(journal)
    there = path.read_bytes()
    add(journal)
    path.write_bytes(there + b"\0" * (path.stat().st_size - len(there)))
    second = add(journal)
    assert (journal.records(), second.get("previous")) == ([first, second], first["digest"])


def test_a_clock_that_is_set_back_does_not_change_the_order(tmp_path: Path) -> None:
    hours = iter([5, 3, 4, -100])
    journal = Journal(tmp_path, clock=lambda: NOON + timedelta(hours=next(hours)))
    added = [add(journal) for _ in range(4)]
    digests = [record["digest"] for record in added]
    assert journal.records() == added
    assert [record.get("previous") for record in added] == [None, *digests[:-1]]
    assert added[1]["observed_at"] < added[0]["observed_at"]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"null",
        b'{"learner": "Hanako"}',
        b'{"schema":"s","check":[],"learner":"l","observed_at":"","digest":"d","observed":{}}',
        b"[" * 100_000,
    ],
    ids=["bytes", "list", "null", "little", "types", "deep"],
)
def test_a_line_that_is_no_record_is_left_out(
    journal: Journal, tmp_path: Path, line: bytes
) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line + b"\n")
    first = add(journal)
    assert (journal.records(), first.get("previous")) == ([first], None)


# What can go wrong


@contextmanager
def full_disk(path: Path, *, room: int) -> Iterator[None]:
    """Let files grow `room` bytes beyond the size of `path` and no further, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 1, 100])
def test_on_a_full_disk_the_journal_stays_as_it_was(
    journal: Journal, tmp_path: Path, room: int
) -> None:
    path = tmp_path / "journal.jsonl"
    add(journal)
    before = path.read_bytes()
    with full_disk(path, room=room), pytest.raises(NotReady):
        add(journal)
    assert path.read_bytes() == before


def test_after_a_full_disk_the_chain_goes_on(journal: Journal, tmp_path: Path) -> None:
    first = add(journal)
    with full_disk(tmp_path / "journal.jsonl", room=10), pytest.raises(NotReady):
        add(journal)
    assert add(journal).get("previous") == first["digest"]


def test_a_full_disk_is_told_with_the_journals_name(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with full_disk(path, room=10), pytest.raises(NotReady, match="書き込めません") as told:
        add(journal)
    assert str(path) in told.value.problem


def test_a_folder_in_the_place_of_the_journal_is_told_when_adding(
    journal: Journal, tmp_path: Path
) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(NotReady, match="同じ名前のフォルダー"):
        add(journal)


def test_a_folder_in_the_place_of_the_journal_is_told_when_reading(
    journal: Journal, tmp_path: Path
) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(NotReady, match=r"journal\.jsonl"):
        journal.records()


def test_a_journal_that_another_process_holds_is_told(tmp_path: Path) -> None:
    hasty = Journal(tmp_path, patience=0.05)
    with FileLock(tmp_path / "journal.lock"), pytest.raises(NotReady, match="別のカーネル") as told:
        add(hasty)
    assert "None" not in told.value.problem


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
    record = evidence.seal(
        observation(
            target=states.target(kind="aws", endpoint=None).to_json(),
            observed=states.empty(images=(states.image(built_by=None),)).to_json(),
        ),
        learner="Hanako",
        previous=None,
        observed_at=NOON,
    )
    assert "null" not in json.dumps(record)


def test_a_record_survives_an_editor_that_drops_nulls() -> None:
    record = sealed()
    assert without_nulls(record) == record
    assert evidence.is_intact(without_nulls(record))


def test_an_old_record_with_nulls_still_counts() -> None:
    assert evidence.is_intact(OLD)
    assert checks.derive(OLD["check"], OLD["observed"]).passed


def test_an_old_record_that_lost_its_nulls_still_counts() -> None:
    assert evidence.is_intact(without_nulls(OLD))
    assert checks.derive(OLD["check"], without_nulls(OLD)["observed"]).passed


def test_an_old_record_that_was_changed_is_not_intact() -> None:
    changed = without_nulls(OLD)
    changed["observed"]["clusters"][0]["status"] = "FAILED"
    assert not evidence.is_intact(changed)


def test_a_record_names_its_exercise() -> None:
    exercise = Exercise(cluster="blue")
    record = evidence.seal(
        observation(exercise=exercise), learner="L", previous=None, observed_at=NOON
    )
    assert Exercise.from_json(record["exercise"]) == exercise
