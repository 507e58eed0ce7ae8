"""Shown commands, pasted into a shell that knows nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import require

PLACES = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
STRICT = ("-eu", "-o", "pipefail")
AWS, BASH, DOCKER = (shutil.which(name, path=PLACES) for name in ("aws", "bash", "docker"))


def require_shell(*, docker: bool = False) -> None:
    """Skip the running test, or fail it where it may not be, for want of a program."""
    why = "there is no aws command (pip install awscli, in an environment of its own)"
    require("awscli", AWS is not None, why)
    require("awscli", BASH is not None, "there is no bash to paste into")
    if docker:
        require("engine", DOCKER is not None, "there is no docker command")


def paste(commands: Sequence[str], folder: Path, **environment: str) -> str:
    """Run the commands in bash, and return what they said; each has to succeed, and quietly."""
    return _run([str(BASH), *STRICT, "-c", "\n".join(commands)], folder, **environment)


def paste_in_shell(commands: Sequence[str], folder: Path, **environment: str) -> str:
    """Run the commands in bash as `handson shell` opens it, and return what they said."""
    keyed = "\n".join([f"set {' '.join(STRICT)}", *commands, ""])
    own = {"SHELL": str(BASH), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment}
    return _run([sys.executable, "-m", "handson", "shell"], folder, keyed, **own)


def _run(command: Sequence[str], folder: Path, keyed: str = "", **environment: str) -> str:
    programs = {str(Path(program).parent) for program in (AWS, DOCKER, sys.executable) if program}
    path = os.pathsep.join([*sorted(programs), os.defpath])
    done = subprocess.run(
        command,
        env={"PATH": path, "HOME": str(folder), **environment},
        cwd=folder,
        input=keyed,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, _complaints(done.stderr)) == (0, [])
    return done.stdout


def _complaints(said: str) -> list[str]:
    """Return what was said on standard error, less what docker says of itself."""
    lines = [line for line in said.splitlines() if line.strip()]
    usual = ("WARNING! Your", "Configure a credential helper", "https://docs.", "DEPRECATED", "  ")
    return [line for line in lines if not line.startswith(usual)]
