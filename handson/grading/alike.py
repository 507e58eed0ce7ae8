"""Answers alike: who shares passages with whom, without comparing everyone with everyone.

An answer is folded to its letters and cut into overlapping shingles; those that the course itself
says, in either language, are left out.  The smallest hashes of the rest are its sketch.  Only
answers to the same question whose sketches share enough are compared in full, and what is reported
are passages that a person can read side by side.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import BinaryIO

from handson.course import syllabus
from handson.grading import handout
from handson.grading.meetings import Meetings
from handson.grading.model import Passage, Written

WIDE, NARROW = 7, 20
"""Letters in a shingle: of Japanese, where a letter says much, and of Latin script."""
SKETCH = 24
SHARED = 7
"""Hashes that two sketches have to share before their answers are compared."""
ALIKE = 0.5
"""The share of the shorter answer that stands in the other one too."""
LEAST = 12
"""Shingles of an answer's own; one that has fewer may well be like another by chance."""
LONGEST = 4_000
"""Letters of an answer that are compared."""
SHOWN = 40
"""Passages that are told of two answers, the longest."""
_TRIED = 4
"""Places in the other text at which a passage may go on that are looked at; the longest is told."""


_BETWEEN = re.compile(r"[\W_]+")
_WIDE = re.compile("[\u2e80-\U0010ffff]+")


def folded(text: str) -> str:
    """Return the letters and digits of a text, folded, the first of them.

    What stands between is left out before the rest is cut off: blank lines hide nothing.
    """
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())[:LONGEST]


def shingles(letters: str) -> set[int]:
    """Return the hashes of all shingles of folded letters."""
    crc32 = zlib.crc32
    if _width(letters) == WIDE:
        data, step, width = letters.encode("utf-16-le", "replace"), 2, WIDE * 2
    else:
        data, step, width = letters.encode("utf-8", "replace"), 1, NARROW
    return {crc32(data[i : i + width]) for i in range(0, len(data) - width + 1, step)}


def _width(letters: str) -> int:
    return WIDE if len(_WIDE.sub("", letters)) * 3 < len(letters) * 2 else NARROW


@cache
def said_by_course() -> frozenset[int]:
    """Return the hashes of everything that the course says in either language."""
    texts = (text for edition in handout.editions() for text in edition.prose)
    return frozenset(hash for text in texts for hash in shingles(folded(text)))


def own_shingles(text: str) -> set[int]:
    """Return the hashes of what an answer says beyond the course's own words."""
    return shingles(folded(text)) - said_by_course()


def sketch(answer: Written) -> array[int]:
    """Return an answer's sketch; an empty one for an answer too short to tell."""
    own = own_shingles(answer.text) if answer.text else set()
    return array("I", sorted(own)[:SKETCH] if len(own) >= LEAST else ())


class Sketches:
    """The sketches of a class, by question, kept in a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._found = {question.grade_id: Meetings(32, file) for question in syllabus.QUESTIONS}

    def add(self, owner: int, sketches: Iterable[tuple[str, array[int]]]) -> None:
        """Keep a learner's sketches."""
        for grade_id, hashes in sketches:
            self._found[grade_id].add(owner, hashes)

    def candidates(self) -> Iterator[tuple[str, int, int]]:
        """Yield question, learner and earlier learner where two answers are worth comparing.

        In a group that shares an answer, each is paired with the first and with the one before.
        """
        for grade_id, found in self._found.items():
            shared = Counter(pair for _, owners in found.shared() for pair in _pairs(owners))
            for (one, other), count in sorted(shared.items()):
                if count >= SHARED:
                    yield grade_id, other, one


def _pairs(owners: list[int]) -> set[tuple[int, int]]:
    return {(owners[0], owner) for owner in owners[1:]} | set(pairwise(owners))


def compare(mine: Written, theirs: Written) -> Passage | None:
    """Return what two answers have in common, if that is most of the shorter one."""
    ours, others = own_shingles(mine.text), own_shingles(theirs.text)
    fewest = min(len(ours), len(others))
    if fewest < LEAST or len(ours & others) < ALIKE * fewest:
        return None
    common = list(dict.fromkeys(_common(mine.text, theirs.text)))
    longest = set(sorted(common, key=len, reverse=True)[:SHOWN])
    shown = tuple(passage for passage in common if passage in longest)
    return Passage(grade_id=mine.grade_id, mine=mine.text, theirs=theirs.text, common=shown)


def _common(mine: str, theirs: str) -> Iterator[str]:
    """Yield the passages of one text that stand in the other too, wherever they stand there.

    The time is that of reading both, whatever they say: difflib takes minutes for two texts that
    repeat a dozen letters.
    """
    width = _width(folded(mine))
    starts: dict[str, list[int]] = defaultdict(list)
    for start in range(len(theirs) - width + 1):
        found = starts[theirs[start : start + width]]
        if len(found) < _TRIED:
            found.append(start)
    at = 0
    while at < len(mine):
        tried = starts.get(mine[at : at + width], ())
        size = max((_shared(mine[at:], theirs[start:]) for start in tried), default=0)
        passage = mine[at : at + size].strip()
        if passage and own_shingles(passage):
            yield passage
        at += size or 1


def _shared(one: str, other: str) -> int:
    """Return how many letters two texts have in common from their beginnings on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
