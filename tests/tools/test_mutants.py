"""`make mutants`: which changes it makes, and what it says of those that tests do not notice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

SHOP = '''"""A shop."""

def is_cheap(price: int) -> bool:
    return price < 10

def count_boxes(eggs: int) -> int:
    boxes = 0
    while eggs > 0:
        eggs -= 6
        boxes += 1
    return boxes
'''
TESTS = """import shop

def test_a_price():
    assert (shop.is_cheap(9), shop.is_cheap(11)) == (True, False)

def test_boxes():
    assert shop.count_boxes(7) == 2
"""
NOTICED = '{ was = "boxes = 0", now = "boxes = 1" }'
ENDLESS = '{ was = "eggs -= 6", now = "eggs -= 0" }'
UNNOTICED = '{ was = "price < 10", now = "price <= 10" }'
EQUIVALENT = '{ was = "eggs > 0", now = "0 < eggs", equivalent = "says the same" }'

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tool(root: Path) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root / "tools"), *sys.path])
        import mutants  # type: ignore[import-not-found, unused-ignore]

        yield mutants


@pytest.fixture
def make(root: Path, tmp_path: Path) -> Make:
    """Run the tool on a project of one module, with the options and picked mutants given."""

    def run(
        *options: str, mutants: str = "", tests: str = TESTS
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "tests").mkdir()
        (tmp_path / "shop.py").write_text(SHOP)
        (tmp_path / "test_shop.py").write_text(tests)
        (tmp_path / "tests" / "mutants.toml").write_text(
            "heavy = []\nlist_rate = 85\nrandom_rate = 95\nseed = 1\ncount = 9\n[modules]\n"
            f'"shop.py" = {{ tests = ["test_shop.py"], mutants = [{mutants}] }}\n'
        )
        command = [sys.executable, str(root / "tools" / "mutants.py"), *options]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("x = a < b", {"(a <= b)", "(a >= b)"}),
        ("x = a and b", {"(a or b)", "(a)", "(b)"}),
        ("if not a: b()", {"(a)", "pass"}),
        ("x = 1 if a else -2", {"2", "0", "(not (a))", "3", "1"}),
        ("x = True, 'word', ''", {"False", "''"}),
        ("x = a[b:-1]", {"(b) + 1", "2", "0"}),
        ("def f(a: int = 4) -> 'A':\n  '''Doc.'''\n  return a", {"5", "3", "return None"}),
        ("for a in b:\n  if a: continue\n  c += 1", {"(not (a))", "pass", "c -= 1", "2", "0"}),
        ("def f(a):\n  return False", {"True"}),
        ("raise AssertionError('never')\n__all__ = ['x']\nA = B | C", set()),
    ],
)
def test_the_changes_of_a_piece_of_code(tool: ModuleType, code: str, changes: set[str]) -> None:
    assert {mutant.now for mutant in tool.list_mutants("x.py", code)} == changes


def test_a_change_behind_japanese_text_is_made_at_its_place(tool: ModuleType) -> None:
    code = "x = f('構成図', a < b)"
    changed = {mutant.apply(code) for mutant in tool.list_mutants("x.py", code)}
    assert changed == {f"x = f('構成図', {now})" for now in ("(a <= b)", "(a >= b)")} | {
        "x = f('', a < b)"
    }


def test_a_seed_draws_the_same_mutants_again(tool: ModuleType) -> None:
    found = tool.list_mutants("shop.py", SHOP)
    first, again, other = (tool.choose_mutants(found, 5, random.Random(s)) for s in (7, 7, 8))
    assert again == first != other


@pytest.mark.full  # as make mutants
def test_what_is_killed_and_what_survives_is_counted_and_shown(make: Make, tmp_path: Path) -> None:
    made = make("--list", mutants=", ".join((NOTICED, ENDLESS, UNNOTICED, EQUIVALENT)))
    assert made.stdout.splitlines()[1:] == [
        "The list, and 1 equivalent ones that do not count",
        f"{'':40} mutants killed  rate",
        f"{'shop.py':40} {3:7} {2:6} {66:4} %",
        f"{'in all':40} {3:7} {2:6} {66:4} %",
        "survived: shop.py:4: price < 10 → price <= 10",
        "FAILED: 66.7 % are killed, and 85 % are asked for",
    ]
    assert made.returncode == 1
    left = [each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(tmp_path)]
    assert left == []


def test_nothing_fails_where_the_rate_is_reached(make: Make) -> None:
    assert make("--list", mutants=NOTICED).returncode == 0


@pytest.mark.parametrize(
    ("mutants", "tests", "sentence"),
    [
        ('{ was = "price > 10", now = "" }', TESTS, "shop.py: found 0 times: 'price > 10'"),
        ('{ was = "price", now = "x" }', TESTS, "shop.py: found 2 times: 'price'"),
        ('{ was = "price < 10", now = "<" }', TESTS, "shop.py: invalid syntax: '<' for"),
        (NOTICED, TESTS.replace("== 2", "== 3"), "the unchanged module is not green"),
        (NOTICED, "def test_nothing(): pass", "these tests do not import it"),
        (NOTICED, "", "the unchanged module is not green"),
    ],
    ids=["gone", "twice", "no-python", "red", "not-imported", "no-tests"],
)
def test_no_rate_is_told_where_the_data_or_the_tests_are_at_fault(
    make: Make, mutants: str, tests: str, sentence: str
) -> None:
    made = make("--list", mutants=mutants, tests=tests)
    assert made.returncode == 1
    assert sentence in made.stdout
    assert "in all" not in made.stdout
