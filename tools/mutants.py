"""Change one thing in a module, see whether its tests notice: mutants, from `tests/mutants.toml`.

    python tools/mutants.py                                 the list, the fixed seed, fresh ones
    python tools/mutants.py --list --only course/rules      the list, for modules with that path
    python tools/mutants.py --seed 7 --count 20             twenty random ones, repeatable

The file names the modules and their tests, and holds the mutants that people picked.  mutmut and
cosmic-ray know neither such a list nor a choice by seed, and they copy the project or start a
process for each mutant.  Here each mutant is a fork in which an importer serves the changed source
of the one module, and pytest runs the module's tests until one fails, those first that noticed
another mutant.  The forks find loaded what is heavy, and of the package what cannot hold anything
of the module, because it was complete when the tests imported that.  A mutant that hangs or
crashes is killed as well.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

DATA = Path("tests/mutants.toml")
MEMORY = 4 << 30
"""Bytes that a mutant may take: a loop without an end often fills a list."""

OTHERS: dict[type[ast.AST], tuple[Any, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,), ast.BitOr: (ast.BitAnd,), ast.BitAnd: (ast.BitOr,),
}  # fmt: skip
"""What takes an operator's place."""


class Stop(Exception):
    """The data or the tests are at fault: no rate would mean anything."""


@dataclass(frozen=True)
class Mutant:
    """A change of a module: at `offset` of its source, `was` becomes `now`."""

    module: str
    offset: int
    was: str
    now: str
    kind: str

    def apply(self, source: str) -> str:
        """Return the changed source."""
        return source[: self.offset] + self.now + source[self.offset + len(self.was) :]

    def describe(self, source: str) -> str:
        """Return its place and the change, on one line."""
        line = source.count("\n", 0, self.offset) + 1
        return f"{self.module}:{line}: {_squeeze(self.was)} → {_squeeze(self.now) or '(nothing)'}"


@dataclass
class Module:
    """A module to change, and what was found out about it.

    Attributes:
        path: Its path from the root of the project.
        tests: The arguments for pytest: the tests that should notice a change.
        mutants: The picked ones: a text of the source, what it becomes, and, where nobody could
            notice that, why it is equivalent.
        equivalents: The random ones that nobody could notice: the first line of the change, what
            was there, what it becomes, and the reason.
        seconds: The CPU time of the tests over the unchanged module.
        before: Modules of its package that were loaded before it: they hold nothing of it.
        killers: The tests that noticed a mutant, and how many.
    """

    path: str
    tests: Sequence[str]
    mutants: Sequence[dict[str, str]] = ()
    equivalents: Sequence[dict[str, str]] = ()
    seconds: float = 0.0
    before: Sequence[str] = ()
    killers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.source = Path(self.path).read_text(encoding="utf-8")

    @property
    def name(self) -> str:
        """The name by which Python imports it."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass
class Part:
    """Mutants that are counted together, and how many equivalent ones are left out."""

    title: str
    mutants: list[Mutant] = field(default_factory=list)
    equivalent: int = 0

    def add(self, mutant: Mutant, *, is_equivalent: bool) -> None:
        """Take in a mutant."""
        self.equivalent += is_equivalent
        if not is_equivalent:
            self.mutants.append(mutant)


# Making mutants.


def list_mutants(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a source that the operators make."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def find_offset(line: int, column: int) -> int:  # a syntax tree counts the bytes of UTF-8
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    found = {}
    for node in _walk(ast.parse(source)):
        for kind, changed, now in _change(node):
            start = find_offset(changed.lineno, changed.col_offset)
            was = source[start : find_offset(changed.end_lineno, changed.end_col_offset)]
            if was != now:
                found[start, was, now] = Mutant(path, start, was, now, kind)
    return list(found.values())


def choose_mutants(found: Sequence[Mutant], count: int, draw: random.Random) -> list[Mutant]:
    """Return a random choice: a kind of change first, then a place for it.

    Drawn by place alone, most would be emptied strings, which nearly every test notices.
    """
    kinds: dict[str, list[Mutant]] = {}
    for mutant in found:
        kinds.setdefault(mutant.kind, []).append(mutant)
    chosen: list[Mutant] = []
    while kinds and len(chosen) < count:
        kind = draw.choice([*kinds])
        chosen.append(kinds[kind].pop(draw.randrange(len(kinds[kind]))))
        kinds = {kind: left for kind, left in kinds.items() if left}
    return chosen


def _walk(parent: Any) -> Iterator[Any]:
    """Yield the nodes whose change could be noticed: no docstrings, annotations or declarations."""
    for name, value in ast.iter_fields(parent):
        if name in ("annotation", "returns", "decorator_list", "bases") or (
            name == "keywords" and isinstance(parent, ast.ClassDef)
        ):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST) and not _is_left_out(node, parent):
                yield node
                yield from _walk(node)


def _is_left_out(node: ast.AST, parent: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant()) | ast.JoinedStr():  # an f-string's parts have no places
            return True
        case ast.If(ast.Name("TYPE_CHECKING")) | ast.Assert() | ast.Assign([ast.Name("__all__")]):
            return True
        case ast.Raise(ast.Call(ast.Name("AssertionError"))):
            return True
        case ast.Assign(_, ast.Subscript(_, ast.Tuple()) | ast.BinOp(ast.Name(), ast.BitOr())):
            return isinstance(parent, ast.Module)  # an alias of a type
        case ast.Assign(_, ast.Call(ast.Name("TypeVar"))):
            return True
    return False


def _change(node: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield kind, node and new text for each change of a node or of a part of it."""
    match node:
        case ast.Compare(left, ops, comparators):
            for place, op in enumerate(ops):
                for other in OTHERS.get(type(op), ()):
                    changed = [*ops[:place], other(), *ops[place + 1 :]]
                    yield "comparison", node, _write(ast.Compare(left, changed, comparators))
        case ast.BoolOp(op, values):
            yield "and/or", node, _write(ast.BoolOp(OTHERS[type(op)][0](), values))
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield "operand", node, _write(ast.BoolOp(op, rest) if rest[1:] else rest[0])
        case ast.UnaryOp(ast.Not(), operand):
            yield "not", node, _write(operand)
        case ast.BinOp(left, op, right) if type(op) in OTHERS:
            yield "arithmetic", node, _write(ast.BinOp(left, OTHERS[type(op)][0](), right))
        case ast.Constant(bool() as value):
            yield "truth", node, repr(not value)
        case ast.Constant(int() | float() as value):
            yield "number", node, repr(value + 1)
            yield "number", node, f"({value - 1!r})" if value < 1 else repr(value - 1)
        case ast.Constant(str() | bytes() as value) if value:
            yield "text", node, repr(value[:0])
        case ast.Return(ast.Constant(False)):
            pass  # None is as false, and a type checker notices it; "truth" has the other change
        case ast.Return(value):
            is_none = value is None or ast.unparse(value) == "None"
            yield ("deletion", node, "pass") if is_none else ("return", node, "return None")
        case ast.Slice(lower, upper):
            for bound in filter(None, (lower, upper)):
                if not isinstance(bound, (ast.Constant, ast.UnaryOp)):
                    yield "slice", bound, f"{_write(bound)} + 1"
        case ast.AugAssign(target, op, value) if type(op) in OTHERS:
            other = OTHERS[type(op)][0]()
            yield "arithmetic", node, ast.unparse(ast.AugAssign(target, other, value))
            yield "deletion", node, "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield "deletion", node, "pass"
        case ast.Expr() | ast.Raise() | ast.Break() | ast.Continue() | ast.Delete():
            yield "deletion", node, "pass"
    tests = node.ifs if isinstance(node, ast.comprehension) else [getattr(node, "test", None)]
    for test in filter(None, tests):
        if not isinstance(test, (ast.Compare, ast.UnaryOp)):  # these have their opposites already
            yield "condition", test, f"(not {_write(test)})"


def _write(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def _squeeze(text: str) -> str:
    return " ".join(text.split())


# Reading the data.


def read_data(only: Sequence[str]) -> tuple[dict[str, Module], dict[str, Any]]:
    """Return the modules whose path holds one of the texts in `only`, or all, and what is usual.

    Raises:
        Stop: There is no such module.
    """
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    modules = {
        path: Module(path, **about)
        for path, about in data["modules"].items()
        if not only or any(text in path for text in only)
    }
    if not modules:
        raise Stop(f"{DATA} has no module like {' or '.join(only)}")
    return modules, data


def read_list(modules: dict[str, Module]) -> Part:
    """Return the picked mutants, without those that nobody could notice.

    Raises:
        Stop: The text of one is not in its module exactly once, or what it becomes is not Python.
    """
    part, stale = Part("The list"), []
    for path, module in modules.items():
        for entry in module.mutants:
            was, now, times = entry["was"], entry["now"], module.source.count(entry["was"])
            mutant = Mutant(path, module.source.find(was), was, now, "picked")
            if times != 1:
                stale.append(f"{path}: found {times} times: {was!r}")
                continue
            try:
                ast.parse(mutant.apply(module.source))
            except SyntaxError as error:
                stale.append(f"{path}: {error.msg}: {now!r} for {was!r}")
            part.add(mutant, is_equivalent="equivalent" in entry)
    if stale:
        raise Stop("\n".join([f"{DATA} is stale:", *stale]))
    return part


def draw_mutants(modules: dict[str, Module], seed: int, count: int) -> Part:
    """Return the random mutants of a seed, without those that nobody could notice.

    Raises:
        Stop: No operator makes a mutant that the data call equivalent.
    """
    listed = {path: list_mutants(path, each.source) for path, each in modules.items()}
    drawn = random.Random(seed).choices([*listed], [len(it) for it in listed.values()], k=count)
    part, stale = Part(f"Random: --seed {seed} --count {count}"), []
    for path, found in listed.items():
        same = [{**entry, "reason": ""} for entry in modules[path].equivalents]
        known = {id(mutant): _identify(mutant, modules[path].source) for mutant in found}
        stale += [f"{path}: {entry}" for entry in same if entry not in known.values()]
        for mutant in choose_mutants(found, drawn.count(path), random.Random(f"{seed} {path}")):
            part.add(mutant, is_equivalent=known[id(mutant)] in same)
    if stale:
        raise Stop("\n".join([f"{DATA} is stale, no operator makes these:", *stale]))
    return part


def _identify(mutant: Mutant, source: str) -> dict[str, str]:
    """Return a random mutant as the data name it: by its line, which may move."""
    line = source[source.rfind("\n", 0, mutant.offset) + 1 :].partition("\n")[0].strip()
    return {"line": line, "was": _squeeze(mutant.was), "now": _squeeze(mutant.now), "reason": ""}


# Running tests.


class Importer(SourceFileLoader):
    """Serves the source of one module in place of its file's.

    Attributes:
        before: The modules of its package that were complete when it was imported; None until then.
    """

    before: list[str] | None = None

    def __init__(self, module: Module, source: str) -> None:
        super().__init__(module.name, module.path)
        self._source = source

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return how to import a module, if it is this one."""
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> Any:
        """Return the compiled source."""
        loaded = {name: sys.modules[name] for name in list_loaded(self.name)}
        self.before = [name for name in loaded if not _is_loading(loaded[name])]
        return compile(self._source, self.path, "exec", dont_inherit=True)


def list_loaded(name: str) -> list[str]:
    """Return the loaded modules of a module's package, itself included."""
    package = name.partition(".")[0]
    return [each for each in sys.modules if each.partition(".")[0] == package]


def _is_loading(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


def forget(name: str) -> None:
    """Let a module be loaded anew where it is imported again."""
    module, (parent, _, child) = sys.modules.pop(name), name.rpartition(".")
    if getattr(sys.modules.get(parent), child, None) is module:
        delattr(sys.modules[parent], child)


class Witness:
    """A plugin of pytest that keeps the first thing that failed, and begins with `killers`."""

    failed = ""

    def __init__(self, killers: Counter[str]) -> None:
        self._killers = killers

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests."""
        items.sort(key=lambda item: -self._killers[item.nodeid])

    def pytest_collectreport(self, report: Any) -> None:
        """Look at a file that was collected."""
        self.pytest_runtest_logreport(report)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Look at a test that ran."""
        self.failed = self.failed or (report.nodeid if report.failed else "")


@dataclass
class Run:
    """The tests of a module over one source of it, in a process of their own.

    `only_collects` finds out what is loaded before the module, and runs no test.
    """

    module: Module
    mutant: Mutant | None = None
    only_collects: bool = False
    pid: int = 0
    ends_by: float = 0.0
    folder: Path = Path()

    def start(self) -> None:
        """Fork the process; its limits follow from the time for the unchanged module."""
        self.folder = Path(tempfile.mkdtemp(prefix="mutant-"))
        unchanged = self.module.seconds or 60
        self.ends_by = time.monotonic() + 20 + 10 * unchanged
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._run_tests(seconds=int(3 + 2 * unchanged))
            finally:
                os._exit(1)

    def _run_tests(self, *, seconds: int) -> None:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        output = os.open(self.folder / "output", os.O_WRONLY | os.O_CREAT)
        for stream, descriptor in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(descriptor, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        gc.disable()  # the process is gone before there is much to collect
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        source, witness = self.module.source, Witness(self.module.killers)
        for name in {*list_loaded(self.module.name)}.difference(self.module.before):
            forget(name)
        importer = Importer(self.module, self.mutant.apply(source) if self.mutant else source)
        sys.meta_path.insert(0, importer)
        options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
        options += [f"--basetemp={self.folder / 'tmp'}", *["--collect-only"] * self.only_collects]
        code = int(pytest.main([*options, *self.module.tests], plugins=[witness]))
        result = {"code": code, "before": importer.before, "failed": witness.failed}
        (self.folder / "result").write_text(json.dumps(result))

    def has_ended(self) -> bool:
        """Tell whether the process has ended; end it after its time."""
        pid, _, usage = os.wait4(self.pid, os.WNOHANG)
        if not pid and time.monotonic() > self.ends_by:
            self.end()
            pid, _, usage = os.wait4(self.pid, 0)
        if pid and not self.mutant and not self.only_collects:
            self.module.seconds = usage.ru_utime + usage.ru_stime
        return bool(pid)

    def end(self) -> None:
        """Kill the process and those that it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def judge(self) -> bool:
        """Return whether the mutant was killed, and remove what the process left.

        Raises:
            Stop: The unchanged module fails its tests, or they do not import it, or pytest itself
                failed.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        file = self.folder / "result"
        result = json.loads(file.read_text()) if file.exists() else None
        output = (self.folder / "output").read_text(errors="replace")
        shutil.rmtree(self.folder, ignore_errors=True)
        about = f"{self.module.path}, with {' '.join(self.module.tests)}"
        if self.mutant is None and (result is None or result["code"] != pytest.ExitCode.OK):
            raise Stop(f"{about}: the unchanged module is not green\n{output[-2000:]}")
        if result is None:  # out of time or memory, or crashed
            return True
        code, failed = result["code"], result["failed"]
        if self.only_collects:
            self.module.before = result["before"] or ()
        elif result["before"] is None:
            raise Stop(f"{about}: these tests do not import it")
        # These tests were green: a conftest.py or a file that cannot be imported is the mutant's.
        broken = code == pytest.ExitCode.USAGE_ERROR or (code == 2 and failed)
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not broken:
            raise Stop(f"{about}: pytest's exit code {code}\n{output[-2000:]}")
        self.module.killers[failed] += 1
        return bool(code != pytest.ExitCode.OK)


def run_all(runs: Iterable[Run]) -> list[bool]:
    """Carry out runs, as many at once as there are processors; return which were killed."""
    waiting = [*enumerate(runs)][::-1]
    running: dict[int, Run] = {}
    killed: dict[int, bool] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                number, run = waiting.pop()
                run.start()
                running[number] = run
            for number, run in [*running.items()]:
                if run.has_ended():
                    del running[number]
                    killed[number] = run.judge()
                    print("." if killed[number] else "S" if run.mutant else "", end="", flush=True)
            time.sleep(0.01)
    finally:
        for run in running.values():
            run.end()
            shutil.rmtree(run.folder, ignore_errors=True)
    return [killed[number] for number in sorted(killed)]


def report(
    part: Part, modules: dict[str, Module], survived: Sequence[Mutant], *, least: float = 0
) -> bool:
    """Print the rates and the survivors of a part; return whether its rate is high enough."""
    counts, lived = (Counter(m.module for m in each) for each in (part.mutants, survived))
    print(f"\n{part.title}, and {part.equivalent} equivalent ones that do not count")
    print(f"{'':40} mutants killed  rate")
    rows = [(path, counts[path], lived[path]) for path in modules if counts[path]]
    for name, count, left in [*rows, ("in all", len(part.mutants), len(survived))]:
        rate = 100 * (count - left) / count if count else 100
        print(f"{name:40} {count:7} {count - left:6} {int(rate):4} %")
    for mutant in survived:
        print(f"survived: {mutant.describe(modules[mutant.module].source)}")
    if rate < least:
        print(f"FAILED: {rate:.1f} % are killed, and {least} % are asked for")
    return rate >= least


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants that are asked for; return 1 where too many survive or nothing is known."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="part of a module's path")
    parser.add_argument("--list", action="store_true", help="the list alone")
    parser.add_argument("--seed", type=int, help="random ones of this seed alone")
    parser.add_argument("--count", type=int, default=20, help="how many random ones (20)")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no fork is left behind
    sys.path.insert(0, "")  # as for a pytest that is started in this folder
    try:
        modules, data = read_data(given.only)
        is_usual, seed = not given.list and given.seed is None, given.seed
        least, parts = [], []
        if given.list or is_usual:
            parts.append(read_list(modules))
            least.append(data["list_rate"])
        if is_usual:
            parts.append(draw_mutants(modules, data["seed"], data["count"]))
            least.append(data["random_rate"])
            seed = random.randrange(1_000_000)
        if seed is not None:
            parts.append(draw_mutants(modules, seed, given.count))
            least.append(0)
        for name in data["heavy"]:
            importlib.import_module(name)
        mutants = [mutant for part in parts for mutant in part.mutants]
        used = {mutant.module for mutant in mutants}
        run_all(Run(modules[path], only_collects=True) for path in used)
        for name in {name for each in modules.values() for name in each.before}:
            importlib.import_module(name)
        run_all(Run(modules[path]) for path in used)  # they are green with that loaded, too
        killed = run_all(Run(modules[mutant.module], mutant) for mutant in mutants)
    except Stop as stop:
        print(stop)
        return 1
    lived = {id(mutant) for mutant, dead in zip(mutants, killed, strict=True) if not dead}
    good = [
        report(part, modules, [m for m in part.mutants if id(m) in lived], least=rate)
        for part, rate in zip(parts, least, strict=True)
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
