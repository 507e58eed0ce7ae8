"""Reads what an engine reports while it works: the events of a build, a push and a pull.

A build's output goes into a file; each step is shown, and a failed step is explained.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Any, TextIO

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, InvalidInput
from handson.core.progress import CountedSentence, Say
from handson.core.text import one_line
from handson.engine.dockerfile import Instruction
from handson.engine.model import Destination
from handson.engine.push_progress import PushProgress
from handson.engine.registry_client import explain_refusal, name_cause

# Docker's "Step 3/9 : RUN …", Podman's "[1/2] STEP 3/5: RUN …" in one of several stages.
_STEP = re.compile(r"\s*(?:\[\d+/\d+\] )?step (\d+)/(\d+)\s*: ?(.*)", re.IGNORECASE)
_REFUSED_AT = re.compile(r"dockerfile parse error (?:on )?line (\d+)", re.IGNORECASE)
_NOISE = (" --->", "--> ", "Removing intermediate container", "Successfully built")
_LAST_LINES = 6
_LONGEST_LINE = 160
_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")


class BuildLog:
    """Takes the events of a build in order."""

    def __init__(self, instructions: Iterable[Instruction], *, file: TextIO, say: Say) -> None:
        self._file = file
        self._say = say
        self._step: Instruction | None = None
        self._instructions = tuple(instructions)
        self._remaining = list(self._instructions)
        self._text = ""
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)

    def take(self, event: dict[str, Any]) -> None:
        """Note an event.

        Raises:
            InvalidInput: The event reports that the Dockerfile cannot be read, or needs BuildKit.
            EngineError: The event reports that the build failed.
        """
        if "error" in event:
            raise self._explain_failure(str(event["error"]), event.get("line"))
        self._file.write(event.get("log", ""))
        *lines, self._text = f"{self._text}{event.get('stream', '')}".split("\n")
        for line in lines:
            self._take_line(strip_colours(line).rstrip())
        if "status" in event:
            line = describe_event(event)
            if not event.get("progress"):
                self._file.write(f"{line}\n")
            self._say(line)

    def _take_line(self, line: str) -> None:
        self._file.write(f"{line}\n")
        if step := _STEP.match(line):
            number, steps, instruction = step.groups()
            self._step = self._find_step(" ".join(instruction.split()))
            self._last_lines.clear()
            shown = _shorten(instruction)
            sentence = messages.text("engine.step", number=number, steps=steps, step=shown)
            self._say(CountedSentence(sentence, done=int(number) - 1, whole=int(steps)))
        elif line.strip() and not line.startswith(_NOISE):
            self._last_lines.append(line)
            self._say(_shorten(line))

    def _find_step(self, words: str) -> Instruction | None:
        """Return the next instruction with these words, else the next of its kind.

        Podman counts from each `FROM`, replaces variables in some steps and adds its own steps,
        so a step's number does not lead to its line.  BuildKit's steps run side by side; it names
        one that failed again.
        """
        keyword = words.partition(" ")[0].upper()
        known = (*self._remaining, *self._instructions)
        same = [it for it in known if it.words.lower() == words.lower()]
        alike = [it for it in self._remaining if it.keyword == keyword]
        found = next(iter(same + alike), None)
        if found:
            self._remaining = [it for it in self._remaining if it.line > found.line]
        return found

    def _explain_failure(self, reason: str, line: str | None) -> HandsonError:
        self._file.write(f"{reason}\n")
        step, refused = self._step, _REFUSED_AT.search(reason)
        if number := (refused[1] if refused else line):
            step = next((it for it in self._instructions[::-1] if it.line <= int(number)), None)
        if step is None:
            return EngineError.from_key("engine.build-failed", reason=_shorten(reason))
        shown = {"where": step.place, "step": step.source, "reason": _shorten(reason)}
        cause = name_cause("build", "\n".join((reason, *self._last_lines)))
        if cause == "buildkit" or (refused and step.heredoc):
            key = "engine.no-buildkit" if line is None else "engine.old-front-end"
            return InvalidInput.from_key(key, **shown)
        key = "engine.step-foreign" if cause == "foreign" else "engine.step-failed"
        shown |= {"output": indent_output(self._last_lines), "log": self._file.name}
        return (InvalidInput if refused else EngineError).from_key(key, **shown)


def note_push_event(event: dict[str, Any], destination: Destination, progress: PushProgress) -> str:
    """Note an event of an engine's push; return the image's digest when the event brings it.

    Raises:
        HandsonError: The event reports that the push failed.
    """
    if "error" in event:
        raise explain_refusal(str(event["error"]), destination)
    layer, status = str(event.get("id", "")), str(event.get("status", ""))
    if status in {"Preparing", "Waiting", "Pushing"}:
        detail = event.get("progressDetail") or {}
        sent, size = int(detail.get("current") or 0), int(detail.get("total") or 0)
        progress.advance(layer, sent=sent, size=size)
    elif status == "Pushed":
        progress.finish(layer)
    elif status.startswith(("Layer already exists", "Mounted from")):
        progress.skip(layer)
    # Docker's last event carries the digest; in Podman's it is a part of the sentence.
    in_sentence = _DIGEST.search(status)
    digest = in_sentence.group(1) if in_sentence else ""
    return str((event.get("aux") or {}).get("Digest") or digest)


def describe_event(event: dict[str, Any]) -> str:
    """Return an event of a download on one line: the layer, its status and a bar."""
    parts = (event.get("id"), event.get("status"), event.get("progress"))
    return _shorten(" ".join(str(part) for part in parts if part))


def strip_colours(text: str) -> str:
    """Return a text without the codes that colour it in a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def indent_output(lines: Iterable[str]) -> str:
    """Return the last lines of a program, to follow the sentence that explains its failure."""
    return "".join(f"\n    │ {line}" for line in lines)


def _shorten(text: str) -> str:
    return one_line(" ".join(text.split()), longest=_LONGEST_LINE)
