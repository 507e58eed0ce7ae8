"""Slips in a cell, answered in two lines: a keyword that is not there, a name without a value."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.course import syllabus
from handson.notebook import mistakes
from handson.notebook.workshop import Workshop

STUB = "raise NotImplementedError()"


@mistakes.check_arguments
class Shop:
    """Something with verbs."""

    def ensure_shelf(self, name: str, *, height: int = 2, colour: str = "red") -> str:
        """Say what was asked for."""
        return f"{name} {height} {colour}"

    def close(self, word: str = "yes", *, doors: tuple[str, ...] = ()) -> None:
        """Take one word, and doors that there are."""
        for said in (word, *doors):
            if said not in ("yes", "front"):
                raise InvalidInput(f"There is no {said!r}.", "Say yes.")

    def open(self) -> object:
        """Make a mistake of its own."""
        return self.ensure_shelf(**{"nam": "x"})


def refused(call: Callable[[], object]) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        call()
    return refusal.value


def test_a_verb_that_is_called_well_does_its_work() -> None:
    assert Shop().ensure_shelf("goods", height=3) == "goods 3 red"


def test_a_misspelt_keyword_is_answered_with_the_nearest() -> None:
    error = refused(lambda: Shop().ensure_shelf("goods", hieght=3))  # type: ignore[call-arg]
    assert ("hieght" in error.problem, "height" in error.remedy) == (True, True)


def test_a_keyword_that_is_like_none_is_answered_with_all() -> None:
    error = refused(lambda: Shop().ensure_shelf("goods", zzz=3))  # type: ignore[call-arg]
    assert "name, height, colour" in error.remedy


@pytest.mark.parametrize("arguments", [(), ("goods", 3)], ids=["too few", "too many"])
def test_arguments_that_do_not_fit_are_answered_with_the_form(arguments: tuple[Any, ...]) -> None:
    error = refused(lambda: Shop().ensure_shelf(*arguments))
    assert "ensure_shelf(name, height=…, colour=…)" in error.remedy


@pytest.mark.parametrize(
    ("keywords", "mended"), [({"word": "ｙes"}, "yes"), ({"doors": ("front", "ｂack")}, "back")]
)
def test_full_width_signs_in_what_a_verb_refuses_are_named(
    keywords: dict[str, Any], mended: str
) -> None:
    assert f'半角の "{mended}"' in refused(lambda: Shop().close(**keywords)).remedy


def test_full_width_signs_in_what_is_not_refused_are_not_blamed() -> None:
    error = refused(lambda: Shop().close("no", doors=("ｆront",)))
    assert error.remedy == "Say yes."


def test_a_verb_keeps_its_name_and_what_it_says_of_itself() -> None:
    assert (Shop.open.__name__, Shop.open.__doc__) == ("open", "Make a mistake of its own.")


def test_every_verb_of_the_workshop_refuses_a_keyword_that_it_does_not_have() -> None:
    verbs = [
        name for name, verb in vars(Workshop).items() if callable(verb) and not name.startswith("_")
    ]
    told = [refused(lambda name=name: getattr(Workshop, name)(None, zzz=1)) for name in verbs]  # type: ignore[misc]
    assert [
        name for name, error in zip(verbs, told, strict=True) if name not in error.problem
    ] == []


# Names


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """Return a folder with notebooks, two of which a learner has spoilt."""
    edition = tmp_path / "notebooks" / "ja"
    edition.mkdir(parents=True)
    write(edition / "00-prepare.ipynb", "import handson\nshop = handson.start(learner='')")
    write(
        edition / "01-network.ipynb",
        "import handson\nshop = handson.start()",
        "%matplotlib inline",
        'network = shop.ensure_network(\n    name="x",\n)\nnetwork',
        "with Box():\n    hidden = 1",
    )
    (edition / "02-cluster.ipynb").write_text("{", encoding="utf-8")
    (edition / "03-image.ipynb").write_text('{"cells": 7}', encoding="utf-8")
    return edition


def write(path: Path, *sources: str) -> None:
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    text = [{"cell_type": "markdown", "source": ["network = 1"]}]
    path.write_text(json.dumps({"cells": [*text, *cells]}), encoding="utf-8")


class Shell:
    """What IPython does with an error in a cell, as far as it matters here."""

    def __init__(self) -> None:
        self.custom_exceptions: tuple[type[BaseException], ...] = ()
        self.shown: list[BaseException] = []
        self.parent_header: Any = {}
        self._answer: Any = None

    def set_custom_exc(self, kinds: tuple[type[BaseException], ...], answer: Any) -> None:
        self.custom_exceptions, self._answer = kinds, answer

    def showtraceback(self, seen: Any, **_: Any) -> None:
        self.shown.append(seen[1])

    def run(self, cell: str, *, module: str = "__main__") -> BaseException:
        """Run a cell as a module of that name; return the error that is shown."""
        try:
            exec(cell, {"__name__": module})
        except self.custom_exceptions as error:
            self._answer(self, type(error), error, error.__traceback__)
        return self.shown[-1]


@pytest.fixture
def shell(notebooks: Path) -> Shell:
    shell = Shell()
    mistakes.explain_errors(shell, folder=lambda: notebooks)
    return shell


def told(shell: Shell, cell: str) -> HandsonError:
    error = shell.run(cell)
    assert isinstance(error, HandsonError)
    assert str(error).count("\n") == 1
    return error


def test_a_name_of_one_notebook_is_answered_with_its_cell(shell: Shell) -> None:
    error = told(shell, "network")
    assert isinstance(error, NotReady)
    assert ("01-network" in error.remedy, "network = shop.ensure_network(…" in error.remedy) == (
        True,
        True,
    )


def test_a_name_of_every_notebook_is_answered_with_the_cell_of_this_one(shell: Shell) -> None:
    error = told(shell, "shop.ensure_network()")
    assert ("このノートブック" in error.remedy, "shop = handson.start()" in error.remedy) == (
        True,
        True,
    )


def test_a_misspelt_name_is_answered_with_the_nearest(shell: Shell) -> None:
    assert "network" in told(shell, "netwrk").remedy


def test_a_word_without_quotes_is_answered_with_quotes(shell: Shell) -> None:
    assert '"花子"' in told(shell, "name = 花子").remedy


@pytest.mark.parametrize(
    ("word", "constant"),
    [("true", "True"), ("FALSE", "False"), ("none", "None"), ("null", "None")],
)
def test_a_constant_of_another_language_is_answered_with_pythons(
    shell: Shell, word: str, constant: str
) -> None:
    error = told(shell, f"fargate = {word}")
    assert (constant in error.remedy, '"' in error.remedy) == (True, False)


@pytest.mark.parametrize(
    "cell", ["subnet_1 = 1\nsubnet1", "def f():\n    browser = 1\n    brwser\nf()"]
)
def test_a_misspelt_name_of_ones_own_is_answered_with_it(shell: Shell, cell: str) -> None:
    near = cell.split(" = ")[0].split()[-1]
    assert told(shell, cell).remedy.startswith(near)


def test_a_misspelt_name_of_pythons_own_is_answered_with_it(shell: Shell) -> None:
    assert "print" in told(shell, "pritn(1)").remedy


# Arrows

DRAWN = """
import diagrams
from diagrams import Cluster, Edge, Node
from handson.drawing import Diagram
with Diagram("x", show=False):
    with Cluster("VPC") as vpc:
        a = Node("a")
    b = Node("b")
"""


@pytest.mark.parametrize(
    "arrow",
    [
        "a >> vpc",
        "a << vpc",
        "a - vpc",
        "vpc >> a",
        "vpc << a",
        "vpc - a",
        "vpc >> vpc",
        "[a, vpc] >> b",
        "a >> [b, vpc]",
        "a >> Edge(label='x') >> vpc",
        "a >> 'VPC'",
        "a << 'VPC'",
        "'VPC' >> a",
        "a >> Edge(label='x') >> 'VPC'",
        "a >> None",
    ],
)
def test_an_arrow_that_leads_to_no_icon_is_answered(shell: Shell, arrow: str) -> None:
    try:
        seen = shell.run(f"{DRAWN}    {arrow}")
    except InvalidInput as error:  # a frame refuses by itself
        seen = error
    assert "アイコン" in str(seen)


@pytest.mark.parametrize("cell", ["1 >> 'VPC'", "len(1)", "[].zzz"])
def test_other_mistakes_with_types_keep_their_traceback(shell: Shell, cell: str) -> None:
    assert not isinstance(shell.run(cell), HandsonError)


MADE = "from tests.unit.test_mistakes import Shop\nshop = Shop()\n"


def test_a_misspelt_verb_is_answered_with_the_nearest(shell: Shell) -> None:
    error = told(shell, f"{MADE}shop.ensure_shlef('goods')")
    assert ("ensure_shlef" in error.problem, "ensure_shelf" in error.remedy) == (True, True)


def test_a_verb_that_is_like_none_is_answered_with_all(shell: Shell) -> None:
    assert "ensure_shelf, close, open" in told(shell, f"{MADE}shop.zzz").remedy


@pytest.mark.parametrize(
    ("cell", "module"), [("''.zzz", "__main__"), (f"{MADE}shop.opne()", "somebodys.library")]
)
def test_what_others_lack_keeps_its_traceback(shell: Shell, cell: str, module: str) -> None:
    assert type(shell.run(cell, module=module)) is AttributeError


def test_a_name_inside_a_block_is_nobodys(shell: Shell) -> None:
    assert isinstance(told(shell, "hidden"), InvalidInput)


def test_a_name_that_a_library_lacks_keeps_its_traceback(shell: Shell) -> None:
    assert type(shell.run("network", module="somebodys.library")) is NameError


def test_a_variable_before_its_value_keeps_its_traceback(shell: Shell) -> None:
    cell = "def f():\n    print(network)\n    network = 1\nf()"
    assert type(shell.run(cell)) is UnboundLocalError


def test_without_notebooks_a_name_is_answered_all_the_same(tmp_path: Path) -> None:
    shell = Shell()
    mistakes.explain_errors(shell, folder=lambda: tmp_path)
    assert isinstance(told(shell, "network"), InvalidInput)


def blank(shell: Shell, grade_id: str, cell: str = STUB) -> BaseException:
    """Run a cell of that nbgrader id, as JupyterLab tells the kernel of it."""
    shell.parent_header = {"metadata": {"nbgrader": {"grade_id": grade_id}}}
    return shell.run(cell)


@pytest.mark.parametrize("form", syllabus.FORMS, ids=lambda form: form.name)
def test_an_emptied_form_is_answered_with_its_settings(shell: Shell, form: syllabus.Form) -> None:
    error = blank(shell, form.name)
    assert isinstance(error, NotReady)
    assert [name for name in form.settings if f"{name}=…" not in error.remedy] == []


def test_an_emptied_drawing_is_answered_with_what_to_add(shell: Shell) -> None:
    assert "構成図" in str(blank(shell, "architecture", f"drawn = True\n{STUB}"))


@pytest.mark.parametrize("told", [None, {}, {"metadata": None}, {"metadata": {"nbgrader": []}}])
def test_an_emptied_cell_is_answered_where_the_frontend_tells_nothing(
    shell: Shell, told: Any
) -> None:
    shell.parent_header = told
    assert "YOUR CODE HERE" in str(shell.run(STUB))


@pytest.mark.parametrize("cell", ["raise NotImplementedError('later')", f"{STUB[:-2]}('x')"])
def test_what_a_learner_leaves_for_later_keeps_its_traceback(shell: Shell, cell: str) -> None:
    assert type(blank(shell, "network", cell)) is NotImplementedError


def test_what_a_library_lacks_keeps_its_traceback(shell: Shell) -> None:
    assert type(shell.run(STUB, module="somebodys.library")) is NotImplementedError


def test_beside_an_assignments_notebooks_names_are_found_too(tmp_path: Path) -> None:
    write(tmp_path / "01-network.ipynb", "network = shop.ensure_network()")
    shell = Shell()
    mistakes.explain_errors(shell, folder=lambda: tmp_path)
    assert isinstance(shell.run("network"), NotReady)


def test_an_answer_of_the_learners_own_is_left_in_its_place(notebooks: Path) -> None:
    shell = Shell()
    shell.set_custom_exc((KeyError,), print)
    mistakes.explain_errors(shell, folder=lambda: notebooks)
    assert shell.custom_exceptions == (KeyError,)


def test_outside_of_ipython_nothing_happens() -> None:
    mistakes.explain_errors(None)


def test_an_error_without_a_trace_is_not_of_a_cell() -> None:
    assert mistakes.explain_error(NameError(name="x"), None, folder=Path()) is None


def trace_of_this_module() -> TracebackType | None:
    try:
        raise NameError
    except NameError:
        return sys.exc_info()[2]


def test_an_error_in_a_module_is_not_of_a_cell() -> None:
    trace = trace_of_this_module()
    assert mistakes.explain_error(NameError(name="network"), trace, folder=Path()) is None


@pytest.mark.parametrize("name", ["workshop", "network", "cluster", "repository", "image"])
def test_the_names_of_our_own_notebooks_are_found(root: Path, name: str) -> None:
    found = mistakes.find_definitions(sorted((root / "notebooks" / "ja").glob("*.ipynb")))
    assert found[name][0].line.startswith(f"{name} = ")


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_an_answer_speaks_the_learners_language(shell: Shell, language: str) -> None:
    messages.use(language)
    said = told(shell, "netwrk").problem
    assert said.startswith({"ja": "netwrk という", "en": "There is no"}[language])
