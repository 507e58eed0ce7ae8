"""The finished document: it stands alone, holds no markup of a stranger's, and saves itself."""

from __future__ import annotations

import base64
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.core import errors
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Snapshot
from handson.drawing import Picture, draw, icons, text
from handson.drawing import pixels as pixels_module

GOAL = describe_goal(Exercise())

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
HOSTILE = [
    '<script>alert("x")</script>',
    "</text></svg><svg onload=alert(1)>",
    "a\"b'c&d",
    "&lt;b&gt; &amp;lt; &#60;",
    "<<b>html label</b>>",
    "\\N \\G \\l back\\slash\\",
    '"]; node [label="injected"]; x [label="',
    "二行の\n名前\r\nと\tタブ",
    "\x00\x07\x1b[31m\u202egnp.exe",
    "👩‍💻🐳",
    "]]>",
    "",
]


def named(name: str) -> Snapshot:
    """Return a finished state in which everything a learner may name has this name."""
    finished = GOAL
    vpc = finished.vpcs[0]
    subnets = tuple(replace(subnet, name=name) for subnet in vpc.subnets)
    gateways = tuple(replace(gateway, name=name) for gateway in vpc.internet_gateways)
    return replace(
        finished,
        vpcs=(replace(vpc, name=name, subnets=subnets, internet_gateways=gateways),),
        clusters=(replace(finished.clusters[0], name=name),),
        repositories=(replace(finished.repositories[0], name=name),),
        images=(replace(finished.images[0], repository=name, tags=(name or "t",)),),
    )


@pytest.fixture(scope="module")
def document() -> ElementTree.Element:
    return ElementTree.fromstring(draw(GOAL).svg)


@pytest.fixture
def picture() -> Picture:
    return Picture("<svg/>", "title", "described", rasterize=lambda: b"png")


def test_title_and_description_label_the_image(document: ElementTree.Element) -> None:
    ids = [document.find(f"{SVG}{name}").get("id") for name in ("title", "desc")]  # type: ignore[union-attr]
    assert document.get("role") == "img"
    assert document.get("aria-labelledby") == " ".join(map(str, ids))


def test_nothing_in_the_document_points_outside(document: ElementTree.Element) -> None:
    targets = [target for each in document.iter() if (target := each.get(HREF))]
    assert targets
    assert [t for t in targets if not t.startswith(("#", "data:image/png;base64,"))] == []


def test_all_of_it_lies_on_a_light_card_whatever_the_theme(
    document: ElementTree.Element,
) -> None:
    _, _, wide, high = map(float, document.get("viewBox", "").split())
    [card] = document.iter(f"{SVG}rect")
    drawn = [each for each in document if each.tag in (f"{SVG}rect", f"{SVG}g")]
    assert drawn[0] is card
    assert card.get("fill") == "#FBFCFD"
    assert (float(card.get("width", "0")), float(card.get("height", "0"))) == (wide - 1, high - 1)


def test_each_icon_is_inside_once(document: ElementTree.Element) -> None:
    images = [each.get(HREF) for each in document.iter(f"{SVG}image")]
    assert len(images) == len(set(images))


def _png(pixels: list[tuple[int, int, int, int]], *, filters: int, wide: int = 8) -> bytes:
    """Return a PNG as Graphviz writes it, its rows filtered in one of the five ways."""
    rows = [b"".join(map(bytes, pixels[at : at + wide])) for at in range(0, len(pixels), wide)]
    raw, above = b"", bytes(4 * wide)
    for row in rows:
        left = bytes(4) + row[:-4]
        corner = bytes(4) + above[:-4]
        spoken = zip(row, left, above, corner, strict=True)
        raw += bytes([filters]) + bytes(
            (value - pixels_module.predicted(filters, *around)) & 255 for value, *around in spoken
        )
        above = row
    head = struct.pack(">IIBBBBB", wide, len(rows), 8, 6, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _colours(png: bytes) -> list[tuple[int, ...]]:
    """Return the colours of a PNG with a palette, pixel by pixel."""
    chunks = dict(pixels_module.chunks(png))
    wide, high = struct.unpack(">II", chunks[b"IHDR"][:8])
    raw = zlib.decompress(chunks[b"IDAT"])
    indices = b"".join(raw[row * (wide + 1) + 1 : (row + 1) * (wide + 1)] for row in range(high))
    palette, clear = chunks[b"PLTE"], chunks[b"tRNS"]
    return [(*palette[3 * number : 3 * number + 3], clear[number]) for number in indices]


@pytest.mark.parametrize("filters", range(5))
def test_an_icon_of_few_colours_keeps_each_of_them(filters: int) -> None:
    pixels = [(n * 3 % 256, n * 7 % 256, n * 11 % 256, 255 - n) for n in range(64)]
    assert _colours(pixels_module.with_palette(_png(pixels, filters=filters))) == pixels


def test_an_icon_of_many_colours_hardly_changes() -> None:
    pixels = [(n % 256, n // 4 % 256, n // 9 % 256, 255) for n in range(1024)]
    kept = _colours(pixels_module.with_palette(_png(pixels, filters=0)))
    differing = [
        abs(a - b)
        for old, new in zip(pixels, kept, strict=True)
        for a, b in zip(old, new, strict=True)
    ]
    assert (len(set(kept)) <= 64, max(differing) <= 16) == (True, True)


def test_a_png_of_another_kind_is_left_as_it_is() -> None:
    once = pixels_module.with_palette(_png([(1, 2, 3, 4)] * 64, filters=0))
    assert pixels_module.with_palette(once) == once


def test_every_use_has_its_symbol(document: ElementTree.Element) -> None:
    symbols = {f"#{each.get('id')}" for each in document.iter(f"{SVG}symbol")}
    assert {each.get(HREF) for each in document.iter(f"{SVG}use")} == symbols


def test_no_id_is_given_twice(document: ElementTree.Element) -> None:
    ids = [name for each in document.iter() if (name := each.get("id"))]
    assert sorted(ids) == sorted(set(ids))


def test_the_document_names_japanese_fonts(document: ElementTree.Element) -> None:
    family = "".join(each.get("font-family", "") for each in document.iter(f"{SVG}g"))
    assert "Noto Sans JP" in family
    assert "Hiragino Sans" in family


def test_a_wide_picture_asks_for_no_width_so_that_it_fits_a_narrow_notebook(
    document: ElementTree.Element,
) -> None:
    assert document.get("width") is None


def test_no_words_leave_the_page(document: ElementTree.Element) -> None:
    wide = float(document.get("viewBox", "").split()[2])
    for each in document.iter(f"{SVG}text"):
        assert 0 < float(each.get("x", "0")) < wide


def tags(svg: str) -> list[str]:
    return sorted({each.tag for each in ElementTree.fromstring(svg).iter()})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_markup(name: str) -> None:
    assert tags(draw(named(name)).svg) == tags(draw(named("plain" * 40)).svg) or tags(
        draw(named(name)).svg
    ) == tags(draw(named("plain")).svg)


@pytest.mark.parametrize("name", HOSTILE[:5])
def test_a_hostile_name_is_shown_as_it_is(name: str) -> None:
    cluster = replace(GOAL.clusters[0], name=name)
    root = ElementTree.fromstring(draw(replace(GOAL, clusters=(cluster,))).svg)
    assert f"ECS クラスター {name}" in [each.text for each in root.iter(f"{SVG}text")]


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_name_gives_a_document_that_parses(name: str) -> None:
    ElementTree.fromstring(draw(named(name)).svg)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_can_be_drawn_as_png(name: str) -> None:
    assert draw(named(name)).png().startswith(b"\x89PNG")


def test_a_line_breaks_before_a_parenthesis_rather_than_within_a_word() -> None:
    said = "インターネットからのアクセス(ステップ 3)"
    assert text.wrap(said, 210, size=12) == ["インターネットからのアクセス", "(ステップ 3)"]


@given(st.text(max_size=80), st.floats(min_value=20, max_value=400))
def test_wrapped_lines_fit_their_room(words: str, room: float) -> None:
    for line in text.wrap(words, room, size=12):
        assert text.width(line, size=12) <= room


def test_a_notebook_gets_the_drawing_and_its_description(picture: Picture) -> None:
    assert picture._repr_mimebundle_() == {
        "image/svg+xml": "<svg/>",
        "text/plain": "title\ndescribed",
    }


@pytest.mark.parametrize(("name", "content"), [("a.svg", b"<svg/>"), ("a.PNG", b"png")])
def test_the_suffix_decides_what_is_saved(
    picture: Picture, tmp_path: Path, name: str, content: bytes
) -> None:
    assert picture.save(tmp_path / name).read_bytes() == content


def test_saving_replaces_an_older_picture(picture: Picture, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("old")
    picture.save(tmp_path / "a.svg")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["<svg/>"]


def test_another_suffix_is_refused_and_nothing_written(picture: Picture, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput):
        picture.save(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(picture: Picture, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        picture.save(tmp_path / "nowhere" / "a.svg")
    assert "nowhere" in caught.value.problem


def test_a_broken_png_leaves_the_older_file_alone(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise errors.InvalidInput("problem", "remedy")

    older = tmp_path / "a.png"
    older.write_bytes(b"old")
    with pytest.raises(errors.InvalidInput):
        Picture("<svg/>", "", "", rasterize=broken).save(older)
    assert older.read_bytes() == b"old"


def test_an_icon_is_shrunk_and_keeps_its_transparency(tmp_path: Path) -> None:
    uri = re.search(r"data:image/png;base64,([^\"]+)", draw(GOAL).svg)
    assert uri is not None
    png = base64.b64decode(uri[1])
    side = icons.PIXELS.to_bytes(4, "big")
    assert png[16:24] == side + side
    assert 0 in {clear for *_, clear in _colours(png)}
