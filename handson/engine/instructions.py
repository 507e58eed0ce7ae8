"""Carries out the instructions of a Dockerfile, one by one, on the recipe of an image.

Values are checked as Docker checks them; a form that Docker would read otherwise is refused.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.engine.dockerfile import Instruction, expand, parse_exec_form, split_words

LEFT_TO_DOCKER = ("MAINTAINER", "ONBUILD", "SHELL")
"""Instructions that Docker carries out and the builtin engine does not."""

HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}
"""The options of HEALTHCHECK that are durations, and their names in the configuration."""

_SHELL = ("/bin/sh", "-c")
_REMOTE = re.compile(r"(https?|git|ssh)://|git@")
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
_LAST_PORT = 65_535
_OWNER = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")
_MODE = re.compile(r"[0-7]{3,4}")
_SIGNAL = re.compile(r"(SIG)?(HUP|INT|QUIT|KILL|USR1|USR2|TERM|WINCH)|[1-9]|[1-5]\d|6[0-4]")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_NANOSECONDS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_SHORTEST = 1_000_000  # nanoseconds: Docker takes no shorter time for a health check

# PATH has a value on `scratch`, too; the others are those of the computer that builds.
_SET_BY_DOCKER = {"PATH", "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"}


@dataclass(frozen=True)
class Copy:
    """A `COPY` or `ADD` of local files.

    Attributes:
        instruction: The instruction.
        sources: The paths and patterns in the build context.
        destination: An absolute path; it ends in a slash where it has to be a folder.
        work_folders: The folders that `WORKDIR` has made so far.
        uid: The owner's number.
        gid: The group's number.
        mode: The permission bits, or None for those of each file.
    """

    instruction: Instruction
    sources: tuple[str, ...]
    destination: str
    work_folders: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0
    mode: int | None = None


@dataclass
class Recipe:
    """An image to make.

    Attributes:
        config: The OCI configuration's `config`.
        copies: The files to copy, in order.
        steps: All instructions of the Dockerfile, in order.
        skipped: The instructions that are left out.
        history: A line for each instruction that is carried out, as OCI keeps it.
        base: The base image that is left out; empty for `FROM scratch`.
    """

    config: dict[str, Any] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    base: str = ""


def refuse_step(step: Instruction, reason: str, **values: object) -> InvalidInput:
    """Return the error for a step that Docker carries out and the builtin engine does not.

    `reason` is the key of a sentence; `values` are filled in.
    """
    return explain_step(step, "engine.cannot-do", reason, **values)


def reject_step(step: Instruction, reason: str, **values: object) -> InvalidInput:
    """Return the error for a step that is wrong for Docker, too."""
    return explain_step(step, "engine.wrong-step", reason, **values)


def explain_step(step: Instruction, key: str, reason: str, **values: object) -> InvalidInput:
    """Return the error of `key` for a step, with the sentence of another key as its reason."""
    text = messages.text(reason, **values)
    return InvalidInput(*messages.advice(key, where=step.place, step=step.source, reason=text))


class _UnknownVariable(Exception):
    """A variable whose value comes from the base image, or from Docker itself."""


@contextmanager
def naming_step(step: Instruction) -> Iterator[None]:
    """Name the line of a step that is malformed, or uses a variable that is not known here."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        part = one_line(str(error))
        raise reject_step(step, "engine.reason-malformed", part=part) from error
    except _UnknownVariable as error:
        raise refuse_step(step, "engine.reason-variable", name=error) from error


class Interpreter:
    """Carries out instructions on a recipe; keeps their variables and the working folder.

    Args:
        escape: The Dockerfile's escape character.
        build_args: Values for its `ARG`s.
        platform: The platform the image is for, `linux/amd64`.
    """

    def __init__(self, escape: str, build_args: Mapping[str, str], platform: str) -> None:
        self.recipe = Recipe()
        self._escape = escape
        self._build_args = build_args
        system, _, processor = platform.partition("/")
        self._outer = {
            "TARGETPLATFORM": platform,
            "TARGETOS": system,
            "TARGETARCH": processor,
            "TARGETVARIANT": "",
        }
        self._arguments: dict[str, str] = {}
        self._environment: dict[str, str] = {}
        self._work_folders: tuple[str, ...] = ("/",)
        self._command_is_set = False

    def declare_outer(self, step: Instruction) -> None:
        """Carry out an `ARG` before the first stage."""
        self._outer.update(self._read_arguments(step, self.find_outer))

    def begin_stage(self) -> None:
        """Forget which settings the stage below set itself."""
        self._command_is_set = False

    def carry_out(self, step: Instruction) -> None:
        """Carry out one instruction of a stage.

        Raises:
            InvalidInput: The instruction is wrong, or outside the subset; its line is named.
        """
        with naming_step(step):
            _STEPS[step.keyword](self, step)
        packs = {} if step.keyword in {"ADD", "COPY"} else {"empty_layer": True}
        self.recipe.history.append({"created_by": step.source, **packs})

    # Words and variables

    def find_outer(self, name: str) -> str:
        """Return the value of a variable that is set before the first stage."""
        return self._outer.get(name, "")

    def _find_value(self, name: str) -> str:
        scope = {**self._arguments, **self._environment}
        if name not in scope and (self.recipe.base or name in _SET_BY_DOCKER):
            raise _UnknownVariable(name)
        return scope.get(name, "")

    def expand(self, word: str, find_value: Callable[[str], str] | None = None) -> str:
        """Return a word with its variables replaced, by default those of the stage."""
        return expand(word, find_value or self._find_value, escape=self._escape)

    def _expand_words(self, words: list[str]) -> list[str]:
        """Return words with their variables replaced: at least one, and none of them empty."""
        found = [self.expand(word) for word in words]
        if not found or not all(found):
            raise ValueError(" ".join(words))
        return found

    def _expand_one(self, text: str) -> str:
        found = self._expand_words(text.split())
        if len(found) != 1:
            raise ValueError(text)
        return found[0]

    def _expand_paths(self, text: str) -> list[str]:
        parts = parse_exec_form(text)
        return self._expand_words(text.split() if parts is None else parts)

    def _read_pairs(self, step: Instruction) -> dict[str, str]:
        found = {}
        for word in split_words(step.arguments, escape=self._escape):
            name, equals, value = word.partition("=")
            if not name or not equals:
                raise ValueError(word)
            found[self.expand(name)] = self.expand(value)
        return found

    def _read_arguments(
        self, step: Instruction, find_value: Callable[[str], str]
    ) -> dict[str, str]:
        found = {}
        for word in split_words(step.arguments, escape=self._escape):
            name, equals, default = word.partition("=")
            value = self.expand(default, find_value) if equals else self.find_outer(name)
            if value or equals or name not in _SET_BY_DOCKER:
                found[name] = self._build_args.get(name, value)
        return found

    # Instructions

    def _declare_arguments(self, step: Instruction) -> None:
        self._arguments.update(self._read_arguments(step, self._find_value))

    def _set_environment(self, step: Instruction) -> None:
        self._environment.update(self._read_pairs(step))
        self.recipe.config["Env"] = [f"{name}={it}" for name, it in self._environment.items()]

    def _set_labels(self, step: Instruction) -> None:
        self.recipe.config.setdefault("Labels", {}).update(self._read_pairs(step))

    def _set_command(self, step: Instruction) -> None:
        parts = parse_exec_form(step.arguments)
        command = [*_SHELL, step.arguments] if parts is None else parts
        self.recipe.config[step.keyword.capitalize()] = command
        if step.keyword == "CMD":
            self._command_is_set = True
        elif not self._command_is_set:  # an ENTRYPOINT empties a CMD that was inherited
            self.recipe.config.pop("Cmd", None)

    def _set_work_folder(self, step: Instruction) -> None:
        folder = self._place(self._expand_one(step.arguments)).rstrip("/") or "/"
        self.recipe.config["WorkingDir"] = folder
        self._work_folders = (*self._work_folders, folder)

    def _set_user(self, step: Instruction) -> None:
        self.recipe.config["User"] = self._expand_one(step.arguments)

    def _set_stop_signal(self, step: Instruction) -> None:
        signal = self._expand_one(step.arguments)
        if not _SIGNAL.fullmatch(signal):
            raise ValueError(signal)
        self.recipe.config["StopSignal"] = signal

    def _expose_ports(self, step: Instruction) -> None:
        ports = self.recipe.config.setdefault("ExposedPorts", {})
        for word in self._expand_words(step.arguments.split()):
            match = _PORT.fullmatch(word)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not match or not 1 <= first <= last <= _LAST_PORT:
                raise ValueError(word)
            ports.update({f"{port}/{match[3] or 'tcp'}": {} for port in range(first, last + 1)})

    def _add_volumes(self, step: Instruction) -> None:
        paths = self._expand_paths(step.arguments)
        self.recipe.config.setdefault("Volumes", {}).update({path: {} for path in paths})

    def _set_health_check(self, step: Instruction) -> None:
        kind, _, command = step.arguments.partition(" ")
        parts = parse_exec_form(command.strip())
        if kind.upper() == "NONE" and not command and not step.flags:
            self.recipe.config["Healthcheck"] = {"Test": ["NONE"]}
        elif kind.upper() == "CMD" and command.strip() and parts != []:
            test = ["CMD-SHELL", command.strip()] if parts is None else ["CMD", *parts]
            self.recipe.config["Healthcheck"] = {"Test": test, **_read_times(step.flags)}
        else:
            raise ValueError(step.arguments)

    def _copy_files(self, step: Instruction) -> None:
        paths = self._expand_paths(step.arguments)
        owner = _OWNER.fullmatch(self.expand(step.flags.get("chown", "0")))
        mode = self.expand(step.flags["chmod"]) if "chmod" in step.flags else ""
        if len(paths) < 2 or not (mode == "" or _MODE.fullmatch(mode)):
            raise ValueError(mode or step.arguments)
        if owner is None:
            raise refuse_step(step, "engine.reason-owner")
        if step.keyword == "ADD" and any(_REMOTE.match(path) for path in paths[:-1]):
            raise refuse_step(step, "engine.reason-add-url")
        copy = Copy(
            instruction=step,
            sources=tuple(paths[:-1]),
            destination=self._place(paths[-1]),
            work_folders=self._work_folders,
            uid=int(owner[1]),
            gid=int(owner[2] or owner[1]),
            mode=int(mode, 8) if mode else None,
        )
        self.recipe.copies.append(copy)

    def _place(self, path: str) -> str:
        """Return the absolute path of a destination; a slash at its end stays."""
        joined = posixpath.join(self._work_folders[-1], path)
        cleaned = "/" + posixpath.normpath(joined).strip("/")
        is_folder = path == "." or path.endswith(("/", "/."))
        return f"{cleaned.rstrip('/')}/" if is_folder else cleaned


_STEPS: Mapping[str, Callable[[Interpreter, Instruction], None]] = {
    "ADD": Interpreter._copy_files,
    "ARG": Interpreter._declare_arguments,
    "CMD": Interpreter._set_command,
    "COPY": Interpreter._copy_files,
    "ENTRYPOINT": Interpreter._set_command,
    "ENV": Interpreter._set_environment,
    "EXPOSE": Interpreter._expose_ports,
    "HEALTHCHECK": Interpreter._set_health_check,
    "LABEL": Interpreter._set_labels,
    "STOPSIGNAL": Interpreter._set_stop_signal,
    "USER": Interpreter._set_user,
    "VOLUME": Interpreter._add_volumes,
    "WORKDIR": Interpreter._set_work_folder,
}
KEYWORDS = (*_STEPS, "FROM", "RUN", *LEFT_TO_DOCKER)
"""Docker's instructions."""


def _read_times(flags: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for name, value in flags.items():
        if name == "retries":
            if not re.fullmatch(r"[1-9]\d{0,5}", value):
                raise ValueError(value)
            found["Retries"] = int(value)
        else:
            found[HEALTH_TIMES[name]] = _to_nanoseconds(value)
    return found


def _to_nanoseconds(duration: str) -> int:
    parts = _DURATION.findall(duration)
    amount = round(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts))
    if _DURATION.sub("", duration) or amount < _SHORTEST:
        raise ValueError(duration)
    return amount
