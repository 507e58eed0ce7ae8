"""What is loaded to stay, and how Python's garbage collector is left."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from handson.core.late import load_to_stay


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector as it is for the other tests."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_program_looks_more_rarely_and_not_at_what_was_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    gc.set_threshold(700, 10, 10)
    frozen = gc.get_freeze_count()
    with load_to_stay():
        assert not gc.isenabled()
        kept = [[number] for number in range(100)]
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert gc.get_threshold() == (50_000, 10, 10)


@pytest.mark.parametrize("first", [0, 80_000])
def test_a_threshold_that_a_program_has_chosen_stays(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    gc.set_threshold(first, 10, 10)
    with load_to_stay():
        pass
    assert gc.get_threshold() == (first, 10, 10)


def test_in_a_notebook_the_collector_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with load_to_stay():
        kept = [[number] for number in range(100)]
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() < frozen + len(kept)


def test_the_collector_is_on_again_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), load_to_stay():
        raise ImportError
    assert gc.isenabled()
