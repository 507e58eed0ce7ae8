"""The catalogues of wrong states and harmless variants, on moto: a second opinion."""

from __future__ import annotations

import pytest

from tests.emulator import judging
from tests.emulator.harmless_variants import HARMLESS, Harmless
from tests.emulator.hooks import Moto
from tests.emulator.learner import Learner
from tests.emulator.wrong_states import WRONG, Wrong

pytestmark = pytest.mark.emulator
ON = "moto"


@pytest.fixture(scope="module")
def learner(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Learner:
    """Return a learner whose connections are kept from state to state."""
    return Learner(moto, tmp_path_factory.mktemp("learner") / "home")


@judging.each(WRONG, on=ON)
def test_a_wrong_state(learner: Learner, item: Wrong) -> None:
    judging.catch(learner, item)


@judging.each(HARMLESS, on=ON)
def test_a_harmless_variant(learner: Learner, item: Harmless) -> None:
    judging.let_pass(learner, item)


@pytest.mark.full
def test_a_finished_workshop_is_what_the_notebooks_leave(learner: Learner) -> None:
    judging.finish_both_ways(learner)


def test_every_fact_is_broken_by_some_wrong_state() -> None:
    assert judging.list_facts() == judging.broken_facts(on=ON)
