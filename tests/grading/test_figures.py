"""The figures of a class: mean, spread and histogram of points, and what was wrong most often."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from handson.core import messages
from handson.course.checks import Diagnosis, FactResult
from handson.course.course import Course
from handson.grading import Grades, Learner, Requirements, Result
from handson.grading.output import find_diagnoses, find_failed_facts, format_table, measure_points
from handson.grading.submission import make_empty_result

COURSE = Course(points={"network": 10, "image": 0, "why-zones": 0})


def learner(name: str, points: float = 0, **changes: Any) -> Result:
    """Return a result with points for the network, and further changes of that check."""
    empty = make_empty_result(Learner(name), [], Requirements(course=COURSE))
    network, *others = empty.checks
    checks = (replace(network, points=points, **changes), *others)
    return replace(empty, checks=checks)


def failing(*facts: str, advice: str = "") -> dict[str, Any]:
    """Return what a check holds whose facts are false, but for the first."""
    results = [FactResult("vpc.exists", True, True, advice=False)]
    results += [FactResult(fact, True, None, advice=fact == advice) for fact in facts]
    diagnoses = [Diagnosis(f"no-{fact}", "", "", (fact, "image.runnable")) for fact in facts]
    diagnoses.append(Diagnosis("image-builtin", "", "", ("image.runnable",)))
    return {"facts": tuple(results), "diagnoses": (*diagnoses, *diagnoses)}


def test_points_are_measured_an_item_over_those_who_handed_in() -> None:
    marks = [(4, 10), (3, 6), (None, 5.9), (1, 0)]
    results = []
    for mark, points in marks:
        result = learner("s", points)
        first, *others = result.written
        results.append(replace(result, written=(replace(first, mark=mark), *others)))
    results[3] = replace(results[3], checks=tuple(
        replace(check, mark=8, comment="x") if check.id == "network" else check
        for check in results[3].checks
    ))  # fmt: skip
    absent = replace(learner("absent"), handed_in=False)
    found = measure_points([*results, absent], COURSE)
    assert list(found)[:5] == [check.id for check in COURSE.checks]
    assert list(found)[5:] == [*(item.grade_id for item in COURSE.marked), "counted", "total"]
    figures = [[*found[item].values()] for item in ("network", "why-network", "total")]
    assert figures == [
        [4, 7.47, 1.68, [0, 0, 1, 1, 2]],
        [3, 2.67, 1.25, [0, 1, 0, 1, 1]],
        [0, None, None, [0] * 5],
    ]
    assert [*found["total"]] == ["count", "mean", "deviation", "histogram"]
    assert found["image"]["histogram"] == [0, 0, 0, 0, 4]
    assert found["why-zones"]["count"] == 0  # nobody gave it a mark
    assert (found["counted"]["mean"], found["counted"]["histogram"]) == (7.47, [3, 1, 0, 0, 0])


def test_facts_and_diagnoses_are_counted_once_a_learner_the_most_frequent_first() -> None:
    results = [
        learner("s1", **failing("vpc.cidr")),
        learner("s2", **failing("vpc.cidr", "names", advice="names")),
        learner("s3", **failing("subnets.zones", "vpc.cidr")),
        learner("s4"),
    ]
    facts = {("network", "vpc.cidr"): [0, 1, 2], ("network", "subnets.zones"): [2]}
    assert [*find_failed_facts(results).items()] == [*facts.items()]
    assert find_diagnoses(results) == {
        ("network", "no-names"): [1],
        ("network", "no-vpc.cidr"): [0, 1, 2],
        ("network", "no-subnets.zones"): [2],
    }


def test_a_class_has_its_mean_its_spread_and_what_failed_most_often() -> None:
    def told(*results: Result) -> list[str]:
        lines = format_table(Grades(results, Requirements(course=COURSE), readable=1))
        return [line for line in lines if "mean" in line or "often" in line]

    messages.use("en")
    done, failed = learner("s1", 10), learner("s2", 5, **failing("vpc.cidr"))
    text = "Automatic points: mean {}, standard deviation {}, of 45"
    most = "Failed most often: “IPv4 CIDR block of the VPC” of network ({})"
    assert told(done) == []
    assert told(done, done) == [text.format(10, 0)]
    assert told(done, failed) == [text.format(7.5, 2.5), most.format("1 learner")]
    assert told(failed, failed) == [text.format(5, 0), most.format("2 learners")]
