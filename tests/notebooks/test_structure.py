"""How the Japanese notebooks are made: each rule is asked of every one, and of a spoiled copy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from handson.core import messages
from handson.course import syllabus

from . import form, prose
from .book import NOTEBOOKS, Book, Rule, broken_rules, read_book

Spoil = Callable[[Book], None]


def _change(edit: Callable[[list[Any]], object]) -> Spoil:
    def spoil(book: Book) -> None:
        edit(book.node.cells)

    return spoil


def _say(words: str) -> Spoil:
    def spoil(book: Book) -> None:
        book.cells("markdown")[1].source += f"\n{words}\n"

    return spoil


def _type(source: str) -> Spoil:
    return lambda book: book.cells("code")[-1].update(source=source)


def _draw(source: str) -> Spoil:
    return _change(lambda cells: _graded(cells)[0].update(source=source))


def _regrade(**changes: object) -> Spoil:
    return _change(lambda cells: _graded(cells)[0].metadata["nbgrader"].update(changes))


def _print(words: str) -> Spoil:
    output = nbformat.v4.new_output("stream", name="stdout", text=words)
    return lambda book: book.cells("code")[-1].update(outputs=[output])


def _graded(cells: list[Any]) -> list[Any]:
    return [cell for cell in cells if "nbgrader" in cell.metadata]


def _ungraded(cells: list[Any]) -> None:
    del _graded(cells)[0].metadata["nbgrader"]


def _without_prose(cells: list[Any]) -> None:
    cells[:] = [cells[0], *(cell for cell in cells if cell.cell_type == "code")]


def _undate(cells: list[Any]) -> None:
    [form] = [cell for cell in cells if cell["id"] == "cluster-form"]
    form.source = form.source.replace("時点", "")


def _repeat_id(cells: list[Any]) -> None:
    cells[1]["id"] = cells[0]["id"]


SPOILED: tuple[tuple[Rule, str, Spoil], ...] = (
    (form.invalid_format, "01-network", _change(lambda cells: cells[0].pop("source"))),
    (form.invalid_format, "01-network", _change(lambda cells: cells[0].pop("id"))),
    (form.unstable_ids, "01-network", _change(_repeat_id)),
    (form.unstable_ids, "01-network", _change(lambda cells: cells[1].update(id="3f9c_A1"))),
    (form.unstable_ids, "01-network", _change(lambda cells: cells[1].update(id="a" * 65))),
    (form.unstable_ids, "01-network", _change(lambda cells: cells[1].pop("id"))),
    (form.long_code, "01-network", _type("workshop\n" * 9)),
    (form.long_code, "05-architecture", _draw("workshop\n" * 21)),
    (form.logic_in_code, "01-network", _type("if workshop:\n    workshop.verify()")),
    (form.logic_in_code, "01-network", _type("for item in workshop:\n    item")),
    (form.logic_in_code, "01-network", _type("try:\n    workshop\nfinally:\n    workshop")),
    (form.logic_in_code, "01-network", _type("def draw():\n    workshop.draw()")),
    (form.logic_in_code, "01-network", _type("[item for item in workshop]")),
    (form.logic_in_code, "01-network", _type("!docker ps")),
    (form.other_beginning, "01-network", _change(lambda cells: cells.pop(2))),
    (form.missing_title, "01-network", _change(lambda cells: cells.pop(0))),
    (form.missing_title, "01-network", _say("# もう 1 つの表題")),
    (form.unintroduced_code, "01-network", _change(_without_prose)),
    (form.wrong_grading, "05-architecture", _regrade(points=5)),
    (form.wrong_grading, "05-architecture", _regrade(grade_id="architekture")),
    (form.wrong_grading, "05-architecture", _regrade(locked=True)),
    (form.wrong_grading, "05-architecture", _regrade(note="extra")),
    (form.wrong_grading, "05-architecture", _change(_ungraded)),
    (form.wrong_grading, "05-architecture", _change(lambda cells: cells.extend(cells))),
    (form.wrong_grading, "01-network", _regrade(solution=False)),
    (form.wrong_grading, "02-cluster", _change(_ungraded)),
    (form.decided_settings, "03-image", _change(lambda cells: cells[2].metadata.clear())),
    (form.compared_answers, "01-network", _type('widgets.predict(workshop, "main-route")')),
    (form.compared_answers, "02-cluster", _type('workshop.check_task("spot-only")')),
    (form.lost_prose, "05-architecture", _draw("draw()")),
    (form.broken_links, "01-network", _say("[次](01-netwark.ipynb)")),
    (form.broken_links, "01-network", _say("![図](../../diagrams/none.svg)")),
    (prose.pictures_without_words, "01-network", _say("![](../../diagrams/step2_aws.ja.svg)")),
    (prose.pictures_without_words, "01-network", _say("![diagram](../../diagrams/x.ja.svg)")),
    (prose.pictures_without_words, "01-network", _say('<img src="x.svg">')),
    (prose.torn_paragraphs, "01-network", _say("\n1 つ目の文です。\n2 つ目の文です。")),
    (prose.torn_paragraphs, "01-network", _say("\n- 1 つ目の文です。\n  2 つ目の文です。")),
    (prose.torn_paragraphs, "01-network", _say("\n> 1 つ目の文です。\n> 2 つ目の文です。")),
    (prose.torn_paragraphs, "01-network", _say("\n- 1 つ目の文です。 2 つ目の文です。")),
    (prose.refused_words, "01-network", _say("アベイラビリティゾーンを 2 つ使います。")),
    (prose.refused_words, "01-network", _say("クラスタとサーバを用意します。")),
    (prose.wide_letters, "01-network", _say("\uff21\uff37\uff33 を使います。")),
    (prose.wide_letters, "01-network", _say("範囲\uff08CIDR\uff09を決めます。")),
    (prose.unspaced_words, "01-network", _say("AWSのサブネットを2つ作ります。")),
    (prose.unspaced_words, "01-network", _say("`latest`というタグです。")),
    (prose.flat_bold, "01-network", _say("**範囲 (CIDR)**は、あとから変えられません。")),
    (prose.flat_bold, "01-network", _say("範囲**(CIDR)** は、あとから変えられません。")),
    (form.dead_end, "01-network", _change(lambda cells: cells.pop())),
    (form.compared_change, "01-network", _type("workshop.doctor()")),
    (form.compared_change, "01-network", _type("workshop.draw(since=before)")),
    (form.deleting_code, "99-cleanup", _type('workshop.cleanup(confirm="delete")')),
    (form.marks_in_prose, "05-architecture", _say("`# for nbgrader: BEGIN SOLUTION` の行です。")),
    (form.secrets, "01-network", _print("AKIA" + "ABCDEFGHIJKLMNOP")),
    (form.secrets, "01-network", _print("IQoJb3" + "JpZ2luX2VjEJr")),
    (form.secrets, "01-network", _print("aws_secret_access_key=" + "a1B2" * 10)),
    (form.secrets, "01-network", _print("QVdTO" + "mV5SndZWEpz")),
    (form.secrets, "01-network", _print("https://example.com/?X-Amz-" + "Signature=ab12")),
    (form.secrets, "01-network", _print("Authorization: AWS4-HMAC-" + "SHA256 Credential")),
    (form.secrets, "01-network", _print("eyJ" + "hbGciOiJub25l.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl")),
    (form.secrets, "01-network", _print("-----BEGIN RSA " + "PRIVATE KEY-----")),
    (form.machine_paths, "01-network", _print("/home/" + "hanako/workshop")),
    (form.machine_paths, "01-network", _print("C:" + "\\Users\\hanako")),
    (form.heavy_file, "01-network", _print("x" * form.LARGEST_FILE)),
    (form.unlike_the_syllabus, "01-network", _type('workshop.ensure_network(name="ecs-handson")')),
    (form.unlike_the_syllabus, "03-image", _type('workshop.evidence("network")')),
    (form.undated_console, "02-cluster", _change(_undate)),
)
RULES = tuple(dict.fromkeys(rule for rule, _, _ in SPOILED))


@pytest.mark.parametrize("name", syllabus.ALL_NOTEBOOKS)
def test_a_committed_notebook_keeps_the_rules(name: str) -> None:
    assert broken_rules(RULES, read_book(name)) == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_spoiled_copy_breaks_the_rule(rule: Rule) -> None:
    unseen = []
    for number, (broken, name, spoil) in enumerate(SPOILED):
        if broken is not rule:
            continue
        good = read_book(name)
        spoiled = Book(name, copy.deepcopy(good.node))
        spoil(spoiled)
        if set(rule(spoiled)) <= set(rule(good)):
            unseen.append(f"SPOILED[{number}], of {name}")
    assert unseen == []


def test_the_notebooks_of_either_edition_are_those_of_the_syllabus() -> None:
    for edition in messages.LANGUAGES:
        paths = (NOTEBOOKS / edition).glob("*.ipynb")
        assert tuple(sorted(path.stem for path in paths)) == syllabus.ALL_NOTEBOOKS


def test_every_word_of_the_glossary_is_used() -> None:
    text = "\n".join(source for name in syllabus.NOTEBOOKS for _, source in read_book(name).prose())
    given = prose.GLOSSARY.read_text(encoding="utf-8")
    assert prose.unused_words(prose.read_glossary(given), text) == []
    longer = prose.read_glossary(f"{given}\n| 熊 | bear | くま |")
    assert prose.unused_words(longer, text) == ["熊"]
