"""The set-up of a checkout, with a stand-in for every command that it would run."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
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
NEEDED = ["alpha", "pygraphviz", "zeta"]
TOOLS = "mypy==2.0 \\\n    --hash=sha256:dd\n"
NO_LIBRARY = "ImportError: libX11.so.6: cannot open shared object file: No such file or directory"
NO_WHEEL = "ERROR: Failed building wheel for pygraphviz\n"


class Machine:
    """A checkout, where commands are noted and do what matters, or answer what a test wants."""

    def __init__(self, folder: Path, preparing: ModuleType) -> None:
        self.folder, self.preparing = folder, preparing
        self.lines: list[str] = []
        self.installed: list[str] = []  # pips run side by side
        self.answers: dict[str, tuple[int, str]] = {}
        self.stamp = folder / ".venv" / "handson-stamp.json"
        (folder / "requirements.lock").write_text(LOCK, encoding="utf-8")
        (folder / "requirements-dev.lock").write_text(TOOLS, encoding="utf-8")
        (folder / "pyproject.toml").write_text("[project]\n", encoding="utf-8")

    def run(
        self,
        command: list[str],
        *,
        environ: Mapping[str, str],
        watch: Callable[[str], None] = print,
    ) -> tuple[int, str]:
        line = " ".join(command)
        self.lines.append(line)
        for part, answer in self.answers.items():
            if part in line:
                return answer
        if "-m venv" in line:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        if "-r" in command:
            self.installed.append(Path(command[-1]).read_text(encoding="utf-8"))
        return 0, ""

    def checkout(self, *, is_root: bool = False, **environ: str) -> Any:
        environ["PATH"] = str(self.folder)
        system = self.preparing.libraries.System(environ, self.run, is_root=is_root)
        return self.preparing.Checkout(self.folder, system)

    def prepare(self, **environ: str) -> None:
        self.lines, self.installed = [], []
        self.preparing.prepare(self.checkout(**environ))

    def pins(self) -> list[str]:
        """Return the packages that the last set-up installed, each once."""
        lines = "".join(self.installed).split("\n")
        return sorted({line.partition("==")[0] for line in lines if "==" in line})

    def stop(self, part: str, said: str, *, manager: str = "", is_root: bool = False) -> str:
        """Prepare where a command fails, with that package manager; return what is told."""
        self.answers = {part: (1, said)}
        if manager:
            (self.folder / manager).touch(mode=0o755)
        with pytest.raises(self.preparing.Stop) as stopped:
            self.preparing.prepare(self.checkout(is_root=is_root))
        self.answers = {}
        return str(stopped.value.lines)

    def count(self, *parts: str) -> list[int]:
        return [sum(part in line for line in self.lines) for part in parts]


@pytest.fixture
def machine(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.syspath_prepend(root / "tools")
    import preparing  # type: ignore[import-not-found, unused-ignore]

    return Machine(tmp_path, preparing)


def test_a_set_up_installs_all_that_the_lock_names_and_checks_hashes(machine: Machine) -> None:
    machine.prepare()
    hashes = set(re.findall("sha256:.*", LOCK))
    assert (machine.pins(), set(re.findall("sha256:.*", "".join(machine.installed)))) == (
        NEEDED,
        hashes,
    )
    installations, checked = machine.count("-r ", "--require-hashes")
    assert installations == checked
    noted = ["drawing", "installed", "path", "python"]
    assert sorted(json.loads(machine.stamp.read_text())) == noted
    machine.prepare()
    assert machine.lines == []


def test_developers_get_their_tools_on_top_in_an_environment_that_stays_good_for_learners(
    machine: Machine,
) -> None:
    for goal, installed in (("lab", NEEDED), ("test", ["mypy"]), ("workshop", []), ("lint", [])):
        machine.prepare(HANDSON_GOAL=goal)
        assert machine.pins() == installed, goal
    (machine.folder / "requirements-dev.lock").write_text(f"{TOOLS}# changed\n", encoding="utf-8")
    machine.prepare(HANDSON_GOAL="lab")
    assert machine.lines == []
    machine.prepare(HANDSON_GOAL="test")
    assert machine.pins() == ["mypy"]


def test_an_environment_from_before_the_two_locks_is_completed(machine: Machine) -> None:
    machine.prepare(HANDSON_GOAL="test")
    noted = json.loads(machine.stamp.read_text())
    del noted["tools"]
    machine.stamp.write_text(json.dumps({**noted, "installed": "everything of the one lock"}))
    machine.prepare(HANDSON_GOAL="lab")
    assert (machine.count("-m venv"), machine.pins()) == ([0], NEEDED)


def test_a_terminal_shows_the_packages_of_all_pips_in_one_count(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    counter = machine.preparing.Counter(9)
    for line in ("Collecting alpha==1.0 (from -r a)\n", "  Using cached alpha\n"):
        counter(line)
    counter("Requirement already satisfied: zeta==3.0 in lib\n")
    counter("Processing /wheels/py_beta-2.0-py3-none-any.whl (from -r b)\n")
    counter.clear()
    shown = capsys.readouterr().err.replace("\r", "").split("\x1b[2K")
    assert shown == ["", "▸ 1/9 alpha", "▸ 2/9 zeta", "▸ 3/9 py_beta", ""]


def test_a_changed_file_or_a_broken_off_installation_is_installed_into_the_same_environment(
    machine: Machine,
) -> None:
    machine.stop("-e ", "broken off")
    machine.prepare()
    assert machine.count("-m venv", "-e ") == [0, 1]
    for name in ("requirements.lock", "pyproject.toml"):
        (machine.folder / name).write_text(f"{LOCK}# changed\n", encoding="utf-8")
        machine.prepare()
        assert machine.count("-m venv", "-e ") == [0, 1], name


def test_an_environment_that_was_half_made_or_copied_is_made_anew(machine: Machine) -> None:
    (machine.folder / ".venv" / "lib").mkdir(parents=True)
    machine.prepare()
    assert machine.count("-m venv --clear") == [1]
    machine.stamp.write_text(machine.stamp.read_text().replace(str(machine.folder), "/elsewhere"))
    machine.prepare()
    assert machine.count("-m venv") == [1]


def test_the_environment_keeps_its_python_until_another_is_asked_for(machine: Machine) -> None:
    machine.prepare()
    checkout = machine.checkout()
    noted = {**checkout.about(), "python": "3.99"}
    keeps = [machine.preparing.usable(checkout, noted, insist=each) for each in (False, True)]
    assert keeps == [True, False]
    machine.stamp.write_text('{"path": ')  # torn
    assert checkout.read_stamp() == {}


LIBRARIES = {
    "apt-get": "sudo apt-get install -y libglib2.0-0 libxrender1 libx11-6 libxext6",
    "dnf": "sudo dnf install -y glib2 libXrender libX11 libXext",
    "apk": "apk add glib libxrender libx11 libxext",
    "brew": "brew install graphviz",
}


@pytest.mark.parametrize("manager", LIBRARIES)
def test_a_missing_library_is_told_with_its_command_before_the_long_installation(
    machine: Machine, manager: str
) -> None:
    said = f"Traceback\n{NO_LIBRARY}\n"
    told = machine.stop("-c import", said, manager=manager, is_root=manager == "apk")
    assert ("libX11.so.6" in told, told.rpartition(": ")[2]) == (True, LIBRARIES[manager])
    assert machine.pins() == ["pygraphviz"]


def test_root_alone_has_libraries_installed_on_the_system(machine: Machine) -> None:
    for is_root, run in ((False, []), (True, ["apt-get update", "apt-get install -y"])):
        machine.stop("-c import", NO_LIBRARY, manager="apt-get", is_root=is_root)
        assert [line.split(" lib")[0] for line in machine.lines if "apt-get" in line] == run


def test_drawing_can_be_left_out_and_taken_up_later(machine: Machine) -> None:
    machine.prepare(HANDSON_SKIP_DRAWING="1")
    assert machine.pins() == ["alpha", "zeta"]
    machine.prepare()
    assert machine.pins() == NEEDED
    machine.prepare(HANDSON_SKIP_DRAWING="1")
    assert machine.lines == []


def test_what_failed_is_told_with_the_way_on(machine: Machine) -> None:
    no_venv = machine.stop("-m venv", "… ensurepip is not available.", manager="apt-get")
    assert no_venv.endswith("sudo apt-get install -y python3-venv")
    assert machine.stop("-r ", "ERROR: no space left\n").startswith("ERROR: no space left\n✗ ")
    assert "HANDSON_SKIP_DRAWING=1" in machine.stop("-r ", NO_WHEEL)


def test_every_python_can_read_the_first_file(root: Path) -> None:
    source = (root / "tools" / "setup.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    assert [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)] == []
