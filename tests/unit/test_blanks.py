"""Blanks of the learner's edition: arguments by name and by position."""

from __future__ import annotations

import ast

from handson.course.learner_notebook import leave_blank, list_blanks

FORM = (
    'made = workshop.ensure_network(\n    name="店", cidr="10.0.0.0/16",\n    zones=2,\n)\nmade\n'
)


def test_named_arguments_are_left_blank_and_the_rest_stays_as_it_is_written() -> None:
    wanted = "made = workshop.ensure_network(\n    name=..., cidr=...,\n    zones=2,\n)\nmade\n"
    assert leave_blank(FORM, ["name", "cidr"]) == wanted
    assert leave_blank(FORM, []) == FORM


def test_arguments_by_position_and_over_several_lines_are_left_blank_too() -> None:
    call = 'import handson\nworkshop.run_image(\n    "rails-" +\n    "app", tag="latest")'
    filled = leave_blank(call, [0, "tag"])
    assert filled == "import handson\nworkshop.run_image(\n    ..., tag=...)"
    assert ast.parse(filled)


def test_a_cell_names_its_blanks_in_its_metadata() -> None:
    named = {"metadata": {"handson": {"blanks": ["cidr", 0]}}}
    assert [*list_blanks(named)] == ["cidr", 0]
    assert [len(list_blanks(cell)) for cell in ({}, {"metadata": {"tags": []}})] == [0, 0]
