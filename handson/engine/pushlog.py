"""What a push says, event by event."""

from __future__ import annotations

import re
from typing import Any

from handson.engine.model import Destination
from handson.engine.push_progress import PushProgress
from handson.engine.refusals import refusal

_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")
_PAUSE = re.compile(r"Retrying in (\d+)")


def take(event: dict[str, Any], destination: Destination, tally: PushProgress) -> str:
    """Note an event in the tally; return the image's digest when the event brings it.

    Raises:
        HandsonError: The event says that the push failed.
    """
    if "error" in event:
        raise refusal(str(event["error"]), destination)
    layer, status = str(event.get("id", "")), str(event.get("status", ""))
    detail = event.get("progressDetail") or {}
    pause = _PAUSE.match(status)
    if pause:
        tally.again(layer, pause.group(1))
    elif status in {"Preparing", "Waiting"}:
        tally.expect(layer)
    elif status == "Pushing" and "current" in detail:
        tally.at(layer, sent=int(detail["current"]), size=int(detail.get("total", 0)))
    elif status == "Pushed":
        tally.sent(layer)
    elif status.startswith(("Layer already exists", "Mounted from")):
        tally.had(layer)
    return _digest(event, status)


def _digest(event: dict[str, Any], status: str) -> str:
    """Docker's last event carries the digest; of Podman's it is only a part of the sentence."""
    told = _DIGEST.search(status)
    return str((event.get("aux") or {}).get("Digest") or (told.group(1) if told else ""))
