"""One account, many learners: nobody's work is taken for another's, or deleted by another."""

from __future__ import annotations

import re

import pytest

from handson.course import syllabus
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.learner import Learner, describe

pytestmark = pytest.mark.emulator

EVERYTHING = ("network", "cluster", "repository", "push", "uri")
EVIDENCE = tuple(f"evidence {check}" for check in syllabus.CHECK_IDS)
HELP = r"prefix|HANDSON_REGION|region|account"

TOGETHER = {
    "two IAM users": ({"user": "aiko"}, {"user": "bunta"}),
    "a role with session names": ({"user": "aikosan"}, {"user": "buntasan"}),
    "one caller with two names": ({"user": "class"}, {"user": "class"}),
    "one caller and no names": ({"user": "class", "name": ""}, {"user": "class", "name": ""}),
    "one emulator": ({"on": "emulator"}, {"on": "emulator"}),
}
"""How two learners may share an account: who calls, the name of each, and the target."""

WHOSE = dict.fromkeys(TOGETHER, r"learner's \([^)]*\bAiko\b")
WHOSE["one caller and no names"] = r"learner's \([^)]*\bname\b"
"""How the work of the first is named to the second."""

SELDOM = ("two IAM users", "a role with session names")
"""Easier than one caller with two names."""
together = pytest.mark.parametrize(
    "how", [pytest.param(how, marks=[pytest.mark.full] * (how in SELDOM)) for how in TOGETHER]
)


def open_both(simulated: Simulated, how: str) -> tuple[Learner, Learner]:
    """Return Aiko, who has built everything, and Bunta, who has not begun."""
    for name in ("aiko", "bunta"):
        role = f"assumed-role/AWSReservedSSO_Students_0123456789abcdef/{name}"
        simulated.proxy.identities[f"{name}san"] = f"arn:aws:sts::{simulated.account}:{role}"
    hers, his = (
        {"name": name, "home": name, **given}
        for name, given in zip(("Aiko", "Bunta"), TOGETHER[how], strict=True)
    )
    return simulated.finished(*EVERYTHING, **hers), simulated.learner(**his)


@together
def test_another_learners_work_is_no_evidence(simulated: Simulated, how: str) -> None:
    aiko, bunta = open_both(simulated, how)
    read = [bunta.take(step) for step in EVIDENCE]
    assert [reading.step for reading in read if not reading.failed] == [], describe(read)
    assert [reading.step for reading in read if reading.is_traceback] == []
    silent = [one.step for one in read[:3] if not re.search(WHOSE[how], one.text)]
    assert silent == [], describe(read)
    assert [step for step in EVIDENCE if aiko.take(step).failed] == []


@together
def test_clean_up_leaves_another_learners_work(simulated: Simulated, how: str) -> None:
    _, bunta = open_both(simulated, how)
    before = simulated.left()
    read = [bunta.take(step) for step in ("list", "clean-up")]
    assert simulated.left() == before
    assert re.search(WHOSE[how], read[-1].text), describe(read)
    assert [reading.step for reading in read if reading.is_traceback] == []


@together
def test_building_beside_another_learner_makes_ones_own_or_is_refused(
    simulated: Simulated, how: str
) -> None:
    aiko, bunta = open_both(simulated, how)
    network, *others = read = [bunta.take(step) for step in ("network", "cluster", "repository")]
    assert [one.step for one in others if not one.failed] == [], describe(read)
    refused = [one for one in read if one.failed]
    assert [one.step for one in refused if not re.search(HELP, one.text, re.I)] == [], describe(
        read
    )
    expected = ["vpc", "cluster", "rails-app"] if network.failed else ["vpc", *ALL]
    assert simulated.left() == expected, describe(read)
    assert [step for step in EVIDENCE if aiko.take(step).failed] == []
    assert bunta.take("evidence network").failed == network.failed


ALL = ["vpc", "cluster", "rails-app"]


def test_the_first_card_and_the_doctor_say_who_else_is_there(simulated: Simulated) -> None:
    aiko, bunta = open_both(simulated, "one emulator")
    for step in ("start", "doctor"):
        assert re.search(r"Aiko.*HANDSON_REGION", bunta.take(step).text, re.S), step
        assert "Bunta" not in aiko.take(step).text


@pytest.mark.parametrize("on", ["aws", "emulator"])
def test_the_same_learner_from_another_folder_has_ones_own_work(
    simulated: Simulated, on: str
) -> None:
    simulated.finished(*EVERYTHING, home="office", on=on)
    again = simulated.learner("Aiko", home="laptop", on=on)
    read = [again.take(step) for step in ("uri", *EVIDENCE, "clean-up")]
    assert ([one.step for one in read if one.failed], simulated.left()) == ([], []), describe(read)


def test_work_without_an_owner_is_not_deleted_silently(simulated: Simulated) -> None:
    simulated.make_bare_cluster()
    read = [simulated.learner("Bunta").take(step) for step in ("list", "clean-up")]
    assert simulated.left() == ["cluster"], describe(read)
    assert re.search("ecs-handson-cluster", read[-1].text), describe(read)
