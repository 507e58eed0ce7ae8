"""The set-up of a checkout, with a stand-in for every command that it would run."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LOCK = """\
# made by `make lock`
alpha==1.0 \\
    --hash=sha256:aa
    # via handson
pygraphviz==2.0.4 \\
    --hash=sha256:bb
zeta==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""
NO_LIBRARY = "ImportError: libX11.so.6: cannot open shared object file: No such file or directory"


@dataclass
class Commands:
    """Stands in for running commands: notes them, and answers what a test wants answered."""

    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)

    def __call__(
        self, command: list[str], *, environ: Mapping[str, str], total: int = 0
    ) -> tuple[int, str]:
        line = " ".join(command)
        self.lines.append(line)
        for part, answer in self.answers.items():
            if part in line:
                return answer
        if "-m venv" in line:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir(parents=True)
            python.touch()
        if "-r" in command:
            self.installed = Path(command[-1]).read_text(encoding="utf-8").split("\n")
        return 0, ""

    def count(self, part: str) -> int:
        return sum(part in line for line in self.lines)


@pytest.fixture(scope="module")
def preparing(root: Path) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root / "tools"), *sys.path])
        import preparing  # type: ignore[import-not-found, unused-ignore]

        yield preparing


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def checkout(tmp_path: Path, preparing: ModuleType, commands: Commands) -> Callable[..., Any]:
    """Answer ``checkout(NAME="value")`` with the same checkout, seen in that environment."""
    (tmp_path / "requirements.lock").write_text(LOCK, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (tmp_path / "programs").mkdir()

    def make(*, is_root: bool = False, **environ: str) -> Any:
        environ |= {"PATH": str(tmp_path / "programs")}
        system = preparing.libraries.System(environ, commands, is_root=is_root)
        return preparing.Checkout(tmp_path, system)

    return make


def program(folder: Path, name: str) -> None:
    path = folder / "programs" / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)


def stop_of(preparing: ModuleType, checkout: Any) -> str:
    with pytest.raises(preparing.Stop) as stopped:
        preparing.prepare(checkout)
    return str(stopped.value.lines)


def test_a_set_up_installs_all_that_the_lock_names_and_checks_hashes(
    preparing: ModuleType, checkout: Any, commands: Commands, tmp_path: Path
) -> None:
    preparing.prepare(checkout())
    assert "\n".join(commands.installed) == LOCK.partition("\n")[2]
    assert commands.count("-r ") == commands.count("--require-hashes")
    stamp = json.loads((tmp_path / ".venv" / "handson-stamp.json").read_text())
    assert sorted(stamp) == ["drawing", "installed", "path", "python"]


def test_a_second_set_up_runs_nothing(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    preparing.prepare(checkout())
    commands.lines.clear()
    preparing.prepare(checkout())
    assert commands.lines == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_project_file_is_installed_into_the_same_environment(
    preparing: ModuleType, checkout: Any, commands: Commands, tmp_path: Path, name: str
) -> None:
    preparing.prepare(checkout())
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    commands.lines.clear()
    preparing.prepare(checkout())
    assert (commands.count("-m venv"), commands.count("-e ")) == (0, 1)


def test_an_interrupted_installation_is_taken_up_again(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    commands.answers = {"-e ": (1, "broken off")}
    stop_of(preparing, checkout())
    commands.answers = {}
    preparing.prepare(checkout())
    assert (commands.count("-m venv"), commands.count("-e ")) == (1, 2)


def test_an_environment_that_was_half_made_is_made_anew(
    preparing: ModuleType, checkout: Any, commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    preparing.prepare(checkout())
    assert commands.count("-m venv --clear") == 1


def test_an_environment_that_was_copied_from_elsewhere_is_made_anew(
    preparing: ModuleType, checkout: Any, commands: Commands, tmp_path: Path
) -> None:
    preparing.prepare(checkout())
    stamp = tmp_path / ".venv" / "handson-stamp.json"
    stamp.write_text(stamp.read_text().replace(str(tmp_path), "/elsewhere"))
    (tmp_path / ".venv" / "bin").rename(tmp_path / "gone")
    preparing.prepare(checkout())
    assert commands.count("-m venv") == 2


def test_the_environment_keeps_its_python_until_another_is_asked_for(
    preparing: ModuleType, checkout: Any
) -> None:
    noted = {**checkout().about(), "python": "3.99"}
    checkout().venv.joinpath("bin").mkdir(parents=True)
    checkout().python.touch()
    answers = [preparing.usable(checkout(), noted, insist=insist) for insist in (False, True)]
    assert answers == [True, False]


def test_a_stamp_that_is_torn_counts_as_none(
    preparing: ModuleType, checkout: Any, tmp_path: Path
) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "handson-stamp.json").write_text('{"path": ')
    assert checkout().read_stamp() == {}


def test_a_missing_library_is_named_before_the_long_installation(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    commands.answers = {"-c import": (1, f"Traceback\n{NO_LIBRARY}\n")}
    assert "libX11.so.6" in stop_of(preparing, checkout())
    assert "alpha" not in "".join(commands.installed)


@pytest.mark.parametrize(
    ("manager", "is_root", "command"),
    [
        ("apt-get", False, "sudo apt-get install -y libglib2.0-0 libxrender1 libx11-6 libxext6"),
        ("dnf", False, "sudo dnf install -y glib2 libXrender libX11 libXext"),
        ("apk", True, "apk add glib libxrender libx11 libxext"),
        ("brew", False, "brew install graphviz"),
    ],
)
def test_a_missing_library_is_told_with_the_one_command_of_that_system(
    preparing: ModuleType,
    checkout: Any,
    commands: Commands,
    tmp_path: Path,
    manager: str,
    is_root: bool,
    command: str,
) -> None:
    program(tmp_path, manager)
    commands.answers = {"-c import": (1, NO_LIBRARY)}
    assert stop_of(preparing, checkout(is_root=is_root)).endswith(f": {command}")


@pytest.mark.parametrize(
    ("is_root", "run"), [(True, ["apt-get update", "apt-get install -y"]), (False, [])]
)
def test_root_alone_has_libraries_installed_on_the_system(
    preparing: ModuleType,
    checkout: Any,
    commands: Commands,
    tmp_path: Path,
    is_root: bool,
    run: list[str],
) -> None:
    program(tmp_path, "apt-get")
    commands.answers = {"-c import": (1, NO_LIBRARY)}
    stop_of(preparing, checkout(is_root=is_root))
    assert [line.split(" lib")[0] for line in commands.lines if "apt-get" in line] == run


def test_without_drawing_its_library_is_left_out(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    preparing.prepare(checkout(HANDSON_SKIP_DRAWING="1"))
    assert [line for line in commands.installed if "==" in line] == [
        "alpha==1.0 \\",
        "zeta==3.0 ; sys_platform == 'win32' \\",
    ]


def test_drawing_can_be_left_out_and_taken_up_later(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    preparing.prepare(checkout(HANDSON_SKIP_DRAWING="1"))
    preparing.prepare(checkout())
    assert "pygraphviz==2.0.4 \\" in commands.installed
    commands.lines.clear()
    preparing.prepare(checkout(HANDSON_SKIP_DRAWING="1"))
    assert commands.lines == []


def test_a_python_without_venv_is_told_what_to_install(
    preparing: ModuleType, checkout: Any, commands: Commands, tmp_path: Path
) -> None:
    program(tmp_path, "apt-get")
    commands.answers = {"-m venv": (1, "The virtual environment … ensurepip is not available.")}
    assert stop_of(preparing, checkout()).endswith("sudo apt-get install -y python3-venv")


def test_what_pip_said_last_is_shown_when_it_fails(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    commands.answers = {"-r ": (1, "ERROR: no space left\n")}
    assert stop_of(preparing, checkout()).startswith("ERROR: no space left\n✗ ")


def test_a_system_without_a_wheel_is_told_how_to_go_on_without_drawing(
    preparing: ModuleType, checkout: Any, commands: Commands
) -> None:
    commands.answers = {"-r ": (1, "ERROR: Failed building wheel for pygraphviz\n")}
    assert "HANDSON_SKIP_DRAWING=1" in stop_of(preparing, checkout())


def test_every_python_can_read_the_first_file(root: Path) -> None:
    source = (root / "tools" / "setup.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    assert [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)] == []
