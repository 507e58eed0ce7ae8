"""Find and install the shared libraries that drawing needs.

PyPI's pygraphviz wheels contain Graphviz but need a desktop's libraries, which slim images lack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shutil import which
from typing import Protocol

from handson.core import messages

# Per package manager: how it installs, and its names for GLib, Xrender, X11 and Xext.
DRAWING = {
    "apt-get": "apt-get install -y libglib2.0-0 libxrender1 libx11-6 libxext6",
    "dnf": "dnf install -y glib2 libXrender libX11 libXext",
    "yum": "yum install -y glib2 libXrender libX11 libXext",
    "zypper": "zypper install -y libglib-2_0-0 libgobject-2_0-0 libXrender1 libX11-6 libXext6",
    "pacman": "pacman -S --needed glib2 libxrender libx11 libxext",
    "apk": "apk add glib libxrender libx11 libxext",
    "brew": "brew install graphviz",
}
VENV = {
    "apt-get": "apt-get install -y python3-venv",
    "dnf": "dnf install -y python3",
    "yum": "yum install -y python3",
    "zypper": "zypper install -y python3-base",
    "pacman": "pacman -S --needed python",
    "apk": "apk add python3",
    "brew": "brew install python",
}


class Run(Protocol):
    """Runs a command to its end; returns its exit code and its whole output.

    `watch` gets each line as it is printed.
    """

    def __call__(
        self,
        command: list[str],
        *,
        environ: Mapping[str, str],
        watch: Callable[[str], None] = ...,
    ) -> tuple[int, str]: ...


@dataclass(frozen=True)
class System:
    """The operating system: its environment, a function that runs commands, and the user."""

    environ: Mapping[str, str]
    run: Run
    is_root: bool = hasattr(os, "geteuid") and os.geteuid() == 0

    def has(self, program: str) -> bool:
        """Tell whether a program is on the PATH."""
        return which(program, path=self.environ.get("PATH", os.defpath)) is not None

    def command(self, commands: Mapping[str, str]) -> str:
        """Return the one command to type on this system, with sudo where needed."""
        for manager, line in commands.items():
            if self.has(manager):
                return line if self.is_root or manager == "brew" else f"sudo {line}"
        return commands["apt-get"]


def ensure(complaint: Callable[[], str], system: System, *, say: Callable[[str], None]) -> str:
    """Make drawing work; return the reason why it still does not, or an empty string.

    Root with apt gets the missing libraries installed.

    Args:
        complaint: Tries to draw; returns the reason why it fails, or an empty string.
        system: The system to install on.
        say: Takes a line of progress.
    """
    reason = complaint()
    if reason and system.is_root and system.has("apt-get"):
        say(messages.text("core.setup.libraries", packages=DRAWING["apt-get"].split(" -y ")[1]))
        quiet = {**system.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [*DRAWING["apt-get"].split(), "--no-install-recommends"]
        for command in (["apt-get", "update"], install):
            system.run(command, environ=quiet)
        reason = complaint()
    return reason
