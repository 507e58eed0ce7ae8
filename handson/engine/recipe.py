"""What a Dockerfile says an image should be, for the engine that runs nothing.

`read` goes through the instructions once and gives an image configuration, the files to copy and
the steps that are left out (`FROM`, `RUN`).  Of several stages the last one is the image, on top of
the stage that it names in its `FROM`; the others, and what is copied from them, are left out.  What
could only be done by running or by fetching something is refused with the line it stands on, before
anything is packed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.engine import dockerfile
from handson.engine.dockerfile import Dockerfile, Instruction

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_NANOSECONDS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}
_COPY_FLAGS = {"chown", "chmod", "link"}


@dataclass(frozen=True)
class Copy:
    """A `COPY` or `ADD` of local files; `destination` is absolute and keeps its last slash."""

    instruction: Instruction
    sources: tuple[str, ...]
    destination: str
    uid: int = 0
    gid: int = 0
    mode: int | None = None


@dataclass
class Recipe:
    """An image to make: OCI configuration, copies, and what is left out.

    `steps` are all instructions in order; `skipped` those that are left out; `base` is empty for
    `FROM scratch`.  `history` has one line an instruction, as OCI keeps it.
    """

    file: str
    config: dict[str, Any] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    base: str = ""


def read_recipe(source: Dockerfile, *, file: str, build_args: Mapping[str, str]) -> Recipe:
    """Return the recipe of a Dockerfile.

    Args:
        source: The Dockerfile.
        file: Its name, for the sentences that point at a line.
        build_args: Values for its `ARG`s.

    Raises:
        InvalidInput: An instruction cannot be read, or cannot be done without running something.
    """
    reader = _Reader(file, build_args, source.escape)
    for instruction in source.instructions:
        reader.take(instruction)
    if not reader.started:
        raise InvalidInput(*messages.advice("engine.no-from", file=file))
    return reader.finished()


def refusal(recipe_file: str, instruction: Instruction, reason: str) -> InvalidInput:
    """Return the error for a step that the builtin engine cannot do; `reason` is a message key."""
    where = f"{recipe_file}:{instruction.line}"
    why = messages.text(f"engine.{reason}")
    found = messages.advice("engine.cannot-do", where=where, step=instruction.source, reason=why)
    return InvalidInput(*found)


@dataclass
class _Stage:
    """One stage of a build; `steps` are the numbers of the instructions that went into it."""

    recipe: Recipe
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    steps: set[int] = field(default_factory=set)


class _Reader:
    """Fills a recipe, one instruction after the other."""

    def __init__(self, file: str, build_args: Mapping[str, str], escape: str) -> None:
        self._file = file
        self._build_args = build_args
        self._escape = escape
        self._outer: dict[str, str] = {}
        self._read: list[Instruction] = []
        self._left_out: dict[int, str] = {}
        self._stages: dict[str, _Stage] = {}  # by number and by name
        self._number = 0
        self._stage = _Stage(Recipe(file))

    @property
    def recipe(self) -> Recipe:
        """The recipe of the stage that is being read."""
        return self._stage.recipe

    @property
    def started(self) -> bool:
        """Whether there was a `FROM`."""
        return bool(self._stages)

    def finished(self) -> Recipe:
        """Return the last stage's recipe, with all steps and those that did not go into it."""
        for number, step in enumerate(self._read):
            self.recipe.steps.append(step.source)
            elsewhere = number not in self._stage.steps and step.keyword != "ARG"
            if elsewhere or number in self._left_out:
                self.recipe.skipped.append(self._left_out.get(number, step.source))
        return self.recipe

    def take(self, instruction: Instruction) -> None:
        """Carry out one instruction on the recipe."""
        steps: dict[str, Callable[[Instruction], None]] = {
            "ADD": self._add, "ARG": self._arg, "CMD": self._command, "COPY": self._copy,
            "ENTRYPOINT": self._command, "ENV": self._env, "EXPOSE": self._expose,
            "FROM": self._from, "HEALTHCHECK": self._healthcheck, "LABEL": self._label,
            "MAINTAINER": self._maintainer, "RUN": self._run, "SHELL": self._set_shell,
            "STOPSIGNAL": self._signal, "USER": self._user, "VOLUME": self._volume,
            "WORKDIR": self._workdir,
        }  # fmt: skip
        step = steps.get(instruction.keyword)
        if step is None or (not self.started and instruction.keyword not in {"ARG", "FROM"}):
            known = "reason-onbuild" if instruction.keyword == "ONBUILD" else "reason-unknown"
            raise self._refusal(instruction, known if step is None else "reason-before-from")
        self._read.append(instruction)
        try:
            step(instruction)
        except ValueError as unreadable:
            raise self._unreadable(instruction, str(unreadable)) from unreadable
        self._remember(instruction)

    def _leave_out(self, step: str) -> None:
        self._left_out[len(self._read) - 1] = step

    def _remember(self, instruction: Instruction) -> None:
        number = len(self._read) - 1
        self._stage.steps.add(number)
        if not self.started or number in self._left_out or instruction.keyword == "FROM":
            return
        packs = instruction.keyword in {"COPY", "ADD"}
        line = {"created_by": instruction.source, **({} if packs else {"empty_layer": True})}
        self.recipe.history.append(line)

    def _from(self, instruction: Instruction) -> None:
        _, rest = dockerfile.split_flags(instruction.value)
        base, *named = self._words(rest, self._outer) or [""]
        if not base or (named and (len(named) != 2 or named[0].upper() != "AS")):
            raise ValueError(instruction.value)
        below = self._stages.get(base.lower())
        self._stage = deepcopy(below) if below else _Stage(Recipe(self._file))
        if not below and base != "scratch":
            self.recipe.base = base
            self._leave_out(" ".join(["FROM", base, *named]))
        for name in (str(self._number), *named[1:2]):
            self._stages[name.lower()] = self._stage
        self._number += 1

    def _arg(self, instruction: Instruction) -> None:
        scope = self._stage.arguments if self.started else self._outer
        for word in self._words(instruction.value):
            name, equals, default = word.partition("=")
            fallback = default if equals else self._outer.get(name, "")
            scope[name] = self._build_args.get(name, fallback)

    def _run(self, instruction: Instruction) -> None:
        self._leave_out(instruction.source)

    def _env(self, instruction: Instruction) -> None:
        self._stage.environment.update(self._pairs(instruction.value))
        self.recipe.config["Env"] = [f"{name}={it}" for name, it in self._stage.environment.items()]

    def _label(self, instruction: Instruction) -> None:
        self.recipe.config.setdefault("Labels", {}).update(self._pairs(instruction.value))

    def _maintainer(self, instruction: Instruction) -> None:
        labels = self.recipe.config.setdefault("Labels", {})
        labels["org.opencontainers.image.authors"] = instruction.value

    def _command(self, instruction: Instruction) -> None:
        name = instruction.keyword.capitalize()
        self.recipe.config[name] = self._exec_form(instruction.value)

    def _exec_form(self, value: str) -> list[str]:
        parts = dockerfile.parse_exec_form(value)
        return [*self._stage.shell, value] if parts is None else parts

    def _set_shell(self, instruction: Instruction) -> None:
        parts = dockerfile.parse_exec_form(instruction.value)
        if not parts:
            raise ValueError(instruction.value)
        self._stage.shell = parts

    def _workdir(self, instruction: Instruction) -> None:
        self.recipe.config["WorkingDir"] = self._absolute(self._one(instruction)).rstrip("/") or "/"

    def _user(self, instruction: Instruction) -> None:
        self.recipe.config["User"] = self._one(instruction)

    def _signal(self, instruction: Instruction) -> None:
        self.recipe.config["StopSignal"] = self._one(instruction)

    def _expose(self, instruction: Instruction) -> None:
        ports = self.recipe.config.setdefault("ExposedPorts", {})
        for port in self._words(instruction.value):
            ports[port if "/" in port else f"{port}/tcp"] = {}

    def _volume(self, instruction: Instruction) -> None:
        volumes = self.recipe.config.setdefault("Volumes", {})
        for path in dockerfile.parse_exec_form(instruction.value) or self._words(instruction.value):
            volumes[path] = {}

    def _healthcheck(self, instruction: Instruction) -> None:
        options, rest = dockerfile.split_flags(instruction.value)
        kind, _, command = rest.partition(" ")
        if kind.upper() == "NONE":
            self.recipe.config["Healthcheck"] = {"Test": ["NONE"]}
            return
        if kind.upper() != "CMD" or not command.strip():
            raise ValueError(rest)
        parts = dockerfile.parse_exec_form(command.strip())
        test = ["CMD-SHELL", command.strip()] if parts is None else ["CMD", *parts]
        self.recipe.config["Healthcheck"] = {"Test": test, **_health_options(options)}

    def _add(self, instruction: Instruction) -> None:
        self._copy(instruction)
        if any(_is_remote(source) for copy in self.recipe.copies[-1:] for source in copy.sources):
            raise self._refusal(instruction, "reason-add-url")

    def _copy(self, instruction: Instruction) -> None:
        options, rest = dockerfile.split_flags(instruction.value)
        if options.get("from", "").lower() in self._stages:
            self._leave_out(instruction.source)
            return
        self._check_copy(instruction, options)
        paths = dockerfile.parse_exec_form(rest) or self._words(rest)
        if len(paths) < 2:
            raise ValueError(instruction.value)
        uid, gid = self._owner(instruction, options)
        mode = int(options["chmod"], 8) if "chmod" in options else None
        destination = self._absolute(paths[-1])
        copy = Copy(instruction, tuple(paths[:-1]), destination, uid, gid, mode)
        self.recipe.copies.append(copy)

    def _check_copy(self, instruction: Instruction, options: Mapping[str, str]) -> None:
        if instruction.heredoc:
            raise self._refusal(instruction, "reason-heredoc")
        if "from" in options:
            raise self._refusal(instruction, "reason-copy-from")
        if set(options) - _COPY_FLAGS:
            raise self._refusal(instruction, "reason-flag")

    def _owner(self, instruction: Instruction, options: Mapping[str, str]) -> tuple[int, int]:
        owner = "".join(self._words(options.get("chown", "0")))
        user, _, group = owner.replace("root", "0").partition(":")
        if not user.isdigit() or not (group or user).isdigit():
            raise self._refusal(instruction, "reason-owner")
        return int(user), int(group or user)

    def _absolute(self, path: str) -> str:
        folder = self.recipe.config.get("WorkingDir", "/")
        joined = str(PurePosixPath(folder, path))
        keeps_slash = path.endswith(("/", "/.")) or path == "."
        return f"{joined.rstrip('/')}/" if keeps_slash else joined

    def _one(self, instruction: Instruction) -> str:
        found = self._words(instruction.value)
        if len(found) != 1:
            raise ValueError(instruction.value)
        return found[0]

    def _words(self, value: str, scope: Mapping[str, str] | None = None) -> list[str]:
        variables = {**self._stage.arguments, **self._stage.environment} if scope is None else scope
        return dockerfile.words(value, variables, escape=self._escape)

    def _pairs(self, value: str) -> dict[str, str]:
        variables = {**self._stage.arguments, **self._stage.environment}
        return dockerfile.pairs(value, variables, escape=self._escape)

    def _refusal(self, instruction: Instruction, reason: str) -> InvalidInput:
        return refusal(self._file, instruction, reason)

    def _unreadable(self, instruction: Instruction, part: str) -> InvalidInput:
        where = f"{self._file}:{instruction.line}"
        step = instruction.source
        found = messages.advice("engine.unreadable-step", where=where, step=step, part=part)
        return InvalidInput(*found)


def _health_options(options: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for name, value in options.items():
        if name == "retries":
            found["Retries"] = int(value)
        elif name in _HEALTH_TIMES:
            found[_HEALTH_TIMES[name]] = _nanoseconds(value)
        else:
            raise ValueError(f"--{name}")
    return found


def _nanoseconds(duration: str) -> int:
    if not duration or _DURATION.sub("", duration):
        raise ValueError(duration)
    parts = _DURATION.findall(duration)
    return round(sum(float(amount) * _NANOSECONDS[unit] for amount, unit in parts))


def _is_remote(source: str) -> bool:
    return source.startswith(("http://", "https://", "git@", "git://", "ssh://"))
