"""Slips in a cell, answered in two lines: a keyword that is not there, a name without a value."""

from __future__ import annotations

import errno
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.events import EventManager, available_events

import handson
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.notebook import explain_errors, load_ipython_extension, mistakes
from handson.notebook.workshop import Workshop

STUB = "raise NotImplementedError()"


@mistakes.check_arguments
class Shop:
    def ensure_shelf(self, name: str, *, height: int = 2, colour: str = "red") -> str:
        """Say what was asked for."""
        return f"{name} {height} {colour}"

    def close(self, word: str = "yes", *, doors: tuple[str, ...] = ()) -> None:
        for said in (word, *doors):
            if said not in ("yes", "front"):
                raise InvalidInput(f"There is no {said!r}.", "Say yes.")

    def open(self, raising: Exception) -> None:
        raise raising


def refused(call: Callable[[], object]) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        call()
    return refusal.value


def test_arguments_that_do_not_fit_are_answered_with_those_that_do() -> None:
    shop: Any = Shop()
    assert shop.ensure_shelf("goods", height=3) == "goods 3 red"
    assert shop.ensure_shelf.__doc__ == "Say what was asked for."
    misspelt = refused(lambda: shop.ensure_shelf("goods", hieght=3))
    assert ("hieght" in misspelt.problem, "height" in misspelt.remedy) == (True, True)
    assert "name, height, colour" in refused(lambda: shop.ensure_shelf("goods", zzz=3)).remedy
    few, many = refused(shop.ensure_shelf), refused(lambda: shop.ensure_shelf("goods", 3))
    assert "ensure_shelf(name, height=…, colour=…)" in few.remedy == many.remedy


def test_full_width_characters_are_named_where_a_verb_refuses_them() -> None:
    keywords: dict[str, dict[str, Any]] = {"yes": {"word": "ｙes"}, "back": {"doors": ("ｂack",)}}
    for plain, one in keywords.items():
        assert f'半角の "{plain}"' in refused(lambda one=one: Shop().close(**one)).remedy  # type: ignore[misc]
    assert refused(lambda: Shop().close("no", doors=("ｆront",))).remedy == "Say yes."


def test_a_machine_without_threads_or_processes_left_is_told() -> None:
    for error in (RuntimeError("can't start new thread"), BlockingIOError(errno.EAGAIN, "fork")):
        with pytest.raises(NotReady, match="プロセスやスレッド"):
            Shop().open(error)
    with pytest.raises(RuntimeError, match="something else"):
        Shop().open(RuntimeError("something else"))


def test_every_verb_of_the_workshop_refuses_a_keyword_that_it_does_not_have() -> None:
    verbs = [
        name for name, verb in vars(Workshop).items() if callable(verb) and not name.startswith("_")
    ]
    told = {name: refused(lambda name=name: getattr(Workshop, name)(None, zzz=1)) for name in verbs}  # type: ignore[misc]
    assert [name for name, error in told.items() if name not in error.problem] == []


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """Return a folder with notebooks, two of which a learner has spoilt."""
    edition = tmp_path / "notebooks" / "ja"
    edition.mkdir(parents=True)
    write(edition / "00-prepare.ipynb", "import handson\nshop = handson.start(learner='')")
    start = "import handson\nshop = handson.start()"
    made = 'network = shop.ensure_network(\n    name="x",\n)\nnetwork'
    block = "with Box():\n    hidden = 1"
    write(edition / "01-network.ipynb", start, "%matplotlib inline", made, block)
    (edition / "02-cluster.ipynb").write_text("{", encoding="utf-8")
    (edition / "03-image.ipynb").write_text('{"cells": 7}', encoding="utf-8")
    return edition


def write(path: Path, *sources: str) -> None:
    code = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    cells = [{"cell_type": "markdown", "source": ["network = 1"]}, *code]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


class Shell:
    """What IPython does with an error in a cell, as far as it matters here."""

    def __init__(self, folder: Path) -> None:
        self.custom_exceptions: tuple[type[BaseException], ...] = ()
        self.shown: list[BaseException] = []
        self.user_ns: dict[str, Any] = {"In": [""]}
        self.events = EventManager(self, available_events)
        self.kernel = SimpleNamespace(language_info={"name": "python", "version": "3.11.0"})
        explain_errors(self, folder=lambda: folder)

    def set_custom_exc(self, kinds: tuple[type[BaseException], ...], answer: Any) -> None:
        self.custom_exceptions, self._answer = kinds, answer

    def showtraceback(self, seen: Any, **_: Any) -> None:
        self.shown.append(seen[1])

    def _showtraceback(self, kind: type, error: BaseException, lines: list[str]) -> None:
        assert lines == str(error).splitlines()
        self.shown.append(error)

    def run(self, cell: str, *, module: str = "__main__") -> BaseException:
        """Run a cell as a module of that name; return the error that is shown."""
        self.user_ns["In"].append(cell)
        try:
            exec(cell, {"__name__": module})
        except InvalidInput as error:  # a verb or a frame refuses by itself
            self.shown.append(error)
        except self.custom_exceptions as error:
            self._answer(self, type(error), error, error.__traceback__)
        return self.shown[-1]


@pytest.fixture
def shell(notebooks: Path) -> Shell:
    return Shell(notebooks)


def told(shell: Shell, cell: str) -> HandsonError:
    error = shell.run(cell)
    assert isinstance(error, HandsonError)
    assert str(error).count("\n") == 1
    return error


def test_a_name_of_the_notebooks_is_answered_with_its_cell(shell: Shell) -> None:
    one, every = told(shell, "network"), told(shell, "shop.ensure_network()")
    assert (type(one), type(every)) == (NotReady, NotReady)
    assert ("01-network" in one.remedy, "network = shop.ensure_network(…" in one.remedy) == (1, 1)
    assert ("このノートブック" in every.remedy, "shop = handson.start()" in every.remedy) == (1, 1)
    assert isinstance(told(shell, "hidden"), InvalidInput)  # it stands inside a block


NEAREST = {
    "netwrk": "network",
    "name = 花子": '"花子"',
    "fargate = true": "True",
    "fargate = FALSE": "False",
    "fargate = null": "None",
    "subnet_1 = 1\nsubnet1": "subnet_1",
    "def f():\n    browser = 1\n    brwser\nf()": "browser",
    "pritn(1)": "print",
}


def test_another_name_is_answered_with_what_was_probably_meant(shell: Shell) -> None:
    remedies = {cell: told(shell, cell).remedy for cell in NEAREST}
    assert {cell: near for cell, near in NEAREST.items() if near not in remedies[cell]} == {}
    assert '"' not in remedies["fargate = true"]


DRAWN = """
import diagrams
from diagrams import Cluster, Edge, Node
from handson.drawing import Diagram
with Diagram("x", show=False):
    with Cluster("VPC") as vpc:
        a = Node("a")
    b = Node("b")
"""
ARROWS = (
    *("a >> vpc", "a << vpc", "a - vpc", "vpc >> a", "vpc << a", "vpc - a", "vpc >> vpc"),
    *("[a, vpc] >> b", "a >> [b, vpc]", "a >> Edge(label='x') >> vpc", "a >> None"),
    *("a >> 'VPC'", "a << 'VPC'", "'VPC' >> a", "a >> Edge(label='x') >> 'VPC'"),
)


def test_an_arrow_that_leads_to_no_icon_is_answered(shell: Shell) -> None:
    for arrow in ARROWS:
        assert "アイコン" in str(shell.run(f"{DRAWN}    {arrow}")), arrow


MADE = "from tests.unit.test_mistakes import Shop\nshop = Shop()\n"


def test_a_misspelt_verb_is_answered_with_the_nearest_or_all(shell: Shell) -> None:
    near, every = (told(shell, f"{MADE}shop.{name}") for name in ("ensure_shlef('goods')", "zzz"))
    assert ("ensure_shlef" in near.problem, "ensure_shelf" in near.remedy) == (True, True)
    assert "ensure_shelf, close" in every.remedy


MENDED = {
    "print（“a”）": 'print("a")',
    "f(１，2)": "f(1,2)",
    "f(name=「x」)": 'f(name="x")',
    "x\u3000= 1": "x = 1",
    "for x in y：\n    print（x）": "for x in y: ⏎ print(x)",
    'f(name="x" cidr="y" zones=2)': 'f(name="x", cidr="y", zones=2)',
    'f(\n    name="x"\n    cidr="y",\n)': 'name="x",',
    'f（name="x" a=1）': 'f(name="x", a=1)',
    'f("network"\nx': 'f("network")',
    "f([1, 2)": "f([1, 2])",
    "f(1))": "f(1)",
    'f(name="x, cidr="y")': 'f(name="x", cidr="y")',
    'f(network")': 'f("network")',
    "f('network\")": "f('network')",
    'f("a”)': 'f("a")',
    'f(learner="花子': 'f(learner="花子")',
    'with Box("x")\n    y': 'with Box("x"):',
}
NAMED = {
    "f(a：1)": ("1 行目の「：」", "半角の「:」"),
    "x = 1\n\u3000y = 2": ("2 行目の「全角の空白」", "半角の「 」"),
    "f(cidr=…)": ("1 行目の「…」", "値に書き換えて"),
    "f(cidr=10.0.0.0/16)": ("1 行目", "引用符"),
    # Of the corrections of a long cell, all pairs would take minutes.
    "f(\n" + "    name=1,\n" * 9 + "    b（0,\n)\nx": ("11 行目の「（」", "半角の「(」"),
    "with box:\nx": ("2 行目", "4 つ"),
}


def test_a_cell_that_python_cannot_read_is_answered_with_the_corrected_line(shell: Shell) -> None:
    remedies = {cell: told(shell, cell).remedy.partition(": ")[2] for cell in MENDED}
    assert remedies == MENDED


def test_where_no_correction_helps_the_place_and_what_to_write_are_named(shell: Shell) -> None:
    for cell, (place, wanted) in NAMED.items():
        error = told(shell, cell)
        assert (place in error.problem, wanted in error.remedy) == (True, True), cell


def test_a_kernel_explains_mistakes_from_its_start_beside_the_notebooks(
    notebooks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    monkeypatch.delenv("HANDSON_LANG", raising=False)
    (notebooks.parent / "en").mkdir()
    for folder in (notebooks, notebooks.parent / "en", notebooks.parent.parent):
        shell = Shell(folder)
        shell.custom_exceptions = ()
        monkeypatch.chdir(folder)
        messages.use("ja")
        load_ipython_extension(shell)
        explained = SyntaxError in shell.custom_exceptions
        found[folder.name] = (explained, messages.language(), *shell.kernel.language_info)
    assert found == {
        "ja": (True, "ja", "name"),
        "en": (True, "en", "name"),
        notebooks.parent.parent.name: (False, "ja", "name", "version"),
    }


def test_the_package_enables_the_extension_in_every_kernel(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [folder] = [source for source, target in shared.items() if target == "etc/ipython"]
    config = json.loads((root / folder / "ipython_kernel_config.json").read_text(encoding="utf-8"))
    assert config == {"InteractiveShellApp": {"extra_extensions": ["handson.notebook"]}}


KEPT: list[tuple[str, str, type[Exception]]] = [
    ("1 >> 'VPC'", "__main__", TypeError),
    ("x = = 1", "__main__", SyntaxError),
    ("eval('f(a b)')", "__main__", SyntaxError),
    ("len(1)", "__main__", TypeError),
    ("[].zzz", "__main__", AttributeError),
    (f"{MADE}shop.opne()", "somebodys.library", AttributeError),
    ("network", "somebodys.library", NameError),
    (STUB, "somebodys.library", NotImplementedError),
    ("raise NotImplementedError('later')", "__main__", NotImplementedError),
    ("def f():\n    print(network)\n    network = 1\nf()", "__main__", UnboundLocalError),
]


def test_other_errors_keep_their_traceback(shell: Shell) -> None:
    kinds = [type(shell.run(cell, module=module)) for cell, module, _ in KEPT]
    assert kinds == [kind for _, _, kind in KEPT]


def test_without_notebooks_a_name_is_answered_all_the_same(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert isinstance(told(shell, "network"), InvalidInput)
    # An assignment's notebooks lie in the folder itself.
    write(tmp_path / "01-network.ipynb", "network = shop.ensure_network()")
    assert isinstance(told(shell, "network"), NotReady)


def test_an_emptied_cell_is_answered_with_what_belongs_into_it(shell: Shell) -> None:
    for cell in (f"drawn = True\n{STUB}", STUB):
        remedy = told(shell, cell).remedy
        assert [it for it in ("with の中に描き足し", "YOUR CODE HERE") if it not in remedy] == []


def test_a_blank_is_answered_before_any_call_with_its_name_and_the_heading_to_read(
    notebooks: Path,
) -> None:
    for at, verb in enumerate(("start", "ensure_network")):
        prose = {"cell_type": "markdown", "source": [f"## {verb}\n", "### Sheet\n", "text"]}
        blanks = {"handson": {"blanks": [0, "cidr"] if at else ["learner"]}}
        cell = {"cell_type": "code", "source": [f"shop.{verb}(...)"], "metadata": blanks}
        book = {"cells": [prose, cell, prose | {"source": "## Later"}]}
        (notebooks / f"0{at}-{('prepare', 'network')[at]}.ipynb").write_text(json.dumps(book))

    def asked(verb: str, **given: Any) -> str:
        with pytest.raises(NotReady) as error:
            mistakes.refuse_blanks(verb, given, folder=lambda: notebooks)
        return str(error.value)

    network = asked("ensure_network", name="mine", cidr=..., zones=("us-east-1a", ...))
    assert "IPv4 CIDR ブロック (cidr), AZ のカスタマイズ (空欄なら自動) (zones)" in network
    assert "01-network の「Sheet」" in network
    assert "00-prepare の「Sheet」" in asked("start", learner=...)
    for verb, name in (("start", "region"), ("run_image", "tag")):
        assert "セルの上の説明" in asked(verb, **{name: ...})
    mistakes.refuse_blanks("ensure_network", {"cidr": "", "zones": ["..."]})


def test_every_verb_refuses_a_blank() -> None:
    for blank in (lambda: Shop().ensure_shelf(...), lambda: handson.start(learner=...)):  # type: ignore[arg-type]
        with pytest.raises(NotReady):
            blank()


def test_what_is_not_ours_to_explain_is_left_alone(shell: Shell, notebooks: Path) -> None:
    shell.set_custom_exc((KeyError,), print)  # an answer of the learner's own
    explain_errors(shell, folder=lambda: notebooks)
    assert shell.custom_exceptions == (KeyError,)
    with pytest.raises(NameError) as raised:
        undefined  # type: ignore[name-defined]  # noqa: B018, F821
    for error, trace in ((NameError(name="x"), None), (raised.value, raised.tb)):
        assert mistakes.explain_error(error, trace, folder=Path()) is None
