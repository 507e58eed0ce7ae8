"""Prepare `.venv`: make it, install the locked packages, install this checkout, try to draw.

    stamp says all is done? ──yes──▶ nothing to do (a few milliseconds)
      │ no
    a usable .venv? ──no──▶ python -m venv --clear
      │
    draw two nodes ──fails──▶ install the shared libraries, or say the one command that does
      │
    pip install --require-hashes -r requirements.lock ▶ pip install -e .
      │ a goal of developers (HANDSON_GOAL)
    pip install --require-hashes -r requirements-dev.lock

The stamp records each finished step, so that an interrupted set-up continues and a finished one
costs nothing; no set-up uninstalls anything.  This module uses the standard library alone: nothing
else is installed yet.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import libraries  # noqa: E402 (the checkout has to be found first)

from handson.core import messages  # noqa: E402

LEARNERS_GOALS = ("hub", "lab", "workshop")
LIBRARY = "pygraphviz"
WITHOUT = " without drawing"
LANES = min(4, os.cpu_count() or 1)
# As pip says it of a package from an index, one that is there already, and one from a folder.
BEGUN = re.compile(
    r"(?:Collecting |Requirement already satisfied: |Processing .*[/\\])([\w.-]+?)(?=[=\[\s]|-\d)"
)
PROBE = f"import {LIBRARY}; {LIBRARY}.AGraph('digraph{{a->b}}').draw(format='svg', prog='dot')"


class Stop(Exception):
    """The set-up cannot continue; carries the problem, the remedy and the output of a tool."""

    def __init__(self, problem: str, remedy: str, *, output: str = "") -> None:
        super().__init__(problem, remedy)
        self.lines = f"{output}✗ {problem}\n→ {remedy}"


@dataclass(frozen=True)
class Checkout:
    """The paths of a checkout, and the system that it is prepared on."""

    root: Path
    system: libraries.System

    @property
    def drawing(self) -> bool:
        """Whether to install drawing: not with HANDSON_SKIP_DRAWING=1."""
        return self.system.environ.get("HANDSON_SKIP_DRAWING", "") in ("", "0")

    @property
    def tools(self) -> bool:
        """Whether the goal needs the developers' tools."""
        return self.system.environ.get("HANDSON_GOAL", "workshop") not in LEARNERS_GOALS

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        return self.venv / "handson-stamp.json"

    @property
    def lock(self) -> Path:
        return self.root / "requirements.lock"

    @property
    def tools_lock(self) -> Path:
        return self.root / "requirements-dev.lock"

    def about(self) -> dict[str, str]:
        """Return the stamp of a new `.venv`: its path and its Python."""
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return {"path": str(self.venv), "python": version}

    def read_stamp(self) -> dict[str, str]:
        """Return the stamp, or an empty dict where none can be read."""
        try:
            noted = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def write_stamp(self, noted: Mapping[str, str]) -> None:
        """Write the stamp, whole or not at all."""
        draft = self.stamp.with_suffix(".tmp")
        draft.write_text(json.dumps(noted), encoding="utf-8")
        draft.replace(self.stamp)

    def wanted(self) -> str:
        """Return the digest of everything that decides what a learner needs installed."""
        digest = _digest(self.lock, self.root / "pyproject.toml")
        return digest + ("" if self.drawing else WITHOUT)

    def has_all(self, noted: Mapping[str, str]) -> bool:
        """Tell whether the stamp names all that learners need, with or without drawing."""
        installed = noted.get("installed", "")
        return self.wanted() in (installed, installed + WITHOUT)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Prepare this checkout; return 0 when it is ready and 2 when something has to be done first.

    `--insist` makes `.venv` use the running Python, even if another one had made it.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    messages.use("en" if environ.get("HANDSON_LANG") == "en" else "ja")
    checkout = Checkout(ROOT, libraries.System(environ, run))
    try:
        prepare(checkout, insist="--insist" in arguments)
    except Stop as stop:
        print(stop.lines, file=sys.stderr)
        return 2
    except OSError as error:
        print(_cannot(checkout, str(error)).lines, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\n" + Stop(*messages.advice("core.setup.interrupted")).lines, file=sys.stderr)
        return 130
    return 0


def prepare(checkout: Checkout, *, insist: bool = False) -> None:
    """Make the checkout ready: `.venv` holds what the goal's locks name, and this checkout.

    Raises:
        Stop: Something has to be done by hand first; the next run continues from there.
    """
    noted = checkout.read_stamp()
    if not usable(checkout, noted, insist=insist):
        make_venv(checkout)
        noted = checkout.about()
        checkout.write_stamp(noted)
    if not checkout.has_all(noted):
        noted = {name: noted[name] for name in checkout.about()}
        checkout.write_stamp(noted)
    if checkout.drawing and "drawing" not in noted:
        make_drawing_work(checkout)
        noted |= {"drawing": "works"}
        checkout.write_stamp(noted)
    if "installed" not in noted:
        install(checkout)
        noted |= {"installed": checkout.wanted()}
        checkout.write_stamp(noted)
    if checkout.tools and noted.get("tools") != _digest(checkout.tools_lock):
        say(messages.text("core.setup.tools"))
        pip_lock(checkout, entries(checkout.tools_lock))
        noted |= {"tools": _digest(checkout.tools_lock)}
        checkout.write_stamp(noted)


def usable(checkout: Checkout, noted: Mapping[str, str], *, insist: bool) -> bool:
    """Tell whether `.venv` was made by a set-up, here, and can still start its Python.

    A `.venv` that was copied along with its checkout still leads to where it came from.
    """
    mine = checkout.about()
    if noted.get("path") != mine["path"] or not checkout.python.exists():
        return False
    return noted.get("python") == mine["python"] or ("python" in noted and not insist)


def make_venv(checkout: Checkout) -> None:
    """Make `.venv` anew with the running Python.

    Raises:
        Stop: This Python has no `venv`, or the folder cannot be written.
    """
    say(messages.text("core.setup.venv", version=checkout.about()["python"]))
    system = checkout.system
    command = [sys.executable, "-m", "venv", "--clear", str(checkout.venv)]
    code, output = system.run(command, environ=system.environ)
    if code == 0:
        return
    if "ensurepip" in output or "No module named venv" in output:
        remedy = system.command(libraries.VENV)
        raise Stop(*messages.advice("core.setup.no-venv", command=remedy))
    raise _cannot(checkout, _last_line(output))


def make_drawing_work(checkout: Checkout) -> None:
    """Install the drawing library alone and try it, so that a failure shows before the long wait.

    Raises:
        Stop: Drawing does not work; carries the command that mends it.
    """
    say(messages.text("core.setup.drawing"))
    pip_lock(checkout, [entry for entry in entries(checkout.lock) if is_drawing(entry)])
    system = checkout.system
    reason = libraries.ensure(lambda: complaint(checkout), system, say=say)
    if reason:
        remedy = system.command(libraries.DRAWING)
        raise Stop(*messages.advice("core.setup.no-drawing", reason=reason, command=remedy))


def install(checkout: Checkout) -> None:
    """Install what the lock names, then this checkout, into `.venv`.

    Raises:
        Stop: pip failed; carries its last lines.
    """
    drawing = checkout.drawing
    wanted = [entry for entry in entries(checkout.lock) if drawing or not is_drawing(entry)]
    say(messages.text("core.setup.installing", count=len(wanted)))
    pip_lock(checkout, wanted)
    say(messages.text("core.setup.checkout"))
    pip(checkout, "--no-deps", "--no-build-isolation", "-e", str(checkout.root))
    say(messages.text("core.setup.installed"))


def entries(lock: Path) -> list[str]:
    """Return a lock's entries, each a package with its hashes."""
    return re.split(r"^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def is_drawing(entry: str) -> bool:
    """Tell whether an entry of the lock is the drawing library."""
    return entry.startswith(f"{LIBRARY}==")


def pip_lock(checkout: Checkout, wanted: Sequence[str]) -> None:
    """Install entries of a lock, which names every package: pip has nothing to resolve.

    So several pips can share the work, each with entries of its own.

    Raises:
        Stop: pip failed.
    """
    counter = Counter(len(wanted))
    # Python compiles the few modules that are used when it first loads them.
    options = ("--no-compile", "--require-hashes", "--no-deps", "-r")

    def install_some(lane: int) -> None:
        listed = checkout.venv / f"handson-requirements-{lane}.txt"
        listed.write_text("".join(wanted[lane::lanes]), encoding="utf-8")
        pip(checkout, *options, str(listed), watch=counter)

    lanes = min(LANES, len(wanted))
    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(install_some, range(lanes)))
    counter.clear()


class Counter:
    """Shows on a terminal how many packages the running pips have begun with."""

    def __init__(self, total: int) -> None:
        self._begun, self._total = 0, total
        self._lock = threading.Lock()

    def __call__(self, line: str) -> None:
        """Take a line that pip printed."""
        found = BEGUN.match(line)
        if found:
            with self._lock:
                self._begun += 1
                self._show(f"▸ {self._begun}/{self._total} {found[1]}")

    def clear(self) -> None:
        """Make room for the next line."""
        self._show("")

    def _show(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[2K{text}", end="\r", file=sys.stderr, flush=True)


def pip(
    checkout: Checkout, *arguments: str, watch: Callable[[str], None] = lambda line: None
) -> None:
    """Run `pip install` in `.venv`; `watch` gets each line that it prints.

    Raises:
        Stop: pip failed.
    """
    command = [str(checkout.python), "-m", "pip", "install", "--no-input", *arguments]
    # The user's own settings could install packages outside the environment.
    plain = {**checkout.system.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for name in ("PYTHONPATH", "PYTHONHOME"):
        plain.pop(name, None)
    code, output = checkout.system.run(command, environ=plain, watch=watch)
    if code == 0:
        return
    last = "".join(output.splitlines(keepends=True)[-20:])
    if re.search(f"building wheel for {LIBRARY}", output, re.IGNORECASE):
        raise Stop(*messages.advice("core.setup.no-drawing-wheel"), output=last)
    raise Stop(*messages.advice("core.setup.pip"), output=last)


def run(
    command: list[str],
    *,
    environ: Mapping[str, str],
    watch: Callable[[str], None] = lambda line: None,
) -> tuple[int, str]:
    """Run a command to its end and return its exit code and its whole output."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            watch(line)
    return process.returncode, "".join(lines)


def complaint(checkout: Checkout) -> str:
    """Return the reason why drawing does not work in `.venv`; empty when it does."""
    command = [str(checkout.python), "-c", PROBE]
    code, output = checkout.system.run(command, environ=checkout.system.environ)
    return "" if code == 0 else _last_line(output) or f"exit {code}"


def say(sentence: str) -> None:
    """Print a line of progress on standard error."""
    print(f"▸ {sentence}", file=sys.stderr, flush=True)


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2]


def _cannot(checkout: Checkout, reason: str) -> Stop:
    return Stop(*messages.advice("core.setup.failed", folder=checkout.venv, reason=reason))
