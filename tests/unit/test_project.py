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

HEAVY = [
    "boto3", "botocore", "docker", "diagrams", "msgspec", "nbclient", "IPython", "ipywidgets",
    "requests",
]  # fmt: skip
DRAW = """
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.drawing import draw
draw(describe_goal(Exercise()))
"""
MODULES = {"beautifulsoup4": "bs4", "pyjwt": "jwt"}
"""Libraries that are imported by another name."""
# Put together here, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "deb.debian" + ".org", "npm" + "js.org"]
MACHINE = re.compile(
    "|".join(re.escape("/" + name) for name in ("work/", "root/", "tmp/dk", "tmp/trial"))
    + r"|/(?:home|Users)/(?!jovyan\b|runner\b|you\b)[a-z][\w.-]*/"
)


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kept_files(root: Path) -> dict[str, str]:
    """The text of each file that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        name: (root / name).read_text(encoding="utf-8", errors="ignore")
        for name in filter(None, listed.stdout.split("\0"))
        if (root / name).is_file()
    }


def needed(project: dict[str, Any], *others: str) -> list[Requirement]:
    """Return what the library, its extras and these lists of lines require."""
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], *extras, others]
    return [Requirement(line) for each in lists for line in each]


def imported_by(node: ast.AST) -> list[str]:
    """Return the top-level modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.split(".")[0]]
    return []


def bare_mentions(files: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    """Return where a pattern occurs, as ``name: what was found``."""
    return [
        f"{name}: {found.group()}"
        for name, text in files.items()
        for found in [pattern.search(text)]
        if found
    ]


def test_conda_and_binder_install_what_the_package_depends_on(
    root: Path, project: dict[str, Any]
) -> None:
    lines = (root / "environment.yml").read_text(encoding="utf-8").splitlines()
    pip = [line.strip() for line in lines[lines.index("  - pip:") + 1 :]]
    assert pip == [f"- {line}" for line in [*project["project"]["dependencies"], "-e ."]]


def test_binder_installs_the_libraries_that_the_set_up_installs(root: Path) -> None:
    commands = (root / "tools" / "libraries.py").read_text(encoding="utf-8")
    packages = (root / "apt.txt").read_text(encoding="utf-8").split()
    assert f'"apt-get install -y {" ".join(packages)}"' in commands


def test_each_entry_of_the_lock_has_a_version_and_hashes_and_no_address(lock: str) -> None:
    entry = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^\\\n]+)? \\\n( +--hash=sha256:[0-9a-f]{64})"
    )
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert [found for found in entries if not entry.match(found)] == []
    assert re.findall(r"^-.*|\S*://\S*| @ \S+", lock, flags=re.MULTILINE) == []


def test_the_lock_satisfies_every_requirement(project: dict[str, Any], lock: str) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE))
    locked = {canonicalize_name(name): version for name, version in pins.items()}
    groups = project["dependency-groups"].values()
    tools = [line for group in groups for line in group if isinstance(line, str)]
    unsatisfied = [
        str(requirement)
        for requirement in needed(project, *tools)
        if locked.get(canonicalize_name(requirement.name), "") not in requirement.specifier
        or canonicalize_name(requirement.name) not in locked
    ]
    assert unsatisfied == []


def test_each_dependency_says_what_it_is_for(root: Path) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("\ndependencies = [\n")[1].split("\n]")[0]
    assert [line for line in block.splitlines() if "  # " not in line] == []


def test_every_library_that_is_imported_is_a_dependency(
    root: Path, project: dict[str, Any]
) -> None:
    named = {MODULES.get(requirement.name, requirement.name) for requirement in needed(project)}
    imported = {
        name
        for path in (root / "handson").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_by(node)
    }
    foreign = imported - sys.stdlib_module_names - {"handson"}
    assert {canonicalize_name(name) for name in foreign} - named == set()


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine(
    kept_files: dict[str, str],
) -> None:
    for pattern in (re.compile("|".join(map(re.escape, HOSTS))), MACHINE):
        assert bare_mentions(kept_files, pattern) == []
    paths = ["work/main", "root/.cache", "home/taro/x", "Users/taro/x"]
    files = {path: f"see /{path}/b" for path in paths}
    assert [found.partition(":")[0] for found in bare_mentions(files, MACHINE)] == paths


def test_no_folder_shadows_a_library(root: Path) -> None:
    shadows = [root / "diagrams" / "__init__.py", root / "handson" / "docker.py"]
    assert [path for path in shadows if path.exists()] == []


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
    [("import handson", HEAVY), (DRAW, ["diagrams", "pygraphviz", "graphviz"])],
    ids=["importing the package", "drawing the state"],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(
    root: Path, program: str, heavy: list[str]
) -> None:
    script = f"{program}\nimport sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert set(heavy) & set(loaded.stdout.split()) == set()


def test_the_changelog_keeps_a_changelog_and_sorts_changes_by_their_kinds(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    version = re.compile(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d")
    assert headings[0] == "[Unreleased]"
    assert [heading for heading in headings[1:] if not version.fullmatch(heading)] == []
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE)) <= kinds


def test_make_lists_every_goal(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    goals = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)
    assert goals is not None
    assert sorted(goals.group(1).split()) == sorted(described)


def test_ci_runs_both_commands(root: Path) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    goals = re.findall(
        r"^(?:\w+=\S+ )*make (\S+)(?: \|\| failed=\$\?)?$", script, flags=re.MULTILINE
    )
    assert goals == ["workshop", '"$goal"', "mutants"]


def wall_clocks(source: str) -> list[int]:
    """Return the lines on which time that can be set back is read in seconds: for a deadline."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in ("time.time", "time.time_ns"))
        or (isinstance(node, ast.ImportFrom) and node.module == "time")
    ]


def test_no_deadline_is_taken_on_a_clock_that_can_be_set_back(root: Path) -> None:
    found = {
        path.name: lines
        for path in (root / "handson").rglob("*.py")
        if (lines := wall_clocks(path.read_text(encoding="utf-8")))
    }
    assert found == {}
    sources = ["import time\ntime.time() + 5", "a = 1\nfrom time import time"]
    assert [wall_clocks(source) for source in sources] == [[2], [2]]
