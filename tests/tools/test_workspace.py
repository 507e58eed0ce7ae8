"""A workspace from the wheel, which holds all that a learner needs, and beside what git knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from handson.core import messages
from handson.course import syllabus
from handson.notebook.workspace import find_first_notebook

Run = Callable[..., subprocess.CompletedProcess[str]]
PARTS = ("handson", "notebooks", "diagrams", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
LEFT = ("notebooks/.handson/journal.jsonl", "notebooks/ja/.ipynb_checkpoints/a.ipynb")
LEFT += ("workspace/ja/00-prepare.ipynb", "notebooks/docker-rails-workshop/log/a.log")


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command with the package as its wheel installs it; its working folder is given."""
    source = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        copy = shutil.copytree if (root / part).is_dir() else shutil.copy2
        copy(root / part, source / part)
    for name in LEFT:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("a developer's own")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    installed = tmp_path_factory.mktemp("installed")
    with ZipFile(wheel) as archive:
        archive.extractall(installed)
    shutil.rmtree(source)

    def run_here(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
        own = {"PYTHONPATH": str(installed), "HANDSON_ENGINE": "builtin", "PYTHONUTF8": "1"}
        command = [sys.executable, *(words or ("-c", "import handson; print(handson.__file__)"))]
        environ = {**os.environ, **own}
        return subprocess.run(
            command, cwd=cwd, env=environ, check=False, capture_output=True, text=True
        )

    assert run_here(installed).stdout.strip() == str(installed / "handson" / "__init__.py")
    return run_here


def test_from_the_wheel_a_workspace_of_either_language_is_laid_out_in_an_empty_folder(
    run: Run, root: Path, tmp_path: Path
) -> None:
    for lang in messages.LANGUAGES:
        laid = run(tmp_path, "-m", "handson", "workspace", ".", "--lang", lang)
        assert (laid.returncode, laid.stderr) == (0, "")
        assert laid.stdout.startswith("✔")
    app = root / "notebooks" / "docker-rails-workshop"
    tracked = ["git", "-c", "safe.directory=*", "ls-files", "."]
    listed = subprocess.run(tracked, cwd=app, check=True, capture_output=True, text=True).stdout
    books = {f"{lang}/{name}.ipynb" for lang in ("ja", "en") for name in syllabus.ALL_NOTEBOOKS}
    pictures = {f"{lang}/images/step2_aws.{lang}.svg" for lang in ("ja", "en")}
    home = {".handson/workspace.json", ".handson/workspace.lock"}
    wanted = books | pictures | home | {f"docker-rails-workshop/{it}" for it in listed.split()}
    found = {it.relative_to(tmp_path).as_posix() for it in tmp_path.rglob("*") if it.is_file()}
    assert found == wanted


@pytest.mark.full
@pytest.mark.emulator
@pytest.mark.notebooks
def test_from_the_wheel_the_worked_edition_runs_beside_a_workspace(
    run: Run, tmp_path: Path
) -> None:
    assert run(tmp_path, "-m", "handson", "workspace", ".", "--lang", "en").returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "en").glob("*.ipynb")}
    ran = run(tmp_path, "-m", "handson", "run")
    assert (ran.returncode, ran.stdout.splitlines()[0][:1]) == (0, "✔"), ran.stderr
    assert {path: path.read_bytes() for path in before} == before
    own, apart = tmp_path / ".handson", tmp_path / ".handson" / "run-home"
    assert [(home / "journal.jsonl").is_file() for home in (own, apart)] == [False, True]
    assert run(tmp_path, "-m", "handson", "emulator", "status").returncode == 1


@pytest.mark.parametrize("has_changed", [True, False])
def test_work_in_a_checkouts_own_notebooks_is_named_when_its_workspace_is_new(
    root: Path, tmp_path: Path, has_changed: bool
) -> None:
    shutil.copytree(root / "notebooks" / "ja", tmp_path / "notebooks" / "ja")
    shutil.copytree(root / "diagrams", tmp_path / "diagrams")
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a commit -q -m a"):
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True)
    if has_changed:
        (tmp_path / "notebooks" / "ja" / "mine.ipynb").write_text("mine")
    _, _, news = find_first_notebook(tmp_path, lang="ja")
    problem, remedy = messages.advice(
        "notebook.workspace.earlier",
        folder=tmp_path / "notebooks",
        home=tmp_path / "notebooks" / ".handson",
    )
    assert news.splitlines()[1:] == ([f"⚠ {problem}", f"→ {remedy}"] if has_changed else [])
