"""Two-line answers to common mistakes in a cell, where Python would print a traceback.

`check_arguments` makes the verbs of a class refuse arguments that do not fit, with the nearest name
or the whole form, and point out full-width characters.  `explain_errors` makes IPython explain

    a misspelt verb                with the nearest verb
    a name without a value         with the cell that assigns it, found in the notebooks
    a cell that nbgrader emptied   with what belongs there
    an arrow in a diagram          with what arrows of the `diagrams` package may join
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
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, TypeVar

from handson.aws import settings
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.text import advise_half_width, find_nearest, quote
from handson.course import syllabus

T = TypeVar("T")

_LONGEST_LINE = 60
_SIMILARITY = 0.8
_VERBS = "_handson_verbs"
_CONSTANTS = {"true": "True", "false": "False", "none": "None", "null": "None"}
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_ARROW_OPERATORS = ("shift__", "sub__")
"""How the names of the functions in `diagrams` end that `>>`, `<<` and `-` call."""


@dataclass(frozen=True)
class CellDefinition:
    """A cell that assigns a name: its notebook, and the line of the assignment."""

    notebook: str
    line: str


def check_arguments(held: type[T]) -> type[T]:
    """Make all public methods of a class refuse arguments that do not fit before they begin."""
    verbs = {
        name: member
        for name, member in vars(held).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    for name, member in verbs.items():
        setattr(held, name, _with_checked_arguments(member))
    setattr(held, _VERBS, tuple(verbs))
    return held


def explain_errors(shell: Any, *, folder: Callable[[], Path] = Path.cwd) -> None:
    """Make IPython explain missing names, misspelt verbs, arrows and emptied cells.

    A handler that the learner has set before is kept.

    Args:
        shell: The result of `IPython.get_ipython`; None outside IPython.
        folder: Returns the folder from which the notebooks are searched for, upwards.
    """
    if shell is None or shell.custom_exceptions:
        return

    def answer(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        if isinstance(error, NotImplementedError):
            explained = explain_blank(error, trace, grade_id=_grade_id(shell))
        elif isinstance(error, (AttributeError, TypeError)):
            explained = explain_arrow(error, trace) or explain_verb(error, trace)
        else:
            explained = explain_name(error, trace, notebooks=_notebooks(folder()))
        # Keep the original type's name, which the kernel's reply carries as well: nbgrader shows
        # an error twice where the two names differ.
        shell.showtraceback(
            (kind, explained or error, trace), tb_offset=tb_offset, running_compiled_code=True
        )

    shell.set_custom_exc((NameError, AttributeError, TypeError, NotImplementedError), answer)


def explain_name(
    error: NameError, trace: TracebackType | None, *, notebooks: Sequence[Path]
) -> HandsonError | None:
    """Explain a name without a value, or return None where the cell itself does not use it."""
    frames = _frames(trace)
    if type(error) is not NameError or not error.name or not _ends_in_cell(frames):
        return None
    definitions = find_definitions(notebooks)
    cells = definitions.get(error.name)
    if not cells:
        known = [*_assigned_in(frames[-1]), *definitions, *dir(builtins)]
        return _explain_unknown_name(error.name, known)
    values = {"name": error.name, "line": cells[-1].line, "notebook": cells[-1].notebook}
    if len({cell.notebook for cell in cells}) == 1:
        return NotReady(*messages.advice("notebook.mistakes.not-yet", **values))
    return NotReady(*messages.advice("notebook.mistakes.not-yet-here", **values))


def explain_arrow(error: Exception, trace: TracebackType | None) -> HandsonError | None:
    """Explain an arrow with an end that is not a node, or return None for other errors."""
    frames = _frames(trace)
    if not any(_module(frame) == "__main__" for frame in frames):
        return None
    inside = _module(frames[-1]) == "diagrams" and any(
        frame.f_code.co_name.endswith(_ARROW_OPERATORS) for frame in frames
    )
    # A frame (Cluster) has no operators: Python itself refuses an arrow between two of them.
    between_frames = _ends_in_cell(frames) and "operand" in str(error) and "'Cluster'" in str(error)
    if inside or between_frames:
        return InvalidInput(*messages.advice("notebook.mistakes.arrow"))
    return None


def explain_verb(error: Exception, trace: TracebackType | None) -> HandsonError | None:
    """Explain a misspelt verb, or return None for other errors."""
    if type(error) is not AttributeError or not error.name:
        return None
    verbs = getattr(type(error.obj), _VERBS, ())
    if not verbs or not _ends_in_cell(_frames(trace)):
        return None
    name, near = error.name, find_nearest(error.name, verbs)
    if near:
        return InvalidInput(*messages.advice("notebook.mistakes.verb-near", name=name, near=near))
    choices = ", ".join(verbs)
    return InvalidInput(*messages.advice("notebook.mistakes.verb", name=name, choices=choices))


def explain_blank(
    error: NotImplementedError, trace: TracebackType | None, *, grade_id: str
) -> HandsonError | None:
    """Explain what belongs into an emptied cell, or return None for other errors.

    Args:
        error: The error that nbgrader's stub raises.
        trace: Its traceback.
        grade_id: The nbgrader id of the cell; empty where it is unknown.
    """
    if type(error) is not NotImplementedError or error.args or not _ends_in_cell(_frames(trace)):
        return None
    if grade_id == syllabus.DIAGRAM.grade_id:
        return NotReady(*messages.advice("notebook.mistakes.blank-diagram"))
    form = next((form for form in syllabus.FORMS if form.name == grade_id), None)
    if form is None:
        return NotReady(*messages.advice("notebook.mistakes.blank"))
    blanks = ", ".join(f"{setting}=…" for setting in form.settings)
    line = f"{form.name} = workshop.{form.verb}({blanks})"
    names = ", ".join(form.settings)
    return NotReady(*messages.advice("notebook.mistakes.blank-form", settings=names, line=line))


def find_definitions(notebooks: Sequence[Path]) -> dict[str, list[CellDefinition]]:
    """Return, for each name, the cells of the notebooks that assign it, in their order."""
    found: dict[str, list[CellDefinition]] = {}
    for path in notebooks:
        for cell in _code_cells(path):
            for name, line in _assignments(cell):
                found.setdefault(name, []).append(CellDefinition(path.stem, line))
    return found


def _explain_unknown_name(name: str, known: Sequence[str]) -> HandsonError:
    constant = _CONSTANTS.get(name.lower())
    if constant:
        advice = messages.advice("notebook.mistakes.constant", name=name, near=constant)
    elif near := find_nearest(name, known, cutoff=_SIMILARITY):
        advice = messages.advice("notebook.mistakes.misspelt", name=name, near=near)
    else:
        advice = messages.advice("notebook.mistakes.unknown-name", name=name)
    return InvalidInput(*advice)


def _notebooks(folder: Path) -> list[Path]:
    home = settings.find_notebooks_folder(folder)
    edition = folder if home is None else home / messages.language()
    return [edition / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]


def _grade_id(shell: Any) -> str:
    """Return the nbgrader id of the running cell, where the frontend sends it; JupyterLab does."""
    try:
        return str(shell.parent_header["metadata"]["nbgrader"]["grade_id"])
    except (AttributeError, LookupError, TypeError):
        return ""


def _code_cells(path: Path) -> list[str]:
    """Return the sources of a notebook's code cells; none of an unreadable notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _assignments(cell: str) -> Iterator[tuple[str, str]]:
    """Yield each name that a cell assigns outside of blocks, with the first line that does it."""
    try:
        statements = ast.parse(cell).body
    except (SyntaxError, ValueError):  # magics are not Python
        return
    for statement in statements:
        first, *rest = (ast.get_source_segment(cell, statement) or "").splitlines() or [""]
        line = first[:_LONGEST_LINE] + ("…" if rest or len(first) > _LONGEST_LINE else "")
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], line
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, line


def _frames(trace: TracebackType | None) -> list[FrameType]:
    return [frame for frame, _ in walk_tb(trace)]


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _ends_in_cell(frames: Sequence[FrameType]) -> bool:
    """Tell whether the cell's own code raised an error, not a library that it called."""
    return bool(frames) and _module(frames[-1]) == "__main__"


def _assigned_in(frame: FrameType) -> list[str]:
    """Return the names that the learner's cells have assigned, as seen from a frame."""
    names = {**frame.f_globals, **frame.f_locals}
    return [name for name in names if not name.startswith("_") and name not in _IPYTHON_NAMES]


def _with_checked_arguments(verb: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(verb)

    @wraps(verb)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        try:
            signature.bind(*arguments, **keywords)
        except TypeError:
            raise _refuse_arguments(verb.__name__, signature, keywords) from None
        try:
            return verb(*arguments, **keywords)
        except InvalidInput as error:
            given = [*arguments, *keywords.values()]
            error.remedy = _full_width_remedy(error, given) or error.remedy
            raise

    return checked


def _full_width_remedy(error: InvalidInput, arguments: Sequence[object]) -> str | None:
    """Return a remedy for full-width characters in the argument that an error is about, if any."""
    for value in arguments:
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and (text in error.problem or quote(text) in error.problem):
                remedy = advise_half_width(text)
                if remedy:
                    return remedy
    return None


def _refuse_arguments(
    verb: str, signature: inspect.Signature, keywords: dict[str, Any]
) -> InvalidInput:
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    names = [each.name for each in parameters]
    unknown = next((name for name in keywords if name not in names), None)
    if unknown is None:
        usage = ", ".join(
            each.name if each.default is each.empty else f"{each.name}=…" for each in parameters
        )
        advice = messages.advice("notebook.mistakes.arguments", verb=verb, usage=usage)
    elif near := find_nearest(unknown, names):
        advice = messages.advice(
            "notebook.mistakes.keyword-near", verb=verb, name=unknown, near=near
        )
    else:
        choices = ", ".join(names) or "-"
        advice = messages.advice(
            "notebook.mistakes.keyword", verb=verb, name=unknown, choices=choices
        )
    return InvalidInput(*advice)
