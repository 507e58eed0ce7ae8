"""The catalogues of wrong states and harmless variants, on the embedded AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator import judging
from tests.emulator.harmless_variants import HARMLESS, Harmless
from tests.emulator.hooks import Inside
from tests.emulator.learner import Learner
from tests.emulator.wrong_states import WRONG, Wrong

pytestmark = pytest.mark.emulator
ON = "ministack"


@pytest.fixture(scope="module")
def learner(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Learner:
    """Return a learner whose connections are kept from state to state."""
    return Learner(inside, tmp_path_factory.mktemp("learner") / "home")


@judging.each(WRONG, on=ON)
def test_a_wrong_state(learner: Learner, item: Wrong) -> None:
    judging.catch(learner, item)


@judging.each(HARMLESS, on=ON)
def test_a_harmless_variant(learner: Learner, item: Harmless) -> None:
    judging.let_pass(learner, item)


def test_a_finished_workshop_is_what_the_notebooks_leave(learner: Learner) -> None:
    judging.finish_both_ways(learner)


def test_every_fact_is_broken_by_some_wrong_state() -> None:
    assert judging.list_facts() == judging.broken_facts(on=ON)


def test_no_two_entries_have_one_name() -> None:
    names = [item.name for item in (*WRONG, *HARMLESS)]
    assert len(names) == len(set(names))


def test_the_pages_have_the_catalogues_numbers(root: Path) -> None:
    english = f"{len(WRONG)} wrong states and {len(HARMLESS)} harmless variants"
    japanese = f"誤った状態 {len(WRONG)} 通りと問題のない変種 {len(HARMLESS)} 通り"
    pages = {
        "README.md": english,
        "docs/evidence.md": english,
        "README.ja.md": japanese,
        "docs/evidence.ja.md": japanese,
    }
    assert [
        page for page, words in pages.items() if words not in (root / page).read_text("utf-8")
    ] == []
