"""The learner's edition in IPython, cell by cell, on the embedded AWS of this process.

What Shift+Enter alone gives, what the values give that the pages tell, and what a mistake costs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from handson.course import syllabus
from handson.course.learner_notebook import list_blanks
from handson.notebook import explain_errors
from handson.notebook.evidence_cards import JournalEntries
from handson.notebook.workshop import Workshop
from handson.notebook.workspace import lay_out
from tests.emulator.hooks import Inside, reset
from tests.emulator.workshops import open_workshop

pytestmark = pytest.mark.notebooks

TAG = {"tag": "1.4.2"}
VALUES: Mapping[str, Mapping[str | int, object]] = {
    "prepare-start-workshop": {"learner": "Hanako"},
    "network-create-network": {
        "name": "ecs-handson",
        "cidr": "10.0.0.0/16",
        "availability_zones": 2,
        "public_subnets": 2,
        "private_subnets": 0,
    },
    "network-other-check": {1: 16},
    "cluster-create-cluster": {
        "name": "ecs-handson-cluster",
        "fargate": True,
        "ec2_instances": False,
    },
    "image-start-workshop": {"region": "us-east-1"},
    "repository-create-repository": {"name": "rails-app"},
    "image-push-commands-show": TAG,
    "image-build-image": TAG,
    "image-tag-latest-put": {"image": "1.4.2"},
    "image-run-image": TAG,
    "image-uri-record": TAG,
}
"""By cell what the page asks for; a tag is the learner's own."""

NETWORK, START = "network-create-network", "image-start-workshop"
NOTEBOOKS = ("00-prepare", "01-network", "02-cluster", "03-image")
REFUSAL = re.compile(r"✗ .+\n→ .+")
SETTINGS = Config({"InteractiveShell": {"colors": "nocolor"}, "HistoryManager": {"enabled": False}})

Values = Mapping[str, Mapping[str | int, object]]


@dataclass
class Learner:
    """A learner with a workspace; `shown` is what the cells gave last, by cell."""

    folder: Path
    workshop: Workshop
    shown: dict[str, str] = field(default_factory=dict)

    def work_through(self, *notebooks: str, values: Values) -> None:
        """Run the cells of notebooks from the top, each in a kernel of its own, after errors too.

        The blanks are filled with `values`; others stay `...`.
        """
        for name in notebooks:
            shell = InteractiveShell.instance(config=SETTINGS)
            try:
                explain_errors(shell)
                for cell in self.list_cells(name):
                    source = fill("".join(cell["source"]), values.get(cell["id"], {}))
                    self.shown[cell["id"]] = run_cell(shell, source)
            finally:
                InteractiveShell.clear_instance()

    def list_cells(self, name: str, kind: str = "code") -> list[dict[str, Any]]:
        book = json.loads((self.folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        return [cell for cell in book["cells"] if cell["cell_type"] == kind]

    def list_blanks(self) -> dict[str, list[str | int]]:
        cells = [cell for name in syllabus.ALL_NOTEBOOKS for cell in self.list_cells(name)]
        return {cell["id"]: [*list_blanks(cell)] for cell in cells if list_blanks(cell)}

    def list_passed(self) -> list[str]:
        return [check.id for check in self.workshop.verify().checks if check.passed]

    def list_proved(self) -> list[str]:
        """Return the checks whose newest evidence has passed."""
        entries = JournalEntries(tuple(self.workshop.journal().records), "Hanako")
        return [id for id in syllabus.CHECK_IDS if entries.mark(id) == "ok"]


def fill(source: str, values: Mapping[str | int, object]) -> str:
    for name, value in values.items():
        before = ", " if name == 1 else f"{name}="
        assert source.count(f"{before}...") == 1
        source = source.replace(f"{before}...", f"{before}{value!r}")
    return source


def run_cell(shell: InteractiveShell, source: str) -> str:
    """Run a cell and return what it shows: text, results and errors."""
    with capture_output() as seen:
        shell.run_cell(source, store_history=True)
    shown = [str(output.data.get("text/plain", "")) for output in seen.outputs]
    return "\n".join([seen.stdout + seen.stderr, *shown]).strip()


def is_refusal(shown: str) -> bool:
    return REFUSAL.fullmatch(shown) is not None


@contextmanager
def at_work(inside: Inside, folder: Path, *, lang: str) -> Iterator[Learner]:
    """Give a learner for whom nothing has been made, in the folder of the notebooks."""
    reset(inside)
    home = folder / "home"
    lay_out(folder, lang=lang)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # IPython replaces it
        patch.setenv("HANDSON_HOME", str(home))
        patch.setenv("HANDSON_ENDPOINT_URL", inside.endpoint)
        patch.setenv("HANDSON_ENGINE", "builtin")
        patch.setenv("HANDSON_LANG", lang)
        patch.chdir(folder / lang)
        where = {"endpoint_url": inside.endpoint, "lang": lang}
        yield Learner(folder / lang, open_workshop(home, **where))


@pytest.fixture
def learner(inside: Inside, tmp_path: Path) -> Iterator[Learner]:
    with at_work(inside, tmp_path, lang="ja") as one:
        yield one


@pytest.mark.parametrize("lang", ["ja", pytest.param("en", marks=pytest.mark.full)])
def test_shift_enter_alone_passes_no_check_names_each_blank_and_gives_no_value_away(
    inside: Inside, tmp_path: Path, lang: str
) -> None:
    with at_work(inside, tmp_path, lang=lang) as learner:
        learner.work_through(*syllabus.ALL_NOTEBOOKS, values={})
        blanks, first = learner.list_blanks(), dict(learner.shown)
        assert (learner.list_passed(), learner.list_proved()) == ([], [])
        assert [cell for cell in blanks if not is_refusal(first[cell])] == []
        learner.work_through("03-image", values={START: VALUES[START]})
    pasted = {
        f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}"
        for values in VALUES.values()
        for name, value in values.items()
        if not isinstance(value, bool)  # a form has switches, which are off
    }
    assert [(cell, text) for cell in first for text in pasted if text in first[cell]] == []
    for cell in blanks.keys() - {START}:
        shown, values = learner.shown[cell], VALUES[cell]
        named = [name for name in values if f"({'answer' if name == 1 else name})" in shown]
        assert (is_refusal(shown), named) == (True, [*values])
        texts = [value for value in values.values() if isinstance(value, str)]
        assert [value for value in texts if value in shown] == []


def test_the_values_that_the_pages_ask_for_pass_all_five(learner: Learner) -> None:
    assert learner.list_blanks() == {cell: [*values] for cell, values in VALUES.items()}
    learner.work_through(*syllabus.NOTEBOOKS, values=VALUES)
    assert {cell: shown for cell, shown in learner.shown.items() if is_refusal(shown)} == {}
    assert (learner.list_passed(), learner.list_proved()) == ([*syllabus.CHECK_IDS],) * 2


def test_a_blank_that_is_left_costs_that_cell_alone_until_it_is_filled(learner: Learner) -> None:
    left = {**VALUES, NETWORK: {**VALUES[NETWORK]}}
    del left[NETWORK]["cidr"]
    learner.work_through(*NOTEBOOKS, values=left)
    others = [id for id in syllabus.CHECK_IDS if id != "network"]
    assert (is_refusal(learner.shown[NETWORK]), learner.list_proved()) == (True, others)
    assert ["(cidr)" in learner.shown[NETWORK], "(name)" in learner.shown[NETWORK]] == [True, False]
    assert [cell for cell in VALUES if is_refusal(learner.shown[cell])] == [NETWORK]
    learner.work_through("01-network", values=VALUES)
    assert (learner.list_passed(), learner.list_proved()) == ([*syllabus.CHECK_IDS],) * 2


def test_notebooks_in_another_order_end_with_all_five_too(learner: Learner) -> None:
    first, *others = NOTEBOOKS
    learner.work_through(first, *reversed(others), values=VALUES)
    assert [cell for cell, shown in learner.shown.items() if is_refusal(shown)] == []
    assert (learner.list_passed(), learner.list_proved()) == ([*syllabus.CHECK_IDS],) * 2
