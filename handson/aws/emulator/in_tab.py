"""The embedded AWS of a browser's tab: it runs in the Python of each notebook.

Each notebook has a Python of its own, and all share the tab's drive.  Before a cell the state is
read if another notebook has changed it; after a cell it is saved.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from handson.aws.emulator import Running, explain_failure, in_process
from handson.core.errors import NotReady
from handson.core.host import IN_TAB

_NEVER_USED = {"multiprocessing.synchronize": "Event", "yaml": "safe_load"}
"""Modules that MiniStack imports and a tab lacks, each with the name that is looked up in it."""

_opened: list[SharedState] = []


def ensure_running(home: Path, *, region: str, shell: Any = None) -> Running:
    """Return the embedded AWS of this Python, with what the tab's notebooks have made.

    Args:
        home: The `HANDSON_HOME`; made if missing.
        region: The region that clients will name first.
        shell: The IPython shell, whose cells are the moments to read and save the state.

    Raises:
        NotReady: The home cannot be written.
    """
    folder = home.absolute() / "emulator"
    if not _opened:
        for name, what in _NEVER_USED.items() if IN_TAB else ():
            sys.modules.setdefault(name, ModuleType(name)).__dict__.setdefault(what, object)
        with NotReady.replace_os_errors("aws.emulator.not-writable", path=folder):
            door = in_process.open_in_process(folder, region=region)
        shared = SharedState(door)
        _opened.append(shared)
        if shell:
            shell.events.register("pre_run_cell", shared.refresh)
            shell.events.register("post_run_cell", shared.save)
    return Running(os.getpid(), in_process.PORT, region, "running")


class SharedState:
    """The state of this Python's embedded AWS, as the notebooks of a tab share it."""

    def __init__(self, door: in_process.InProcess) -> None:
        """Share what has been loaded from the folder."""
        self.door = door
        self._seen = self._list_files()

    def refresh(self, *_: Any) -> None:
        """Load the saved state if another notebook has saved one since."""
        found = self._list_files()
        if found != self._seen:
            self.door.load_state()
            self._seen = found

    def save(self, *_: Any) -> None:
        """Save the state of each service that has changed.

        Raises:
            NotReady: The browser's storage is full, or does not take it.
        """
        failure = self.door.save_state()
        self._seen = self._list_files()
        if failure:
            raise explain_failure(self.door.folder, failure) from failure

    def _list_files(self) -> Mapping[str, tuple[int, float]]:
        found = {path.name: path.stat() for path in self.door.folder.glob("state/*.json")}
        return {name: (stat.st_size, stat.st_mtime) for name, stat in found.items()}
