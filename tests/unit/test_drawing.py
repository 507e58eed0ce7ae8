"""What the pictures show, by view and by state."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

from msgspec.structs import replace

from handson.core import messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Snapshot, Subnet, Unseen
from handson.drawing import VIEWS, draw, paint_views
from handson.drawing.scene import Arrow

GOAL = describe_goal(Exercise())
SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Snapshot(target=GOAL.target)
VPC, IMAGE = GOAL.vpcs[0], GOAL.images[0]


def words(snapshot: Snapshot, view: str = "aws") -> list[str]:
    """Return the lines that can be read on a picture, whole where they are cut."""
    root = ElementTree.fromstring(draw(snapshot, view=view).svg)
    lines = []
    for element in root.iter(f"{SVG}text"):
        whole = element.find(f"{SVG}title")
        lines.append(whole.text if whole is not None else element.text)
    return [line or "" for line in lines]


def arrows(snapshot: Snapshot, view: str) -> list[Arrow]:
    return paint_views(snapshot, Exercise(), [view]).arrows


def with_vpc(**changes: Any) -> Snapshot:
    return replace(GOAL, vpcs=(replace(VPC, **changes),))


def test_the_same_state_gives_the_same_bytes_and_few_enough_for_a_notebook() -> None:
    drawn = [draw(GOAL, view=view).svg for view in VIEWS]
    assert drawn == [draw(GOAL, view=view).svg for view in VIEWS]
    assert max(len(svg.encode()) for svg in drawn) < 100_000


FINISHED = """
VPC ecs-handson-vpc, 10.0.0.0/16, 10.0.0.0/20, 10.0.16.0/20, アベイラビリティーゾーン, us-east-1a,
us-east-1b, ecs-handson-igw, ECS クラスター ecs-handson-cluster, rails-app:latest,
リージョン us-east-1
"""


def test_the_finished_picture_names_everything_step_two_made_but_the_account() -> None:
    assert set(re.split(r",\s", FINISHED.strip())) - set(words(GOAL)) == set()
    assert GOAL.target.account not in draw(GOAL).svg
    messages.use("en")
    assert "ECS cluster ecs-handson-cluster" in words(GOAL)
    image = replace(IMAGE, tags=("0f3a9c1d2b4e", "latest"), digest="sha256:" + "1" * 64)
    assert draw(having(images=image)).svg == draw(GOAL).svg  # without the unique tag


NOT_THERE = "まだありません"
NAME = "VPC ecs-handson-vpc"
DETACHING = replace(VPC.internet_gateways[0], attachment="detaching")
OTHER = replace(VPC, id="1", name="a", cidr="10.9.0.0/16", tagged=False)
LONG = replace(GOAL.repositories[0], name="team/a-repository-with-a-very-long-name")
KINDS = ("vpcs", "clusters", "repositories", "images")
NINE: Any = {kind: getattr(GOAL, kind) * 9 for kind in KINDS}
NO_ECS = replace(GOAL, clusters=(), unseen=(Unseen(service="ecs", problem="p", remedy="r"),))


def having(**first: Any) -> Snapshot:
    """Return the goal in which the first of each of these kinds is this one."""
    return replace(GOAL, **{kind: (one,) for kind, one in first.items()})


# A state, how often the picture says that something is not there, and lines on it and not on it.
STATES: list[tuple[Snapshot, int, set[str], set[str]]] = [
    (EMPTY, 3, set(), set()),
    (replace(GOAL, images=()), 1, {"イメージ"}, set()),
    (having(clusters=replace(GOAL.clusters[0], status="INACTIVE")), 1, set(), set()),
    (NO_ECS, 0, {"確認できませんでした"}, set()),
    (with_vpc(internet_gateways=(DETACHING,)), 0, set(), {"ecs-handson-igw"}),
    (with_vpc(route_tables=()), 0, {"プライベートサブネット"}, {"パブリックサブネット"}),
    (with_vpc(is_default=True, tagged=False, name="x"), 1, set(), {"VPC x"}),
    (replace(GOAL, vpcs=(OTHER, VPC)), 0, {NAME, "このほかにあるもの: VPC a (10.9.0.0/16)"}, set()),
    (having(images=replace(IMAGE, tags=("v1.2.3",))), 0, {"rails-app:v1.2.3"}, set()),
    (having(repositories=LONG, images=replace(IMAGE, repository=LONG.name)), 0, {":latest"}, set()),
    (replace(GOAL, **NINE), 0, {NAME}, set()),
]


def test_a_state_is_shown_as_what_it_is() -> None:
    for number, (state, absent, there, not_there) in enumerate(STATES):
        shown = words(state)
        seen = (shown.count(NOT_THERE), there - set(shown), not_there & set(shown))
        assert (number, *seen) == (number, absent, set(), set())


def test_before_a_push_nothing_says_built_or_signed_in_and_afterwards_it_does() -> None:
    for view in ("aws", "onprem"):
        for state, built, solid in ((replace(GOAL, images=()), False, 0), (GOAL, True, 3)):
            [paths, lines] = arrows(state, view), words(state, view=view)
            assert ("作成・プッシュ済み" in lines, "で作ります" in lines) == (built, not built)
            assert sum(not each.dashed for each in paths) == solid + len(VPC.subnets)


def test_any_number_of_zones_and_subnets_is_drawn() -> None:
    for zones, tiers in ((0, 1), (1, 3), (3, 1), (6, 3)):
        names = {f"subnet-{zone}-{tier}": zone for zone in range(zones) for tier in range(tiers)}
        subnet = Subnet(id="", name="", cidr="10.0.0.0/20", zone="", map_public_ip=False)
        subnets = tuple(replace(subnet, id=id, zone=f"z{zone}") for id, zone in names.items())
        shown = words(with_vpc(subnets=subnets))
        assert [line for line in shown if line.startswith("subnet-")] == sorted(names)


NAMED = {
    "onprem": ("ファイアウォール", "スイッチ", "物理サーバー", "Kubernetes", "Swarm", "Harbor"),
    "local": ("自分のコンピューター", "Docker Engine", "イメージ", "コンテナ", "ブラウザー"),
}


def test_the_other_pictures_name_what_one_runs_oneself() -> None:
    shown = {view: " ".join(words(GOAL, view=view)) for view in NAMED}
    assert [name for view in NAMED for name in NAMED[view] if name not in shown[view]] == []


def test_the_description_tells_what_is_there_what_is_missing_and_what_was_not_seen() -> None:
    described = draw(replace(GOAL, clusters=())).description
    missing, unseen = "ECS クラスターはまだありません。", "確認できなかったもの: ECS クラスター。"
    assert "ecs-handson-subnet-public1-us-east-1a (10.0.0.0/20)" in described
    assert (missing in described, unseen in described) == (True, False)
    described = draw(NO_ECS).description
    assert (missing in described, unseen in described) == (False, True)
    assert "まだないもの" not in draw(NO_ECS, goal=True).description


def test_another_exercise_chooses_what_is_drawn() -> None:
    other = replace(GOAL.repositories[0], name="mine")
    both = replace(GOAL, repositories=(*GOAL.repositories, other))
    svg = draw(both, exercise=Exercise(repository="mine")).svg
    assert ">mine</text>" in svg
    assert ">rails-app</text>" not in svg
