"""Decides what image a Dockerfile describes, for the engine that runs nothing.

`read_recipe` accepts a strict subset of the Dockerfile language and refuses the rest by line: the
image it describes equals Docker's, except for a base image and for `RUN`, which are left out.  Of
several stages the last one is the image, on top of the stages that its `FROM` names; the other
stages, and what is copied from them, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import find_nearest
from handson.engine.dockerfile import Dockerfile, Instruction
from handson.engine.instructions import (
    HEALTH_TIMES,
    KEYWORDS,
    LEFT_TO_DOCKER,
    Interpreter,
    Recipe,
    explain_step,
    naming_step,
    refuse_step,
    reject_step,
)
from handson.engine.model import IMAGE_PLATFORM

# The options of each instruction that are carried out, or left out with a RUN.
_FLAGS: Mapping[str, set[str]] = {
    "ADD": {"chown", "chmod"},
    "COPY": {"chown", "chmod", "from"},
    "FROM": {"platform"},
    "HEALTHCHECK": {*HEALTH_TIMES, "retries"},
    "RUN": {"mount", "network", "security", "device"},
}
_BUILDKIT_FLAGS = {"link", "parents", "exclude", "checksum", "keep-git-dir", "unpack"}


def read_recipe(
    source: Dockerfile, *, build_args: Mapping[str, str], platform: str = IMAGE_PLATFORM
) -> Recipe:
    """Return the recipe of a Dockerfile.

    Raises:
        InvalidInput: An instruction is outside the subset, or wrong; its line is named.
    """
    interpreter = Interpreter(source.escape, build_args, platform)
    stages = _Stages(interpreter, platform)
    for step in source.instructions:
        with naming_step(step):
            _check_step(step, escape=source.escape, first=not stages.opened)
            stages.take(step)
    if not stages.opened:
        raise InvalidInput(*messages.advice("engine.no-from", file=source.file))
    kept = stages.carry_out_last()
    recipe = interpreter.recipe
    recipe.steps = [step.source for step in source.instructions]
    recipe.skipped = [
        stages.labels.get(step.line, step.source)
        for step in source.instructions
        if step.line not in kept and step.keyword != "ARG"
    ]
    return recipe


def _check_step(step: Instruction, *, escape: str, first: bool) -> None:
    """Accept an instruction that the subset knows, with options that it knows."""
    if step.keyword not in KEYWORDS:
        nearest = find_nearest(step.keyword, KEYWORDS) or "COPY"
        values = {"keyword": step.keyword, "nearest": nearest}
        raise reject_step(step, "engine.reason-unknown", **values)
    if step.keyword in LEFT_TO_DOCKER:
        raise refuse_step(step, "engine.reason-instruction", keyword=step.keyword)
    if first and step.keyword not in {"ARG", "FROM"}:
        raise reject_step(step, "engine.reason-before-from")
    for flag in sorted(step.flags.keys() - _FLAGS.get(step.keyword, set())):
        if step.keyword in {"ADD", "COPY"} and flag in _BUILDKIT_FLAGS:
            raise explain_step(step, "engine.needs-buildkit", "engine.option", flag=f"--{flag}")
        raise reject_step(step, "engine.reason-flag", flag=f"--{flag}")
    if step.heredoc and step.keyword != "RUN":
        raise explain_step(step, "engine.needs-buildkit", "engine.here-document")
    if not step.complete or not step.arguments or "\ufffd" in step.value or escape not in "\\`":
        raise ValueError(step.value)


@dataclass
class _Stage:
    """One stage of a build: its `FROM`, the stage below it, and its other instructions."""

    origin: Instruction
    base: str
    platform: str
    below: _Stage | None
    earlier: frozenset[str]
    steps: list[Instruction] = field(default_factory=list)


class _Stages:
    """Sorts the instructions into stages, and carries out those that make the last one."""

    def __init__(self, interpreter: Interpreter, platform: str) -> None:
        self.opened: list[_Stage] = []
        self.labels: dict[int, str] = {}  # by line: each FROM with its variables replaced
        self._names: dict[str, _Stage] = {}
        self._interpreter = interpreter
        self._platform = platform

    def take(self, step: Instruction) -> None:
        """Put an instruction into its stage."""
        if step.keyword == "FROM":
            self._open(step)
        elif self.opened:
            self.opened[-1].steps.append(step)
        else:
            self._interpreter.declare_outer(step)

    def carry_out_last(self) -> set[int]:
        """Carry out the last stage and those below it; return the lines that were not left out."""
        chain = [self.opened[-1]]
        while below := chain[0].below:
            chain.insert(0, below)
        base = chain[0].base
        self._interpreter.recipe.base = "" if base == "scratch" else base
        return {line for stage in chain for line in self._carry_out(stage)}

    def _open(self, step: Instruction) -> None:
        interpreter = self._interpreter
        words = step.arguments.split()
        base, *alias = [interpreter.expand(word, interpreter.find_outer) for word in words]
        if not base or (alias and (len(alias) != 2 or alias[0].upper() != "AS")):
            raise ValueError(step.arguments)
        platform = step.flags.get("platform", self._platform)
        stage = _Stage(
            origin=step,
            base=base,
            platform=interpreter.expand(platform, interpreter.find_outer),
            below=self._names.get(base.lower()),
            earlier=frozenset(self._names),
        )
        for name in (str(len(self.opened)), *alias[1:]):
            self._names[name.lower()] = stage
        self.opened.append(stage)
        self.labels[step.line] = " ".join(["FROM", base, *alias])

    def _carry_out(self, stage: _Stage) -> list[int]:
        if stage.platform != self._platform:
            raise refuse_step(stage.origin, "engine.reason-platform")
        kept = [stage.origin.line] if stage.below or stage.base == "scratch" else []
        self._interpreter.begin_stage()
        for step in stage.steps:
            source = step.flags.get("from")
            if source is not None and source.lower() not in stage.earlier:
                raise refuse_step(step, "engine.reason-copy-from")
            if step.keyword != "RUN" and source is None:
                self._interpreter.carry_out(step)
                kept.append(step.line)
        return kept
