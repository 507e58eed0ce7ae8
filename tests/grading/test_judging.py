"""Judging: the points of a check, and what a person has to know about evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from handson.core.errors import InvalidInput
from handson.course import syllabus
from handson.course.course import Course, read_moment
from handson.course.variation import Variation
from handson.grading import CheckMark, Learner, Requirements
from handson.grading.claims import Claims
from handson.grading.findings import Claim, Finding
from handson.grading.marks import examine_evidence, judge_check, measure_lateness

from .making import claim, recorded

S01 = Learner("s01", "山田 花子")
OWN, CLASS = "112233445566", "123456789012"
AT = "2026-05-11T0{}:00:00+00:00".format


def moved(record: Claim, **changes: Any) -> Claim:
    return msgspec.structs.replace(record, **changes)


def judge(*claims: Claim, check: str = "cluster", **asked: Any) -> CheckMark:
    return judge_check(syllabus.find_check(check), Claims(items=[*claims]), Requirements(**asked))


def test_evidence_gets_all_points_of_its_check_or_none_and_says_why() -> None:
    marks = [judge(claim(check.id), check=check.id) for check in syllabus.CHECKS]
    assert [(mark.id, mark.status, mark.points, mark.possible) for mark in marks] == [
        (name, "passed", points, points)
        for name, points in zip(syllabus.CHECK_IDS, (30, 15, 10, 15, 10), strict=True)
    ]
    assert (marks[0].reason, marks[0].proof) == (None, claim("network"))
    nothing = CheckMark(id="cluster", status="missing", points=0, possible=15)
    assert judge(claim("network")) == nothing
    seen = {**recorded()["cluster"]["observed"], "clusters": []}
    mark = judge(claim("cluster", observed=msgspec.json.encode(seen)))
    assert (mark.facts[0].id, mark.diagnoses[0].code) == ("cluster.exists", "cluster-absent")
    course = Course(exercise=Variation(key="spring"))
    prefix = course.derive_exercise("s01").network.name
    of_another_exercise = judge(claim("cluster", prefix=prefix), course=course)
    for each in (mark, of_another_exercise):
        assert (each.status, each.points, each.reason) == ("failed", 0, None)
    mark = judge(claim("cluster", observed=b'{"vpcs": 7}', intact=False))
    assert (mark.status, mark.points, mark.reason) == ("unproven", 0, "observed-unreadable")
    assert (mark.facts, mark.observed) == ((), None)
    assert mark.objection is not None
    assert (mark.objection.check, mark.objection.where) == ("cluster", "cluster.ipynb")
    assert "vpcs" in mark.objection.values["reason"]


def test_where_the_course_says_so_points_are_the_share_of_facts_and_never_nearly_all() -> None:
    def share(check: str, points: float, seen: Any, **changes: Any) -> float:
        course = Course(by_fact=(check,), points={check: points})
        own = next(each for each in course.checks if each.id == check)
        held = claim(check, observed=msgspec.json.encode(seen), **changes)
        mark = judge_check(own, Claims(items=[held]), Requirements(course=course))
        assert mark.possible == points
        return mark.points

    network, image = (recorded()[check]["observed"] for check in ("network", "image"))
    lacking = {**network, "vpcs": [{**network["vpcs"][0], "dns_support": False}]}
    points = (25, 30, 0.3, 0)  # one of twelve facts is false: 22.92, 27.5, 0.275
    assert [share("network", each, lacking) for each in points] == [22.9, 27.5, 0.2, 0]
    assert share("network", 25, network) == 25
    assert share("network", 25, {**network, "vpcs": []}) == 0
    assert share("network", 25, lacking, intact=False) == 0
    assert share("image", 16, image) == 16  # whose advice is not followed
    tags = [{**image["images"][0], "tags": ["latest"]}]
    assert share("image", 16, {**image, "images": tags}) == 12


def test_an_extension_is_a_learners_own_later_deadline_and_lateness_is_measured_by_it() -> None:
    day = [datetime(2026, 5, number, tzinfo=UTC) for number in range(1, 31)]
    asked = Requirements(until=day[10], course=Course(extensions={"Ｓ01": day[12], "s02": day[5]}))
    own = [asked.for_learner(Learner(each)).until for each in ("s01", "s02", "s03")]
    assert own == [day[12], day[10], day[10]]
    alone = Requirements(course=asked.course)
    assert [alone.for_learner(Learner(each)).until for each in ("s01", "s03")] == [day[12], None]
    claims = Claims(
        items=[claim("cluster", observed_at=AT(3)), claim("network", observed_at=AT(1))]
    )
    deadline = datetime(2026, 5, 11, 3, tzinfo=UTC)
    moments = [deadline + timedelta(seconds=each) for each in (1, 0, -0.5, -90)]
    assert [measure_lateness(claims, each) for each in moments] == [0, 1, 1, 90]
    assert (measure_lateness(claims, None), measure_lateness(Claims(items=[]), deadline)) == (0, 0)


EUROPE = {"region": "eu-west-1"}
OBJECTIONS: list[tuple[str | None, dict[str, Any], dict[str, Any]]] = [
    (None, {}, {}),
    ("digest-broken", {"intact": False}, {}),
    ("digest-broken", {"intact": False, "contradiction": "x"}, {"target": "aws"}),
    ("target-contradiction", {"contradiction": "x"}, {"target": "aws"}),
    (None, {}, {"target": "emulator", "accounts": (OWN, CLASS), "region": "us-east-1"}),
    ("target-other", {}, {"target": "aws", "accounts": (OWN,), **EUROPE}),
    ("account-other", {}, {"accounts": (OWN,), **EUROPE}),
    ("region-other", {}, EUROPE),
    (None, EUROPE, EUROPE),
    (None, {"repeated": ("check",), "learner": "s99"}, {}),
    (None, {}, {"since": datetime(2027, 1, 1, tzinfo=UTC)}),
]


def test_points_are_withheld_for_the_first_objection_and_the_facts_are_shown() -> None:
    for reason, changes, asked in OBJECTIONS:
        mark = judge(claim("cluster", **changes), **asked)
        status, points = ("unproven", 0) if reason else ("passed", 15)
        assert (mark.reason, mark.status, mark.points) == (reason, status, points)
        assert mark.observed == recorded()["cluster"]["observed"]


TOKYO = {"region": "ap-northeast-1"}


def test_an_image_in_another_region_than_the_cluster_gets_no_points() -> None:
    both = [claim("cluster"), claim("image", previous="sha256:cluster", **TOKYO)]
    mark = judge(*both, check="image")
    assert (mark.status, mark.points, mark.reason) == ("unproven", 0, "region-other")
    assert told(*both) == [("region-other", "serious")]
    assert judge(*both, check="image", **TOKYO).points == 15


def test_a_workshop_that_was_built_in_another_region_counts_and_is_told() -> None:
    image = claim("image", previous="sha256:cluster", **TOKYO)
    all_there = [claim("cluster", **TOKYO), image]
    assert [judge(*all_there, check=check).points for check in ("cluster", "image")] == [15, 15]
    assert told(*all_there) == [("region-other", "warning")] * 2
    assert told(claim("image", **TOKYO)) == [("region-other", "warning")]


def test_a_learners_own_account_counts_instead_of_the_classes() -> None:
    asked = Requirements(accounts=(CLASS,), region="us-east-1")
    own = Requirements(accounts=(OWN,), region="us-east-1", learner=Learner("s01", account=OWN))
    assert asked.for_learner(Learner("s01", account=OWN)) == own
    assert asked.for_learner(Learner("s01")) == replace(asked, learner=Learner("s01"))


def found(
    *claims: Claim, learner: Learner = S01, journal: tuple[str, ...] = (), **asked: Any
) -> list[Finding]:
    gathered = Claims(items=[*claims], journal={*journal})
    return [*examine_evidence(gathered, Requirements(learner=learner, **asked))]


def told(*claims: Claim, **asked: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in found(*claims, **asked)]


def gist(finding: Finding) -> tuple[str, str, str | None]:
    return finding.code, finding.severity, finding.check


def test_evidence_from_elsewhere_or_that_proves_nothing_is_told_with_its_values() -> None:
    account = {"account": CLASS, "wanted": "1, 2"}
    region = {"region": "us-east-1", "wanted": "eu-west-1"}
    asked: list[tuple[dict[str, Any], str, str, dict[str, str]]] = [
        ({"target": "aws"}, "target-other", "serious", {"kind": "emulator", "wanted": "aws"}),
        ({"accounts": ("1", "2")}, "account-other", "serious", account),
        (EUROPE, "region-other", "serious", region),
    ]
    for of, *told_ in asked:
        assert [[each.code, each.severity, each.values] for each in found(claim(), **of)] == [told_]
    assert told(claim(**EUROPE), **EUROPE) == []
    [elsewhere] = found(claim(**EUROPE))
    assert (elsewhere.code, elsewhere.severity) == ("region-other", "warning")
    assert elsewhere.values == {"region": "eu-west-1", "wanted": "us-east-1"}
    spoilt = [
        claim(intact=False, digest="sha256:0123456789abcdef"),
        claim("cluster", intact=False, source="journal"),
        claim("image", contradiction="region: a / b"),
        claim("image-uri", repeated=("check", "b\n"), intact=False, digest="x"),
    ]
    seen = [(each.code, each.severity, each.where, each.values) for each in found(*spoilt)]
    assert seen[:5] == [
        ("digest-broken", "serious", "network.ipynb", {"digest": "sha256:0123456789ab"}),
        ("digest-broken", "warning", "cluster.ipynb", {"digest": "sha256:cluster"}),
        ("target-contradiction", "serious", "image.ipynb", {"said": "region: a / b"}),
        ("digest-broken", "serious", "image-uri.ipynb", {"digest": "x"}),
        ("record-twins", "serious", "image-uri.ipynb", {"names": "check, b�"}),
    ]


def test_what_is_judged_has_to_come_from_the_right_place_within_the_window() -> None:
    history = claim(digest="old", source="journal", learner="s02", observed_at="2026-05-10T00:00")
    newer = claim(source="journal", observed_at="2026-05-12T00:00:00+00:00")
    asked = {"target": "aws", "journal": ("old", "sha256:network")}
    target, late = ("target-other", "serious"), ("too-late", "warning")
    assert told(history, claim(kind="aws"), **asked) == []
    assert told(moved(history, source="notebook"), claim(kind="aws"), **asked)[0] == target
    assert told(history, newer, until=datetime(2026, 1, 1, tzinfo=UTC), **asked) == [target, late]
    seconds = [datetime(2026, 5, 11, 0, 59, 59, tzinfo=UTC)]
    seconds += [datetime(2026, 5, 11, 1, 0, second, tzinfo=UTC) for second in (0, 1)]
    early, late = ("too-early", "warning"), ("too-late", "warning")
    assert [told(claim(), since=moment) for moment in seconds] == [[], [], [early]]
    assert [told(claim(), until=moment) for moment in seconds] == [[late], [late], []]


@pytest.fixture
def tokyo(
    monkeypatch: pytest.MonkeyPatch, require: Callable[[str, bool, str], None]
) -> Iterator[None]:
    require("tzset", hasattr(time, "tzset"), "this system's time zone cannot be set for a test")
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_resources_with_another_learners_tag_are_told_and_cost_no_marks() -> None:
    fine = ("", "s01", "home-0123456789abcdef")
    assert told(claim(owners=fine)) == told(claim()) == []
    [finding] = found(claim(owners=("s01", "xn--i8sr8k")))
    assert (gist(finding), finding.values) == (
        ("owner-other", "note", "network"), {"named": "愛子"}
    )  # fmt: skip
    assert told(claim(owners=("xn--i8sr8k",), kind="aws")) == [("owner-other", "warning")]
    assert told(claim(owners=("xn-- -r71b76a973e55o",), learner="s01")) == []
    assert judge(claim("cluster", owners=("Bunta",))).points == judge(claim("cluster")).points > 0


FIRST = claim(digest="1", observed_at=AT(1))
SECOND = claim("cluster", digest="2", previous="1", observed_at=AT(2))
THIRD = claim("image", digest="3", previous="2", observed_at=AT(3))
CHAINS: list[tuple[tuple[Claim, ...], str, list[tuple[str, str]]]] = [
    ((FIRST, SECOND, THIRD), "", []),
    ((FIRST, SECOND, THIRD), "123", []),
    ((FIRST, SECOND, moved(THIRD, previous="1")), "", [("chain-forked", "warning")]),
    ((FIRST, moved(SECOND, previous=None), THIRD), "", [("chain-begun-twice", "note")]),
    ((FIRST, moved(SECOND, previous=None, learner="s02")), "", []),
    ((FIRST, moved(THIRD, previous="x"), moved(SECOND, previous="y")), "", [("chain-gap", "note")]),
    ((FIRST, THIRD), "13", [("chain-broken", "serious")]),
    ((FIRST, moved(SECOND, observed_at=AT(0))), "", [("chain-order", "warning")]),
    ((FIRST, moved(SECOND, observed_at=AT(1))), "", []),
    ((FIRST, SECOND), "1", [("not-in-journal", "warning")]),
]


def test_forks_gaps_and_disorder_of_a_chain_are_told_for_each_name() -> None:
    assert [told(*chain, journal=(*kept,)) for chain, kept, _ in CHAINS] == [c[-1] for c in CHAINS]
    of_two = moved(FIRST, digest="8", learner="s02"), moved(FIRST, learner="s02")
    of_one = moved(FIRST, digest="9"), moved(THIRD, previous=None)
    twice = found(*of_two, *of_one)
    assert [each.values["records"] for each in twice if each.code == "chain-begun-twice"] == [
        f"network {AT(1)} 9, image {AT(3)} 3",
        f"network {AT(1)} 8, network {AT(1)} 1",
    ]


def test_a_finding_about_a_chain_names_its_first_three_records_by_time() -> None:
    long = moved(SECOND, check="image-uri", digest="sha256:0123456789abcdef", observed_at=AT(4))
    after = [long, moved(SECOND, check="repository"), moved(SECOND, digest="5")]
    (three,) = found(FIRST, *after)
    (four,) = found(FIRST, *after, moved(THIRD, previous="1"))
    start = f"cluster {AT(2)} 5, repository {AT(2)} 2, "
    assert (three.code, three.check, three.where) == ("chain-forked", "cluster", "cluster.ipynb")
    assert three.values["records"] == f"{start}image-uri {AT(4)} sha256:0123456789ab"
    assert four.values["records"] == f"{start}image {AT(3)} 3, … (4)"


@pytest.mark.usefixtures("tokyo")
def test_a_date_is_a_whole_day_on_this_machines_clock_and_a_time_is_that_moment() -> None:
    for day in ("2026-05-01", "20260501", "2026-W18-5"):
        assert read_moment(day).isoformat() == "2026-04-30T15:00:00+00:00"
        assert read_moment(day, end=True).isoformat() == "2026-05-01T15:00:00+00:00"
    for time_ in ("2026-05-01T08:00+08:00", "20260501T09", "2026-05-01T09:00"):
        moments = [read_moment(time_, end=end) for end in (False, True)]
        assert moments == [datetime(2026, 5, 1, tzinfo=UTC)] * 2
    for text in ("yesterday", "2026-13-01", "", "9999-12-31"):
        with pytest.raises(InvalidInput):
            read_moment(text, end=True)
    until, since = read_moment("2026-05-01", end=True), read_moment("2026-05-12T09:30+08:00")
    limits = [finding.values["limit"] for finding in found(claim(), since=since, until=until)]
    assert limits == ["2026-05-12T10:30+09:00", "2026-05-01"]
