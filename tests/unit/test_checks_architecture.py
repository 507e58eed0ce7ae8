"""The check of the diagram: any sensible drawing passes, and each mistake is told as what it is."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from diagrams import Cluster
from diagrams.aws.compute import ECR
from diagrams.custom import Custom
from hypothesis import given, settings
from hypothesis import strategies as st

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import checks
from handson.course.checks import CheckResult
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon, Snapshot
from handson.drawing import Diagram, describe_last_diagram
from tests.unit import states
from tests.unit.drawn_by_learners import GOOD, SENSIBLE, WRONG, draw

BODIES = {**SENSIBLE, **{name: body for name, (body, _) in WRONG.items()}}


def snapshot(drawing: Drawing | None) -> Snapshot:
    return Snapshot(target=states.target(), drawing=drawing)


@cache
def drawn(name: str) -> Drawing:
    return draw(BODIES[name])


def judged(drawing: Drawing | None) -> CheckResult:
    return checks.run_check("architecture", snapshot(drawing))


def wrong(drawing: Drawing | None) -> set[str]:
    return {fact.id for fact in judged(drawing).facts if not fact.passed}


FACTS = {fact.id for fact in judged(None).facts}


@pytest.mark.parametrize("name", SENSIBLE)
def test_a_sensible_drawing_passes(name: str) -> None:
    assert wrong(drawn(name)) == set()


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_turns_its_facts_false_and_no_other(name: str) -> None:
    assert wrong(drawn(name)) == WRONG[name][1]


@pytest.mark.parametrize("name", WRONG)
def test_every_false_fact_has_a_cause_and_every_cause_a_false_fact(name: str) -> None:
    result = judged(drawn(name))
    explained = {fact for cause in result.diagnoses for fact in cause.facts}
    assert explained == WRONG[name][1]


def test_every_fact_is_turned_false_by_some_drawing() -> None:
    assert set().union(*(facts for _, facts in WRONG.values())) == FACTS


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a container is pushed", "drawing-push-container"),
        ("the push points home", "drawing-push-backwards"),
        ("nothing is pushed", "drawing-push"),
        ("the pull points to ECR", "drawing-pull-backwards"),
        ("nothing is pulled", "drawing-pull"),
        ("a cluster of nothing in particular", "drawing-fargate"),
        ("servers in the place of the cluster", "drawing-cluster"),
        ("a VPC for each zone", "drawing-vpc-border"),
        ("no box for the VPC", "drawing-vpc"),
        ("subnets of no kind", "drawing-subnets-public"),
        ("ECR inside the VPC", "drawing-registry-inside"),
    ],
)
def test_a_misconception_is_told_as_what_it_is(name: str, code: str) -> None:
    assert code in [cause.code for cause in judged(drawn(name)).diagnoses]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_no_hint_gives_the_line_away(language: str) -> None:
    messages.use(language)
    said = [
        sentence[language]
        for key, sentence in messages.catalogue("course").items()
        if key.startswith(("checks.cause.drawing", "checks.hint.drawing"))
    ]
    code = re.compile(r"[>`()=]|\bimport\b|\bwith\b \w*Cluster|PublicSubnet|InternetGateway")
    assert [words for words in said if code.search(words)] == []


def test_nothing_drawn_is_told_as_one_cause() -> None:
    assert [cause.code for cause in judged(None).diagnoses] == ["drawing-nothing"]
    assert wrong(Drawing()) == FACTS


@pytest.mark.parametrize("name", BODIES)
def test_a_drawing_comes_back_from_a_notebook_as_it_was(name: str) -> None:
    observed = checks.trim("architecture", snapshot(drawn(name))).to_json()
    assert checks.derive("architecture", observed) == judged(drawn(name))


def test_the_evidence_of_a_drawing_holds_nothing_of_the_target_but_its_place() -> None:
    seen = states.finished(drawing=drawn("in Japanese"))
    assert checks.trim("architecture", seen) == snapshot(drawn("in Japanese"))


def test_the_five_checks_do_not_read_the_drawing() -> None:
    assert checks.run_checks(states.finished(drawing=Drawing())).passed


# How a drawing is described


def test_a_description_names_no_folder_of_this_machine() -> None:
    described = str(draw(GOOD).to_json())
    assert "aws/compute/fargate" in described
    assert not re.search(r"resources|site-packages|\.png", described)


def test_a_picture_of_ones_own_is_custom(tmp_path: Any) -> None:
    path = tmp_path / "secret" / "logo.png"
    path.parent.mkdir()
    path.write_bytes(b"")
    with Diagram("x", show=False) as diagram:
        Custom("mine", str(path))
    assert [icon.kind for icon in diagram.describe().icons] == ["custom"]


def test_an_icon_stands_in_its_innermost_box() -> None:
    with Diagram("x", show=False) as diagram, Cluster("a"), Cluster("b"), Cluster("c"):
        ECR("e")
    described = diagram.describe()
    labels = {box.id: (box.label, box.inside) for box in described.boxes}
    box, around = labels[described.icons[0].inside]
    assert (box, labels[around][0]) == ("c", "b")


def test_an_empty_box_is_a_box() -> None:
    with Diagram("x", show=False) as diagram, Cluster("empty"):
        pass
    assert [(box.label, box.inside) for box in diagram.describe().boxes] == [("empty", "")]


def test_the_diagram_that_was_drawn_last_counts() -> None:
    draw(GOOD)
    with Diagram("x", show=False):
        ECR("the last one")
    last = describe_last_diagram()
    assert last is not None
    assert [icon.label for icon in last.icons] == ["the last one"]


def test_a_diagram_that_broke_off_leaves_none() -> None:
    draw(GOOD)
    with pytest.raises(ZeroDivisionError), Diagram("x", show=False):
        ECR(str(1 / 0))
    assert describe_last_diagram() is None


# What strangers may write

_IDS = st.sampled_from(["b0", "b1", "b2", "i0", "i1", "i2", ""])
_WORDS = st.sampled_from(
    ["AWS", "VPC", "AZ a", "public subnet", "ECR", "Fargate", "PC", "?", "push"]
)
_KINDS = st.sampled_from(["", "custom", "aws/compute/fargate", "aws/compute/ec2"])


@settings(max_examples=200, deadline=None)
@given(
    boxes=st.lists(st.builds(DrawnBox, id=_IDS, label=_WORDS, inside=_IDS), max_size=5),
    icons=st.lists(
        st.builds(DrawnIcon, id=_IDS, label=_WORDS, kind=_KINDS, inside=_IDS), max_size=5
    ),
    arrows=st.lists(st.builds(DrawnArrow, tail=_IDS, head=_IDS, label=_WORDS), max_size=5),
)
def test_any_drawing_is_judged(
    boxes: list[DrawnBox], icons: list[DrawnIcon], arrows: list[DrawnArrow]
) -> None:
    drawing = Drawing(boxes=tuple(boxes), icons=tuple(icons), arrows=tuple(arrows))
    result = judged(drawing)
    explained = {fact for cause in result.diagnoses for fact in cause.facts}
    assert explained == {fact.id for fact in result.facts if not fact.passed}


def test_boxes_that_stand_inside_each_other_do_no_harm() -> None:
    boxes = (
        DrawnBox(id="b0", label="AWS", inside="b1"),
        DrawnBox(id="b1", label="VPC", inside="b0"),
    )
    icons = (DrawnIcon(id="i0", label="ECR", inside="b0"),)
    assert judged(Drawing(boxes=boxes, icons=icons)).passed is False


def test_a_crowd_is_refused() -> None:
    crowd = Drawing(icons=tuple(DrawnIcon(id=f"i{n}", label="x") for n in range(501)))
    with pytest.raises(InvalidInput):
        checks.derive("architecture", snapshot(crowd).to_json())
