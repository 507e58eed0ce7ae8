"""The folder that relative paths, the language and the home folder go by."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from handson.aws import settings
from handson.core import folders, messages
from handson.core.errors import InvalidInput
from handson.core.files import shorten_path
from handson.drawing import Picture
from handson.resources import push

COURSE, HOME = "my コース (1)", "home"
EN, SHOP = f"{COURSE}/notebooks/en", f"{COURSE}/notebooks/docker-rails-workshop"
BOOK, OWN = f"{EN}/03-image.ipynb", f"{HOME}/mine.ipynb"
LAID = f"{HOME}/学習/en"  # in a workspace, where only English was laid out

STARTED: dict[str, tuple[str, str, str, str]] = {
    "JupyterLab": (EN, "", BOOK, EN),
    "VS Code in the workspace": (COURSE, BOOK, "", EN),
    "VS Code in the home folder": (HOME, BOOK, "", EN),
    "VS Code on a Jupyter server": (HOME, BOOK, f"{HOME}/03-image-jvsc-1f.ipynb", EN),
    "Jupyter Server in another folder": (HOME, "", BOOK, EN),
    "a link to the notebook": (HOME, "", f"{HOME}/link.ipynb", EN),
    "a link to the folder": (HOME, f"{HOME}/english/03-image.ipynb", "", EN),
    "a notebook deeper in an edition": (COURSE, f"{EN}/mine/a.ipynb", "", f"{EN}/mine"),
    "a notebook that was renamed": (COURSE, f"{EN}/old.ipynb", "", EN),
    "the learner's own notebook": (COURSE, OWN, "", HOME),
    "a notebook that was never saved": (COURSE, f"{HOME}/new.ipynb", "", f"{COURSE}/notebooks/ja"),
    "a notebook of another computer": (EN, "/gone/01.ipynb", "", EN),
    "nothing names it": (COURSE, "", "", f"{COURSE}/notebooks/ja"),
    "nothing names it, among the editions": (SHOP, "", "", f"{COURSE}/notebooks/ja"),
    "nothing names it, beside it": (EN, "", "", EN),
    "no notebooks around": (HOME, "", "", HOME),
    "VS Code in the home folder, a notebook of a workspace": (HOME, f"{LAID}/old.ipynb", "", LAID),
    "VS Code in a workspace, and nothing names it": (f"{HOME}/学習", "", "", LAID),
}
"""The folder a kernel starts in, what VS Code and Jupyter name, and the folder of the notebook."""


class Kernel:
    """Starts kernels in a course: what a kernel sees of its front end."""

    def __init__(self, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room, self._patch = room, monkeypatch
        for folder in (f"{EN}/mine", SHOP, f"{COURSE}/notebooks/ja", LAID):
            (room / folder).mkdir(parents=True)
        (room / SHOP / "Dockerfile").touch()
        for notebook in (BOOK, OWN, f"{LAID}/00-prepare.ipynb"):
            (room / notebook).touch()
        (room / HOME / "link.ipynb").symlink_to(room / BOOK)
        (room / HOME / "english").symlink_to(room / EN)

    def start(self, cwd: str, vs_code: str = "", jupyter: str = "", *, kernel: bool = True) -> None:
        named = {"__vsc_ipynb_file__": str(self.room / vs_code)} if vs_code else {}
        shell = SimpleNamespace(user_ns=named, kernel=kernel or None)
        ipython = SimpleNamespace(get_ipython=lambda: shell)
        self._patch.setitem(sys.modules, "IPython", ipython)
        self._patch.setenv("JPY_SESSION_NAME", str(self.room / jupyter) if jupyter else "")
        self._patch.chdir(self.room / cwd)
        messages.use("ja")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch)


def test_the_folder_is_that_of_the_notebook_wherever_its_kernel_was_started(kernel: Kernel) -> None:
    found = {}
    for name, (*started, _) in STARTED.items():
        kernel.start(*started)
        found[name] = folders.find_current_folder()
    assert found == {name: kernel.room / wanted for name, (*_, wanted) in STARTED.items()}


def test_outside_of_a_kernel_and_under_nbgrader_it_is_the_working_folder(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.start(COURSE, kernel=False)
    assert folders.find_current_folder() == kernel.room / COURSE
    kernel.start(HOME, BOOK, BOOK)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert folders.find_current_folder() == kernel.room / HOME


def test_home_and_language_are_found_beside_the_notebook(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDSON_HOME", raising=False)
    kernel.start(HOME, BOOK)
    chosen = settings.read_environment(hand_in="out")
    home = kernel.room / COURSE / "notebooks" / ".handson"
    found = (chosen.lang, chosen.home, settings.find_home(), chosen.hand_in)
    assert found == ("en", home, home, kernel.room / EN / "out")
    assert shorten_path(kernel.room / EN / "journal.jsonl") == "journal.jsonl"
    kernel.start(HOME, "", BOOK)
    # A kernel that this process starts has another notebook.
    assert "JPY_SESSION_NAME" not in settings.read_environment().as_environment()


def test_a_path_that_the_learner_writes_begins_at_the_notebook(kernel: Kernel) -> None:
    shop = kernel.room / SHOP
    for started, context in (
        ((COURSE, BOOK), "../docker-rails-workshop"),
        ((COURSE, f"{EN}/mine/a.ipynb"), "../docker-rails-workshop"),
        ((COURSE, BOOK), "notebooks/docker-rails-workshop"),
        ((SHOP, BOOK), "."),
        ((HOME, "", f"{HOME}/link.ipynb"), Path("../docker-rails-workshop")),
    ):
        kernel.start(*started)
        assert (context, push.find_context(context)) == (context, shop)
    assert push.locate_context(context) == shop  # can be pasted in any terminal
    assert Picture("<svg/>", "", "").save("a.svg") == kernel.room / EN / "a.svg"
    kernel.start(EN, "", BOOK)
    assert push.locate_context("../docker-rails-workshop") == "../docker-rails-workshop"


def test_a_context_that_is_not_there_is_answered_with_one_that_is(kernel: Kernel) -> None:
    shop, near = kernel.room / SHOP, "../docker-rails-workshop"
    for started, context, named in (
        ((COURSE, BOOK), "../docker-rails-worksho", str(shop)),
        ((HOME, BOOK), "../shop", str(shop)),
        ((EN, "", BOOK), "../../docker-rails", near),
        ((EN, "", BOOK), ".", near),
    ):
        kernel.start(*started)
        with pytest.raises(InvalidInput) as refused:
            push.find_context(context)
        assert f'context="{named}"' in refused.value.remedy
        assert f'"{context}"' not in refused.value.remedy
