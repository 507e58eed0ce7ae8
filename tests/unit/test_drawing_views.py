"""Three views of one state, alone and side by side; how large and how tidy they are."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise, permutations

import pytest
from msgspec.structs import replace

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing import VIEWS, draw, paint_views
from handson.drawing.scene import Arrow, Scene
from tests.unit import states

DONE = states.finished()
NOTEBOOK = 900
PIXELS = 9.8  # the smallest letters that can be read without effort on a screen
SHOWN = [*((view,) for view in VIEWS), *combinations(VIEWS, 2), VIEWS]


def words(snapshot: Snapshot, *views: str) -> list[str]:
    root = ElementTree.fromstring(draw(snapshot, view=views).svg)
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def scene(*views: str) -> Scene:
    return paint_views(DONE, Exercise(), views)


def test_views_side_by_side_show_what_each_shows_alone_in_any_order() -> None:
    for views in (*permutations(VIEWS, 2), *permutations(VIEWS)):
        alone = {line for view in views for line in words(DONE, view)}
        titles = {line for line in alone if line.startswith(("ステップ", "同じ"))}
        assert titles - set(words(DONE, *views)) == set(), views


def test_side_by_side_means_the_same_height() -> None:
    (aws, left, top), (onprem, right, same_top) = scene("aws", "onprem").inner
    heights = {icon.name: icon.y for icon in (*aws.icons, *onprem.icons)}
    assert (left < right, top) == (True, same_top)
    assert heights["aws/compute/ec2-container-registry"] == heights["onprem/registry/harbor"]


def test_of_three_views_step_one_stands_above_the_others_and_each_is_described() -> None:
    titles = {inner.title: y for inner, _, y in scene("aws", "local", "onprem").inner}
    local, one, other = (draw(DONE, view=view).title for view in ("local", "aws", "onprem"))
    assert titles[local] < titles[one] == titles[other]
    described = draw(DONE, view=VIEWS).description
    assert [title for title in titles if title not in described] == []
    assert "rails-app:v1" in words(states.with_image(DONE, tags=("v1",)), "local")


@pytest.mark.parametrize("views", [(), ("aws", "azure"), "onprm", ["onprm"]])
def test_a_view_that_is_none_is_refused_with_the_nearest(views: tuple[str, ...]) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        draw(DONE, view=views)
    assert ('view="onprem"' in caught.value.remedy) == ("onprm" in views)


def cross(first: Arrow, second: Arrow) -> bool:
    """Tell whether two level or upright arrows share a point, and not only their beginning."""
    pairs = ((one, other) for one in pairwise(first.points) for other in pairwise(second.points))
    return first.points[0] != second.points[0] and any(
        all(
            max(min(a[axis], b[axis]), min(c[axis], d[axis]))
            <= min(max(a[axis], b[axis]), max(c[axis], d[axis]))
            for axis in (0, 1)
        )
        for (a, b), (c, d) in pairs
    )


@pytest.mark.parametrize("views", SHOWN)
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_finished_picture_can_be_read_whole(views: tuple[str, ...], language: str) -> None:
    messages.use(language)
    drawn = scene(*views)
    scale = min(1.0, NOTEBOOK / drawn.width)
    for each in (drawn, *(inner for inner, _, _ in drawn.inner)):
        unread = [it.words for it in each.labels if it.whole or it.size * scale <= PIXELS]
        assert unread == []
        assert [(a, b) for a, b in combinations(each.arrows, 2) if cross(a, b)] == []
    assert cross(Arrow(((0, 5), (10, 5))), Arrow(((5, 0), (5, 10))))


def test_on_premises_has_a_room_for_each_zone_and_an_outline_for_what_aws_lacks() -> None:
    one = words(states.with_vpc(DONE, subnets=(states.subnet(1),)), "onprem")
    rooms = [line for line in one if line.startswith("サーバー室")]
    assert (rooms, "AWS では us-east-1a" in one) == (["サーバー室 A"], True)
    bare = replace(DONE, vpcs=(), clusters=(), repositories=(), images=())
    assert words(bare, "onprem").count("(AWS 側は未作成)") == 3
    assert "Harbor" in draw(bare, view="onprem").description
