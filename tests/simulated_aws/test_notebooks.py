"""The worked notebooks on simulated AWS, in kernels, as `handson run` executes them."""

from __future__ import annotations

import pytest

from handson.aws import settings
from handson.notebook import replay
from tests.emulator.leaks import leaks_in
from tests.notebooks.book import NOTEBOOKS
from tests.simulated_aws.conftest import Simulated
from tests.simulated_aws.test_scenarios import SECRETS

pytestmark = [pytest.mark.emulator, pytest.mark.notebooks]


@pytest.mark.parametrize(
    ("lang", "names"),
    [("en", "0[13]*"), *(pytest.param(lang, "*", marks=pytest.mark.full) for lang in ("en", "ja"))],
)
def test_the_worked_notebooks_run_to_their_ends(
    simulated: Simulated, lang: str, names: str
) -> None:
    home = simulated.folder / "home"
    simulated.use(HANDSON_LANG=lang, HANDSON_LEARNER="Aiko", HANDSON_HOME=str(home))
    chosen = settings.read_environment()
    every = replay.find_notebooks(NOTEBOOKS, lang=lang, optional=True)
    notebooks = [path for path in every if path.match(names)]
    outcomes = replay.run_notebooks(
        chosen, notebooks, output=simulated.folder / "run", on_cell=lambda *_: None
    )
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert [outcome.notebook for outcome in outcomes] == [path.stem for path in notebooks]
    asked = {request.service for request in simulated.proxy.seen}
    assert asked >= {"ec2", "ecs", "ecr", "sts", "registry", "layers"}
    assert (simulated.proxy.refused_tls, leaks_in(simulated.folder, SECRETS)) == ([], [])
