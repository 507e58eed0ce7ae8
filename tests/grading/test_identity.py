"""Identity: whose a submission is, and the names in it that are another's."""

from __future__ import annotations

from typing import Any

import msgspec

from handson.grading import Learner, Requirements, Roster
from handson.grading.claims import Claims
from handson.grading.export_names import Person
from handson.grading.findings import Claim, Finding, make_finding
from handson.grading.identity import Identity, compare_names
from handson.grading.sources import Submission
from handson.grading.submission import make_empty_result

from .making import claim

S01 = Learner("s01", "山田 花子", "A")
TWO, ONE = Roster((S01, Learner("s02", "山田 花子", "B"))), Roster((Learner("s03", "Ana"),))
YAMADA, ANA = {"owner": "山田 花子"}, {"owner": "Ana"}
SAME = Roster(tuple(Learner(f"s0{n}", "山田 花子", aliases=(f"{n + 5}",)) for n in (1, 2)))
OWNERS: list[tuple[list[str], dict[str, Any], str, str]] = [
    (["s02"], {"owner": "s01"}, "s01", "learner-other"),
    (["s02"], YAMADA, "s02", ""),
    (["s01", "s02"], YAMADA, "山田 花子", "learner-other name-of-several"),
    (["Ana"], YAMADA, "山田 花子", "learner-other name-of-several"),
    (["山田 花子"], {**YAMADA, "number": "7", "roster": SAME}, "s02", ""),
    (["山田 花子"], {**YAMADA, "number": "8", "roster": SAME}, "山田 花子", "name-of-several"),
    (["s01"], ANA, "Ana", "learner-other not-in-roster"),
    (["Ana"], {**ANA, "number": "7"}, "Ana", "not-in-roster"),
    (["Ana"], {**ANA, "number": "7", "has_namesakes": True}, "Ana (7)", "not-in-roster"),
    (["Ana"], {**ANA, "has_namesakes": True}, "Ana", "not-in-roster"),
    (["Ana"], {**ANA, "roster": Roster()}, "Ana", ""),
    (["山田 花子"], {"owner": "2026001@0095", "roster": Roster()}, "2026001@0095", "no-person"),
    (["Ana"], {"owner": "hanako-y", "roster": ONE}, "s03", "no-person"),
    (["Ben"], {"owner": "hanako-y", "roster": ONE}, "hanako-y", "no-person"),
    (["Ben"], {"owner": "Participant 40", "roster": Roster()}, "Participant 40", "no-person"),
    (["Ana", "Ben"], {"owner": "hanako-y", "roster": Roster()}, "hanako-y", "learner-several"),
    (["Ana", "Ben"], {"owner": "Group A", "roster": Roster()}, "Group A", "learner-several"),
    (["s05"], {"owner": "s04", "roster": Roster()}, "s04", "learner-other"),
    (["s05"], {"owner": "s04", "roster": Roster((Learner("s04"),))}, "s04", "learner-other"),
    (["Ana"], {"owner": "s04", "roster": Roster((Learner("s04"),))}, "s04", ""),
    (["Ana"], {"owner": "Ana", "is_late": True, "roster": ONE}, "s03", "late-by-name"),
    (["Ana"], {"owner": "Lab", "guesses": ("Lab", "Ana B"), "roster": Roster()}, "Ana B", ""),
    (["Ana"], {"owner": "Lab", "guesses": ("Lab", "Ben"), "roster": ONE}, "s03", ""),
    (["S02"], {}, "s02", ""),
    (["Ana"], {}, "Ana", ""),
    ([""], {}, "inbox", "learner-unnamed"),
    (["Ana", "Ben"], {}, "inbox", "learner-several"),
]


def identify(
    *names: str, owner: str = "", number: str = "", is_late: bool = False, **of: Any
) -> Identity:
    roster, person = of.pop("roster", TWO), Person(owner, number, is_late=is_late)
    submission = Submission("inbox", person=person, **of)
    return Identity(submission, {*names} - {""}, Requirements(roster=roster))


def test_the_folder_says_whose_it_is_and_evidence_decides_among_namesakes() -> None:
    for names, of, learner, found in OWNERS:
        who = identify(*names, **of)
        claims = Claims(items=[claim(learner=name) for name in names])
        every = [each.code for each in (*who.examine_names(claims), *who.examine_owner())]
        told = " ".join(dict.fromkeys(every))
        assert (names, of, who.learner.id, told) == (names, of, learner, found)
    who = identify("s01", "s02", owner="山田\n花子", earlier=2)
    assert [(each.code, each.severity, each.values) for each in who.examine_owner()] == [
        ("earlier-left", "note", {"count": "2", "source": "inbox"}),
        ("name-of-several", "warning", {"learners": "s01, s02", "name": "山田�花子"}),
    ]


def examine(*claims: Claim, owner: str = "s01") -> list[Finding]:
    who = identify(*(each.learner for each in claims), owner=owner)
    return [*who.examine_names(Claims(items=[*claims]))]


def told(*claims: Claim, owner: str = "s01") -> list[tuple[str, str]]:
    return [(each.code, each.severity) for each in examine(*claims, owner=owner)]


def test_a_learners_name_in_several_ways_is_fine_and_another_none_or_several_are_told() -> None:
    for name in ("s01", "S01", "山田花子", "山田\u3000花子", "花子 山田 (s01)"):
        assert (name, told(claim(learner=name))) == (name, [])
    [other] = examine(claim(), *(claim(check, learner="高橋 健") for check in ("cluster", "image")))
    assert (other.code, other.severity, other.check) == ("learner-other", "serious", "cluster")
    assert other.values == {"named": "高橋 健", "count": "2"}
    for name, severity in {"2026001": "note", "hanako-y": "note", "s02": "serious"}.items():
        assert (name, told(claim(learner=name))) == (name, [("learner-other", severity)])
    assert told(claim(learner="高橋 健"), owner="") == []
    [nameless] = examine(claim(learner=""), claim("cluster", learner=""))
    assert (nameless.code, nameless.severity) == ("learner-unnamed", "note")
    assert nameless.check == "network"
    named = {"image": "s02", "image-uri": "s02", "cluster": "s01\n", "network": "s01"}
    claims = [claim(check, learner=name) for check, name in named.items()]
    [several] = examine(*claims, owner="")
    assert (several.code, several.severity, several.check) == (
        "learner-several", "warning", "image"
    )  # fmt: skip
    assert several.values == {"names": "s01, s01�, s02"}
    assert examine(*claims[1::2], owner="")[0].values == {"names": "s01, s02"}


CLASS = {"s1": "山田 花子", "s2": "佐藤 太郎", "s3": "Ken Ito", "s4": "山田 花子", "s5": "花子"}
ALIASES = {"s3": ("ken-i",)}
ROSTER = Roster(tuple(Learner(*each, aliases=ALIASES.get(each[0], ())) for each in CLASS.items()))
NAMES = {
    "山田 花子・佐藤太郎": "s2 佐藤 太郎",
    "s1 s3": "s3 Ken Ito",
    "ito / 花子 / ken / 山田": "s3 Ken Ito",
    **dict.fromkeys(
        ("山田 花子", "s1", "経済学部 山田 花子 さん", "山田 花子 佐藤", "佐藤 太郎"), ""
    ),
}


def told_of_names(**changes: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    first = msgspec.structs.replace(make_empty_result(ROSTER.learners[0], []), **changes)
    stranger = make_empty_result(Learner("s9", "Eva"), [])
    (result, _) = compare_names([first, stranger], ROSTER)
    return [(each.code, each.severity, each.others) for each in result.findings]


def test_a_name_that_is_others_of_the_class_too_is_told_with_them() -> None:
    for name, others in NAMES.items():
        found = [("names-several", "warning", (others,))] if others else []
        assert (name, told_of_names(named=(name,))) == (name, found)
    assert told_of_names(named=("山田 花子 Eva s2",)) == [
        ("names-several", "warning", ("s2 佐藤 太郎", "s9 Eva"))
    ]


def test_an_owner_who_is_another_of_the_class_is_a_warning_and_a_name_typed_before_a_note() -> None:
    for owners, others in {"base": (), "花子": (), "Ana, ken ito": ("s3 Ken Ito",)}.items():
        finding = make_finding("owner-other", "note", named=owners)
        severity = "warning" if others else "note"
        assert told_of_names(findings=(finding,)) == [("owner-other", severity, others)]
    for named, others in {"2026001": (), "s3": ("s3 Ken Ito",), "ken-i": ("s3 Ken Ito",)}.items():
        finding = make_finding("learner-other", "note", named=named)
        severity = "serious" if others else "note"
        assert told_of_names(findings=(finding,)) == [("learner-other", severity, others)]
    on_aws = make_finding("owner-other", "warning", named="base")
    assert told_of_names(findings=(on_aws,)) == [("owner-other", "warning", ())]
