"""Two-line answers to common mistakes in a cell, where Python would print a traceback.

`check_arguments` makes the verbs of a class refuse arguments that do not fit, with the nearest name
or the whole form, and point out full-width characters.  `show_error` explains

    a misspelt verb                with the nearest verb
    a name without a value         with the cell that assigns it, found in the notebooks
    a cell that nbgrader emptied   with what belongs there
    a blank (`...`) left in a cell with what belongs there, and the heading where it is read
    an arrow in a diagram          with what arrows of the `diagrams` package may join
    a cell that Python cannot read with the corrected line (`syntax_errors`)
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, TypeVar

from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.folders import find_current_folder, find_edition, find_notebooks_folder
from handson.core.text import advise_half_width, find_nearest, quote
from handson.course import syllabus
from handson.course.learner_notebook import list_blanks
from handson.notebook.syntax_errors import explain_syntax_error

T = TypeVar("T")

_LONGEST_LINE = 60
_SIMILARITY = 0.8
_VERBS = "_handson_verbs"
_CONSTANTS = {"true": "True", "false": "False", "none": "None", "null": "None"}
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_FORMS = {form.verb: form.name for form in syllabus.FORMS} | {"start": "start"}
_HEADING = r"(?m)^#+ +(.+)$"
_Definitions = Mapping[str, Sequence[tuple[str, str]]]
"""For each name the cells that assign it: their notebooks, and the lines of the assignments."""
_ARROW_OPERATORS = ("shift__", "sub__")
"""How the names of the functions in `diagrams` end that `>>`, `<<` and `-` call."""


def check_arguments(held: type[T]) -> type[T]:
    """Make all public methods of a class refuse arguments that do not fit before they begin."""
    functions = {name: each for name, each in vars(held).items() if inspect.isfunction(each)}
    verbs = {name: each for name, each in functions.items() if not name.startswith("_")}
    for name, member in verbs.items():
        setattr(held, name, _with_checked_arguments(member))
    setattr(held, _VERBS, tuple(verbs))
    return held


def show_error(
    shell: Any, kind: Any, error: BaseException, trace: Any, *, tb_offset: Any, folder: Path
) -> None:
    """Show the explanation of a mistake in a cell, or else the error as IPython shows it.

    Args:
        shell: The result of `IPython.get_ipython`.
        kind: The type of the error.
        error: The error.
        trace: Its traceback.
        tb_offset: What IPython passes on to its own traceback.
        folder: The folder from which the notebooks are searched for, upwards.
    """
    explained = None
    with suppress(Exception):  # then Python's own text is better than no text
        cell = str(shell.user_ns["In"][-1])
        explained = explain_error(error, trace, cell=cell, folder=folder)
    if explained:
        # Keep the original type's name, which the kernel's reply carries as well: nbgrader shows
        # an error twice where the two names differ.
        shell._showtraceback(kind, explained, explained._render_traceback_())
    else:
        options = {"running_compiled_code": "__main__" in _list_modules(trace)}
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, **options)


def explain_error(
    error: BaseException, trace: Any, *, cell: str = "", folder: Path
) -> HandsonError | None:
    """Explain a mistake in a cell, or return None for other errors.

    Args:
        error: The error that the cell raised.
        trace: Its traceback.
        cell: The text of the cell; empty where it is unknown.
        folder: The folder from which the notebooks are searched for, upwards.
    """
    frames = [frame for frame, _ in walk_tb(trace)]
    modules = _list_modules(trace)
    if isinstance(error, SyntaxError):
        is_of_cell = "__main__" not in modules and (error.text or "").strip() in cell
        return explain_syntax_error(error, cell) if is_of_cell else None
    if isinstance(error, (AttributeError, TypeError)) and _is_arrow(error, frames, modules):
        return InvalidInput.from_key("notebook.mistakes.arrow")
    if modules[-1:] != ["__main__"]:  # a library that the cell called raised it
        return None
    if type(error) is NameError and error.name:
        return _explain_name(error.name, frames[-1], find_definitions(_list_notebooks(folder)))
    if type(error) is AttributeError and error.name:
        verbs = getattr(type(error.obj), _VERBS, ())
        keys = ("notebook.mistakes.verb-near", "notebook.mistakes.verb")
        return _suggest(error.name, verbs, *keys) if verbs else None
    if type(error) is NotImplementedError and not error.args:
        return NotReady.from_key("notebook.mistakes.blank")
    return None


def find_definitions(notebooks: Sequence[Path]) -> _Definitions:
    """Return, for each name, the cells of the notebooks that assign it, in their order."""
    found = defaultdict[str, list[tuple[str, str]]](list)
    for path in notebooks:
        for cell in _read_cells(path):
            for name, line in _assignments(cell):
                found[name].append((path.stem, line))
    return found


def _list_modules(trace: TracebackType | None) -> list[str]:
    """Return the names of the modules whose code was running; a cell's is `__main__`."""
    return [str(frame.f_globals.get("__name__", "")) for frame, _ in walk_tb(trace)]


def _is_arrow(error: Exception, frames: Sequence[FrameType], modules: Sequence[str]) -> bool:
    """Tell whether a cell has drawn an arrow with an end that is not a node."""
    # A frame (Cluster) has no operators: Python itself refuses an arrow between two of them.
    if modules[-1:] == ["__main__"]:
        return "operand" in str(error) and "'Cluster'" in str(error)
    operators = [frame for frame in frames if frame.f_code.co_name.endswith(_ARROW_OPERATORS)]
    return "__main__" in modules and modules[-1] == "diagrams" and bool(operators)


def _explain_name(name: str, frame: FrameType, definitions: _Definitions) -> HandsonError:
    if cells := definitions.get(name):
        notebook, line = cells[-1]
        is_only = len({notebook for notebook, _ in cells}) == 1
        key = "notebook.mistakes.not-yet" if is_only else "notebook.mistakes.not-yet-here"
        return NotReady.from_key(key, name=name, line=line, notebook=notebook)
    if constant := _CONSTANTS.get(name.lower()):
        return InvalidInput.from_key("notebook.mistakes.constant", name=name, near=constant)
    assigned = {**frame.f_globals, **frame.f_locals}.keys() - _IPYTHON_NAMES
    own = sorted(each for each in assigned if not each.startswith("_"))
    if near := find_nearest(name, [*own, *definitions, *dir(builtins)], cutoff=_SIMILARITY):
        return InvalidInput.from_key("notebook.mistakes.misspelt", name=name, near=near)
    return InvalidInput.from_key("notebook.mistakes.unknown-name", name=name)


def refuse_blanks(
    verb: str,
    arguments: Mapping[str, object],
    *,
    folder: Callable[[], Path] = find_current_folder,
) -> None:
    """Refuse arguments that are still `...`, and name the heading where the values are read.

    Args:
        verb: The verb that got them.
        arguments: Its arguments by name.
        folder: Returns the folder from which the notebooks are searched for, upwards.

    Raises:
        NotReady: A blank is left.
    """
    lists = {name: it if isinstance(it, (list, tuple)) else [it] for name, it in arguments.items()}
    left = [name for name, values in lists.items() if any(value is ... for value in values)]
    if not left:
        return
    form = _FORMS.get(verb, "image")
    known = messages.catalogue("notebook")
    labels = [
        f"{messages.label('notebook.widgets.setting', f'{form}.{name}')} ({name})"
        if f"widgets.setting.{form}.{name}" in known
        else name
        for name in left
    ]
    values = {"what": ", ".join(labels), "place": _find_section(verb, left, folder())}
    raise NotReady.from_key("notebook.mistakes.blank-argument", **values)


def _find_section(verb: str, left: Sequence[str], folder: Path) -> str:
    """Return the notebook and the heading above the cell in which a verb has such blanks."""
    for path in _list_notebooks(folder):
        heading = path.stem
        for cell in _read_cells(path):
            text = "".join(cell["source"])
            if cell["cell_type"] != "code":
                heading = [heading, *re.findall(_HEADING, text)][-1]
            elif f"{verb}(" in text and any(
                it in left or type(it) is int for it in list_blanks(cell)
            ):
                return messages.text("notebook.mistakes.section", notebook=path.stem, name=heading)
    return messages.text("notebook.mistakes.section-above")


def _suggest(
    name: str, choices: Sequence[str], near: str, other: str, **values: str
) -> InvalidInput:
    """Refuse a name: with the sentences `near` where a choice is similar, else with `other`."""
    if found := find_nearest(name, choices):
        return InvalidInput.from_key(near, name=name, near=found, **values)
    listed = ", ".join(choices) or "-"
    return InvalidInput.from_key(other, name=name, choices=listed, **values)


def _list_notebooks(folder: Path) -> list[Path]:
    home = find_notebooks_folder(folder)
    edition = find_edition(folder) or (home / messages.language() if home else folder)
    return [edition / f"{name}.ipynb" for name in syllabus.NOTEBOOKS]


def _read_cells(path: Path) -> list[Any]:
    """Return a notebook's cells; none of an unreadable notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell for cell in cells if {"source", "cell_type"} <= {*cell}]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _assignments(cell: Any) -> Iterator[tuple[str, str]]:
    """Yield each name that a cell assigns outside of blocks, with the first line that does it."""
    source = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):  # magics are not Python
        return
    for statement in statements:
        names: list[str] = []
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            names = [each.asname or each.name.partition(".")[0] for each in statement.names]
        elif isinstance(statement, ast.Assign):
            names = [each.id for each in statement.targets if isinstance(each, ast.Name)]
        first, *rest = (ast.get_source_segment(source, statement) or "").splitlines() or [""]
        line = first[:_LONGEST_LINE] + ("…" if rest or len(first) > _LONGEST_LINE else "")
        yield from ((name, line) for name in names)


def _with_checked_arguments(verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        signature = inspect.signature(verb)  # here, because it takes a start milliseconds
        try:
            given = signature.bind(*arguments, **keywords).arguments
        except TypeError:
            raise _refuse_arguments(verb.__name__, signature, keywords) from None
        refuse_blanks(verb.__name__, given)
        try:
            return verb(*arguments, **keywords)
        except InvalidInput as error:
            values = [*arguments, *keywords.values()]
            error.remedy = _full_width_remedy(error, values) or error.remedy
            raise
        except (RuntimeError, BlockingIOError) as error:  # the latter is fork's
            if isinstance(error, RuntimeError) and "can't start new thread" not in str(error):
                raise
            raise NotReady.from_key("core.exhausted", reason=error) from error

    return checked


def _full_width_remedy(error: InvalidInput, arguments: Sequence[object]) -> str | None:
    """Return a remedy for full-width characters in the argument that an error is about, if any."""
    lists = [value if isinstance(value, (list, tuple)) else [value] for value in arguments]
    texts = [text for values in lists for text in values if isinstance(text, str)]
    named = [text for text in texts if text in error.problem or quote(text) in error.problem]
    return next(filter(None, map(advise_half_width, named)), None)


def _refuse_arguments(
    verb: str, signature: inspect.Signature, keywords: dict[str, Any]
) -> InvalidInput:
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    names = [each.name for each in parameters]
    for name in keywords:
        if name not in names:
            keys = ("notebook.mistakes.keyword-near", "notebook.mistakes.keyword")
            return _suggest(name, names, *keys, verb=verb)
    blanks = ["" if each.default is each.empty else "=…" for each in parameters]
    usage = ", ".join(f"{name}{blank}" for name, blank in zip(names, blanks, strict=True))
    return InvalidInput.from_key("notebook.mistakes.arguments", verb=verb, usage=usage)
