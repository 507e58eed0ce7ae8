"""The finished document: it stands alone, holds no markup of a stranger's, and saves itself."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import diagrams
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Snapshot
from handson.drawing import Picture, draw
from handson.drawing.svg_document import EMBEDDED, FOLDER, PIXELS, find_svg, measure, wrap

GOAL = describe_goal(Exercise())
ICONS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.png"))

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
HOSTILE = [
    "</text></svg><svg onload=alert(1)>",
    "a\"b'c&d",
    "&lt;b&gt; &amp;lt; &#60;",
    "二行の\n名前\r\nと\tタブ",
    "\x00\x07\x1b[31m\u202egnp.exe",
    "👩‍💻🐳 ]]>",
    "",
]


def named(name: str) -> Snapshot:
    """Return a finished state in which everything a learner may name has this name."""
    vpc = GOAL.vpcs[0]
    subnets = tuple(replace(subnet, name=name) for subnet in vpc.subnets)
    gateways = tuple(replace(gateway, name=name) for gateway in vpc.internet_gateways)
    return replace(
        GOAL,
        vpcs=(replace(vpc, name=name, subnets=subnets, internet_gateways=gateways),),
        clusters=(replace(GOAL.clusters[0], name=name),),
        repositories=(replace(GOAL.repositories[0], name=name),),
        images=(replace(GOAL.images[0], repository=name, tags=(name or "t",)),),
    )


@pytest.fixture(scope="module")
def document() -> ElementTree.Element:
    return ElementTree.fromstring(draw(GOAL).svg)


@pytest.fixture(scope="module")
def harmless() -> list[set[str]]:
    """Return the tags of drawings with harmless names; a long one is cut, and stands in a title."""
    return [tags_of(ElementTree.fromstring(draw(named("plain" * n)).svg)) for n in (1, 40)]


def tags_of(root: ElementTree.Element) -> set[str]:
    return {each.tag for each in root.iter()}


PICTURE = Picture("<svg/>", "title", "described")


class Tags(HTMLParser):
    """The tags of a page, and the attributes of its images."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.images: list[dict[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag == "img":
            self.images.append({name: value or "" for name, value in attrs})


def test_the_image_is_labelled_and_points_nowhere_outside(document: ElementTree.Element) -> None:
    ids = [document.find(f"{SVG}{name}").get("id") for name in ("title", "desc")]  # type: ignore[union-attr]
    label = " ".join(map(str, ids))
    assert (document.get("role"), document.get("aria-labelledby")) == ("img", label)
    targets = [target for each in document.iter() if (target := each.get(HREF))]
    assert [t for t in targets if not t.startswith(("#", "data:image/png;base64,"))] == []


def test_all_of_it_lies_on_a_light_card_and_shrinks_in_a_narrow_notebook(
    document: ElementTree.Element,
) -> None:
    _, _, wide, high = document.get("viewBox", "").split()
    drawn = [each for each in document if each.tag in (f"{SVG}rect", f"{SVG}g")]
    assert drawn[:1] == list(document.iter(f"{SVG}rect"))
    card = [drawn[0].get(name, "") for name in ("fill", "width", "height")]
    assert (card[0], *map(float, card[1:])) == ("#FBFCFD", float(wide) - 1, float(high) - 1)
    assert (document.get("width"), document.get("height")) == (wide, None)
    words = [float(each.get("x", "0")) for each in document.iter(f"{SVG}text")]
    assert 0 < min(words) <= max(words) < float(wide)
    assert "Noto Sans JP" in draw(GOAL).svg


def test_each_icon_is_inside_once_and_used(document: ElementTree.Element) -> None:
    images = [each.get(HREF) for each in document.iter(f"{SVG}image")]
    ids = [name for each in document.iter() if (name := each.get("id"))]
    assert (len(images), sorted(ids)) == (len(set(images)), sorted(set(ids)))
    symbols = {f"#{each.get('id')}" for each in document.iter(f"{SVG}symbol")}
    assert {each.get(HREF) for each in document.iter(f"{SVG}use")} == symbols


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_markup_and_is_shown_as_it_is(
    name: str, harmless: list[set[str]]
) -> None:
    drawn = draw(named(name))
    root = ElementTree.fromstring(drawn.svg)
    assert tags_of(root) in harmless
    if name in HOSTILE[:3]:
        assert f"ECS クラスター {name}" in [each.text for each in root.iter()]
    assert Tags(drawn.html()).names == ["div", "details", "summary", "img", "div"]
    assert drawn.png().startswith(b"\x89PNG")


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_name_gives_a_document_that_parses(name: str) -> None:
    ElementTree.fromstring(draw(named(name)).svg)


@given(st.text(max_size=80), st.floats(min_value=20, max_value=400))
def test_wrapped_lines_fit_their_room_and_break_before_a_parenthesis(
    words: str, room: float
) -> None:
    assert [line for line in wrap(words, room, size=12) if measure(line, size=12) > room] == []
    said = "インターネットからのアクセス(ステップ 3)"
    assert wrap(said, 210, size=12) == ("インターネットからのアクセス", "(ステップ 3)")
    name = "ecs-handson-bcdfghjkm-subnet-public1-us-east-1a"
    whole = ("ecs-handson-", "bcdfghjkm-subnet-", "public1-us-east-1a")
    assert wrap(name, 132, size=12, most=3) == whole
    assert wrap("ecs-handson-subnet-public1", 132, size=12, most=3) == (
        "ecs-handson-",
        "subnet-public1",
    )


def test_a_notebook_gets_an_image_with_alternative_text() -> None:
    bundle = PICTURE._repr_mimebundle_()
    assert (set(bundle), bundle["text/plain"]) == ({"text/html", "text/plain"}, "title\ndescribed")
    [image] = Tags(bundle["text/html"]).images
    assert image["alt"] == "title: described"
    assert image["src"].startswith("data:image/svg+xml,<svg")


def test_several_views_are_an_image_each_with_its_own_alternative_text() -> None:
    drawn = draw(GOAL, view=("onprem", "aws"))
    images = Tags(drawn.html()).images
    alone = [draw(GOAL, view=view) for view in ("onprem", "aws")]
    assert [each["alt"] for each in images] == [f"{it.title}: {it.description}" for it in alone]
    assert find_svg(drawn.html()) == find_svg(alone[0].html())


def test_an_opened_image_is_half_as_wide_again_as_it_is_drawn() -> None:
    drawn = draw(GOAL)
    width = float(ElementTree.fromstring(drawn.svg).get("width", "0"))
    assert f'</summary><div style="width:{1.5 * width:g}px">' in drawn.html()
    messages.use("en")
    assert Tags(drawn.html()).images[0]["title"] == "Click to enlarge, and again to shrink"


def test_the_page_gives_the_document_back() -> None:
    drawn = draw(GOAL)
    assert find_svg(drawn.html()) == drawn.svg
    earlier = f'<img src="{EMBEDDED}{quote(drawn.svg)}">'
    assert find_svg(earlier) == drawn.svg
    others = ["<img src='data:image/png;base64,AAAA'>", "<p>data:image/svg+xml,%3Csvg</p>"]
    assert list(map(find_svg, others)) == ["", ""]


def test_the_suffix_decides_what_is_saved_in_the_place_of_an_older_picture(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("old")
    for name, start in {"a.svg": b"<svg", "a.PNG": b"\x89PNG"}.items():
        assert draw(GOAL).save(tmp_path / name).read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "a.svg"]


def test_what_cannot_be_saved_is_refused_and_leaves_the_older_file_alone(tmp_path: Path) -> None:
    older = tmp_path / "a.png"
    older.write_bytes(b"old")
    with pytest.raises(errors.InvalidInput):
        PICTURE.save(tmp_path / "a.pdf")
    with pytest.raises(errors.InvalidInput) as caught:
        PICTURE.save(tmp_path / "nowhere" / "a.svg")
    assert "nowhere" in caught.value.problem
    with pytest.raises(ValueError, match="root node"):
        Picture("<svg", "", "").save(older)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {older: b"old"}


def test_shipped_icons_are_of_the_diagrams_package_and_small() -> None:
    theirs = Path(diagrams.__file__).parent.parent / "resources"
    assert [icon for icon in ICONS if not (theirs / icon).is_file()] == []
    side, with_palette = PIXELS.to_bytes(4, "big"), 3
    icons = {icon: (FOLDER / icon).read_bytes() for icon in ICONS}
    shapes = {icon: (png[16:24], png[25]) for icon, png in icons.items()}
    assert shapes == dict.fromkeys(ICONS, (side + side, with_palette))
    assert [icon for icon, png in icons.items() if len(png) >= 2500] == []
