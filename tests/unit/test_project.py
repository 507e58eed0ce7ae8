"""The project's own files: they agree with each other, and hold nothing that belongs elsewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import handson
from handson.core import errors

HEAVY = "boto3 botocore docker diagrams msgspec nbclient IPython ipywidgets requests"
DRAW = "from handson.drawing import draw\nfrom tests.unit import states\ndraw(states.finished())"
CONNECT = """
from handson.aws import connection
connection.make_private_session(connection.EMULATOR)
"""
START = "import handson\nhandson.start"
LATE = "handson.engine handson.drawing handson.practice.incidents handson.resources.push asyncio"
MODULES = {"beautifulsoup4": "bs4", "pyjwt": "jwt"}  # imported by another name
# Put together here, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "deb.debian" + ".org", "npm" + "js.org"]
FOLDERS = ["/" + name for name in ("work/", "root/", "tmp/dk", "tmp/trial")]
HOME = r"/(?:home|Users)/(?!jovyan\b|learner\b|runner\b|you\b)[a-z][\w.-]*/"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def locks(root: Path) -> list[str]:
    """Return the text of the learners' lock, and of what developers need on top."""
    names = ("requirements.lock", "requirements-dev.lock")
    return [(root / name).read_text(encoding="utf-8") for name in names]


def needed(project: dict[str, Any], *groups: str, extras: bool) -> list[Requirement]:
    """Return what the library, its extras and these groups require."""
    lists = [project["project"]["dependencies"]]
    lists += project["project"]["optional-dependencies"].values() if extras else []
    lists += [project["dependency-groups"][name] for name in groups]
    return [Requirement(line) for each in lists for line in each if isinstance(line, str)]


def pins(lock: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", lock, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_conda_installs_what_the_package_depends_on(root: Path, project: dict[str, Any]) -> None:
    lines = (root / "environment.yml").read_text(encoding="utf-8").splitlines()
    pip = [line.strip() for line in lines[lines.index("  - pip:") + 1 :]]
    assert pip == [f"- {line}" for line in [*project["project"]["dependencies"], "-e ."]]


def test_binder_installs_the_libraries_that_the_set_up_installs(root: Path) -> None:
    commands = (root / "tools" / "libraries.py").read_text(encoding="utf-8")
    packages = (root / ".binder" / "apt.txt").read_text(encoding="utf-8").split()
    assert f'"apt-get install -y {" ".join(packages)}"' in commands


def test_each_entry_of_a_lock_has_a_version_and_hashes_and_no_address(root: Path) -> None:
    found = [*root.glob("*.lock"), *root.glob("deploy/**/*.lock"), *root.glob("tools/**/*.lock")]
    assert len(found) == 6
    lock = "\n".join(path.read_text(encoding="utf-8") for path in found)
    entry = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^\\\n]+)? \\\n( +--hash=sha256:[0-9a-f]{64})"
    )
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert [found for found in entries if not entry.match(found)] == []
    assert re.findall(r"^-.*|\S*://\S*| @ \S+", lock, flags=re.MULTILINE) == []


def test_the_locks_satisfy_what_learners_and_what_developers_require(
    project: dict[str, Any], locks: list[str]
) -> None:
    learners, tools = map(pins, locks)
    for wanted, locked in (
        (needed(project, "build", extras=False), learners),
        (needed(project, "build", "dev", extras=True), tools | learners),
    ):
        found = [(it, locked.get(canonicalize_name(it.name))) for it in wanted]
        assert [str(it) for it, pin in found if pin is None or pin not in it.specifier] == []


def test_learners_install_no_tool_of_the_developers_and_both_the_same_versions(
    project: dict[str, Any], locks: list[str]
) -> None:
    learners, tools = map(pins, locks)
    names = {canonicalize_name(it.name) for it in needed(project, "dev", extras=True)}
    needs = {canonicalize_name(it.name) for it in needed(project, "build", extras=False)}
    assert (names - needs) & set(learners) == {"pytest"}  # nbval brings it
    assert {name: pin for name, pin in tools.items() if learners.get(name, pin) != pin} == {}


def test_every_library_that_is_imported_is_a_dependency(
    root: Path, project: dict[str, Any]
) -> None:
    named = {
        MODULES.get(requirement.name, requirement.name)
        for requirement in needed(project, extras=True)
    }
    imported = {
        name.partition(".")[0]
        for path in (root / "handson").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    in_a_tab = {"js", "pyodide"}  # there, they are Python's own
    foreign = imported - sys.stdlib_module_names - {"handson"} - in_a_tab
    assert {canonicalize_name(name) for name in foreign} - named == set()


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine(root: Path) -> None:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    files = [root / name for name in listed.split("\0") if (root / name).is_file()]
    foreign = re.compile("|".join([*map(re.escape, HOSTS + FOLDERS), HOME]))
    found = {path: foreign.search(path.read_text("utf-8", errors="ignore")) for path in files}
    assert {path: what.group() for path, what in found.items() if what} == {}


def test_the_public_names_are_sorted_and_hold_every_error() -> None:
    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HandsonError)
    }
    assert handson.__all__ == sorted(tree | {"Workshop", "__version__", "start", "widgets"})
    assert [name for name in handson.__all__ if not hasattr(handson, name)] == []
    with pytest.raises(AttributeError, match="begin"):
        _ = handson.begin  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        ("import handson", HEAVY),
        (DRAW, "diagrams pygraphviz graphviz"),
        (CONNECT, "awscrt _awscrt boto3"),
        (START, f"{LATE} multiprocessing"),
        ("import handson.grading", "openpyxl multiprocessing boto3"),
    ],
    ids=["importing", "drawing", "connecting to the embedded AWS", "loading `start`", "grading"],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(root: Path, program: str, heavy: str) -> None:
    script = [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"]
    loaded = subprocess.run(script, cwd=root, capture_output=True, text=True, check=True).stdout
    assert set(heavy.split()) & set(loaded.split()) == set()


def test_make_lists_every_goal(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    [goals] = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)
    assert sorted(goals.split()) == sorted(described)
