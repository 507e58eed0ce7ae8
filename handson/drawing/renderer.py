"""The one door to Graphviz: the libraries in pygraphviz's wheel, else the `dot` program.

Graphviz complains on file descriptor 2, past `sys.stderr`, about things a learner cannot change
(fonts, label sizes); Jupyter shows that as an error below the cell.  What it says is therefore held
back while it works and told only when it fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, BinaryIO, Protocol

from handson.core import errors, messages

_one_at_a_time = threading.Lock()


class Render(Protocol):
    """Turns a graph in the DOT language into a picture; `layout` is "dot" or "nop2"."""

    def __call__(self, source: str, *, layout: str, form: str) -> bytes: ...


@cache
def renderer() -> Render:
    """Return what renders here.

    Raises:
        NotReady: Neither pygraphviz nor the `dot` program works on this machine.
    """
    return choose(load=load_pygraphviz, which=shutil.which)


def choose(*, load: Callable[[], Any], which: Callable[[str], str | None]) -> Render:
    """Return the libraries when `load` gives them, else the program that `which` finds.

    Raises:
        NotReady: There is neither.
    """
    try:
        return Libraries(load())
    except ImportError as reason:
        program = which("dot")
        if program:
            return Program(program)
        advice = messages.advice("drawing.no-graphviz", reason=str(reason))
        raise errors.NotReady(*advice) from reason


def load_pygraphviz() -> Any:
    """Return the module `pygraphviz`.

    Raises:
        ImportError: It, or a shared library that it needs, is missing.
    """
    import pygraphviz

    return pygraphviz


class Libraries:
    """Graphviz in this process."""

    def __init__(self, pygraphviz: Any) -> None:
        self.pygraphviz = pygraphviz

    def __call__(self, source: str, *, layout: str, form: str) -> bytes:
        with self.graph(source) as graph:
            picture: bytes = graph.draw(format=form, prog=layout)
        return picture

    @contextmanager
    def graph(self, source: str) -> Iterator[Any]:
        """Lend the graph of `source` for reading, arranging and drawing.

        Raises:
            InvalidInput: Graphviz cannot draw it.
        """
        with _one_at_a_time, _held_back() as said:
            try:
                with closing(self.pygraphviz.AGraph(string=source)) as graph:
                    yield graph
            except (ValueError, OSError) as reason:
                raise _refused(said(), reason) from reason


class Program:
    """Graphviz as the program `dot`, for machines where its libraries cannot be loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, source: str, *, layout: str, form: str) -> bytes:
        command = [self.path, f"-K{layout}", f"-T{form}"]
        done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
        if done.returncode:
            raise _refused(done.stderr.decode(errors="replace"), f"exit {done.returncode}")
        return done.stdout


def _refused(said: str, reason: object) -> errors.InvalidInput:
    told = " ".join(said.split()) or str(reason)
    return errors.InvalidInput(*messages.advice("drawing.refused", reason=told))


@contextmanager
def _held_back() -> Iterator[Callable[[], str]]:
    """Keep what is written to file descriptor 2; the value answers with it."""
    with tempfile.TemporaryFile() as file:
        visible = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: _all_of(file)
        finally:
            os.dup2(visible, 2)
            os.close(visible)


def _all_of(file: BinaryIO) -> str:
    file.seek(0)
    return file.read(2000).decode(errors="replace")
