"""How a state of a catalogue is tried: judged, told, read from evidence, mended."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from handson.core import messages
from handson.course import checks, syllabus
from handson.course.checks import Diagnosis, Verification
from handson.course.state import Snapshot
from tests.emulator.harmless_variants import Harmless
from tests.emulator.hooks import reset, shape
from tests.emulator.learner import Learner, read_remedy
from tests.emulator.wrong_states import WRONG, Wrong
from tests.unit import states

MOST_STEPS = 9
"""Remedies that a learner has to follow one after another, at most."""


def each(catalogue: tuple[Any, ...], *, on: str) -> Any:
    """Return the entries of a catalogue that this emulator can be brought into, as parameters.

    What both can be brought into is asked of moto less often.
    """
    params = [
        pytest.param(
            item,
            id=f"{on}-{item.name}",
            marks=[pytest.mark.full] if on == "moto" and not item.lacking else [],
        )
        for item in catalogue
        if on not in dict(item.lacking)
    ]
    return pytest.mark.parametrize("item", params)


def catch(learner: Learner, item: Wrong) -> None:
    """See a wrong state break its facts and no other, told by its cause, mended as it is told."""
    learner.finish()
    item.make(learner)
    seen = learner.look()
    found = checks.run_checks(seen)
    assert item.facts == false_facts(found)
    assert item.facts == {fact for diagnosis in diagnoses(found) for fact in diagnosis.facts}
    assert untold(item, seen) == []
    assert found.checks == read_from_evidence(seen)
    assert (item.facts if item.stays else set()) == false_facts(mended(learner, found))


def let_pass(learner: Learner, item: Harmless) -> None:
    """See a harmless variant break no fact, and nothing told about it."""
    learner.finish()
    item.make(learner)
    found = learner.verify()
    assert (set(), []) == (false_facts(found), diagnoses(found))


def finish_both_ways(learner: Learner) -> None:
    """See that `finish` leaves what the notebooks leave."""
    learner.finish()
    expected = (shape(learner.aws), resources(learner.look()))
    reset(learner.running)
    for notebook in ("01-network", "02-cluster", "03-image"):
        learner.run(notebook)
    assert expected == (shape(learner.aws), resources(learner.look()))


def list_facts() -> set[str]:
    """Return the ids of all facts of the five checks."""
    results = checks.run_checks(states.empty()).checks
    return {fact.id for result in results for fact in result.facts}


def broken_facts(*, on: str) -> set[str]:
    """Return the facts that the wrong states which this emulator can be brought into break."""
    return {fact for item in WRONG if on not in dict(item.lacking) for fact in item.facts}


def false_facts(verification: Verification) -> set[str]:
    return {fact.id for check in verification.checks for fact in check.facts if not fact.passed}


def diagnoses(verification: Verification) -> list[Diagnosis]:
    return [diagnosis for check in verification.checks for diagnosis in check.diagnoses]


def untold(item: Wrong, seen: Snapshot) -> list[str]:
    """Return what is not told as it should be, in either language."""
    problems, remedies = [], []
    for language, words in (("ja", item.ja), ("en", item.en)):
        messages.use(language)
        told = diagnoses(checks.run_checks(seen))
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
    """Return what stands beside the network, without when it was pushed, run and recorded."""
    images = [(image.repository, image.platforms, "latest" in image.tags) for image in seen.images]
    recorded = seen.recorded_uri and seen.recorded_uri.uri
    run = seen.recorded_run
    ran = run and (run.repository, run.digest, run.status)
    return seen.clusters, seen.repositories, images, recorded, ran
