"""Progress of a push: a line for the whole, and below it a bar for each layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock

from handson.core import messages
from handson.core.progress import Counted, Say
from handson.engine.model import format_size

_BAR = 12
_MOST_ROWS = 12
_NAME = 12  # letters of a layer's name, as docker shows it


@dataclass
class _Layer:
    """Where one layer stands; `state` is waiting, sending, again, sent or there."""

    state: str = "waiting"
    sent: int = 0
    size: int = 0
    started: float = 0.0
    pause: str = ""


class PushProgress:
    """Adds up the layers of a push and says where it stands, at most once an `interval` (seconds).

    What it says are lines: the first adds all layers up, the others are the layers one by one.
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
        self._layers: dict[str, _Layer] = {}

    @property
    def pushed(self) -> int:
        """How many layers were sent."""
        return self._count("sent")

    @property
    def present(self) -> int:
        """How many layers the registry had already."""
        return self._count("there")

    def expect(self, layer: str) -> None:
        """Note that there is a layer to send."""
        with self._lock:
            self._layer(layer)
            self._tell()

    def at(self, layer: str, *, sent: int, size: int) -> None:
        """Note that `sent` of a layer's `size` bytes are on their way."""
        with self._lock:
            found = self._layer(layer)
            if sent and found.state != "sending":
                found.state, found.started = "sending", self._clock()
            found.sent, found.size = sent, max(size, sent)
            self._tell()

    def again(self, layer: str, pause: str) -> None:
        """Note that a layer broke off, and is sent again after a pause (in the engine's words)."""
        with self._lock:
            found = self._layer(layer)
            found.state, found.sent, found.pause = "again", 0, pause
            self._tell()

    def sent(self, layer: str) -> None:
        """Note that the registry has all of a layer that was sent."""
        with self._lock:
            found = self._layer(layer)
            found.state, found.sent = "sent", found.size
            self._tell()

    def had(self, layer: str) -> None:
        """Note that the registry had a layer already; one just sent stays counted as sent."""
        with self._lock:
            found = self._layer(layer)
            if found.state != "sent":
                found.state, found.sent, found.size = "there", 0, 0
            self._tell()

    def _layer(self, name: str) -> _Layer:
        return self._layers.setdefault(name, _Layer())

    def _count(self, state: str) -> int:
        return sum(layer.state == state for layer in self._layers.values())

    def _tell(self) -> None:
        now = self._clock()
        if now - self._said_at < self._interval:
            return
        self._said_at = now
        sent = sum(layer.sent for layer in self._layers.values())
        size = sum(layer.size for layer in self._layers.values())
        rows = (self._whole(now, sent, size), *self._rows(now))
        self._say(Counted("\n".join(rows), done=sent, whole=size))

    def _whole(self, now: float, sent: int, size: int) -> str:
        return messages.text(
            "engine.progress",
            bar=draw_bar(sent, size),
            sent=format_size(sent),
            size=format_size(size),
            rate=_rate(sent, now - self._started),
            done=self.pushed + self.present,
            layers=len(self._layers),
        )

    def _rows(self, now: float) -> Iterator[str]:
        """Give a line a layer; where they are many, those that are done make room."""
        shown = list(self._layers.items())
        if len(shown) > _MOST_ROWS:
            shown = [(name, it) for name, it in shown if it.state not in {"sent", "there"}]
        for name, layer in shown[:_MOST_ROWS]:
            yield messages.text(
                f"engine.layer-{layer.state}",
                layer=name.removeprefix("sha256:")[:_NAME],
                bar=draw_bar(layer.sent, layer.size),
                sent=format_size(layer.sent),
                size=format_size(layer.size),
                rate=_rate(layer.sent, now - layer.started),
                pause=layer.pause,
            )


def draw_bar(done: int, whole: int) -> str:
    """Return a bar of twelve signs."""
    full = _BAR if whole == 0 else min(_BAR, done * _BAR // whole)
    return "█" * full + "░" * (_BAR - full)


def _rate(done: int, seconds: float) -> str:
    return format_size(round(done / seconds) if seconds > 0 else 0)
