"""Progress of a push: many layers folded into one short line."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from handson import messages
from handson.engine.model import human_size
from handson.progress import Say

_BAR = 12


class Tally:
    """Adds up the layers of a push and says where it stands, at most once an `interval` (seconds).

    Safe to call from several threads.
    """

    def __init__(
        self, say: Say, *, interval: float = 0.2, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._interval = interval
        self._clock = clock
        self._started = clock()
        self._said_at = self._started - interval
        self._lock = Lock()
        self._sizes: dict[str, tuple[int, int]] = {}
        self._present: set[str] = set()
        self._pushed: set[str] = set()

    @property
    def pushed(self) -> int:
        """How many layers were sent."""
        return len(self._pushed)

    @property
    def present(self) -> int:
        """How many layers the registry had already."""
        return len(self._present)

    def at(self, layer: str, *, sent: int, size: int) -> None:
        """Note that `sent` of a layer's `size` bytes are on their way."""
        with self._lock:
            self._sizes[layer] = (sent, max(size, sent))
            self._tell()

    def sent(self, layer: str) -> None:
        """Note that the registry has all of a layer that was sent."""
        with self._lock:
            size = self._sizes.get(layer, (0, 0))[1]
            self._sizes[layer] = (size, size)
            self._pushed.add(layer)
            self._tell()

    def had(self, layer: str) -> None:
        """Note that the registry had a layer already; one just sent stays counted as sent."""
        with self._lock:
            if layer not in self._pushed:
                self._present.add(layer)
            self._tell()

    def _tell(self) -> None:
        now = self._clock()
        if now - self._said_at < self._interval:
            return
        self._said_at = now
        sent = sum(sent for sent, _ in self._sizes.values())
        size = sum(size for _, size in self._sizes.values())
        rate = sent / (now - self._started) if now > self._started else 0.0
        layers = len(self._sizes.keys() | self._present)
        line = messages.text(
            "engine.progress",
            bar=bar(sent, size),
            sent=human_size(sent),
            size=human_size(size),
            rate=human_size(round(rate)),
            done=self.pushed + self.present,
            layers=layers,
        )
        self._say(line)


def bar(done: int, whole: int) -> str:
    """Return a bar of twelve signs."""
    full = _BAR if whole == 0 else min(_BAR, done * _BAR // whole)
    return "█" * full + "░" * (_BAR - full)
