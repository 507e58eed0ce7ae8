"""The embedded AWS's state on disk: saved a moment after each change, and at the stop.

MiniStack saves its state when it is asked to stop, and asked in time.  A container that is removed,
a culled server and a kill give no time, so this class takes the place of MiniStack's functions that
save.  `state/ec2.json` is what the service `ec2` has; it is replaced as a whole, once the new state
is on the disk.

This module runs in the embedded AWS's own process, like `server`, and imports nothing of `handson`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

DELAY = 2.0
"""Seconds from a change to its saving, in which more changes may come."""

_log = logging.getLogger("handson")


class StateSaver:
    """Saves the states of MiniStack's services whose content has changed since it was last saved.

    `failure` is what kept the last of them from being saved, or None.
    """

    def __init__(
        self,
        persistence: Any,
        services: Callable[[], Mapping[str, Any]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Save what MiniStack's services have.

        Args:
            persistence: MiniStack's module of that name.
            services: Returns, by name, the function that returns a loaded service's state.
            sleep: Waits, for tests.
        """
        self.failure: Exception | None = None
        self._persistence, self._services = persistence, services
        self._folder = Path(persistence.STATE_DIR)
        self._newest: dict[str, str] = {}
        self._saved: dict[str, str] = {}
        self._writing = threading.Lock()
        self._sleep = sleep
        self._is_changed = False
        self._task: asyncio.Task[None] | None = None

    def attach(self, app: Any) -> None:
        """Take the place of the functions that MiniStack saves with.

        Args:
            app: MiniStack's module of that name.
        """
        self._persistence.save_state = self.save_state
        app.save_all = self.save_all

    def take_as_saved(self) -> None:
        """Take what the services have for saved, as it is once it has been loaded."""
        self._encode_all(self._services())
        self._saved = dict(self._newest)

    def note_change(self) -> None:
        """Save the states soon, in another thread; an error is tried again until it is gone."""
        self._is_changed = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._save_soon())

    async def _save_soon(self) -> None:
        while self._is_changed or isinstance(self.failure, OSError):
            await self._sleep(DELAY)
            self._is_changed = False
            # No request is answered meanwhile, so the states are of one moment.
            failure = self._encode_all(self._services())
            try:
                self.failure = await asyncio.to_thread(self._write) or failure
            except RuntimeError:  # no thread can be started: the container's limit is reached
                self.failure = self._write() or failure

    def save_all(self, services: Mapping[str, Any]) -> None:
        """Save the states of these services, as MiniStack does when it stops."""
        failure = self._encode_all(services)
        self.failure = self._write() or failure

    def save_state(self, service: str, state: Any) -> None:
        """Save the state of one service at once."""
        self._encode(service, state)
        self.failure = self._write() or self.failure

    def _encode_all(self, services: Mapping[str, Any]) -> Exception | None:
        """Take the states of these services; return what kept one from being taken, if anything."""
        failure = None
        for service, get_state in services.items():
            try:
                if (state := get_state()) is not None:
                    self._encode(service, state)
            except Exception as error:  # of MiniStack's; the other services can be saved
                _log.exception("%s has no state to save", service)
                failure = error
        return failure

    def _encode(self, service: str, state: Any) -> None:
        version = self._persistence._state_format_version(service)
        whole = {"__ministack_format__": version, "payload": state}
        self._newest[service] = json.dumps(whole, default=self._persistence._json_default)

    def _write(self) -> OSError | None:
        """Write the states that have changed; return what kept one from being saved, or None."""
        with self._writing:
            try:
                for service, text in [*self._newest.items()]:
                    if text != self._saved.get(service):
                        self._replace(self._folder / f"{service}.json", text)
                        self._saved[service] = text
            except OSError as error:
                _log.error("the state cannot be saved: %s", error)
                return error
        return None

    def _replace(self, path: Path, text: str) -> None:
        draft = path.with_name(f"{path.name}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
