"""The overview under each start: what is done, what comes next, and whose name evidence bears."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from handson.core import messages
from handson.course import evidence, syllabus
from handson.course.evidence import Observation, Record
from handson.grading import Written
from handson.notebook.evidence_cards import JournalEntries
from handson.notebook.overview import Overview
from tests.unit import drawn_by_learners, states

STEP = re.compile(r"^  (\S) (\d\d)(?: (\d/\d))? ·", re.MULTILINE)
NEXT = re.compile("(?:次は|Next:) ([0-9a-z-]+)")


def record(check: str, observed: Any = None, *, learner: str = "Hanako", hour: int = 1) -> Record:
    seen = observed or states.finished()
    if check == syllabus.DRAWING.id:
        seen = states.finished(drawing=drawn_by_learners.draw(drawn_by_learners.GOOD))
    at = datetime(2026, 5, 11, hour, tzinfo=UTC)
    observation = Observation(check, states.target().to_json(), seen.to_json(), [])
    return evidence.seal(observation, learner=learner, previous=None, observed_at=at)


def overview(*records: Record, learner: str = "Hanako", answered: int = 0, **more: Any) -> Overview:
    states = ["answered"] * answered + ["untouched"] * (4 - answered)
    answers = [
        Written(id=question.grade_id, status=state, possible=4)
        for question, state in zip(syllabus.QUESTIONS, states, strict=True)
    ]
    return Overview(JournalEntries(records, learner), answers, **more)


def steps(shown: Overview) -> dict[str, str]:
    """Return by notebook its mark and its count; and which comes next."""
    text = shown.card().text()
    found = {number: f"{mark}{count}" for mark, number, count in STEP.findall(text)}
    coming = NEXT.search(text)
    return found | {"next": coming[1] if coming else ""}


def test_the_learner_is_told_of_the_log_while_it_is_on() -> None:
    told = messages.text("notebook.overview.logged")
    shown = [told in overview(is_logged=on).card().text().replace("\n", "") for on in (False, True)]
    assert shown == [False, True]


def test_each_notebook_has_its_mark_and_the_first_that_is_not_done_comes_next() -> None:
    nothing = {"00": "✔", "01": "◆", "02": "○", "03": "○0/3", "04": "○0/5", "05": "○0/5"}
    nothing |= {"06": "○", "99": "○", "next": "01-network"}
    assert steps(overview()) == nothing
    made = [record(check) for check in ("network", "cluster", "image")]
    some = {"01": "✔", "02": "✔", "03": "◆1/3", "04": "○3/5", "next": "03-image"}
    assert steps(overview(*made)) == nothing | some
    broken = record("network", states.empty(), hour=2)
    worse = {**some, "01": "✘", "03": "○1/3", "04": "✘2/5", "next": "01-network"}
    assert steps(overview(*made, broken)) == nothing | worse
    five = [record(check) for check in syllabus.CHECK_IDS]
    done = {"01": "✔", "02": "✔", "03": "✔3/3", "04": "✔5/5"}
    assert steps(overview(*five, answered=1)) == nothing | done | {
        "05": "◆1/5",
        "next": "05-architecture",
    }
    every = [*five, record(syllabus.DRAWING.id)]
    end = nothing | done | {"05": "✔5/5", "next": ""}
    assert steps(overview(*every, answered=4)) == end
    assert "99-cleanup" in repr(overview(*every, answered=4))
    late, early = ({"cleaned_up_at": f"2026-05-11T0{hour}:00:00+00:00"} for hour in (2, 0))
    assert steps(overview(*every, answered=4, **late)) == end | {"99": "✔"}
    assert steps(overview(*every, answered=4, **early)) == end  # something was made after it


def test_it_warns_of_a_name_and_a_region_that_are_not_as_they_should_be() -> None:
    named = record("network"), record("cluster", learner="")
    cards = {
        "": overview().card(),
        "no name": overview(learner="").card(),
        "unnamed": overview(*named).card(),
        "again": overview(*named, record("cluster", hour=2)).card(),
        "region": overview(region="ap-northeast-1").card(),
    }
    assert {name: card.text().count("→") for name, card in cards.items()} == {
        **{"": 0, "no name": 1, "unnamed": 1, "again": 0, "region": 1}
    }
    assert [name for name, card in cards.items() if card.state == "warn"] == [
        *("no name", "unnamed", "region")
    ]
    assert 'workshop = handson.start(learner="' in cards["no name"].text()
    assert "Fargate の ECS クラスター" in cards["unnamed"].text()
    assert [w in cards["region"].text() for w in ("region=", "HANDSON_REGION")] == [True, True]
    assert all("Hanako" in card.text() for name, card in cards.items() if name != "no name")


def test_a_name_that_the_learner_did_not_just_give_is_shown_with_its_source() -> None:
    sources = {
        "": "",
        "argument": "",
        "environment": " (HANDSON_LEARNER の値)",
        "kept": " (前に設定した名前)",
        "hub": " (JupyterHub のユーザー名)",
    }
    for source, said in sources.items():
        [row] = re.findall("受講者.*", overview(learner_from=source).card().text())
        assert row.endswith(f"Hanako{said}")
    assert "hub" not in overview(learner="", learner_from="hub").card().text()


def test_each_tile_and_the_next_step_lead_to_a_notebook_in_either_language() -> None:
    for language in messages.LANGUAGES:
        messages.use(language)
        links = re.findall('href="([^"]+)"', overview().card().html())
        files = [f"{name}.ipynb" for name in syllabus.ALL_NOTEBOOKS]
        assert (links, steps(overview())["next"]) == ([*files, "01-network.ipynb"], "01-network")
