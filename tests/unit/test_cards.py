from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

import pytest

from handson.core.cards import (
    COLOURS,
    MARKS,
    Card,
    CardPart,
    CommandBlock,
    Displayable,
    MapNode,
    Note,
    ResourceMap,
    Rows,
    Table,
)

HOSTILE = "<script>alert('x')</script>\" onload=\"y' &amp;"
VOID = {"br", "hr", "img", "wbr"}


class Greeting(Displayable):
    def card(self) -> Card:
        return Card("Hello", (Note("world"),), state="ok")


class Reader(HTMLParser):
    """Collects the tags, attributes and text of a piece of HTML, and whether it is balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def everywhere(word: str) -> list[CardPart]:
    """Return every kind of part with `word` in every place that takes a word."""
    node = MapNode(word, word, (MapNode(word, word),), links=(word,))
    return [
        Rows([(word, word)]),
        Table((word, "b"), [(word, word)]),
        ResourceMap([(word, [node])]),
        CommandBlock(word, [word, word]),
        Note(word),
        Note(word, "warn"),
    ]


@pytest.mark.parametrize("part", everywhere(HOSTILE), ids=lambda part: type(part).__name__)
def test_a_part_makes_nothing_of_what_it_shows_but_words(part: CardPart) -> None:
    read = Reader(Card(HOSTILE, (part,)).html())
    assert "script" not in read.tags
    assert read.attributes <= {"style"}
    assert "".join(read.words).count(HOSTILE) >= 2
    assert read.open == []


def test_a_card_is_its_title_and_a_line_for_each_row_and_note() -> None:
    rows = Rows([("Region", "us-east-1"), ("Account", "1")])
    card = Card("Target", (rows, Note("careful", "warn")), state="ok")
    assert card.text() == "✔ Target\n  Region: us-east-1\n  Account: 1\n  ⚠ careful"


def test_a_table_shows_a_state_as_its_mark() -> None:
    table = Table(("", "Check"), [("bad", "network")])
    assert table.text() == ["   | Check", "  ✘ | network"]
    assert "✘" in Reader(table.html()).words


def test_a_resource_map_hangs_children_and_links_below_their_parent() -> None:
    public = MapNode("public1", "10.0.0.0/20", (MapNode("rtb", ""),))
    table = MapNode("rtb", "rtb-1", (MapNode("0.0.0.0/0", ""),), links=("← public1",))
    assert ResourceMap([("Subnets", [public]), ("Tables", [table])]).text() == [
        "  Subnets",
        "    - public1  10.0.0.0/20",
        "      - rtb",
        "  Tables",
        "    - rtb  rtb-1",
        "      ← public1",
        "      - 0.0.0.0/0",
    ]


def test_a_table_breaks_its_lines_between_words_and_not_within() -> None:
    cells = {
        "パブリック<wbr>サブネットの<wbr>数": "パブリックサブネットの数",
        "ネットワークの<wbr>デフォルト<wbr>ルート": "ネットワークのデフォルトルート",
        "組み込み AWS": "組み込み AWS",
        "10.0.16.0/20, linux/<wbr>amd64": "10.0.16.0/20, linux/amd64",
    }
    for broken, cell in cells.items():
        for part in (Table((cell,), [(cell,)]), Rows([(cell, cell)])):
            assert f">{broken}<" in part.html()
            assert "word-break:keep-all" in part.html()


def test_a_table_keeps_room_for_the_subject_of_a_row_and_for_what_may_be_broken_anywhere() -> None:
    html = Table(("", "項目", "値"), [("ok", "イメージ", "x" * 500)]).html()
    assert [html.count("width:34%"), html.count("min-width:8em")] == [1, 1]
    assert "width" not in Table(("項目", "値"), [("イメージ", "x")]).html()


def test_commands_keep_their_line_breaks_and_are_folded_away_in_html() -> None:
    commands = CommandBlock("Commands", ["aws ec2 \\\n  create-vpc", "done"])
    assert commands.text() == ["  Commands", "    aws ec2 \\", "      create-vpc", "    done"]
    assert Reader(commands.html()).tags == ["details", "summary", "pre"]


def test_every_mark_can_be_read_on_the_paper_of_either_theme() -> None:
    assert COLOURS.keys() == MARKS.keys()
    for paper in ("#ffffff", "#111111"):
        contrasts = {mark: contrast(colour, paper) for mark, colour in COLOURS.items()}
        assert {mark: ratio for mark, ratio in contrasts.items() if ratio < 4} == {}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [part / 255 for part in bytes.fromhex(colour[1:])]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_result_prints_as_its_card_and_a_notebook_gets_html_too() -> None:
    card = Greeting().card()
    assert repr(Greeting()) == card.text() == "✔ Hello\n  world"
    bundle = {"text/plain": card.text(), "text/html": card.html()}
    assert Greeting()._repr_mimebundle_() == bundle
    with pytest.raises(NotImplementedError):
        repr(Displayable())


def test_a_long_word_may_be_broken_in_a_notebook_that_was_not_run_too() -> None:
    long = {f"sha256:{'0' * 64}": True, "ecs-handson-subnet-public1-us-east-1a": False}
    for value, is_broken in {**long, "あ" * 90: False}.items():
        for part in (Rows([("label", value)]), Table(["header"], [[value]]), Note(value)):
            assert (value, "word-break:break-all" in part.html()) == (value, is_broken)


def test_a_word_is_broken_at_a_joint_where_it_has_one() -> None:
    words = [
        *("AWS::<wbr>EC2::<wbr>Internet<wbr>Gateway", "enable<wbr>Dns<wbr>Support"),
        *("10.0.16.0/20 linux/<wbr>amd64", "2026-11-25T<wbr>01:02:03+00:00"),
        "http://localhost:3000",
        "workshop.<wbr>cleanup(<wbr>&quot;network&quot;",
        "112233445566.<wbr>dkr.<wbr>ecr.<wbr>us-east-1.<wbr>amazonaws.<wbr>com/<wbr>rails-app",
    ]
    for broken in words:
        assert f">{broken}<" in Note(unescape(broken.replace("<wbr>", ""))).html()


def test_no_border_is_a_variable_that_jupyterlab_would_drop() -> None:
    card = Card("title", (Table(["header"], [["value"]]), Rows([("label", "value")])))
    assert "solid var(" not in card.html()
