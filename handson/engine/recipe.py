"""Decides what image a Dockerfile describes, for the engine that runs nothing.

`read_recipe` accepts a strict subset of the Dockerfile language and refuses the rest by line: the
image it describes equals Docker's, except for a base image and for `RUN`, which are left out.  Of
several stages the last one is the image, on top of the stages that its `FROM` names; the other
stages, and what is copied from them, are left out.  Values are checked as Docker checks them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_data
from handson.core.text import find_nearest, one_line
from handson.course.exercise import IMAGE_PLATFORM, PLATFORM
from handson.engine.dockerfile import Instruction, expand, parse_exec_form, split, split_words

_KNOWN = read_data("handson.engine", "instructions.toml")
_FORMS = {name: re.compile(form) for name, form in _KNOWN["forms"].items()}
_LAST_PORT = 65_535
_TIMES = range(1_000_000, 2**63)  # nanoseconds: Docker takes no shorter time, and counts no longer

_TARGET = {"TARGETPLATFORM": IMAGE_PLATFORM, "TARGETOS": PLATFORM[0], "TARGETARCH": PLATFORM[1],
    "TARGETVARIANT": ""}  # fmt: skip
_SET_BY_DOCKER = {"BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"}  # what it runs on


class Copy(Struct, frozen=True):
    """A `COPY` or `ADD` of local files; or, without sources, the folder that a `WORKDIR` makes."""

    step: Instruction
    sources: tuple[str, ...]  # paths and patterns in the build context
    destination: str  # absolute; it ends in a slash where it has to be a folder
    owner: tuple[int, int] = (0, 0)  # the numbers of the owner and the group
    mode: int | None = None  # the permission bits, if not those of each file


class _Stage(Struct, eq=False):
    """A stage of a build: its `FROM`, the stage below it, and its other instructions."""

    origin: Instruction
    base: str
    platform: str
    below: _Stage | None
    label: str  # its FROM with the variables replaced
    earlier: frozenset[str]  # the names and the numbers of the stages above it in the file
    steps: list[Instruction] = []


def read_recipe(steps: Iterable[Instruction], *, build_args: Mapping[str, str]) -> Recipe:
    """Return the recipe of a Dockerfile's instructions.

    Raises:
        InvalidInput: An instruction is outside the subset, or wrong; its line is named.
    """
    recipe = Recipe(build_args)
    for step in steps:
        with _naming_step(step):
            recipe.take(step)
    recipe.carry_out()
    return recipe


def refuse_step(step: Instruction, kind: str, reason: str, /, **values: object) -> InvalidInput:
    """Return the error for a step that the builtin engine does not carry out.

    `kind` is the key of the error, and `reason` a sentence of its group; `values` are filled in.
    """
    text = messages.label(kind, reason, **values)
    return InvalidInput.from_key(kind, where=step.place, step=step.source, reason=text)


class _UnknownVariable(Exception):
    """A variable whose value comes from the base image, or from Docker itself."""


@contextmanager
def _naming_step(step: Instruction) -> Iterator[None]:
    """Refuse a step that is malformed, or that uses a variable without a value here."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        part = one_line(str(error) or step.words)
        raise refuse_step(step, "engine.unread", "malformed", part=part) from error
    except _UnknownVariable as error:
        raise refuse_step(step, "engine.cannot-do", "variable", name=error) from error


def _check_step(step: Instruction, *, is_first: bool) -> None:
    """Accept an instruction that the subset knows, with options that it knows."""
    keyword = step.keyword
    if keyword not in _KEYWORDS:
        nearest = find_nearest(keyword, _KEYWORDS) or "COPY"
        raise refuse_step(step, "engine.wrong-step", "unknown", keyword=keyword, nearest=nearest)
    if keyword in _KNOWN["left-to-docker"]:
        raise refuse_step(step, "engine.cannot-do", "instruction", keyword=keyword)
    if is_first and keyword not in {"ARG", "FROM"}:
        raise refuse_step(step, "engine.wrong-step", "before-from")
    for flag in sorted(step.flags.keys() - _KNOWN["flags"].get(keyword, ())):
        if keyword in {"ADD", "COPY"} and flag in _KNOWN["buildkit-flags"]:
            raise refuse_step(step, "engine.needs-buildkit", "option", flag=f"--{flag}")
        raise refuse_step(step, "engine.wrong-step", "flag", flag=f"--{flag}")
    if step.heredoc and keyword != "RUN":
        raise refuse_step(step, "engine.needs-buildkit", "here-document")
    if step.escape not in {"\\", "`"}:
        raise ValueError(step.escape)
    if not (step.arguments and step.complete):
        raise ValueError(step.value)


class Recipe:
    """An image to make: takes a Dockerfile's instructions, and carries out the last stage's.

    Attributes:
        config: The OCI configuration's `config`.
        copies: The files to copy and the folders to make, in order.
        skipped: The instructions that are left out.
        history: A line for each instruction that is carried out, as OCI keeps it.
        base: The base image that is left out; empty for `FROM scratch`.
    """

    def __init__(self, build_args: Mapping[str, str]) -> None:
        self.config: dict[str, Any] = {}
        self.copies: list[Copy] = []
        self.skipped: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.base = ""
        self._stages: list[_Stage] = []
        self._names: dict[str, _Stage] = {}
        self._in_stage = False  # else FROM is read, or an ARG before it
        self._build_args = build_args
        self._outer = dict(_TARGET)
        self._arguments: dict[str, str] = {}
        self._inherited: dict[str, str] = {}  # the arguments of the stages below
        self._environment: dict[str, str] = {}

    def take(self, step: Instruction) -> None:
        """Put an instruction into its stage; carry out what stands before the first one."""
        _check_step(step, is_first=not self._stages)
        if step.keyword == "FROM":
            self._open_stage(step)
        elif self._stages:
            self._stages[-1].steps.append(step)
        else:
            self._declare_arguments(step)

    def carry_out(self) -> None:
        """Carry out the last stage and those below it; the others are left out."""
        if not self._stages:
            raise InvalidInput.from_key("engine.no-from")
        self._in_stage, needed = True, self._stages[-1:]
        while needed[-1].below:
            needed.append(needed[-1].below)
        for stage in self._stages:
            if stage in needed:
                self._carry_out_stage(stage)
            else:
                left_out = [step.source for step in stage.steps if step.keyword != "ARG"]
                self.skipped += [stage.label, *left_out]

    def _open_stage(self, step: Instruction) -> None:
        image, *alias = split(step.arguments)
        base, name = self._expand(step, image), "".join(alias[1:]).lower()
        is_named = len(alias) == 2 and alias[0].upper() == "AS" and _FORMS["stage"].fullmatch(name)
        is_odd = base.lower() in self._names and base not in self._names  # BuildKit minds capitals
        if not base or name in self._names or (alias and not is_named) or is_odd:
            raise ValueError(step.arguments)
        platform = self._expand(step, step.flags.get("platform", IMAGE_PLATFORM))
        below, label = self._names.get(base), " ".join(["FROM", base, *alias])
        earlier = frozenset([*self._names, *map(str, range(len(self._stages)))])
        stage = _Stage(step, base, platform, below, label, earlier)
        self._names |= {name: stage} if name else {}
        self._stages.append(stage)

    def _carry_out_stage(self, stage: _Stage) -> None:
        if stage.platform != IMAGE_PLATFORM:
            raise refuse_step(stage.origin, "engine.cannot-do", "platform")
        if stage.base == "scratch":
            self._environment = {"PATH": _KNOWN["path"]}
            self.config["Env"] = [f"PATH={_KNOWN['path']}"]
        elif not stage.below:
            self.base = stage.base
            self.skipped.append(stage.label)
        self._command_is_set = False
        self._inherited |= self._arguments
        self._arguments = {}
        for step in stage.steps:
            source = step.flags.get("from")
            if source is not None and source.lower() not in stage.earlier:
                raise refuse_step(step, "engine.cannot-do", "copy-from")
            if step.keyword == "RUN" or source is not None:
                self.skipped.append(step.source)
                continue
            with _naming_step(step):
                _STEPS[step.keyword](self, step)
            packs = {} if step.keyword in {"ADD", "COPY"} else {"empty_layer": True}
            self.history.append({"created_by": step.source, **packs})

    def _find_value(self, name: str) -> str:
        if not self._in_stage:
            return self._outer.get(name, "")
        scope = {**self._arguments, **self._environment}
        if name not in scope and (self.base or name in {*_SET_BY_DOCKER, *self._inherited}):
            raise _UnknownVariable(name)
        return scope.get(name, "")

    def _expand(self, step: Instruction, word: str) -> str:
        return expand(word, self._find_value, escape=step.escape)

    def _expand_words(self, step: Instruction) -> list[str]:
        """Return the arguments, variables replaced: at least one, and none of them empty."""
        parts = parse_exec_form(step.arguments) if step.keyword in _KNOWN["path-lists"] else None
        words = split(step.arguments) if parts is None else parts
        found = [self._expand(step, word) for word in words]
        if not found or not all(found):
            raise ValueError(step.arguments)
        return found

    def _expand_one(self, step: Instruction) -> str:
        found = self._expand_words(step)
        if len(found) != 1:
            raise ValueError(step.arguments)
        return found[0]

    def _read_pairs(self, step: Instruction) -> dict[str, str]:
        found = {}
        for word in split_words(step.arguments, escape=step.escape):
            key, equals, value = word.partition("=")
            name = self._expand(step, key)
            if not name or not equals or "=" in name:
                raise ValueError(word)
            found[name] = self._expand(step, value)
        return found

    def _declare_arguments(self, step: Instruction) -> None:
        scope = self._arguments if self._in_stage else self._outer
        # What an `ARG` of a name that has a value already means is another thing to each builder.
        known = {**self._inherited, **scope, **self._environment} if self._in_stage else _TARGET
        for word in split_words(step.arguments, escape=step.escape):
            name, equals, default = word.partition("=")
            value = self._expand(step, default) if equals else self._outer.get(name, "")
            value = self._build_args.get(name, value)
            if not _FORMS["variable"].fullmatch(name) or known.get(name, value) != value:
                raise ValueError(word)
            if value or equals or name not in _SET_BY_DOCKER:
                scope[name] = value

    def _set_environment(self, step: Instruction) -> None:
        self._environment.update(self._read_pairs(step))
        self.config["Env"] = [f"{name}={value}" for name, value in self._environment.items()]

    def _set_labels(self, step: Instruction) -> None:
        self.config.setdefault("Labels", {}).update(self._read_pairs(step))

    def _set_command(self, step: Instruction) -> None:
        parts = parse_exec_form(step.arguments)
        command = [*_KNOWN["shell"], step.arguments] if parts is None else parts
        self.config[step.keyword.capitalize()] = command
        if step.keyword == "CMD":
            self._command_is_set = True
        elif not self._command_is_set:  # an ENTRYPOINT empties a CMD that was inherited
            self.config.pop("Cmd", None)

    def _set_work_folder(self, step: Instruction) -> None:
        folder = self._place(f"{self._expand_one(step)}/")
        self.config["WorkingDir"] = folder.rstrip("/") or "/"
        self.copies.append(Copy(step, (), folder))

    def _set_user(self, step: Instruction) -> None:
        self.config["User"] = self._expand_one(step)

    def _set_stop_signal(self, step: Instruction) -> None:
        self.config["StopSignal"] = _require("signal", self._expand_one(step))[0]

    def _expose_ports(self, step: Instruction) -> None:
        ports = self.config.setdefault("ExposedPorts", {})
        for word in self._expand_words(step):
            match = _require("port", word)
            first, last = int(match[1]), int(match[2] or match[1])
            if not 1 <= first <= last <= _LAST_PORT:
                raise ValueError(word)
            ports.update({f"{port}/{match[3] or 'tcp'}": {} for port in range(first, last + 1)})

    def _add_volumes(self, step: Instruction) -> None:
        self.config.setdefault("Volumes", {}).update({it: {} for it in self._expand_words(step)})

    def _set_health_check(self, step: Instruction) -> None:
        kind, _, command = step.arguments.partition(" ")
        command = command.strip()
        parts = parse_exec_form(command)
        test = ["CMD-SHELL", command] if parts is None else ["CMD", *parts]
        times = dict(_read_time(name, value) for name, value in step.flags.items())
        is_none = kind.upper() == "NONE" and not (command or times)
        is_command = kind.upper() == "CMD" and test[1:] not in ([], [""])
        # Docker's builders differ on what a second one takes over.
        if "Healthcheck" in self.config or not (is_none or is_command):
            raise ValueError(step.arguments)
        self.config["Healthcheck"] = {"Test": ["NONE"] if is_none else test, **times}

    def _copy_files(self, step: Instruction) -> None:
        *sources, destination = self._expand_words(step)
        mode = _require("mode", self._expand(step, step.flags.get("chmod", "")))[0]
        owner = _FORMS["owner"].fullmatch(self._expand(step, step.flags.get("chown", "0")))
        if not sources:
            raise ValueError(step.arguments)
        if owner is None:
            raise refuse_step(step, "engine.cannot-do", "owner")
        if step.keyword == "ADD" and any(_FORMS["remote"].match(source) for source in sources):
            raise refuse_step(step, "engine.cannot-do", "add-url")
        numbers, bits = (int(owner[1]), int(owner[2] or owner[1])), int(mode, 8) if mode else None
        self.copies.append(Copy(step, tuple(sources), self._place(destination), numbers, bits))

    def _place(self, path: str) -> str:
        """Return the absolute path of a destination; a slash at its end stays."""
        joined = posixpath.join(self.config.get("WorkingDir", "/"), path)
        cleaned = "/" + posixpath.normpath(joined).strip("/")
        is_folder = path == "." or path.endswith("/")
        if path.endswith("/.") or (cleaned == "/" and not is_folder):  # Docker's builders differ
            raise ValueError(path)
        return f"{cleaned.rstrip('/')}/" if is_folder else cleaned


_STEPS: Mapping[str, Callable[[Recipe, Instruction], None]] = {
    "ADD": Recipe._copy_files,
    "ARG": Recipe._declare_arguments,
    "CMD": Recipe._set_command,
    "COPY": Recipe._copy_files,
    "ENTRYPOINT": Recipe._set_command,
    "ENV": Recipe._set_environment,
    "EXPOSE": Recipe._expose_ports,
    "HEALTHCHECK": Recipe._set_health_check,
    "LABEL": Recipe._set_labels,
    "STOPSIGNAL": Recipe._set_stop_signal,
    "USER": Recipe._set_user,
    "VOLUME": Recipe._add_volumes,
    "WORKDIR": Recipe._set_work_folder,
}
_KEYWORDS = (*_STEPS, "FROM", "RUN", *_KNOWN["left-to-docker"])


def _require(form: str, text: str) -> re.Match[str]:
    found = _FORMS[form].fullmatch(text)
    if not found:
        raise ValueError(text)
    return found


def _read_time(name: str, value: str) -> tuple[str, int]:
    """Return an option of HEALTHCHECK as the configuration has it, times in nanoseconds."""
    if name == "retries":
        return "Retries", int(_require("retries", value)[0])
    units, duration = _KNOWN["nanoseconds"], _FORMS["duration"]
    amount = sum(int(number) * units[unit] for number, unit in duration.findall(value))
    if duration.sub("", value) or amount not in _TIMES:
        raise ValueError(value)
    return name.title().replace("-", ""), amount
