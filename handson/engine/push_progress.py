"""Shows the progress of a push: a line for the whole, and below it a bar for each layer."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

from handson.core import messages
from handson.core.progress import CountedSentence, Say
from handson.engine.model import Destination, format_size
from handson.engine.registry_errors import explain_refusal

_BAR_WIDTH = 12
_MOST_ROWS = 12
_NAME_LENGTH = 12  # of a layer's digest, as docker shows it

# A layer's state, and the line that shows it.
_WAITING = "engine.layer-waiting"
_SENDING = "engine.layer-sending"
_PAUSED = "engine.layer-again"
_SENT = "engine.layer-sent"
_PRESENT = "engine.layer-there"

_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")
_PAUSE = re.compile(r"Retrying in (\d+)")


@dataclass
class _Layer:
    state: str = _WAITING
    sent: int = 0
    size: int = 0
    started: float = 0.0
    pause: str = ""


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

    @property
    def pushed(self) -> int:
        """The number of layers that were sent."""
        return self._count(_SENT)

    @property
    def present(self) -> int:
        """The number of layers that the registry had already."""
        return self._count(_PRESENT)

    def expect(self, name: str) -> None:
        """Note that there is a layer to send."""
        self._update(name)

    def advance(self, name: str, *, sent: int, size: int) -> None:
        """Note that `sent` of a layer's `size` bytes are on their way."""
        layer = self._layers.get(name)
        starts = sent and (layer is None or layer.state != _SENDING)
        began = {"state": _SENDING, "started": self._clock()} if starts else {}
        self._update(name, sent=sent, size=max(size, sent), **began)

    def pause(self, name: str, seconds: str) -> None:
        """Note that a layer broke off, and is sent again after so many seconds."""
        self._update(name, state=_PAUSED, sent=0, pause=seconds)

    def finish(self, name: str) -> None:
        """Note that the registry has all of a layer that was sent."""
        layer = self._layers.get(name, _Layer())
        self._update(name, state=_SENT, sent=layer.size)

    def skip(self, name: str) -> None:
        """Note that the registry had a layer already; one just sent stays counted as sent."""
        if self._layers.get(name, _Layer()).state != _SENT:
            self._update(name, state=_PRESENT, sent=0, size=0)

    def _update(self, name: str, **changes: Any) -> None:
        with self._lock:
            layer = self._layers.setdefault(name, _Layer())
            for attribute, value in changes.items():
                setattr(layer, attribute, value)
            now = self._clock()
            if now - self._reported_at >= self._interval:
                self._reported_at = now
                self._report(now)

    def _count(self, state: str) -> int:
        return sum(layer.state == state for layer in self._layers.values())

    def _report(self, now: float) -> None:
        sent = sum(layer.sent for layer in self._layers.values())
        size = sum(layer.size for layer in self._layers.values())
        whole = messages.text(
            "engine.progress",
            bar=draw_bar(sent, size),
            sent=format_size(sent),
            size=format_size(size),
            rate=_rate(sent, now - self._started),
            done=self.pushed + self.present,
            layers=len(self._layers),
        )
        self._say(CountedSentence("\n".join((whole, *self._rows(now))), done=sent, whole=size))

    def _rows(self, now: float) -> Iterator[str]:
        """Give a line a layer; where there are many, finished ones make room."""
        shown = list(self._layers.items())
        if len(shown) > _MOST_ROWS:
            shown = [(name, it) for name, it in shown if it.state not in {_SENT, _PRESENT}]
        for name, layer in shown[:_MOST_ROWS]:
            yield messages.text(
                layer.state,
                layer=name.removeprefix("sha256:")[:_NAME_LENGTH],
                bar=draw_bar(layer.sent, layer.size),
                sent=format_size(layer.sent),
                size=format_size(layer.size),
                rate=_rate(layer.sent, now - layer.started),
                pause=layer.pause,
            )


def note_push_event(event: dict[str, Any], destination: Destination, progress: PushProgress) -> str:
    """Note an event of an engine's push; return the image's digest when the event brings it.

    Raises:
        HandsonError: The event reports that the push failed.
    """
    if "error" in event:
        raise explain_refusal(str(event["error"]), destination)
    layer, status = str(event.get("id", "")), str(event.get("status", ""))
    detail = event.get("progressDetail") or {}
    if pause := _PAUSE.match(status):
        progress.pause(layer, pause.group(1))
    elif status in {"Preparing", "Waiting"}:
        progress.expect(layer)
    elif status == "Pushing" and "current" in detail:
        progress.advance(layer, sent=int(detail["current"]), size=int(detail.get("total", 0)))
    elif status == "Pushed":
        progress.finish(layer)
    elif status.startswith(("Layer already exists", "Mounted from")):
        progress.skip(layer)
    # Docker's last event carries the digest; in Podman's it is a part of the sentence.
    in_sentence = _DIGEST.search(status)
    digest = in_sentence.group(1) if in_sentence else ""
    return str((event.get("aux") or {}).get("Digest") or digest)


def draw_bar(done: int, whole: int) -> str:
    """Return a bar of twelve characters."""
    full = _BAR_WIDTH if whole == 0 else min(_BAR_WIDTH, done * _BAR_WIDTH // whole)
    return "█" * full + "░" * (_BAR_WIDTH - full)


def _rate(done: int, seconds: float) -> str:
    return format_size(round(done / seconds) if seconds > 0 else 0)
