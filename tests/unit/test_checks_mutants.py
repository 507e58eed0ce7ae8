"""The checks with one thing turned round in them: the catalogues of states notice.

Each mutant turns one comparison, one `and`, `or` or `not` of a check round.  It is caught when some
state of test_checks.py is then judged, or told, otherwise than the catalogue says.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import pytest

from handson.course import checks, syllabus
from handson.course.checks import cluster, image, network, network_facts, repository
from handson.course.state import Snapshot
from tests.unit.test_checks import RIGHT, WRONG

ROOMS = (network, network_facts, cluster, repository, image)
AROUND: dict[type[ast.cmpop] | type[ast.boolop], type[Any]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
REMEDY, WORD = "another remedy: test_checks.py sees it", "another word in the message"
NO_DIFFERENCE = {
    "network._explain_settings-1": REMEDY,
    "network._explain_subnets-2": f"{WORD}: the id of a subnet without a name",
    "network._surplus-0": REMEDY,
    "network._explain_places-0": REMEDY,
    "network._advise_route-0": REMEDY,
    "network._advise_association-0": REMEDY,
    "network._explain_namesakes-0": REMEDY,
    "network._explain_namesakes-1": REMEDY,
    "network._explain_namesakes-2": REMEDY,
    "network._explain_namesakes-3": REMEDY,
    "cluster._explain_cluster-0": REMEDY,
    "image._find_obstacle-5": f"{WORD}: wrong_states.py has it",
    "image._find_obstacle-9": f"{WORD}: wrong_states.py has it",
}
"""Mutants that neither facts nor causes tell from the original, by name, and what does."""


class TurnRound(ast.NodeTransformer):
    """Turns the `number`-th operator round, counted from 0 in the order of the source."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0

    def _is_it(self) -> bool:
        self.seen += 1
        return self.seen - 1 == self.number

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.ops = [AROUND[type(op)]() if self._is_it() else op for op in node.ops]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        node.op = AROUND[type(node.op)]() if self._is_it() else node.op
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.Not) and self._is_it() else node


def functions(room: ModuleType) -> list[FunctionType]:
    """Return a room's own functions."""
    found = [function for function in vars(room).values() if inspect.isfunction(function)]
    return [function for function in found if function.__module__ == room.__name__]


def mutants() -> Iterator[Any]:
    for room in ROOMS:
        for function in functions(room):
            tree = ast.parse(inspect.getsource(function))
            counter = TurnRound(-1)
            counter.visit(tree)
            for number in range(counter.seen):
                name = f"{room.__name__.rpartition('.')[2]}.{function.__name__}-{number}"
                yield pytest.param(function, number, id=name)


@contextmanager
def turned_round(function: FunctionType, number: int) -> Iterator[None]:
    """Have a function with one operator turned round in its place for a while."""
    tree = TurnRound(number).visit(ast.parse(inspect.getsource(function)))
    names: dict[str, Any] = dict(vars(inspect.getmodule(function)))
    exec(compile(ast.fix_missing_locations(tree), function.__name__, "exec"), names)
    original = function.__code__
    function.__code__ = inspect.unwrap(names[function.__name__]).__code__
    try:
        yield
    finally:
        function.__code__ = original


def is_as_the_catalogue_says(state: Snapshot, facts: set[str], causes: tuple[str, ...]) -> bool:
    try:
        results = [checks.run_check(id, checks.trim(id, state)) for id in syllabus.CHECK_IDS]
        told = tuple(diagnosis.code for result in results for diagnosis in result.diagnoses)
    except Exception:  # a mutant may do anything
        return False
    false = {fact.id for result in results for fact in result.facts if not fact.passed}
    return (false, told) == (facts, causes)


def everything_is_as_the_catalogue_says() -> bool:
    wrong = ((item.state, item.facts, item.causes) for item in WRONG)
    right: list[Any] = [(state, set(), ()) for state in RIGHT.values()]
    return all(is_as_the_catalogue_says(*entry) for entry in (*right, *wrong))


def test_nothing_turned_round_everything_is_as_the_catalogue_says() -> None:
    assert everything_is_as_the_catalogue_says()


@pytest.mark.parametrize(("function", "number"), [*mutants()])
def test_a_mutant_is_caught(
    request: pytest.FixtureRequest, function: FunctionType, number: int
) -> None:
    with turned_round(function, number):
        survived = everything_is_as_the_catalogue_says()
    assert survived == (request.node.callspec.id in NO_DIFFERENCE)
