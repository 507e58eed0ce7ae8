"""Shows the progress of a push: a line for the whole, and below it a bar for each layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from msgspec import Struct

from handson.core import messages
from handson.core.progress import CountedSentence, Say
from handson.engine.model import format_size

_BAR_WIDTH = 12
_MOST_ROWS = 12
_NAME_LENGTH = 12  # of a layer's digest, as docker shows it

# A layer's state, and the line that shows it.
_WAITING = "engine.layer-waiting"
_SENDING = "engine.layer-sending"
_SENT = "engine.layer-sent"
_PRESENT = "engine.layer-there"


class _Layer(Struct):
    state: str = _WAITING
    sent: int = 0
    size: int = 0
    started: float = 0.0


class PushProgress:
    """Adds up the layers of a push and reports them, at most once an `interval` (seconds).

    The first line of a report adds all layers up; the others show the layers one by one.  Safe to
    call from several threads.
    """

    def __init__(
        self, say: Say, *, interval: float = 0.2, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._interval = interval
        self._clock = clock
        self._started = clock()
        self._reported_at = self._started - interval
        self._lock = Lock()
        self._layers: dict[str, _Layer] = {}

    def count_layers(self) -> tuple[int, int]:
        """Return how many layers were sent, and how many the registry had already."""
        states = [layer.state for layer in self._layers.values()]
        return states.count(_SENT), states.count(_PRESENT)

    def advance(self, name: str, *, sent: int, size: int) -> None:
        """Note that `sent` of a layer's `size` bytes are on their way."""
        with self._changing(name) as layer:
            if sent and layer.state != _SENDING:
                layer.state, layer.started = _SENDING, self._clock()
            layer.sent, layer.size = sent, max(size, sent)

    def finish(self, name: str) -> None:
        """Note that the registry has all of a layer that was sent."""
        with self._changing(name) as layer:
            layer.state, layer.sent = _SENT, layer.size

    def skip(self, name: str) -> None:
        """Note that the registry had a layer already; one just sent stays counted as sent."""
        with self._changing(name) as layer:
            if layer.state != _SENT:
                layer.state, layer.sent, layer.size = _PRESENT, 0, 0

    @contextmanager
    def _changing(self, name: str) -> Iterator[_Layer]:
        with self._lock:
            yield self._layers.setdefault(name, _Layer())
            now = self._clock()
            if now - self._reported_at >= self._interval:
                self._reported_at = now
                self._report(now)

    def _report(self, now: float) -> None:
        """Say all layers as one line, and below it a line a layer."""
        layers, every = list(self._layers.items()), self._layers.values()
        sent, size = sum(it.sent for it in every), sum(it.size for it in every)
        whole = _Layer(_SENDING, sent, size, self._started)
        counts = {"done": sum(self.count_layers()), "layers": len(layers)}
        rows = [messages.text("engine.progress", **counts, **_measure(whole, now))]
        if len(layers) > _MOST_ROWS:  # those that are done make room
            layers = [(name, it) for name, it in layers if it.state not in {_SENT, _PRESENT}]
        for name, layer in layers[:_MOST_ROWS]:
            shown = name.removeprefix("sha256:")[:_NAME_LENGTH]
            rows.append(messages.text(layer.state, layer=shown, **_measure(layer, now)))
        self._say(CountedSentence("\n".join(rows), done=sent, whole=size))


def _measure(layer: _Layer, now: float) -> dict[str, str]:
    """Return the bar, the sizes and the rate of a layer, for its line."""
    seconds = now - layer.started
    full = _BAR_WIDTH * layer.sent // layer.size if layer.size else _BAR_WIDTH
    return {
        "bar": "█" * full + "░" * (_BAR_WIDTH - full),
        "sent": format_size(layer.sent),
        "size": format_size(layer.size),
        "rate": format_size(round(layer.sent / seconds) if seconds > 0 else 0),
    }
