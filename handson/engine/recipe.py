"""Decides what image a Dockerfile describes, for the engine that runs nothing.

`read_recipe` accepts a strict subset of the Dockerfile language and refuses the rest by line: the
image it describes equals Docker's, except for a base image and for `RUN`, which are left out.  Of
several stages the last one is the image, on top of the stages that its `FROM` names; the other
stages, and what is copied from them, are left out.
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
from handson.core.text import find_nearest, one_line
from handson.engine.dockerfile import (
    Dockerfile,
    Instruction,
    expand,
    parse_exec_form,
    split_words,
)
from handson.engine.model import IMAGE_PLATFORM

_SHELL = ("/bin/sh", "-c")
_REMOTE = re.compile(r"(https?|git|ssh)://|git@")
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
_OWNER = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")
_MODE = re.compile(r"[0-7]{3,4}")
_SIGNAL = re.compile(r"(SIG)?(HUP|INT|QUIT|KILL|USR1|USR2|TERM|WINCH)|[1-9]|[1-5]\d|6[0-4]")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_NANOSECONDS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_LAST_PORT = 65_535
_SHORTEST = 1_000_000  # nanoseconds: Docker takes no shorter time for a health check
_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}

# The options of each instruction that are carried out, or left out with a RUN.
_FLAGS: Mapping[str, set[str]] = {
    "ADD": {"chown", "chmod"},
    "COPY": {"chown", "chmod", "from"},
    "FROM": {"platform"},
    "HEALTHCHECK": {*_HEALTH_TIMES, "retries"},
    "RUN": {"mount", "network", "security", "device"},
}
_BUILDKIT_FLAGS = {"link", "parents", "exclude", "checksum", "keep-git-dir", "unpack"}
_LEFT_TO_DOCKER = ("MAINTAINER", "ONBUILD", "SHELL")

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


def read_recipe(
    source: Dockerfile, *, build_args: Mapping[str, str], platform: str = IMAGE_PLATFORM
) -> Recipe:
    """Return the recipe of a Dockerfile.

    Raises:
        InvalidInput: An instruction is outside the subset, or wrong; its line is named.
    """
    reader = _Reader(source.escape, build_args, platform)
    for step in source.instructions:
        reader.take(step)
    if not reader.stages:
        raise InvalidInput(*messages.advice("engine.no-from", file=source.file))
    return reader.finish()


def refuse_step(step: Instruction, reason: str, **values: object) -> InvalidInput:
    """Return the error for a step that Docker carries out and the builtin engine does not.

    `reason` is the key of a sentence; `values` are filled in.
    """
    return _explain(step, "engine.cannot-do", reason, values)


def reject_step(step: Instruction, reason: str, **values: object) -> InvalidInput:
    """Return the error for a step that is wrong for Docker, too."""
    return _explain(step, "engine.wrong-step", reason, values)


def _explain(
    step: Instruction, key: str, reason: str, values: Mapping[str, object]
) -> InvalidInput:
    text = messages.text(reason, **values)
    return InvalidInput(*messages.advice(key, where=step.place, step=step.source, reason=text))


class _UnknownVariable(Exception):
    """A variable whose value comes from the base image, or from Docker itself."""


@contextmanager
def _naming(step: Instruction) -> Iterator[None]:
    """Name the line of a step that is malformed, or uses a variable that is not known here."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        part = one_line(str(error))
        raise reject_step(step, "engine.reason-malformed", part=part) from error
    except _UnknownVariable as error:
        raise refuse_step(step, "engine.reason-variable", name=error) from error


def _check_step(step: Instruction, *, escape: str, first: bool) -> None:
    """Accept an instruction that the subset knows, with options that it knows."""
    if step.keyword not in _KEYWORDS:
        nearest = find_nearest(step.keyword, _KEYWORDS) or "COPY"
        values = {"keyword": step.keyword, "nearest": nearest}
        raise reject_step(step, "engine.reason-unknown", **values)
    if step.keyword in _LEFT_TO_DOCKER:
        raise refuse_step(step, "engine.reason-instruction", keyword=step.keyword)
    if first and step.keyword not in {"ARG", "FROM"}:
        raise reject_step(step, "engine.reason-before-from")
    for flag in sorted(step.flags.keys() - _FLAGS.get(step.keyword, set())):
        if step.keyword in {"ADD", "COPY"} and flag in _BUILDKIT_FLAGS:
            raise _explain(step, "engine.needs-buildkit", "engine.option", {"flag": f"--{flag}"})
        raise reject_step(step, "engine.reason-flag", flag=f"--{flag}")
    if step.heredoc and step.keyword != "RUN":
        raise _explain(step, "engine.needs-buildkit", "engine.here-document", {})
    if not step.complete or not step.arguments or "\ufffd" in step.value or escape not in "\\`":
        raise ValueError(step.value)


@dataclass
class _Stage:
    """One stage of a build: its `FROM`, the stage below it, and its other instructions."""

    origin: Instruction
    base: str
    label: str
    platform: str
    below: _Stage | None
    earlier: frozenset[str]
    steps: list[Instruction] = field(default_factory=list)


class _Reader:
    """Sorts the instructions into stages, then carries out those that make the last one."""

    def __init__(self, escape: str, build_args: Mapping[str, str], platform: str) -> None:
        self.stages: list[_Stage] = []
        self._names: dict[str, _Stage] = {}
        self._steps: list[Instruction] = []
        self._escape = escape
        self._build_args = build_args
        self._platform = platform
        system, _, processor = platform.partition("/")
        self._outer = {
            "TARGETPLATFORM": platform,
            "TARGETOS": system,
            "TARGETARCH": processor,
            "TARGETVARIANT": "",
        }
        self._recipe = Recipe()
        self._kept_lines: set[int] = set()
        self._arguments: dict[str, str] = {}
        self._environment: dict[str, str] = {}
        self._work_folders: tuple[str, ...] = ("/",)
        self._command_is_set = False

    def take(self, step: Instruction) -> None:
        """Accept an instruction, and put it into its stage."""
        with _naming(step):
            _check_step(step, escape=self._escape, first=not self.stages)
            if step.keyword == "FROM":
                self._open_stage(step)
            elif self.stages:
                self.stages[-1].steps.append(step)
            else:
                self._outer.update(self._read_arguments(step, self._find_outer))
        self._steps.append(step)

    def finish(self) -> Recipe:
        """Return the recipe of the last stage."""
        chain = [self.stages[-1]]
        while below := chain[0].below:
            chain.insert(0, below)
        self._recipe.base = "" if chain[0].base == "scratch" else chain[0].base
        for stage in chain:
            self._read_stage(stage)
        origins = {stage.origin.line: stage.label for stage in self.stages}
        self._recipe.steps = [step.source for step in self._steps]
        self._recipe.skipped = [
            origins.get(step.line, step.source)
            for step in self._steps
            if step.line not in self._kept_lines and step.keyword != "ARG"
        ]
        return self._recipe

    def _open_stage(self, step: Instruction) -> None:
        base, *alias = [self._expand(it, self._find_outer) for it in step.arguments.split()]
        if not base or (alias and (len(alias) != 2 or alias[0].upper() != "AS")):
            raise ValueError(step.arguments)
        stage = _Stage(
            origin=step,
            base=base,
            label=" ".join(["FROM", base, *alias]),
            platform=self._expand(step.flags.get("platform", self._platform), self._find_outer),
            below=self._names.get(base.lower()),
            earlier=frozenset(self._names),
        )
        for name in (str(len(self.stages)), *alias[1:]):
            self._names[name.lower()] = stage
        self.stages.append(stage)

    def _read_stage(self, stage: _Stage) -> None:
        if stage.platform != self._platform:
            raise refuse_step(stage.origin, "engine.reason-platform")
        if stage.below or not self._recipe.base:
            self._kept_lines.add(stage.origin.line)
        self._command_is_set = False
        for step in stage.steps:
            source = step.flags.get("from")
            if source is not None and source.lower() not in stage.earlier:
                raise refuse_step(step, "engine.reason-copy-from")
            if step.keyword != "RUN" and source is None:
                with _naming(step):
                    self._carry_out(step)

    def _carry_out(self, step: Instruction) -> None:
        _STEPS[step.keyword](self, step)
        packs = {} if step.keyword in {"ADD", "COPY"} else {"empty_layer": True}
        self._recipe.history.append({"created_by": step.source, **packs})
        self._kept_lines.add(step.line)

    # Words and variables

    def _find_outer(self, name: str) -> str:
        return self._outer.get(name, "")

    def _find_value(self, name: str) -> str:
        scope = {**self._arguments, **self._environment}
        if name not in scope and (self._recipe.base or name in _SET_BY_DOCKER):
            raise _UnknownVariable(name)
        return scope.get(name, "")

    def _expand(self, word: str, find_value: Callable[[str], str] | None = None) -> str:
        return expand(word, find_value or self._find_value, escape=self._escape)

    def _expand_words(self, words: list[str]) -> list[str]:
        """Return words with their variables replaced: at least one, and none of them empty."""
        found = [self._expand(word) for word in words]
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
            found[self._expand(name)] = self._expand(value)
        return found

    def _read_arguments(
        self, step: Instruction, find_value: Callable[[str], str]
    ) -> dict[str, str]:
        found = {}
        for word in split_words(step.arguments, escape=self._escape):
            name, equals, default = word.partition("=")
            value = self._expand(default, find_value) if equals else self._find_outer(name)
            if value or equals or name not in _SET_BY_DOCKER:
                found[name] = self._build_args.get(name, value)
        return found

    # Instructions

    def _declare_arguments(self, step: Instruction) -> None:
        self._arguments.update(self._read_arguments(step, self._find_value))

    def _set_environment(self, step: Instruction) -> None:
        self._environment.update(self._read_pairs(step))
        self._recipe.config["Env"] = [f"{name}={it}" for name, it in self._environment.items()]

    def _set_labels(self, step: Instruction) -> None:
        self._recipe.config.setdefault("Labels", {}).update(self._read_pairs(step))

    def _set_command(self, step: Instruction) -> None:
        parts = parse_exec_form(step.arguments)
        command = [*_SHELL, step.arguments] if parts is None else parts
        self._recipe.config[step.keyword.capitalize()] = command
        if step.keyword == "CMD":
            self._command_is_set = True
        elif not self._command_is_set:  # an ENTRYPOINT empties a CMD that was inherited
            self._recipe.config.pop("Cmd", None)

    def _set_work_folder(self, step: Instruction) -> None:
        folder = self._place(self._expand_one(step.arguments)).rstrip("/") or "/"
        self._recipe.config["WorkingDir"] = folder
        self._work_folders = (*self._work_folders, folder)

    def _set_user(self, step: Instruction) -> None:
        self._recipe.config["User"] = self._expand_one(step.arguments)

    def _set_stop_signal(self, step: Instruction) -> None:
        signal = self._expand_one(step.arguments)
        if not _SIGNAL.fullmatch(signal):
            raise ValueError(signal)
        self._recipe.config["StopSignal"] = signal

    def _expose_ports(self, step: Instruction) -> None:
        ports = self._recipe.config.setdefault("ExposedPorts", {})
        for word in self._expand_words(step.arguments.split()):
            match = _PORT.fullmatch(word)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not match or not 1 <= first <= last <= _LAST_PORT:
                raise ValueError(word)
            ports.update({f"{port}/{match[3] or 'tcp'}": {} for port in range(first, last + 1)})

    def _add_volumes(self, step: Instruction) -> None:
        paths = self._expand_paths(step.arguments)
        self._recipe.config.setdefault("Volumes", {}).update({path: {} for path in paths})

    def _set_health_check(self, step: Instruction) -> None:
        kind, _, command = step.arguments.partition(" ")
        parts = parse_exec_form(command.strip())
        if kind.upper() == "NONE" and not command and not step.flags:
            self._recipe.config["Healthcheck"] = {"Test": ["NONE"]}
        elif kind.upper() == "CMD" and command.strip() and parts != []:
            test = ["CMD-SHELL", command.strip()] if parts is None else ["CMD", *parts]
            self._recipe.config["Healthcheck"] = {"Test": test, **_read_times(step.flags)}
        else:
            raise ValueError(step.arguments)

    def _copy_files(self, step: Instruction) -> None:
        paths = self._expand_paths(step.arguments)
        owner = _OWNER.fullmatch(self._expand(step.flags.get("chown", "0")))
        mode = self._expand(step.flags["chmod"]) if "chmod" in step.flags else ""
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
        self._recipe.copies.append(copy)

    def _place(self, path: str) -> str:
        """Return the absolute path of a destination; a slash at its end stays."""
        joined = posixpath.join(self._work_folders[-1], path)
        cleaned = "/" + posixpath.normpath(joined).strip("/")
        is_folder = path == "." or path.endswith(("/", "/."))
        return f"{cleaned.rstrip('/')}/" if is_folder else cleaned


_STEPS: Mapping[str, Callable[[_Reader, Instruction], None]] = {
    "ADD": _Reader._copy_files,
    "ARG": _Reader._declare_arguments,
    "CMD": _Reader._set_command,
    "COPY": _Reader._copy_files,
    "ENTRYPOINT": _Reader._set_command,
    "ENV": _Reader._set_environment,
    "EXPOSE": _Reader._expose_ports,
    "HEALTHCHECK": _Reader._set_health_check,
    "LABEL": _Reader._set_labels,
    "STOPSIGNAL": _Reader._set_stop_signal,
    "USER": _Reader._set_user,
    "VOLUME": _Reader._add_volumes,
    "WORKDIR": _Reader._set_work_folder,
}
_KEYWORDS = (*_STEPS, "FROM", "RUN", *_LEFT_TO_DOCKER)


def _read_times(flags: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for name, value in flags.items():
        if name == "retries":
            if not re.fullmatch(r"[1-9]\d{0,5}", value):
                raise ValueError(value)
            found["Retries"] = int(value)
        else:
            found[_HEALTH_TIMES[name]] = _to_nanoseconds(value)
    return found


def _to_nanoseconds(duration: str) -> int:
    parts = _DURATION.findall(duration)
    amount = round(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts))
    if _DURATION.sub("", duration) or amount < _SHORTEST:
        raise ValueError(duration)
    return amount
