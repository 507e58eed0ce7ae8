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

HEAVY = (
    "boto3", "botocore", "docker", "diagrams", "msgspec", "nbclient", "IPython", "ipywidgets",
    "requests",
)  # fmt: skip
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


def entries(lock: str) -> list[str]:
    """Return the lock's entries, each a requirement with the hashes below it."""
    return re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]


def wanted(project: dict[str, Any]) -> list[Requirement]:
    """Return all requirements that pyproject.toml names itself."""
    groups = project["dependency-groups"]
    named = [line for group in groups.values() for line in group if isinstance(line, str)]
    return [*needed(project), *map(Requirement, named)]


def needed(project: dict[str, Any]) -> list[Requirement]:
    """Return what the library requires, its extras' requirements among them."""
    extras = project["project"]["optional-dependencies"].values()
    named = [line for extra in extras for line in extra]
    return [Requirement(line) for line in [*project["project"]["dependencies"], *named]]


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


def test_each_entry_of_the_lock_has_a_version_and_hashes(lock: str) -> None:
    entry = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^\\\n]+)? \\\n( +--hash=sha256:[0-9a-f]{64})"
    )
    assert [found for found in entries(lock) if not entry.match(found)] == []


def test_the_lock_names_no_address_and_no_index(lock: str) -> None:
    assert re.findall(r"^-.*|\S*://\S*| @ \S+", lock, flags=re.MULTILINE) == []


def test_the_lock_satisfies_every_requirement(project: dict[str, Any], lock: str) -> None:
    locked = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE)
    }
    unsatisfied = [
        str(requirement)
        for requirement in wanted(project)
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


def test_no_file_names_a_package_registry(kept_files: dict[str, str]) -> None:
    assert bare_mentions(kept_files, re.compile("|".join(map(re.escape, HOSTS)))) == []


def test_no_file_names_a_path_of_somebodys_machine(kept_files: dict[str, str]) -> None:
    assert bare_mentions(kept_files, MACHINE) == []


def test_paths_of_machines_are_seen() -> None:
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


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="begin"):
        _ = handson.begin  # type: ignore[attr-defined]


def test_importing_the_package_loads_nothing_heavy(root: Path) -> None:
    script = "import sys, handson; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert set(HEAVY) & set(loaded.stdout.split()) == set()


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


def test_a_deadline_on_the_wall_clock_is_found() -> None:
    sources = ["import time\ntime.time() + 5", "a = 1\nfrom time import time"]
    assert [wall_clocks(source) for source in sources] == [[2], [2]]
