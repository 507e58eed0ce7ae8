"""The catalogues of wrong states and harmless variants, on the embedded AWS and on moto."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from handson.course import checks, syllabus
from handson.course.state import Snapshot
from tests.emulator.harmless_variants import HARMLESS, Harmless
from tests.emulator.hooks import reset, shape
from tests.emulator.judging import diagnoses, false_facts, resources
from tests.emulator.learner import Learner, read_sentence
from tests.emulator.second_opinion import EMULATORS
from tests.emulator.wrong_states import WRONG, Wrong
from tests.unit import states

pytestmark = pytest.mark.emulator

MOST_STEPS = 9
"""Remedies that a learner has to follow one after another, at most."""


@pytest.fixture(scope="module")
def learner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Learner:
    """Return the learner on an emulator, whose connections are kept from state to state."""
    name = {"ministack": "inside", "moto": "moto"}[request.param]
    return Learner(request.getfixturevalue(name), tmp_path_factory.mktemp("learner") / "home")


def each(catalogue: tuple[Any, ...]) -> Any:
    """Return the entries of a catalogue and the emulators that can be brought into them.

    What both can be brought into is asked of moto less often.
    """
    params = [
        pytest.param(
            item,
            on,
            id=f"{on}-{item.name}",
            marks=[pytest.mark.full] if on == "moto" and not item.lacking else [],
        )
        for on in EMULATORS
        for item in catalogue
        if on not in item.lacking
    ]
    # Without the scope, pytest would make the learner anew for each: `item` is no fixture.
    names = ("item", "learner")
    return pytest.mark.parametrize(names, params, indirect=["learner"], scope="module")


@each(WRONG)
def test_a_wrong_state(learner: Learner, item: Wrong) -> None:
    """See it break its facts and no other, told by its cause, and mended as it is told."""
    learner.finish()
    item.make(learner)
    seen = learner.look()
    found = checks.run_checks(seen)
    assert item.facts == false_facts(found)
    assert item.facts == {fact for diagnosis in diagnoses(found) for fact in diagnosis.facts}
    told = read_both(seen)
    assert any(is_cause_of(item, *cause) for cause, _ in told), told
    assert found.checks == tuple(  # as a grader derives it from the evidence of this look
        checks.derive(check, checks.trim(check, seen).to_json()) for check in syllabus.CHECK_IDS
    )
    for _ in range(MOST_STEPS):
        learner.follow(diagnoses(found)[0].remedy)
        found = learner.verify()
        if not diagnoses(found):
            break
    assert (item.facts if item.stays else set()) == false_facts(found)


def is_cause_of(item: Wrong, code: str, values: dict[str, str]) -> bool:
    return code == item.cause and all(
        fnmatchcase(values[key], pattern) for key, pattern in item.values.items()
    )


def read_both(seen: Snapshot) -> list[Any]:
    """Return which causes and remedies are told with which values, alike in both languages."""
    told = []
    for language in ("en", "ja"):
        messages.use(language)
        causes = diagnoses(checks.run_checks(seen))
        said = [(("cause", it.message), ("remedy", it.remedy)) for it in causes]
        told.append([(read_sentence(*cause), read_sentence(*remedy)) for cause, remedy in said])
    assert told[0] == told[1]
    return told[0]


@each(HARMLESS)
def test_a_harmless_variant(learner: Learner, item: Harmless) -> None:
    """See it break no fact, and nothing told about it."""
    learner.finish()
    item.make(learner)
    found = learner.verify()
    assert (set(), []) == (false_facts(found), diagnoses(found))


@pytest.mark.parametrize(
    "learner", ["ministack", pytest.param("moto", marks=pytest.mark.full)], indirect=True
)
def test_a_finished_workshop_is_what_the_notebooks_leave(learner: Learner) -> None:
    learner.finish()
    expected = (shape(learner.aws), resources(learner.look()))
    reset(learner.running)
    for notebook in ("01-network", "02-cluster", "03-image"):
        learner.run(notebook)
    assert expected == (shape(learner.aws), resources(learner.look()))


def test_every_fact_is_broken_by_some_wrong_state_on_each_emulator() -> None:
    results = checks.run_checks(states.empty()).checks
    facts = {fact.id for result in results for fact in result.facts}
    for on in EMULATORS:
        assert facts == {fact for item in WRONG if on not in item.lacking for fact in item.facts}


def test_no_two_entries_have_one_name() -> None:
    names = [item.name for item in (*WRONG, *HARMLESS)]
    assert len(names) == len(set(names))


def test_the_pages_have_the_catalogues_numbers(root: Path) -> None:
    english = f"{len(WRONG)} wrong states and {len(HARMLESS)} harmless variants"
    japanese = f"誤った状態 {len(WRONG)} 通りと問題のない変種 {len(HARMLESS)} 通り"
    pages = {"README": english, "docs/evidence": english}
    pages |= {f"{page}.ja": japanese for page in [*pages]}
    told = {page: (root / f"{page}.md").read_text("utf-8") for page in pages}
    assert [page for page, words in pages.items() if words not in told[page]] == []
