"""What the pictures show, by view and by state."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Snapshot, Subnet, Unseen
from handson.drawing import VIEWS, draw

GOAL = describe_goal(Exercise())

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Snapshot(target=GOAL.target)


def words(snapshot: Snapshot, view: str = "aws") -> list[str]:
    """Return the lines that can be read on a picture, whole where they are cut."""
    root = ElementTree.fromstring(draw(snapshot, view=view).svg)
    lines = []
    for element in root.iter(f"{SVG}text"):
        whole = element.find(f"{SVG}title")
        lines.append(whole.text if whole is not None else element.text)
    return [line or "" for line in lines]


def with_vpc(**changes: Any) -> Snapshot:
    return replace(GOAL, vpcs=(replace(GOAL.vpcs[0], **changes),))


def test_the_same_state_gives_the_same_bytes_and_few_enough_for_a_notebook() -> None:
    drawn = [draw(GOAL, view=view).svg for view in VIEWS]
    assert drawn == [draw(GOAL, view=view).svg for view in VIEWS]
    assert max(len(svg.encode()) for svg in drawn) < 100_000


def test_the_finished_picture_names_everything_step_two_made() -> None:
    expected = {
        "VPC ecs-handson-vpc",
        "10.0.0.0/16",
        "10.0.0.0/20",
        "10.0.16.0/20",
        "アベイラビリティーゾーン",
        "us-east-1a",
        "us-east-1b",
        "ecs-handson-igw",
        "ECS クラスター ecs-handson-cluster",
        "rails-app:latest",
        "リージョン us-east-1",
    }
    assert expected - set(words(GOAL)) == set()


def test_the_words_follow_the_language() -> None:
    messages.use("en")
    assert "ECS cluster ecs-handson-cluster" in words(GOAL)


def test_the_account_is_not_on_the_picture() -> None:
    assert GOAL.target.account not in draw(GOAL).svg


def test_a_bare_account_shows_three_outlines_that_say_so() -> None:
    assert words(EMPTY).count("まだありません") == 3


def test_an_empty_repository_says_that_the_image_is_missing() -> None:
    shown = words(replace(GOAL, images=()))
    assert shown[shown.index("まだありません") - 1] == "イメージ"


def test_a_detached_gateway_is_not_drawn() -> None:
    gateway = replace(GOAL.vpcs[0].internet_gateways[0], attachment="detaching")
    assert "ecs-handson-igw" not in words(with_vpc(internet_gateways=(gateway,)))


def test_a_subnet_without_a_route_to_the_gateway_is_private() -> None:
    shown = words(with_vpc(route_tables=()))
    assert shown.count("プライベートサブネット") == 2
    assert not any("0.0.0.0/0" in line for line in shown)


def test_the_default_vpc_is_left_out() -> None:
    shown = words(with_vpc(is_default=True, tagged=False, name="everyone-has-me"))
    assert "VPC everyone-has-me" not in shown


def test_the_tagged_vpc_is_drawn_and_the_others_are_named() -> None:
    other = replace(
        GOAL.vpcs[0],
        id="vpc-1",
        name="a-first",
        cidr="10.9.0.0/16",
        tagged=False,
    )
    shown = words(replace(GOAL, vpcs=(other, *GOAL.vpcs)))
    assert "VPC ecs-handson-vpc" in shown
    assert "このほかにあるもの: VPC a-first (10.9.0.0/16)" in shown


def test_a_deleted_cluster_is_missing() -> None:
    gone = replace(GOAL.clusters[0], status="INACTIVE")
    assert words(replace(GOAL, clusters=(gone,))).count("まだありません") == 1


def test_the_unique_tag_beside_latest_does_not_change_the_picture() -> None:
    image = replace(
        GOAL.images[0],
        tags=("0f3a9c1d2b4e", "latest"),
        digest="sha256:" + "1" * 64,
    )
    assert draw(replace(GOAL, images=(image,))).svg == draw(GOAL).svg


def test_an_image_without_latest_shows_a_tag_it_has() -> None:
    image = replace(GOAL.images[0], tags=("v1.2.3",))
    assert "rails-app:v1.2.3" in words(replace(GOAL, images=(image,)))


def test_a_long_repository_name_does_not_hide_the_tag() -> None:
    name = "team/a-repository-with-a-very-long-name"
    repository = replace(GOAL.repositories[0], name=name)
    image = replace(GOAL.images[0], repository=name)
    assert ":latest" in words(replace(GOAL, repositories=(repository,), images=(image,)))


@pytest.mark.parametrize(("zones", "tiers"), [(0, 1), (1, 3), (3, 1), (6, 3)])
def test_any_number_of_zones_and_subnets_is_drawn(zones: int, tiers: int) -> None:
    subnets = tuple(
        Subnet(
            id=f"subnet-{zone}-{tier}",
            name="",
            cidr="10.0.0.0/20",
            zone=f"z{zone}",
            map_public_ip=False,
        )
        for zone in range(zones)
        for tier in range(tiers)
    )
    shown = words(with_vpc(subnets=subnets))
    assert [line for line in shown if line.startswith("subnet-")] == sorted(s.id for s in subnets)


def test_much_of_everything_is_drawn() -> None:
    crowd = Snapshot(
        target=GOAL.target,
        vpcs=tuple(replace(GOAL.vpcs[0], id=f"vpc-{n}") for n in range(9)),
        clusters=GOAL.clusters * 9,
        repositories=GOAL.repositories * 9,
        images=GOAL.images * 9,
    )
    assert "VPC ecs-handson-vpc" in words(crowd)


NAMED = {
    "onprem": ("ファイアウォール", "スイッチ", "物理サーバー", "Kubernetes", "Swarm", "Harbor"),
    "local": ("自分のコンピューター", "Docker Engine", "イメージ", "コンテナ", "ブラウザー"),
}


@pytest.mark.parametrize("view", NAMED)
def test_the_other_pictures_name_what_one_runs_oneself(view: str) -> None:
    shown = " ".join(words(GOAL, view=view))
    assert [name for name in NAMED[view] if name not in shown] == []


def test_the_description_tells_what_is_and_what_is_missing() -> None:
    described = draw(replace(GOAL, clusters=())).description
    assert "ecs-handson-subnet-public1-us-east-1a (10.0.0.0/20)" in described
    assert "ECS クラスターはまだありません。" in described


def test_a_service_that_could_not_be_looked_at_is_not_called_missing() -> None:
    failed = Unseen(service="ecs", problem="p", remedy="r")
    drawn = replace(GOAL, clusters=(), unseen=(failed,))
    assert "確認できませんでした" in words(drawn)
    assert "まだありません" not in words(drawn)
    assert "まだないもの" not in draw(drawn, goal=True).description
    described = draw(drawn).description
    assert "確認できなかったもの: ECS クラスター。" in described
    assert "ECS クラスターはまだありません。" not in described


def test_another_exercise_chooses_what_is_drawn() -> None:
    other = replace(GOAL.repositories[0], name="mine")
    both = replace(GOAL, repositories=(*GOAL.repositories, other))
    svg = draw(both, exercise=Exercise(repository="mine")).svg
    assert ">mine</text>" in svg
    assert ">rails-app</text>" not in svg


def test_an_unknown_view_names_the_nearest_one() -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        draw(EMPTY, view="onprm")
    assert 'view="onprem"' in caught.value.remedy


def test_drawing_the_state_loads_neither_diagrams_nor_graphviz(root: Any) -> None:
    program = (
        "import sys\n"
        "from handson.course.exercise import Exercise\n"
        "from handson.course.goal import describe_goal\n"
        "from handson.drawing import draw\n"
        "draw(describe_goal(Exercise()))\n"
        "print([name for name in ('diagrams', 'pygraphviz', 'graphviz') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
