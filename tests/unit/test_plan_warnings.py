"""Settings that are not the workshop's are told; the workshop's are not."""

from __future__ import annotations

import pytest

from handson.resources.plan import warn_of_settings

USUAL = {"name": "ecs-handson", "public_subnets": 2}


def said(**asked: object) -> str:
    notes = warn_of_settings("network", {**USUAL, "s3_endpoint": True, **asked}, USUAL)
    return "\n".join(note.sentence for note in notes)


def test_the_workshops_settings_are_not_told() -> None:
    assert said() == ""


def test_a_setting_that_does_not_matter_is_not_told() -> None:
    assert said(s3_endpoint=False) == ""


@pytest.mark.parametrize("asked", [{"name": "ecs-handsom"}, {"public_subnets": 3}])
def test_another_setting_is_told_without_what_it_should_be(asked: dict[str, object]) -> None:
    [(name, value)] = asked.items()
    told = said(**asked)
    assert (f"{name}={value!r}" in told, repr(USUAL[name]) in told) == (True, False)


def test_the_notebook_with_the_settings_is_named() -> None:
    assert "01-network" in said(name="other")
