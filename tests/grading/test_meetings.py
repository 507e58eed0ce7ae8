"""Who has something in common, in memory and on disk."""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict

import pytest

from handson.grading.meetings import Meetings


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("owners", [3, 3_000], ids=["in memory", "mostly on disk"])
def test_those_who_share_something_are_found_in_their_order(bits: int, owners: int) -> None:
    chance = random.Random(owners)
    common = [chance.getrandbits(bits) for _ in range(50)]
    expected: dict[int, list[int]] = defaultdict(list)
    with tempfile.TemporaryFile() as file:
        met, other = Meetings(bits, file), Meetings(bits, file)
        for owner in range(owners):
            own = {chance.getrandbits(bits) for _ in range(50)} | {chance.choice(common)}
            met.add(owner, own)
            other.add(owner, [owner])
            for value in own:
                expected[value].append(owner)
        found = dict(met.shared())
    assert found == {value: who for value, who in expected.items() if len(who) > 1}
    assert list(other.shared()) == []
