"""The catalogues of wrong states and harmless variants, on the embedded AWS and on moto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from handson import checks, messages, syllabus
from handson import emulator as room
from handson.checks import Diagnosis, Verification
from handson.state import Snapshot
from tests.emulator.harmless_variants import HARMLESS, Harmless
from tests.emulator.learner import Learner, read_remedy
from tests.emulator.second_opinion import EMULATORS
from tests.emulator.wrong_states import WRONG, Wrong

pytestmark = pytest.mark.emulator

FACTS = {fact.id for check in syllabus.CHECKS for fact in check.facts}
MOST_STEPS = 9
"""Remedies that a learner has to follow one after another, at most."""


@pytest.fixture(scope="module")
def learners(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Learner]:
    """Return a learner on each emulator; the connections are kept from state to state."""
    running: dict[str, room.Running] = {
        "ministack": request.getfixturevalue("running"),
        "moto": request.getfixturevalue("moto"),
    }
    homes = tmp_path_factory.mktemp("learners")
    return {name: Learner(one, homes / name) for name, one in running.items()}


def false_facts(verification: Verification) -> set[str]:
    return {fact.id for check in verification.checks for fact in check.facts if not fact.passed}


def diagnoses(verification: Verification) -> list[Diagnosis]:
    return [diagnosis for check in verification.checks for diagnosis in check.diagnoses]


def in_language(language: str, seen: Snapshot) -> Verification:
    messages.use(language)
    try:
        return checks.verify(seen)
    finally:
        messages.use("ja")


def on_each_emulator(catalogue: tuple[Any, ...]) -> Any:
    pairs = [
        pytest.param(name, item, id=f"{name}-{item.name}")
        for name in EMULATORS
        for item in catalogue
        if name not in dict(item.lacking)
    ]
    return pytest.mark.parametrize(("name", "item"), pairs)


@on_each_emulator(WRONG)
def test_a_wrong_state(learners: dict[str, Learner], name: str, item: Wrong) -> None:
    learner = learners[name]
    learner.finish()
    item.make(learner)
    seen = learner.look()
    said = {language: in_language(language, seen) for language in messages.LANGUAGES}
    assert item.facts == false_facts(said["ja"])
    for language, words in (("ja", item.ja), ("en", item.en)):
        told = [diagnosis.message for diagnosis in diagnoses(said[language])]
        assert [m for m in told if fnmatchcase(m, words)] != [], (words, told)
    explained = {fact for diagnosis in diagnoses(said["ja"]) for fact in diagnosis.facts}
    assert item.facts == explained
    left = said["ja"]
    for _ in range(MOST_STEPS):
        learner.follow(diagnoses(left)[0].remedy)
        left = learner.verify()
        if not diagnoses(left):
            break
    assert (item.facts if item.stays else set()) == false_facts(left)


@on_each_emulator(HARMLESS)
def test_a_harmless_variant(learners: dict[str, Learner], name: str, item: Harmless) -> None:
    learner = learners[name]
    learner.finish()
    item.make(learner)
    seen = learner.look()
    assert (set(), []) == (false_facts(checks.verify(seen)), diagnoses(checks.verify(seen)))
