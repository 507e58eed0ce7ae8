"""Doubts: what a person is told of evidence and answers that count, and what nobody is told of."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from handson.course import syllabus
from handson.course.policy import VERBS
from handson.grading import Requirements, doubts
from handson.grading.claims import Claims
from handson.grading.findings import Claim, Finding, Written
from handson.grading.marks import judge_check
from handson.grading.notebooks import compare_cells, load_handout
from handson.grading.sources import Submission
from handson.grading.submission import grade_submission
from tests.unit.drawn_by_learners import GOOD

from . import making
from .making import claim, committed, recorded

PUSHED = datetime(2026, 11, 28, 1, 42, 50, tzinfo=UTC)
"""By the recorded evidence of the image."""
NOW = datetime(2026, 12, 1, tzinfo=UTC)
VPC = "vpc-64114e621fd27981f"
REQUEST = "38a55466-3e7d-421d-abf8-4670af201590"
DIGEST = "sha256:dec8676e86b1e71bab135b00f39c07dd52452622ed9003ce37d523b43971ae33"


def after(seconds: float, moment: datetime = PUSHED) -> str:
    return (moment + timedelta(seconds=seconds)).isoformat()


def honest(check: str = "network", **changes: Any) -> Claim:
    """Return evidence that AWS has answered, an hour after the push."""
    calls = tuple(f"{name}:Describe{kind}" for name, kind in
                  (("ec2", "Vpcs"), ("ecs", "Clusters"), ("ecr", "Images")))  # fmt: skip
    request = str(UUID(sha256(str((check, changes)).encode()).hexdigest()[:32]))
    given = {"requests": (request,), "calls": calls, "observed_at": after(3600)}
    return claim(check, **{**given, **changes})


def holding(check: str, before: str, now: str) -> dict[str, Any]:
    observed = msgspec.json.encode(recorded()[check]["observed"])
    return {"observed": observed.replace(before.encode(), now.encode())}


def examine(*claims: Claim, now: datetime = NOW) -> list[tuple[str, str, str]]:
    found = doubts.examine_claims(Claims(items=[*claims]), now)
    return [(each.code, each.severity, each.values.get("seen", "")) for each in found]


ODD_IDS = (
    *("vpc-x", "vpc-123", f"vpc-{'0' * 9}7{'0' * 7}", "vpc-1234567890abcdef0", "vpc-64114e6"),
    *("vpc-00000001", "vpc-deadbeefdeadbeefd", "vpc-4e621fd27981f0", "VPC", "igw.64114e62"),
)


def test_ids_and_digests_that_aws_does_not_give_are_told_and_a_default_vpcs_are_not() -> None:
    checks = [honest(check) for check in (*syllabus.CHECK_IDS, "architecture")]
    assert examine(*checks) == examine(honest(**holding("network", VPC, "vpc-64114e62"))) == []
    for name in ODD_IDS:
        assert examine(honest(**holding("network", VPC, name))) == [("ids-odd", "warning", name)]
    for name in (f"sha256:{'0' * 63}1", "sha256:" + "0123abcd" * 8, f"sha257:{DIGEST[7:]}", "x"):
        found = examine(honest("image", **holding("image", DIGEST, name)))
        assert found == [("ids-odd", "warning", name)]
    for name in (f"{REQUEST[:-1]}", f"{0:08}-0000-0000-0000-{7:012}", "r-1", REQUEST[:-4] + "eggs"):
        assert examine(honest(requests=(name,))) == [("ids-odd", "warning", name)]
    assert examine(honest(requests=(REQUEST.upper(),))) == []
    vpcs = recorded()["network"]["observed"]["vpcs"]
    usual = {"vpcs": [*vpcs, {"id": "vpc-00000001", "is_default": True}]}
    assert examine(honest(observed=msgspec.json.encode(usual))) == []
    two = honest("image", requests=("y", "z")), honest(requests=("x",))
    found = [*doubts.examine_claims(Claims(items=[*two]), NOW)]
    assert [(each.check, each.where, each.values["seen"]) for each in found] == [
        *(("image", "image.ipynb", "y, z"), ("network", "network.ipynb", "x"))
    ]


def test_an_id_is_regular_that_has_fewer_pairs_of_digits_than_half_its_length() -> None:
    ids = ("1c1c1c1c", "1c81c81c", "1c8a1c8a")
    assert [doubts.is_regular(name) for name in ids] == [True, True, False]


def test_of_ten_thousand_random_ids_none_is_regular() -> None:
    chance = random.Random(7)
    for digits in (17, 32, 64):
        ids = (f"{chance.getrandbits(4 * digits):0{digits}x}" for _ in range(3_500))
        assert [name for name in ids if doubts.is_regular(name)] == []


def test_requests_that_no_evidence_cell_makes_and_none_where_resources_are_are_told() -> None:
    none = [("requests-none", "warning", "ec2")]
    assert examine(honest(calls=("ecs:DescribeClusters",))) == none
    assert examine(honest(requests=(), calls=())) == none
    nothing = {"calls": (), "observed": b'{"vpcs": [], "images": []}'}
    assert examine(honest(**nothing), honest("architecture", calls=())) == []
    odd = "ec2:RunInstances", "ecs:CreateCluster", "s3:GetObject"
    for call in odd:
        found = examine(honest(calls=("ec2:DescribeVpcs", call)))
        assert found == [("requests-odd", "warning", call)]
    calls = (*VERBS["evidence"][1], "ec2:DescribeAvailabilityZones", "sts:GetCallerIdentity")
    assert examine(honest(calls=calls)) == []
    twice = honest(requests=(REQUEST,)), honest("cluster", requests=(REQUEST,))
    assert examine(*twice) == [("requests-again", "warning", REQUEST)]
    assert examine(honest(requests=(REQUEST, REQUEST))) == [("requests-again", "warning", REQUEST)]
    assert examine(twice[0], msgspec.structs.replace(twice[0], intact=False)) == []


def test_evidence_from_the_future_or_from_before_the_push_is_told_by_whose_clock_it_is() -> None:
    hours = timedelta(hours=3), timedelta(hours=2)
    times = [(honest(observed_at=after(3600)), PUSHED + timedelta(hours=1) - early)
             for early in hours]  # fmt: skip
    (early,), rest = (examine(each, now=now) for each, now in times)
    assert (early[:2], rest) == (("future", "warning"), [])
    remote = holding("image", "http://127.0.0.1:38533", "http://aws.example.ac.jp")
    for kept, limit in ((holding("image", "", ""), 60), (remote, 7200)):
        late = [honest("image", observed_at=after(-limit - more), **kept) for more in (0, 1)]
        told = [[code for code, *_ in examine(each)] for each in late]
        assert told == [[], ["seen-before"]]
    recorded_later = holding("image-uri", '"recorded_at":"2026', '"recorded_at":"2027')
    assert [each[0] for each in examine(honest("image-uri", **recorded_later))] == ["seen-before"]
    for text in ("soon", "2031-01-01T00:00:00"):
        pushed = holding("image", PUSHED.isoformat(), text)
        assert examine(honest("image", **pushed)) == []


def test_three_notebooks_within_a_minute_of_the_push_are_told_unless_a_run_may_be_missing() -> None:
    def run(*at: float, **first: Any) -> list[Finding]:
        checks = ("network", "cluster", "image", "architecture")
        items = [
            honest(check, digest=str(n), previous=str(n - 1) if n else None, observed_at=after(s))
            for n, (check, s) in enumerate(zip(checks, at, strict=False))
        ]
        items[0] = msgspec.structs.replace(items[0], **first)
        return [*doubts.examine_claims(Claims(items=items), NOW)]

    (quick,) = run(-5, -3, 1, 2)
    assert (quick.code, quick.values) == ("pace-quick", {"count": "4", "seconds": "7"})
    assert [each.values["seconds"] for each in run(-60, -50, 60, 900)] == ["120"]
    assert [each.values for each in run(50, 51, 52)] == [{"count": "3", "seconds": "52"}]
    assert run(-61, -50, 60, 900) == run(-300, -200, 1, 100) == run(5, 6) == []
    assert run(3600, 3601, 3602, 3603) == run(-5, -3, 1, 2, previous="not handed in") == []
    earlier = honest(digest="e", observed_at=after(-9000), previous=None, source="journal")
    items = [honest(check, digest=check, observed_at=after(9), previous="e")
             for check in ("network", "cluster", "image")]  # fmt: skip
    assert [each.code for each in doubts.examine_claims(Claims(items=items), NOW)] == []
    assert "pace-quick" not in [each[0] for each in examine(earlier, *items)]


def test_points_from_a_journal_without_the_notebook_are_told() -> None:
    claims = Claims(items=[honest("network", source="journal"), honest("image")])
    marks = [judge_check(check, claims, Requirements()) for check in syllabus.CHECKS]
    books = [making.read_cells(where="03-image.ipynb")]
    earned = [mark.id for mark in marks if mark.points]
    found, *_ = compare_cells(books, earned)
    assert (found.code, found.severity, found.values) == (
        ("journal-alone", "warning", {"checks": "network"})
    )  # fmt: skip
    both = compare_cells([*books, making.read_cells()], earned)
    assert "journal-alone" not in {each.code for each in both}


def test_an_answer_of_the_courses_own_text_is_a_note_and_a_quotation_is_not() -> None:
    ja, en = (max(edition.prose, key=len)[:400] for edition in load_handout().editions)
    own = making.essay(random.Random(1))

    def told(text: str) -> list[tuple[str, dict[str, str]]]:
        answers = [Written(id="why-zones", status="answered", possible=4, text=text)]
        return [(each.severity, each.values) for each in doubts.examine_answers(answers)]

    for text in (ja, en, f"つまり、{ja[:200]}なのです。{ja[200:]}"):
        assert told(text) == [("note", {"questions": "why-zones"})]
    assert told(own) == told(f"{ja[:60]}\n{own}") == told(ja[:10]) == told("") == []


@pytest.fixture
def drawn(tmp_path: Path) -> Any:
    """Return what is told of a diagram whose code, picture or evidence is another one's."""

    def grade(
        source: str | None = None, *, added: str = "", labels: tuple[str, ...] = (), **cell: Any
    ) -> list[Any]:
        def observe(check: str, observed: dict[str, Any]) -> None:
            if labels and check == "architecture":
                boxes = [{"id": label, "label": label, "inside": ""} for label in labels]
                observed["drawing"] = {"boxes": boxes, "icons": [], "arrows": []}

        book = making.hand_in("s01", seed=1, observe=observe)
        own = book.cell("architecture-diagram")
        own.update({**cell, **({} if source is None else {"source": source})})
        extra = {"cell_type": "code", "metadata": {}, "outputs": [], "source": added}
        book.notebooks["05-architecture"]["cells"].append(extra)
        submission = Submission(str(book.write(tmp_path)))
        found = grade_submission(submission, Requirements()).findings
        return [(each.code, each.severity) for each in found]

    return grade


TEMPLATE = "".join(making.Book(committed()).cell("architecture-diagram")["source"])
OTHERS = 'with Diagram("x"):\n    A("こちら"); B("あちら"); C("どこか")'


def test_code_that_holds_few_labels_of_its_drawing_is_told_by_what_else_could_draw(
    drawn: Any,
) -> None:
    told, noted = [("diagram-other", "warning")], [("diagram-other", "note")]
    commented = "\n".join(f"# {line}" for line in GOOD.splitlines())
    for source in ("pass", TEMPLATE, commented, f'x = """{GOOD}"""', "import os\npass"):
        assert (source, drawn(source)) == (source, told)
    helper = GOOD.replace('"public subnet 1"', 'f"public {kind} 1"')
    for source, added in (
        (GOOD, ""), (helper, ""), ("draw()", f"def draw():\n{GOOD}"), (GOOD, "%ls"),
        (f'labels = "AWS Cloud,IAM,rails-app".split(",")\n{GOOD[-600:]}', "!ls"),
    ):  # fmt: skip
        assert (source, drawn(source, added=added)) == (source, [])
    assert drawn("from mine import draw\ndraw()") == noted
    assert drawn(OTHERS, outputs=[]) == noted  # drawn anew after the evidence
    assert (drawn(""), drawn(cell_type="raw")) == (told, [])
    given = (
        "自分のコンピューター",
        "Your computer",
        "Docker Engine",
        "ブラウザー",
        "rails-app:latest",
    )
    assert drawn("pass", labels=given) == []
    half = ("alpha", "beta", "Browser")
    assert drawn("Client('alpha')", labels=half) == []
    assert drawn("Client('alpha')", labels=(*half, "gamma")) == noted


def test_honest_learners_raise_no_doubt(tmp_path: Path) -> None:
    for number in range(3):
        folder = making.hand_in(f"s{number}", seed=number).write(tmp_path)
        result = grade_submission(Submission(str(folder)), Requirements(now=NOW))
        assert (number, result.points, result.findings) == (number, 80, ())
