from __future__ import annotations

from typing import Any

import pytest

import handson
from handson.core import errors, messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError

LEAVES = [
    errors.InvalidInput,
    errors.NotReady,
    errors.NotAllowed,
    errors.AWSError,
    errors.AWSUnclear,
    errors.EngineError,
    errors.WaitTimeout,
]


def test_an_error_reads_as_problem_and_remedy() -> None:
    assert str(HandsonError("It is gone.", "Make it.")) == "✗ It is gone.\n→ Make it."


def test_the_code_of_aws_stands_behind_the_problem() -> None:
    lines = HandsonError("Too large.", "Take /16.", code="InvalidVpc.Range").lines()
    assert lines == ("✗ Too large. [InvalidVpc.Range]", "→ Take /16.")


def test_ipython_gets_two_lines_in_the_place_of_a_traceback() -> None:
    error = HandsonError("It is gone.", "Make it.")
    assert error._render_traceback_() == ["✗ It is gone.", "→ Make it."]


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_is_caught_as_one_of_ours(leaf: type[HandsonError]) -> None:
    with pytest.raises(HandsonError):
        raise leaf("problem", "remedy")


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_can_be_imported_from_the_package(leaf: type[HandsonError]) -> None:
    assert getattr(handson, leaf.__name__) is leaf


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [leaf.__name__ for leaf in LEAVES if leaf.__name__ not in drawn] == []


def test_a_refused_call_is_not_repeatable_unless_it_says_so() -> None:
    assert AWSError("p", "r").repeatable is False


def test_an_unclear_call_is_caught_as_one_that_aws_did_not_answer() -> None:
    unclear: Any = AWSUnclear("p", "r")
    assert isinstance(unclear, AWSError)


def test_an_error_from_a_key_says_its_two_sentences_with_aws_code() -> None:
    messages.use("en")
    error = errors.InvalidInput.from_key("core.files.in-the-way", path="/a", aws_code="Invalid")
    assert error.lines() == (
        "✗ The file /a cannot be created: there is a folder of that name. [Invalid]",
        "→ Move or rename that folder and run this again.",
    )
