"""The builtin engine beside Docker: build contexts made at random are built alike or refused."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from handson.engine import Engine
from tests import contexts, tally
from tests.engine.conftest import Require

pytestmark = pytest.mark.engine

SAMPLE, CORPUS = range(12), range(400)


@pytest.fixture(autouse=True, scope="module")
def command(engine: Engine, require: Require) -> None:
    found = shutil.which("docker")
    answers = found and subprocess.run([found, "version"], capture_output=True).returncode == 0
    require("engine", bool(answers), "the docker command is missing, or finds no engine")


def differ(numbers: range) -> dict[int, list[str]]:
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(numbers, pool.map(contexts.compare, numbers), strict=True))
    for result in found.values():
        tally.count(tally.ALIKE, isinstance(result.builtin, dict), where="Docker")
    return {number: it.differences for number, it in found.items() if it.differences}


def test_what_is_accepted_is_built_as_docker_builds_it() -> None:
    assert differ(SAMPLE) == {}


@pytest.mark.full
def test_the_whole_corpus_is_built_as_docker_builds_it() -> None:
    assert differ(CORPUS) == {}
