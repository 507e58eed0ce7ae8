"""Who holds the same thing."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from handson.grading.copies import find_shared


@pytest.mark.parametrize("owners", [3, 3_000])
def test_those_who_share_something_are_found_in_their_order(owners: int) -> None:
    chance = random.Random(owners)
    common = [chance.getrandbits(32) for _ in range(50)]
    expected: dict[tuple[str, int], tuple[int, ...]] = defaultdict(tuple)
    held = []
    for owner in range(owners):
        own = {chance.getrandbits(32) for _ in range(50)} | {chance.choice(common)}
        held.append([("b", owner), *(("a", value) for value in own)])
        for value in own:
            expected["a", value] += (owner,)
    assert find_shared(held) == {key: who for key, who in expected.items() if len(who) > 1}


def test_the_same_name_of_two_kinds_is_not_shared() -> None:
    assert find_shared([[("request", "x")], [("record", "x")]]) == {}
