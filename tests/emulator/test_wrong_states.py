"""The catalogues of wrong states and harmless variants, on the embedded AWS and on moto."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from handson import checks, messages, syllabus
from handson import emulator as room
from handson.checks import Diagnosis, Verification
from handson.state import Snapshot
from tests.emulator.harmless_variants import HARMLESS, Harmless
from tests.emulator.hooks import reset, shape
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
    """It breaks its facts and no other, is told by its cause, and mended by what is told."""
    learner = learners[name]
    learner.finish()
    item.make(learner)
    seen = learner.look()
    found = checks.verify(seen)
    assert item.facts == false_facts(found)
    assert item.facts == {fact for diagnosis in diagnoses(found) for fact in diagnosis.facts}
    assert untold(item, seen) == []
    assert found.checks == read_from_evidence(seen)
    assert (item.facts if item.stays else set()) == false_facts(mended(learner, found))


@on_each_emulator(HARMLESS)
def test_a_harmless_variant(learners: dict[str, Learner], name: str, item: Harmless) -> None:
    learner = learners[name]
    learner.finish()
    item.make(learner)
    found = learner.verify()
    assert (set(), []) == (false_facts(found), diagnoses(found))


@pytest.mark.parametrize("name", EMULATORS)
def test_a_finished_workshop_is_what_the_notebooks_leave(
    learners: dict[str, Learner], name: str
) -> None:
    learner = learners[name]
    learner.finish()
    expected = (shape(learner.aws), resources(learner.look()))
    reset(learner.running)
    for notebook in ("01-network", "02-cluster", "03-image"):
        learner.run(notebook)
    assert expected == (shape(learner.aws), resources(learner.look()))


def test_every_fact_is_broken_by_some_wrong_state_on_each_emulator() -> None:
    broken = {
        name: {fact for item in WRONG if name not in dict(item.lacking) for fact in item.facts}
        for name in EMULATORS
    }
    assert broken == {"ministack": FACTS, "moto": FACTS}


def test_no_two_entries_have_one_name() -> None:
    names = [item.name for item in (*WRONG, *HARMLESS)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readme_has_the_catalogues_numbers(root: Any, readme: str) -> None:
    text = (root / readme).read_text(encoding="utf-8")
    numbers = {
        "README.md": f"{len(WRONG)} wrong states and {len(HARMLESS)} harmless variants",
        "README.ja.md": f"誤った状態 {len(WRONG)} 通りと問題のない変種 {len(HARMLESS)} 通り",
    }
    assert numbers[readme] in text


def false_facts(verification: Verification) -> set[str]:
    return {fact.id for check in verification.checks for fact in check.facts if not fact.passed}


def diagnoses(verification: Verification) -> list[Diagnosis]:
    return [diagnosis for check in verification.checks for diagnosis in check.diagnoses]


def untold(item: Wrong, seen: Snapshot) -> list[str]:
    """Return what is not told as it should be, in either language."""
    problems, remedies = [], []
    for language, words in (("ja", item.ja), ("en", item.en)):
        messages.use(language)
        told = diagnoses(checks.verify(seen))
        if not any(fnmatchcase(diagnosis.message, words) for diagnosis in told):
            problems.append(f"nothing like {words!r} in {[d.message for d in told]}")
        remedies.append([read_remedy(diagnosis.remedy) for diagnosis in told])
    messages.use("ja")
    if remedies[0] != remedies[1]:
        problems.append(f"the remedies differ by language: {remedies}")
    return problems


def read_from_evidence(seen: Snapshot) -> tuple[checks.CheckResult, ...]:
    """Return the results that a grader derives from the evidence of this look."""
    return tuple(
        checks.derive(check, checks.trim(check, seen).to_json()) for check in syllabus.CHECK_IDS
    )


def mended(learner: Learner, found: Verification) -> Verification:
    """Return what is there after the learner did what was told first, looked again, and so on."""
    for _ in range(MOST_STEPS):
        learner.follow(diagnoses(found)[0].remedy)
        found = learner.verify()
        if not diagnoses(found):
            break
    return found


def resources(seen: Snapshot) -> Any:
    """Return what stands beside the network, without when it was pushed and recorded."""
    images = [(image.repository, image.platforms, "latest" in image.tags) for image in seen.images]
    recorded = seen.recorded_uri and seen.recorded_uri.uri
    return seen.clusters, seen.repositories, images, recorded
