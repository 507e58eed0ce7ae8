"""Who holds the same thing, in memory and on disk."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import closing

import pytest

from handson.grading.copies import Index


@pytest.mark.parametrize("owners", [3, 3_000])
def test_those_who_share_something_are_found_in_their_order(owners: int) -> None:
    chance = random.Random(owners)
    common = [chance.getrandbits(32) for _ in range(50)]
    expected: dict[tuple[str, int], list[int]] = defaultdict(list)
    with closing(Index()) as index:
        for owner in range(owners):
            own = {chance.getrandbits(32) for _ in range(50)} | {chance.choice(common)}
            index.add(owner, [("a", value) for value in own])
            index.add(owner, [("b", owner)])
            for value in own:
                expected["a", value].append(owner)
        found = {(kind, name): together for kind, name, together in index.shared()}
    assert found == {key: who for key, who in expected.items() if len(who) > 1}


def test_the_same_name_of_two_kinds_is_not_shared() -> None:
    with closing(Index()) as index:
        index.add(0, [("request", "x")])
        index.add(1, [("record", "x")])
        assert list(index.shared()) == []
