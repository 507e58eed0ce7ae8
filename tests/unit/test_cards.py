from __future__ import annotations

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


def name(part: object) -> str:
    return type(part).__name__


# What a stranger may have written


@pytest.mark.parametrize("part", everywhere(HOSTILE), ids=name)
def test_a_part_makes_no_element_of_what_it_shows(part: CardPart) -> None:
    assert "script" not in Reader(part.html()).tags


@pytest.mark.parametrize("part", everywhere(HOSTILE), ids=name)
def test_a_part_makes_no_attribute_of_what_it_shows(part: CardPart) -> None:
    assert Reader(part.html()).attributes <= {"style"}


@pytest.mark.parametrize("part", everywhere(HOSTILE), ids=name)
def test_a_part_shows_the_words_as_they_were_written(part: CardPart) -> None:
    assert HOSTILE in "".join(Reader(part.html()).words)


def test_a_title_is_escaped_too() -> None:
    assert set(Reader(Card(HOSTILE).html()).tags) <= {"div", "span", "wbr"}


@pytest.mark.parametrize("part", everywhere("plain"), ids=name)
def test_every_element_that_is_opened_is_closed(part: CardPart) -> None:
    assert Reader(Card("title", (part,)).html()).open == []


# What a card says


def test_a_card_is_its_title_and_a_line_for_each_row() -> None:
    card = Card("Target", (Rows([("Region", "us-east-1"), ("Account", "1")]),), state="ok")
    assert card.text() == "✔ Target\n  Region: us-east-1\n  Account: 1"


def test_a_table_shows_a_state_as_its_mark() -> None:
    table = Table(("", "Check"), [("bad", "network")])
    assert table.text() == ["   | Check", "  ✘ | network"]


def test_a_table_shows_the_same_mark_in_html() -> None:
    assert MARKS["bad"] in Reader(Table(("", "Check"), [("bad", "network")]).html()).words


def test_a_resource_map_hangs_children_below_their_parent() -> None:
    node = MapNode("public1", "10.0.0.0/20", (MapNode("rtb", ""),))
    assert ResourceMap([("Subnets", [node])]).text() == [
        "  Subnets",
        "    - public1  10.0.0.0/20",
        "      - rtb",
    ]


def test_a_resource_map_says_what_a_node_is_joined_to_below_it() -> None:
    node = MapNode("rtb", "rtb-1", (MapNode("0.0.0.0/0", ""),), links=("← public1",))
    assert ResourceMap([("Tables", [node])]).text()[1:] == [
        "    - rtb  rtb-1",
        "      ← public1",
        "      - 0.0.0.0/0",
    ]


@pytest.mark.parametrize(
    ("cells", "width"),
    [
        (("判定", "ok"), "2em"),
        (("サイズ", "7.5 kB"), "4.3em"),
        (("#", "17"), "1.4em"),
        (("VPC ID", "-"), "4.7em"),
        (("期待する値", "x" * 500), "5em"),
        (("", ""), "0em"),
    ],
)
def test_a_column_keeps_its_words_together_but_takes_no_more_than_it_needs(
    cells: tuple[str, str], width: str
) -> None:
    header, cell = cells
    assert f"min-width:{width}" in Table((header,), [(cell,)]).html()


def test_commands_keep_their_line_breaks() -> None:
    commands = CommandBlock("Commands", ["aws ec2 \\\n  create-vpc", "done"])
    assert commands.text() == ["  Commands", "    aws ec2 \\", "      create-vpc", "    done"]


def test_commands_are_folded_away_in_html() -> None:
    assert Reader(CommandBlock("Commands", ["a"]).html()).tags == ["details", "summary", "pre"]


def test_a_note_starts_with_the_mark_of_its_state() -> None:
    assert Note("careful", "warn").text() == ["  ⚠ careful"]


def test_every_mark_has_a_colour() -> None:
    assert COLOURS.keys() == MARKS.keys()


@pytest.mark.parametrize("paper", ["#ffffff", "#111111"], ids=["light", "dark"])
def test_a_mark_can_be_read_on_the_paper_of_either_theme(paper: str) -> None:
    contrasts = {mark: contrast(colour, paper) for mark, colour in COLOURS.items()}
    assert {mark: ratio for mark, ratio in contrasts.items() if ratio < 4} == {}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_result_prints_as_its_card() -> None:
    assert repr(Greeting()) == "✔ Hello\n  world"


def test_a_notebook_gets_text_and_html() -> None:
    card = Greeting().card()
    expected = {"text/plain": card.text(), "text/html": card.html()}
    assert Greeting()._repr_mimebundle_() == expected


def test_what_has_no_card_says_so() -> None:
    with pytest.raises(NotImplementedError):
        repr(Displayable())


@pytest.mark.parametrize(
    ("value", "is_broken"),
    [
        (f"sha256:{'0' * 64}", True),
        ("ecs-handson-subnet-public1-us-east-1a", False),
        ("あ" * 90, False),
    ],
)
def test_a_long_word_may_be_broken_in_a_notebook_that_was_not_run_too(
    value: str, is_broken: bool
) -> None:
    for part in (Rows([("label", value)]), Table(["header"], [[value]]), Note(value)):
        assert ("word-break:break-all" in part.html()) == is_broken


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        ("AWS::EC2::Subnet", "AWS::<wbr>EC2::<wbr>Subnet"),
        ("enableDnsSupport", "enable<wbr>Dns<wbr>Support"),
        ("10.0.16.0/20 linux/amd64", "10.0.16.0/<wbr>20 linux/<wbr>amd64"),
        ("AWS::EC2::InternetGateway", "AWS::<wbr>EC2::<wbr>Internet<wbr>Gateway"),
        ("2026-11-25T01:02:03+00:00", "2026-11-25T01:02:03+00:00"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_a_word_is_broken_at_a_joint_where_it_has_one(value: str, broken: str) -> None:
    assert f">{broken}<" in Note(value).html()


def test_no_border_is_a_variable_that_jupyterlab_would_drop() -> None:
    card = Card("title", (Table(["header"], [["value"]]), Rows([("label", "value")])))
    assert "solid var(" not in card.html()
