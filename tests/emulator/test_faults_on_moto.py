"""A second opinion on surviving faults: the same on moto, with fewer faults, for it is slower."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.hooks import Moto, reset
from tests.emulator.surviving import deal, open_bench, survive, thinned

pytestmark = [pytest.mark.emulator, pytest.mark.full]


def test_calls_survive_faults_on_moto(moto: Moto, tmp_path: Path) -> None:
    reset(moto)
    bench = open_bench(moto, tmp_path, by_hand=True)  # moto serves no registry
    bench.record()
    dealt = thinned(deal(bench.recorded, to_writes=1), to_reads=3)
    assert survive(bench, dealt, where="moto") == []
