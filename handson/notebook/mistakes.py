"""Slips of the keyboard and of order, answered in two lines where Python has a traceback.

A keyword that a verb does not have is refused with the nearest one (`verbs`).  A verb that is not
there is answered with the nearest, too.  A name that holds nothing yet is answered with the cell
that fills it; which cell that is, is read from the notebooks themselves.  A cell that nbgrader has
emptied for the learner is answered with what belongs there, an arrow of the `diagrams` package that
leads to no node with what it may lead to (`answer_slips` is for these four).  A verb that refuses
a text with full-width signs in it says so.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from handson.aws import settings
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.text import advise_half_width, find_nearest, quote
from handson.course import syllabus

T = TypeVar("T")

_SHOWN = 60
_NEAR = 0.8
_HELD = "_handson_verbs"
_CONSTANTS = {"true": "True", "false": "False", "none": "None", "null": "None"}
_OF_IPYTHON = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_ARROWS = "diagrams"
"""The package whose arrows learners draw."""
_OPERATORS = ("shift__", "sub__")
"""How the names of its functions end that a `>>`, `<<` or `-` calls."""


@dataclass(frozen=True)
class Definition:
    """A cell that gives a name a value: its notebook, and the line that does it."""

    notebook: str
    line: str


def verbs(held: type[T]) -> type[T]:
    """Let all public methods of a class refuse arguments that do not fit before they begin."""
    found = [
        (name, member)
        for name, member in vars(held).items()
        if inspect.isfunction(member) and not name.startswith("_")
    ]
    for name, member in found:
        setattr(held, name, _checked(member))
    setattr(held, _HELD, tuple(name for name, _ in found))
    return held


def answer_slips(shell: Any, *, folder: Callable[[], Path] = Path.cwd) -> None:
    """Let IPython answer a name or a verb that is not there, and a cell still to be written.

    Args:
        shell: What `IPython.get_ipython` returns; None outside of IPython.
        folder: Where the notebooks are looked for, from there upwards.
    """
    if shell is None or shell.custom_exceptions:
        return

    def answer(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        if isinstance(error, NotImplementedError):
            explained = explain_blank(error, trace, grade_id=_grade_id(shell))
        elif isinstance(error, (AttributeError, TypeError)):
            explained = explain_arrow(error, trace) or explain_verb(error, trace)
        else:
            explained = explain(error, trace, notebooks=_notebooks(folder()))
        # Under the name of what was raised, which the kernel's reply bears too: nbgrader shows an
        # error twice where the two differ.
        shell.showtraceback(
            (kind, explained or error, trace), tb_offset=tb_offset, running_compiled_code=True
        )

    shell.set_custom_exc((NameError, AttributeError, TypeError, NotImplementedError), answer)


def explain(
    error: NameError, trace: TracebackType | None, *, notebooks: Sequence[Path]
) -> HandsonError | None:
    """Return what to say of a name that holds nothing, or None where it is not a cell's own."""
    if type(error) is not NameError or not error.name or not _in_a_cell(trace):
        return None
    known = definitions(notebooks)
    places = known.get(error.name, [])
    if not places:
        return _unknown(error.name, [*_own_names(trace), *known, *dir(builtins)])
    books = {place.notebook for place in places}
    values = {"name": error.name, "line": places[-1].line, "notebook": places[-1].notebook}
    key = "notebook.mistakes.not-yet" if len(books) == 1 else "notebook.mistakes.not-yet-here"
    return NotReady(*messages.advice(key, **values))


def explain_arrow(error: Exception, trace: TracebackType | None) -> HandsonError | None:
    """Return what to say of an arrow to or from what is no node, or None where it is no arrow."""
    frames = _frames(trace)
    modules = [module for module, _ in frames]
    if "__main__" not in modules:
        return None
    drawn = modules[-1] == _ARROWS and any(name.endswith(_OPERATORS) for _, name in frames)
    # Between two frames there is no arrow at all: Python itself refuses it.
    bare = modules[-1] == "__main__" and "operand" in str(error) and "'Cluster'" in str(error)
    return InvalidInput(*messages.advice("notebook.mistakes.arrow")) if drawn or bare else None


def explain_verb(error: Exception, trace: TracebackType | None) -> HandsonError | None:
    """Return what to say of a verb that is not there, or None where it is no slip of a cell."""
    if type(error) is not AttributeError:
        return None
    held = getattr(type(error.obj), _HELD, ())
    if not (held and error.name and _in_a_cell(trace)):
        return None
    near = find_nearest(error.name, held)
    if near:
        return InvalidInput(
            *messages.advice("notebook.mistakes.verb-near", name=error.name, near=near)
        )
    choices = ", ".join(held)
    return InvalidInput(
        *messages.advice("notebook.mistakes.verb", name=error.name, choices=choices)
    )


def explain_blank(
    error: NotImplementedError, trace: TracebackType | None, *, grade_id: str
) -> HandsonError | None:
    """Return what belongs into a cell of that nbgrader id, or None where it is no emptied cell."""
    if type(error) is not NotImplementedError or error.args or not _in_a_cell(trace):
        return None
    if grade_id == syllabus.DIAGRAM.grade_id:
        return NotReady(*messages.advice("notebook.mistakes.blank-diagram"))
    form = next((form for form in syllabus.FORMS if form.name == grade_id), None)
    if form is None:
        return NotReady(*messages.advice("notebook.mistakes.blank"))
    blanks = ", ".join(f"{setting}=…" for setting in form.settings)
    line = f"{form.name} = workshop.{form.verb}({blanks})"
    listed = ", ".join(form.settings)
    return NotReady(*messages.advice("notebook.mistakes.blank-form", settings=listed, line=line))


def definitions(notebooks: Sequence[Path]) -> dict[str, list[Definition]]:
    """Return by name which cells of the notebooks give it a value, in their order."""
    found: dict[str, list[Definition]] = {}
    for path in notebooks:
        for cell in _code_cells(path):
            for name, line in _bound(cell):
                found.setdefault(name, []).append(Definition(path.stem, line))
    return found


def _unknown(name: str, known: Sequence[str]) -> HandsonError:
    constant = _CONSTANTS.get(name.lower())
    if constant:
        return InvalidInput(
            *messages.advice("notebook.mistakes.constant", name=name, near=constant)
        )
    near = find_nearest(name, known, cutoff=_NEAR)
    if near:
        return InvalidInput(*messages.advice("notebook.mistakes.misspelt", name=name, near=near))
    return InvalidInput(*messages.advice("notebook.mistakes.unknown-name", name=name))


def _notebooks(folder: Path) -> list[Path]:
    home = settings.notebooks_folder(folder)
    edition = folder if home is None else home / messages.language()
    return [edition / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]


def _grade_id(shell: Any) -> str:
    """Return the nbgrader id of the running cell, where the frontend tells; JupyterLab does."""
    request = getattr(shell, "parent_header", None)
    told = request.get("metadata") if isinstance(request, dict) else None
    graded = told.get("nbgrader") if isinstance(told, dict) else None
    return str(graded.get("grade_id", "")) if isinstance(graded, dict) else ""


def _code_cells(path: Path) -> list[str]:
    """Return the sources of a notebook's code cells; none where it cannot be read."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _bound(cell: str) -> Iterator[tuple[str, str]]:
    """Give each name that a cell's own lines fill, and the line; none where it is no Python."""
    try:
        statements = ast.parse(cell).body
    except (SyntaxError, ValueError):
        return
    for statement in statements:
        first, *rest = (ast.get_source_segment(cell, statement) or "").splitlines() or [""]
        line = first[:_SHOWN] + ("…" if rest or len(first) > _SHOWN else "")
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], line
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, line


def _own_names(trace: TracebackType | None) -> list[str]:
    """Return the names that the learner's cells have filled, where an error was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    names = {**trace.tb_frame.f_globals, **trace.tb_frame.f_locals} if trace else {}
    return [name for name in names if not name.startswith("_") and name not in _OF_IPYTHON]


def _frames(trace: TracebackType | None) -> list[tuple[str, str]]:
    """Return the module and the function of each frame that an error came through."""
    frames = []
    while trace is not None:
        frame = trace.tb_frame
        frames.append((str(frame.f_globals.get("__name__", "")), frame.f_code.co_name))
        trace = trace.tb_next
    return frames


def _in_a_cell(trace: TracebackType | None) -> bool:
    """Tell whether an error was raised by a cell itself, and not in a library that it called."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "__main__"


def _checked(verb: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(verb)

    @wraps(verb)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        try:
            signature.bind(*arguments, **keywords)
        except TypeError:
            raise _misfit(verb.__name__, signature, keywords) from None
        try:
            return verb(*arguments, **keywords)
        except InvalidInput as error:
            error.remedy = _in_half_width(error, [*arguments, *keywords.values()]) or error.remedy
            raise

    return checked


def _in_half_width(error: InvalidInput, given: Sequence[object]) -> str | None:
    """Return what to say of full-width signs in that argument which a refusal is about."""
    for value in given:
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and (text in error.problem or quote(text) in error.problem):
                said = advise_half_width(text)
                if said:
                    return said
    return None


def _misfit(verb: str, signature: inspect.Signature, keywords: dict[str, Any]) -> InvalidInput:
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    names = [each.name for each in parameters]
    for name in keywords:
        if name not in names:
            return _unknown_keyword(verb, name, names)
    usage = ", ".join(
        each.name if each.default is each.empty else f"{each.name}=…" for each in parameters
    )
    return InvalidInput(*messages.advice("notebook.mistakes.arguments", verb=verb, usage=usage))


def _unknown_keyword(verb: str, name: str, names: Sequence[str]) -> InvalidInput:
    near = find_nearest(name, names)
    if near:
        values = {"verb": verb, "name": name, "near": near}
        return InvalidInput(*messages.advice("notebook.mistakes.keyword-near", **values))
    choices = ", ".join(names) or "-"
    return InvalidInput(
        *messages.advice("notebook.mistakes.keyword", verb=verb, name=name, choices=choices)
    )
