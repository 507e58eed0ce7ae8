"""A second opinion on surviving faults: the same on moto, with fewer faults, for it is slower."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator import moto
from tests.emulator.surviving import deal, open_bench, running_at, survive, thinned

pytestmark = [
    pytest.mark.emulator,
    # moto's and its server's own, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_calls_survive_faults_on_moto(tmp_path: Path) -> None:
    with moto.serving() as endpoint:
        bench = open_bench(running_at(endpoint), tmp_path, by_hand=True)
        bench.record()
        bench.recorded["push"] = []  # moto has no registry: an image is put there by hand
        dealt = thinned(deal(bench.recorded, to_writes=1), to_reads=3)
        assert survive(bench, dealt, where="moto") == []
