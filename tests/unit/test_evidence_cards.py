"""What is handed in, as its card says it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from handson.course import checks, evidence, syllabus
from handson.course.evidence import Observation, Record
from handson.notebook.evidence_cards import HandInFile
from tests.unit import states

DONE = states.finished()
WHEN = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)


def passing(check: str) -> Record:
    """Return evidence of a check that passes."""
    observed = checks.trim(check, DONE).to_json()
    seen = Observation(check=check, target=DONE.target.to_json(), observed=observed, requests=[])
    return evidence.seal(seen, learner="Hanako", previous=None, observed_at=WHEN)


def test_the_drawing_task_that_is_still_to_be_done_is_told_and_not_counted() -> None:
    records = tuple(map(passing, syllabus.CHECK_IDS))
    card = HandInFile(records, learner="Hanako", path=Path("journal.jsonl")).card()
    said = card.text()
    assert ("5 項目のうち 5 項目" in said, "構成図の課題" in said) == (True, True)
    assert card.state == "warn"
