"""Predictions and tasks without code, as learners meet them, on the embedded AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handson.aws.emulator import Running
from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_state
from handson.course.exercise import Exercise
from handson.notebook.workshop import Workshop
from handson.practice.predictions import PREDICTIONS
from handson.practice.tasks import KEPT, TASKS, Case, begin_task, judge_task
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.emulator


@pytest.fixture
def held(home: Path, emulator: Running) -> Workshop:
    return open_workshop(home, endpoint_url=emulator.endpoint, lang="en")


def judged(held: Workshop, task: str, answer: object = None) -> tuple[str, str]:
    """Return the judgement of a task: its state, and the finding."""
    report = held.check_task(task, answer)
    return report.state, report.finding[0]


def test_a_task_that_is_done_keeps_what_another_notebook_began_meanwhile(
    held: Workshop, tmp_path: Path
) -> None:
    held.ensure_cluster()
    case = Case(held.snapshot(), Exercise(), {"spot-only.begun": "yes"})
    begin_task(tmp_path, "broken-route")
    judge_task("spot-only", case, tmp_path, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    kept = {"broken-route.begun": "yes", "spot-only": "2026-01-02 00:00 UTC"}
    assert KEPT.read(tmp_path) == kept


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(InvalidInput) as error:
        call()
    return str(error.value)


def test_a_result_compares_the_last_answer_before_it_and_says_nothing_without_one(
    held: Workshop,
) -> None:
    assert held.ensure_repository()
    held.predict("route-tables", 3)
    held.predict("route-tables", 1)
    held.predict("main-route", "main")
    assert held.predict("route-tables").answer == "1"
    first = repr(held.ensure_network())
    said = "You said: 1. There are 2 of them, because every VPC is born with a main route table."
    assert (said in first, "As you said: The main route table of the VPC." in first) == (True, True)
    late = repr(held.predict("route-tables", 2))
    assert ("not kept" in late, "There are 2 of them" in late) == (True, True)
    kept = read_state(held.settings.home / "predictions.json", dict[str, dict[str, str]])
    assert [each["answer"] for each in (kept or {}).values()] == ["1", "main"]
    assert repr(held.ensure_cluster()).count("You said") == 0


def test_facts_are_those_of_what_was_made_with_other_settings(held: Workshop) -> None:
    held.predict("route-tables", 3)
    made = repr(held.ensure_network(private_subnets=2))
    assert "As" not in made.splitlines()[-1]
    assert "You said: 3. There are 4 of them" in made
    assert "ensure_network made 3." in made


def test_a_second_tag_is_compared_where_it_is_put_and_not_at_the_first_push(
    held: Workshop, shop: Path
) -> None:
    held.ensure_repository()
    held.push_image(held.build_image(shop, tag="1.0.0"))
    held.predict("second-tag-digest", "other")
    held.predict("images-after-second-tag", 2)
    assert "You said" not in repr(held.images())
    tagged = repr(held.tag_image(tag="latest", image="1.0.0"))
    assert 'You said: A new digest. It is "The same digest as the first tag" (sha256:' in tagged
    assert "You said: 2. There are 2 tags but 1 image:" in tagged
    assert [each.tags for each in held.images().images] == [("1.0.0", "latest")]


def test_another_type_of_answer_and_an_unknown_name_are_told_in_two_lines(held: Workshop) -> None:
    wrong: list[tuple[Any, Any]] = [("route-tables", each) for each in (2.0, True, -1)]
    wrong += [("main-route", each) for each in ("Main", False, [1])]
    said = [refused(lambda at=at: held.predict(*at)) for at in [*wrong, ([], 1)]]
    near = refused(lambda: held.predict("rout-tables", 2))
    near += refused(lambda: held.check_task("other-networks"))
    assert [len(text.split("\n")) for text in said] == [2] * 7
    assert ('"route-tables".' in near, '"other-network".' in near) == (True, True)
    assert not (held.settings.home / "predictions.json").exists()


def test_every_question_and_task_can_be_shown_in_both_languages(held: Workshop) -> None:
    shown = []
    for lang in messages.LANGUAGES:
        messages.use(lang)
        shown += [repr(held.predict(id)) for id in PREDICTIONS]
        shown += [repr(held.check_task(id)) for id in TASKS]
    assert len(set(shown)) == 2 * (len(PREDICTIONS) + len(TASKS))


def test_the_largest_network_is_found_beside_the_exercises(held: Workshop) -> None:
    assert judged(held, "other-network") == ("task", "task")
    own = held.ensure_network().vpc
    trial = repr(held.ensure_network("trial", cidr="10.1.0.0/18"))
    assert ("another VPC than that of the exercise" in trial, "cleanup" in trial) == (True, False)
    assert judged(held, "other-network") == ("wrong", "larger")
    held.ensure_network("large", cidr="172.16.0.0/16", private_subnets=2)
    assert judged(held, "other-network") == ("half", "count")
    asked = [judged(held, "other-network", answer)[1] for answer in (8, "16", 16)]
    assert asked == ["miscounted", "miscounted", "done"]
    assert "did this task before" in repr(held.check_task("other-network"))
    assert held.evidence("network").result.passed
    assert [vpc for vpc in held.snapshot().vpcs if vpc.id == own.id] == [own]
    held.delete_default_route()
    assert judged(held, "other-network", 16) == ("wrong", "exercise")
    assert {"trial-vpc", "large-vpc"} <= {each.resource.name for each in held.cleanup().own}


def test_a_route_goes_and_comes_back(held: Workshop) -> None:
    assert judged(held, "broken-route") == ("task", "task")
    held.ensure_network()
    assert judged(held, "broken-route") == ("task", "task")
    assert held.delete_default_route().state == "half"
    assert held.delete_default_route().state == "half"
    [failing] = [fact.id for fact in held.evidence("network").result.facts if not fact.passed]
    assert failing == "routes.default"
    held.ensure_network()
    assert judged(held, "broken-route") == ("done", "done")
    held.ensure_network(private_subnets=2)
    assert judged(held, "broken-route") == ("wrong", "exercise")


def test_a_cluster_takes_spot_alone_and_fargate_again(held: Workshop) -> None:
    arn = held.ensure_cluster().cluster.arn
    assert judged(held, "spot-only") == ("task", "task")
    held.ensure_cluster(capacity_providers=("FARGATE_SPOT",))
    assert not held.evidence("cluster").result.passed
    assert judged(held, "spot-only") == ("half", "spot")
    mended = held.ensure_cluster().cluster
    assert (mended.arn, mended.capacity_providers) == (arn, ("FARGATE", "FARGATE_SPOT"))
    assert held.evidence("cluster").result.passed
    assert judged(held, "spot-only") == ("done", "done")
    held.cleanup("cluster", confirm="delete")
    assert judged(held, "spot-only") == ("task", "task")


def test_a_second_version_is_pushed_and_rolled_back_without_a_push(
    held: Workshop, shop: Path
) -> None:
    held.ensure_repository()
    held.push_image(held.build_image(shop, tag="1.0.0"))
    first = held.tag_image(tag="latest", image="1.0.0").images[0].digest
    assert judged(held, "roll-back") == ("wrong", "second-first")
    assert judged(held, "second-version") == ("task", "task")
    held.push_image(held.build_image(shop, tag="1.1.0"))  # of a page that was not saved
    assert judged(held, "second-version") == ("wrong", "same")
    (shop / "app.rb").write_text("puts 2\n")
    second = held.push_image(held.build_image(shop, tag="1.1.0")).digest
    held.tag_image(tag="latest", image="1.1.0")
    assert judged(held, "second-version") == ("done", "done")
    assert judged(held, "roll-back") == ("task", "task")
    back = held.tag_image(tag="latest", image="1.0.0")
    leads = {tag: image.digest for image in back.images for tag in image.tags}
    assert (leads["latest"], leads["1.1.0"]) == (first, second)
    assert judged(held, "roll-back") == ("done", "done")
    assert judged(held, "second-version") == ("done", "done")
