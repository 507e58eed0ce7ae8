"""Follows a build's output: keeps it in a file, shows each step, explains a failed step."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, TextIO

from handson.core import messages
from handson.core.errors import EngineError
from handson.core.progress import CountedSentence, Say
from handson.engine.dockerfile import Dockerfile, Instruction

# Docker's "Step 3/9 : RUN …", Podman's "[1/2] STEP 3/5: RUN …" in one of several stages.
_STEP = re.compile(r"\s*(?:\[\d+/\d+\] )?step (\d+)/(\d+)\s*: ?(.*)", re.IGNORECASE)
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,})")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = (" --->", "--> ", "Removing intermediate container")
_FOREIGN = "exec format error"
_LAST_LINES = 6


class BuildLog:
    """Takes the events of a build in order; `image_id` is the image's id once it is built."""

    def __init__(self, source: Dockerfile, *, file: TextIO, say: Say) -> None:
        self.image_id = ""
        self._file = file
        self._say = say
        self._step: Instruction | None = None
        self._remaining = list(source.instructions)
        self._text = ""
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)

    def take(self, event: dict[str, Any]) -> None:
        """Note an event.

        Raises:
            EngineError: The event reports that the build failed.
        """
        if "error" in event:
            raise self._explain_failure(str(event["error"]))
        if "stream" in event:
            self._text = f"{self._text}{event['stream']}"
            *lines, self._text = self._text.split("\n")
            for line in lines:
                self._take_line(line)
        elif "status" in event:
            self._take_status(event)
        self.image_id = str((event.get("aux") or {}).get("ID") or self.image_id)

    def _take_line(self, line: str) -> None:
        line = _COLOUR.sub("", line).rstrip()
        self._file.write(f"{line}\n")
        step, built = _STEP.match(line), _BUILT.match(line)
        if step:
            number, steps, instruction = step.groups()
            self._step = self._find_step(" ".join(instruction.split()))
            self._last_lines.clear()
            shown = _shorten(instruction)
            sentence = messages.text("engine.step", number=number, steps=steps, step=shown)
            self._say(CountedSentence(sentence, done=int(number) - 1, whole=int(steps)))
        elif built:
            self.image_id = self.image_id or built.group(1)
        elif line.strip() and not line.startswith(_NOISE):
            self._last_lines.append(line)
            self._say(_shorten(line))

    def _find_step(self, words: str) -> Instruction | None:
        """Return the next instruction with these words, else the next of its kind.

        Podman counts from each `FROM`, replaces variables in some steps and adds its own steps,
        so a step's number does not lead to its line.
        """
        keyword = words.partition(" ")[0].upper()
        same = (at for at, it in enumerate(self._remaining) if it.words.lower() == words.lower())
        alike = (at for at, it in enumerate(self._remaining) if it.keyword == keyword)
        found = next(same, next(alike, None))
        if found is None:
            return None
        step, self._remaining = self._remaining[found], self._remaining[found + 1 :]
        return step

    def _take_status(self, event: dict[str, Any]) -> None:
        parts = (event.get("id"), event.get("status"), event.get("progress"))
        line = " ".join(str(part) for part in parts if part)
        if not event.get("progress"):
            self._file.write(f"{line}\n")
        self._say(_shorten(line))

    def _explain_failure(self, reason: str) -> EngineError:
        self._file.write(f"{reason}\n")
        failed = self._step
        if failed is None:
            return EngineError(*messages.advice("engine.build-failed", reason=_shorten(reason)))
        foreign = _FOREIGN in "\n".join((reason, *self._last_lines))
        found = messages.advice(
            "engine.step-foreign" if foreign else "engine.step-failed",
            where=failed.place,
            step=failed.source,
            reason=_shorten(reason),
            output="".join(f"\n    │ {line}" for line in self._last_lines),
            log=self._file.name,
        )
        return EngineError(*found)


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:159]}…"
