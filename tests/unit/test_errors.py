from __future__ import annotations

import handson
from handson.core import errors, messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError

LEAVES = [
    *(errors.InvalidInput, errors.NotReady, errors.NotAllowed, errors.AWSError),
    *(errors.AWSUnclear, errors.EngineError, errors.WaitTimeout),
]


def test_an_error_reads_as_problem_and_remedy_in_the_place_of_a_traceback() -> None:
    error = HandsonError("It is gone.", "Make it.")
    assert str(error) == "✗ It is gone.\n→ Make it."
    assert error._render_traceback_() == ["✗ It is gone.", "→ Make it."]


def test_every_error_is_one_of_ours_in_the_package_and_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    for leaf in LEAVES:
        assert issubclass(leaf, HandsonError)
        assert getattr(handson, leaf.__name__) is leaf
        assert leaf.__name__ in drawn
    assert issubclass(AWSUnclear, AWSError)
    assert AWSError("p", "r").repeatable is False


def test_an_error_from_a_key_says_its_two_sentences_with_aws_code() -> None:
    messages.use("en")
    error = errors.InvalidInput.from_key("core.files.in-the-way", path="/a", aws_code="Invalid")
    assert error.lines() == (
        "✗ The file /a cannot be created: there is a folder of that name. [Invalid]",
        "→ Move or rename that folder and run this again.",
    )
