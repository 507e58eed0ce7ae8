"""Copies: what several learners hold, and the passages that two answers share."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from handson.grading import copies
from handson.grading.findings import Passage, Written

from . import making

ENGLISH = (
    "Whenever a whole building loses its power, our customers still get their bread. ",
    "My aunt once rented two ovens in one street, and a single flood ruined both of them. ",
)


def written(text: str) -> Written:
    return Written(grade_id="why-network", status="answered", possible=4, text=text)


def compared(mine: str, theirs: str) -> Passage:
    passage = copies.find_passages(written(mine), written(theirs))
    assert passage is not None
    return passage


def essays(count: int) -> list[str]:
    return [making.essay(random.Random(seed)) for seed in range(count)]


@pytest.mark.parametrize("parts", [essays(2), ENGLISH], ids=["ja", "en"])
def test_passages_in_another_order_are_all_shown(parts: tuple[str, str]) -> None:
    one, other = parts
    found = compared(f"{one}\n{other}", f"{other}\n{one}").common
    assert found == (one.strip(), other.strip())


def test_a_passage_among_ones_own_words_is_shown_and_they_are_not() -> None:
    shared, mine, theirs = essays(3)
    found = compared(f"{mine}\n{shared}", f"{shared}\n{theirs[:40]}")
    assert shared in found.common
    assert not any(mine[:30] in passage for passage in found.common)


@pytest.mark.parametrize(
    "padding", ["\n" * 5_000, "\u200b" * 5_000, ". " * 3_000], ids=["lines", "invisible", "points"]
)
def test_what_stands_far_down_is_compared_all_the_same(padding: str) -> None:
    shared, mine = essays(2)
    copied = written(f"{mine[:10]}{padding}{shared}")
    sketches = [set(copies.sketch_answers([answer])) for answer in (copied, written(shared))]
    assert len(sketches[0] & sketches[1]) >= copies.SHARED
    assert compared(copied.text, shared).common == (shared,)


@pytest.mark.parametrize("width", [13, 24])
def test_texts_made_to_be_compared_for_minutes_are_shown_like_others(width: int) -> None:
    """A dozen letters again and again, in one text with others between: 20 s for each, once."""
    motif = "".join(chr(0x9C00 + number) for number in range(width))
    mine = (motif * 400)[:4_000]
    theirs = "".join(letter + chr(0x5000 + at) * (at % 15 == 0) for at, letter in enumerate(mine))
    both = compared(mine, theirs).common, compared(theirs, mine).common
    passages = [passage for found in both for passage in found]
    assert all(passage in mine and passage in theirs for passage in passages)
    assert max(map(len, passages)) >= 13


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
    assert copies.find_shared(held) == {key: who for key, who in expected.items() if len(who) > 1}


def test_the_same_name_of_two_kinds_is_not_shared() -> None:
    assert copies.find_shared([[("request", "x")], [("record", "x")]]) == {}
