"""Copies: what several learners hold, and the passages that two answers share."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from handson.grading import Learner, Result, copies
from handson.grading.copies import compare_answers, compare_evidence, find_passages, find_shared
from handson.grading.findings import Bearer, Identifier, Passage, Written
from handson.grading.submission import make_empty_result

from . import making
from .making import claim

ENGLISH = (
    "Whenever a whole building loses its power, our customers still get their bread. ",
    "My aunt once rented two ovens in one street, and a single flood ruined both of them. ",
)
EARLY, LATE = "2026-05-11T01:00:00+00:00", "2026-05-11T02:00:00+00:00"


def result(learner: str, **changes: Any) -> Result:
    return msgspec.structs.replace(make_empty_result(Learner(learner, "Ana"), []), **changes)


def answer(text: str, question: str = "why-network") -> Written:
    return Written(grade_id=question, status="answered", possible=4, text=text)


# find_shared.


def test_what_several_hold_is_found_with_their_numbers_in_order() -> None:
    held = [[("a", 1), ("a", 2)], [("b", 1), ("a", 3)], [("a", 2), ("a", 1)], [("a", 1)]]
    assert find_shared(held) == {("a", 1): (0, 2, 3), ("a", 2): (0, 2)}


# list_identifiers.


def observed(*vpcs: object) -> bytes:
    return msgspec.json.encode({"vpcs": [*vpcs]})


def test_records_long_request_ids_and_resources_of_ec2_identify_evidence() -> None:
    parts = {name: [{"id": f"{kind}-01234567"}] for name, kind in (
        ("subnets", "subnet"), ("route_tables", "rtb"),
        ("internet_gateways", "igw"), ("endpoints", "vpce"),
    )}  # fmt: skip
    own = {"id": "vpc-0123456789abcdef0", "is_default": False, **parts}
    default = {"id": "vpc-89abcdef", "is_default": True, "subnets": [{"id": "subnet-89abcdef"}]}
    odd = [7, {"id": 7, "subnets": 7}, {"id": "vpc-0123456"}, {"id": "vpc-0123456789abcdef01"}]
    held = claim(requests=("12345678", "1234567"), observed=observed(own, default, *odd))
    bearer = Bearer(EARLY, "network", "network.ipynb", "s01")
    assert copies.list_identifiers([held]) == {
        ("same-record", "sha256:network"): bearer,
        ("same-request", "12345678"): bearer,
        **{
            ("same-resource", name): bearer
            for name in (
                *("vpc-0123456789abcdef0", "subnet-01234567", "rtb-01234567"),
                *("igw-01234567", "vpce-01234567"),
            )
        },
    }
    assert len(copies.list_identifiers([claim(observed=b'{"vpcs": 7}')])) == 1


def test_the_earliest_record_bears_what_several_hold() -> None:
    one = claim(observed_at=LATE, requests=("12345678",), observed=b"{}")
    other = claim("cluster", observed_at=EARLY, requests=("12345678",), observed=b"{}")
    found = copies.list_identifiers([one, other])
    assert found["same-request", "12345678"].check == "cluster"


# compare_evidence.


def bearing(learner: str, named: str, at: str, *held: Identifier) -> Result:
    bearer = Bearer(at, "network", f"{learner}.ipynb", named)
    return result(learner, identifiers=dict.fromkeys(held, bearer))


RECORD, REQUEST, RESOURCE = ("same-record", "d"), ("same-request", "r"), ("same-resource", "vpc-1")


def test_each_who_shares_evidence_is_told_with_the_others_and_who_was_first() -> None:
    long = ("same-request", "r" * 40)
    one = bearing("s01", "s01", LATE, RECORD, long, ("same-request", "z"))
    other = bearing("s02", "s02", EARLY, RECORD, long, ("same-request", "z"), RESOURCE)
    found = [
        (owner, each.code, each.severity, each.check, each.where, each.others, each.values)
        for owner, each in compare_evidence([one, bearing("s00", "", EARLY, REQUEST), other])
    ]
    record = {"example": "d", "count": "1", "first": "s02 Ana"}
    request = {"example": "r" * 36, "count": "2", "first": "s02 Ana"}
    assert found == [
        (0, "same-record", "serious", "network", "s01.ipynb", ("s02 Ana",), record),
        (2, "same-record", "serious", "network", "s02.ipynb", ("s01 Ana",), record),
        (0, "same-request", "serious", "network", "s01.ipynb", ("s02 Ana",), request),
        (2, "same-request", "serious", "network", "s02.ipynb", ("s01 Ana",), request),
    ]


def test_the_same_resource_alone_is_for_a_human_eye() -> None:
    shared = [bearing(name, name, EARLY, RESOURCE) for name in ("s01", "s02", "s03")]
    found = [(owner, each.severity, each.others) for owner, each in compare_evidence(shared)]
    assert found == [
        (0, "warning", ("s02 Ana", "s03 Ana")),
        (1, "warning", ("s01 Ana", "s03 Ana")),
        (2, "warning", ("s01 Ana", "s02 Ana")),
    ]


@pytest.mark.parametrize(
    ("names", "times", "first"),
    [
        (("s01", "s02"), (EARLY, LATE), "s01 Ana"),
        (("s02", "s02"), (EARLY, LATE), "s01 Ana"),
        (("s02", "s02"), (EARLY, EARLY), "s02 Ana"),
        (("s01", "s02"), (EARLY, EARLY), "?"),
    ],
)
def test_the_first_is_who_has_the_earliest_time_and_then_the_name(
    names: tuple[str, str], times: tuple[str, str], first: str
) -> None:
    held = zip(("s01", "s02"), names, times, strict=True)
    found = compare_evidence([bearing(learner, *of, RECORD) for learner, *of in held])
    assert [finding.values["first"] for _, finding in found] == [first, first]


# find_passages.


def compared(mine: str, theirs: str) -> Passage:
    passage = find_passages(answer(mine), answer(theirs))
    assert passage is not None
    return passage


def essays(count: int) -> list[str]:
    return [making.essay(random.Random(seed)) for seed in range(count)]


def letters(start: int, count: int) -> str:
    """Return different letters of which seven make a shingle: all but six begin one."""
    return "".join(chr(0x9000 + start + number) for number in range(count))


@pytest.mark.parametrize(("own", "shared", "found"), [
    (0, 18, True), (0, 17, False),
    (9, 15, True), (10, 14, False), (10, 15, False), (11, 17, True),
])  # fmt: skip
def test_answers_of_12_shingles_are_alike_by_half_of_the_shorter_one(
    own: int, shared: int, found: bool
) -> None:
    mine, common = letters(0, own), letters(100, shared)
    passage = find_passages(answer(mine + common), answer(common + letters(200, 80)))
    assert passage == (
        Passage(
            grade_id="why-network",
            mine=mine + common,
            theirs=common + letters(200, 80),
            common=(common,),
        )
        if found
        else None
    )


@pytest.mark.parametrize("parts", [essays(2), ENGLISH], ids=["ja", "en"])
def test_passages_in_another_order_are_all_shown(parts: tuple[str, str]) -> None:
    one, other = parts
    found = compared(f"{one}\n{other}", f"{other}\n{one}").common
    assert found == (one.strip(), other.strip())


def test_a_passage_among_ones_own_words_is_shown_and_they_are_not() -> None:
    shared, mine, theirs = essays(3)
    found = compared(f"{mine}\n{shared}", f"{shared}\n{theirs[:40]}")
    assert shared in found.common
    assert not any(mine[:30] in passage for passage in found.common)


@pytest.mark.parametrize("width", [13, 24])
def test_texts_made_to_be_compared_for_minutes_are_shown_like_others(width: int) -> None:
    """A dozen letters again and again, in one text with others between: 20 s for each, once."""
    mine = (letters(0xC00, width) * 400)[:4_000]
    theirs = "".join(letter + chr(0x5000 + at) * (at % 15 == 0) for at, letter in enumerate(mine))
    both = compared(mine, theirs).common, compared(theirs, mine).common
    passages = [passage for found in both for passage in found]
    assert all(passage in mine and passage in theirs for passage in passages)
    assert max(map(len, passages)) >= 13


# sketch_answers, compare_answers.


@pytest.mark.parametrize("padding", ["\n" * 5_000, "\u200b" * 5_000, ". " * 3_000])
def test_what_stands_far_down_is_compared_all_the_same(padding: str) -> None:
    shared, mine = essays(2)
    copied = answer(f"{mine[:10]}{padding}{shared}")
    sketches = [set(copies.sketch_answers([each])) for each in (copied, answer(shared))]
    assert len(sketches[0] & sketches[1]) >= 7
    assert compared(copied.text, shared).common == (shared,)


def test_a_sketch_has_the_24_smallest_hashes_of_each_answer_that_is_long_enough() -> None:
    texts = [("a", letters(0, 40)), ("b", letters(40, 18)), ("c", letters(80, 17)), ("d", "")]
    sketched = [*copies.sketch_answers(answer(text, question) for question, text in texts)]
    assert [question for question, _ in sketched] == ["a"] * 24 + ["b"] * 12
    hashes = [value for question, value in sketched if question == "a"]
    assert hashes == sorted(copies.own_shingles(letters(0, 40)))[:24]


def alike(*texts: str, question: str = "why-network") -> list[tuple[int, Any]]:
    results = []
    for number, text in enumerate(texts):
        answers = (answer("", "other"), answer(text, question))
        sketches = tuple(copies.sketch_answers(answers))
        results.append(result(f"s{number}", answers=answers, sketches=sketches))
    return [*compare_answers(results)]


def test_answers_that_share_seven_hashes_are_told_side_by_side() -> None:
    def sharing(count: int) -> tuple[str, str]:
        common, rest = letters(0, count), 18 - count
        return common + letters(100, rest), common + letters(200, rest)

    mine, theirs = sharing(13)
    found = alike(mine, essays(1)[0], theirs)
    assert alike(*sharing(12)) == []
    assert [(owner, each.code, each.others, each.values) for owner, each in found] == [
        (0, "answers-alike", ("s2 Ana",), {"questions": "why-network"}),
        (2, "answers-alike", ("s0 Ana",), {"questions": "why-network"}),
    ]
    (passage,) = found[0][1].passages
    assert (passage.mine, passage.theirs, passage.common) == (mine, theirs, (letters(0, 13),))
    assert found[1][1].passages[0].mine == theirs


def test_of_a_group_each_is_told_with_the_first_and_the_one_before() -> None:
    found = alike(*essays(1) * 4)
    assert [(owner, each.others) for owner, each in found] == [
        (0, ("s1 Ana", "s2 Ana", "s3 Ana")),
        (1, ("s0 Ana", "s2 Ana")),
        (2, ("s0 Ana", "s1 Ana", "s3 Ana")),
        (3, ("s0 Ana", "s2 Ana")),
    ]


def test_quoting_the_course_is_not_copying_and_case_hides_nothing() -> None:
    lesson = "".join(making.committed_cell("network-why")["source"])
    assert alike(*(f"{lesson}\nはい。{n}" for n in "ab")) == []
    english = "".join(ENGLISH)
    assert [owner for owner, _ in alike(english.upper(), f"{english} ok")] == [0, 1]
