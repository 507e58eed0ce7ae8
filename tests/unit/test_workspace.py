"""A workspace: what a learner gets, and what of theirs is left alone."""

from __future__ import annotations

import json
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest

from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.folders import LAID_OUT
from handson.course import syllabus
from handson.course.learner_notebook import make_learner_notebook
from handson.notebook.workspace import Layout, find_first_notebook, lay_out

FIRST, SECOND, LAST = (f"ja/{syllabus.NOTEBOOKS[at]}.ipynb" for at in (0, 1, -1))
PICTURE, DOCKERFILE = "ja/images/goal.ja.svg", "docker-rails-workshop/Dockerfile"
PROSE = "[次](01-network.ipynb) ![絵 (1)](../../diagrams/goal.{}.svg)\n![](attachment:a.png) end"


def make_book(lang: str, text: str = "") -> dict[str, Any]:
    record = {"output_type": "execute_result", "metadata": {"handson": {"schema": "evidence"}}}
    prose = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": [PROSE.format(lang)]}
    code = {"cell_type": "code", "id": "b", "metadata": {"tags": ["x"]}}
    code |= {"source": ["1\n", f"# {text}"], "execution_count": 7, "outputs": [record]}
    return {"cells": [prose, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


LEFT_IN_APP = tuple(
    f"docker-rails-workshop/{name}"
    for name in (
        "log/a", "tmp/pids/a", ".bundle/config", "config/__pycache__/a", ".DS_Store",
        "app/.DS_Store", "app/.ipynb_checkpoints/a",
    )
)  # fmt: skip
"""What running or opening the app leaves in its folder."""


class Checkout:
    """A checkout whose notebooks are small."""

    def __init__(self, root: Path) -> None:
        self.root, self.own = root, root / "workspace"
        for lang in messages.LANGUAGES:
            self.write(f"diagrams/goal.{lang}.svg", f"<svg>{lang}</svg>")
            for name in syllabus.NOTEBOOKS:
                self.edit(f"{lang}/{name}.ipynb", "")
        self.write(f"notebooks/{DOCKERFILE}", "FROM scratch")
        self.write("notebooks/docker-rails-workshop/app/views/.keep", "")
        for left in (".handson/emulator/a", "ja/.handson/a", *LEFT_IN_APP):
            self.write(f"notebooks/{left}", "")

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, text: str) -> None:
        """Change a notebook of the worked edition."""
        self.write(f"notebooks/{name}", json.dumps(make_book(name[:2], text)))

    def files(self) -> list[str]:
        listed = (path for path in self.own.rglob("*") if path.is_file())
        names = (path.relative_to(self.own).as_posix() for path in listed)
        return sorted(name for name in names if not name.startswith(".handson/"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def done(laid: Layout) -> dict[str, list[str]]:
    return {how: names for how, names in laid.files.items() if how != "same"}


def refusal(folder: Path, **given: str) -> tuple[str, str]:
    with pytest.raises(HandsonError) as refused:
        lay_out(folder, **({"lang": "ja"} | given))
    return refused.value.problem, refused.value.remedy


# The learner's edition


def test_a_learners_notebook_has_no_outputs_and_shows_its_pictures_from_beside_it() -> None:
    worked = make_book("ja")
    made, pictures = make_learner_notebook(worked)
    prose, code = made["cells"]
    assert "".join(prose["source"]) == (
        "[次](01-network.ipynb) ![絵 (1)](images/goal.ja.svg)\n![](attachment:a.png) end"
    )
    assert pictures == {"goal.ja.svg": "../../diagrams/goal.ja.svg"}
    kept = {"cell_type": "code", "id": "b", "metadata": {"tags": ["x"]}, "source": ["1\n", "# "]}
    assert code == kept | {"outputs": [], "execution_count": None}
    assert worked == make_book("ja")


def test_a_learners_notebook_has_blanks_that_nbgrader_does_not_empty() -> None:
    blanks = {"handson": {"blanks": ["cidr"]}}
    form = blanks | {"nbgrader": {"grade_id": "network", "solution": True}}
    cell = {"cell_type": "code", "metadata": form, "source": ["made(\n", '  cidr="10/8",\n', ")"]}
    made, _ = make_learner_notebook({"cells": [cell]})
    [asked] = made["cells"]
    assert asked["source"] == ["made(\n", "  cidr=...,\n", ")"]
    assert (asked["metadata"], cell["metadata"]) == (blanks, form)


def test_a_workspace_holds_the_notebooks_of_a_language_their_pictures_and_the_app(
    checkout: Checkout,
) -> None:
    laid = lay_out(checkout.own, lang="ja")
    books = [f"ja/{name}.ipynb" for name in syllabus.NOTEBOOKS]
    app = [DOCKERFILE, "docker-rails-workshop/app/views/.keep"]
    assert checkout.files() == sorted([*books, PICTURE, *app])
    assert (laid.is_first, sorted(laid.files["added"])) == (True, checkout.files())
    assert str(laid) == messages.text("notebook.workspace.made", folder=checkout.own)
    assert (checkout.own / PICTURE).read_text() == "<svg>ja</svg>"


# Run again


def test_run_again_it_brings_what_is_new_and_leaves_what_the_learner_changed(
    checkout: Checkout,
) -> None:
    lay_out(checkout.own, lang="ja")
    assert done(lay_out(checkout.own, lang="ja")) == {}
    for name in (SECOND, DOCKERFILE):
        (checkout.own / name).write_text("mine")
    (checkout.own / LAST).rename(checkout.own / "ja" / "mine.ipynb")
    again = lay_out(checkout.own, lang="ja")
    assert done(again) == {"returned": [LAST], "kept": [SECOND, DOCKERFILE]}
    for name in (FIRST, SECOND):
        checkout.edit(name, "new")
    checkout.edit("ja/06-troubleshooting.ipynb", "")
    new = lay_out(checkout.own, lang="ja")
    assert done(new) == {
        "added": ["ja/06-troubleshooting.ipynb"],
        "updated": [FIRST],
        "kept": [SECOND, DOCKERFILE],
        "outdated": [SECOND],
    }
    assert [line[:1] for line in str(new).splitlines()] == ["✔", " ", " ", " ", "⚠", "→"]
    assert (checkout.own / SECOND).read_text() == "mine"
    assert '"# new"' in (checkout.own / FIRST).read_text()
    assert (checkout.own / "ja" / "mine.ipynb").is_file()


def test_what_the_warning_of_a_newer_edition_advises_brings_it_beside_the_learners(
    checkout: Checkout,
) -> None:
    lay_out(checkout.own, lang="ja")
    (checkout.own / SECOND).write_text("mine")
    checkout.edit(SECOND, "new")
    assert lay_out(checkout.own, lang="ja").files["outdated"] == [SECOND]
    assert lay_out(checkout.own, lang="ja").has_news is False  # said once
    (checkout.own / SECOND).rename(checkout.own / "ja" / "mine.ipynb")
    assert done(lay_out(checkout.own, lang="ja")) == {"returned": [SECOND]}
    assert '"# new"' in (checkout.own / SECOND).read_text()


def test_a_notebook_that_was_only_saved_is_renewed_and_so_is_the_other_language(
    checkout: Checkout,
) -> None:
    lay_out(checkout.own, lang="ja")
    book = nbformat.read(checkout.own / FIRST, as_version=4)
    nbformat.write(book, checkout.own / FIRST)
    added = lay_out(checkout.own, lang="en").files["added"]
    assert {name.partition("/")[0] for name in added} == {"en"}
    checkout.edit(FIRST, "new")
    assert lay_out(checkout.own, lang="en").files["updated"] == [FIRST]


def test_strangers_files_stay_and_one_of_a_needed_name_is_named(checkout: Checkout) -> None:
    checkout.write("workspace/notes.txt", "mine")
    checkout.write(f"workspace/{FIRST}", "mine")
    (checkout.own / SECOND).mkdir()
    (checkout.own / LAST).symlink_to("a drive that is away")
    laid = lay_out(checkout.own, lang="ja")
    assert laid.files["kept"] == laid.files["outdated"] == [FIRST, SECOND, LAST]
    assert (checkout.own / LAST).is_symlink()
    kept = [(checkout.own / name).read_text() for name in ("notes.txt", FIRST)]
    assert (kept, (checkout.own / SECOND).is_dir()) == (["mine", "mine"], True)


def test_two_at_once_lay_out_once(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as pool:
        laid = list(pool.map(lambda _: lay_out(checkout.own, lang="ja"), range(3)))
    assert sorted(len(done(it).get("added", ())) for it in laid) == [0, 0, len(checkout.files())]
    assert {how for it in laid for how in it.files} == {"added", "same"}


# Where it cannot be


def test_a_file_the_worked_editions_and_a_language_that_is_not_there_are_refused(
    checkout: Checkout,
) -> None:
    checkout.write("file", "mine")
    worked = checkout.root / "notebooks"
    for folder, key in ((checkout.root / "file", "not-a-folder"), (worked / "ja", "worked")):
        assert refusal(folder) == messages.advice_of("notebook.workspace", key, folder=folder)
    (worked / SECOND).write_text("<<<<<<< HEAD")
    assert "git restore" in refusal(checkout.own)[1]
    (worked / SECOND.replace("ja", "en")).unlink()
    assert "01-network" in refusal(checkout.own, lang="en")[0]
    assert checkout.files() == []


def test_a_folder_that_cannot_be_written_and_a_full_disk_lose_nothing(checkout: Checkout) -> None:
    checkout.write("sealed/ja", "a file in the place of a folder")
    checkout.write("homeless/.handson", "likewise")
    checkout.write("file", "mine")
    for name in ("sealed", "homeless", "file/below", "long" * 99):
        problem, remedy = refusal(checkout.root / name)
        assert str(checkout.root / name) in problem
        assert "Errno" not in problem
        assert remedy == messages.text("notebook.workspace.not-writable.remedy")
    lay_out(checkout.own, lang="ja")
    before = {name: (checkout.own / name).read_bytes() for name in checkout.files()}
    for name in (FIRST, LAST):
        checkout.edit(name, "n" * 100_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        problem, _ = refusal(checkout.own)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large" in problem
    assert {name: (checkout.own / name).read_bytes() for name in checkout.files()} == before
    assert lay_out(checkout.own, lang="ja").files["updated"] == [FIRST, LAST]


# What `handson lab` opens


def test_lab_opens_the_workspace_of_a_checkout_or_the_one_around_and_tells_what_is_new(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("notebooks/.handson/journal.jsonl", "{}")
    notebook, root, news = find_first_notebook(checkout.root, lang="ja")
    assert (notebook, root) == (checkout.own / FIRST, checkout.own)
    made, *earlier = news.splitlines()
    assert made == messages.text("notebook.workspace.made", folder=checkout.own)
    assert [line[:1] for line in earlier] == ["⚠", "→"]
    assert str(tmp_path / "notebooks") in earlier[1]  # where the same command opens it, next
    (checkout.own / FIRST).write_text("mine")
    for inside in (checkout.root, checkout.own, checkout.own / "ja"):
        assert find_first_notebook(inside, lang="ja") == (notebook, root, "")
    english, _, news = find_first_notebook(checkout.own, lang="en")
    assert (english.parent, news[:1]) == (checkout.own / "en", "✔")
    worked = checkout.root / "notebooks"
    for inside in (worked, worked / "en"):
        assert find_first_notebook(inside, lang="ja") == (worked / FIRST, checkout.root, "")


def test_lab_names_the_command_where_there_is_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(NotReady) as refused:
        find_first_notebook(tmp_path, lang="ja")
    assert "handson workspace " in refused.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_may_be_called_notebooks_lose_its_home_and_be_taken_elsewhere(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = checkout.root / "else" / "notebooks"
    lay_out(own, lang="ja")
    assert find_first_notebook(own, lang="ja")[:2] == (own / FIRST, own)
    own = lay_out(checkout.root / "mine", lang="ja").folder
    (own / LAID_OUT).unlink()
    assert find_first_notebook(own / "ja", lang="ja")[:2] == (own / FIRST, own)
    with pytest.raises(InvalidInput):
        lay_out(checkout.root / "notebooks", lang="ja")
    away = tmp_path_factory.mktemp("away")
    shutil.copytree(own / "ja", away / "ja")
    notebook, root, news = find_first_notebook(away, lang="ja")  # renewed by the package's own
    assert (notebook, root, "⚠" in news) == (away / FIRST, away, True)
    assert (away / DOCKERFILE).is_file()
