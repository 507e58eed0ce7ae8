"""Copies: what several learners hold, and the passages that two answers share."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from handson.grading import Learner, Result, copies
from handson.grading.copies import compare_answers, compare_evidence, find_passages, find_shared
from handson.grading.findings import Bearer, Finding, Passage, Written
from handson.grading.submission import make_empty_result

from . import making
from .making import claim

ENGLISH = (
    "Whenever a whole building loses its power, our customers still get their bread. ",
    "My aunt once rented two ovens in one street, and a single flood ruined both of them. ",
)
LESSON = "".join(making.Book(making.committed()).cell("network-why")["source"]).strip()
EARLY, LATE, LATER = (f"2026-05-11T0{hour}:00:00+00:00" for hour in (1, 2, 3))


def result(learner: str, **changes: Any) -> Result:
    return msgspec.structs.replace(make_empty_result(Learner(learner, "Ana"), []), **changes)


def answer(text: str, question: str = "why-network") -> Written:
    return Written(id=question, status="answered", possible=4, text=text)


def test_records_request_ids_and_resources_identify_evidence_that_several_hold() -> None:
    parts = {"subnets": "subnet", "route_tables": "rtb", "internet_gateways": "igw",
             "endpoints": "vpce"}  # fmt: skip
    own = {name: [{"id": f"{kind}-01234567"}] for name, kind in parts.items()}
    default = {"id": "vpc-89abcdef", "is_default": True, "subnets": [{"id": "subnet-89abcdef"}]}
    short, long = ({"id": f"vpc-0123456{more}"} for more in ("", "789abcdef01"))
    odd = [{"id": "vpc-11111111", "is_default": "no"}, 7, {"id": 7, "subnets": 7}, short, long]
    vpcs = [{"id": "vpc-0123456789abcdef0", "is_default": False, **own}, default, *odd]
    observed = msgspec.json.encode({"vpcs": vpcs})
    early = claim(requests=("12345678", "1234567"), observed=observed)
    late = claim("cluster", observed_at=LATE, requests=("12345678",), observed=b'{"vpcs": 7}')
    found = copies.list_identifiers([late, early])
    assert found.pop(("same-record", "sha256:cluster")).check == "cluster"
    names = ["vpc-0123456789abcdef0", "vpc-11111111"]
    names += [f"{kind}-01234567" for kind in parts.values()]
    held = [("same-record", "sha256:network"), ("same-request", "12345678")]
    held += [("same-resource", name) for name in names]
    assert found == dict.fromkeys(held, Bearer(EARLY, "network", "network.ipynb", "s01"))
    held = [[("a", 1), ("a", 2)], [("b", 1), ("a", 3)], [("a", 2), ("a", 1)], [("a", 1)]]
    assert find_shared(held) == {("a", 1): (0, 2, 3), ("a", 2): (0, 2)}


def bearing(learner: str, named: str, at: str, *held: tuple[str, str]) -> Result:
    bearer = Bearer(at, "network", f"{learner}.ipynb", named)
    return result(learner, identifiers=dict.fromkeys(held, bearer))


def test_each_who_shares_evidence_is_told_with_the_others_and_who_was_first() -> None:
    record, requests = ("same-record", "d"), [("same-request", "r" * 40), ("same-request", "z")]
    one = bearing("s01", "s01", LATE, record, *requests)
    one.identifiers[requests[1]] = Bearer(LATER, "image", "", "s01")
    other = bearing("s02", "s02", EARLY, record, *requests, ("same-resource", "vpc-1"))
    told = {"same-record": ("d", "1"), "same-request": ("r" * 36, "2")}
    assert [*compare_evidence([one, bearing("s00", "", EARLY), other])] == [
        (owner, Finding(code=code, severity="serious", check="network", where=f"{own}.ipynb",
                        others=(f"{its} Ana",),
                        values={"example": example, "count": count, "first": "s02 Ana"}))
        for code, (example, count) in told.items()
        for owner, own, its in ((0, "s01", "s02"), (2, "s02", "s01"))
    ]  # fmt: skip
    shared = [bearing(name, name, EARLY, ("same-resource", "vpc-1")) for name in ("s1", "s2", "s3")]
    found = [(owner, each.severity, each.others) for owner, each in compare_evidence(shared)]
    others = [("s2 Ana", "s3 Ana"), ("s1 Ana", "s3 Ana"), ("s1 Ana", "s2 Ana")]
    assert found == [(number, "warning", names) for number, names in enumerate(others)]
    for named, at, first in (
        ("s02", LATE, "s01 Ana"),
        ("s02", EARLY, "s02 Ana"),
        ("s01", EARLY, "?"),
    ):
        one = bearing("s01", named, EARLY, ("same-record", "d"))
        found = compare_evidence([one, bearing("s02", "s02", at, ("same-record", "d"))])
        assert [finding.values["first"] for _, finding in found] == [first, first]


def common(mine: str, theirs: str) -> tuple[str, ...]:
    passage = find_passages(answer(mine), answer(theirs))
    return passage.common if passage else ()


def essays(count: int) -> list[str]:
    return [making.essay(random.Random(seed)) for seed in range(count)]


def letters(start: int, count: int) -> str:
    """Return different letters of which seven make a shingle: all but six begin one."""
    return "".join(chr(0x9000 + start + number) for number in range(count))


def test_answers_of_12_shingles_are_alike_by_half_of_the_shorter_one_even_far_down() -> None:
    theirs = letters(200, 80)
    for own, shared, alike in ((0, 18, 1), (0, 17, 0), (9, 15, 1), (10, 14, 0), (10, 15, 0)):
        same = letters(100, shared)
        mine, other = letters(0, own) + same, same + theirs
        whole = Passage(grade_id="why-network", mine=mine, theirs=other, common=(same,))
        assert find_passages(answer(mine), answer(other)) == (whole if alike else None)
    shared, mine = essays(2)
    for padding in ("\n" * 5_000, "\u200b" * 5_000, ". " * 3_000):
        copied = answer(f"{mine[:10]}{padding}{shared}")
        one, other = (set(copies.sketch_answers([each])) for each in (copied, answer(shared)))
        assert len(one & other) >= 7
        assert common(copied.text, shared) == (shared,)


def test_the_40_longest_passages_are_shown_in_any_order_and_ones_own_words_are_not() -> None:
    for one, other in (essays(2), ENGLISH):
        assert common(f"{one}\n{other}", f"{other}\n{one}") == (one.strip(), other.strip())
    shared, mine, theirs = essays(3)
    assert common(f"{mine}\n{shared}", f"{shared}\n{theirs[:40]}") == (shared,)
    assert common(f"{LESSON}\n{shared}", f"{shared}\n{LESSON}") == (shared,)
    parts = [letters(60 * number, 7 + number) for number in range(41)]
    assert common("-".join(parts), "_".join(reversed(parts))) == tuple(parts[1:])


def test_a_sketch_has_the_24_smallest_hashes_of_shingles_of_seven_letters_or_20_latin() -> None:
    texts = [("a", letters(0, 40)), ("b", letters(40, 18)), ("c", letters(80, 17)), ("d", "")]
    sketched = [*copies.sketch_answers(answer(text, question) for question, text in texts)]
    assert [question for question, _ in sketched] == ["a"] * 24 + ["b"] * 12
    assert [value for _, value in sketched][:24] == sorted(copies.own_shingles(texts[0][1]))[:24]
    latin = "abcdefghijklmnopqrstuvwxyz01234"
    texts = latin, latin[:20] + letters(0, 11), latin[:20] + letters(0, 10)
    counts = [len(copies.own_shingles(text)) for text in texts]
    assert counts == [31 - 20 + 1, 31 - 7 + 1, 20 + 3 * 10 - 20 + 1]


def alike(*texts: str, also: str = "") -> list[tuple[int, Finding]]:
    results = []
    for number, text in enumerate(texts):
        answers = (answer(also, "other"), answer(text))
        sketches = tuple(copies.sketch_answers(answers))
        written = (*answers, answer("", "architecture"))
        results.append(result(f"s{number}", written=written, sketches=sketches))
    return [*compare_answers(results)]


def test_answers_that_share_seven_hashes_are_told_but_not_quotes_of_the_course() -> None:
    def sharing(count: int) -> tuple[str, str]:
        common, rest = letters(0, count), 18 - count
        return common + letters(100, rest), common + letters(200, rest)

    mine, theirs = sharing(13)
    assert alike(*sharing(12)) == []
    (number, one), (_, other) = alike(mine, essays(1)[0], theirs)
    assert (number, one.code, one.values) == (0, "answers-alike", {"questions": "why-network"})
    assert (one.others, other.others) == (("s2 Ana",), ("s0 Ana",))
    passage = Passage(grade_id="why-network", mine=mine, theirs=theirs, common=(letters(0, 13),))
    assert (one.passages, other.passages[0].mine) == ((passage,), theirs)
    assert alike(*(f"{LESSON}\nはい。{n}" for n in "ab")) == []
    english = "".join(ENGLISH)
    assert [owner for owner, _ in alike(english.upper(), f"{english} ok")] == [0, 1]


def test_of_a_group_each_is_told_with_the_first_the_one_before_and_all_questions() -> None:
    others = {owner: " ".join(each.others) for owner, each in alike(*essays(1) * 4)}
    s0, s1, s2, s3 = (f"s{number} Ana" for number in range(4))
    assert others == {0: f"{s1} {s2} {s3}", 1: f"{s0} {s2}", 2: f"{s0} {s1} {s3}", 3: f"{s0} {s2}"}
    one, other = essays(2)
    found = alike(one, one, also=other)
    assert [each.values["questions"] for _, each in found] == ["other, why-network"] * 2
    assert [each.grade_id for each in found[0][1].passages] == ["other", "why-network"]
