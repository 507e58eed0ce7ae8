"""The check of the diagram: any sensible drawing passes, and each mistake is told as what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from diagrams import Cluster
from diagrams.aws.compute import ECR
from diagrams.custom import Custom
from hypothesis import given, settings
from hypothesis import strategies as st

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.course import checks
from handson.course.checks import CheckResult
from handson.course.checks.diagram_reading import DiagramReading
from handson.course.exercise import Exercise, NetworkForm
from handson.course.state import Drawing, DrawnArrow, DrawnBox, DrawnIcon, Snapshot
from handson.drawing import Diagram, describe_last_diagram
from tests.unit import states
from tests.unit.drawn_by_learners import GOOD, SENSIBLE, WRONG, draw, sketch

FACTS: dict[str, object] = {
    **dict.fromkeys(("drawing.computer", "drawing.cloud", "drawing.vpc"), True),
    **{"drawing.zones": 2, "drawing.subnets": 2, "drawing.private": 0},
    **{"drawing.cluster": "Fargate", "drawing.spread": True, "drawing.servers": 0},
    **dict.fromkeys(("drawing.registry", "drawing.registry-outside"), True),
    **dict.fromkeys(("drawing.sign-in", "drawing.push", "drawing.pull"), True),
}
"""The facts in their order, with what the exercise asks for."""


def snapshot(drawing: Drawing | None) -> Snapshot:
    return Snapshot(target=states.target(), drawing=drawing)


@cache
def drawn(name: str) -> Drawing:
    return draw(SENSIBLE[name] if name in SENSIBLE else WRONG[name][0])


def judged(drawing: Drawing | None) -> CheckResult:
    """Return the result for a drawing, which its evidence has to give, too."""
    result = checks.run_check("architecture", snapshot(drawing))
    observed = checks.trim("architecture", snapshot(drawing)).to_json()
    assert checks.derive("architecture", observed) == result
    return result


def observed(drawing: Drawing) -> dict[str, object]:
    return {fact.id: fact.observed for fact in judged(drawing).facts}


@pytest.mark.parametrize("name", SENSIBLE)
def test_a_sensible_drawing_passes(name: str) -> None:
    assert list(observed(drawn(name)).items()) == list(FACTS.items())


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_fails_its_facts_and_no_other_with_their_causes(name: str) -> None:
    _, wrong, causes = WRONG[name]
    result = judged(drawn(name))
    facts = {fact.id: fact.observed for fact in result.facts if not fact.passed}
    told = " ".join(cause.code.removeprefix("drawing-") for cause in result.diagnoses)
    explained = {fact for cause in result.diagnoses for fact in cause.facts}
    assert (facts, told, explained) == (wrong, causes, wrong.keys())


def test_a_hint_is_the_sentence_of_its_cause() -> None:
    messages.use("en")
    counted = [d.message for d in judged(drawn("both subnets in one zone")).diagnoses]
    zones = "1 Availability Zone can be read from the diagram."
    assert counted == [zones, "1 zone has a public subnet in the VPC."]


def test_no_hint_gives_the_line_away() -> None:
    said = [
        text
        for key, sentence in messages.catalogue("course").items()
        if key.startswith(("checks.cause.drawing", "checks.hint.drawing"))
        for text in sentence.values()
    ]
    code = re.compile(r"[>`()=]|\bimport\b|\bwith\b \w*Cluster|PublicSubnet|InternetGateway")
    assert [words for words in said if code.search(words)] == []


BOX = DrawnBox(id="b", label="AWS")


def test_nothing_drawn_is_one_cause() -> None:
    for drawing in (None, Drawing(), Drawing(boxes=(BOX,))):
        result = judged(drawing)
        assert [cause.code for cause in result.diagnoses] == ["drawing-nothing"]
        facts = [(fact.id, fact.observed, fact.expected) for fact in result.facts]
        assert facts == [(fact, None, expected) for fact, expected in FACTS.items()]


def test_the_drawing_is_all_that_its_check_reads_and_no_other_check_reads_it() -> None:
    seen = states.finished(drawing=drawn("in Japanese"))
    assert checks.trim("architecture", seen) == snapshot(drawn("in Japanese"))
    assert checks.run_checks(states.finished(drawing=Drawing())).passed


# How a drawing is read


def read(plan: str, *arrows: str) -> DiagramReading:
    return DiagramReading(sketch(plan, *arrows), MALL)


MALL = Exercise(cluster="Mall", network=NetworkForm(name="ecs-handson", cidr="10.9.0.0/16"))
# The parts that have a role, apart by ";".
BOXES = {
    "vpc": "VPC; my_vpc; Virtual private cloud; 仮想ネットワーク; 10.9.0.0/16; ＶＰＣ(ecs)",
    "subnet": "Public subnet (AZ a); パブリックサブネット 1",
    "zone": "us-east-1a; AZ-c; Availability Zone; データセンター 1; 1つ目のAZ; ゾーン A",
    "registry": "Amazon ECR; レジストリ; Elastic Container Registry; private repository",
    "local": "My computer; 自宅のパソコン; PC; localhost; Docker Engine; 自分の; local",
    "cluster": "ECS cluster (Fargate); ファーゲート; Amazon ECS; クラスター; the mall",
    "cloud": "AWS Cloud; Amazon Web Services; リージョン us-east-1; クラウド",
    "": "stuff; AWS CLI; ecs-handson; handson_1; ",
}
ICONS = {
    "subnet": "x|aws/network/public-subnet; subnet",
    "vpc": "x|aws/network/vpc; VPC",
    "registry": "x|aws/compute/ec2-container-registry; ECR",
    "cluster": "x|aws/compute/fargate; x|aws/compute/elastic-container-service; Fargate",
    "": "x|aws/compute/ec2-container-registry-image; ECS host|aws/compute/ec2; "
    "ECS gate|aws/network/internet-gateway; ECR login|aws/security/identity-and-access-management",
}


def test_the_role_of_a_part_is_in_its_words_or_its_icon() -> None:
    boxes = [(role, part) for role, parts in BOXES.items() for part in parts.split("; ")]
    assert [it for it in boxes if not read(f"{it[1]}[]").boxes(it[0])] == []
    icons = [(role, part) for role, parts in ICONS.items() for part in parts.split("; ")]
    assert [it for it in icons if len(read(it[1]).all(it[0])) != 1] == []


def ids(parts: Iterable[DrawnBox | DrawnIcon]) -> list[str]:
    return [part.id for part in parts]


Judge = Callable[[DiagramReading], object]
PUBLIC: Judge = lambda r: r.is_public(r.subnets[0])  # noqa: E731
PUSHED, PULLED = DiagramReading.is_pushed, DiagramReading.is_pulled
SIGNED_IN = DiagramReading.is_signed_in
# A sketch, its arrows, and what is read of it.
READ: list[tuple[Judge, str, list[str], object]] = [
    (lambda r: ids(r.boxes("vpc")), "ECS クラスター[v|aws/network/vpc]", [], ["ECS クラスター"]),
    (lambda r: ids(r.boxes("vpc")), "stuff[a; v|aws/network/vpc]; other[b]", [], ["stuff"]),
    (lambda r: ids(r.local), "VPC[a]; i|aws/security/identity-and-access-management; b", [], ["b"]),
    (lambda r: ids(r.local), "AWS[a]; ECR", [], ["ECR"]),
    (lambda r: ids(r.subnets), "public subnet[s|aws/network/public-subnet]", [], ["public subnet"]),
    (lambda r: ids(r.subnets), "subnets[subnet 1; subnet 2]", [], ["subnet 1", "subnet 2"]),
    (lambda r: sorted(r.zones), "AZ[zone a[x]; zone b[y]]", [], ["zone a", "zone b"]),
    (lambda r: sorted(r.zones), "VPC[subnet 1a; subnet AZ: 2; subnet]", [], ["2", "a"]),
    (lambda r: r.is_private(r.subnets[0]), "public subnet[private x]", [], False),
    (lambda r: r.is_private(r.subnets[0]), "private subnet[x]", [], True),
    (PUBLIC, "public private subnet", [], False),
    (PUBLIC, "public VPC[subnet]", [], False),
    (PUBLIC, "subnet; g|aws/network/internet-gateway; x", ["x > g", "g - subnet"], True),
    (PUBLIC, "subnet; g|aws/network/internet-gateway; x", ["x > g", "x > subnet"], False),
    (lambda r: ids(r.clusters), "AWS[x]; ECS[y]; PC[Fargate]", [], []),
    (lambda r: ids(r.clusters), "ECS[y]", [], ["ECS"]),
    (SIGNED_IN, "PC[a; b]; AWS[c]", ["a > b: login", "a > c"], False),
    (SIGNED_IN, "PC[a; IAM]; AWS[c]", ["a > IAM"], False),
    (SIGNED_IN, "PC[a; IAM]; AWS[c]", ["IAM > c"], True),
    (SIGNED_IN, "PC[a]; AWS[c]", ["c < a: token"], True),
    (PUSHED, "PC[image]; AWS[ECR]", ["image > ghost", "ghost > ECR"], False),
    (PUSHED, "PC[image container]; AWS[ECR]", ["image container > ECR"], True),
    (PUSHED, "PC[c|aws/compute/ec2-container-registry-image]; AWS[ECR]", ["c > ECR"], True),
    (PUSHED, "PC[source]; AWS[ECR]", ["source > ECR"], True),
    (PUSHED, "PC[image]; AWS[ECR; Fargate]", ["image > Fargate", "Fargate > ECR"], False),
    (PUSHED, "PC[image]; AWS[ECR; x]", ["image > x", "x > ECR"], True),
    (PUSHED, "PC[image]; AWS[ECR]", ["ECR <> image"], True),
    (PUSHED, "PC[image]; AWS[ECR]", ["image <> ECR"], True),
    (PUSHED, "PC[image]; AWS[ECR]", ["ECR > image"], False),
    (PUSHED, "PC[image]; AWS[ECR]", ["image - ECR"], False),
    (PUSHED, "PC[image]; AWS[ECR]", ["ECR > image: push"], True),
    (PULLED, "AWS[ECS cluster[ECR]]", [], False),
    (PULLED, "AWS[ECR; Fargate; task image]", ["ECR > task image"], False),
    (PULLED, "AWS[ECR; Fargate; task]", ["ECR > task"], True),
    (PULLED, "AWS[ECR; task]", ["ECR > task"], False),
    (PULLED, "AWS[ECR; Fargate]; PC[task]", ["ECR > task"], False),
]  # fmt: skip


def test_a_sketch_is_read_as_it_is_meant() -> None:
    found = [(plan, arrows, judge(read(plan, *arrows))) for judge, plan, arrows, _ in READ]
    assert found == [(plan, arrows, meant) for _, plan, arrows, meant in READ]


# The end of a fact's id, a sketch, and what the check observes.
SKETCHES: list[tuple[str, str, object]] = [
    ("servers", "AWS[x|aws/general/traditional-server; y|generic/compute/rack]; z|k8s/node", 2),
    ("registry", "ECR[stored]", True),
    ("registry-outside", "AWS[ECR#1; VPC[ECR#2]]", False),
    ("subnets", "AWS[VPC[public subnet]]", 0),
    ("computer", "AWS[x]", False),
    ("computer", "PC[x; AWS[ECR]]", False),
    ("computer", "AWS[PC#1[x]]; PC#2[y]", False),
    ("computer", "PC[x]; AWS[ECR]", True),
]


def test_a_sketch_is_judged_as_it_is_meant() -> None:
    found = [(end, plan, observed(sketch(plan))[f"drawing.{end}"]) for end, plan, _ in SKETCHES]
    assert found == SKETCHES
    half = judged(sketch("AWS[VPC[az a[public subnet 1]; az b[subnet 2]]]"))
    assert "drawing-subnets" in [cause.code for cause in half.diagnoses]


def test_a_description_names_no_folder_and_no_file_of_this_machine() -> None:
    described = str(draw(GOOD).to_json())
    assert "aws/compute/fargate" in described
    assert not re.search(r"resources|site-packages|\.png", described)


def test_an_icon_stands_in_its_innermost_box_and_an_empty_box_is_a_box(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"")
    with Diagram("x", show=False) as diagram:
        with Cluster("a"), Cluster("b"), Cluster("c"):
            Custom("mine", str(logo))
        with Cluster("empty"):
            pass
    described = diagram.describe()
    labels = {box.id: box.label for box in described.boxes} | {"": ""}
    inside = {box.label: labels[box.inside] for box in described.boxes}
    assert inside == {"a": "", "b": "a", "c": "b", "empty": ""}
    assert [(labels[icon.inside], icon.kind) for icon in described.icons] == [("c", "custom")]


def test_the_diagram_that_was_drawn_last_counts_unless_it_broke_off() -> None:
    draw(GOOD)
    with Diagram("x", show=False):
        ECR("the last one")
    assert [icon.label for icon in describe_last_diagram().icons] == ["the last one"]
    with pytest.raises(ZeroDivisionError), Diagram("x", show=False):
        ECR(str(1 / 0))
    with pytest.raises(NotReady):
        describe_last_diagram()


_IDS = st.sampled_from(["b0", "b1", "b2", "i0", "i1", "i2", ""])
_WORDS = st.sampled_from(
    ["AWS", "VPC", "AZ a", "public subnet", "ECR", "Fargate", "PC", "?", "push"]
)
_KINDS = st.sampled_from(["", "custom", "aws/compute/fargate", "aws/compute/ec2"])
_BOXES = st.builds(DrawnBox, id=_IDS, label=_WORDS, inside=_IDS)
_ICONS = st.builds(DrawnIcon, id=_IDS, label=_WORDS, kind=_KINDS, inside=_IDS)
_ARROWS = st.builds(DrawnArrow, tail=_IDS, head=_IDS, label=_WORDS)


@settings(max_examples=200)
@given(
    st.builds(
        Drawing,
        boxes=st.lists(_BOXES, max_size=5).map(tuple),
        icons=st.lists(_ICONS, max_size=5).map(tuple),
        arrows=st.lists(_ARROWS, max_size=5).map(tuple),
    )
)
def test_every_false_fact_of_any_drawing_has_a_cause(drawing: Drawing) -> None:
    result = judged(drawing)
    explained = {fact for cause in result.diagnoses for fact in cause.facts}
    assert explained == {fact.id for fact in result.facts if not fact.passed}


def test_boxes_that_stand_inside_each_other_are_no_border() -> None:
    around = {"b0": ("AWS", "b1"), "b1": ("VPC", "b0")}
    boxes = tuple(DrawnBox(id=id, label=it[0], inside=it[1]) for id, it in around.items())
    icons = (DrawnIcon(id="i0", label="ECR", inside="b0"),)
    facts = observed(Drawing(boxes=boxes, icons=icons))
    assert (facts["drawing.cloud"], facts["drawing.vpc"]) == (True, False)


def test_a_crowd_is_refused() -> None:
    def crowd(icons: int) -> Snapshot:
        return snapshot(sketch("AWS[" + "x;" * icons + "]", "x > x"))

    assert not checks.derive("architecture", crowd(498).to_json()).passed
    with pytest.raises(InvalidInput, match="501 boxes, icons and arrows"):
        checks.derive("architecture", crowd(499).to_json())
